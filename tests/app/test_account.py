"""Passwords and the user's own account: every route, through every transport."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.contract import PASSWORD, Contract
from tests.support.failures import (
    CODE_MISMATCH,
    DONE,
    EMAIL_TAKEN,
    INVALID_CREDENTIALS,
    INVALID_EMAIL,
    INVALID_PASSWORD,
    INVALID_REFRESH_TOKEN,
    INVALID_TOKEN,
    alike,
    failure,
)
from tests.support.people import Person, admin, put_into_group, settings_for
from tests.support.totp import totp
from tests.support.transports import through_every_transport
from tests.support.watch import Watch

# Passwords


@through_every_transport
def test_forgot_and_reset_password(ada: Person) -> None:
    """The mailed code sets a new password and ends every session."""
    ada.is_signed_in()
    old = ada.password
    assert ada.forgets_the_password().json() == DONE
    assert ada.resets_the_password().json() == DONE
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN
    assert failure(ada.refreshes()) == INVALID_REFRESH_TOKEN
    assert failure(ada.signs_in(password=old)) == INVALID_CREDENTIALS
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_forgot_password_does_not_reveal_accounts(
    person: Callable[[], Person], cognito: LocalCognito, pool: LocalPool
) -> None:
    """Unknown, unconfirmed, confirmed and disabled users get identical answers."""
    unknown, unconfirmed, confirmed, disabled = person(), person(), person(), person()
    unconfirmed.signs_up()
    confirmed.has_an_account()
    disabled.has_an_account()
    admin(cognito, pool).admin_disable_user(UserPoolId=pool.user_pool_id, Username=disabled.email)
    everybody = (unknown, unconfirmed, confirmed, disabled)
    assert alike(each.forgets_the_password() for each in everybody)


def test_forgot_password_before_confirming(ada: Person) -> None:
    """An unconfirmed user gets a new confirmation code, and can reset after confirming."""
    ada.signs_up()
    old = ada.code
    assert ada.forgets_the_password().json() == DONE
    assert ada.code != old
    assert ada.confirms().json() == DONE
    assert ada.forgets_the_password().json() == DONE
    assert ada.resets_the_password().json() == DONE
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_reset_password_does_not_reveal_accounts(
    person: Callable[[], Person], cognito: LocalCognito
) -> None:
    """Unknown users and wrong, expired and unrequested codes get the same answer."""
    unknown, wrong, late, unasked, unconfirmed = (person() for _ in range(5))
    for each in (wrong, late, unasked):
        each.has_an_account()
    unconfirmed.signs_up()
    late.forgets_the_password()
    cognito.clock.advance(timedelta(hours=2))
    wrong.forgets_the_password()
    answers = [
        *(unknown.resets_the_password(code="123456") for _ in range(7)),
        *(wrong.resets_the_password(code="wrong") for _ in range(7)),  # Cognito's limit is 5
        late.resets_the_password(),
        unasked.resets_the_password(code="123456"),
        unconfirmed.resets_the_password(),
        unknown.resets_the_password(email="no address", code="123456"),
    ]
    assert {failure(answer) for answer in answers} == {CODE_MISMATCH}
    assert alike(answers)


@through_every_transport
def test_reset_to_a_weak_password(ada: Person) -> None:
    """The rules of sign-up apply, and a refused password doesn't use up the code."""
    ada.has_an_account()
    ada.forgets_the_password()
    code = ada.code
    for weak in ("short", "no-digit-Here"):
        answer = ada.resets_the_password(code=code, password=weak)
        assert failure(answer) == INVALID_PASSWORD
        assert [error["field"] for error in answer.json()["errors"]] == ["password"]
    assert ada.resets_the_password(code=code).json() == DONE


