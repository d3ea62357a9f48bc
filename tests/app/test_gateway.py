"""The app behind API Gateway: every entry point, tools that imitate it, and odd events."""

import asyncio
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.settings import Settings
from tests.support.gateway import EVENTS, WAYS, Context, Way, event_from, event_of
from tests.support.people import Person
from tests.support.transports import handling, make_app

Handler = Callable[[Any, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def handler() -> Iterator[Handler]:
    """Return the handler, with a Cognito that can't be reached."""
    made = Settings(
        client_id="1example23456789",
        user_pool_id="eu-west-1_EXAMPLE",
        region="eu-west-1",
        endpoint_url="http://127.0.0.1:9",
    )
    with handling(make_app(made, team=True)) as handler:
        yield handler


def test_a_thread_without_an_event_loop(handler: Handler) -> None:
    """Mangum uses the thread's event loop, which other code may have set or removed."""
    event = event_of("console-sign-in")

    async def something_else() -> None:
        """Leave the thread without a loop, as asyncio.run does."""

    asyncio.run(something_else())
    with ThreadPoolExecutor(4) as threads:
        answers = [handler(event, None), *threads.map(handler, [event] * 8, [None] * 8)]
    assert {answer["statusCode"] for answer in answers} == {503}  # Cognito can't be reached


@pytest.mark.transports(*WAYS)
def test_every_entry_point(ada: Person, api: httpx.Client) -> None:
    """Every kind of API, stage, base path and route reaches the same app."""
    ada.is_signed_in()
    assert ada.looks_in_the_mirror().json()["body"]["email"] == ada.email
    taken = ada.signs_up()
    assert (taken.status_code, taken.json()["code"]) == (409, "email_taken")
    assert taken.json()["requestId"] == taken.headers["X-Request-Id"]
    assert ada.signs_up(email="").status_code == 400
    assert api.get("/auth/sign-in/").status_code == 404
    assert api.get("/").status_code == 404


def test_the_request_id_comes_from_api_gateway(handler: Handler) -> None:
    """The logs of caller, gateway and function can then be matched."""
    event = event_from(httpx.Request("GET", f"{WAYS['rest'].base_url}/health"), WAYS["rest"])
    answer = handler(event, Context())
    assert answer["headers"]["x-request-id"] == event["requestContext"]["requestId"]
    del event["requestContext"]["requestId"]
    context = Context()
    assert handler(event, context)["headers"]["x-request-id"] == context.aws_request_id


@pytest.mark.parametrize("parameters", [{"proxy": "/docs"}, None, {}, {"other": "docs"}])
def test_an_event_with_other_path_parameters(handler: Handler, parameters: Any) -> None:
    """The console's sample has a slash in the parameter, and people remove the parameter."""
    event = event_from(httpx.Request("GET", f"{WAYS['rest'].base_url}/docs"), WAYS["rest"])
    event["pathParameters"] = parameters
    answer = handler(event, None)
    assert (answer["statusCode"], answer["body"][:15]) == (200, "<!doctype html>")


# What each request of `sam local start-api` in sam-local.json is answered, without a Cognito.
ANSWERS = {
    ("POST", "/auth/sign-in"): 503,
    ("POST", "/auth/sign-out-everywhere"): 503,
    ("GET", "/auth/me"): 503,
    ("HEAD", "/health"): 200,
    ("GET", "/docs"): 200,
    ("GET", "/docs/docs.css"): 200,
    ("GET", "/no such/page"): 404,
    ("GET", "/"): 404,
}


@pytest.mark.parametrize("encoded", ["false", "False", None, "", 0, False])
def test_a_body_that_is_not_encoded(handler: Handler, encoded: object) -> None:
    """Tools write false as text, or leave it out."""
    event = {"httpMethod": "POST", "path": "/auth/sign-in", "body": "{}"}
    answer = handler(event | {"isBase64Encoded": encoded}, Context())
    assert json.loads(answer["body"])["code"] == "invalid_request"
    assert json.loads(answer["body"])["errors"][0]["field"] == "email"


def test_a_stage_that_only_the_path_has(handler: Handler) -> None:
    """The route's template and its parameters say what is in front."""
    event = {
        "httpMethod": "GET",
        "path": "/prod/health",
        "resource": "/{proxy+}",
        "pathParameters": {"proxy": "health"},
        "requestContext": {"path": "/{proxy+}", "stage": "prod"},
    }
    assert handler(event, Context())["statusCode"] == 200


def test_sam_local_start_api(handler: Handler) -> None:
    """SAM gives the route's template as requestContext.path, and a stage that is in no path."""
    made = json.loads((EVENTS / "sam-local.json").read_text())
    asked = set()
    for each in made:
        event = each["event"]
        http = event["requestContext"].get("http", {})
        request = http.get("method") or event["httpMethod"], event.get("rawPath") or event["path"]
        asked.add(request)
        answer = handler(event, Context())
        assert answer["statusCode"] == ANSWERS[request], (each["api"], request)
    assert asked == set(ANSWERS)
    assert len(made) == 54


@pytest.mark.parametrize(
    ("name", "field", "moved"),
    [
        ("sam-aws-proxy", "path", {}),
        ("sam-aws-proxy", "path", {"path": "/prod/auth/sign-in"}),
        ("sam-aws-proxy", "path", {"path": "/auth/sign-in"}),
        ("sam-aws-proxy", "path", {"path": "/{proxy+}"}),
        ("sam-aws-proxy", "path", {"path": "/v1/{proxy+}"}),
        ("sam-aws-proxy", "path", {"path": None}),
        ("sam-aws-proxy", "path", {"path": 5, "stage": None}),
        ("sam-aws-proxy", "path", {"path": "/auth/sign-in", "stage": "auth-"}),
        ("http-api-1.0", "path", {}),
        ("http-api-1.0", "path", {"path": "/{proxy+}", "stage": "auth"}),
        ("sam-http-api-proxy", "rawPath", {}),
        ("sam-http-api-proxy", "rawPath", {"stage": "prod"}),
        ("http-api-2.0", "rawPath", {}),
        ("function-url", "rawPath", {}),
    ],
)
def test_path_wins(handler: Handler, name: str, field: str, moved: dict[str, Any]) -> None:
    """People edit the path of a sample and leave the rest, or change some of it."""
    event = event_of(name)
    event[field] = "/auth/sign-in"
    event["requestContext"] |= moved
    if "http" in event["requestContext"]:
        event["requestContext"]["http"]["method"] = "POST"
    else:
        event["httpMethod"] = "POST"
    event |= {"body": "{}", "isBase64Encoded": False}
    answer = handler(event, None)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], [error["field"] for error in body["errors"]]) == (
        400,
        ["email", "password"],
    )


