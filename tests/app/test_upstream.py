"""A request ends in time, whatever the other server does, and its answer has a maximum size.

If a client here waited for a server, the test itself would time out.
"""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from urllib3.exceptions import HTTPError

from app.aws import RETRY_PAUSE, RETRY_WITHIN
from app.exceptions import AnswerTooLongError
from app.upstream import MAX_ANSWER, TIMEOUT, HttpClient
from tests.bench.upstream import AUTHORITY, make_certificate
from tests.support import faulty
from tests.support.faulty import Answer, Behaviour, FaultyCognito

SHORT = 0.2  # seconds


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a server whose behaviour the test sets."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture
def over_tls(upstream: FaultyCognito, tmp_path: Path) -> HttpClient:
    """Let the server speak TLS, and return a client that trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path))
    upstream.socket = context.wrap_socket(
        upstream.socket, server_side=True, do_handshake_on_connect=False
    )
    return HttpClient(lambda: str(tmp_path / AUTHORITY), SHORT)


def no_authorities() -> str:
    """Return nothing: a client without TLS has no use for certificates."""
    raise AssertionError


def has_ipv6() -> bool:
    """Return whether this machine has the address ::1."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def answer_one(server: socket.socket) -> None:
    """Answer the first request."""
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")


def post(http: HttpClient, url: str) -> object:
    """Send a request with a body, to which the server knows a good answer."""
    return http.send("POST", url, {"X-Amz-Target": "Service.SignUp"}, b"{}")


def test_the_longest_call_is_under_ten_seconds() -> None:
    """The longest call to Cognito is a failure early enough to retry, a pause and a timeout."""
    longest = RETRY_WITHIN + RETRY_PAUSE + TIMEOUT
    assert longest < 10
    # A password reset makes three calls, one of which may be retried. The template's Timeout is 28.
    assert longest + 2 * TIMEOUT < 28


@pytest.mark.parametrize("slow", faulty.SLOW.values(), ids=faulty.SLOW)
def test_a_slow_answer(slow: Behaviour, upstream: FaultyCognito) -> None:
    """A server that always sends a little is given up in time, as is one that sends nothing."""
    upstream.behave(slow)
    with pytest.raises(HTTPError):
        post(HttpClient(no_authorities, SHORT), upstream.url)


@pytest.mark.parametrize("slow", faulty.SLOW.values(), ids=faulty.SLOW)
def test_a_slow_answer_over_tls(
    slow: Behaviour, over_tls: HttpClient, upstream: FaultyCognito
) -> None:
    """The same is true over TLS."""
    upstream.behave(slow)
    with pytest.raises(HTTPError):
        post(over_tls, upstream.url.replace("http", "https"))
    assert upstream.calls


@pytest.mark.parametrize("huge", faulty.HUGE.values(), ids=faulty.HUGE)
def test_a_huge_answer(huge: Behaviour, upstream: FaultyCognito) -> None:
    """No more than the maximum is read, in memory or in time."""
    upstream.behave(huge)
    with pytest.raises((HTTPError, AnswerTooLongError)):
        post(HttpClient(no_authorities), upstream.url)


def test_the_largest_answer(upstream: FaultyCognito) -> None:
    """An answer of exactly the maximum is read; one byte more is not."""
    http = HttpClient(no_authorities)
    upstream.behave(Answer(200, b" " * MAX_ANSWER), Answer(200, b" " * (MAX_ANSWER + 1)))
    assert http.send("POST", upstream.url, {})[2] == b" " * MAX_ANSWER
    with pytest.raises(AnswerTooLongError):
        post(http, upstream.url)


@pytest.fixture
def silent() -> Iterator[int]:
    """Return the port of a server that accepts connections, and sends a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not over.wait(0.01):
                    connection.send(b"\x16")  # the first byte of a TLS handshake

        thread = threading.Thread(target=drip)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join()


def test_a_slow_handshake(silent: int, tmp_path: Path) -> None:
    """TLS is part of the time limit."""
    make_certificate(tmp_path)
    http = HttpClient(lambda: str(tmp_path / AUTHORITY), SHORT)
    with pytest.raises(HTTPError):
        post(http, f"https://127.0.0.1:{silent}")


@pytest.fixture
def full() -> Iterator[int]:
    """Return the port of a server that has no room for a further connection, and doesn't say so."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server, ExitStack() as waiting:
        for _ in range(4):
            connection = waiting.enter_context(socket.socket())
            connection.settimeout(0)
            connection.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_server_that_does_not_accept(full: int) -> None:
    """Connecting is part of the time limit."""
    started = time.monotonic()
    with pytest.raises(HTTPError):
        post(HttpClient(no_authorities, SHORT), f"http://127.0.0.1:{full}")
    assert time.monotonic() - started < 5


