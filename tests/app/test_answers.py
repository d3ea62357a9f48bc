"""Whatever isn't Cognito's answer is `unavailable`, for every operation that the service uses."""

import copy
import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import botocore.session
import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answers import read_error
from app.cognito import Cognito
from app.exception_handlers import find_failure
from app.settings import Settings
from tests.conftest import Connect
from tests.support import faulty
from tests.support.calls import CALLS
from tests.support.faulty import FINE, Answer, Error, FaultyCognito, json_answer
from tests.support.people import Person
from tests.support.watch import Watch

HTML = b"<html><body>Please log in</body></html>"


@pytest.fixture(scope="module")
def upstream() -> Iterator[FaultyCognito]:
    """Return a fake Cognito whose behaviour each test sets."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture(scope="module")
def settings(upstream: FaultyCognito) -> Settings:
    """Return the settings for that fake Cognito."""
    return Settings(
        client_id="1example23456789",
        user_pool_id="eu-west-1_EXAMPLE",
        region="eu-west-1",
        endpoint_url=upstream.url,
    )


@pytest.fixture(scope="module")
def client(settings: Settings) -> Cognito:
    """Return our client for it."""
    return Cognito(settings)


def told(call: Callable[[], object]) -> str:
    """Return the code of the row for what `call` raises, or "done"."""
    try:
        call()
    except Exception as exc:  # noqa: BLE001 - errors.py maps every exception
        return find_failure(exc).code
    return "done"


NOT_COGNITO = {
    **{f"{status} HTML": Answer(status, HTML, "text/html") for status in (200, 201, 206)},
    **{
        f"{status} {kind}": Answer(status, body, headers={"Location": "http://127.0.0.1:1/"})
        for status in (300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 451)
        for kind, body in {"HTML": HTML, "empty": b"", "JSON": b'{"message": "Not found"}'}.items()
        if (status, kind) not in ((304, "HTML"), (304, "JSON"))
    },
    "204": Answer(204, b""),
    "200 not text": Answer(200, b"\xff\xfe\x00"),
    "200 in UTF-16": Answer(200, json.dumps({"UserConfirmed": True}).encode("utf-16")),
    "200 nested deeply": Answer(200, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "200 nested almost too deeply": Answer(200, b"[" * 900 + b"]" * 900),
    "200 a list": json_answer(200, [FINE]),
    "200 null": json_answer(200, None),
    "200 a string": json_answer(200, "AuthenticationResult"),
    "200 a truncated object": faulty.GARBAGE,
    "400 nested deeply": Answer(400, b"[" * 50_000),
    "400 nested almost too deeply": Answer(400, b'{"__type":' + b"[" * 900 + b"]" * 900 + b"}"),
    "400 an unknown type": Error("SomethingNewException"),
    "404 an unknown type": Error("UnknownOperationException", status=404),
    "500 an unknown type": Error("SomethingNewException", status=500),
    **{
        f"400 with the type {name!r}": json_answer(400, {"__type": name, "message": "no"})
        for name in (
            "",
            " ",
            "#",
            ":",
            5,
            True,
            None,
            ["NotAuthorizedException"],
            {"a": 1},
            "\ud800",
        )
    },
    **{
        f"400 with the message {message!r}": json_answer(
            400, {"__type": "UserLambdaValidationException", "message": message}
        )
        for message in (5, True, ["no"], {"a": 1}, "PreSignUp failed with error \ud800.")
    },
}


@pytest.mark.parametrize("answer", NOT_COGNITO.values(), ids=NOT_COGNITO)
def test_what_is_not_cognitos(
    answer: faulty.Behaviour, client: Cognito, upstream: FaultyCognito
) -> None:
    """It is neither a success nor a bug of ours, for any operation."""
    for operation, call in CALLS.items():
        upstream.behave(answer, only=operation)
        no_content = operation == "DeleteUser" and answer is NOT_COGNITO["204"]
        assert told(partial(call, client)) == ("done" if no_content else "unavailable"), operation


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container in a JSON value with each of its keys or indexes."""
    keys = value.keys() if isinstance(value, dict) else range(len(value))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
WITH_A_BODY = [operation for operation in CALLS if FINE[operation]]


@hypothesis.settings(deadline=None)
@given(st.data())
def test_another_value_anywhere(
    client: Cognito, upstream: FaultyCognito, data: st.DataObject
) -> None:
    """A member of a successful answer may have any value: the answer is used or refused."""
    operation = data.draw(st.sampled_from(WITH_A_BODY))
    body = copy.deepcopy(FINE[operation])
    container, key = data.draw(st.sampled_from(list(places(body))))
    container[key] = data.draw(JSON)
    upstream.behave(json_answer(200, body), only=operation)
    codes = {"done", "unavailable"} | (
        {"code_mismatch"} if operation == "VerifySoftwareToken" else set()
    )
    assert told(lambda: CALLS[operation](client)) in codes


