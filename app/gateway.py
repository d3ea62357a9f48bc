"""The app behind API Gateway: Mangum, with the caller's path and a guard against odd events."""

import asyncio
import re
import threading
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from mangum import Mangum
from mangum.handlers import APIGateway, HTTPGateway

from app.errors import BAD_EVENT
from app.exception_handlers import format_stack
from app.logs import logger
from app.middleware import request_id, response_headers

Event = dict[str, Any]
Scope = MutableMapping[str, Any]


class Rest(APIGateway):
    """A REST API's event (payload 1.0), with the path that the caller requested."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        return _at_prefix(super().scope, self.event, self.event["resource"])


class Http(HTTPGateway):
    """An HTTP API's or function URL's event (payload 1.0 or 2.0), with the requested path."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        route = self.event.get("routeKey", "").partition(" ")[2]  # "ANY /{proxy+}", or "$default"
        return _at_prefix(super().scope, self.event, self.event.get("resource") or route)


def _at_prefix(scope: Scope, event: Event, template: str) -> Scope:
    """Split the caller's path into the prefix (a stage, a base path) and the app's own path.

    FastAPI takes the prefix from ASGI's root_path and matches routes against the rest. Raise
    TypeError if the method or the path is not a string.
    """
    if not isinstance(scope["method"], str):
        raise TypeError("method")
    context = event["requestContext"]
    path = unquote(context.get("path") or scope["path"])
    end = _matched(template, event.get("pathParameters") or {}, scope["path"])
    if end is None:
        # The route `$default` says nothing about the path. Only a stage can be in front.
        stage = f"/{context.get('stage')}"
        front = stage if f"{path}/".startswith(f"{stage}/") else ""
    else:
        # API Gateway drops the final slash of the path that it matched.
        whole, end = path.rstrip("/"), end.rstrip("/")
        front = whole.removesuffix(end) if whole.endswith(end) else ""
    return {**scope, "root_path": front, "path": front + (path.removeprefix(front) or "/")}


def _matched(template: str, parameters: dict[str, str], path: str) -> str | None:
    """Return the path that API Gateway's own route, such as /{proxy+}, matched; None for $default.

    The caller's path ends with it. Whatever is in front is the prefix: a stage, a custom domain's
    base path, both, or neither. No field of the event says which.
    """
    if not template.startswith("/"):
        return None
    try:
        # In the console's sample event the parameter begins with a slash, as does the template.
        filled = re.sub(r"{(\w+)\+?}", lambda name: parameters[name[1]].lstrip("/"), template)
    except KeyError:
        return path
    return unquote(filled)


def _complete(event: Event) -> Event:
    """Add the fields that Mangum needs and that hand-written test events omit.

    Raise KeyError, TypeError or AttributeError if the event is not an HTTP request.
    """
    context = event.get("requestContext") or {}
    full = {**event, "headers": event.get("headers") or {}}
    if event.get("version") == "2.0":
        http = {"sourceIp": None, **context["http"]}
        return {**full, "requestContext": {**context, "http": http}}
    full["resource"] = event.get("resource") or event["path"]
    return {**full, "requestContext": {**context, "identity": context.get("identity") or {}}}


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
            logger.warning("not a request", extra={"fields": fields})
            headers = response_headers(id_, https=True)
            return {
                "statusCode": BAD_EVENT.status,
                "headers": {"Content-Type": "application/json", **headers},
                "body": BAD_EVENT.body(id_).to_wire(),
                "isBase64Encoded": False,
            }

    return handler
