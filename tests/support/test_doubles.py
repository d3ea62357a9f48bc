"""The tests' own doubles: the simulated gateway and the faulty Cognito behave as described."""

from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from tests.support.faulty import (
    FORBIDDEN_HTML,
    GARBAGE,
    THROTTLED,
    Behaviour,
    Close,
    Error,
    FaultyCognito,
    Fine,
    Reset,
    Stall,
    Truncated,
)
from tests.support.gateway import SOURCE_IP, WAYS, Gateway, response_from

# For a request to <base_url>/auth/a%20b/: the event's path, its context's path, and `proxy`.
PATHS = {
    "rest": ("/auth/a%20b/", "/live/auth/a%20b/", "auth/a%20b"),
    "rest-stage-like-a-route": ("/auth/a%20b/", "/auth/auth/a%20b/", "auth/a%20b"),
    "rest-domain": ("/auth/a%20b/", "/auth/a%20b/", "auth/a%20b"),
    "rest-base-path": ("/people/v1/auth/a%20b/", "/people/v1/auth/a%20b/", "auth/a%20b"),
    "rest-base-path-and-stage": (
        "/people/live/auth/a%20b/",
        "/people/live/auth/a%20b/",
        "auth/a%20b",
    ),
    "http": ("/auth/a b/", "/auth/a b/", "auth/a b/"),
    "http-default-route": ("/auth/a b/", "/auth/a b/", None),
    "http-stage": ("/live/auth/a b/", "/live/auth/a b/", "auth/a b/"),
    "http-stage-default-route": ("/live/auth/a b/", "/live/auth/a b/", None),
    "http-stage-like-a-route": ("/auth/auth/a b/", "/auth/auth/a b/", "auth/a b/"),
    "http-mapping": ("/auth/a b/", "/auth/a b/", "auth/a b/"),
    "http-mapping-stage": ("/live/auth/a b/", "/live/auth/a b/", "auth/a b/"),
    "http-1.0": ("/auth/a b/", "/auth/a b/", "auth/a b/"),
    "http-1.0-default-route": ("/auth/a b/", "/auth/a b/", None),
    "http-1.0-stage": ("/live/auth/a b/", "/live/auth/a b/", "auth/a b/"),
    "http-1.0-mapping": ("/people/auth/a b/", "/people/auth/a b/", "auth/a b/"),
    "function-url": ("/auth/a%20b/", "/auth/a b/", None),
}


def event_for(name: str, method: str = "POST", path: str = "/x", **request: Any) -> dict[str, Any]:
    """Return the event that the handler gets when a browser sends this request by this way."""
    events: list[dict[str, Any]] = []

    def handler(event: dict[str, Any], _: object) -> dict[str, Any]:
        events.append(event)
        return {"statusCode": 200}

    way = WAYS[name]
    with httpx.Client(transport=Gateway(handler, way), base_url=way.base_url) as client:
        client.request(method, path, **request)
    (event,) = events
    return event


def test_gateway_has_an_expectation_for_every_way() -> None:
    """A new way needs its expected paths in PATHS."""
    assert list(PATHS) == list(WAYS)


@pytest.mark.parametrize("name", WAYS)
def test_gateway_writes_the_path_as_aws_does(name: str) -> None:
    """The stage, base path, encoding and final slash are as AWS writes them."""
    event = event_for(name, path="/auth/a%20b/")
    context = event["requestContext"]
    assert (
        event.get("path", event.get("rawPath")),
        context["path"] if "path" in context else context["http"]["path"],
        (event.get("pathParameters") or {}).get("proxy"),
    ) == PATHS[name]


@pytest.mark.parametrize("name", WAYS)
def test_gateway_passes_query_headers_and_body(name: str) -> None:
    """Every event shape keeps everything that the browser sent."""
    event = event_for(
        name,
        path="/x?a=1&a=2&b=%2B",
        headers=[
            ("X-Forwarded-For", "192.0.2.9"),
            ("X-Two", "1"),
            ("X-Two", "2"),
            ("Cookie", "c=d; e=f"),
        ],
        json={"e": "é"},
    )
    headers = {name.lower(): value for name, value in event["headers"].items()}
    assert headers["x-forwarded-for"] == f"192.0.2.9, {SOURCE_IP}"
    assert event["body"] == '{"e":"é"}'
    assert not event["isBase64Encoded"]
    if event.get("version") == "2.0":
        assert event["rawQueryString"] == "a=1&a=2&b=%2B"
        assert event["queryStringParameters"] == {"a": "1,2", "b": "+"}
        assert headers["x-two"] == "1,2"
        assert event["cookies"] == ["c=d", "e=f"]
    else:
        assert event["queryStringParameters"] == {"a": "2", "b": "+"}
        assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["+"]}
        assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]


