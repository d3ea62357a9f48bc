"""Whether the API has started. The question never reaches the app, so its log doesn't show it."""

import urllib.request

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/.ready"


def is_ready(url: str) -> bool:
    """Ask the API at `url`, for 2 seconds at most."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url + PATH, timeout=2):
            return True
    except OSError:
        return False


def announced(app: ASGIApp) -> ASGIApp:
    """Return the app behind an answer to the question."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PATH:
            await Response(status_code=204)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve
