"""The middleware: request ids, headers, the body's limit, log lines and unexpected exceptions."""

import json
import uuid
from collections.abc import Iterator

import httpx
import pytest

from app.middleware import MAX_BODY
from app.settings import Settings
from tests.conftest import Connect
from tests.support.people import ORIGIN, Person
from tests.support.watch import Watch

through_every_transport = pytest.mark.transports("uvicorn", "rest")


@through_every_transport
def test_every_answer_has_the_security_headers(api: httpx.Client, ada: Person) -> None:
    """Browsers don't store or sniff the answer, nor send its URL as a referrer."""
    for answer in (ada.signs_up(), ada.signs_up(), api.get("/nowhere"), api.options("/health")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        policy = answer.headers["Content-Security-Policy"]
        assert policy == "default-src 'none'; frame-ancestors 'none'"
        https = answer.url.scheme == "https"
        assert ("Strict-Transport-Security" in answer.headers) == https


@through_every_transport
def test_every_request_has_its_own_id(api: httpx.Client) -> None:
    """The id is in the header and in a failure's body, and is never taken from the caller."""
    answers = [api.get("/nowhere", headers={"X-Request-Id": "mine"}) for _ in range(2)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 2
    for answer in answers:
        assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
        assert uuid.UUID(answer.headers["X-Request-Id"])


@through_every_transport
def test_one_log_line_per_request(api: httpx.Client, ada: Person, watch: Watch) -> None:
    """The line has the route's template instead of the path, as a path can contain anything."""
    ada.signs_up()
    answer = ada.signs_up(email=ada.email)
    api.get(f"/users/{ada.email}?password={ada.password}")
    lines = [json.loads(line) for line in watch.lines]
    assert [
        (line["method"], line["route"], line["status"], line.get("code")) for line in lines
    ] == [
        ("POST", "/auth/sign-up", 200, None),
        ("POST", "/auth/sign-up", 409, "email_taken"),
        ("GET", None, 404, "not_found"),
    ]
    assert lines[1]["requestId"] == answer.headers["X-Request-Id"]
    assert lines[1]["cause"] == "SignUp.UsernameExistsException"
    assert all(line["durationMs"] >= 0 and line["time"] and line["level"] for line in lines)


@pytest.mark.transports("uvicorn", "rest", "http", "function-url")
def test_head_is_answered_wherever_get_is(api: httpx.Client, watch: Watch) -> None:
    """Uptime monitors send it. It has GET's status and headers, and no body."""
    asked_for = ("/health", "/docs", "/docs/docs.js", "/openapi.json", "/auth/me", "/nowhere")
    for path in (*asked_for, "/auth/sign-up"):
        got, asked = api.get(path), api.head(path)
        assert (asked.status_code, asked.content) == (got.status_code, b"")
        for answer in (got, asked):
            for name in ("X-Request-Id", "Date", "Connection"):
                answer.headers.pop(name, None)
        assert asked.headers == got.headers
    assert got.headers["Allow"] == "POST"
    assert api.post("/health").headers["Allow"] == "GET, HEAD"
    assert api.put("/auth/me").headers["Allow"] == "DELETE, GET, HEAD, PATCH"
    methods = [json.loads(line)["method"] for line in watch.lines]
    assert methods[:2] == ["GET", "HEAD"]
    paths = api.get("/openapi.json").json()["paths"]
    assert not [path for path, operations in paths.items() if "head" in operations]


@pytest.mark.parametrize("method", ["PROPFIND", "ADA@EXAMPLE.COM", "GET /", "É", "\n", ""])
def test_the_log_has_known_methods_only(api: httpx.Client, watch: Watch, method: str) -> None:
    """A method is a stranger's text."""
    assert api.request(method, "/health").status_code == 405
    (line,) = map(json.loads, watch.lines)
    assert line["method"] == "OTHER"


@through_every_transport
def test_the_largest_body(api: httpx.Client) -> None:
    """A body of MAX_BODY bytes is read; one byte more is refused."""
    body = b'{"email": "ada@example.com", "padding": "%s"}'
    fits = body % (b"x" * (MAX_BODY - len(body) + 2))
    assert len(fits) == MAX_BODY
    assert api.post("/auth/sign-in", content=fits).status_code == 400
    assert api.post("/auth/sign-in", content=fits + b" ").status_code == 413


@pytest.mark.transports("uvicorn")
def test_a_body_far_too_large_is_told_so(api: httpx.Client) -> None:
    """The whole body is read, or the client would see a broken connection, not the answer."""

    def stream() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    for content in (b"x" * 4_000_000, stream()):
        answer = api.post("/auth/sign-in", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.fixture
def secret() -> str:
    """Return a string that isn't in the source code, as a stack trace quotes source code."""
    return str(uuid.uuid4())


@through_every_transport
def test_a_bug_is_logged_with_its_stack_and_never_shown(
    settings: Settings, connect: Connect, watch: Watch, secret: str
) -> None:
    """The browser can read the 500; the log has the stack without the exceptions' messages."""
    with connect(settings, team=True) as client:
        answer = client.get(f"/team/broken?secret={secret}", headers={"Origin": ORIGIN})
    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.json() == {
        "statusCode": 500,
        "code": "internal_error",
        "message": "Something went wrong on our side.",
        "requestId": answer.headers["X-Request-Id"],
    }
    (line,) = watch.lines
    logged = json.loads(line)
    assert (logged["level"], logged["cause"]) == ("ERROR", "ValueError from KeyError")
    assert "team_routes.py" in logged["stack"]
    assert "KeyError" in logged["stack"]
    assert secret not in line