def test_gateway_matches_the_root_as_aws_does() -> None:
    """A REST API has its own resource for the root; an HTTP API's greedy route matches it too."""
    assert event_for("rest", path="/")["resource"] == "/"
    assert event_for("http", path="/")["pathParameters"] == {"proxy": ""}


def test_gateway_reads_both_kinds_of_headers() -> None:
    """`headers` and `multiValueHeaders` are merged, and a header in both is sent once."""
    answer = {
        "statusCode": 200,
        "headers": {"vary": "Origin"},
        "multiValueHeaders": {"vary": ["Origin", "Accept"], "set-cookie": ["a=1", "b=2"]},
    }
    response = response_from(answer, {"version": "1.0"})
    assert response.headers.get_list("vary") == ["Origin", "Accept"]
    assert response.headers.get_list("set-cookie") == ["a=1", "b=2"]


def test_gateway_decodes_a_binary_body() -> None:
    """A base64 body reaches the browser as decoded bytes."""
    answer = {"statusCode": 200, "body": "/w==", "isBase64Encoded": True, "cookies": ["a=1"]}
    response = response_from(answer, {"version": "2.0"})
    assert response.content == b"\xff"
    assert response.headers["set-cookie"] == "a=1"


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "200"},
        {"statusCode": 200, "body": {}},
        {"statusCode": 200, "body": None},
        {"statusCode": 200, "headers": {"retry-after": 1}},
        {"statusCode": 200, "cookies": []},
        {"statusCode": 200, "body": "/w==", "isBase64Encoded": True},
        {"statusCode": 200, "body": "\ud800"},
        {"statusCode": 200, "body": b""},
    ],
)
def test_gateway_refuses_answers_that_aws_would_refuse(answer: dict[str, Any]) -> None:
    """An answer that a REST API would garble or turn into a 502 raises an error."""
    with pytest.raises((AssertionError, TypeError, UnicodeEncodeError)):
        response_from(answer, {})


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a running Cognito that can misbehave."""
    with FaultyCognito() as upstream:
        yield upstream


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        (Stall(), httpx.ReadTimeout),
        (Reset(), httpx.ReadError),
        (Close(), httpx.RemoteProtocolError),
        (Truncated(), httpx.RemoteProtocolError),
    ],
)
def test_faulty_cognito_breaks_the_connection(
    upstream: FaultyCognito, behaviour: Behaviour, failure: type[Exception]
) -> None:
    """Each behaviour causes the client error that it is named after."""
    upstream.behave(behaviour)
    with pytest.raises(failure):
        httpx.post(upstream.url, timeout=0.2)


def test_faulty_cognito_applies_behaviours_in_order(upstream: FaultyCognito) -> None:
    """Each request gets the next behaviour, the last one repeats, and all calls are recorded."""
    upstream.behave(FORBIDDEN_HTML, GARBAGE, Fine())
    target = "AWSCognitoIdentityProviderService.SignUp"
    answers = [httpx.post(upstream.url, headers={"X-Amz-Target": target}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [403, 200, 200, 200]
    assert answers[3].json()["UserConfirmed"] is False
    assert upstream.calls == ["SignUp"] * 4


@pytest.mark.parametrize(
    "error", [THROTTLED, Error("CodeMismatchException"), Error("UserNotFoundException")]
)
def test_faulty_cognito_raises_modeled_errors(upstream: FaultyCognito, error: Error) -> None:
    """The AWS SDK reads the name, message and request id of its errors."""
    upstream.behave(error)
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1})
    client = boto3.client(
        "cognito-idp", region_name="eu-west-1", endpoint_url=upstream.url, config=config
    )
    with pytest.raises(getattr(client.exceptions, error.type)) as raised:
        client.confirm_sign_up(ClientId="c", Username="u", ConfirmationCode="1")
    assert raised.value.response["Error"]["Message"] == error.message
    assert raised.value.response["ResponseMetadata"]["RequestId"]
    client.close()