@pytest.mark.parametrize("name", ["note", "note-id", "note.id", "note_id", "a$b"])
@pytest.mark.parametrize("prefix", ["", "/people", "/people/v1"])
@pytest.mark.parametrize("value", ["7", "a.b-c", "%C3%A9%2F", "100%25", "{note}", "", "notes"])
def test_a_route_parameter_of_any_name(
    handler: Handler, name: str, prefix: str, value: str
) -> None:
    """API Gateway's own routes may have parameters, which say where a base path ends."""
    event = event_of("rest")
    path = f"{prefix}/team/notes/{value}"
    resource = f"/team/notes/{{{name}}}"
    event |= {"path": path, "resource": resource, "pathParameters": {name: value}}
    event["requestContext"] |= {"path": path, "resourcePath": resource}
    event["httpMethod"] = "DELETE"
    answer = handler(event, None)
    # The route wants a token, whatever the parameter is; other paths are no route.
    routed = value and unquote(value).count("/") == 0
    assert answer["statusCode"] == (401 if routed else 404)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("segment", ["100%25", "%2525", "a%20b", "%7Bproxy+%7D", "auth", "live"])
def test_a_path_is_decoded_once(handler: Handler, way: Way, segment: str) -> None:
    """A parameter has the value that the caller encoded, at whatever prefix."""
    request = httpx.Request("DELETE", f"{way.base_url}/team/echo/{segment}")
    answer = handler(event_from(request, way), None)
    assert json.loads(answer["body"]) == unquote(segment)


@pytest.mark.parametrize("name", ["sign-up", "confirm", "sign-in"])
def test_events_pasted_into_the_console(handler: Handler, name: str) -> None:
    """Hand-written events without requestContext or Content-Type reach their route."""
    answer = handler(event_of(f"console-{name}"), None)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"]) == (503, "unavailable")  # no Cognito


JUNK = [
    None,
    [],
    "text",
    5,
    {},
    {"Records": [{"cf": {"request": {}}}]},
    {"httpMethod": "POST"},
    {"path": "/auth/sign-in"},
    {"httpMethod": ["POST"], "path": "/auth/sign-in"},
    {"httpMethod": "POST", "path": 5},
    {"httpMethod": "POST", "path": "/auth/sign-in", "requestContext": "text"},
    {"httpMethod": "POST", "path": "/auth/sign-in", "headers": ["text"]},
    {"httpMethod": "POST", "path": "/auth/sign-in", "body": {"email": "ada@example.com"}},
    {"httpMethod": "POST", "path": "/auth/sign-in", "body": "x", "isBase64Encoded": True},
    {"httpMethod": "POST", "path": "/auth/sign-in", "body": "\ud800"},
    {"version": "2.0"},
    {"version": "2.0", "requestContext": {"http": {"method": "POST"}}},
]


