"""The three routes, row by row of the contract, through every door."""

import json
from collections.abc import Callable
from datetime import timedelta
from threading import Thread
from typing import Any

import httpx
import jwt
import pytest

from app.settings import Settings
from infra.local.client import boto3_client
from infra.local.server import LocalCognito, LocalPool
from tests.people import DOORS, Person, open_door
from tests.watch import Watch

through_every_door = pytest.mark.parametrize("door", DOORS)


def failure(answer: httpx.Response) -> tuple[int, str, str]:
    """Take a failure apart, having checked what every failure has."""
    body = answer.json()
    assert body["statusCode"] == answer.status_code
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert answer.headers["Content-Type"] == "application/json"
    assert set(body) <= {
        "statusCode",
        "code",
        "message",
        "requestId",
        "errors",
        "challenge",
        "session",
    }
    return answer.status_code, body["code"], body["message"]


EMAIL_TAKEN = (409, "email_taken", "An account with the given email already exists.")
INVALID_PASSWORD = (400, "invalid_password", "Password did not conform with policy.")
INVALID_EMAIL = (400, "invalid_email", "Invalid email address format.")
CODE_MISMATCH = (400, "code_mismatch", "Invalid verification code.")
CODE_EXPIRED = (410, "code_expired", "Expired verification code.")
ALREADY_CONFIRMED = (409, "already_confirmed", "The account is already confirmed.")
INVALID_CREDENTIALS = (400, "invalid_credentials", "Incorrect username or password.")
USER_NOT_CONFIRMED = (403, "user_not_confirmed", "User is not confirmed.")


@through_every_door
def test_the_whole_way_in(ada: Person, cognito: LocalCognito, pool: LocalPool) -> None:
    """Ada signs up, confirms and signs in, and both tokens verify against the pool's keys."""
    for step in (ada.signs_up, ada.confirms):
        answer = step()
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
        claims = jwt.decode(token, key, ["RS256"], audience=audience, issuer=issuer)
        assert claims["token_use"] == use
        assert claims["exp"] - claims["iat"] == 10800


@through_every_door
def test_sign_up_with_an_address_that_is_taken(ada: Person) -> None:
    """In any case: a user name differs by more than its case."""
    ada.signs_up()
    assert failure(ada.signs_up()) == EMAIL_TAKEN
    assert failure(ada.signs_up(email=ada.email.upper())) == EMAIL_TAKEN


@through_every_door
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
    """The answer says which rule of the pool's policy it breaks, and never the password."""
    answer = ada.signs_up(password=password)
    assert failure(answer) == INVALID_PASSWORD
    assert answer.json()["errors"] == [{"field": "password", "message": rule}]


@through_every_door
@pytest.mark.parametrize("email", ["", "ada", "ada@localhost", "a b@example.com"])
def test_sign_up_with_what_is_no_address(ada: Person, email: str) -> None:
    """It is said of the member `email`."""
    answer = ada.signs_up(email=email)
    assert failure(answer) == INVALID_EMAIL
    assert [error["field"] for error in answer.json()["errors"]] == ["email"]


@through_every_door
def test_a_password_is_kept_as_it_is_typed(ada: Person) -> None:
    """Neither trimmed nor normalised: 256 characters of any script, blanks included."""
    ada.password = "A ünïcode ① 9 " + "x" * 241 + "!"
    assert len(ada.password) == 256
    ada.has_an_account()
    assert ada.signs_in().status_code == 200
    assert failure(ada.signs_in(password=ada.password.replace("①", "1"))) == INVALID_CREDENTIALS


def test_an_address_is_trimmed(ada: Person) -> None:
    """What a hasty thumb adds before or after doesn't matter, on any route."""
    assert ada.signs_up(email=f"  {ada.email}\t").status_code == 200
    assert ada.confirms(email=f" {ada.email} ", code=f" {ada.code}\n").status_code == 200
    assert ada.signs_in(email=f"{ada.email}  ").status_code == 200


@through_every_door
def test_confirm_with_a_wrong_code(ada: Person) -> None:
    """The right one still works afterwards."""
    ada.signs_up()
    wrong = f"{(int(ada.code) + 1) % 10**6:06}"
    assert failure(ada.confirms(code=wrong)) == CODE_MISMATCH
    assert failure(ada.confirms(code="not a code")) == CODE_MISMATCH
    assert ada.confirms().status_code == 200


@through_every_door
def test_confirm_an_address_that_nobody_has(ada: Person) -> None:
    """It is answered as a wrong code is, so that nothing is revealed."""
    assert failure(ada.confirms(code="123456")) == CODE_MISMATCH
    assert failure(ada.confirms(code="123456", email="no address")) == CODE_MISMATCH


@through_every_door
def test_confirm_too_late(ada: Person, cognito: LocalCognito) -> None:
    """A code lives for 24 hours."""
    ada.signs_up()
    cognito.clock.advance(timedelta(hours=24))
    assert failure(ada.confirms()) == CODE_EXPIRED


@through_every_door
def test_confirm_twice(ada: Person) -> None:
    """The second time it says so."""
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


@through_every_door
def test_sign_in_with_a_wrong_password_or_an_unknown_address(
    person: Callable[[], Person],
) -> None:
    """One answer, byte for byte but for the request's id."""
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
    """Not even with the right password is it told."""
    ada.has_an_account()
    admin(cognito, pool).admin_disable_user(UserPoolId=pool.user_pool_id, Username=ada.email)
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS


