"""Sign-up, confirmation, sign-in and MFA: the contract of each route, through every transport."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Thread
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import jwt
import pytest

from app.settings import Settings
from infra.local.admin_client import boto3_client
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.contract import SESSION
from tests.support.failures import (
    ALREADY_CONFIRMED,
    CODE_EXPIRED,
    CODE_MISMATCH,
    DONE,
    EMAIL_TAKEN,
    INVALID_CREDENTIALS,
    INVALID_EMAIL,
    INVALID_PASSWORD,
    INVALID_REFRESH_TOKEN,
    INVALID_TOKEN,
    USER_NOT_CONFIRMED,
    alike,
    failure,
)
from tests.support.people import Person, admin, settings_for
from tests.support.totp import totp
from tests.support.transports import through_every_transport
from tests.support.watch import Watch

NEW_PASSWORD = "A-new-horse-10"
OTHER_TYPES = [
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json, application/json",
    "json",
    ";",
]


@through_every_transport
def test_sign_up_confirm_and_sign_in(ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """Ada signs up, confirms and signs in, and both tokens verify against the pool's keys."""
    answer = ada.signs_up()
    assert (answer.status_code, answer.json()["statusCode"]) == (200, 200)
    assert set(answer.json()["body"]) == {"session"}
    answer = ada.confirms()
    assert (answer.status_code, answer.json()) == (200, {"statusCode": 200})
    answer = ada.signs_in()
    assert answer.status_code == 200
    assert answer.json()["statusCode"] == 200
    tokens = answer.json()["body"]
    assert set(tokens) == {"AccessToken", "ExpiresIn", "TokenType", "RefreshToken", "IdToken"}
    assert (tokens["ExpiresIn"], tokens["TokenType"]) == (10800, "Bearer")
    issuer = f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.user_pool_id}"
    keys = jwt.PyJWKSet.from_dict(
        httpx.get(f"{cognito.url}/{pool.user_pool_id}/.well-known/jwks.json").json()
    )
    for name, audience, use in (("AccessToken", None, "access"), ("IdToken", pool.client_id, "id")):
        token = tokens[name]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        # `iat` is from the local Cognito's clock, which other tests may have advanced
        claims = jwt.decode(
            token, key, ["RS256"], {"verify_iat": False}, audience=audience, issuer=issuer
        )
        assert claims["token_use"] == use
        assert claims["exp"] - claims["iat"] == 10800


@through_every_transport
def test_sign_up_with_a_taken_address(ada: Person) -> None:
    """A taken address is refused in upper case, too, as user names are case-insensitive."""
    ada.signs_up()
    assert failure(ada.signs_up()) == EMAIL_TAKEN
    assert failure(ada.signs_up(email=ada.email.upper())) == EMAIL_TAKEN


@through_every_transport
@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Ab1-", "Use more characters."),
        ("Abcde1-", "Use more characters."),
        ("lower-case-9", "Use at least one upper case letter."),
        ("UPPER-CASE-9", "Use at least one lower case letter."),
        ("No-digit-here", "Use at least one digit."),
        ("NoSymbolHere9", "Use at least one symbol, such as ! or -."),
        (" Blank-first-9", "Don't start or end with a blank, nor use a line break."),
    ],
)
def test_sign_up_with_a_weak_password(ada: Person, password: str, rule: str) -> None:
    """The answer names the broken rule of the pool's policy and doesn't repeat the password."""
    answer = ada.signs_up(password=password)
    assert failure(answer) == INVALID_PASSWORD
    assert answer.json()["errors"] == [{"field": "password", "message": rule}]


@through_every_transport
@pytest.mark.parametrize("email", ["", "ada", "ada@localhost", "a b@example.com"])
def test_sign_up_with_an_invalid_address(ada: Person, email: str) -> None:
    """The error is attached to the field `email`."""
    answer = ada.signs_up(email=email)
    assert failure(answer) == INVALID_EMAIL
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]


@through_every_transport
def test_a_password_is_kept_as_it_is_typed(ada: Person) -> None:
    """A password is neither trimmed nor normalised. It may have 256 characters and blanks."""
    ada.password = "A ünïcode ① 9 " + "x" * 241 + "!"
    assert len(ada.password) == 256
    ada.has_an_account()
    assert ada.signs_in().status_code == 200
    assert failure(ada.signs_in(password=ada.password.replace("①", "1"))) == INVALID_CREDENTIALS


