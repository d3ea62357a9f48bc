"""What surrounds every request: its id, the headers of every answer, the log line, the last resort.

Two layers, with CORS between them. `Outside` sees every answer, preflights too. `Inside` turns what
is raised into an answer before CORS passes it on; else a browser would report a CORS error in place
of the failure.
"""

import logging
import re
import time
import uuid
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import answers
from app.logs import logger

MAX_BODY = 16 * 1024  # bytes; the longest that Cognito takes is about 2,500 characters
DRAIN = 10 * 1024 * 1024  # bytes; what API Gateway lets through at most

# https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#security-headers
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
HSTS = "max-age=63072000"  # seconds: two years

_REQUEST_ID = re.compile(r"[\w=-]{1,128}", re.ASCII)


class Outside:
    """Gives the request its id, each answer its headers, and the log a line about both."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = time.perf_counter()
        request = Request(scope)
        request.state.request_id = request_id(scope.get("aws.event", {}), scope.get("aws.context"))
        request.state.log = {}
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers["X-Request-Id"] = request.state.request_id
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = HSTS
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            # The route's template, not the path: people put anything into a path.
            route = scope.get("route")
            members = {
                "requestId": request.state.request_id,
                "method": scope["method"],
                "route": getattr(route, "path", None),
                "status": status,
                "durationMs": round((time.perf_counter() - started) * 1000, 1),
                **request.state.log,
            }
            level = logging.ERROR if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logging.INFO
            logger.log(level, "request", extra={"members": members})
        return None


class Inside:
    """Refuses a body that is too large, and answers whatever the app has raised.

    FastAPI's own max_body_size answers from outside CORS, in plain text.
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
                # Read on before refusing: a server that hangs up on a sender who is still busy
                # leaves the browser with a network error instead of the answer.
                while message.get("more_body") and size <= DRAIN:
                    message = await receive()
                    size += len(message.get("body", b""))
                raise HTTPException(413)
            return message

        try:
            await self.app(scope, receive_within_limit, send)
        except Exception as exc:  # noqa: BLE001 - the last resort: every failure gets an answer
            response = await answers.answer(Request(scope), exc)
            await response(scope, receive, send)
        return None


def request_id(event: dict[str, Any], context: object) -> str:
    """API Gateway's request id, else Lambda's, else a new one."""
    gateways = event.get("requestContext", {}).get("requestId")
    for known in (gateways, getattr(context, "aws_request_id", None)):
        if isinstance(known, str) and _REQUEST_ID.fullmatch(known):
            return known
    return str(uuid.uuid4())
