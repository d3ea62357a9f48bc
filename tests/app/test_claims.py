"""Claims of tokens that have been accepted, and the groups in them."""

import base64
import json

import pytest

from app.claims import groups_of, read_claims

ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_EXAMPLE"


def token(payload: bytes) -> str:
    """Return a token with this payload, and no true header or signature."""
    return f"e30.{base64.urlsafe_b64encode(payload).rstrip(b'=').decode()}.c2ln"


def test_claims_of_any_length() -> None:
    """Base64's padding is left out of tokens."""
    for length in range(8):
        claims = {"sub": "x" * length, "name": "에이다?>"}
        assert read_claims(token(json.dumps(claims).encode())) == claims


@pytest.mark.parametrize(
    "made",
    [
        "",
        "opaque",
        "..",
        "e30",
        "e30.é.c2ln",
        "e30.!.c2ln",
        *map(token, [b"", b"{", b"[]", b"null", b'"text"', b"\xff", b"[" * 100_000]),
    ],
)
def test_a_token_that_is_no_jwt(made: str) -> None:
    """It has no claims."""
    assert read_claims(made) == {}


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (["editors"], {"editors"}),
        (["editors", "editors", "에디터"], {"editors", "에디터"}),
        (["eu-west-1_EXAMPLE_Google", "editors"], {"editors"}),
        (["eu-west-1_EXAMPLE_", "eu-west-1_EXAMPLE"], {"eu-west-1_EXAMPLE"}),
        (["eu-west-1_OTHER_Google"], {"eu-west-1_OTHER_Google"}),
        ([], set()),
        (["editors", 5], set()),
        (["editors", None], set()),
        (["editors", ["editors"]], set()),
        (("editors",), set()),
        ("editors", set()),
        ({"editors": True}, set()),
        (True, set()),
        (1, set()),
        (None, set()),
    ],
)
def test_groups(names: object, groups: set[str]) -> None:
    """They are a list of strings, without the groups that Cognito makes for providers."""
    assert groups_of({"iss": ISSUER, "cognito:groups": names}, ISSUER) == groups


@pytest.mark.parametrize("issuer", [None, "", [], f"{ISSUER}2", f"{ISSUER}/"])
def test_groups_of_another_pool(issuer: object) -> None:
    """Its editors are none of ours."""
    assert groups_of({"iss": issuer, "cognito:groups": ["editors"]}, ISSUER) == frozenset()
    assert groups_of({"cognito:groups": ["editors"]}, ISSUER) == frozenset()
