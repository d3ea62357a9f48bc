"""A server that stands in for a pool's published keys."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm


class KeyServer(ThreadingHTTPServer):
    """A server of `keys` by key id, on a free port of 127.0.0.1; a context manager."""

    daemon_threads = True

    def __init__(self, keys: dict[str, RSAPublicKey]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.keys = keys
        self.instead: str | None = None
        """The body to answer instead of the keys, if any."""
        self.status = 200
        self.asked = threading.Event()
        """Set when the first request arrives."""
        self.go_on = threading.Event()
        """Cleared by a test to hold the answers back."""
        self.go_on.set()
        self.fetched = 0
        """The number of requests so far."""

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.go_on.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """The address of the keys."""
        return "http://{}:{}/keys".format(*self.server_address)


class _Handler(BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        """Answer with the keys, or with `instead`."""
        self.server.fetched += 1
        self.server.asked.set()
        self.server.go_on.wait()
        self.send_response(self.server.status)
        self.end_headers()
        keys = [
            RSAAlgorithm.to_jwk(key, as_dict=True) | {"kid": kid, "alg": "RS256", "use": "sig"}
            for kid, key in self.server.keys.items()
        ]
        body = json.dumps({"keys": keys}) if self.server.instead is None else self.server.instead
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Keep the test run quiet."""
