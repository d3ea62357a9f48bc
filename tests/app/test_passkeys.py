"""Passkeys: registering, listing, removing and signing in, through every transport."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from app.tokens import RECENT
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.failures import DONE, INVALID_TOKEN, alike, failure
from tests.support.passkey_device import PasskeyDevice
from tests.support.people import Person, admin, settings_for
from tests.support.totp import totp
from tests.support.transports import through_every_transport
from tests.support.watch import Watch

REJECTED = (
    400,
    "passkey_rejected",
    "The passkey was not accepted, or it took too long. Please try again.",
)
NOT_FOUND = (404, "passkey_not_found", "No passkey was found.")
NOT_SET_UP = (409, "passkeys_not_set_up", "This service has no passkeys.")
AGAIN = (403, "reauthentication_required", "Please sign in again first.")


@pytest.fixture
def device() -> PasskeyDevice:
    """Return a device without a passkey."""
    return PasskeyDevice()


@pytest.fixture
def ada(ada: Person, device: PasskeyDevice) -> Person:
    """Return a person who is signed in, and whose device has a passkey."""
    ada.is_signed_in()
    assert ada.adds_a_passkey(device).json() == DONE
    return ada


@through_every_transport
def test_a_passkey_from_beginning_to_end(ada: Person, device: PasskeyDevice) -> None:
    """It is listed, signs in as the password does, and no longer does once it is removed."""
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == ["password", "passkey"]
    (listed,) = ada.lists_the_passkeys().json()["body"]["passkeys"]
    assert set(listed) == {"id", "name", "createdAt"}
    assert listed["name"] == "Passkey"
    age = datetime.now(UTC) - datetime.fromisoformat(listed["createdAt"])
    assert abs(age) < timedelta(minutes=10)
    ada.tokens.clear()
    answer = ada.signs_in_with(device)
    assert answer.status_code == 200
    assert set(answer.json()["body"]) == {
        "AccessToken",
        "ExpiresIn",
        "IdToken",
        "RefreshToken",
        "TokenType",
    }
    assert ada.removes_a_passkey(listed["id"]).json() == DONE
    assert ada.lists_the_passkeys().json()["body"] == {"passkeys": []}
    assert failure(ada.removes_a_passkey(listed["id"])) == NOT_FOUND
    assert failure(ada.begins_with_a_passkey()) == NOT_FOUND
    assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == ["password"]
    assert ada.signs_in().status_code == 200


def test_a_sign_in_that_is_recent_again(
    ada: Person, device: PasskeyDevice, cognito: LocalCognito
) -> None:
    """A sign-in with a passkey counts where a recent one is asked for; its refresh works."""
    cognito.clock.advance(RECENT + 10)
    assert failure(ada.begins_a_passkey()) == AGAIN
    assert failure(ada.removes_a_passkey("any")) == AGAIN
    assert ada.signs_in_with(device).status_code == 200
    assert ada.begins_a_passkey().status_code == 200
    assert ada.refreshes().status_code == 200


def test_without_a_token(ada: Person, device: PasskeyDevice) -> None:
    """Nobody registers, lists or removes anything without an access token."""
    options = ada.begins_a_passkey().json()["body"]
    ada.tokens.clear()
    credential = device.create(options)
    assert failure(ada.begins_a_passkey()) == INVALID_TOKEN
    assert failure(ada.adds_a_passkey(device, credential=credential)) == INVALID_TOKEN
    assert failure(ada.lists_the_passkeys()) == INVALID_TOKEN
    assert failure(ada.removes_a_passkey("any")) == INVALID_TOKEN


@through_every_transport
def test_an_address_without_a_passkey(person: Callable[[], Person]) -> None:
    """Whether it has no account, no passkey, or isn't an address at all: the answer is the same."""
    nobody, unconfirmed, bob = person(), person(), person()
    unconfirmed.signs_up()
    bob.has_an_account()
    answers = [each.begins_with_a_passkey() for each in (nobody, unconfirmed, bob)]
    answers.append(nobody.begins_with_a_passkey(email="nobody"))
    assert failure(answers[0]) == NOT_FOUND
    assert alike(answers)


# What a device or a thief may send


