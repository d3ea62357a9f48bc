"""CORS in a real browser: which origins can read answers, and how often preflights are sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings
from tests.conftest import Publish
from tests.support import faulty
from tests.support.browser import Browse, Window
from tests.support.faulty import FaultyCognito
from tests.support.transports import make_app, serve

FETCH = """async ([url, method, body, headers]) => {
  const answer = await fetch(url, {method, body, headers}).catch((error) => null);
  return answer && {
    status: answer.status,
    body: await answer.json(),
    id: answer.headers.get("X-Request-Id"),
    retryAfter: answer.headers.get("Retry-After"),
  };
}"""
# Ways to send JSON that need no preflight: a type that CORS doesn't check, or none.
SENT_WITHOUT_A_PREFLIGHT = """async ([url, json]) => {
  const untyped = new Blob([json]);
  await fetch(url, {method: "POST", mode: "no-cors", body: json});
  for (const body of [json, untyped, new URLSearchParams(json)])
    await fetch(url, {method: "POST", body}).catch(() => null);
  navigator.sendBeacon(url, untyped);

  const form = document.createElement("form");
  const field = document.createElement("input");
  [field.name, field.value] = [json.replace("}", ', "x": "'), '"}'];
  Object.assign(form, {action: url, method: "POST", enctype: "text/plain", target: "frame"});
  form.append(field);
  const frame = Object.assign(document.createElement("iframe"), {name: "frame"});
  document.body.append(form, frame);
  const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
  form.submit();
  await loaded;

  const sandbox = document.createElement("iframe");  // its origin is null
  sandbox.sandbox = "allow-scripts";
  sandbox.srcdoc = `<script>
    fetch(${JSON.stringify(url)}, {method: "POST", mode: "no-cors", body: ${JSON.stringify(json)}})
      .finally(() => parent.postMessage("sent", "*"));
  </script>`;
  const sent = new Promise((resolve) => window.addEventListener("message", resolve));
  document.body.append(sandbox);
  await sent;
}"""
ADA = '{"email": "ada@example.com", "password": "Correct-horse-9"}'
CODE = '{"email": "ada@example.com", "code": "123456"}'
JSON = {"Content-Type": "application/json"}
# For every status of the service: a request and the upstream's behaviour that lead to it.
ASKED: dict[int, tuple[str, str, str | None, dict[str, str], faulty.Behaviour]] = {
    200: ("POST", "/auth/sign-up", ADA, JSON, faulty.Fine()),
    400: ("POST", "/auth/sign-in", "{", JSON, faulty.Fine()),
    401: ("GET", "/auth/me", None, {}, faulty.Fine()),
    403: ("POST", "/auth/sign-in", ADA, JSON, faulty.Error("UserNotConfirmedException")),
    404: ("GET", "/nowhere", None, {}, faulty.Fine()),
    405: ("GET", "/auth/sign-up", None, {}, faulty.Fine()),
    409: ("POST", "/auth/sign-up", ADA, JSON, faulty.Error("UsernameExistsException")),
    410: ("POST", "/auth/confirm", CODE, JSON, faulty.Error("ExpiredCodeException")),
    413: ("POST", "/auth/sign-up", "x" * 20_000, JSON, faulty.Fine()),
    415: ("POST", "/auth/sign-up", "x", {"Content-Type": "text/plain"}, faulty.Fine()),
    429: ("POST", "/auth/sign-in", ADA, JSON, faulty.Error("LimitExceededException")),
    500: ("GET", "/team/broken?secret=x", None, {"Authorization": "Bearer x"}, faulty.Fine()),
    503: ("POST", "/auth/sign-in", ADA, JSON, faulty.UNAVAILABLE),
}


class Recorder:
    """A wrapper around the app that records each request's method and its answer's headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.seen: list[tuple[str, Headers]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""

        async def note(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.seen.append((scope["method"], Headers(raw=message["headers"])))
            await send(message)

        await self.app(scope, receive, note)

    @property
    def methods(self) -> list[str]:
        """The recorded methods, oldest first."""
        return [method for method, _ in self.seen]


async def blank(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Serve an empty page, as a front end."""
    headers = [(b"content-type", b"text/html")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'<link rel="icon" href="data:,">'})


@pytest.fixture
def front_end() -> Iterator[str]:
    """Return the origin of a front end that the API allows."""
    with serve(blank) as url:
        yield url


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a fake Cognito whose behaviour the test sets."""
    with FaultyCognito() as upstream:
        yield upstream


@pytest.fixture
def allowed(settings: Settings, front_end: str, upstream: FaultyCognito) -> Settings:
    """Return settings that allow only that front end and use that fake Cognito."""
    return replace(settings, allowed_origins=(front_end,), endpoint_url=upstream.url)


@pytest.fixture
def app(allowed: Settings) -> FastAPI:
    """Return the app with a team's routes, one of which has a bug."""
    return make_app(allowed, team=True)


@contextmanager
def page_of(browse: Browse, front_end: str, api: str) -> Iterator[Window]:
    """Open a page of the front end."""
    window = browse(front_end, str(httpx.URL(api).join("/")).rstrip("/"))
    window.page.goto(f"{front_end}/")
    yield window
    window.page.close()


@pytest.mark.transports("uvicorn", "rest")
def test_an_allowed_origin_reads_every_status(
    allowed: Settings, front_end: str, upstream: FaultyCognito, browse: Browse, publish: Publish
) -> None:
    """It can read the status, body, request id and Retry-After of every answer, even a bug's."""
    with publish(allowed, team=True) as api, page_of(browse, front_end, api) as window:
        for status, (method, path, body, headers, behaviour) in ASKED.items():
            upstream.behave(behaviour)
            read = window.page.evaluate(FETCH, [api + path, method, body, headers])
            assert read, f"{status} could not be read"
            assert (read["status"], read["body"]["statusCode"]) == (status, status)
            assert read["id"]
            assert read["body"].get("requestId", read["id"]) == read["id"]
            assert bool(read["retryAfter"]) == (status in {429, 503})


def test_a_foreign_origin_reads_nothing(
    app: FastAPI, upstream: FaultyCognito, browse: Browse
) -> None:
    """It can read no answer, and requests that need a preflight never reach Cognito."""
    recorder = Recorder(app)
    with serve(recorder) as api, serve(blank) as foreign, page_of(browse, foreign, api) as window:
        for status, (method, path, body, headers, behaviour) in ASKED.items():
            upstream.behave(behaviour)
            read = window.page.evaluate(FETCH, [api + path, method, body, headers])
            assert read is None, f"{status} was read"
        assert window.errors
        assert all("CORS policy" in error or "ERR_FAILED" in error for error in window.errors)
        window.errors.clear()
    assert "POST" in recorder.methods  # the text/plain request needs no preflight
    assert upstream.calls == []
    for _, headers in recorder.seen:
        assert "access-control-allow-origin" not in headers


def test_a_foreign_page_changes_nothing(
    app: FastAPI, upstream: FaultyCognito, browse: Browse
) -> None:
    """What it sends without a preflight is refused as well, before Cognito is asked."""
    recorder = Recorder(app)
    upstream.behave(faulty.Fine())
    with serve(recorder) as api, serve(blank) as foreign, page_of(browse, foreign, api) as window:
        window.page.evaluate(SENT_WITHOUT_A_PREFLIGHT, [f"{api}/auth/sign-up", ADA])
        window.errors.clear()
    assert recorder.methods == ["POST"] * 7
    assert upstream.calls == []


def test_a_preflight_is_cached(
    app: FastAPI, front_end: str, upstream: FaultyCognito, browse: Browse
) -> None:
    """The browser sends one preflight per route, and no answer allows all origins (`*`)."""
    recorder = Recorder(app)
    upstream.behave(faulty.Fine())
    with serve(recorder) as api, page_of(browse, front_end, api) as window:
        for _ in range(3):
            call = [f"{api}/auth/sign-up", "POST", ADA, JSON]
            assert window.page.evaluate(FETCH, call)["status"] == 200
    assert recorder.methods == ["OPTIONS", "POST", "POST", "POST"]
    for _, headers in recorder.seen:
        assert headers["access-control-allow-origin"] == front_end
        assert "*" not in headers.values()
