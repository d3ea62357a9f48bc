"""API Gateway for tests: an httpx transport that calls the Lambda handler with real event shapes.

    client = httpx.Client(transport=Gateway(handler, way), base_url=way.base_url)
    client.post("/auth/sign-in", json={...})

A test sends HTTP requests, as a browser does. This module makes the event from the request, and
checks the proxy response. `WAYS` lists every way to the function: gateway, stage, custom domain and
payload version.

The event's fields come from requests recorded from AWS in July 2026,
https://github.com/hotsock/voker/tree/main/vokerhttp/testdata (encoding, header case, cookies), and
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

import httpx

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

EVENTS = Path(__file__).parents[1] / "events"
SOURCE_IP = "203.0.113.7"
"""The caller's address as the gateway sees it: the last one in X-Forwarded-For."""

_EXECUTE_API = "abcdefghij.execute-api.eu-west-1.amazonaws.com"
_CUSTOM_DOMAIN = "api.example.com"
_FUNCTION_URL = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws"


def event_of(name: str) -> dict[str, Any]:
    """Read tests/events/<name>.json."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to the function: a gateway, and the address that a browser uses."""

    event: str
    """The file under tests/events that the event is made from."""

    host: str = _EXECUTE_API

    prefix: str = ""
    """The part of the URL's path before the API's own path: a stage, a base path, or both."""

    stage: str = "$default"

    route: str = "/{proxy+}"
    """The route or resource that matches: a greedy one, or an HTTP API's `$default`."""

    @property
    def base_url(self) -> str:
        """The address to give to httpx.Client, without a final slash."""
        return f"https://{self.host}{self.prefix}"


WAYS: dict[str, Way] = {
    # A REST API on its own domain has the stage in the URL. In the event, only requestContext.path
    # has it.
    "rest": Way(event="rest", stage="live", prefix="/live"),
    "rest-stage-like-a-route": Way(event="rest", stage="auth", prefix="/auth"),
    # On a custom domain `path` and requestContext.path are equal. Both include the base path, and
    # the stage only if the mapping doesn't name one.
    # https://gist.github.com/GREsau/444c7d4d0bb9e8c82dd1a585931028bd
    # https://github.com/localstack/localstack/issues/12295
    "rest-domain": Way(event="rest", host=_CUSTOM_DOMAIN, stage="live"),
    "rest-base-path": Way(event="rest", host=_CUSTOM_DOMAIN, stage="live", prefix="/people/v1"),
    "rest-base-path-and-stage": Way(
        event="rest", host=_CUSTOM_DOMAIN, stage="live", prefix="/people/live"
    ),
    # An HTTP API keeps a named stage in every path field.
    # https://github.com/logandk/serverless-wsgi/issues/191
    "http": Way(event="http-api-2.0"),
    "http-default-route": Way(event="http-api-2.0", route="$default"),
    "http-stage": Way(event="http-api-2.0", stage="live", prefix="/live"),
    "http-stage-default-route": Way(
        event="http-api-2.0", stage="live", prefix="/live", route="$default"
    ),
    "http-stage-like-a-route": Way(event="http-api-2.0", stage="auth", prefix="/auth"),
    # Behind an API mapping, payload 2.0 has the stage in its path and never the mapping's key.
    # https://github.com/CodeGenieApp/serverless-express/issues/465
    "http-mapping": Way(event="http-api-2.0", host=_CUSTOM_DOMAIN, prefix="/people"),
    "http-mapping-stage": Way(
        event="http-api-2.0", host=_CUSTOM_DOMAIN, prefix="/people", stage="live"
    ),
    # Payload 1.0 from an HTTP API: `path` is the browser's whole path, with the mapping's key.
    "http-1.0": Way(event="http-api-1.0"),
    "http-1.0-default-route": Way(event="http-api-1.0", route="$default"),
    "http-1.0-stage": Way(event="http-api-1.0", stage="live", prefix="/live"),
    "http-1.0-mapping": Way(event="http-api-1.0", host=_CUSTOM_DOMAIN, prefix="/people"),
    "function-url": Way(event="function-url", host=_FUNCTION_URL, route="$default"),
}