@pytest.mark.parametrize(
    "falsified",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://localhost.evil.example"},
        {"party": "evil.example"},
        {"challenge": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
        {"verifies": False},
    ],
)
def test_what_is_refused(ada: Person, device: PasskeyDevice, falsified: dict[str, object]) -> None:
    """Another page, relying party or challenge, and no fingerprint: at both ceremonies."""
    other = PasskeyDevice(**falsified)  # type: ignore[arg-type]
    assert failure(ada.adds_a_passkey(other)) == REJECTED
    thief = replace(device, **falsified)  # type: ignore[arg-type]
    assert failure(ada.signs_in_with(thief)) == REJECTED
    assert ada.signs_in_with(device).status_code == 200


def test_other_keys(ada: Person, device: PasskeyDevice) -> None:
    """Neither a wrong key under the right name nor a right key under a wrong one signs in."""
    assert failure(ada.signs_in_with(replace(device, key=PasskeyDevice().key))) == REJECTED
    assert failure(ada.signs_in_with(replace(device, credential_id=b"other"))) == REJECTED


def test_a_copied_device(ada: Person, device: PasskeyDevice) -> None:
    """A counter that falls behind gives a copy away. A synced passkey has no counter."""
    copy = device.copy()
    assert ada.signs_in_with(device).status_code == 200
    assert failure(ada.signs_in_with(copy)) == REJECTED
    synced = PasskeyDevice(counts=0)
    assert ada.adds_a_passkey(synced).json() == DONE
    for _ in range(2):
        assert ada.signs_in_with(synced).status_code == 200


def test_an_answer_counts_once(ada: Person, device: PasskeyDevice) -> None:
    """A challenge can't be answered again, nor after somebody tried a wrong answer."""
    begun = ada.begins_with_a_passkey().json()["body"]
    step = {"session": begun["session"], "credential": device.get(begun["options"])}
    assert ada.signs_in_with(device, **step).status_code == 200
    assert failure(ada.signs_in_with(device, **step)) == REJECTED
    options = ada.begins_a_passkey().json()["body"]
    credential = PasskeyDevice().create(options)
    assert ada.adds_a_passkey(device, credential=credential).json() == DONE
    assert failure(ada.adds_a_passkey(device, credential=credential)) == REJECTED


def test_too_late(ada: Person, device: PasskeyDevice, cognito: LocalCognito) -> None:
    """Both ceremonies have a limit."""
    options = ada.begins_a_passkey().json()["body"]
    begun = ada.begins_with_a_passkey().json()["body"]
    cognito.clock.advance(timedelta(minutes=15).total_seconds())
    late = {"credential": PasskeyDevice().create(options)}
    assert failure(ada.adds_a_passkey(device, **late)) == REJECTED
    step = {"session": begun["session"], "credential": device.get(begun["options"])}
    assert failure(ada.signs_in_with(device, **step)) == REJECTED


def test_another_persons_passkey(
    ada: Person, device: PasskeyDevice, person: Callable[[], Person]
) -> None:
    """Neither a session nor a passkey of one person works for another."""
    bob, his = person(), PasskeyDevice()
    bob.is_signed_in()
    assert bob.adds_a_passkey(his).json() == DONE
    begun = bob.begins_with_a_passkey().json()["body"]
    step = {"session": begun["session"], "credential": his.get(begun["options"])}
    assert failure(ada.signs_in_with(device, **step)) == REJECTED
    assert failure(ada.signs_in_with(his)) == REJECTED
    (hers,) = ada.lists_the_passkeys().json()["body"]["passkeys"]
    assert failure(bob.removes_a_passkey(hers["id"])) == NOT_FOUND
    assert failure(bob.adds_a_passkey(device)) == REJECTED
    assert ada.signs_in_with(device).status_code == 200


@pytest.mark.parametrize("credential", [{}, {"id": "x"}, {"response": []}, {"a": [1.5, None]}])
def test_a_credential_that_is_none(
    ada: Person, device: PasskeyDevice, credential: dict[str, object]
) -> None:
    """It is refused like any other, also at sign-in."""
    assert failure(ada.adds_a_passkey(device, credential=credential)) == REJECTED
    assert failure(ada.signs_in_with(device, credential=credential)) == REJECTED


@pytest.mark.parametrize("credential", [None, "text", [], 1])
def test_a_credential_of_the_wrong_type(
    ada: Person, device: PasskeyDevice, credential: object
) -> None:
    """The answer names the field."""
    for answer in (
        ada.adds_a_passkey(device, credential=credential),
        ada.signs_in_with(device, credential=credential),
    ):
        assert failure(answer)[:2] == (400, "invalid_request")
        assert answer.json()["errors"][0]["field"] == "credential"


