"""client.js in a real browser: one refresh for many calls, two tabs, and failures."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, Route

from infra.local.server import LocalCognito
from tests.infra.web.conftest import Site
from tests.support.browser import Browse, Window
from tests.support.people import Person

# For the calls of `Person`: other transports run event loops in this thread, as Playwright does.
pytestmark = pytest.mark.transports("uvicorn")

MAKE = """async ([store, options]) => {
    window.module = await import("/client.js");
    window.API = (await import("/config.js")).API;
    window.store = module[store]("test");
    window.changes = [];
    const onChange = (signedIn) => changes.push(signedIn);
    window.client = new module.Client(API, { store: window.store, onChange, ...options });
}"""

# Returns a promise's value or its error, so that a test can check failures too.
SETTLE = """async () => {
    try {
        return { value: await CALL };
    } catch (error) {
        const { name, message, status, code, kind, next, retryAfter, errors, needs } = error;
        const text = JSON.stringify(error);
        return { name, message, status, code, kind, next, retryAfter, errors, needs, text };
    }
}"""


@dataclass
class Tab:
    """A page with its own client, in addition to the demo's."""

    page: Page
    window: Window
    said: list[str] = field(default_factory=list)
    """All messages in its console."""

    def makes_a_client(self, store: str = "memoryStore", **options: object) -> None:
        """Make a client with one of client.js's stores."""
        self.page.evaluate(MAKE, [store, options])

    def does(self, call: str) -> dict[str, Any]:
        """Wait for a call, and return its value or the failure's fields."""
        settled: dict[str, Any] = self.page.evaluate(SETTLE.replace("CALL", call))
        return settled

    def starts(self, call: str) -> None:
        """Start a call without waiting; `result` becomes its promise."""
        self.page.evaluate(f"{{ window.result = {call}; window.result.catch(() => {{}}); 0 }}")

    def signs_in(self, person: Person) -> None:
        """Sign in."""
        body = json.dumps({"email": person.email, "password": person.password})
        assert self.does(f"client.signIn({body})") == {"value": None}

    def now(self, expression: str) -> Any:
        """Return the value of an expression."""
        return self.page.evaluate(expression)


@pytest.fixture
def tab(browse: Browse, site: Site) -> Tab:
    """Return a new tab, in which nothing has been done yet."""
    window = browse(*vars(site).values())
    return open_tab(window.page, window, site)


def open_tab(page: Page, window: Window, site: Site) -> Tab:
    """Open the demo's origin in a page, and return it as a tab."""
    tab = Tab(page, window)
    page.on("console", lambda message: tab.said.append(message.text))
    page.goto(site.demo)
    return tab


def requests_for(window: Window, path: str) -> list[Any]:
    """Return the requests for a route, without preflights."""
    return [request for request in window.requests if request.url.endswith(path)]


MANY = "Promise.all(Array.from({ length: 10 }, () => client.me()))"


def test_many_calls_share_one_refresh_after_a_401(
    tab: Tab, ada: Person, cognito: LocalCognito
) -> None:
    """Each call is refused once, one call refreshes, and all calls succeed."""
    ada.has_an_account()
    tab.makes_a_client()
    tab.signs_in(ada)
    cognito.clock.advance(timedelta(hours=4))
    answers = tab.does(MANY)["value"]
    assert [answer["email"] for answer in answers] == [ada.email] * 10
    assert len(requests_for(tab.window, "/auth/refresh")) == 1
    assert len(requests_for(tab.window, "/auth/me")) == 20


def test_the_token_is_replaced_before_it_expires(tab: Tab, ada: Person) -> None:
    """If the page's clock shows that the token is about to expire, no call is refused."""
    tab.page.clock.install()
    ada.has_an_account()
    tab.makes_a_client()
    tab.signs_in(ada)
    tab.does("client.me()")
    assert requests_for(tab.window, "/auth/refresh") == []
    tab.page.clock.fast_forward("02:59:30")
    assert len(tab.does(MANY)["value"]) == 10
    assert len(requests_for(tab.window, "/auth/refresh")) == 1
    assert len(requests_for(tab.window, "/auth/me")) == 11


