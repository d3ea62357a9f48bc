"""HTTP requests to other servers. Each ends within a time limit, and its answer has a maximum size.

Libraries apply a timeout to each wait for a byte, so a server that sends a byte every second is
never given up. Here, the timeout of a socket limits everything that happens until it is set again.
"""

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ProtocolError, SSLError
from urllib3.util import create_urllib3_context, make_headers

from app.exceptions import AnswerTooLongError

# Seconds. Looking the server's name up isn't included: the system's resolver has its own timeouts.
CONNECT_TIMEOUT = 4  # to connect to one of the server's addresses, with TLS
TIMEOUT = 8  # for the whole request and its answer, connecting included
# Bytes. A user with 50 attributes of 2,048 characters, the most that Cognito allows, has less.
MAX_ANSWER = 1024 * 1024


class HttpClient:
    """Sends requests. One instance serves a process and its threads, and keeps connections open.

    `authorities` returns the file of certificate authorities to trust. It is called once, when the
    first request is sent. `timeout` limits a request, in seconds, and `max_answer` its answer, in
    bytes.
    """

    def __init__(
        self,
        authorities: Callable[[], str],
        timeout: float = TIMEOUT,
        max_answer: int = MAX_ANSWER,
    ) -> None:
        self._authorities = authorities
        self._max_answer = max_answer
        self._timeout = Timeout(connect=min(CONNECT_TIMEOUT, timeout), total=timeout)
        self._pools: dict[tuple[str, str], HTTPConnectionPool] = {}

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: Any = None
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Send a request; return the answer's status, headers and body. Redirects aren't followed.

        `body` is what urllib3 can send: text, bytes or a file. Raise urllib3's HTTPError if there
        is no complete answer in time, and AnswerTooLongError if the answer is too large.
        """
        scheme, server, path, query, _ = urlsplit(url)
        pool = self._pools.get((scheme, server))
        if not pool:
            pool = self._pools.setdefault((scheme, server), self._open(scheme, server))
        # A proxy needs the whole URL, unless a tunnel leads through it.
        whole = pool.proxy and scheme == "http"
        answer = pool.urlopen(
            method,
            url if whole else urlunsplit(("", "", path or "/", query, "")),
            body=body,
            headers=headers,
            timeout=self._timeout,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            content = answer.read(self._max_answer + 1)
            # Only a further read tells whether a connection was cut, or where chunks end.
            while answer.length_remaining != 0 and (
                piece := answer.read(self._max_answer + 1 - len(content))
            ):
                content += piece
        except ValueError as error:  # http.client, for a chunk whose length is negative
            raise ProtocolError from error
        if len(content) > self._max_answer:
            answer.close()
            raise AnswerTooLongError
        return answer.status, answer.headers, content

    def prepare(self) -> None:
        """Read the certificates before a request needs them. No connection is opened.

        If that fails, so does each request.
        """
        with suppress(SSLError):
            _ = self._context

    def close(self) -> None:
        """Close the open connections. The next request opens a new one."""
        while self._pools:
            self._pools.popitem()[1].close()

    @cached_property
    def _context(self) -> ssl.SSLContext:
        """The settings of TLS. The certificates are read once, not for each connection."""
        context = create_urllib3_context()
        context.sslsocket_class = _TLSSocket
        try:
            context.load_verify_locations(self._authorities())
        except OSError as error:
            raise SSLError(error) from error
        return context

    def _open(self, scheme: str, server: str) -> HTTPConnectionPool:
        """Return what keeps the connections to a server.

        A proxy can be set in the environment, such as in HTTPS_PROXY, as for other AWS clients.
        """
        options: dict[str, Any] = {"maxsize": 10}
        if scheme == "https":
            options["ssl_context"] = self._context
        proxy = None if proxy_bypass(server) else getproxies().get(scheme)
        manager = _through(proxy, options) if proxy else PoolManager(**options)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
        return manager.connection_from_url(f"{scheme}://{server}")


def _through(proxy: str, options: dict[str, Any]) -> ProxyManager:
    login = unquote(urlsplit(proxy).netloc.rpartition("@")[0])
    headers = make_headers(proxy_basic_auth=login) if login else None
    return ProxyManager(proxy, proxy_headers=headers, **options)


def read_json(body: bytes) -> Any:
    """Return the JSON value of an answer, or None if it has none.

    It has none if it isn't JSON in UTF-8, if it is nested too deeply, or if it has half a character
    (a lone surrogate), which could not be sent on.
    """
    try:
        value = json.loads(body.decode())
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


class _Socket(socket.socket):
    """A socket whose timeout limits all that follows, not each operation."""

    _ends: float | None = None
    """When the timeout is over, on the clock time.monotonic."""

    def settimeout(self, value: float | None, /) -> None:
        """Limit everything from now until the next call, in seconds."""
        self._ends = None if value is None else time.monotonic() + value
        super().settimeout(value)

    def recv(self, *args: Any) -> bytes:
        """Receive within what is left of the timeout."""
        self._limit()
        return super().recv(*args)

    def recv_into(self, *args: Any) -> int:
        """Receive within what is left of the timeout."""
        self._limit()
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        """Send within what is left of the timeout."""
        self._limit()
        super().sendall(*args)

    def _limit(self) -> None:
        """Let the next operation take what is left. Raise TimeoutError if nothing is."""
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                raise TimeoutError
            super().settimeout(left)


class _TLSSocket(_Socket, ssl.SSLSocket):
    """The same over TLS. OpenSSL itself ends the handshake in time."""


def _connect(host: str, port: int, timeout: float) -> _Socket:
    """Return a socket connected to one of a name's addresses, which share the time equally.

    Its timeout is what is left of the time. Raise OSError if no address can be reached.
    """
    ends = time.monotonic() + timeout
    found = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)
    error = OSError("no address")
    for index, (family, kind, protocol, _, address) in enumerate(found):
        try:
            sock = _Socket(family, kind, protocol)
        except OSError as exc:  # such as IPv6 on a machine without it
            error = exc
            continue
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(_left(ends) / (len(found) - index))
            sock.connect(address)
            sock.settimeout(_left(ends))
        except OSError as exc:
            error = exc
            sock.close()
        else:
            return sock
    raise error


def _left(ends: float) -> float:
    """Return the seconds until a time, or a moment if it is past: 0 would mean not to wait."""
    return max(ends - time.monotonic(), 0.001)


# A connection of urllib3 gets its socket from `_new_conn`. There is no public way to choose it;
# urllib3's own support for SOCKS overrides the same method.
# https://github.com/urllib3/urllib3/blob/main/src/urllib3/contrib/socks.py
class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port, self.timeout or TIMEOUT)


class _TLSConnection(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port, self.timeout or TIMEOUT)


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection
