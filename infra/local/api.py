"""The API under uvicorn, as a child process that ends with its parent.

`python -m infra.local.api PORT` serves until its standard input ends. That input is a pipe the
parent never writes to: the system closes it when the parent dies, even by SIGKILL, so no
orphan keeps the port.
"""

import os
import signal
import sys
import threading
import traceback
import uuid
from pathlib import Path

import uvicorn
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local import loopback, readiness

APP = Path(__file__).parents[2] / "app"
FACTORY = "infra.local.api:create"


def create() -> ASGIApp:
    """Create the app. If that fails, return an app that answers with the reason instead.

    uvicorn calls this after each edit. If it raised, the port would stay open without an answer.
    """
    try:
        app = readiness.announced(_import_app())
    except (Exception, SystemExit) as error:  # noqa: BLE001 - an edit can raise anything
        traceback.print_exc()
        app = broken(where(error))
    return loopback.only(app)


def _import_app() -> ASGIApp:
    # Here, because an edit can make the import fail.
    from infra.local.local_app import create_local_app  # noqa: PLC0415

    return create_local_app()


def where(error: BaseException) -> str:
    """Return one line about an error: the file and line in app/, if it is there, and the error."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno))
    own = [(Path(file), line) for file, line in places if Path(file).is_relative_to(APP)]
    place = f"{own[-1][0].relative_to(APP.parent)}, line {own[-1][1]}: " if own else ""
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{place}{type(error).__name__}: {text}"


def broken(message: str) -> ASGIApp:
    """Return an app that answers every request with 503 and this message."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        # So that a page can read it, and not only that its preflight failed. To a request that may
        # have cookies, an asterisk says nothing.
        request = Request(scope)
        headers = {
            "Access-Control-Allow-Origin": request.headers.get("origin", "*"),
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": request.headers.get(
                "access-control-request-headers", "*"
            ),
        }
        response = Response(status_code=204, headers=headers)
        if request.method != "OPTIONS":
            request_id = str(uuid.uuid4())
            body = {"statusCode": 503, "code": "unavailable", "message": message}
            response = JSONResponse({**body, "requestId": request_id}, 503, headers)
        await response(scope, receive, send)

    return serve


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process as Ctrl-C would."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def serve(port: int) -> None:
    """Serve the API on 127.0.0.1, and restart it when a file in app/ changes."""
    # Fail here first, so that `make run` ends with the error. After an edit, the API stays and
    # answers with the error.
    _import_app()
    threading.Thread(target=end_with_parent, daemon=True).start()
    uvicorn.run(
        FACTORY,
        factory=True,
        host="127.0.0.1",
        port=port,
        reload=True,
        reload_dirs=[str(APP)],
        access_log=False,  # the app logs its own requests
        log_level="warning",
        timeout_graceful_shutdown=3,  # seconds; browsers keep connections open for minutes
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