def test_an_address_is_trimmed(ada: Person) -> None:
    """Every route ignores blanks around an address or a code."""
    assert ada.signs_up(email=f"  {ada.email}\t").status_code == 200
    assert ada.confirms(email=f" {ada.email} ", code=f" {ada.code}\n").status_code == 200
    assert ada.signs_in(email=f"{ada.email}  ").status_code == 200


@through_every_transport
def test_confirm_with_a_wrong_code(ada: Person) -> None:
    """The right code still works afterwards."""
    ada.signs_up()
    wrong = f"{(int(ada.code) + 1) % 10**6:06}"
    assert failure(ada.confirms(code=wrong)) == CODE_MISMATCH
    assert failure(ada.confirms(code="not a code")) == CODE_MISMATCH
    assert ada.confirms().status_code == 200


@through_every_transport
def test_confirm_an_unknown_address(ada: Person) -> None:
    """An unknown address gets the same answer as a wrong code, which hides who has an account."""
    assert failure(ada.confirms(code="123456")) == CODE_MISMATCH
    assert failure(ada.confirms(code="123456", email="no address")) == CODE_MISMATCH


@through_every_transport
def test_confirm_too_late(ada: Person, cognito: LocalCognito) -> None:
    """A code expires after 24 hours."""
    ada.signs_up()
    cognito.clock.advance(timedelta(hours=24))
    assert failure(ada.confirms()) == CODE_EXPIRED


@through_every_transport
def test_confirm_twice(ada: Person) -> None:
    """The second answer says that the account is already confirmed."""
    ada.has_an_account()
    assert failure(ada.confirms()) == ALREADY_CONFIRMED


def test_confirm_too_often(ada: Person) -> None:
    """After 15 wrong codes within an hour Cognito refuses even the right one for a while."""
    ada.signs_up()
    wrong = f"{(int(ada.code) + 1) % 10**6:06}"
    for _ in range(15):
        ada.confirms(code=wrong)
    answer = ada.confirms()
    assert failure(answer)[:2] == (429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) > 0


@through_every_transport
def test_sign_in_with_a_wrong_password_or_an_unknown_address(
    person: Callable[[], Person],
) -> None:
    """All answers are identical except for the request id."""
    ada, bob = person(), person()
    ada.has_an_account()
    answers = [
        ada.signs_in(password="Wrong-horse-9"),
        bob.signs_in(),
        bob.signs_in(email="no address"),
    ]
    for answer in answers:
        assert failure(answer) == INVALID_CREDENTIALS
    texts = {answer.text.replace(answer.json()["requestId"], "") for answer in answers}
    assert len(texts) == 1


