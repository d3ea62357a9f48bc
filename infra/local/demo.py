"""The demo page on its own origin, so its calls are cross-origin like a real front end's."""

import json
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from infra.local.threaded_server import HOST, QuietHandler, ThreadedServer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

WEB = Path(__file__).parents[1] / "web"
# Don't use the machine's own MIME types: browsers refuse a module with another type for .js.
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}

# The page loads only its own files, and calls the API. Pages of yours also use the local S3.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; "
    "connect-src {api} {services}; media-src blob: {services}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


class Demo(ThreadedServer):
    """The files of infra/web on 127.0.0.1, from `with` to the end of the block.

    `port` 0 takes a free one. The page learns the addresses from /config.js, and whether the API
    keeps sessions in a `cookie`. Raises OSError if the port is taken.
    """

    def __init__(self, port: int, api: str, mailbox: str, *, cookie: bool = False) -> None:
        # The API knows the local services by the first name, and people by the second.
        services = f"{mailbox.replace('localhost', HOST).rstrip('/')} {mailbox.rstrip('/')}"
        config = {"API": api, "DOCS": f"{api}/docs", "MAILBOX": mailbox}
        config["SESSION"] = "cookie" if cookie else "store"
        self._config = "".join(
            f"export const {name} = {json.dumps(value)};\n" for name, value in config.items()
        )
        self._headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": POLICY.format(api=api, services=services),
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        # werkzeug exits when the port is taken; this socket raises OSError instead.
        with socket.create_server((HOST, port)) as listener:
            self._server = make_server(
                HOST,
                port,
                self._serve,
                threaded=True,
                request_handler=QuietHandler,
                fd=listener.fileno(),
            )
        self.url = f"http://{HOST}:{self._server.port}"

    def _serve(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        request = Request(environ)
        return self._find(request)(environ, start_response)

    def _find(self, request: Request) -> Response:
        if request.method not in {"GET", "HEAD"}:
            return Response("This only shows a page.\n", 405, {"Allow": "GET, HEAD"})
        if request.path == "/config.js":
            return Response(self._config, headers=self._headers, content_type="text/javascript")
        # Look the path up among existing files; never build a path from the request.
        files = {f"/{path.name}": path for path in WEB.iterdir() if path.suffix in TYPES}
        files["/"] = files["/index.html"]
        if not (file := files.get(request.path)):
            return Response("There is nothing at this address.\n", 404)
        kind = f"{TYPES[file.suffix]}; charset=utf-8"
        return Response(file.read_bytes(), headers=self._headers, content_type=kind)
