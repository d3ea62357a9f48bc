"""A session in a cookie, in a real browser: a page and the API on two hosts of one site, by TLS."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Page, expect
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles

from app.main import create_app
from app.sessions import NAME
from app.settings import Settings
from infra.local.demo import WEB, Demo
from infra.local.server import LocalCognito
from tests.bench.upstream import make_certificate
from tests.infra.web.conftest import PASSWORD, Site, Visitor
from tests.support.browser import FOREIGN, SITE, Browse, Window
from tests.support.transports import serve

MAKE = """async ([api, kind]) => {
    const { Client, ...stores } = await import("/client.js");
    window.changes = [];
    const onChange = (signedIn) => changes.push(signedIn);
    const store = stores[kind]("test");
    window.client = new Client(api, { session: "cookie", store, onChange });
}"""
# What a script finds on a page, and in the answer to a refresh that it makes itself.
LOOK = """async (api) => {
    const answer = await fetch(`${api}/auth/refresh`, { method: "POST", credentials: "include" });
    const stores = [{ ...localStorage }, { ...sessionStorage }];
    const found = [document.cookie, stores, await answer.json(), [...answer.headers]];
    return JSON.stringify(found);
}"""
# What a foreign page may try: with and without CORS, as a beacon, and as a form.
ATTACK = """async (url) => {
    const send = { method: "POST", credentials: "include" };
    const json = { "Content-Type": "application/json" };
    const tries = [
        fetch(url, send),
        fetch(url, { ...send, headers: json, body: "{}" }),
        fetch(url, { ...send, mode: "no-cors" }),
        fetch(url, { ...send, mode: "no-cors", body: "{}" }),
    ];
    const refused = () => "refused";
    const results = await Promise.all(tries.map((each) => each.then((r) => r.type, refused)));
    navigator.sendBeacon(url, "{}");
    const frame = Object.assign(document.createElement("iframe"), { name: "frame" });
    const form = Object.assign(document.createElement("form"), { action: url, target: "frame" });
    form.method = "POST";
    document.body.append(frame, form);
    const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
    form.submit();
    await loaded;
    return results;
}"""


@dataclass
class Place:
    """A site of several hosts, and a browser."""

    cognito: LocalCognito
    window: Window
    api: str
    port: int
    """Of all pages."""

    def open(self, host: str, page: Page | None = None) -> Page:
        """Open the page of a host."""
        page = page or self.window.page.context.new_page()
        page.goto(f"https://{host}:{self.port}/empty.html")
        return page

    def client(self, page: Page | None = None, store: str = "localStore") -> Page:
        """Open the app's page, with a client; by default in a new tab."""
        page = self.open(f"app.{SITE}", page)
        page.evaluate(MAKE, [self.api, store])
        return page

    def signs_up(self, page: Page) -> str:
        """Sign up and confirm, which signs in; return the address."""
        email = f"ada.{uuid4().hex}@example.com"
        body = {"email": email, "password": PASSWORD}
        page.evaluate(f"client.signUp({json.dumps(body)})")
        confirm = {"email": email, "code": self.cognito.outbox.code_for(email)}
        assert page.evaluate(f"client.confirm({json.dumps(confirm)})") == {"signedIn": True}
        return email

    def cookie(self) -> dict[str, Any]:
        """Return the session's cookie."""
        (found,) = self.window.page.context.cookies()
        return dict(found)


@pytest.fixture
def place(
    cognito: LocalCognito, settings: Settings, browse: Browse, tmp_path: Path
) -> Iterator[Place]:
    """Serve the API and pages on hosts of one site, and a foreign page."""
    certificate = make_certificate(tmp_path)
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "empty.html").write_text(
        "<!doctype html><title>Empty</title><link rel=icon href=data:>"
    )
    (pages / "client.js").write_text((WEB / "client.js").read_text())
    files = Starlette()
    files.mount("/", StaticFiles(directory=pages))
    with serve(files, certificate) as pages_url:
        port = int(pages_url.rpartition(":")[2])
        ours = f"https://app.{SITE}:{port}"
        allowed = replace(settings, session_cookie=True, allowed_origins=(ours,))
        with serve(create_app(allowed, wall_clock=cognito.clock.now), certificate) as api_url:
            api = f"https://api.{SITE}:{api_url.rpartition(':')[2]}"
            hosts = [f"app.{SITE}", f"evil.{SITE}", FOREIGN]
            servers = [api, *(f"https://{host}:{port}" for host in hosts)]
            window = browse(*servers, ignore_https_errors=True)
            yield Place(cognito, window, api, port)


def test_no_script_sees_the_token(place: Place) -> None:
    """Not in cookies, stores, bodies or headers. The cookie is as strict as cookies can be."""
    page = place.client(place.window.page)
    place.signs_up(page)
    seen = page.evaluate(LOOK, place.api)
    cookie = place.cookie()
    assert cookie["name"] == NAME
    assert cookie["value"] not in seen
    assert "RefreshToken" not in seen
    assert (cookie["httpOnly"], cookie["secure"], cookie["sameSite"]) == (True, True, "Strict")
    assert (cookie["domain"], cookie["path"]) == (f"api.{SITE}", "/")


