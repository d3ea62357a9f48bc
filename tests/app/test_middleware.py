"""What surrounds every request: its id, the headers, the limit, the log line, the last resort."""

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
def test_every_answer_has_the_headers(api: httpx.Client, ada: Person) -> None:
    """Nothing is stored, sniffed or passed on as a referrer."""
    for answer in (ada.signs_up(), ada.signs_up(), api.get("/nowhere"), api.options("/health")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        https = answer.url.scheme == "https"
        assert ("Strict-Transport-Security" in answer.headers) == https


@through_every_transport
def test_every_request_has_its_own_id(api: httpx.Client) -> None:
    """It is in the header, in a failure's body, and nowhere taken from the caller."""
    answers = [api.get("/nowhere", headers={"X-Request-Id": "mine"}) for _ in range(2)]
    ids = {answer.headers["X-Request-Id"] for answer in answers}
    assert len(ids) == 2
    for answer in answers:
        assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
        assert uuid.UUID(answer.headers["X-Request-Id"])


@through_every_transport
def test_one_log_line_per_request(api: httpx.Client, ada: Person, watch: Watch) -> None:
    """With the route's template, not the path, in which people put anything."""
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


@through_every_transport
def test_a_body_as_large_as_may_be(api: httpx.Client) -> None:
    """The limit itself is within it; one byte more is not."""
    body = b'{"email": "ada@example.com", "padding": "%s"}'
    fits = body % (b"x" * (MAX_BODY - len(body) + 2))
    assert len(fits) == MAX_BODY
    assert api.post("/auth/sign-in", content=fits).status_code == 400
    assert api.post("/auth/sign-in", content=fits + b" ").status_code == 413


@pytest.mark.transports("uvicorn")
def test_a_body_far_too_large_is_told_so(api: httpx.Client) -> None:
    """The sender is heard out, else it would see a broken connection in place of the answer."""

    def stream() -> Iterator[bytes]:
        for _ in range(64):
            yield b"x" * 65_536

    for content in (b"x" * 4_000_000, stream()):
        answer = api.post("/auth/sign-in", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.fixture
def secret() -> str:
    """Something that stands in no source, which a stack quotes."""
    return str(uuid.uuid4())


@through_every_transport
def test_a_bug_is_logged_with_its_stack_and_never_shown(
    settings: Settings, connect: Connect, watch: Watch, secret: str
) -> None:
    """The browser can read that it was a 500; the log has the stack, without the messages."""
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