def test_fetch_sends_the_token(tab: Tab, ada: Person, cognito: LocalCognito, site: Site) -> None:
    """A team's own routes get the token and the retry; another origin gets no request."""
    ada.has_an_account()
    tab.makes_a_client()
    assert tab.does("client.fetch('/auth/me').then((answer) => answer.status)")["value"] == 401
    assert "authorization" not in requests_for(tab.window, "/auth/me")[0].all_headers()
    tab.signs_in(ada)
    cognito.clock.advance(timedelta(hours=4))
    answer = tab.does("client.fetch(`${API}/auth/me`).then((answer) => answer.json())")["value"]
    assert answer["body"]["email"] == ada.email
    assert len(requests_for(tab.window, "/auth/refresh")) == 1
    assert tab.does("client.fetch('/nothing').then((answer) => answer.status)")["value"] == 404
    other = site.api.replace("127.0.0.1", "localhost")
    assert tab.does(f"client.fetch('{other}/auth/me')")["name"] == "TypeError"
    assert requests_for(tab.window, f"{other}/auth/me") == []


def test_a_session_that_is_over(tab: Tab, ada: Person, cognito: LocalCognito) -> None:
    """When the service says so, the client forgets the session and calls `onChange`."""
    ada.has_an_account()
    tab.makes_a_client("sessionStore")
    tab.signs_in(ada)
    ada.signs_in()
    ada.signs_out_everywhere()
    cognito.clock.advance(timedelta(hours=4))
    failure = tab.does(MANY)
    assert (failure["name"], failure["code"]) == ("ApiError", "invalid_refresh_token")
    assert failure["next"] == "signIn"
    assert len(requests_for(tab.window, "/auth/refresh")) == 1
    assert tab.now("[client.signedIn, store.get(), ...changes]") == [False, None, True, False]
    assert tab.does("client.me()")["code"] == "invalid_token"


def test_a_lost_network_keeps_the_session(tab: Tab, ada: Person, cognito: LocalCognito) -> None:
    """Calls and refreshes fail without a network, and succeed when it is back."""
    ada.has_an_account()
    tab.makes_a_client()
    tab.signs_in(ada)
    cognito.clock.advance(timedelta(hours=4))
    tab.page.context.set_offline(True)
    failure = tab.does("client.refresh()")
    assert (failure["name"], failure["kind"], failure["next"]) == ("NetworkError", "lost", "retry")
    assert tab.does("client.fetch('/auth/me')")["kind"] == "lost"
    tab.page.context.set_offline(False)
    tab.window.errors.clear()  # Chromium's own messages
    assert tab.does("client.me()")["value"]["email"] == ada.email


def test_signing_out_without_a_network(tab: Tab, ada: Person) -> None:
    """The client forgets the session, and reports that it couldn't reach the service."""
    ada.has_an_account()
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    tab.page.context.set_offline(True)
    assert tab.does("client.signOut()")["kind"] == "lost"
    tab.window.errors.clear()  # Chromium's own message
    assert tab.now("[client.signedIn, store.get()]") == [False, None]


@pytest.mark.parametrize("locks", [True, False], ids=["locks", "no-locks"])
def test_signing_out_during_a_refresh(
    tab: Tab, ada: Person, cognito: LocalCognito, *, locks: bool
) -> None:
    """The refreshed session is forgotten too, even in a browser without Web Locks."""
    if not locks:
        tab.now("Object.defineProperty(navigator, 'locks', { value: undefined })")
    ada.has_an_account()
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    cognito.clock.advance(timedelta(hours=4))
    tab.does("Promise.allSettled([client.refresh(), client.signOut(), client.refresh()])")
    assert tab.now("[client.signedIn, store.get()]") == [False, None]
    assert len(requests_for(tab.window, "/auth/refresh")) == 1


def test_two_tabs_take_turns(tab: Tab, site: Site, ada: Person, cognito: LocalCognito) -> None:
    """Both tabs need new tokens at once, and neither invalidates the other's."""
    ada.has_an_account()
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    other = open_tab(tab.page.context.new_page(), tab.window, site)
    other.makes_a_client("localStore")
    assert other.does("client.me()")["value"]["email"] == ada.email
    for _ in range(3):
        # A replaced refresh token no longer works after this, so a tab that used one would fail.
        cognito.clock.advance(timedelta(hours=4))
        tab.starts("client.me()")
        other.starts("client.me()")
        assert tab.does("result")["value"] == other.does("result")["value"]
    assert len(requests_for(tab.window, "/auth/refresh")) == 7


