"""Read a user from Cognito's answer."""

import json
from collections.abc import Collection
from typing import Any, Literal

from app.schemas import User


def to_user(answer: Any, groups: Collection[str]) -> User:
    """Return the user in GetUser's answer.

    Any attribute may be missing: an administrator may have created the account. The `sub` is also
    the user name of people who signed up with an e-mail address.
    """
    username = answer["Username"]
    attributes = {each["Name"]: each.get("Value", "") for each in answer["UserAttributes"]}
    return User(
        sub=attributes.get("sub", username),
        email=attributes.get("email"),
        email_verified=attributes.get("email_verified") == "true",
        name=attributes.get("name") or None,
        signs_in_with=_signs_in_with(username, _identities(attributes.get("identities", ""))),
        groups=sorted(groups),
        mfa=bool(answer.get("UserMFASettingList")),
    )


def _signs_in_with(
    username: str, identities: list[dict[str, Any]]
) -> list[Literal["password", "google", "passkey"]]:
    """Return how a user can sign in, apart from passkeys, which GetUser's answer lacks.

    A user who was created by a first sign-in with Google is named after that identity, such as
    "google_108155", and has no password. A user with a password can have linked identities.
    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-identity-federation-consolidate-users.html
    """
    names = {f"{each.get('providerName')}_{each.get('userId')}".lower() for each in identities}
    ways: list[Literal["password", "google", "passkey"]] = []
    if username.lower() not in names:
        ways.append("password")
    if any(each.get("providerType") == "Google" for each in identities):
        ways.append("google")
    return ways


def _identities(attribute: str) -> list[dict[str, Any]]:
    """Return the identities in the attribute `identities`, or none if it can't be read.

    https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-using-the-id-token.html
    """
    try:
        identities = json.loads(attribute or "[]")
    except (ValueError, RecursionError):
        return []
    listed = identities if isinstance(identities, list) else []
    return [each for each in listed if isinstance(each, dict)]
