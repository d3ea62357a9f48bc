"""The client of the token endpoint sends one request per code, with a time limit."""

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import urllib3.exceptions

from app.aws import authorities
from app.exception_handlers import find_failure
from app.exceptions import TokenEndpointError
from app.token_endpoint import TokenEndpoint
from app.upstream import MAX_ANSWER
from tests.bench.upstream import AUTHORITY, make_certificate
from tests.support import faulty
from tests.support.faulty import Answer, Behaviour, FaultyCognito, Fine, json_answer

PATH = "/oauth2/token"
GRANT = {"client_id": "1example23456789", "code": "the code+", "code_verifier": "v" * 43}
TOKENS = {
    "access_token": "an-access-token",
    "expires_in": 10800,
    "token_type": "Bearer",
    "refresh_token": "a-refresh-token",
    "id_token": "an-id-token",
}


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a fake domain whose behaviour the test sets."""
    with FaultyCognito() as server:
        yield server


@pytest.fixture
def endpoint(upstream: FaultyCognito) -> TokenEndpoint:
    """Return a client for the fake domain."""
    return TokenEndpoint(upstream.url)


def code_of(call: Callable[[], object]) -> str:
    """Return the code of the row for the exception that `call` raises."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - errors.py maps the exceptions
        call()
    return find_failure(raised.value).code