def test_sign_in_after_too_many_tries(ada: Person) -> None:
    """A locked account looks like a wrong password."""
    ada.has_an_account()
    for _ in range(6):
        ada.signs_in(password="Wrong-horse-9")
    assert failure(ada.signs_in()) == INVALID_CREDENTIALS


@through_every_door
def test_sign_in_before_confirming(ada: Person) -> None:
    """One step is missing, and the code names it."""
    ada.signs_up()
    assert failure(ada.signs_in()) == USER_NOT_CONFIRMED


def test_sign_in_when_a_reset_is_required(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """An administrator may ask for a new password."""
    ada.has_an_account()
    admin(cognito, pool).admin_reset_user_password(UserPoolId=pool.user_pool_id, Username=ada.email)
    assert failure(ada.signs_in()) == (
        403,
        "password_reset_required",
        "The password must be reset before signing in.",
    )


@through_every_door
def test_sign_in_with_a_temporary_password(
    ada: Person, cognito: LocalCognito, pool: LocalPool
) -> None:
    """The answer names the challenge, and carries the session that the next step needs."""
    admin(cognito, pool).admin_create_user(
        UserPoolId=pool.user_pool_id, Username=ada.email, TemporaryPassword=ada.password
    )
    answer = ada.signs_in()
    assert failure(answer) == (403, "challenge_required", "One more step is needed to sign in.")
    assert answer.json()["challenge"] == "NEW_PASSWORD_REQUIRED"
    assert len(answer.json()["session"]) >= 20


@pytest.mark.parametrize("door", ["uvicorn", "rest"])
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
        ("[" * 10_000, []),  # nested too deeply, and a number too long, for Python to read
        ("1" * 10_000, []),
    ],
)
def test_a_malformed_request(api: httpx.Client, body: str, fields: list[str]) -> None:
    """Each member at fault is named, and nothing that was sent comes back."""
    for route, secret in (("sign-up", "password"), ("confirm", "code"), ("sign-in", "password")):
        answer = api.post(f"/auth/{route}", content=body)
        assert failure(answer)[:2] == (400, "invalid_request")
        named = [error["field"] for error in answer.json().get("errors", [])]
        assert named == [secret if field == "secret" else field for field in fields]
        assert "Canary" not in answer.text


def test_what_is_not_even_text(api: httpx.Client) -> None:
    """A body in no encoding of Unicode is no JSON."""
    answer = api.post("/auth/sign-in", content=b'{"email": "\xff\xfe"}')
    assert failure(answer)[:2] == (400, "invalid_request")


@through_every_door
def test_unknown_members_are_ignored(ada: Person) -> None:
    """A front end may send more than is asked for."""
    assert ada.signs_up(name="Ada", remember=True).status_code == 200


@through_every_door
@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", "json"])
def test_a_body_declared_as_something_else(api: httpx.Client, declared: str) -> None:
    """The message names the header to set."""
    answer = api.post("/auth/sign-in", content="{}", headers={"Content-Type": declared})
    assert failure(answer)[:2] == (415, "unsupported_media_type")
    assert "Content-Type: application/json" in answer.json()["message"]


@through_every_door
@pytest.mark.parametrize(
    "declared", [None, "application/json", "Application/JSON; charset=utf-8", "application/x+json"]
)
def test_a_body_declared_as_json_or_not_at_all(
    api: httpx.Client, ada: Person, declared: str | None
) -> None:
    """Test events pasted into the Lambda console have no Content-Type."""
    headers = {"Content-Type": declared} if declared else {}
    content = json.dumps({"email": ada.email, "password": ada.password})
    assert api.post("/auth/sign-up", content=content, headers=headers).status_code == 200


@pytest.mark.parametrize("door", ["uvicorn"])
def test_two_sign_ups_at_once(ada: Person) -> None:
    """Of two hasty clicks one makes the account, and the other hears that it is taken."""
    answers: list[httpx.Response] = []
    threads = [Thread(target=lambda: answers.append(ada.signs_up())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize(
    ("client", "route", "mend"),
    [
        ({"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]}, "sign-in", "ALLOW_USER_PASSWORD_AUTH"),
        ({"GenerateSecret": True}, "sign-up", "an app client without a secret"),
        (None, "sign-up", "COGNITO_CLIENT_ID"),
    ],
)
def test_a_pool_set_up_wrongly(
    cognito: LocalCognito, watch: Watch, client: Any, route: str, mend: str
) -> None:
    """The caller hears that it's not their fault; the log says exactly what to mend."""
    pool = cognito.create_pool(f"wrong-{mend}", client=client)
    settings = Settings(
        client_id=pool.client_id if client else "1example23456789",
        user_pool_id=pool.user_pool_id,
        region=pool.region,
        endpoint_url=cognito.url,
    )
    with open_door("rest", settings) as api:
        body = {"email": "ada@example.com", "password": "Correct-horse-9"}
        answer = api.post(f"/auth/{route}", json=body)
    assert failure(answer)[:2] == (500, "misconfigured")
    line = json.loads(watch.lines[-1])
    assert line["code"] == "misconfigured"
    assert mend in line["mend"]
    assert mend not in answer.text


def admin(cognito: LocalCognito, pool: LocalPool) -> Any:
    """Return a boto3 client as a developer sets one up."""
    return boto3_client(cognito.url, pool.region)
