"""Whatever isn't Cognito's answer is `unavailable`, for every operation that the service uses."""

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
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
from app.exceptions import NotCognitoError
from app.schemas import Passkey, PasskeyChallenge, PasskeyOptions
from app.settings import Settings
from tests.conftest import Connect
from tests.support import faulty
from tests.support.calls import CALLS, EMAIL
from tests.support.faulty import FINE, Answer, Error, FaultyCognito, Fine, json_answer
from tests.support.people import Person
from tests.support.watch import Watch

START, LIST = "StartWebAuthnRegistration", "ListWebAuthnCredentials"
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


# WebAuthn's documents, which the API's model doesn't describe, and timestamps

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
WHOLE = st.text(st.characters(exclude_categories=["Cs"]))  # without half a character
DOCUMENTS = st.dictionaries(
    WHOLE,
    st.recursive(
        st.none() | st.booleans() | NUMBERS | WHOLE,
        lambda inner: st.lists(inner) | st.dictionaries(WHOLE, inner),
        max_leaves=10,
    ),
)


def posing(options: str) -> Answer:
    """Return the answer to InitiateAuth that asks for a passkey."""
    parameters = {"CREDENTIAL_REQUEST_OPTIONS": options}
    posed = {"ChallengeName": "WEB_AUTHN", "Session": "s" * 20, "ChallengeParameters": parameters}
    return json_answer(200, posed)


@hypothesis.settings(deadline=None)
@given(DOCUMENTS)
def test_a_document_passes_unchanged(
    client: Cognito, upstream: FaultyCognito, document: dict[str, Any]
) -> None:
    """A browser gets what Cognito sent, and Cognito what the browser sent, whatever is in it."""
    same = json.dumps(document)  # which tells 1 from 1.0 and from true
    upstream.behave(json_answer(200, {"CredentialCreationOptions": document}), only=START)
    made = PasskeyOptions(body=client.begin_passkey("a-token")).model_dump_json()
    assert json.dumps(json.loads(made)["body"]) == same
    upstream.behave(posing(same), only="InitiateAuth")
    _, options = client.begin_passkey_sign_in(EMAIL)
    asked = PasskeyChallenge(session="s", options=options).model_dump_json()
    assert json.dumps(json.loads(asked)["options"]) == same
    upstream.behave(Fine())
    client.add_passkey("a-token", document)
    assert json.dumps(json.loads(upstream.bodies[-1])["Credential"]) == same


def test_a_credential_passes_unchanged(
    connect: Connect, settings: Settings, upstream: FaultyCognito
) -> None:
    """The credential of a sign-in reaches Cognito as a string of JSON."""
    credential = {
        "id": "\u00e9\u0000",
        "response": {"": [1, 1.0, True, None, {}, []]},
        "z": 1,
        "a": 2,
    }
    upstream.behave(Fine())
    step = {"challenge": "WEB_AUTHN", "session": "s" * 20, "credential": credential}
    with connect(settings) as page:
        answer = page.post("/auth/challenge", json={"email": EMAIL} | step)
    assert answer.status_code == 200
    sent = json.loads(upstream.bodies[-1])["ChallengeResponses"]["CREDENTIAL"]
    assert json.dumps(json.loads(sent)) == json.dumps(credential)


NO_DOCUMENTS = {
    "a list": "[]",
    "null": "null",
    "a string": '"a"',
    "a number": "1",
    "no JSON": "{",
    "not a number": '{"a": NaN}',
    "infinite": '{"a": [{"b": -Infinity}]}',
    "larger than any number": '{"a": [1e999]}',
    "half a character": r'{"a": "\ud800"}',
    "half a character in a name": r'{"\ud800": 1}',
    "nested deeply": '{"a":' * 50_000 + "1" + "}" * 50_000,
    "nested almost too deeply": '{"a":' * 300 + "1" + "}" * 300,
    "lists nested almost too deeply": '{"a":' + "[" * 300 + "]" * 300 + "}",
}


@pytest.mark.parametrize("text", NO_DOCUMENTS.values(), ids=NO_DOCUMENTS)
def test_no_document(text: str, client: Cognito, upstream: FaultyCognito) -> None:
    """What a browser can't be sent isn't Cognito's."""
    upstream.behave(Answer(200, b'{"CredentialCreationOptions": %b}' % text.encode()), only=START)
    assert told(lambda: client.begin_passkey("a-token")) == "unavailable"
    upstream.behave(posing(text), only="InitiateAuth")
    assert told(lambda: client.begin_passkey_sign_in(EMAIL)) == "unavailable"


def created_at(client: Cognito, upstream: FaultyCognito, number: str) -> datetime:
    """Return the time of a passkey for what Cognito sent."""
    listed = json.dumps(FINE[LIST]).replace(str(FINE[LIST]["Credentials"][0]["CreatedAt"]), number)
    upstream.behave(Answer(200, listed.encode()), only=LIST)
    (passkey,) = client.list_passkeys("a-token")
    return passkey.created_at


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("0", "1970-01-01T00:00:00Z"),
        ("-1", "1969-12-31T23:59:59Z"),
        ("1795744102", "2026-11-27T01:48:22Z"),
        ("1795744102.284", "2026-11-27T01:48:22.284000Z"),
        ("1.795744102E9", "2026-11-27T01:48:22Z"),
        ("253402300799", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_timestamp(client: Cognito, upstream: FaultyCognito, number: str, expected: str) -> None:
    """Seconds since 1970 become a time in UTC."""
    time = created_at(client, upstream, number)
    assert time.tzinfo is UTC
    assert (
        json.loads(Passkey(id="x", name=None, created_at=time).model_dump_json(by_alias=True))[
            "createdAt"
        ]
        == expected
    )


@pytest.mark.parametrize(
    "number",
    [
        *("true", "false", '"1795744102"', '"2026-11-27T09:00:00Z"', "[]", "{}"),
        *("NaN", "Infinity", "-Infinity", "1e999", "1e18", "9" * 400, "-" + "9" * 400),
        *("253402300800", "-62135596801"),  # a second after the last year, and before the first
    ],
)
def test_no_timestamp(client: Cognito, upstream: FaultyCognito, number: str) -> None:
    """Whatever isn't a time that can be told isn't Cognito's."""
    with pytest.raises(NotCognitoError):
        created_at(client, upstream, number)


@hypothesis.settings(deadline=None)
@given(NUMBERS)
def test_any_number_for_a_timestamp(
    client: Cognito, upstream: FaultyCognito, number: float
) -> None:
    """It is a time in UTC, or refused."""
    with suppress(NotCognitoError):
        time = created_at(client, upstream, json.dumps(number))
        assert time.tzinfo is UTC
        assert abs(time.timestamp() - number) < 0.001


MISSING = [
    ("SignUp", "UserSub"),
    ("InitiateAuth", "AuthenticationResult"),
    ("RespondToAuthChallenge", "AuthenticationResult"),
    ("GetTokensFromRefreshToken", "AuthenticationResult"),
    ("GetUser", "Username"),
    ("GetUser", "UserAttributes"),
    ("AssociateSoftwareToken", "SecretCode"),
    ("StartWebAuthnRegistration", "CredentialCreationOptions"),
    ("ListWebAuthnCredentials", "Credentials"),
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
