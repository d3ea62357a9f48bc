"""Signed in straight after confirming: sign-up answers a session, and confirm takes it."""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito
from tests.conftest import Connect
from tests.support.contract import SESSION
from tests.support.failures import ALREADY_CONFIRMED, CODE_MISMATCH, failure
from tests.support.faulty import INTERNAL_ERROR, Error, FaultyCognito, Fine
from tests.support.people import Person, settings_for
from tests.support.transports import through_every_transport

DONE = (200, {"statusCode": 200})
"""Done, and nobody is signed in."""


def told(answer: httpx.Response) -> tuple[int, object]:
    """Return the status and the body of an answer."""
    return answer.status_code, answer.json()


@through_every_transport
def test_confirming_signs_in(ada: Person) -> None:
    """The tokens are those of a sign-in, and work as they do. The password isn't sent again."""
    ada.signs_up()
    answer = ada.confirms(code=ada.code, session=ada.session)
    assert answer.status_code == 200
    names = {"AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"}
    assert set(answer.json()["body"]) == names
    assert ada.looks_in_the_mirror().json()["body"]["emailVerified"] is True
    assert ada.refreshes().status_code == 200
    assert failure(ada.confirms(code=ada.code, session=ada.session)) == ALREADY_CONFIRMED


@through_every_transport
def test_without_the_session(ada: Person) -> None:
    """On another device, confirming does what it says; so does a null."""
    ada.signs_up()
    assert told(ada.confirms(code=ada.code, session=None)) == DONE


@through_every_transport
def test_a_wrong_code_first(ada: Person) -> None:
    """The session works with the right code, also with one that is sent again."""
    ada.signs_up()
    assert failure(ada.confirms(code="000000", session=ada.session)) == CODE_MISMATCH
    ada.asks_for_the_code_again()
    assert "body" in ada.confirms(code=ada.code, session=ada.session).json()


@through_every_transport
def test_too_late(ada: Person, cognito: LocalCognito) -> None:
    """After 15 minutes the account is confirmed all the same, and sign-in is next."""
    ada.signs_up()
    cognito.clock.advance(SESSION)
    assert told(ada.confirms(code=ada.code, session=ada.session)) == DONE
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_somebody_elses_session(person: Callable[[], Person]) -> None:
    """It signs nobody in, neither Ada nor Bob. A wrong code is still a wrong code."""
    ada, bob = person(), person()
    ada.signs_up()
    bob.signs_up()
    assert failure(ada.confirms(code="000000", session=bob.session)) == CODE_MISMATCH
    assert told(ada.confirms(code=ada.code, session=bob.session)) == DONE
    assert "body" in bob.confirms(code=bob.code, session=bob.session).json()


@through_every_transport
def test_nonsense_for_a_session(ada: Person) -> None:
    """Text that may be a session is ignored as an old one is. Anything else is named."""
    ada.signs_up()
    for nonsense in ("short", 1, ["a" * 20], "a" * 4097):
        answer = ada.confirms(code=ada.code, session=nonsense)
        assert failure(answer)[:2] == (400, "invalid_request")
        assert [error["field"] for error in answer.json()["errors"]] == ["session"]
    assert told(ada.confirms(code=ada.code, session="a" * 20)) == DONE


def test_a_required_second_factor(cognito: LocalCognito, connect: Connect) -> None:
    """One more step is for sign-in to ask."""
    app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "ON"}
    pool = cognito.create_pool("confirming needs a factor", mfa=app)
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.signs_up()
        assert told(ada.confirms(code=ada.code, session=ada.session)) == DONE
        assert ada.signs_in().json()["challenge"] == "MFA_SETUP"


def test_a_pool_without_user_auth(cognito: LocalCognito, connect: Connect) -> None:
    """An app client from before this worked: people sign in after confirming."""
    flows = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    pool = cognito.create_pool("no USER_AUTH", client=flows)
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        assert told(ada.signs_up()) == DONE
        assert ada.session is None
        assert told(ada.confirms()) == DONE


def test_hidden_accounts(settings: Settings, cognito: LocalCognito, connect: Connect) -> None:
    """With HIDE_EXISTING_ACCOUNTS there is no session: only a new address would have one."""
    with connect(replace(settings, hide_existing_accounts=True)) as api:
        ada = Person(api, cognito.outbox.code_for)
        assert told(ada.signs_up()) == told(ada.signs_up()) == DONE
        assert told(ada.confirms()) == DONE


@pytest.mark.transports("rest")
@pytest.mark.parametrize(
    "refused",
    [
        [INTERNAL_ERROR, INTERNAL_ERROR],
        [Error("NotAuthorizedException")],
        [Error("InvalidParameterException")],  # USER_AUTH is not allowed any more
        [Error("TooManyRequestsException")],
        [Fine({"ChallengeName": "SELECT_CHALLENGE", "Session": "s" * 20})],
        [Fine({"AuthenticationResult": {}})],
    ],
)
def test_the_sign_in_fails(
    settings: Settings, connect: Connect, refused: list[Fine | Error]
) -> None:
    """The account is confirmed, whatever comes then: the code would not work a second time."""
    with FaultyCognito() as upstream:
        upstream.behave(Fine({"Session": "s" * 20}), *refused)
        with connect(replace(settings, endpoint_url=upstream.url)) as api:
            body = {"email": "ada@example.com", "code": "123456", "session": "s" * 20}
            assert told(api.post("/auth/confirm", json=body)) == DONE
        assert upstream.calls == ["ConfirmSignUp"] + ["InitiateAuth"] * len(refused)
