"""What surrounds every request: its id, its log line, the headers of its answer, error handling.

The order is RequestContextMiddleware, OriginMiddleware (origins.py), ErrorMiddleware, routes. The
outermost sees every answer, including CORS's own to preflights. The innermost turns exceptions into
answers before CORS adds its headers to them; otherwise a browser would report a CORS error and hide
the real one.
"""

import logging
import re
import time
import uuid
from http import HTTPMethod, HTTPStatus
from typing import Any

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.exception_handlers import exception_handler
from app.logs import log

MAX_BODY = 16 * 1024  # bytes; Cognito's longest input is about 4,000 characters
MAX_DRAINED = 10 * 1024 * 1024  # bytes; the maximum of API Gateway

_POLICY = b"content-security-policy"
_REQUEST_ID = b"x-request-id"
_ONLY_HTTPS = b"strict-transport-security"
# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
_HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
_HSTS = {"Strict-Transport-Security": "max-age=63072000"}  # seconds: two years
# The same, as ASGI takes them.
_RAW = {name.lower().encode(): value.encode() for name, value in (_HEADERS | _HSTS).items()}

_SAFE_ID = re.compile(r"[\w=-]{1,128}", re.ASCII)


class RequestContextMiddleware:
    """Gives each request an id and a log line, and each answer its security headers.

    HEAD is answered as GET would be, without the body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        method = scope["method"]
        is_head = method == "HEAD"
        if is_head:
            # In a copy: the server must still know that the answer has no body.
            scope = {**scope, "method": "GET"}
        id_ = request_id(scope.get("aws.event", {}), scope.get("aws.context"))
        noted: dict[str, Any] = {}
        # What `request.state` shows to the rest of the app.
        state: dict[str, Any] = scope.setdefault("state", {})
        state |= {"request_id": id_, "log": noted}
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                raw = {**_RAW, _REQUEST_ID: id_.encode()}
                if scope["scheme"] != "https":
                    del raw[_ONLY_HTTPS]
                given = dict(message["headers"])
                if _POLICY in given:  # the docs page has its own
                    raw[_POLICY] = given[_POLICY]
                others = [header for header in message["headers"] if header[0] not in raw]
                if cookie := state.get("cookie"):  # see sessions.py
                    others.append((b"set-cookie", cookie.encode()))
                message = {**message, "headers": [*others, *raw.items()]}
            elif is_head:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            # The route's template, not the path, which may contain secrets.
            route = scope.get("route")
            fields = {
                "requestId": id_,
                # A method is a stranger's text.
                "method": method if method in HTTPMethod.__members__ else "OTHER",
                "route": getattr(route, "path", None),
                "status": status,
                "durationMs": round((time.perf_counter() - started) * 1000, 1),
                **noted,
            }
            level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
            log(level, "request", fields)
        return None


class ErrorMiddleware:
    """Refuses bodies over MAX_BODY, and answers every exception.

    FastAPI's own max_body_size would answer in plain text, and outside of CORS.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        size = 0

        async def receive_within_limit() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                # Read the rest before refusing. If the server closed the connection while the
                # browser is sending, the browser would report a network error, not the answer.
                while message.get("more_body") and size <= MAX_DRAINED:
                    message = await receive()
                    size += len(message.get("body", b""))
                raise HTTPException(413)
            return message

        try:
            await self.app(scope, receive_within_limit, send)
        except Exception as exc:  # noqa: BLE001 - every failure gets an answer
            response = await exception_handler(Request(scope), exc)
            await response(scope, receive, send)
        return None


def response_headers(request_id: str, *, https: bool) -> dict[str, str]:
    """Return the headers that every answer has."""
    return {**_HEADERS, "X-Request-Id": request_id, **(_HSTS if https else {})}


def request_id(event: dict[str, Any], context: object) -> str:
    """Return API Gateway's request id, or Lambda's, or a new one."""
    gateways = event.get("requestContext", {}).get("requestId")
    for known in (gateways, getattr(context, "aws_request_id", None)):
        if isinstance(known, str) and _SAFE_ID.fullmatch(known):
            return known
    return str(uuid.uuid4())