@dataclass(frozen=True)
class Context:
    """The part of Lambda's second argument that code reads."""

    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    function_name: str = "auth"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "512"
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:auth"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until Lambda would stop the function: always 30,000."""
        return 30_000


class Gateway(httpx.BaseTransport):
    """A transport for httpx that calls `handler` as API Gateway or a function URL would.

    Raises the errors of `response_from` for an answer that the gateway would turn into a 502.
    """

    def __init__(self, handler: Handler, way: Way) -> None:
        self._handler = handler
        self._way = way

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Make the event, call the handler, convert its answer."""
        # Through JSON and back, as on Lambda: the handler must not share objects with the test.
        event = json.loads(json.dumps(event_from(request, self._way)))
        return response_from(self._handler(event, Context()), event)


def event_from(request: httpx.Request, way: Way) -> dict[str, Any]:
    """Make the event that the function gets when a browser sends `request` by this `way`."""
    request.read()
    raw_path, _, query = request.url.raw_path.decode("ascii").partition("?")
    boundary = raw_path[len(way.prefix) :][:1]
    assert raw_path.startswith(way.prefix), f"{raw_path} is not under {way.prefix}"
    assert boundary in ("", "/"), f"{raw_path} is not under {way.prefix}"

    event = event_of(way.event)
    context = event["requestContext"]
    context["requestId"] = str(uuid.uuid4())
    context["stage"] = way.stage
    context["domainName"] = way.host
    context["domainPrefix"] = way.host.partition(".")[0]
    if event.get("version") == "2.0":
        _fill_2(event, request, way, raw_path, query)
    else:
        _fill_1(event, request, way, raw_path, query)
    return event


def _fill_1(
    event: dict[str, Any], request: httpx.Request, way: Way, raw_path: str, query: str
) -> None:
    """Fill in payload 1.0, of a REST API or, if it has a `version`, of an HTTP API."""
    context = event["requestContext"]
    own_path = raw_path[len(way.prefix) :] or "/"
    is_rest = "version" not in event
    if is_rest:
        context["path"] = raw_path
        event["path"] = own_path if way.host == _EXECUTE_API else raw_path
        # A greedy REST resource doesn't match the root, and drops a final slash.
        proxy = own_path.strip("/")
        resource = way.route if proxy else "/"
    else:
        context["path"] = event["path"] = unquote(raw_path)
        proxy = unquote(own_path).removeprefix("/")
        resource = way.route
    event["resource"] = context["resourcePath"] = resource
    if "{proxy+}" in resource:
        event["pathParameters"] = {"proxy": proxy}

    event["httpMethod"] = context["httpMethod"] = request.method
    context["identity"]["userAgent"] = request.headers.get("user-agent", "")
    many: dict[str, list[str]] = {name: [value] for name, value in event["headers"].items()}
    # Recorded: a REST event has no Content-Length.
    dropped = {"connection", "x-forwarded-for", *(["content-length"] if is_rest else [])}
    for raw_name, raw_value in request.headers.raw:
        name = raw_name.decode("ascii")
        if name.lower() not in dropped:
            many.setdefault(name, []).append(raw_value.decode("latin-1"))
    many["X-Forwarded-For"] = [_forwarded_for(request)]
    many["X-Forwarded-Proto"] = [request.url.scheme]
    event["multiValueHeaders"] = many
    event["headers"] = {name: values[-1] for name, values in many.items()}
    if query:
        values = parse_qs(query, keep_blank_values=True)
        event["multiValueQueryStringParameters"] = values
        event["queryStringParameters"] = {name: value[-1] for name, value in values.items()}
    _put_body(event, request)


def _fill_2(
    event: dict[str, Any], request: httpx.Request, way: Way, raw_path: str, query: str
) -> None:
    """Fill in payload 2.0, of an HTTP API or a function URL."""
    context = event["requestContext"]
    is_url = way.event == "function-url"
    own_path = raw_path[len(way.prefix) :] or "/"
    stage = "" if way.stage == "$default" else f"/{way.stage}"
    # Recorded: an HTTP API decodes rawPath despite its name; a function URL doesn't.
    event["rawPath"] = raw_path if is_url else unquote(stage + own_path)
    context["http"].update(
        method=request.method,
        path=unquote(stage + own_path),
        userAgent=request.headers.get("user-agent", ""),
    )
    route = way.route if way.route == "$default" else f"ANY {way.route}"
    event["routeKey"] = context["routeKey"] = route
    if "{proxy+}" in route:
        event["pathParameters"] = {"proxy": unquote(own_path).removeprefix("/")}

    headers = {
        name: ",".join(request.headers.get_list(name))
        for name in request.headers
        if name != "connection"
    }
    if cookie := headers.get("cookie"):
        event["cookies"] = cookie.split("; ")
        if not is_url:
            del headers["cookie"]
    event["headers"] |= headers | {
        "x-forwarded-for": _forwarded_for(request),
        "x-forwarded-proto": request.url.scheme,
    }
    event["rawQueryString"] = query
    if query:
        values = parse_qs(query, keep_blank_values=True)
        event["queryStringParameters"] = {name: ",".join(value) for name, value in values.items()}
    _put_body(event, request)


def _forwarded_for(request: httpx.Request) -> str:
    """Return what the client claimed, if anything, followed by the caller's real address."""
    claimed = request.headers.get("x-forwarded-for")
    return f"{claimed}, {SOURCE_IP}" if claimed else SOURCE_IP


