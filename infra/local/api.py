"""The API under uvicorn, as a child process that ends with its parent.

`python -m infra.local.api PORT` serves until its standard input ends. That input is a pipe the
parent never writes to: the system closes it when the parent dies, even by SIGKILL, so no
orphan keeps the port.
"""

import os
import signal
import sys
import threading
from pathlib import Path

import uvicorn

from app.main import create_app

FACTORY = "app.main:create_app"


def end_with_parent() -> None:
    """Wait until the parent is gone, then end this process as Ctrl-C would."""
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def serve(port: int) -> None:
    """Serve the API on 127.0.0.1, and restart it when a file in app/ changes."""
    # Fail here first: a reloading uvicorn keeps running when the app can't start.
    create_app()
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
