"""Signing in with an e-mailed code, and signing up without a password."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.failures import (
    CODE_MISMATCH,
    DONE,
    INVALID_CREDENTIALS,
    INVALID_EMAIL,
    failure,
)
from tests.support.people import Person, admin, settings_for
from tests.support.totp import totp
from tests.support.transports import through_every_transport
from tests.support.watch import Watch


@through_every_transport
def test_a_code_in_place_of_the_password(ada: Person) -> None:
    """It gives what the password gives, once; a wrong one leaves another try."""
    ada.has_an_account()
    asked = ada.asks_for_a_sign_in_code()
    assert set(asked.json()["body"]) == {"session"}
    assert failure(ada.signs_in_by_code(asked, code=other_than(ada.code))) == CODE_MISMATCH
    code = ada.code
    answer = ada.signs_in_by_code(asked, code=f" {code[:3]}-{code[3:]} ")
    assert answer.status_code == 200
    assert set(answer.json()["body"]) >= {"AccessToken", "IdToken", "RefreshToken"}
    assert failure(ada.signs_in_by_code(asked, code=code)) == CODE_MISMATCH
    assert ada.looks_in_the_mirror().status_code == 200
    assert ada.refreshes().status_code == 200
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_any_address_gets_the_same_answers(
    person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """Without an account, unconfirmed, disabled, or with a second factor: nobody can tell."""
    nobody, unconfirmed, disabled, secured, ada = (person() for _ in range(5))
    unconfirmed.signs_up()
    disabled.has_an_account()
    admin(cognito, pool).admin_disable_user(UserPoolId=pool.user_pool_id, Username=disabled.email)
    secured.is_signed_in()
    secured.sets_up_mfa()
    secured.verifies_mfa(totp(secured.mfa_secret, cognito.clock.now()))
    ada.has_an_account()
    for each in (nobody, unconfirmed, secured, disabled, ada):
        sent = mails_to(each, cognito)
        asked = each.asks_for_a_sign_in_code()
        assert asked.status_code == 200
        assert set(asked.json()["body"]) == {"session"}
        assert len(asked.json()["body"]["session"]) == 128
        assert failure(each.signs_in_by_code(asked, code="wrong")) == CODE_MISMATCH
        if each is not disabled:  # AWS doesn't document whether it gets a code, which is of no use
            assert mails_to(each, cognito) == sent + (each is ada)
    assert failure(nobody.asks_for_a_sign_in_code(email="nobody")) == INVALID_EMAIL


def test_too_late(ada: Person, cognito: LocalCognito) -> None:
    """A code is valid as long as its session. The answer is that of a wrong one."""
    ada.has_an_account()
    asked = ada.asks_for_a_sign_in_code()
    cognito.clock.advance(timedelta(minutes=15).total_seconds())
    assert failure(ada.signs_in_by_code(asked)) == CODE_MISMATCH


def test_a_code_of_another_sign_in(ada: Person, person: Callable[[], Person]) -> None:
    """A code belongs to its session, and a session to its person."""
    bob = person()
    ada.has_an_account()
    bob.has_an_account()
    asked, again = ada.asks_for_a_sign_in_code(), None
    first = ada.code
    again = ada.asks_for_a_sign_in_code()
    assert failure(ada.signs_in_by_code(again, code=first)) == CODE_MISMATCH
    assert failure(bob.signs_in_by_code(again, code=ada.code)) == CODE_MISMATCH
    assert ada.signs_in_by_code(asked, code=first).status_code == 200


def test_an_account_that_changes_meanwhile(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """Not even a session from before tells that the password must be reset now."""
    ada.has_an_account()
    asked, code = ada.asks_for_a_sign_in_code(), ada.code
    who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
    admin(cognito, pool).admin_reset_user_password(**who)
    assert failure(ada.signs_in_by_code(asked, code="wrong")) == CODE_MISMATCH
    assert failure(ada.signs_in_by_code(asked, code=code)) == CODE_MISMATCH


def test_five_codes_an_hour(ada: Person, cognito: LocalCognito) -> None:
    """After that nothing is e-mailed, and the answer is the same."""
    ada.has_an_account()
    sent = mails_to(ada, cognito)
    for _ in range(7):
        assert ada.asks_for_a_sign_in_code().status_code == 200
    assert mails_to(ada, cognito) == sent + 5
    cognito.clock.advance(timedelta(hours=1).total_seconds())
    assert ada.signs_in_by_code(ada.asks_for_a_sign_in_code()).status_code == 200


@through_every_transport
def test_signing_up_without_a_password(ada: Person) -> None:
    """The code from the e-mail confirms and signs in; later, another one does."""
    assert ada.signs_up(passwordless=True, password=None).status_code == 200
    code = ada.code
    assert ada.confirms(code=code, session=ada.session).status_code == 200
    assert ada.looks_in_the_mirror().json()["body"]["emailVerified"]
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == []
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS
    assert ada.signs_in_by_code(ada.asks_for_a_sign_in_code()).status_code == 200
    assert ada.forgets_the_password().json() == DONE
    assert ada.resets_the_password().json() == DONE
    assert ada.signs_in().status_code == 200
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == ["password"]


def test_a_second_factor_and_no_password(ada: Person, cognito: LocalCognito) -> None:
    """Only a password leads to a second factor, so the way back in begins with a new one."""
    ada.signs_up(passwordless=True, password=None)
    assert ada.confirms(code=ada.code, session=ada.session).status_code == 200
    ada.sets_up_mfa()
    ada.verifies_mfa(totp(ada.mfa_secret, cognito.clock.now()))
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == []
    asked = ada.asks_for_a_sign_in_code()
    assert failure(ada.signs_in_by_code(asked)) == CODE_MISMATCH
    assert ada.forgets_the_password().json() == DONE
    assert ada.resets_the_password().status_code == 200
    assert ada.signs_in().json()["challenge"] == "SOFTWARE_TOKEN_MFA"


PASSWORDS_ONLY = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}


def test_a_pool_without_codes(connect: Connect, cognito: LocalCognito, watch: Watch) -> None:
    """A password is required. Whoever asks for a code gets none, and the log says why."""
    pool = cognito.create_pool(f"without-{uuid4()}", pool=PASSWORDS_ONLY)
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        answer = ada.signs_up(passwordless=True, password=None)
        assert failure(answer)[:2] == (400, "invalid_request")
        assert answer.json()["errors"] == [{"field": "password", "message": "Field required"}]
        assert "SenderArn" in watch.lines[-1]
        ada.has_an_account()
        assert failure(ada.signs_in_by_code(ada.asks_for_a_sign_in_code(), code="1"))
        assert any('"no code e-mailed"' in line for line in watch.lines)


def mails_to(ada: Person, cognito: LocalCognito) -> int:
    """Return how many e-mails a person got. The outbox of all tests drops the oldest ones."""
    return sum(mail["to"] == ada.email for mail in cognito.outbox.to_json())


def other_than(code: str) -> str:
    """Return another code."""
    return f"{(int(code) + 1) % 10**6:06}"


@pytest.mark.parametrize(
    ("password", "passwordless"),
    [
        *((password, True) for password in ("", 10**9, [], "x" * 257)),
        *((password, False) for password in ("", None)),
    ],
)
def test_a_password_that_is_none(ada: Person, password: Any, *, passwordless: bool) -> None:
    """Only on purpose is there no password."""
    answer = ada.signs_up(password=password, passwordless=passwordless)
    assert failure(answer)[:2] == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["password"]
