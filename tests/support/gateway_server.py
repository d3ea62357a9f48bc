"""API Gateway over real HTTP, for browsers; `gateway.Gateway` does the same for httpx."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.support.gateway import Context, Handler, Way, event_from, response_from


class _Exchange(BaseHTTPRequestHandler):
    """One connection from the browser."""

    handler: Handler
    way: Way

    def _serve(self) -> None:
        """Make the event, call the handler, send its answer."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = f"http://{self.headers['Host']}{self.path}"
        headers = list(self.headers.items())
        event = event_from(
            httpx.Request(self.command, url, headers=headers, content=body), self.way
        )
        answer = response_from(type(self).handler(event, Context()), event)
        self.send_response(answer.status_code)
        for name, value in answer.headers.multi_items():
            if name != "content-length":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    do_GET = do_HEAD = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815 - http.server's names
    do_OPTIONS = _serve  # noqa: N815 - likewise

    def log_message(self, *_: object) -> None:
        """Keep the test run quiet."""


@contextmanager
def serve_gateway(
    handling: Callable[[], AbstractContextManager[Handler]], way: Way
) -> Iterator[str]:
    """Put API Gateway in front of a Lambda handler, and yield the address for a browser.

    `handling` is entered in the server's thread, because a handler in this process sets its
    thread's event loop, and the test's thread already has the browser's.
    """
    ready = threading.Event()
    exchange = type("Exchange", (_Exchange,), {"way": way})
    server = ThreadingHTTPServer(("127.0.0.1", 0), exchange)

    def serve() -> None:
        with handling() as exchange.handler:
            ready.set()
            server.serve_forever(0.02)

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait()
    try:
        yield f"http://127.0.0.1:{server.server_port}{way.prefix}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
