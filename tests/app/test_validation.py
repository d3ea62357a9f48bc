"""Codes as people type them."""
# ruff: noqa: RUF001 - full-width digits are the subject

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.validation import to_code
from infra.local.server import LocalCognito
from tests.support.characters import ALL, BLANKS, UNSEEN
from tests.support.failures import CODE_MISMATCH, DONE, failure
from tests.support.people import Person
from tests.support.totp import totp
from tests.support.transports import through_every_transport

DASHES = [each for each in ALL if unicodedata.category(each) == "Pd"]
DIGITS = [each for each in ALL if unicodedata.category(each) == "Nd"]


@pytest.mark.parametrize(
    "typed",
    [
        "123456",
        " 123456\n",
        "123 456",
        "123-456",
        "1 2 3 4 5 6",
        "123\u2013456",
        "123\u2212456",
        "１２３４５６",
        "１２３ー４５６",
        "１２３\u3000４５６",
        "١٢٣٤٥٦",
        "१२३४५६",
        "123\u200b456",
        "\ufeff123456",
        "123\u3164456",
    ],
)
def test_a_code(typed: str) -> None:
    """However a person types the code, Cognito gets the one that it sent."""
    assert to_code(typed) == "123456"


def test_every_dash_and_blank_is_dropped() -> None:
    """That is every one that Unicode has."""
    for each in [*DASHES, *BLANKS, *UNSEEN, "\u2212", "\u00ad"]:
        assert to_code(f"{each}12{each}34{each}") == "1234", hex(ord(each))


def test_every_digit_is_understood() -> None:
    """Python's int() knows the value of every decimal digit."""
    for each in DIGITS:
        assert to_code(each) == str(unicodedata.decimal(each))


@given(st.text())
def test_a_code_is_taken_once(typed: str) -> None:
    """Letters stay as they are, and a code that is taken again stays the same."""
    code = to_code(typed)
    assert to_code(code) == code
    assert to_code("aB₂.x") == "aB₂.x"


@pytest.mark.parametrize("value", [None, 123456, True, ["1"], {"a": 1}])
def test_what_is_no_text(value: object) -> None:
    """The model refuses it."""
    assert to_code(value) == value


# Through the routes


def odd(code: str) -> str:
    """Return a code as somebody may type it: in full-width digits, with a hyphen and blanks."""
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    return f"\u3000{wide[:3]} ー {wide[3:]}\u200b"


@through_every_transport
def test_codes_from_an_e_mail(ada: Person) -> None:
    """Confirmation and reset take them as they are typed."""
    ada.signs_up()
    assert ada.confirms(code=odd(ada.code)).json() == DONE
    ada.forgets_the_password()
    assert ada.resets_the_password(code=odd(ada.code)).json() == DONE


@through_every_transport
def test_codes_from_an_app(ada: Person, cognito: LocalCognito) -> None:
    """So do the set-up of a second factor, and sign-in with it."""
    ada.is_signed_in()
    ada.sets_up_mfa()
    assert ada.verifies_mfa(odd(totp(ada.mfa_secret, cognito.clock.now()))).json() == DONE
    cognito.clock.advance(30)  # a code works once
    code = odd(totp(ada.mfa_secret, cognito.clock.now()))
    assert ada.answers(ada.signs_in(), code=code).status_code == 200


EMPTY = ["", " ", "---", " \u3000-\u200b\u2013 "]


@pytest.mark.parametrize("code", EMPTY, ids=ascii)
def test_a_code_of_nothing(ada: Person, code: str) -> None:
    """A code that has only blanks and hyphens is a missing one, on every route."""
    ada.is_signed_in()
    challenge = {"challenge": "SOFTWARE_TOKEN_MFA", "session": "s" * 20}
    headers = {"Authorization": f"Bearer {ada.tokens['AccessToken']}"}
    for route, body in {
        "confirm": {"email": ada.email},
        "reset-password": {"email": ada.email, "password": "A-new-horse-10"},
        "challenge": {"email": ada.email} | challenge,
        "mfa/verify": {},
    }.items():
        answer = ada.api.post(f"/auth/{route}", json={"code": code} | body, headers=headers)
        assert failure(answer)[:2] == (400, "invalid_request"), route
        assert [error["field"] for error in answer.json()["errors"]] == ["code"]


def test_a_wrong_code_stays_wrong(ada: Person) -> None:
    """Letters aren't dropped, so that nothing becomes right by chance."""
    ada.signs_up()
    assert failure(ada.confirms(code=f"x{ada.code}")) == CODE_MISMATCH