def test_a_session_survives_a_reload(place: Place) -> None:
    """The page knows that there is one, and goes on; even after its storage was cleared."""
    page = place.client(place.window.page)
    email = place.signs_up(page)
    place.client(page)
    assert page.evaluate("client.signedIn")
    assert page.evaluate("client.me()")["email"] == email
    page.evaluate("localStorage.clear()")
    place.client(page)
    assert not page.evaluate("client.signedIn")
    page.evaluate("client.refresh()")
    assert page.evaluate("client.me()")["email"] == email


def test_two_tabs_share_it(place: Place) -> None:
    """They take turns to refresh, and one signs both out."""
    first = place.client(place.window.page)
    email = place.signs_up(first)
    second = place.client()
    for page in (first, second):
        page.evaluate("window.result = Promise.all([client.refresh(), client.refresh()]); 0")
    for page in (first, second):
        page.evaluate("window.result")
        assert page.evaluate("client.me()")["email"] == email
    second.evaluate("client.signOut()")
    first.wait_for_function("!client.signedIn")
    assert first.evaluate("changes") == [True, False]
    assert place.window.page.context.cookies() == []


@pytest.mark.parametrize("store", ["memoryStore", "sessionStore"])
def test_two_people_in_one_browser(place: Place, store: str) -> None:
    """The last one has the cookie. A page that doesn't know is told, and is nobody's."""
    first = place.client(place.window.page, store)
    second = place.client(None, store)
    ada, bob = place.signs_up(first), place.signs_up(second)
    assert ada != bob
    assert second.evaluate("client.me()")["email"] == bob
    code = first.evaluate("client.refresh().catch(({code}) => code)")
    assert code == "invalid_refresh_token"
    assert not first.evaluate("client.signedIn")
    assert first.evaluate("changes") == [True, False]
    assert first.evaluate("client.me().catch(({next}) => next)") == "signIn"
    second.evaluate("client.refresh()")
    assert second.evaluate("client.me()")["email"] == bob


def test_a_refresh_that_a_sign_in_overtakes(place: Place) -> None:
    """The sign-in waits, so that the cookie and the store have the same person."""
    page = place.client(place.window.page)
    ada = place.signs_up(page)
    page.evaluate("client.signOut()")
    bob = place.signs_up(page)
    body = json.dumps({"email": ada, "password": PASSWORD})
    page.evaluate(f"Promise.all([client.refresh(), client.signIn({body})])")
    page.evaluate("client.refresh()")
    assert page.evaluate("client.me()")["email"] == ada != bob


def test_signing_out_without_a_network(place: Place) -> None:
    """The page keeps in mind that the person has left, and signs out when it can."""
    page = place.client(place.window.page)
    place.signs_up(page)
    page.context.set_offline(True)
    assert page.evaluate("client.signOut().catch(({kind}) => kind)") == "lost"
    assert not page.evaluate("client.signedIn")
    page.context.set_offline(False)
    place.client(page)
    assert not page.evaluate("client.signedIn")
    code = page.evaluate("client.refresh().catch(({code}) => code)")
    assert code == "invalid_refresh_token"
    assert page.context.cookies() == []
    place.window.errors.clear()  # the network's


@pytest.mark.parametrize("host", [f"evil.{SITE}", FOREIGN])
@pytest.mark.parametrize("route", ["refresh", "sign-out"])
def test_a_foreign_page_does_nothing(place: Place, host: str, route: str) -> None:
    """From another site, the cookie isn't sent; from a host of this site, its origin is refused."""
    page = place.client(place.window.page)
    place.signs_up(page)
    before = place.cookie()["value"]
    evil = place.open(host)
    results = evil.evaluate(ATTACK, f"{place.api}/auth/{route}")
    assert results == ["refused", "refused", "opaque", "opaque"]
    made = [each for each in place.window.requests if each.frame.page == evil]
    statuses = [each.response() for each in made if each.url.endswith(f"/auth/{route}")]
    assert {answer.status for answer in statuses if answer} == {403}
    assert len(statuses) >= 5
    place.window.errors.clear()  # the refusals by CORS
    assert place.cookie()["value"] == before
    page.evaluate("client.refresh()")
    assert place.cookie()["value"] != before


@pytest.fixture
def site(cognito: LocalCognito, settings: Settings, origin: str) -> Iterator[Site]:
    """Serve the demo page and an API with the setting, as `make run` does."""
    allowed = replace(settings, session_cookie=True, allowed_origins=(origin,))
    port = int(origin.rpartition(":")[2])
    with (
        serve(create_app(allowed, wall_clock=cognito.clock.now)) as api,
        Demo(port, api, f"{cognito.url}/", cookie=True) as demo,
    ):
        yield Site(demo.url, api, cognito.url)


def test_the_demo_page(visit: Callable[..., Visitor]) -> None:
    """It has no choice to stay signed in, because a cookie stays, and goes on after a reload."""
    ada = visit()
    expect(ada.page.get_by_label(ada.words["stay"])).to_be_hidden()
    ada.is_signed_in()
    ada.page.reload()
    ada.hears("restored")
    expect(ada.page.get_by_text(ada.email)).to_be_visible()
    ada.presses("signOut")
    ada.hears("signOut")
    assert ada.page.context.cookies() == []
    ada.signs_in()
    ada.hears("signIn")
