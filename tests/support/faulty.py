"""A Cognito that misbehaves on request, to test how our client reacts.

    with FaultyCognito() as upstream:
        upstream.behave(Reset(), Fine())
        ...
        assert upstream.calls == ["InitiateAuth", "InitiateAuth"]

Each request gets the next behaviour; the last one repeats. The server speaks AWS JSON 1.1 as
Cognito does: the operation is in X-Amz-Target, an error's name in the body's `__type` and in
x-amzn-errortype.
https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
A request without X-Amz-Target goes to the pool's domain; its path is the operation.
"""

import itertools
import json
import socket
import struct
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Behaviour:
    """The server's reaction to one request."""

    def act(self, exchange: "_Exchange") -> None:
        """Answer the request, or fail to."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer(Behaviour):
    """An answer with any status and body."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    headers: Mapping[str, str] | None = None

    def act(self, exchange: "_Exchange") -> None:
        """Send the whole answer."""
        exchange.send(self.status, self.body, self.content_type, self.headers or {})


class Stall(Behaviour):
    """No answer to the request, so that the client's own timeout must end it."""

    def act(self, exchange: "_Exchange") -> None:
        """Hold the connection until the test is over."""
        exchange.server.over.wait()
        exchange.close_connection = True


class Reset(Behaviour):
    """A connection reset (TCP RST) after the request: "Connection reset by peer"."""

    def act(self, exchange: "_Exchange") -> None:
        """Close with SO_LINGER 0, which sends RST instead of FIN."""
        linger = struct.pack("ii", 1, 0)
        exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        exchange.hang_up()


class Close(Behaviour):
    """An orderly close of the connection after the request, without an answer."""

    def act(self, exchange: "_Exchange") -> None:
        """Close the connection."""
        exchange.connection.shutdown(socket.SHUT_RDWR)
        exchange.hang_up()


class Truncated(Behaviour):
    """An answer that announces 1,000 bytes and ends after a few."""

    def act(self, exchange: "_Exchange") -> None:
        """Stop in the middle of the JSON."""
        exchange.send_response(200)
        exchange.send_header("Content-Type", "application/x-amz-json-1.1")
        exchange.send_header("Content-Length", "1000")
        exchange.end_headers()
        exchange.wfile.write(b'{"AuthenticationResult": {"Acc')
        exchange.close_connection = True


@dataclass(frozen=True)
class Raw(Behaviour):
    """Any bytes instead of an answer, then the end of the connection."""

    sent: bytes

    def act(self, exchange: "_Exchange") -> None:
        """Send the bytes."""
        exchange.wfile.write(self.sent)
        exchange.close_connection = True


@dataclass(frozen=True)
class Late(Behaviour):
    """Some bytes after a number of seconds, and then nothing."""

    sent: bytes
    seconds: float

    def act(self, exchange: "_Exchange") -> None:
        """Send the bytes late, and hold the connection until the test is over."""
        exchange.server.over.wait(self.seconds)
        exchange.wfile.write(self.sent)
        Stall().act(exchange)


@dataclass(frozen=True)
class Endless(Behaviour):
    """An answer that begins with `start` and repeats `more` without end and without a pause."""

    start: bytes
    more: bytes

    def act(self, exchange: "_Exchange") -> None:
        """Send until the client hangs up."""
        exchange.wfile.write(self.start)
        while not exchange.server.over.is_set():
            exchange.wfile.write(self.more * 100)


@dataclass(frozen=True)
class Drip(Behaviour):
    """The same, with a pause after each byte that is shorter than any timeout."""

    start: bytes
    more: bytes

    def act(self, exchange: "_Exchange") -> None:
        """Send a byte every 10 ms until the client hangs up or the test ends."""
        exchange.wfile.write(self.start)
        for byte in itertools.cycle(self.more):
            if exchange.server.over.wait(0.01):
                return
            exchange.wfile.write(bytes([byte]))


