"""With HIDE_EXISTING_ACCOUNTS, no two calls tell a stranger whether an address has an account.

A stranger knows the address, and neither its password nor its codes. Single answers are not enough:
sign-up and then sign-in told it once.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.faulty import Error, FaultyCognito
from tests.support.passkey_device import PasskeyDevice
from tests.support.people import Person, admin
from tests.support.totp import totp
from tests.support.watch import Watch

GUESS = "A-guess-of-10"
BY_PASSKEY = "passkeys/sign-in"
Call = Callable[[Person], httpx.Response]


def tries_a_code(ada: Person) -> httpx.Response:
    """Ask for a code to sign in with, which answers a session, and guess it."""
    asked = ada.asks_for_a_sign_in_code()
    assert asked.status_code == 200
    assert asked.json() == {"statusCode": 200, "body": {"session": asked.json()["body"]["session"]}}
    assert len(asked.json()["body"]["session"]) == 128
    return ada.signs_in_by_code(asked, code="000000x")


CALLS: dict[str, Call] = {
    "sign-up": lambda ada: ada.signs_up(password=GUESS),
    "sign-in": lambda ada: ada.signs_in(password=GUESS),
    "confirm": lambda ada: ada.confirms(code="000000"),
    "resend-code": lambda ada: ada.asks_for_the_code_again(),
    "forgot-password": lambda ada: ada.forgets_the_password(),
    "reset-password": lambda ada: ada.resets_the_password(password=GUESS, code="000000"),
    "email-code": tries_a_code,
    BY_PASSKEY: lambda ada: ada.begins_with_a_passkey(),
}
STATES = [
    "unconfirmed",
    "unconfirmed, without tries",
    "unconfirmed, code expired",
    "confirmed",
    "mfa",
    "disabled",
    "disabled unconfirmed",
    "reset required",
    "invited",
    "google",
    "google and unconfirmed",
    "no password",
    "passkey",
]
TOLD_APART = {("passkey", BY_PASSKEY)}
"""The documented gap: see infra/web/README.md."""


class World:
    """People of an app that hides existing accounts, and an administrator."""

    def __init__(self, api: httpx.Client, cognito: LocalCognito, pool: LocalPool) -> None:
        self.api, self.cognito = api, cognito
        self.boto3, self.pool_id = admin(cognito, pool), pool.user_pool_id

    def person(self) -> Person:
        """Return a person without an account."""
        return Person(self.api, self.cognito.outbox.code_for)

    def signs_up(self, ada: Person, state: str) -> None:
        """Sign up, and bring the unconfirmed account into a state."""
        assert ada.signs_up().status_code == 200
        if state.endswith("without tries"):
            for _ in range(16):
                ada.confirms(code="000000")
        if state.endswith("code expired"):
            self.cognito.clock.advance(timedelta(hours=25))

    def person_in(self, state: str) -> Person:
        """Return a person whose account is in a state."""
        ada = self.person()
        who: dict[str, Any] = {"UserPoolId": self.pool_id, "Username": ada.email}
        if "unconfirmed" in state:
            self.signs_up(ada, state)
        match state:
            case "invited":
                temporary = {"TemporaryPassword": ada.password, "MessageAction": "SUPPRESS"}
                attributes = {"email": ada.email, "email_verified": "true"}
                listed = [{"Name": name, "Value": value} for name, value in attributes.items()]
                self.boto3.admin_create_user(**who, **temporary, UserAttributes=listed)
            case "mfa":
                ada.is_signed_in()
                assert ada.sets_up_mfa().status_code == 200
                code = totp(ada.mfa_secret, self.cognito.clock.now())
                assert ada.verifies_mfa(code).status_code == 200
            case "confirmed" | "disabled" | "reset required":
                ada.has_an_account()
            case "no password":
                assert ada.signs_up(passwordless=True, password=None).status_code == 200
                assert ada.confirms().status_code == 200
            case "passkey":
                ada.is_signed_in()
                assert ada.adds_a_passkey(PasskeyDevice()).status_code == 200
        if state.startswith("google"):
            assert ada.continues_with_google().status_code == 200
        if state.startswith("disabled"):
            self.boto3.admin_disable_user(**who)
        if state == "reset required":
            self.boto3.admin_reset_user_password(**who)
        ada.tokens.clear()
        return ada


@pytest.fixture
def world(
    settings: Settings, cognito: LocalCognito, pool: LocalPool, connect: Connect, watch: Watch
) -> Iterator[World]:
    """Return the people of an app with HIDE_EXISTING_ACCOUNTS."""
    with connect(replace(settings, hide_existing_accounts=True)) as api:
        watched = watch.over(Person(api, cognito.outbox.code_for))
        yield World(watched.api, cognito, pool)


def told(answer: httpx.Response) -> tuple[int, dict[str, object]]:
    """Return what an answer tells, without the request's own id."""
    body = answer.json()
    body.pop("requestId", None)
    return answer.status_code, body