def test_silence_after_a_slow_beginning(upstream: FaultyCognito) -> None:
    """What was waited already is taken off: the last wait isn't a whole one."""
    upstream.behave(faulty.Late(b"HTTP/1.1 200 OK\r\n", 0.95))
    started = time.monotonic()
    with pytest.raises(HTTPError):
        post(HttpClient(no_authorities, 1), upstream.url)
    assert time.monotonic() - started < 1.9


def test_a_name_with_an_address_that_refuses(upstream: FaultyCognito) -> None:
    """`localhost` may be ::1, where nothing listens, and 127.0.0.1."""
    http = HttpClient(no_authorities)
    assert post(http, upstream.url.replace("127.0.0.1", "localhost"))


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_ipv6() -> None:
    """An address may stand in the URL."""
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        threading.Thread(target=answer_one, args=(server,)).start()
        status, _, body = HttpClient(no_authorities).send(
            "GET", f"http://[::1]:{server.getsockname()[1]}/", {}
        )
    assert (status, body) == (200, b"hello")


@pytest.mark.parametrize("answer", [Answer(200, b"{}"), Answer(200, b"")], ids=["some", "empty"])
def test_connections_are_kept(answer: Answer, upstream: FaultyCognito) -> None:
    """A second request uses the first one's connection, with a new time limit."""
    upstream.behave(answer)
    http = HttpClient(no_authorities)
    post(http, upstream.url)
    post(http, f"{upstream.url}/another/path")
    assert len(upstream.current) == 1
    http.close()
    post(http, upstream.url)
    assert len(upstream.current) == 2


def test_the_time_limit_begins_anew(upstream: FaultyCognito) -> None:
    """A connection that is older than the time limit still works."""
    http = HttpClient(no_authorities, SHORT)
    post(http, upstream.url)
    threading.Event().wait(SHORT)
    post(http, upstream.url)
    assert len(upstream.current) == 1


def test_a_proxy(upstream: FaultyCognito, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy in the environment is used, except for the servers in NO_PROXY."""
    proxy = upstream.url.replace("//", "//ada:Canary@")
    monkeypatch.setenv("HTTP_PROXY", proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    post(HttpClient(no_authorities), "http://cognito.invalid/path")
    assert upstream.headers[0]["Host"] == "cognito.invalid"
    assert upstream.headers[0]["Proxy-Authorization"] == "Basic YWRhOkNhbmFyeQ=="
    monkeypatch.setenv("NO_PROXY", "cognito.invalid")
    with pytest.raises(HTTPError):
        post(HttpClient(no_authorities, SHORT), "http://cognito.invalid/path")


@pytest.fixture(scope="module")
def any_server() -> Iterator[FaultyCognito]:
    """Return a server for many examples."""
    with FaultyCognito() as server:
        yield server


LINES = st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK",
            b"HTTP/1.1 999",
            b"HTTP/1.1 100 Continue",
            b"HTTP/9",
            b"Content-Length: 5",
            b"Content-Length: 5, 6",
            b"Content-Length: -1",
            b"Content-Length: many",
            b"Transfer-Encoding: chunked",
            b"Transfer-Encoding: gzip",
            b"Content-Encoding: gzip",
            b"Location: http://127.0.0.1:1/",
            b"no colon",
            b": no name",
            b"\xff\x00: \x80",
            b"",
            b"5",
            b"-5",
            b"zz",
            b"hello",
        ]
    )
)


@settings(deadline=None)
@given(st.one_of(st.binary(), LINES.map(b"\r\n".join)))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n")
def test_any_bytes(any_server: FaultyCognito, sent: bytes) -> None:
    """Whatever comes is an answer or one of the documented exceptions."""
    any_server.behave(faulty.Raw(sent))
    http = HttpClient(no_authorities, 2)
    try:
        assert post(http, any_server.url)
    except HTTPError:
        pass
    finally:
        http.close()
