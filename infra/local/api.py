"""The API under uvicorn, as a child process that ends with its parent.

It follows the local Cognito's clock, which people can advance. It allows every page of this
machine, and its log is readable in a terminal.

`python -m infra.local.api PORT` serves until its standard input ends. That input is a pipe the
parent never writes to: the system closes it when the parent dies, even by SIGKILL, so no
orphan keeps the port.
"""

import json
import os
import signal
import sys
import threading
import urllib.request
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from app.exceptions import KeysUnavailableError
from app.logs import logger
from app.main import create_app
from infra.local import readable_log, readiness

FACTORY = "infra.local.api:create_local_app"
COGNITO = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"
CLOCK_TIMEOUT = 3  # seconds

# Development servers choose their ports: 3000, 4200, 5173, or the next one if that is taken.
LOOPBACK_ORIGIN = r"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?"


def create_local_app() -> ASGIApp:
    """Create the app as `make run` serves it. ALLOWED_ORIGINS, if given, is the whole list."""
    if sys.stdout.isatty():
        logger.addHandler(readable_log.handler(sys.stdout))  # else the app logs JSON
    any_page = None if "ALLOWED_ORIGINS" in os.environ else LOOPBACK_ORIGIN
    return readiness.announced(create_app(wall_clock=cognito_time, allow_origin_regex=any_page))


def cognito_time() -> float:
    """Return the local Cognito's time. Raises what `Verifier` raises if Cognito can't be reached.

    It is asked each time: a test may advance the clock and expect the next answer to know.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{os.environ[COGNITO]}/console/clock", timeout=CLOCK_TIMEOUT) as answer:
            return float(json.load(answer)["now"])
    except OSError as error:
        raise KeysUnavailableError from error


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process as Ctrl-C would."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def serve(port: int) -> None:
    """Serve the API on 127.0.0.1, and restart it when a file in app/ changes."""
    # Fail here first: a reloading uvicorn keeps running when the app can't start.
    create_local_app()
    threading.Thread(target=end_with_parent, daemon=True).start()
    uvicorn.run(
        FACTORY,
        factory=True,
        host="127.0.0.1",
        port=port,
        reload=True,
        reload_dirs=[str(Path(__file__).parents[2] / "app")],
        access_log=False,  # the app logs its own requests
        log_level="warning",
        timeout_graceful_shutdown=3,  # seconds; browsers keep connections open for minutes
    )


if __name__ == "__main__":
    serve(int(sys.argv[1]))