@pytest.mark.parametrize("event", JUNK, ids=repr)
def test_an_event_that_is_not_a_request_gets_a_400(handler: Handler, event: Any) -> None:
    """The answer is in API Gateway's format, so API Gateway doesn't answer 502 instead."""
    answer = handler(event, None)
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"]) == (400, "invalid_request")
    assert body["requestId"] == answer["headers"]["X-Request-Id"]
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["isBase64Encoded"] is False


SIGN_IN = {"httpMethod": "POST", "path": "/auth/sign-in", "body": "{}"}


@pytest.mark.parametrize(
    "event",
    [
        SIGN_IN,
        SIGN_IN | {"resource": None, "headers": None, "requestContext": None},
        SIGN_IN | {"requestContext": {"identity": None}, "pathParameters": None},
        {"version": "2.0", "requestContext": {"http": {"method": "POST", "path": "/auth/sign-in"}}},
    ],
    ids=repr,
)
def test_an_event_may_lack_fields(handler: Handler, event: Any) -> None:
    """The event is enough to find the route, which then reports missing fields."""
    answer = handler(event, None)
    assert "errors" in json.loads(answer["body"])


def whole_event(name: str) -> dict[str, Any]:
    """Return a complete event for a sign-in, made from the template `name`."""
    way = next(way for way in WAYS.values() if way.event == name)
    request = httpx.Request("POST", f"{way.base_url}/auth/sign-in", json={"email": "x"})
    return event_from(request, way)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=20)  # lone surrogates too
    | st.sampled_from(["2.0", "1.0", "POST", "/auth/sign-in", "$default", "/{proxy+}", "https"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
WHOLE = [whole_event(name) for name in sorted({way.event for way in WAYS.values()})]


@st.composite
def spoiled_events(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a real event with some fields, at any depth, removed or replaced by anything."""
    event = json.loads(json.dumps(draw(st.sampled_from(WHOLE))))
    for _ in range(draw(st.integers(1, 4))):
        place = event
        while True:
            name = draw(st.sampled_from(sorted(place)) if place else st.just("new"))
            if not isinstance(place.get(name), dict) or not place[name] or draw(st.booleans()):
                break
            place = place[name]
        if draw(st.booleans()):
            place.pop(name, None)
        else:
            place[name] = draw(JSON)
    return event


@settings(max_examples=800, deadline=None, suppress_health_check=list(HealthCheck))
@given(event=JSON | spoiled_events(), context=st.none() | st.builds(Context) | JSON)
def test_no_event_makes_the_handler_raise(handler: Handler, event: Any, context: Any) -> None:
    """The answer can be serialised, and is a 5xx only if Cognito can't be reached."""
    answer = handler(event, context)
    json.dumps(answer, allow_nan=False).encode()
    assert isinstance(answer["statusCode"], int)
    assert isinstance(answer["headers"], dict)
    assert isinstance(answer["body"], str)
    # A sign-in that is still valid can't reach Cognito.
    assert answer["statusCode"] < 500 or json.loads(answer["body"])["code"] == "unavailable"


HEADERS = st.dictionaries(
    st.sampled_from(
        ["X-Forwarded-Port", "X-Forwarded-Proto", "X-Forwarded-For", "Host", "Accept", "Cookie"]
    )
    | st.text("abcXYZ-", min_size=1).map("X-{}".format),
    st.sampled_from(
        ["443,80", "[::1]:3000", "[::1", "a:b:c", "host:", ":", "", "-1", "9" * 400, "\ud800"]
    )
    | st.text(st.characters(codec=None), max_size=30)
    | st.none()
    | st.integers(),
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(event=st.sampled_from(WHOLE), one=HEADERS, many=HEADERS)
def test_a_header_that_nobody_needs_refuses_nothing(
    handler: Handler, event: dict[str, Any], one: dict[str, Any], many: dict[str, Any]
) -> None:
    """The sign-in goes on to Cognito, whatever the headers hold."""
    headers = {"headers": event["headers"] | one}
    if "multiValueHeaders" in event:
        headers["multiValueHeaders"] = event["multiValueHeaders"] | {
            name: [value, value] for name, value in many.items()
        }
    answer = handler(event | headers, None)
    assert "errors" in json.loads(answer["body"])  # the password is missing
    assert answer["headers"]["content-type"] == "application/json"