def _put_body(event: dict[str, Any], request: httpx.Request) -> None:
    """Add the body as text, or as base64 if the gateway treats it as binary."""
    if not request.content:
        return
    is_rest = "version" not in event
    content_type = request.headers.get("content-type", "")
    is_text = content_type.startswith(("text/", "application/json", "application/javascript"))
    if is_rest or is_text:
        # A REST API without binary media types treats every body as text.
        event["body"] = request.content.decode(errors="replace")
    else:
        event["body"] = base64.b64encode(request.content).decode("ascii")
        event["isBase64Encoded"] = True


def response_from(answer: dict[str, Any], event: dict[str, Any]) -> httpx.Response:
    """Turn a handler's answer to `event` into the response that the browser gets.

    Raises AssertionError if the gateway would answer 502 ("Malformed Lambda proxy response"),
    because a field is unknown or has the wrong type; TypeError, ValueError or UnicodeEncodeError
    if the answer can't be written as JSON.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-output-format
    """
    # The runtime client writes UTF-8, which can't encode a lone surrogate.
    wire = json.dumps(answer, ensure_ascii=False, allow_nan=False).encode()
    answer = json.loads(wire)
    is_2 = event.get("version") == "2.0"
    lists = {"cookies": list} if is_2 else {"multiValueHeaders": dict}
    types = {"statusCode": int, "headers": dict, "body": str, "isBase64Encoded": bool, **lists}
    assert set(answer) <= set(types), f"unknown fields: {sorted(set(answer) - set(types))}"
    for name, value in answer.items():
        assert type(value) is types[name], f"{name} has the wrong type: {value!r}"
    assert 100 <= answer["statusCode"] <= 599

    one = answer.get("headers", {})
    many = answer.get("multiValueHeaders", {})
    pairs = [*one.items(), *((name, value) for name in many for value in many[name])]
    pairs += [("set-cookie", cookie) for cookie in answer.get("cookies", [])]
    assert all(type(value) is str for _, value in pairs), f"header values must be text: {pairs}"
    if answer.get("isBase64Encoded"):
        assert event.get("version"), "a REST API without binary media types doesn't decode base64"
        content = base64.b64decode(answer["body"], validate=True)
    else:
        content = answer.get("body", "").encode()
    # A header that is in both fields is sent once.
    return httpx.Response(answer["statusCode"], headers=list(dict.fromkeys(pairs)), content=content)