MISSING = [
    ("SignUp", "UserSub"),
    ("InitiateAuth", "AuthenticationResult"),
    ("RespondToAuthChallenge", "AuthenticationResult"),
    ("GetTokensFromRefreshToken", "AuthenticationResult"),
    ("GetUser", "Username"),
    ("GetUser", "UserAttributes"),
    ("AssociateSoftwareToken", "SecretCode"),
]


@pytest.mark.parametrize(("operation", "member"), MISSING)
@pytest.mark.parametrize("instead", [{}, {"null": None}], ids=["missing", "null"])
def test_a_missing_member(
    operation: str, member: str, instead: dict[str, None], client: Cognito, upstream: FaultyCognito
) -> None:
    """An answer without what we asked for isn't Cognito's."""
    body = {name: value for name, value in FINE[operation].items() if name != member}
    upstream.behave(json_answer(200, body | dict.fromkeys(instead and [member])), only=operation)
    assert told(lambda: CALLS[operation](client)) == "unavailable"


@pytest.mark.parametrize("member", ["AccessToken", "IdToken", "ExpiresIn", "TokenType"])
@pytest.mark.parametrize("value", [None, "", 1, True, 10.5, "10800", [], {}, "\ud800", "DPoP"])
def test_tokens_of_another_type(
    member: str, value: object, client: Cognito, upstream: FaultyCognito
) -> None:
    """A browser gets tokens with the documented types, or none."""
    fine = FINE["InitiateAuth"]
    if type(value) is type(fine["AuthenticationResult"][member]) and member != "TokenType":
        value = [value]
    result = fine["AuthenticationResult"] | {member: value}
    upstream.behave(json_answer(200, fine | {"AuthenticationResult": result}))
    assert told(lambda: CALLS["InitiateAuth"](client)) == "unavailable"


@hypothesis.settings(deadline=None)
@given(
    st.integers(300, 599),
    st.one_of(st.binary(), JSON.map(lambda value: json.dumps(value).encode())),
)
def test_any_failure(client: Cognito, upstream: FaultyCognito, status: int, body: bytes) -> None:
    """No failure of another server counts as a bug of ours."""
    upstream.behave(Answer(status, b"" if status == 304 else body))
    expected = "too_many_requests" if status == 429 else "unavailable"
    assert told(lambda: CALLS["SignUp"](client)) == expected


@pytest.mark.parametrize(
    "name",
    [
        "CodeMismatchException",
        "com.amazonaws.cognito#CodeMismatchException",
        "CodeMismatchException:http://internal.amazon.com/coral/",
    ],
)
def test_the_forms_of_an_error_type(name: str) -> None:
    """AWS's services write types in three ways.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    """
    body = json.dumps({"__type": name, "message": "no"}).encode()
    assert read_error(body) == {"__type": "CodeMismatchException", "message": "no"}


def test_every_error_type_is_read() -> None:
    """None of Cognito's errors has a name that we would take for somebody else's."""
    model = botocore.session.get_session().get_service_model("cognito-idp")
    for shape in model.error_shapes:
        assert read_error(json.dumps({"__type": shape.name}).encode())["__type"] == shape.name


def test_the_log_names_a_new_error(
    connect: Connect, settings: Settings, upstream: FaultyCognito, watch: Watch
) -> None:
    """The owner reads which error it was, and what to do."""
    upstream.behave(Error("SomethingNewException"))
    with connect(settings) as page:
        answer = Person(page, str).signs_up()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    line = json.loads(watch.lines[-1])
    assert line["cause"] == "SignUp.SomethingNewException"
    assert "app/errors.py" in line["remedy"]


def test_the_log_names_no_secret(
    connect: Connect, settings: Settings, upstream: FaultyCognito, watch: Watch
) -> None:
    """A server that echoes a password as the error's type doesn't get it into the log."""
    with connect(settings) as page:
        ada = watch.over(Person(page, str))
        upstream.behave(Error(ada.password))
        assert ada.signs_up().json()["code"] == "unavailable"
    assert json.loads(watch.lines[-1])["cause"] == "SignUp.400"


def test_a_broken_character_reaches_nobody(
    connect: Connect, settings: Settings, upstream: FaultyCognito
) -> None:
    """Half a character can't be sent on: it would end the answer's encoding."""
    session = {"ChallengeName": "SMS_MFA", "Session": "\ud800" * 20}
    upstream.behave(json_answer(200, session))
    with connect(settings) as page:
        answer = Person(page, str).signs_in()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
