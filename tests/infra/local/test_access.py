"""Which pages may call the local Cognito, over HTTP and from pages in Chromium."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from infra.local.pool.clock import Clock
from infra.local.server import MAX_REQUEST_BYTES, LocalCognito, LocalPool
from tests.support.browser import FOREIGN, Browse
from tests.support.contract import PASSWORD, Contract
from tests.support.transports import serve

SERVICE = "AWSCognitoIdentityProviderService"
ALLOWED = "https://app.example.com"
EVIL = "https://evil.example"


def call(url: str, operation: str | None = "ListUserPools", **headers: str) -> httpx.Response:
    """Call an operation as a browser would, with these headers."""
    target = {"X-Amz-Target": f"{SERVICE}.{operation}"} if operation else {}
    return httpx.post(url, content='{"MaxResults": 1}', headers={**target, **headers})


@pytest.fixture(scope="module")
def cognito() -> Iterator[LocalCognito]:
    """Return a local Cognito that pages of one other origin may call."""
    with LocalCognito(allowed_origins=[ALLOWED]) as cognito:
        yield cognito


def cors_of(response: httpx.Response) -> dict[str, str]:
    """Return a response's CORS headers."""
    headers = response.headers.items()
    return {name: value for name, value in headers if name.startswith("access-control-")}


@pytest.mark.parametrize(
    "origin",
    [
        ALLOWED,
        "http://localhost:5173",
        "http://LOCALHOST:4200",
        "https://localhost",
        "http://127.0.0.1:8080",
        "http://127.1.2.3",
        "http://app.localhost:5173",
        "http://[::1]:3000",
    ],
)
def test_pages_that_may_call(cognito: LocalCognito, origin: str) -> None:
    """The answer names the page's origin and no other, and so does the preflight's."""
    answer = call(cognito.url, Origin=origin)
    assert answer.status_code == 200
    assert cors_of(answer)["access-control-allow-origin"] == origin
    assert "Origin" in answer.headers["Vary"]
    asked = "cache-control,content-type,x-amz-target,x-amz-user-agent"
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    preflight = httpx.options(cognito.url, headers=headers)
    assert preflight.status_code == 204
    assert cors_of(preflight)["access-control-allow-origin"] == origin
    assert cors_of(preflight)["access-control-allow-headers"] == asked


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        EVIL,
        f"{ALLOWED}.evil.example",
        f"{ALLOWED}:8443",
        "http://app.example.com",
        "http://localhost.evil.example",
        "http://evil.example/localhost",
        "http://localhost@evil.example",
        "http://127.0.0.1.evil.example",
        "http://[::1",
        "http://2130706433.example",
        "http://evil.example@localhost",
        "http://localhost/evil",
        "http://localhost?x",
        "http://localhost:abc",
        "http://localhost:1,evil.example",
        "file://localhost",
        "chrome-extension://localhost",
    ],
)
def test_pages_that_may_not_call(cognito: LocalCognito, origin: str) -> None:
    """Nothing happens, and the page can't read the refusal. The preflight is refused, too."""
    answer = call(cognito.url, Origin=origin)
    assert answer.status_code == 403
    assert answer.headers["X-Amzn-ErrorType"] == "ForbiddenException"
    assert "ALLOWED_ORIGINS" in answer.json()["message"]
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for refused in (answer, httpx.options(cognito.url, headers=headers)):
        assert cors_of(refused) == {}


def test_a_refused_page_is_named_on_the_terminal(
    cognito: LocalCognito, capfd: pytest.CaptureFixture[str]
) -> None:
    """The developer learns which origin to allow, on one line, whatever the origin contains."""
    foreign = EVIL + "/\u00e9" + "x" * 1000
    headers = {"Origin": foreign.encode("latin-1"), "Access-Control-Request-Method": b"POST"}
    for method in ("POST", "OPTIONS"):
        httpx.request(method, cognito.url, headers=headers)
        (line,) = capfd.readouterr().err.splitlines()
        assert line.isprintable()
        assert line.isascii()
        assert f"ALLOWED_ORIGINS: {EVIL}/xxx" in line
        assert len(line) < 400
    httpx.options(cognito.url, headers={"Origin": ALLOWED})
    assert capfd.readouterr().err == ""


