"""Conversion of Cognito's attributes to a user, with missing and malformed attributes."""

import json
from typing import Any

import pytest

from app.users import to_user

SUB = "c2c5d4b4-60a1-70f2-9d5e-1f6ab3c4d5e6"
NATIVE = {"sub": SUB, "email": "ada@example.com", "email_verified": "true"}
GOOGLE = {
    "userId": "108155",
    "providerName": "Google",
    "providerType": "Google",
    "issuer": None,
    "primary": "true",
    "dateCreated": "1783000000000",
}
OKTA = {**GOOGLE, "userId": "ada", "providerName": "Okta", "providerType": "SAML"}


def answer(username: str, attributes: dict[str, Any], **more: object) -> dict[str, Any]:
    """Return GetUser's answer."""
    listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
    return {"Username": username, "UserAttributes": listed, **more}


def ways(username: str, *identities: object) -> list[str]:
    """Return the sign-in methods of a user with these identities."""
    given = answer(username, NATIVE | {"identities": json.dumps(identities)})
    return to_user(given, []).signs_in_with


def test_a_user_with_a_password() -> None:
    """A user that sign-up created signs in with a password."""
    assert to_user(answer(SUB, NATIVE), {"readers", "editors"}).model_dump(by_alias=True) == {
        "sub": SUB,
        "email": "ada@example.com",
        "emailVerified": True,
        "name": None,
        "signsInWith": ["password"],
        "groups": ["editors", "readers"],
        "mfa": False,
    }


def test_a_name_and_a_second_factor() -> None:
    """An empty name is none. Any second factor counts."""
    given = answer(SUB, NATIVE | {"name": "Ada"}, UserMFASettingList=["SOFTWARE_TOKEN_MFA"])
    assert (to_user(given, []).name, to_user(given, []).mfa) == ("Ada", True)
    given = answer(SUB, NATIVE | {"name": ""}, UserMFASettingList=[])
    assert (to_user(given, []).name, to_user(given, []).mfa) == (None, False)


@pytest.mark.parametrize("username", ["google_108155", "Google_108155"])
def test_a_user_of_google(username: str) -> None:
    """The user name is lower-case in our pool; older, case-sensitive pools keep the capital."""
    assert ways(username, GOOGLE) == ["google"]


def test_a_password_and_google() -> None:
    """A user that an administrator linked to Google signs in with both."""
    assert ways(SUB, GOOGLE) == ["password", "google"]


def test_a_user_of_google_with_a_second_identity() -> None:
    """A user that a Google identity created has no password."""
    assert ways("google_108155", GOOGLE, OKTA) == ["google"]


def test_a_user_of_another_provider() -> None:
    """The app offers no sign-in with other providers."""
    assert ways("okta_ada", OKTA) == []


def test_an_address_that_starts_with_google() -> None:
    """In a pool whose user names are addresses, it still belongs to a password user."""
    assert to_user(answer("google_fan@example.com", NATIVE), []).signs_in_with == ["password"]


@pytest.mark.parametrize(
    "attribute",
    ["", "{", "null", "1", '"google"', "{}", "[1, null]", "[[]]", "[{}]", "[" * 60_000],
)
def test_malformed_identities(attribute: str) -> None:
    """Malformed identities are ignored."""
    assert to_user(answer(SUB, NATIVE | {"identities": attribute}), []).signs_in_with == [
        "password"
    ]


@pytest.mark.parametrize("missing", NATIVE)
def test_an_attribute_is_missing(missing: str) -> None:
    """Another team's pool or a user that an administrator created may lack an attribute."""
    attributes: dict[str, Any] = {name: text for name, text in NATIVE.items() if name != missing}
    user = to_user(answer(SUB, attributes), [])
    assert user.sub == SUB
    assert user.email == attributes.get("email")
    assert user.email_verified == ("email_verified" in attributes)