def test_a_tab_waits_for_the_other(tab: Tab, site: Site, ada: Person) -> None:
    """While one tab refreshes, the other one waits."""
    ada.has_an_account()
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    other = open_tab(tab.page.context.new_page(), tab.window, site)
    other.makes_a_client("localStore")
    held: list[Route] = []
    tab.page.route("**/auth/refresh", lambda route: held.append(route))  # noqa: PLW0108 - Playwright wants a function
    with tab.page.expect_request("**/auth/refresh"):
        tab.starts("client.refresh()")
    other.starts("client.refresh()")
    waiting = "async () => (await navigator.locks.query()).pending.length === 1"
    other.page.wait_for_function(waiting, timeout=5000)
    assert len(requests_for(tab.window, "/refresh")) == 1
    held[0].continue_()
    assert tab.does("result") == other.does("result") == {"value": None}
    assert len(requests_for(tab.window, "/auth/refresh")) == 2


def test_two_tabs_share_the_session(
    tab: Tab, site: Site, person: Callable[[], Person], cognito: LocalCognito
) -> None:
    """A sign-out in one tab signs out both, and the next sign-in signs in both."""
    ada, grace = person(), person()
    ada.has_an_account()
    grace.has_an_account()
    tab.makes_a_client("localStore")
    other = open_tab(tab.page.context.new_page(), tab.window, site)
    other.makes_a_client("localStore")
    tab.signs_in(ada)
    other.page.wait_for_function("changes.length === 1")
    assert other.does("client.me()")["value"]["email"] == ada.email
    cognito.clock.advance(timedelta(hours=4))
    tab.does("client.refresh()")
    tab.does("client.signOut()")
    other.page.wait_for_function("changes.length === 2")
    assert other.does("client.me()")["code"] == "invalid_token"
    tab.signs_in(ada)
    tab.signs_in(grace)
    other.page.wait_for_function("changes.length === 4")
    assert other.does("client.me()")["value"]["email"] == grace.email
    assert other.now("changes") == [True, False, True, True]


def test_a_tab_does_not_use_another_persons_session(
    tab: Tab, person: Callable[[], Person], cognito: LocalCognito
) -> None:
    """Another tab has signed in another person, and this tab hasn't noticed."""
    ada, grace = person(), person()
    ada.has_an_account()
    grace.has_an_account()
    tab.makes_a_client("localStore")
    tab.now("window.client = new module.Client(API, { store: { ...store, watch: undefined } })")
    tab.signs_in(ada)
    tab.now("window.ada = client; window.client = new module.Client(API, { store }); 0")
    tab.signs_in(grace)
    cognito.clock.advance(timedelta(hours=4))
    failure = tab.does("ada.deleteMe()")
    assert (failure["code"], failure["next"]) == ("invalid_refresh_token", "signIn")
    assert tab.does("client.me()")["value"]["email"] == grace.email


@pytest.mark.parametrize(
    ("store", "reloaded", "elsewhere"),
    [
        ("memoryStore", False, False),
        ("sessionStore", True, False),
        ("localStore", True, True),
    ],
)
def test_where_the_session_lives(  # noqa: PLR0913 - a table's row, and the fixtures
    tab: Tab,
    site: Site,
    ada: Person,
    store: str,
    *,
    reloaded: bool,
    elsewhere: bool,
) -> None:
    """As in the README: until the page is left, until the tab is closed, or for every tab."""
    ada.has_an_account()
    tab.makes_a_client(store)
    tab.signs_in(ada)
    tab.page.reload()
    tab.makes_a_client(store)
    assert tab.now("client.signedIn") == reloaded
    assert ("value" in tab.does("client.me()")) == reloaded
    other = open_tab(tab.page.context.new_page(), tab.window, site)
    other.makes_a_client(store)
    assert other.now("client.signedIn") == elsewhere


def test_a_browser_that_allows_no_storage(tab: Tab, ada: Person) -> None:
    """Without storage, the session is kept in memory."""
    ada.has_an_account()
    tab.now(
        """Object.defineProperty(window, "localStorage", {
            get() { throw new DOMException("denied", "SecurityError"); }
        })"""
    )
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    assert tab.does("client.me()")["value"]["email"] == ada.email