def test_tokens(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """The client posts the grant as a form, and returns tokens with sign-in's field names."""
    tokens = endpoint.exchange(GRANT)
    assert tokens.model_dump(by_alias=True) == {
        "AccessToken": "an-access-token",
        "ExpiresIn": 10800,
        "TokenType": "Bearer",
        "RefreshToken": "a-refresh-token",
        "IdToken": "an-id-token",
    }
    assert upstream.calls == [PATH]
    assert upstream.headers[0]["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in upstream.headers[0]
    sent = dict(parse_qsl(upstream.bodies[0].decode(), strict_parsing=True))
    assert sent == {"grant_type": "authorization_code", **GRANT}


REFUSALS = {
    "invalid_grant": "invalid_session",
    "invalid_request": "invalid_session",
    "invalid_client": "misconfigured",
    "unauthorized_client": "misconfigured",
    "unsupported_grant_type": "unavailable",
    "something_new": "unavailable",
}


@pytest.mark.parametrize(("error", "code"), REFUSALS.items())
@pytest.mark.parametrize("status", [400, 401])
def test_a_refusal(
    error: str, code: str, status: int, endpoint: TokenEndpoint, upstream: FaultyCognito
) -> None:
    """A bad code is the caller's error; a bad app client is a misconfiguration."""
    upstream.behave(json_answer(status, {"error": error}), Fine())
    assert code_of(lambda: endpoint.exchange(GRANT)) == code
    assert upstream.calls == [PATH]


def test_another_redirect_uri(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """Cognito answers unauthorized_client, but the error is the caller's, so no alarm is raised."""
    answer = {"error": "unauthorized_client", "error_description": "invalid_redirect"}
    upstream.behave(json_answer(400, answer))
    assert code_of(lambda: endpoint.exchange(GRANT)) == "invalid_session"


def without(name: str) -> dict[str, object]:
    """Return an answer without a field."""
    return {each: value for each, value in TOKENS.items() if each != name}


HTML = b"<html><body>Please log in</body></html>"
GARBAGE = {
    "HTML": Answer(200, HTML, "text/html"),
    "HTML that claims to be JSON": Answer(200, HTML),
    "nothing": Answer(200, b""),
    "not text": Answer(200, b"\xff\xfe\x00"),
    "a list": json_answer(200, [TOKENS]),
    "null": json_answer(200, None),
    "nested deeply": Answer(200, b"[" * 60_000),
    "an error with 200": json_answer(200, {"error": "invalid_grant"}),
    "another type": json_answer(200, TOKENS | {"token_type": "DPoP"}),
    "a lifetime that is text": json_answer(200, TOKENS | {"expires_in": "10800"}),
    "a token that is a number": json_answer(200, TOKENS | {"access_token": 1}),
    "an ID token that is null": json_answer(200, TOKENS | {"id_token": None}),
    **{f"no {name}": json_answer(200, without(name)) for name in TOKENS if "refresh" not in name},
    "201": json_answer(201, TOKENS),
    "204": Answer(204, b""),
    "too long": Answer(200, json.dumps(TOKENS).encode() + b" " * MAX_ANSWER),
    "truncated": faulty.Truncated(),
    "half a character": json_answer(200, TOKENS | {"access_token": "\ud800"}),
    "reset": faulty.Reset(),
    "closed": faulty.Close(),
    "an error that is not an object": json_answer(400, ["invalid_grant"]),
    "an error that is not text": json_answer(400, {"error": ["invalid_grant"]}),
    "an error without a name": json_answer(400, {}),
    "an HTML page with 403": Answer(403, HTML, "text/html"),
    "403": json_answer(403, {"error": "invalid_grant"}),
    "404": Answer(404, HTML, "text/html"),
    "500": json_answer(500, {"error": "server_error"}),
    "502": Answer(502, HTML, "text/html"),
    "503": Answer(503, b""),
}


@pytest.mark.parametrize("behaviour", GARBAGE.values(), ids=GARBAGE)
def test_anything_else_is_unavailable(
    behaviour: Behaviour, endpoint: TokenEndpoint, upstream: FaultyCognito
) -> None:
    """The client doesn't retry, as the code may already be used, and raises unavailable."""
    upstream.behave(behaviour, Fine())
    assert code_of(lambda: endpoint.exchange(GRANT)) == "unavailable"
    assert upstream.calls == [PATH]


def test_an_answer_may_be_long(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """The client accepts an answer of exactly MAX_ANSWER bytes."""
    body = json.dumps(TOKENS).encode()
    upstream.behave(Answer(200, body + b" " * (MAX_ANSWER - len(body))))
    assert endpoint.exchange(GRANT).access_token == "an-access-token"


def test_too_many(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """The client reports a 429 and doesn't retry."""
    upstream.behave(json_answer(429, {"error": "slow_down"}), Fine())
    assert code_of(lambda: endpoint.exchange(GRANT)) == "too_many_requests"
    assert upstream.calls == [PATH]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    status: int, endpoint: TokenEndpoint, upstream: FaultyCognito
) -> None:
    """Following it would send the code and its verifier to another server."""
    upstream.behave(Answer(status, b"", headers={"Location": f"{upstream.url}{PATH}"}), Fine())
    assert code_of(lambda: endpoint.exchange(GRANT)) == "unavailable"
    assert upstream.calls == [PATH]


@pytest.mark.parametrize("slow", ["no answer", "slow headers", "slow 100s", "a slow body"])
def test_a_slow_answer(slow: str, upstream: FaultyCognito) -> None:
    """The client gives up in time, even if something arrives all the time."""
    upstream.behave(faulty.SLOW[slow])
    assert code_of(lambda: TokenEndpoint(upstream.url, 0.2).exchange(GRANT)) == "unavailable"
    assert upstream.calls == [PATH]


def test_a_huge_answer(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """The client stops reading."""
    upstream.behave(faulty.HUGE["a body without end"])
    assert code_of(lambda: endpoint.exchange(GRANT)) == "unavailable"


def test_a_refused_connection() -> None:
    """A refused connection counts as unavailable."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"  # bound, but not listening
        assert code_of(lambda: TokenEndpoint(url).exchange(GRANT)) == "unavailable"


def test_an_unknown_host() -> None:
    """A deleted or missing domain counts as unavailable."""
    endpoint = TokenEndpoint("https://accounts.invalid")
    assert code_of(lambda: endpoint.exchange(GRANT)) == "unavailable"


def test_each_call_has_a_connection_of_its_own(
    endpoint: TokenEndpoint, upstream: FaultyCognito
) -> None:
    """Each call opens a new connection, as Lambda may freeze the process and old ones then die."""
    endpoint.exchange(GRANT)
    upstream.forget_connections()
    endpoint.exchange(GRANT)
    assert upstream.calls == [PATH, PATH]


def test_an_exception_has_no_secrets(endpoint: TokenEndpoint, upstream: FaultyCognito) -> None:
    """A printed traceback contains neither the request nor the answer."""
    upstream.behave(json_answer(200, TOKENS | {"expires_in": "a-secret"}))
    with pytest.raises(TokenEndpointError) as raised:
        endpoint.exchange(GRANT)
    assert str(raised.value) == ""
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


# TLS


@pytest.fixture
def over_tls(upstream: FaultyCognito, tmp_path: Path) -> int:
    """Let the upstream speak TLS with a certificate for 127.0.0.1, and return its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(make_certificate(tmp_path))
    upstream.socket = context.wrap_socket(
        upstream.socket, server_side=True, do_handshake_on_connect=False
    )
    return int(upstream.server_address[1])


def test_a_certificate_of_a_trusted_authority(
    over_tls: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client trusts the authority in AWS_CA_BUNDLE, as botocore does."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / AUTHORITY))
    tokens = TokenEndpoint(f"https://127.0.0.1:{over_tls}").exchange(GRANT)
    assert tokens.access_token == "an-access-token"


def test_a_certificate_of_another_authority(over_tls: int, upstream: FaultyCognito) -> None:
    """The client sends nothing to a server with an untrusted certificate."""
    with pytest.raises(urllib3.exceptions.SSLError) as raised:
        TokenEndpoint(f"https://127.0.0.1:{over_tls}").exchange(GRANT)
    assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value)
    assert find_failure(raised.value).code == "unavailable"
    assert upstream.calls == []


def test_a_certificate_of_another_host(
    over_tls: int, upstream: FaultyCognito, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client refuses a trusted certificate for another name."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / AUTHORITY))
    with pytest.raises(urllib3.exceptions.SSLError) as raised:
        TokenEndpoint(f"https://localhost:{over_tls}").exchange(GRANT)
    assert "CERTIFICATE_VERIFY_FAILED" in str(raised.value)
    assert upstream.calls == []


def test_the_default_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without AWS_CA_BUNDLE the client uses botocore's own; a missing profile has no effect."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "BEGIN CERTIFICATE" in Path(authorities()).read_text()