@pytest.mark.parametrize("first", CALLS)
def test_two_calls_tell_nothing(world: World, first: str) -> None:
    """Every sequence of two calls gets the same answers as for an address without an account."""
    telling = {}
    for second in CALLS:
        nobody = world.person()
        expected = [told(CALLS[name](nobody)) for name in (first, second)]
        for state in STATES:
            if TOLD_APART & {(state, first), (state, second)}:
                continue
            ada = world.person_in(state)
            answers = [told(CALLS[name](ada)) for name in (first, second)]
            if answers != expected:
                telling[state, second] = (answers, expected)
    assert telling == {}


@pytest.mark.parametrize("state", STATES)
def test_who_has_a_passkey(world: World, state: str) -> None:
    """Only an address that can sign in with a passkey is told apart from one without an account."""
    nobody, ada = (CALLS[BY_PASSKEY](each) for each in (world.person(), world.person_in(state)))
    assert (told(ada) == told(nobody)) is ((state, BY_PASSKEY) not in TOLD_APART)
    assert told(nobody)[1]["code"] == "passkey_not_found"


@pytest.mark.parametrize("after", ["is disabled", "must reset", "is deleted"])
def test_a_code_that_was_asked_for_before(world: World, after: str) -> None:
    """Nor does a session tell later, when the account has changed, with or without the code."""
    nobody, ada = world.person(), world.person_in("confirmed")
    asked = {each.email: each.asks_for_a_sign_in_code() for each in (nobody, ada)}
    who, code = {"UserPoolId": world.pool_id, "Username": ada.email}, ada.code
    match after:
        case "is disabled":
            world.boto3.admin_disable_user(**who)
        case "must reset":
            world.boto3.admin_reset_user_password(**who)
        case "is deleted":
            world.boto3.admin_delete_user(**who)
    expected = told(nobody.signs_in_by_code(asked[nobody.email], code=code))
    for guess in (code, "000000x"):
        assert told(ada.signs_in_by_code(asked[ada.email], code=guess)) == expected


@pytest.mark.parametrize("unsent", ["CodeDeliveryFailureException", "LimitExceededException"])
def test_an_e_mail_that_is_not_sent(
    settings: Settings, connect: Connect, watch: Watch, unsent: str
) -> None:
    """Only a new account is sent one, so sign-up doesn't tell. The alarm counts it all the same."""
    with FaultyCognito() as upstream:
        hidden = replace(settings, hide_existing_accounts=True, endpoint_url=upstream.url)
        with connect(hidden) as api:
            upstream.behave(Error(unsent, "Not sent."))
            body = {"email": "ada@example.com", "password": "Correct-horse-9"}
            assert api.post("/auth/sign-up", json=body).json() == {"statusCode": 200}
    lines = [json.loads(line) for line in watch.lines]
    assert [line["cause"] for line in lines if line.get("code") == "email_not_sent"] == [unsent]


def test_the_owner_finds_a_way_in(world: World) -> None:
    """Sign-in doesn't say what is missing, but both ways forward work."""
    ada = world.person_in("unconfirmed")
    assert ada.signs_in().json()["code"] == "invalid_credentials"
    assert ada.asks_for_the_code_again().status_code == 200
    assert ada.confirms().status_code == 200
    assert ada.signs_in().status_code == 200
    ada = world.person_in("reset required")
    assert ada.signs_in().json()["code"] == "invalid_credentials"
    assert ada.forgets_the_password().status_code == 200
    assert ada.resets_the_password().status_code == 200
    assert ada.signs_in().status_code == 200