class StoppedClock(Clock):
    """A clock that fails, as code does in a way that nobody foresaw."""

    def now(self) -> float:
        """Fail."""
        raise RuntimeError("stopped")


def test_pages_read_every_failure(cognito: LocalCognito) -> None:
    """A failure has CORS headers, too: otherwise a page sees only that the network failed."""
    too_large = httpx.post(
        cognito.url,
        content=b"x" * (MAX_REQUEST_BYTES + 1),
        headers={"Origin": ALLOWED, "X-Amz-Target": f"{SERVICE}.SignUp"},
    )
    unknown = httpx.get(f"{cognito.url}/nothing", headers={"Origin": ALLOWED})
    with LocalCognito(allowed_origins=[ALLOWED], clock=StoppedClock()) as stopped:
        client_id = stopped.create_pool("stopped", google=False).client_id
        body = {"ClientId": client_id, "Username": "ada@example.com", "Password": PASSWORD}
        headers = {"Origin": ALLOWED, "X-Amz-Target": f"{SERVICE}.SignUp"}
        failed = httpx.post(stopped.url, content=json.dumps(body), headers=headers)
    for answer, status in ((too_large, 413), (unknown, 404), (failed, 500)):
        assert answer.status_code == status
        assert cors_of(answer)["access-control-allow-origin"] == ALLOWED


def test_programs_may_call(cognito: LocalCognito) -> None:
    """A program sends no Origin."""
    assert "UserPools" in call(cognito.url).json()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
@pytest.mark.parametrize("query", ["", "?Action=ListUserPools&MaxResults=1"])
def test_a_call_names_its_operation_in_a_header(
    cognito: LocalCognito, kind: str, query: str
) -> None:
    """Neither the query nor a form does: a page elsewhere can send both without a preflight."""
    form = "Action=ListUserPools&MaxResults=1"
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        headers = {"Content-Type": kind}
        answer = httpx.request(method, f"{cognito.url}/{query}", content=form, headers=headers)
        assert answer.status_code in {400, 404}
        assert "UserPools" not in answer.text
    # The header counts, whatever else is sent
    answer = call(cognito.url + query.replace("ListUserPools", "DeleteUserPool"))
    assert "UserPools" in answer.json()


@pytest.mark.parametrize("path", ["/anything", "/x/y", "/moto-api/reset", "/us-east-1_a/"])
def test_there_is_nothing_else(cognito: LocalCognito, path: str) -> None:
    """No other path reaches moto."""
    for method in ("GET", "POST"):
        headers = {"X-Amz-Target": f"{SERVICE}.ListUserPools"}
        answer = httpx.request(method, cognito.url + path, headers=headers)
        assert answer.status_code == 404


# Pages in a browser

BLANK = Starlette(routes=[Route("/", lambda _: HTMLResponse("<!doctype html>"))])


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """Serve an empty page. Chromium finds it under this machine's names and under FOREIGN."""
    with serve(BLANK) as url:
        yield url


POST = """async ([url, target, body, mode, type]) => {
  const headers = {...(target && {"X-Amz-Target": target}), ...(type && {"Content-Type": type})};
  try {
    const answer = await fetch(url, {method: "POST", mode, headers, body});
    return [answer.type, await answer.text()];
  } catch { return "refused"; }
}"""
GET = """async ([url, mode]) => {
  try { return [(await fetch(url, {mode})).type]; } catch { return "refused"; }
}"""
BEACON = "([url, body]) => navigator.sendBeacon(url, body)"
FORM = """([url, fields, enctype]) => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  frame.name = "there";
  const form = document.body.appendChild(document.createElement("form"));
  Object.assign(form, {action: url, method: "post", target: "there", enctype});
  for (const [name, value] of Object.entries(fields)) {
    form.append(Object.assign(document.createElement("input"), {name, value}));
  }
  form.submit();
}"""


@contextmanager
def answered(page: Page) -> Iterator[None]:
    """Wait until a request is answered, or fails, that the page itself doesn't wait for."""
    with page.context.expect_event("request") as sent:
        yield
    sent.value.response()


