"""The app behind API Gateway: Mangum, with the caller's path and a guard against odd events."""

import asyncio
import logging
import threading
from collections.abc import Callable, MutableMapping
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlencode

from fastapi import FastAPI
from mangum import Mangum
from mangum.handlers import APIGateway, HTTPGateway

from app.errors import BAD_EVENT
from app.exception_handlers import format_stack
from app.logs import log
from app.middleware import request_id, response_headers

Event = dict[str, Any]
Scope = MutableMapping[str, Any]


class Rest(APIGateway):
    """A REST API's event (payload 1.0), or a hand-written one."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        return _scope(self.event, self.context, self.event["httpMethod"], *_split_1(self.event))


class Http(HTTPGateway):
    """An HTTP API's or function URL's event (payload 1.0 or 2.0)."""

    @cached_property  # Mangum asks twice
    def scope(self) -> Scope:
        """The ASGI scope."""
        if self.event["version"] != "2.0":
            return _scope(self.event, self.context, self.event["httpMethod"], *_split_1(self.event))
        method = self.event["requestContext"]["http"]["method"]
        return _scope(self.event, self.context, method, *_split_2(self.event))


def _scope(event: Event, context: object, method: str, prefix: str, path: str) -> Scope:
    """Return the ASGI scope of a request for `path`, behind `prefix`.

    Mangum's own would read ports from headers that nobody needs, and raise if they have none.
    Raise KeyError, TypeError or AttributeError if the event is not an HTTP request.
    """
    if not isinstance(method, str):
        raise TypeError("method")
    context_of_request = event["requestContext"]
    source = _object(context_of_request.get("http") or context_of_request.get("identity"))
    headers = _headers(event)
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.0"},
        "http_version": "1.1",
        "method": method,
        # API Gateway speaks https only; `sam local start-api` speaks http.
        "scheme": "http" if headers.get("x-forwarded-proto", "").lower() == "http" else "https",
        "root_path": prefix,
        "path": prefix + path,
        "raw_path": None,
        "query_string": _query(event),
        "headers": [
            (name.encode(errors="replace"), value.encode(errors="replace"))
            for name, value in headers.items()
        ],
        "server": None,
        "client": (source.get("sourceIp"), 0),
        "aws.event": event,
        "aws.context": context,
    }


def _headers(event: Event) -> dict[str, str]:
    """Return the headers by their names in lower case; one that was sent twice has both values."""
    many = _object(event.get("multiValueHeaders")).items()
    found = {
        "host": event["requestContext"].get("domainName"),  # hand-written events may lack a Host
        **{name.lower(): value for name, value in (event.get("headers") or {}).items()},
        **{
            name.lower(): ("; " if name.lower() == "cookie" else ", ").join(map(str, values))
            for name, values in many
            if isinstance(values, list)
        },
    }
    if isinstance(cookies := event.get("cookies"), list):
        found["cookie"] = "; ".join(map(str, cookies))
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _query(event: Event) -> bytes:
    if event.get("version") == "2.0":
        return str(event.get("rawQueryString") or "").encode(errors="replace")
    many = event.get("multiValueQueryStringParameters") or event.get("queryStringParameters")
    return urlencode(_object(many), doseq=True).encode()


def _split_1(event: Event) -> tuple[str, str]:
    """Return the prefix and the app's own path of an event with payload 1.0.

    `path` wins over every other field: people edit it alone, and the tools that imitate API Gateway
    fill in the others differently.
    """
    path = _decode(event["path"], event) or "/"
    whole = _decode(str(event["requestContext"].get("path") or event["path"]), event)
    template = event.get("resource") or path
    if whole == path:
        return _split(path, template, event)
    # Without a custom domain, a REST API has its stage in the longer path only. If the longer path
    # is another one, such as the template /{proxy+} of `sam local start-api`, it says nothing.
    whole, end = whole.rstrip("/"), path.rstrip("/")
    if whole.endswith(end):
        return whole.removesuffix(end), path
    front = _in_front(path, template, event) or ""
    return front, path.removeprefix(front) or "/"


def _split_2(event: Event) -> tuple[str, str]:
    """Return the prefix and the app's own path of an event with payload 2.0."""
    decoded = event["requestContext"]["http"].get("path")
    raw = event.get("rawPath") or decoded
    # An HTTP API decodes rawPath despite its name; a function URL doesn't. If the two are different
    # paths, rawPath wins, because people edit it alone.
    path = decoded if decoded in (raw, unquote(raw)) else unquote(raw)
    return _split(path, str(event.get("routeKey")).partition(" ")[2], event)