def test_sign_in_when_disabled(ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """The right password gets the same answer as a wrong one."""
    ada.has_an_account()
    admin(cognito, pool).admin_disable_user(UserPoolId=pool.user_pool_id, Username=ada.email)
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS


def test_sign_in_after_too_many_tries(ada: Person, cognito: LocalCognito) -> None:
    """A locked account looks like a wrong password."""
    ada.has_an_account()
    for lock in (0, 0, 0, 0, 0, 1, 2, 4, 8):  # in seconds; the last try locks for 16
        cognito.clock.advance(lock)
        ada.signs_in(password="Wrong-horse-9")
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS


@through_every_transport
def test_sign_in_before_confirming(ada: Person) -> None:
    """The answer's code says that the account is not confirmed."""
    ada.signs_up()
    assert failure(ada.signs_in()) == USER_NOT_CONFIRMED


def test_sign_in_when_a_reset_is_required(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """If an administrator requires a reset, sign-in answers `password_reset_required`."""
    ada.has_an_account()
    admin(cognito, pool).admin_reset_user_password(UserPoolId=pool.user_pool_id, Username=ada.email)
    assert failure(ada.signs_in()) == (
        403,
        "password_reset_required",
        "The password must be reset before signing in.",
    )


@through_every_transport
def test_sign_in_with_a_temporary_password(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """The answer contains the challenge and the session that the next step needs."""
    invite(ada, cognito, pool)
    answer = ada.signs_in()
    assert failure(answer) == (403, "challenge_required", "One more step is needed to sign in.")
    assert answer.json()["challenge"] == "NEW_PASSWORD_REQUIRED"
    assert len(answer.json()["session"]) >= 20


@pytest.mark.transports("uvicorn", "rest")
@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("", ["body"]),
        ("{", ["body"]),
        ("[]", ["body"]),
        ('"text"', ["body"]),
        ("null", ["body"]),
        ("{}", ["email", "secret"]),
        ('{"email": "ada@example.com"}', ["secret"]),
        ('{"email": 5, "password": ["Canary"], "code": {"Canary": 1}}', ["email", "secret"]),
        ('{"email": "ada@example.com", "password": "", "code": " "}', ["secret"]),
        (
            json.dumps({"email": "a" * 129, "password": "p" * 257, "code": "c" * 2049}),
            ["email", "secret"],
        ),
        (r'{"email": "ada@example.com", "password": "\ud800", "code": "\ud800"}', ["secret"]),
        ('{"email": "ada@example.com", "password": NaN, "code": 1e999}', ["secret"]),
        ("[" * 10_000, ["body"]),  # nested too deeply for Python's parser
        ("1" * 10_000, ["body"]),  # a number too long for Python's parser
    ],
)
def test_a_malformed_request(api: httpx.Client, body: str, fields: list[str]) -> None:
    """The answer names each invalid field and repeats nothing from the request."""
    for route, secret in (("sign-up", "password"), ("confirm", "code"), ("sign-in", "password")):
        answer = api.post(f"/auth/{route}", content=body)
        assert failure(answer)[:2] == (400, "invalid_request")
        named = [error["field"] for error in answer.json().get("errors", [])]
        assert named == [secret if field == "secret" else field for field in fields]
        assert "Canary" not in answer.text


def test_a_body_that_is_not_text(api: httpx.Client) -> None:
    """A body that isn't valid Unicode is refused."""
    answer = api.post("/auth/sign-in", content=b'{"email": "\xff\xfe"}')
    assert failure(answer)[:2] == (400, "invalid_request")


@through_every_transport
def test_unknown_fields_are_ignored(ada: Person) -> None:
    """A front end may send additional fields."""
    assert ada.signs_up(name="Ada", remember=True).status_code == 200


@through_every_transport
@pytest.mark.parametrize("declared", OTHER_TYPES)
@pytest.mark.parametrize("content", ["email=ada%40example.com&password=x", "{", "[" * 9_000, " "])
def test_a_body_that_is_declared_as_something_else(
    api: httpx.Client, declared: str, content: str
) -> None:
    """If it isn't JSON, the message names the header to set."""
    for path in ("/auth/sign-in", "/auth/sign-out-everywhere"):
        answer = api.post(path, content=content, headers={"Content-Type": declared})
        assert failure(answer)[:2] == (415, "unsupported_media_type")
        assert "Content-Type: application/json" in answer.json()["message"]


@through_every_transport
@pytest.mark.parametrize("declared", OTHER_TYPES)
def test_json_is_read_whatever_it_declares(ada: Person, declared: str) -> None:
    """`fetch` and axios declare text/plain or a form's type for a string."""
    headers = {"Content-Type": declared}
    content = json.dumps({"email": ada.email, "password": ada.password})
    assert ada.api.post("/auth/sign-up", content=content, headers=headers).status_code == 200
    for other in ("[]", '"text"', "5", "null", "{}"):  # JSON, but not what the route takes
        answer = ada.api.post("/auth/sign-in", content=other, headers=headers)
        assert failure(answer)[:2] == (400, "invalid_request")


@through_every_transport
@pytest.mark.parametrize("declared", [*OTHER_TYPES, "application/json"])
def test_without_a_body_no_type_is_judged(api: httpx.Client, declared: str) -> None:
    """`axios.post(url, null)` declares a form, and some clients a type for a GET."""
    headers = {"Content-Type": declared}
    for method, path in (
        ("GET", "/auth/me"),
        ("DELETE", "/auth/me"),
        ("POST", "/auth/sign-out-everywhere"),
    ):
        answer = api.request(method, path, headers=headers)
        assert failure(answer)[:2] == (401, "invalid_token")
    with_body = api.request("GET", "/auth/me", content="x", headers=headers)
    assert failure(with_body)[:2] == (401, "invalid_token")
    assert api.head("/auth/me", headers=headers).status_code == 401
    assert api.get("/health", headers=headers).status_code == 200
    assert failure(api.post("/auth/sign-in", headers=headers))[:2] == (400, "invalid_request")


@through_every_transport
def test_a_large_body_of_another_type(api: httpx.Client) -> None:
    """The limit of the body counts before its type."""
    headers = {"Content-Type": "text/plain"}
    answer = api.post("/auth/sign-in", content="x" * 20_000, headers=headers)
    assert failure(answer)[:2] == (413, "body_too_large")


@through_every_transport
def test_malformed_json_that_is_declared_as_json(api: httpx.Client) -> None:
    """The caller set the right header, so the body is at fault."""
    headers = {"Content-Type": "application/json"}
    answer = api.post("/auth/sign-in", content="{", headers=headers)
    assert failure(answer)[:2] == (400, "invalid_request")


@through_every_transport
@pytest.mark.parametrize(
    "declared", [None, "application/json", "Application/JSON; charset=utf-8", "application/x+json"]
)
def test_a_json_content_type_or_none(api: httpx.Client, ada: Person, declared: str | None) -> None:
    """JSON needs no Content-Type: test events pasted into the Lambda console have none."""
    headers = {"Content-Type": declared} if declared else {}
    content = json.dumps({"email": ada.email, "password": ada.password})
    assert api.post("/auth/sign-up", content=content, headers=headers).status_code == 200


@pytest.mark.transports("uvicorn")
def test_two_sign_ups_at_once(ada: Person) -> None:
    """One request creates the account, and the other gets a 409."""
    answers: list[httpx.Response] = []
    threads = [Thread(target=lambda: answers.append(ada.signs_up())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize(
    "wrong",
    [
        ({"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]}, "sign-in", "ALLOW_USER_PASSWORD_AUTH"),
        ({"GenerateSecret": True}, "sign-up", "an app client without a secret"),
        (None, "sign-up", "COGNITO_CLIENT_ID"),
    ],
)
def test_a_pool_set_up_wrongly(
    cognito: LocalCognito, connect: Connect, watch: Watch, wrong: tuple[Any, str, str]
) -> None:
    """The caller gets a 500 without details; the log says exactly what to fix."""
    client, route, remedy = wrong
    pool = cognito.create_pool(f"wrong-{remedy}", client=client)
    settings = settings_for(cognito, pool)
    if not client:
        settings = replace(settings, client_id="1example23456789")
    with connect(settings) as api:
        body = {"email": "ada@example.com", "password": "Correct-horse-9"}
        answer = api.post(f"/auth/{route}", json=body)
    assert failure(answer)[:2] == (500, "misconfigured")
    line = json.loads(watch.lines[-1])
    assert line["code"] == "misconfigured"
    assert remedy in line["remedy"]
    assert remedy not in answer.text


@through_every_transport
def test_a_temporary_password_is_replaced(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """The new password, which sign-in asked for, leads to tokens and works from then on."""
    invite(ada, cognito, pool)
    asked = ada.signs_in()
    assert asked.json()["needs"] == ["newPassword"]
    weak = ada.answers(asked, newPassword="no-digit-Here")
    assert failure(weak) == INVALID_PASSWORD
    assert [error["field"] for error in weak.json()["errors"]] == ["newPassword"]
    assert ada.answers(asked, newPassword=NEW_PASSWORD).status_code == 200
    assert ada.looks_in_the_mirror().status_code == 200
    assert ada.signs_in(password=NEW_PASSWORD).status_code == 200


def test_a_challenge_is_answered_wrongly(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """A missing field is named; an invalid or expired session requires a new sign-in."""
    invite(ada, cognito, pool)
    asked = ada.signs_in()
    missing = ada.answers(asked, code="123456")
    assert failure(missing)[:2] == (400, "invalid_request")
    assert missing.json()["errors"] == [{"field": "newPassword", "message": "Field required"}]
    unknown = ada.answers(asked, challenge="SMS_MFA", code="123456")
    assert failure(unknown)[:2] == (400, "unsupported_challenge")
    made_up = ada.answers(asked, session="made-up" * 5, newPassword=NEW_PASSWORD)
    assert failure(made_up)[:2] == (401, "invalid_session")
    cognito.clock.advance(SESSION)
    late = ada.answers(asked, newPassword=NEW_PASSWORD)
    assert failure(late)[:2] == (401, "invalid_session")


@through_every_transport
def test_a_second_factor(ada: Person, cognito: LocalCognito) -> None:
    """Ada sets up a second factor, verifies it and signs in with it."""
    ada.is_signed_in()
    assert failure(ada.verifies_mfa("123456"))[:2] == (409, "mfa_not_set_up")
    body = ada.sets_up_mfa().json()["body"]
    assert body["uri"].startswith("otpauth://totp/")
    assert f"secret={body['secret']}" in body["uri"]
    assert quote(ada.email) in body["uri"]
    assert ada.signs_in().status_code == 200  # sign-in doesn't ask for it until it is verified
    assert failure(ada.verifies_mfa("000000")) == CODE_MISMATCH
    assert ada.verifies_mfa(totp(ada.mfa_secret, cognito.clock.now())).json() == {"statusCode": 200}
    asked = ada.signs_in()
    assert failure(asked)[:2] == (403, "challenge_required")
    assert (asked.json()["challenge"], asked.json()["needs"]) == ("SOFTWARE_TOKEN_MFA", ["code"])
    assert failure(ada.answers(asked, code="000000")) == CODE_MISMATCH
    cognito.clock.advance(30)  # a code works once
    asked = ada.signs_in()
    assert ada.answers(asked, code=totp(ada.mfa_secret, cognito.clock.now())).status_code == 200


@through_every_transport
def test_a_second_factor_is_removed(ada: Person, cognito: LocalCognito) -> None:
    """Sign-in no longer asks for it."""
    ada.is_signed_in()
    ada.sets_up_mfa()
    ada.verifies_mfa(totp(ada.mfa_secret, cognito.clock.now()))
    assert ada.removes_mfa().json() == {"statusCode": 200}
    assert ada.signs_in().status_code == 200


def test_a_reset_of_an_account_with_a_second_factor(ada: Person, cognito: LocalCognito) -> None:
    """The answer says that sessions continue: ending them would need the second factor."""
    ada.is_signed_in()
    ada.sets_up_mfa()
    ada.verifies_mfa(totp(ada.mfa_secret, cognito.clock.now()))
    ada.forgets_the_password()
    answer = ada.resets_the_password()
    assert answer.json() == {"statusCode": 200, "body": {"sessionsEnded": False}}
    assert failure(ada.signs_in())[:2] == (403, "challenge_required")


MFA_REQUIRED = {
    "MfaConfiguration": "ON",
    "SoftwareTokenMfaConfiguration": {"Enabled": True},
}


@pytest.fixture
def strict_ada(cognito: LocalCognito, connect: Connect, watch: Watch) -> Iterator[Person]:
    """Return a person without an account, in a pool that requires a second factor."""
    pool = cognito.create_pool(f"strict-{uuid4()}", mfa=MFA_REQUIRED)
    with connect(settings_for(cognito, pool)) as api:
        yield watch.over(Person(api, cognito.outbox.code_for))


@through_every_transport
def test_a_second_factor_that_the_pool_requires(strict_ada: Person, cognito: LocalCognito) -> None:
    """Ada sets it up between the password and the tokens, and from then on is asked for a code."""
    ada = strict_ada
    ada.has_an_account()
    asked = ada.signs_in()
    assert failure(asked)[:2] == (403, "challenge_required")
    assert (asked.json()["challenge"], asked.json()["needs"]) == ("MFA_SETUP", ["code"])
    body = ada.sets_up_the_challenge(asked).json()["body"]
    assert body["uri"].startswith("otpauth://totp/")
    assert f"secret={body['secret']}" in body["uri"]
    assert quote(ada.email) in body["uri"]
    code = totp(ada.mfa_secret, cognito.clock.now())
    assert failure(ada.answers(asked, session=body["session"], code="12345")) == CODE_MISMATCH
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert failure(ada.answers(asked, session=body["session"], code=wrong)) == CODE_MISMATCH
    assert ada.answers(asked, session=body["session"], code=code).status_code == 200
    assert ada.looks_in_the_mirror().status_code == 200
    cognito.clock.advance(30)  # a code works once
    asked = ada.signs_in()
    assert asked.json()["challenge"] == "SOFTWARE_TOKEN_MFA"
    assert ada.answers(asked, code=totp(ada.mfa_secret, cognito.clock.now())).status_code == 200


def test_setting_up_a_second_factor_in_the_wrong_order(
    strict_ada: Person, cognito: LocalCognito
) -> None:
    """A step that was left out is named; a session that is used, late or foreign is over."""
    ada = strict_ada
    ada.has_an_account()
    asked = ada.signs_in()
    assert failure(ada.answers(asked, code="123456"))[:2] == (409, "mfa_not_set_up")
    missing = ada.answers(asked)
    assert missing.json()["errors"] == [{"field": "code", "message": "Field required"}]
    session = ada.sets_up_the_challenge(asked).json()["body"]["session"]
    code = totp(ada.mfa_secret, cognito.clock.now())
    over = (401, "invalid_session")
    assert failure(ada.sets_up_the_challenge(asked))[:2] == over
    assert failure(ada.answers(asked, code=code))[:2] == over
    assert failure(ada.sets_up_the_challenge(asked, session="made-up" * 5))[:2] == over
    assert failure(ada.answers(asked, session="made-up" * 5, code=code))[:2] == over
    cognito.clock.advance(SESSION)
    assert failure(ada.answers(asked, session=session, code=code))[:2] == over
    assert failure(ada.sets_up_the_challenge(ada.signs_in(), session="x"))[1] == "invalid_request"


def test_another_challenge_has_nothing_to_set_up(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """The session of another challenge gets no secret."""
    invite(ada, cognito, pool)
    assert failure(ada.sets_up_the_challenge(ada.signs_in()))[:2] == (401, "invalid_session")


def test_a_code_by_e_mail(cognito: LocalCognito, connect: Connect) -> None:
    """If a pool mails a code at sign-in, the challenge route accepts it."""
    pool = cognito.create_pool(
        "email-otp", mfa={"MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {}}
    )
    settings = settings_for(cognito, pool)
    with connect(settings) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        boto3_client(cognito.url, pool.region).set_user_mfa_preference(
            AccessToken=ada.tokens["AccessToken"],
            EmailMfaSettings={"Enabled": True, "PreferredMfa": True},
        )
        asked = ada.signs_in()
        assert (asked.json()["challenge"], asked.json()["needs"]) == ("EMAIL_OTP", ["code"])
        assert ada.answers(asked, code=ada.code).status_code == 200


@pytest.fixture
def discreet(
    settings: Settings, cognito: LocalCognito, connect: Connect, watch: Watch
) -> Iterator[Person]:
    """Return a user of an app with HIDE_EXISTING_ACCOUNTS."""
    with connect(replace(settings, hide_existing_accounts=True)) as api:
        yield watch.over(Person(api, cognito.outbox.code_for))


def test_sign_up_that_hides_existing_accounts(discreet: Person) -> None:
    """New, unconfirmed and confirmed users get the same answer, and each can continue."""
    new = discreet.signs_up()
    first = discreet.code
    unconfirmed = discreet.signs_up()
    assert discreet.code != first  # an unconfirmed account gets a new code
    assert discreet.confirms().status_code == 200
    last = discreet.code
    confirmed = discreet.signs_up()
    assert discreet.code == last  # a confirmed account gets no mail
    assert failure(discreet.confirms(code="123456")) == CODE_MISMATCH  # this reveals nothing either
    answers = (new, unconfirmed, confirmed)
    assert {answer.text for answer in answers} == {'{"statusCode":200}'}
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["Content-Length"] for answer in answers} == {"18"}
    assert failure(discreet.signs_up(password="no-digit-Here")) == INVALID_PASSWORD


def test_sign_in_hides_unconfirmed_accounts(discreet: Person) -> None:
    """Otherwise sign-up and then sign-in would tell that the address was free."""
    discreet.signs_up()
    assert failure(discreet.signs_in()) == INVALID_CREDENTIALS


def test_sign_up_hides_the_limit_on_codes(discreet: Person) -> None:
    """Cognito resends 5 codes an hour; its later refusals must not change the answer."""
    assert {discreet.signs_up().status_code for _ in range(8)} == {200}


def invite(person: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """Create an account with a temporary password, as an administrator does."""
    admin(cognito, pool).admin_create_user(
        UserPoolId=pool.user_pool_id,
        Username=person.email,
        TemporaryPassword=person.password,
        UserAttributes=[
            {"Name": "email", "Value": person.email},
            {"Name": "email_verified", "Value": "true"},
        ],
    )


# Refreshing


@through_every_transport
def test_refresh(ada: Person) -> None:
    """A refresh returns new tokens, with a new refresh token because the pool rotates them."""
    ada.is_signed_in()
    before = dict(ada.tokens)
    answer = ada.refreshes()
    assert answer.status_code == 200
    assert set(answer.json()["body"]) == set(before)
    assert ada.tokens["AccessToken"] != before["AccessToken"]
    assert ada.tokens["RefreshToken"] != before["RefreshToken"]
    assert ada.looks_in_the_mirror().status_code == 200


def test_refresh_with_a_replaced_token(ada: Person, cognito: LocalCognito) -> None:
    """After the grace period of 30 seconds, reuse ends the session: the token may be stolen."""
    ada.is_signed_in()
    elsewhere = dict(ada.tokens)
    ada.signs_in()
    old = ada.tokens["RefreshToken"]
    ada.refreshes()
    cognito.clock.advance(timedelta(minutes=2))
    answer = ada.refreshes(refreshToken=old)
    assert failure(answer)[:2] == (401, "refresh_token_reused")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    # Whoever has the newest tokens is signed out, too, but not the other session.
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN
    assert failure(ada.refreshes()) == INVALID_REFRESH_TOKEN
    assert ada.refreshes(refreshToken=elsewhere["RefreshToken"]).status_code == 200


@through_every_transport
def test_refresh_with_an_invalid_token(ada: Person) -> None:
    """A made-up token and an access token get the same answer."""
    ada.is_signed_in()
    for token in ("made-up", ada.tokens["AccessToken"]):
        assert failure(ada.refreshes(refreshToken=token)) == INVALID_REFRESH_TOKEN


def test_refresh_in_a_pool_without_rotation(cognito: LocalCognito, connect: Connect) -> None:
    """The client keeps its refresh token, and the answer contains none."""
    pool = cognito.create_pool(
        "unrotated", client={"RefreshTokenRotation": {"Feature": "DISABLED"}}
    )
    settings = settings_for(cognito, pool)
    with connect(settings) as api:
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        answer = ada.refreshes()
    assert answer.status_code == 200
    assert set(answer.json()["body"]) == {"AccessToken", "ExpiresIn", "TokenType", "IdToken"}


# Signing out


@through_every_transport
def test_sign_out(ada: Person) -> None:
    """The session's refresh token and its access tokens stop working."""
    ada.is_signed_in()
    assert ada.signs_out().json() == DONE
    assert failure(ada.refreshes()) == INVALID_REFRESH_TOKEN
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN
    assert ada.signs_out().json() == DONE  # signing out twice is allowed


def test_sign_out_on_one_device_only(ada: Person) -> None:
    """Other sessions continue."""
    ada.is_signed_in()
    first = dict(ada.tokens)
    ada.signs_in()
    assert ada.signs_out(refreshToken=first["RefreshToken"]).json() == DONE
    assert ada.looks_in_the_mirror().status_code == 200


@through_every_transport
def test_sign_out_everywhere(ada: Person) -> None:
    """Every session ends, on all devices."""
    ada.is_signed_in()
    first = dict(ada.tokens)
    ada.signs_in()
    assert ada.signs_out_everywhere().json() == DONE
    for tokens in (ada.tokens, first):
        assert failure(ada.refreshes(refreshToken=tokens["RefreshToken"])) == INVALID_REFRESH_TOKEN
    assert failure(ada.looks_in_the_mirror()) == INVALID_TOKEN
    assert failure(ada.signs_out_everywhere()) == INVALID_TOKEN
    assert ada.signs_in().status_code == 200


# Resending the code


@through_every_transport
def test_resend_code(ada: Person) -> None:
    """The new code works and the old one doesn't."""
    ada.signs_up()
    old = ada.code
    assert ada.asks_for_the_code_again().json() == DONE
    assert failure(ada.confirms(code=old)) == CODE_MISMATCH
    assert ada.confirms().json() == DONE


@through_every_transport
def test_resend_code_does_not_reveal_accounts(person: Callable[[], Person]) -> None:
    """Unknown, unconfirmed and confirmed users get identical answers, including headers."""
    unknown, unconfirmed, confirmed = person(), person(), person()
    unconfirmed.signs_up()
    confirmed.has_an_account()
    assert alike(p.asks_for_the_code_again() for p in (unknown, unconfirmed, confirmed))


def test_resend_code_does_not_reveal_its_limit(ada: Person) -> None:
    """The answer is the same beyond the limit, which only an existing account can reach."""
    ada.signs_up()
    assert alike(ada.asks_for_the_code_again() for _ in range(7))


def test_two_refreshes_at_once(ada: Person) -> None:
    """Two tabs can refresh at the same time, as a rotated token has a grace period."""
    ada.is_signed_in()
    token = ada.tokens["RefreshToken"]
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda _: ada.refreshes(refreshToken=token), range(2)))
    assert [answer.status_code for answer in answers] == [200, 200]
