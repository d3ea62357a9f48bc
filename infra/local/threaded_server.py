"""HTTP servers on 127.0.0.1 that run in a thread of this process."""

import threading
from typing import Self

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler

HOST = "127.0.0.1"


class ThreadedServer:
    """A server that runs in its own thread for the length of a `with` block."""

    _server: BaseWSGIServer

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class QuietHandler(WSGIRequestHandler):
    """A request handler that logs no requests: the API logs its own."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""