_START = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
SLOW: dict[str, Behaviour] = {
    "no answer": Stall(),
    "a slow status": Drip(b"HTTP/1.1 200 ", b"O"),
    "a slow header": Drip(_START + b"X-Slow: ", b"x"),
    "slow headers": Drip(_START, b"X-Slow: x\r\n"),
    "slow 100s": Drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "100s without end": Endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a slow body": Drip(_START + b"\r\n", b" "),
    "a slow body of a known length": Drip(_START + b"Content-Length: 1000\r\n\r\n", b" "),
    "a slow body in pieces": Drip(_START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a slow piece": Drip(_START + b"Transfer-Encoding: chunked\r\n\r\n3E8\r\n", b" "),
}
"""Answers that never end, although something arrives all the time."""
HUGE: dict[str, Behaviour] = {
    "a body without end": Endless(_START + b"\r\n", b" " * 100),
    "a body of a terabyte": Endless(_START + b"Content-Length: 1099511627776\r\n\r\n", b" " * 100),
    "a body of any number of bytes": Endless(
        _START + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", b" " * 100
    ),
    "pieces without end": Endless(
        _START + b"Transfer-Encoding: chunked\r\n\r\n", b"64\r\n" + b" " * 100 + b"\r\n"
    ),
    "a piece without end": Endless(
        _START + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n", b" " * 100
    ),
    "a header without end": Endless(_START + b"X-Huge: ", b"x" * 100),
    "headers without end": Endless(_START, b"X-Huge: x\r\n"),
}
"""Answers that are too large."""


@dataclass(frozen=True)
class Error(Behaviour):
    """An error of Cognito's; `type` is the modeled name, e.g. "CodeMismatchException"."""

    type: str
    message: str = "The service's own words."
    status: int = 400

    def act(self, exchange: "_Exchange") -> None:
        """Send the error's name and message in the body and in headers."""
        body = json.dumps({"__type": self.type, "message": self.message}).encode()
        headers = {"x-amzn-errortype": f"{self.type}:", "x-amzn-errormessage": self.message}
        exchange.send(self.status, body, "application/x-amz-json-1.1", headers)


class Fine(Behaviour):
    """A successful answer of Cognito's; `body` replaces its default body."""

    def __init__(self, body: Mapping[str, Any] | None = None) -> None:
        self._body = body

    def act(self, exchange: "_Exchange") -> None:
        """Send `body`, or the operation's default body."""
        body = FINE[exchange.operation] if self._body is None else self._body
        empty = exchange.operation == "DeleteUser"
        sent = b"" if empty else json.dumps(body).encode()
        exchange.send(200, sent, "application/x-amz-json-1.1", {})


_RESULT = {
    "AccessToken": "an-access-token",
    "ExpiresIn": 10800,
    "TokenType": "Bearer",
    "RefreshToken": "a-refresh-token",
    "IdToken": "an-id-token",
}
FINE: dict[str, dict[str, Any]] = {
    "SignUp": {
        "UserConfirmed": False,
        "UserSub": "6d5f4c3b-2a19-4807-b6e5-d4c3b2a19087",
        "CodeDeliveryDetails": {
            "Destination": "a***@e***",
            "DeliveryMedium": "EMAIL",
            "AttributeName": "email",
        },
    },
    "ConfirmSignUp": {},
    "ResendConfirmationCode": {"CodeDeliveryDetails": {"DeliveryMedium": "EMAIL"}},
    "InitiateAuth": {"ChallengeParameters": {}, "AuthenticationResult": _RESULT},
    "RespondToAuthChallenge": {"ChallengeParameters": {}, "AuthenticationResult": _RESULT},
    "GetTokensFromRefreshToken": {"AuthenticationResult": _RESULT},
    "RevokeToken": {},
    "GlobalSignOut": {},
    "ForgotPassword": {"CodeDeliveryDetails": {"DeliveryMedium": "EMAIL"}},
    "ConfirmForgotPassword": {},
    "ChangePassword": {},
    "GetUser": {
        "Username": "c2c5d4b4",
        "UserAttributes": [
            {"Name": "sub", "Value": "c2c5d4b4"},
            {"Name": "email", "Value": "ada@example.com"},
        ],
    },
    "UpdateUserAttributes": {},
    "VerifyUserAttribute": {},
    "DeleteUser": {},
    "AssociateSoftwareToken": {"SecretCode": "JBSWY3DPEHPK3PXP"},
    "VerifySoftwareToken": {"Status": "SUCCESS"},
    "SetUserMFAPreference": {},
    "GetUserAuthFactors": {"Username": "c2c5d4b4", "ConfiguredUserAuthFactors": ["WEB_AUTHN"]},
    "StartWebAuthnRegistration": {"CredentialCreationOptions": {"challenge": "c2FtcGxl"}},
    "CompleteWebAuthnRegistration": {},
    "ListWebAuthnCredentials": {
        "Credentials": [
            {
                "CredentialId": "c2FtcGxl",
                "FriendlyCredentialName": "Phone",
                "RelyingPartyId": "example.com",
                "AuthenticatorTransports": [],
                "CreatedAt": 1795744102.284,
            }
        ]
    },
    "DeleteWebAuthnCredential": {},
    "/oauth2/token": {
        "access_token": "an-access-token",
        "expires_in": 10800,
        "token_type": "Bearer",
        "refresh_token": "a-refresh-token",
        "id_token": "an-id-token",
    },
}


def json_answer(status: int, body: object) -> Answer:
    """Return an answer in JSON, as the pool's domain sends it."""
    return Answer(status, json.dumps(body).encode(), "application/json;charset=UTF-8")


INTERNAL_ERROR = Error("InternalErrorException", "Something went wrong.", status=500)
UNAVAILABLE = Error("ServiceUnavailable", "Try again.", status=503)
THROTTLED = Error("TooManyRequestsException", "Too many requests")
"""The 400 with which Cognito itself throttles."""
THROTTLED_429 = Answer(429, b"")
"""The 429 with which anything in front of Cognito throttles."""
SERVER_ERROR_GARBAGE = Answer(500, b"\xff\xfe not JSON", "application/octet-stream")
UNAVAILABLE_GARBAGE = Answer(503, b"<html>no</html>", "text/html")
GARBAGE = Answer(200, b'{"AuthenticationResult": ')
FORBIDDEN_HTML = Answer(403, b"<html><body>403 Forbidden</body></html>", "text/html")
"""The page with which a firewall (WAF) or a proxy refuses a request."""


class FaultyCognito(ThreadingHTTPServer):
    """The server, on a free port of 127.0.0.1; a context manager. At first every call succeeds."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.over = threading.Event()
        self.calls: list[str] = []
        """The operation of every request so far, e.g. ["SignUp"], oldest first."""
        self.headers: list[Message] = []
        """The headers of the same requests."""
        self.bodies: list[bytes] = []
        """The bodies of the same requests."""
        self.current: set[_Exchange] = set()
        """The connections that the server hasn't forgotten."""
        self._behaviours: list[Behaviour] = [Fine()]
        self._only: str | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        """The endpoint to give to the client."""
        return "http://{}:{}".format(*self.server_address)

    def behave(self, *behaviours: Behaviour, only: str | None = None) -> None:
        """Set the behaviours of the next requests, in order; the last one repeats.

        `only` limits them to an operation; all others succeed.
        """
        with self._lock:
            self._behaviours = list(behaviours)
            self._only = only

    def forget_connections(self) -> None:
        """Forget all connections so far, as if a snapshot had been restored elsewhere.

        A client doesn't notice until it sends its next request, which is reset.
        """
        self.current.clear()

    def next_behaviour(self, operation: str, headers: Message, body: bytes) -> Behaviour:
        """Record a call and return its behaviour."""
        with self._lock:
            self.calls.append(operation)
            self.headers.append(headers)
            self.bodies.append(body)
            if self._only not in (None, operation):
                return Fine()
            return self._behaviours.pop(0) if len(self._behaviours) > 1 else self._behaviours[0]

    def handle_error(self, *_: object) -> None:
        """Print nothing about clients that gave up: tests make them do so on purpose."""


class _Exchange(BaseHTTPRequestHandler):
    """One connection from the client."""

    protocol_version = "HTTP/1.1"
    # Headers and body are two writes. With Nagle's algorithm, the body would wait 40 ms for an ACK.
    disable_nagle_algorithm = True
    server: FaultyCognito
    operation: str

    def setup(self) -> None:
        """Remember the new connection."""
        super().setup()
        self.server.current.add(self)

    def do_POST(self) -> None:
        """Apply the next behaviour."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.operation = self.headers.get("X-Amz-Target", self.path).rpartition(".")[2]
        if self not in self.server.current:
            Reset().act(self)
            return
        self.server.next_behaviour(self.operation, self.headers, body).act(self)

    def do_GET(self) -> None:
        """Apply the next behaviour."""
        self.do_POST()

    def send(self, status: int, body: bytes, content_type: str, headers: Mapping[str, str]) -> None:
        """Send a whole response."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        """Close the socket at once, before http.server does."""
        self.rfile.close()  # it holds the socket open too
        self.connection.close()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the test run quiet."""