def test_a_challenge(tab: Tab, ada: Person, api: httpx.Client) -> None:
    """The error has the challenge's fields; its JSON, for error reporters, lacks the session."""
    assert api.get("/health").status_code == 200
    tab.makes_a_client()
    body = {"challenge": "SOFTWARE_TOKEN_MFA", "session": "AYABe-secret", "needs": ["code"]}
    answer_with(tab, 403, {"code": "challenge_required", **body})
    failure = tab.does(f"client.signIn({{ email: '{ada.email}', password: 'x' }})")
    assert (failure["next"], failure["needs"]) == ("challenge", ["code"])
    assert "AYABe" not in failure["text"]
    assert tab.now("client.signIn({}).catch(({ session }) => session)") == "AYABe-secret"
    answer_with(tab, 403, {"code": "challenge_required", **body, "challenge": "MFA_SETUP"})
    failure = tab.does(f"client.signIn({{ email: '{ada.email}', password: 'x' }})")
    assert (failure["next"], failure["needs"]) == ("setUpMfa", ["code"])


@pytest.mark.parametrize(
    ("status", "code", "following"),
    [
        (410, "code_expired", "resendCode"),
        (429, "too_many_requests", "wait"),
        (503, "unavailable", "retry"),
        (500, "internal_error", "report"),
        (401, "diary_locked", "signIn"),
        (409, "diary_full", "fix"),
        (500, "diary_burnt", "report"),
        (400, "constructor", "fix"),
    ],
)
def test_what_to_do_next(tab: Tab, status: int, code: str, following: str) -> None:
    """The next step depends on the code, or on the status if a team has added the code."""
    tab.makes_a_client()
    answer_with(tab, status, {"code": code}, {"Retry-After": "7"})
    failure = tab.does("client.confirm({})")
    assert failure["name"] == "ApiError"
    assert (failure["status"], failure["code"], failure["next"]) == (status, code, following)
    assert (failure["retryAfter"], failure["errors"]) == (7, [])


@pytest.mark.parametrize(
    "body", ["<!doctype html><p>Log in to our Wi-Fi", "null", "[]", '{"statusCode": 500}', ""]
)
def test_an_answer_from_another_service(tab: Tab, body: str) -> None:
    """A captive portal's page isn't taken for an answer of the service, whatever its status."""
    tab.makes_a_client()
    tab.page.route("**/auth/*", lambda route: fulfil(route, 200, body))
    assert tab.does("client.confirm({})")["kind"] == "garbled"


def test_a_service_that_stalls(tab: Tab) -> None:
    """A call ends at its timeout."""
    tab.makes_a_client(timeout=100)
    tab.page.route("**/auth/*", lambda _: None)
    failure = tab.does("client.confirm({})")
    assert (failure["name"], failure["kind"]) == ("NetworkError", "timeout")


def test_an_aborted_call(tab: Tab) -> None:
    """A call that the caller aborts isn't reported as a network failure."""
    tab.makes_a_client()
    assert tab.does("client.fetch('/x', { signal: AbortSignal.abort() })")["name"] == "AbortError"


def test_nothing_is_logged(tab: Tab, ada: Person, cognito: LocalCognito) -> None:
    """The client writes nothing to the console."""
    ada.has_an_account()
    tab.makes_a_client("localStore")
    tab.signs_in(ada)
    cognito.clock.advance(timedelta(hours=4))
    tab.does("client.me()")
    tab.does("client.signOut()")
    assert [line for line in tab.said if not line.startswith("Failed to load resource")] == []


def answer_with(
    tab: Tab, status: int, body: dict[str, Any], headers: dict[str, str] | None = None
) -> None:
    """Answer every call to the API with this, in place of the service."""
    envelope = {"statusCode": status, "message": "…", "requestId": "1"} | body
    text = json.dumps(envelope)
    tab.page.route("**/auth/*", lambda route: fulfil(route, status, text, headers))


def fulfil(route: Route, status: int, text: str, headers: dict[str, str] | None = None) -> None:
    """Answer a request with the headers that CORS requires."""
    cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
    route.fulfill(status=status, body=text, headers=cors | (headers or {}))
