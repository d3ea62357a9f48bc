"""Users of an identity provider, such as Google: their status and identities."""

import json
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser, UserStatus

# moto's enumeration of statuses lacks this one.
EXTERNAL_PROVIDER = "EXTERNAL_PROVIDER"


def status_of(user: CognitoIdpUser) -> str:
    """Return the name of a user's status."""
    return EXTERNAL_PROVIDER if lacks_password(user) else str(UserStatus(user.status).value)


def lacks_password(user: CognitoIdpUser) -> bool:
    """Return whether a user signs in only through an identity provider.

    An administrator may give such a user a password. The status is then CONFIRMED.
    https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AdminSetUserPassword.html
    """
    return bool(user.status == EXTERNAL_PROVIDER)


def is_federated(user: CognitoIdpUser) -> bool:
    """Return whether a user was created by an identity provider."""
    return "identities" in user.attribute_lookup


def identities_of(user: CognitoIdpUser) -> list[dict[str, Any]]:
    """Return a user's identities at providers: an empty list for a user who signed up here."""
    identities: list[dict[str, Any]] = json.loads(user.attribute_lookup.get("identities", "[]"))
    return identities


def identity(provider: str, subject: str, now: float) -> str:
    """Return the attribute `identities` of a new user in Cognito's format.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
    """
    return json.dumps(
        [
            {
                "userId": subject,
                "providerName": provider,
                "providerType": provider,
                "issuer": None,
                "primary": True,
                "dateCreated": int(now * 1000),
            }
        ]
    )


def identities_claim(user: CognitoIdpUser) -> list[dict[str, Any]]:
    """Return the ID token's claim `identities`: the attribute, with its values as strings."""
    return [
        {
            **entry,
            "primary": str(entry["primary"]).lower(),
            "dateCreated": str(entry["dateCreated"]),
        }
        for entry in identities_of(user)
    ]