def test_a_page_elsewhere_does_nothing(
    browse: Browse, site: str, cognito: LocalCognito, pool: LocalPool
) -> None:
    """It can neither read nor change users, in any way that a page can send a request."""
    window = browse(site.replace("127.0.0.1", FOREIGN), cognito.url)
    page = window.page
    page.goto(f"{window.servers[0]}/")
    contract = Contract(pool, cognito)
    email = contract.member()
    user = {"UserPoolId": pool.user_pool_id, "Username": email}
    deletes = {"Action": "AdminDeleteUser", **user}
    query = "&".join(f"{name}={value}" for name, value in deletes.items())
    here, body = cognito.url, json.dumps(user)
    consent = {"request": "guess", "choice": "allow", "email": email}
    tries: list[tuple[str, list[Any]]] = [
        (POST, [f"{here}/", f"{SERVICE}.AdminDeleteUser", body, "cors", None]),
        (POST, [f"{here}/?{query}", None, body, "cors", "text/plain"]),
        (POST, [f"{here}/?{query}", None, body, "no-cors", "text/plain"]),
        (POST, [f"{here}/", None, query, "no-cors", "application/x-www-form-urlencoded"]),
        (POST, [f"{here}/console/forget", None, "{}", "no-cors", "text/plain"]),
        (GET, [f"{here}/?{query}", "no-cors"]),
        (GET, [f"{here}/oauth2/authorize?{query}", "no-cors"]),
        (GET, [f"{here}/logout?{query}", "no-cors"]),
        *((BEACON, [f"{here}{path}", body]) for path in ("/", f"/?{query}", "/console/forget")),
        *((BEACON, [f"{here}{path}", query]) for path in ("/oauth2/token", "/oauth2/revoke")),
        (FORM, [f"{here}/google/consent", consent, "application/x-www-form-urlencoded"]),
        (FORM, [f"{here}/", deletes, "application/x-www-form-urlencoded"]),
        (FORM, [f"{here}/", deletes, "multipart/form-data"]),
        (FORM, [f"{here}/?{query}", deletes, "text/plain"]),
    ]
    for script, arguments in tries:
        with answered(page) if script in {FORM, BEACON} else nullcontext():
            page.evaluate(script, arguments)
        assert contract.admin.admin_get_user(**user)["Enabled"], arguments
    for path in ("/outbox", "/console/state", "/", "/oauth2/authorize"):
        assert page.evaluate(GET, [here + path, "cors"]) == "refused"
    window.errors.clear()  # Chromium reports each refusal


def test_a_domain_that_points_here_does_nothing(
    browse: Browse, cognito: LocalCognito, pool: LocalPool
) -> None:
    """A page elsewhere whose domain now points to this machine (DNS rebinding) is refused."""
    here = cognito.url.replace("127.0.0.1", FOREIGN)
    window = browse(here)
    page = window.page
    contract = Contract(pool, cognito)
    user = {"UserPoolId": pool.user_pool_id, "Username": contract.member()}
    arguments = [f"{here}/", f"{SERVICE}.AdminDeleteUser", json.dumps(user), "cors", None]
    for path in ("/", "/outbox", "/console/state"):
        page.goto(here + path)
        assert "This is for this machine only" in page.content()
        assert "This is for this machine only" in page.evaluate(POST, arguments)[1]
    assert contract.admin.admin_get_user(**user)["Enabled"]


@pytest.mark.parametrize("rename", [lambda url: url, lambda url: url.replace("127.0.0.1", FOREIGN)])
def test_a_page_that_may_call_reads_the_answer(
    browse: Browse, site: str, rename: Callable[[str], str]
) -> None:
    """Pages of this machine and of an allowed origin sign people up, and read refusals."""
    origin = rename(site)
    with LocalCognito(allowed_origins=[origin]) as cognito:
        pool = cognito.create_pool()
        page = browse(origin, cognito.url).page
        page.goto(f"{origin}/")
        body = {"ClientId": pool.client_id, "Username": "ada@example.com", "Password": "too-short"}
        kind = "application/x-amz-json-1.1"
        arguments = [f"{cognito.url}/", f"{SERVICE}.SignUp", json.dumps(body), "cors", kind]
        answer = page.evaluate(POST, arguments)
    assert answer[0] == "cors"
    assert "InvalidPasswordException" in answer[1]
