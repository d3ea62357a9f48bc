"""What an access token says, once Cognito or tokens.py has accepted it."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any


def read_claims(token: str) -> dict[str, Any]:
    """Return a token's claims, or none if it isn't a JWT. The signature is not checked.

    Call it only for a token that has been accepted: anybody can write one.
    """
    payload = token.partition(".")[2].partition(".")[0]
    try:
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, RecursionError):  # not Base64, not ASCII, or not JSON
        return {}
    return claims if isinstance(claims, dict) else {}


def groups_of(claims: Mapping[str, Any], issuer: str) -> frozenset[str]:
    """Return the names of the person's groups in the user pool that has this issuer.

    There are none if the token is another pool's, or if the claim isn't a list of strings. Cognito
    also puts people who sign in with Google into a group that it names "<pool id>_Google". It is
    left out, because nobody decided on it: `signsInWith` of /auth/me says the same.
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-user-groups.html
    """
    names = claims.get("cognito:groups")
    if claims.get("iss") != issuer or not isinstance(names, list):
        return frozenset()
    if not all(isinstance(name, str) for name in names):
        return frozenset()
    made_by_cognito = f"{issuer.rpartition('/')[2]}_"
    return frozenset(name for name in names if not name.startswith(made_by_cognito))