def test_a_reset_that_an_administrator_requires(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """Sign-in reports that a reset is required; the forgot-password flow completes it."""
    ada.has_an_account()
    admin(cognito, pool).admin_reset_user_password(UserPoolId=pool.user_pool_id, Username=ada.email)
    assert failure(ada.signs_in())[:2] == (403, "password_reset_required")
    ada.forgets_the_password()
    assert ada.resets_the_password().json() == DONE
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_change_password(ada: Person) -> None:
    """The new password works and the old one doesn't."""
    ada.is_signed_in()
    old = ada.password
    assert ada.changes_the_password().json() == DONE
    assert failure(ada.signs_in(password=old)) == INVALID_CREDENTIALS
    assert ada.signs_in().status_code == 200


@through_every_transport
def test_change_password_with_invalid_input(ada: Person) -> None:
    """A wrong current password, a weak new one and an invalid token get different codes."""
    ada.is_signed_in()
    wrong = ada.changes_the_password(currentPassword="Wrong-horse-9")
    assert failure(wrong) == INVALID_CREDENTIALS
    weak = ada.changes_the_password(newPassword="no-digit-Here")
    assert failure(weak) == INVALID_PASSWORD
    assert [error["field"] for error in weak.json()["errors"]] == ["newPassword"]
    ada.signs_out_everywhere()
    assert failure(ada.changes_the_password()) == INVALID_TOKEN


# The account


@through_every_transport
def test_me(ada: Person) -> None:
    """The answer identifies the access token's user, with the same `sub` as in the token."""
    ada.is_signed_in()
    answer = ada.looks_in_the_mirror()
    body = answer.json()["body"]
    assert answer.json() == {"statusCode": 200, "body": body}
    assert body["email"] == ada.email
    assert body["emailVerified"] is True
    assert body["signsInWith"] == ["password"]
    assert body["groups"] == []
    assert (body["name"], body["mfa"]) == (None, False)
    members = {"sub", "email", "emailVerified", "name", "signsInWith", "groups", "mfa"}
    assert set(body) == members


@through_every_transport
def test_a_name(ada: Person) -> None:
    """It is trimmed, and otherwise kept as it is; nothing removes it. Nothing else changes."""
    ada.is_signed_in()
    before = ada.looks_in_the_mirror().json()["body"]
    for given, kept in (
        (" Ada Lovelace ", "Ada Lovelace"),
        ("김 에이다", "김 에이다"),
        ("x" * 256, "x" * 256),
        ("", None),
        ("Ada", "Ada"),
        (None, None),
    ):
        answer = ada.changes_the_name(given)
        assert answer.json()["body"] == before | {"name": kept}
        assert ada.looks_in_the_mirror().json() == answer.json()


@through_every_transport
@pytest.mark.parametrize("body", [{}, {"name": 1}, {"name": "x" * 257}, {"email": "a@b.example"}])
def test_what_is_no_name(ada: Person, body: dict[str, object]) -> None:
    """The field is named. An address is changed with a code only."""
    ada.is_signed_in()
    headers = {"Authorization": f"Bearer {ada.tokens['AccessToken']}"}
    answer = ada.api.patch("/auth/me", json=body, headers=headers)
    assert failure(answer)[:2] == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


@through_every_transport
def test_a_new_address(ada: Person, person: Callable[[], Person]) -> None:
    """It counts once its code is verified, and the old one until then. The session goes on."""
    ada.is_signed_in()
    old, new = ada.email, person().email
    assert ada.changes_the_email(new.upper()).json() == DONE
    assert ada.looks_in_the_mirror().json()["body"]["email"] == old
    assert ada.signs_in().status_code == 200
    code = ada.read_code(new.upper())
    ada.secrets.add(code)
    assert failure(ada.verifies_the_email("000000"))[:2] == (400, "code_mismatch")
    assert ada.verifies_the_email(code).json() == DONE
    me = ada.looks_in_the_mirror().json()["body"]
    assert (me["email"], me["emailVerified"]) == (new.upper(), True)
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS
    ada.email = new
    assert ada.signs_in().status_code == 200
    assert failure(ada.verifies_the_email(code))[1] == "code_expired"


@through_every_transport
def test_an_address_that_cannot_be(ada: Person, person: Callable[[], Person]) -> None:
    """Another account's, one's own, or none."""
    grace = person()
    grace.has_an_account()
    ada.is_signed_in()
    assert failure(ada.changes_the_email(grace.email)) == EMAIL_TAKEN
    assert failure(ada.changes_the_email(grace.email.upper())) == EMAIL_TAKEN
    assert failure(ada.changes_the_email(ada.email.upper())) == EMAIL_TAKEN
    assert failure(ada.changes_the_email("nowhere")) == INVALID_EMAIL
    assert failure(ada.verifies_the_email("123456"))[1] == "code_expired"


@through_every_transport
def test_an_address_that_is_taken_meanwhile(ada: Person, person: Callable[[], Person]) -> None:
    """Whoever confirms first has it."""
    grace = person()
    ada.is_signed_in()
    ada.changes_the_email(grace.email)
    code = ada.read_code(grace.email)
    ada.secrets.add(code)
    grace.has_an_account()
    assert failure(ada.verifies_the_email(code)) == EMAIL_TAKEN
    assert ada.signs_in().status_code == 200


def test_a_late_code_for_an_address(
    ada: Person, person: Callable[[], Person], cognito: LocalCognito
) -> None:
    """A code is valid for a day. A second request sends another, which replaces it."""
    new = person().email
    ada.is_signed_in()
    ada.changes_the_email(new)
    first = ada.read_code(new)
    cognito.clock.advance(timedelta(hours=24))
    ada.signs_in()
    assert failure(ada.verifies_the_email(first))[1] == "code_expired"
    ada.changes_the_email(new)
    second = ada.read_code(new)
    ada.secrets |= {first, second}
    assert failure(ada.verifies_the_email(first))[1] == "code_mismatch"
    assert ada.verifies_the_email(second).status_code == 200


def test_a_google_users_address(ada: Person) -> None:
    """It is Google's: each sign-in would bring it back."""
    ada.continues_with_google()
    answer = ada.changes_the_email("new@example.com")
    assert failure(answer)[:2] == (409, "signs_in_with_google")
    assert ada.changes_the_name("Ada").json()["body"]["name"] == "Ada"


def test_an_address_that_is_hidden(
    settings: Settings, cognito: LocalCognito, connect: Connect
) -> None:
    """With HIDE_EXISTING_ACCOUNTS, another's address gets the answers of a free one."""
    with connect(replace(settings, hide_existing_accounts=True)) as api:
        ada, grace, eve = (Person(api, cognito.outbox.code_for) for _ in range(3))
        grace.has_an_account()
        told = []
        for address in (grace.email, eve.email):
            ada.email = f"x{address}"
            ada.is_signed_in()
            answers = [ada.changes_the_email(address)]
            answers += [ada.verifies_the_email("000000") for _ in range(16)]
            told.append([(answer.status_code, answer.json().get("code")) for answer in answers])
        assert told[0] == told[1]


def test_a_name_that_the_pool_refuses(cognito: LocalCognito, connect: Connect) -> None:
    """Its schema says which: the person can correct it, and nobody is woken up."""
    fixed = {"Name": "name", "AttributeDataType": "String", "Mutable": False}
    pool = cognito.create_pool("fixed names", pool={"Schema": [fixed]})
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        answer = ada.changes_the_name("Ada")
    assert failure(answer)[:2] == (400, "invalid_request")
    assert [error["field"] for error in answer.json()["errors"]] == ["name"]


@through_every_transport
def test_the_second_factor_of_me(ada: Person, cognito: LocalCognito) -> None:
    """It is told as soon as it is on, and no longer once it is off."""
    ada.is_signed_in()
    told = []
    for step in (
        ada.sets_up_mfa,
        lambda: ada.verifies_mfa(app_code(ada, cognito)),
        ada.removes_mfa,
    ):
        assert step().status_code == 200
        told.append(ada.looks_in_the_mirror().json()["body"]["mfa"])
    assert told == [False, True, False]


def app_code(person: Person, cognito: LocalCognito) -> str:
    """Return what the person's authenticator app shows."""
    return totp(person.mfa_secret, cognito.clock.now())


@pytest.mark.parametrize("attribute", ["name", "email"])
def test_an_attribute_that_nobody_can_change(
    cognito: LocalCognito, connect: Connect, watch: Watch, attribute: str
) -> None:
    """The owner of the service is told what to set. The person isn't signed out."""
    writable = {"WriteAttributes": ["email" if attribute == "name" else "name"]}
    pool = cognito.create_pool(f"fixed {attribute}", client=writable)
    with connect(settings_for(cognito, pool)) as api:
        ada = Person(api, cognito.outbox.code_for)
        who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
        boto3 = admin(cognito, pool)
        boto3.admin_create_user(**who, MessageAction="SUPPRESS")
        boto3.admin_set_user_password(**who, Password=ada.password, Permanent=True)
        assert ada.signs_in().status_code == 200
        change = {"name": ada.changes_the_name, "email": ada.changes_the_email}[attribute]
        assert failure(change("new@example.com"))[:2] == (500, "misconfigured")
        assert "WriteAttributes" in json.loads(watch.lines[-1])["remedy"]


def test_the_name_in_authenticator_apps(
    settings: Settings, cognito: LocalCognito, connect: Connect
) -> None:
    """It is the app's, not that of the API's host."""
    with connect(replace(settings, app_name="My Diary")) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        uri = ada.sets_up_mfa().json()["body"]["uri"]
    assert uri.startswith(f"otpauth://totp/My%20Diary:{ada.email.replace('@', '%40')}?")
    assert uri.endswith("&issuer=My%20Diary")  # apps would show a plus


@through_every_transport
def test_the_groups_of_me(ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """They are sorted, and those of the last sign-in or refresh."""
    ada.is_signed_in()
    for group in ("writers", "editors"):
        put_into_group(cognito, pool, ada.email, group)
    assert ada.looks_in_the_mirror().json()["body"]["groups"] == []
    ada.refreshes()
    assert ada.looks_in_the_mirror().json()["body"]["groups"] == ["editors", "writers"]


def test_the_groups_of_another_pool(ada: Person, cognito: LocalCognito) -> None:
    """Cognito accepts the tokens of all pools in its region, but their groups are none of ours."""
    other = Contract(cognito.create_pool("another"), cognito)
    grace = Person(ada.api, cognito.outbox.code_for)
    other.sign_up_and_confirm(grace.email, PASSWORD)
    put_into_group(cognito, other.pool, grace.email, "editors")
    grace.tokens = other.tokens(grace.email)
    body = grace.looks_in_the_mirror().json()["body"]
    assert (body["email"], body["groups"]) == (grace.email, [])


@through_every_transport
def test_delete_me(ada: Person) -> None:
    """The account and its sessions are deleted, and the address can be used again."""
    ada.is_signed_in()
    assert failure(ada.signs_up()) == EMAIL_TAKEN
    assert ada.deletes_the_account().json() == DONE
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN
    assert failure(ada.refreshes()) == INVALID_REFRESH_TOKEN
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS
    assert ada.signs_up().status_code == 200


def test_a_sign_in_that_is_not_recent(ada: Person, cognito: LocalCognito) -> None:
    """A leaked token can't delete the account or change its second factor, even refreshed."""
    ada.is_signed_in()
    steps = (ada.sets_up_mfa, ada.removes_mfa, ada.deletes_the_account)
    cognito.clock.advance(timedelta(minutes=6))
    assert ada.refreshes().status_code == 200
    for step in steps:
        assert failure(step())[:2] == (403, "reauthentication_required")
    assert ada.looks_in_the_mirror().status_code == 200
    ada.signs_in()
    assert ada.sets_up_mfa().status_code == 200
    assert ada.deletes_the_account().json() == DONE


@through_every_transport
@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Basic YTpi", "Bearer made.up.token", "Bearer a!b", "Bearer a b"]
)
def test_without_a_valid_token(ada: Person, header: str | None) -> None:
    """Without one, every route that needs an access token answers 401 and WWW-Authenticate."""
    headers = {} if header is None else {"Authorization": header}
    requests = [
        ("GET", "/auth/me", None),
        ("DELETE", "/auth/me", None),
        ("POST", "/auth/sign-out-everywhere", None),
        ("POST", "/auth/change-password", {"currentPassword": "a", "newPassword": "Abcdef-1"}),
        ("POST", "/auth/mfa/setup", None),
        ("POST", "/auth/mfa/verify", {"code": "123456"}),
        ("DELETE", "/auth/mfa", None),
    ]
    for method, path, body in requests:
        answer = ada.api.request(method, path, json=body, headers=headers)
        assert failure(answer) == INVALID_TOKEN, path
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_id_token_is_not_an_access_token(ada: Person) -> None:
    """An ID token tells the page who the user is; the API refuses it."""
    ada.is_signed_in()
    ada.tokens["AccessToken"] = ada.tokens["IdToken"]
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN


def test_an_unsupported_method(ada: Person) -> None:
    """A 405 answer lists the allowed methods."""
    answer = ada.api.put("/auth/me")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "DELETE, GET, HEAD, PATCH"


def test_two_resets_at_once(ada: Person) -> None:
    """A code works once."""
    ada.has_an_account()
    ada.forgets_the_password()
    code = ada.code
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda _: ada.resets_the_password(code=code), range(2)))
    assert sorted(answer.status_code for answer in answers) == [200, 400]
