"""Which pages may call the service: refusals of foreign pages, and what their log lines say."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest

from app.settings import Settings
from tests.support import faulty
from tests.support.document import our_routes
from tests.support.faulty import FaultyCognito
from tests.support.gateway import WAYS, event_from
from tests.support.people import ORIGIN
from tests.support.transports import handling, make_app
from tests.support.watch import Watch

through_every_transport = pytest.mark.transports("uvicorn", "rest", "http", "function-url")
FOREIGN = "https://evil.example"
ADA = '{"email": "ada@example.com", "password": "Correct-horse-9"}'


@pytest.fixture
def upstream() -> Iterator[FaultyCognito]:
    """Return a fake Cognito that accepts everything and counts the calls."""
    with FaultyCognito() as upstream:
        upstream.behave(faulty.Fine())
        yield upstream


@pytest.fixture
def settings(settings: Settings, upstream: FaultyCognito) -> Settings:
    """Return settings with that Cognito."""
    return replace(settings, endpoint_url=upstream.url)


def own_origin(api: httpx.Client) -> str:
    """Return the origin of the service's own pages."""
    return str(api.base_url.join("/")).rstrip("/")


@through_every_transport
@pytest.mark.parametrize("content", [ADA, "{", "x" * 20_000, ""])
def test_a_foreign_page_is_refused_before_anything_happens(
    api: httpx.Client, upstream: FaultyCognito, content: str
) -> None:
    """Whatever it sends, and even if no preflight would be needed, Cognito isn't asked."""
    for declared in (None, "text/plain", "application/json"):
        headers = {"Origin": FOREIGN} | ({"Content-Type": declared} if declared else {})
        answer = api.post("/auth/sign-up", content=content, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
        assert answer.json()["requestId"] == answer.headers["X-Request-Id"]
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert upstream.calls == []


def test_every_route_refuses_foreign_pages(api: httpx.Client, upstream: FaultyCognito) -> None:
    """A path that doesn't exist does, too. Health and the docs page are for everybody."""
    routes = [name.split(" ") for name in our_routes()] + [["GET", "/nowhere"], ["PUT", "/auth/me"]]
    for method, path in routes:
        answer = api.request(method, path, headers={"Origin": FOREIGN})
        assert answer.status_code == (200 if path == "/health" else 403), path
    for path in ("/docs", "/docs/docs.css", "/openapi.json"):
        answer = api.get(path, headers={"Origin": FOREIGN})
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert upstream.calls == []


@through_every_transport
def test_allowed_pages_our_own_and_programs_go_on(
    api: httpx.Client, upstream: FaultyCognito
) -> None:
    """The docs page calls the service from its own origin; curl sends no Origin."""
    for headers in ({}, {"Origin": ORIGIN}, {"Origin": own_origin(api)}):
        assert api.post("/auth/sign-up", content=ADA, headers=headers).status_code == 200
    assert len(upstream.calls) == 3


@pytest.mark.transports("uvicorn")
@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("api.example.com", "http://api.example.com", 200),
        ("API.example.com", "http://api.example.com", 200),
        ("api.example.com", "HTTP://API.EXAMPLE.COM", 200),
        ("api.example.com:80", "http://api.example.com", 200),
        ("api.example.com", "http://api.example.com:80", 200),
        ("api.example.com:8000", "http://api.example.com:8000", 200),
        ("[::1]:8000", "http://[::1]:8000", 200),
        ("api.example.com", "https://api.example.com", 403),
        ("api.example.com:443", "http://api.example.com", 403),
        ("api.example.com:8000", "http://api.example.com", 403),
        ("api.example.com", "http://evil.example", 403),
        ("api.example.com", "http://api.example.com.evil.example", 403),
        ("api.example.com", "http://evil.example/api.example.com", 403),
        ("api.example.com", "http://sub.api.example.com", 403),
        ("api.example.com", "http://api.example.com@evil.example", 403),
        ("api.example.com", "null", 403),
        ("api.example.com", "", 403),
        ("api.example.com", "http://", 403),
        ("null", "null", 403),
        ("localhost:8000", "http://127.0.0.1:8000", 403),
    ],
)
def test_what_the_services_own_origin_is(
    api: httpx.Client, host: str, origin: str, status: int
) -> None:
    """Scheme, host and port must be those that the request came to."""
    headers = {"Host": host, "Origin": origin}
    answer = api.post("/auth/sign-up", content=ADA, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("name", WAYS)
def test_the_own_origin_behind_every_gateway(settings: Settings, name: str) -> None:
    """Behind a stage, a base path or a custom domain, it is that of the browser's address."""
    way = WAYS[name]
    host = way.base_url.removesuffix(way.prefix).removeprefix("https://")
    origins = {f"https://{host}": 200, f"http://{host}": 403, f"https://{host}.evil.example": 403}
    with handling(make_app(settings)) as handler:
        for origin, status in origins.items():
            request = httpx.Request(
                "POST", f"{way.base_url}/auth/sign-up", content=ADA, headers={"Origin": origin}
            )
            event = event_from(request, way)
            assert handler(event, None)["statusCode"] == status
            # Hand-written events may have no Host.
            for headers in ("headers", "multiValueHeaders"):
                event[headers] = {
                    name: value
                    for name, value in event.get(headers, {}).items()
                    if name.lower() != "host"
                }
            assert handler(event, None)["statusCode"] == status


@through_every_transport
@pytest.mark.parametrize("origin", ["http://localhost:4200", FOREIGN])
def test_the_log_names_the_origin_and_the_remedy(
    api: httpx.Client, watch: Watch, origin: str
) -> None:
    """A developer sees only a CORS error in the browser, also for a refused preflight."""
    api.post("/auth/sign-up", content=ADA, headers={"Origin": origin})
    preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for path in ("/auth/sign-up", "/health"):
        answer = api.options(path, headers=preflight)
        assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert len(watch.lines) == 3
    for line in map(json.loads, watch.lines):
        assert line["code"] == "origin_not_allowed"
        assert line["origin"] == origin
        assert "ALLOWED_ORIGINS" in line["remedy"]


@pytest.mark.parametrize(
    ("origin", "logged"),
    [
        ("null", "null"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("chrome-extension://abcdefgh", "chrome-extension://abcdefgh"),
        (f"https://{'x' * 253}:65535", f"https://{'x' * 253}:65535"),
        (f"https://{'x' * 300}", "(not an origin)"),
        ("https://\u00e9.example", "(not an origin)"),
        ("https://a.example\x1b[31m", "(not an origin)"),
        ("https://a.example/?code=123456", "(not an origin)"),
        ("https://ada@example.com", "(not an origin)"),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "(not an origin)"),
        ("Correct-horse-9", "(not an origin)"),
    ],
)
def test_only_an_origin_is_logged(
    api: httpx.Client, watch: Watch, origin: str, logged: str
) -> None:
    """The header is a stranger's text: it may be long, control a terminal, or hold a secret."""
    api.get("/auth/me", headers={"Origin": origin.encode()})
    (line,) = map(json.loads, watch.lines)
    assert line["origin"] == logged