def _split(path: str, template: str, event: Event) -> tuple[str, str]:
    """Split a path that may begin with a stage, a custom domain's base path, both, or neither.

    No field of the event says which. But the path ends with what API Gateway's own route, such as
    /{proxy+}, matched, and whatever is in front is the prefix.
    """
    front = _in_front(path, template, event)
    if front is None:
        # The route `$default`, or parameters of another path. Only a stage can be in front.
        stage = f"/{event['requestContext'].get('stage')}"
        front = stage if f"{path}/".startswith(f"{stage}/") else ""
    return front, path.removeprefix(front) or "/"


def _in_front(path: str, template: str, event: Event) -> str | None:
    """Return what is in front of the path that API Gateway's route matched, or None."""
    matched = str(template) or "/{any_path+}"  # so `sam local start-api` calls the route $default
    for name, value in _object(event.get("pathParameters")).items():
        # In the console's sample event the parameter begins with a slash, as does the template.
        filled = str(value).lstrip("/")
        matched = matched.replace(f"{{{name}}}", filled).replace(f"{{{name}+}}", filled)
    # API Gateway drops the final slash of the path that it matched.
    front, end = path.rstrip("/"), _decode(matched, event).rstrip("/")
    return front.removesuffix(end) if matched.startswith("/") and front.endswith(end) else None


def _decode(text: str, event: Event) -> str:
    """Decode a path or a parameter of a REST API. HTTP APIs have done so already."""
    return text if "version" in event else unquote(text)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _complete(event: Event) -> Event:
    """Add the fields by which Mangum chooses its handler, and that hand-written events omit."""
    return {
        "resource": None,
        **event,
        "requestContext": event.get("requestContext") or {},
        # Tools write it as text, and Mangum would take "false" for true.
        "isBase64Encoded": str(event.get("isBase64Encoded")).lower() == "true",
    }


def lambda_handler(app: FastAPI) -> Callable[[Any, Any], dict[str, Any]]:
    """Return the function that Lambda calls."""
    # Mangum runs the app on the current thread's event loop, which other code may have closed or
    # removed. So all calls share one loop, one call at a time, as on Lambda.
    loop = asyncio.new_event_loop()
    lock = threading.Lock()
    asyncio.set_event_loop(loop)
    # No lifespan: Mangum would run start-up and shutdown on every invocation.
    adapter = Mangum(app, lifespan="off", custom_handlers=[Http, Rest])

    def handler(event: Any, context: Any) -> dict[str, Any]:
        """Answer an event of API Gateway (REST or HTTP API) or of a function URL.

        It never raises, because the caller would get a 502 without an explanation. An event that
        is not an HTTP request is answered with 400.
        """
        try:
            with lock:
                asyncio.set_event_loop(loop)
                return adapter(_complete(event), context)
        except Exception as exc:  # noqa: BLE001 - the app answers its own failures, so this is the event's
            id_ = request_id({}, context)
            stack = "".join(format_stack(exc))
            fields = {"requestId": id_, "cause": type(exc).__name__, "stack": stack}
            log(logging.WARNING, "not a request", fields)
            headers = response_headers(id_, https=True)
            return {
                "statusCode": BAD_EVENT.status,
                "headers": {"Content-Type": "application/json", **headers},
                "body": BAD_EVENT.body(id_).to_wire(),
                "isBase64Encoded": False,
            }

    return handler
