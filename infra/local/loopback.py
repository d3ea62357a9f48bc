"""The names of this machine, as the headers Host and Origin give them.

A page elsewhere can point a domain of its own at 127.0.0.1. Its requests then have that domain as
their Host, and the browser takes the answers for its own (DNS rebinding). So a server that only
listens on this machine must check Host, too.
"""

import re

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

REFUSAL = "This is for this machine only: use http://localhost\n"

# Browsers resolve *.localhost themselves. They take a name that ends in a number for an address, so
# no domain can look like 127.999.0.1.
# https://www.rfc-editor.org/rfc/rfc6761#section-6.3
# https://url.spec.whatwg.org/#ends-in-a-number-checker
_NAME = r"(?i:(?:[a-z0-9-]+\.)*localhost)"
AUTHORITY = rf"(?:{_NAME}|127(?:\.[0-9]{{1,3}}){{3}}|\[::1\])(?::[0-9]{{1,5}})?"
"""A pattern for a host with or without a port. It must match the whole text."""
ORIGIN = rf"(?i:https?)://{AUTHORITY}"
"""A pattern for the origin of a page of this machine. It must match the whole text."""


def is_loopback(authority: str) -> bool:
    """Return whether a host, with or without a port, is a name for this machine."""
    return re.fullmatch(AUTHORITY, authority) is not None


def is_loopback_origin(origin: str) -> bool:
    """Return whether an origin is that of a page of this machine."""
    return re.fullmatch(ORIGIN, origin) is not None


def only(app: ASGIApp) -> ASGIApp:
    """Return the app behind a check of Host: a name that isn't this machine's is answered 403."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        answer = app
        if scope["type"] == "http" and not is_loopback(Headers(scope=scope).get("host", "")):
            answer = PlainTextResponse(REFUSAL, 403)
        await answer(scope, receive, send)

    return serve