@pytest.mark.parametrize("id_", ["none", "..%2F..%2Fme", "%00", "a" * 2000])
def test_an_unknown_passkey(ada: Person, id_: str) -> None:
    """Whatever its id, it was not found."""
    assert failure(ada.removes_a_passkey(id_)) in (NOT_FOUND, (404, "not_found", NOTHING))


NOTHING = "There is nothing at this address."


def test_twenty_passkeys(ada: Person) -> None:
    """A person can have 20. The next one is refused before the browser is asked."""
    for _ in range(19):
        assert ada.adds_a_passkey(PasskeyDevice()).json() == DONE
    assert failure(ada.begins_a_passkey()) == (
        409,
        "too_many_passkeys",
        "This account has 20 passkeys, the most allowed. Remove one first.",
    )
    first, *_ = listed = ada.lists_the_passkeys().json()["body"]["passkeys"]
    assert len(listed) == 20
    assert ada.removes_a_passkey(first["id"]).json() == DONE
    assert ada.adds_a_passkey(PasskeyDevice()).json() == DONE


# Other ways in, and none


def test_a_lost_passkey(ada: Person) -> None:
    """The password, and a new one by e-mail, work as before."""
    assert ada.signs_in().status_code == 200
    assert ada.forgets_the_password().json() == DONE
    assert ada.resets_the_password().json() == DONE
    assert ada.signs_in().status_code == 200


def test_with_a_second_factor(ada: Person, device: PasskeyDevice, cognito: LocalCognito) -> None:
    """A person who set up a second factor signs in with the password and a code."""
    ada.sets_up_mfa()
    assert ada.verifies_mfa(totp(ada.mfa_secret, cognito.clock.now())).json() == DONE
    assert failure(ada.begins_with_a_passkey()) == NOT_FOUND
    assert ada.removes_mfa().json() == DONE
    assert ada.signs_in_with(device).status_code == 200


def test_a_disabled_account(
    ada: Person, device: PasskeyDevice, cognito: LocalCognito, pool: LocalPool
) -> None:
    """It can't sign in with a passkey, either."""
    boto3, who = admin(cognito, pool), {"UserPoolId": pool.user_pool_id, "Username": ada.email}
    boto3.admin_disable_user(**who)
    assert failure(ada.signs_in_with(device)) == REJECTED
    boto3.admin_enable_user(**who)
    assert ada.signs_in_with(device).status_code == 200


def test_google_only(person: Callable[[], Person]) -> None:
    """A person who has only Google has no passkeys."""
    grace = person()
    grace.continues_with_google()
    assert failure(grace.begins_a_passkey())[:2] == (409, "signs_in_with_google")
    assert grace.lists_the_passkeys().json()["body"] == {"passkeys": []}
    assert grace.looks_in_the_mirror().json()["body"]["signsInWith"] == ["google"]
    assert failure(grace.begins_with_a_passkey()) == NOT_FOUND


PASSWORDS_ONLY = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}
NO_CHOICE = {"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}


@pytest.mark.parametrize(
    ("changed", "at_sign_in"),
    [
        ({"pool": PASSWORDS_ONLY}, NOT_FOUND),
        ({"mfa": {"WebAuthnConfiguration": {"UserVerification": "required"}}}, NOT_FOUND),
        ({"pool": PASSWORDS_ONLY, "client": NO_CHOICE}, NOT_SET_UP),
    ],
)
def test_a_pool_without_passkeys(
    connect: Connect,
    cognito: LocalCognito,
    watch: Watch,
    changed: dict[str, Any],
    at_sign_in: tuple[int, str, str],
) -> None:
    """The answer says so, and the log says what to set."""
    pool = cognito.create_pool(f"without-{uuid4()}", **changed)
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        assert failure(ada.begins_a_passkey()) == NOT_SET_UP
        assert "PasskeyDomain" in json.loads(watch.lines[-1])["remedy"]
        assert failure(ada.begins_with_a_passkey()) == at_sign_in
        assert ada.looks_in_the_mirror().json()["body"]["signsInWith"] == ["password"]


def test_a_page_elsewhere(ada: Person, watch: Watch) -> None:
    """The log tells the owner of the service which domain to set."""
    assert failure(ada.adds_a_passkey(PasskeyDevice("https://app.example.com"))) == REJECTED
    assert "PasskeyDomain" in json.loads(watch.lines[-1])["remedy"]
