"""The app behind API Gateway: Mangum, told where the routes begin, and a guard around it."""

import asyncio
import re
import threading
from collections.abc import Callable, MutableMapping
from typing import Any
from urllib.parse import unquote

from fastapi import FastAPI
from mangum import Mangum
from mangum.handlers import APIGateway, HTTPGateway

from app.answers import stack_of
from app.errors import BAD_EVENT
from app.logs import logger
from app.middleware import HEADERS, HSTS, request_id

Event = dict[str, Any]
Scope = MutableMapping[str, Any]


class Rest(APIGateway):
    """A REST API's event (payload 1.0), with the path that the caller used."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        return _at_prefix(super().scope, self.event, self.event["resource"])


class Http(HTTPGateway):
    """An HTTP API's or a function URL's event (payload 1.0 or 2.0), likewise."""

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        route = self.event.get("routeKey", "").partition(" ")[2]  # "ANY /{proxy+}", or "$default"
        return _at_prefix(super().scope, self.event, self.event.get("resource") or route)


def _at_prefix(scope: Scope, event: Event, template: str) -> Scope:
    """Split the caller's path into what stands before the app's routes and the route.

    FastAPI takes the former as ASGI's root_path, and finds the route by what follows it.
    Raises TypeError for a method or a path that is no string.
    """
    if not isinstance(scope["method"], str):
        raise TypeError("method")
    context = event["requestContext"]
    path = unquote(context.get("path") or scope["path"])
    end = _matched(template, event.get("pathParameters") or {}, scope["path"])
    if end is None:
        # The route `$default` leaves no trace: here a stage in the path is all there may be.
        stage = f"/{context.get('stage')}"
        front = stage if f"{path}/".startswith(f"{stage}/") else ""
    else:
        # API Gateway drops a final slash from what it matched.
        whole, end = path.rstrip("/"), end.rstrip("/")
        front = whole.removesuffix(end) if whole.endswith(end) else ""
    return {**scope, "root_path": front, "path": front + (path.removeprefix(front) or "/")}


def _matched(template: str, parameters: dict[str, str], path: str) -> str | None:
    """Give the path that API Gateway's own route matched, such as /{proxy+}; None if it has none.

    In front of the routes may stand a stage, a custom domain's base path, both or neither, and no
    member of the event says which. But this is what the caller's path ends with.
    """
    if not template.startswith("/"):
        return None
    try:
        # The console's sample event has the parameter with a slash, which would come twice.
        filled = re.sub(r"{(\w+)\+?}", lambda name: parameters[name[1]].lstrip("/"), template)
    except KeyError:
        return path
    return unquote(filled)


def _complete(event: Event) -> Event:
    """Add what Mangum needs and a test event written by hand may leave out.

    Raises KeyError, TypeError or AttributeError for what is no HTTP request.
    """
    context = event.get("requestContext") or {}
    full = {**event, "headers": event.get("headers") or {}}
    if event.get("version") == "2.0":
        http = {"sourceIp": None, **context["http"]}
        return {**full, "requestContext": {**context, "http": http}}
    full["resource"] = event.get("resource") or event["path"]
    return {**full, "requestContext": {**context, "identity": context.get("identity") or {}}}


def lambda_handler(app: FastAPI) -> Callable[[Any, Any], dict[str, Any]]:
    """Make the function that Lambda calls."""
    # Mangum runs the app on the loop that is the thread's own, and anything that ran there before
    # may have taken it away. One loop for all calls, which so wait in line, as on Lambda.
    loop = asyncio.new_event_loop()
    in_line = threading.Lock()
    asyncio.set_event_loop(loop)
    # No lifespan: start-up and shutdown would run at every single invocation.
    adapter = Mangum(app, lifespan="off", custom_handlers=[Http, Rest])

    def handler(event: Any, context: Any) -> dict[str, Any]:
        """Answer an event of API Gateway (REST or HTTP API) or of a function URL.

        Never raises: to the caller that would be a 502 without a word of explanation. What is no
        HTTP request is answered with 400.
        """
        try:
            with in_line:
                asyncio.set_event_loop(loop)
                return adapter(_complete(event), context)
        except Exception as exc:  # noqa: BLE001 - the app answers its own failures: it's the event
            id_ = request_id({}, context)
            stack = "".join(stack_of(exc))
            members = {"requestId": id_, "cause": type(exc).__name__, "stack": stack}
            logger.warning("not a request", extra={"members": members})
            return {
                "statusCode": 400,
                "headers": {
                    **HEADERS,
                    "Content-Type": "application/json",
                    "Strict-Transport-Security": HSTS,
                    "X-Request-Id": id_,
                },
                "body": BAD_EVENT.body(id_).to_wire(),
                "isBase64Encoded": False,
            }

    return handler
