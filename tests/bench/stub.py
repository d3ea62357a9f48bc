"""A fast stub of Cognito: `python -m tests.bench.stub CERTIFICATE` starts it on a free port.

It runs in its own process so that its work is not counted as a function's. It uses TLS because a
handshake is part of every first call, and it answers each operation with prepared bytes.
"""

import json
import re
import socketserver
import ssl
import sys
from itertools import takewhile

_TOKEN = "eyJraWQiOiJ" + 900 * "x"  # about as long as Cognito's
ANSWERS = {
    "SignUp": {"UserConfirmed": False, "UserSub": "6d5f4c3b-2a19-4807-b6e5-d4c3b2a19087"},
    "ConfirmSignUp": {},
    "InitiateAuth": {
        "ChallengeParameters": {},
        "AuthenticationResult": {
            "AccessToken": _TOKEN,
            "ExpiresIn": 10800,
            "TokenType": "Bearer",
            "RefreshToken": _TOKEN,
            "IdToken": _TOKEN,
        },
    },
}


def _response(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\n"
        "x-amzn-RequestId: 7c2d9a52-2f4b-4b4e-9d3f-0a1b2c3d4e5f\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


_READY = {name.encode(): _response(json.dumps(body).encode()) for name, body in ANSWERS.items()}


class Connection(socketserver.StreamRequestHandler):
    """A client's connection, for any number of requests."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer requests until the client closes the connection."""
        while head := b"".join(takewhile(bytes.strip, self.rfile)):
            if length := re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE):
                self.rfile.read(int(length[1]))
            operation = re.search(rb"(?i)^x-amz-target: *\w+\.(\w+)", head, re.MULTILINE)
            self.wfile.write(_READY[operation[1]] if operation else _response(b"{}"))


class Stub(socketserver.ThreadingTCPServer):
    """The server; the certificate file also contains its key."""

    daemon_threads = True

    def __init__(self, certificate: str) -> None:
        super().__init__(("127.0.0.1", 0), Connection)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )

    def handle_error(self, *_: object) -> None:
        """Ignore broken connections, as every function is stopped while it is connected."""


if __name__ == "__main__":
    with Stub(sys.argv[1]) as stub:
        print(stub.server_address[1], flush=True)  # noqa: T201 (the parent process reads the port)
        stub.serve_forever()
