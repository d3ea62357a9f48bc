"""SESSION_COOKIE: the refresh token travels in a cookie that no script can read."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.sessions import MAX_AGE, NAME
from app.settings import Settings
from infra.local.server import LocalCognito, LocalPool
from tests.conftest import Connect
from tests.support.failures import DONE, INVALID_REFRESH_TOKEN, failure
from tests.support.gateway import WAYS, event_from
from tests.support.people import ORIGIN, Person, admin
from tests.support.transports import handling, make_app

through_every_transport = pytest.mark.transports("uvicorn", "rest", "http", "function-url")
ATTRIBUTES = "HttpOnly; Max-Age={}; Path=/; SameSite=Strict; Secure"
IN_THE_BODY = {"AccessToken", "ExpiresIn", "TokenType", "IdToken"}


@dataclass
class Jar:
    """What a browser keeps for the API, and the headers that it adds to a page's requests.

    httpx's own would not send the cookie to an address without TLS.
    """

    origin: str | None = ORIGIN
    cookies: dict[str, str] = field(default_factory=dict)
    last: str = ""
    """The last Set-Cookie."""

    def add(self, request: httpx.Request) -> None:
        """Add the headers Origin and Cookie."""
        request.headers.pop("Cookie", None)
        if self.origin:
            request.headers["Origin"] = self.origin
        if self.cookies:
            pairs = (f"{name}={value}" for name, value in self.cookies.items())
            request.headers["Cookie"] = "; ".join(pairs)

    def keep(self, answer: httpx.Response) -> None:
        """Keep the cookie that an answer sets, or forget it if its age is 0."""
        for header in answer.headers.get_list("Set-Cookie"):
            self.last = header
            pair, _, attributes = header.partition("; ")
            name, _, value = pair.partition("=")
            assert name == NAME
            if attributes == ATTRIBUTES.format(0):
                self.cookies.pop(name, None)
            else:
                assert attributes == ATTRIBUTES.format(MAX_AGE)
                self.cookies[name] = value


@contextmanager
def browsing(connect: Connect, settings: Settings) -> Iterator[tuple[httpx.Client, Jar]]:
    """Open a client of the app that behaves as a browser does on a page."""
    with connect(settings) as api:
        jar = Jar()
        api.event_hooks["request"].append(jar.add)
        api.event_hooks["response"].append(jar.keep)
        yield api, jar


@pytest.fixture
def browser(connect: Connect, settings: Settings) -> Iterator[tuple[httpx.Client, Jar]]:
    """Return a client of an app with the setting, and its jar."""
    with browsing(connect, replace(settings, session_cookie=True)) as opened:
        yield opened


@pytest.fixture
def api(browser: tuple[httpx.Client, Jar]) -> httpx.Client:
    """Return the client."""
    return browser[0]


@pytest.fixture
def jar(browser: tuple[httpx.Client, Jar]) -> Jar:
    """Return the jar."""
    return browser[1]


def given(person: Person, jar: Jar, answer: httpx.Response) -> str:
    """Check an answer that begins or continues a session; return the token in the cookie."""
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["body"]) == IN_THE_BODY
    token = jar.cookies[NAME]
    person.given.add(token)
    assert token not in answer.text
    return token


@through_every_transport
def test_a_session(ada: Person, api: httpx.Client, jar: Jar) -> None:
    """Signing in sets the cookie, refreshing replaces it, and signing out removes it."""
    ada.has_an_account()
    assert not jar.last
    first = given(ada, jar, ada.signs_in())
    answer = api.post("/auth/refresh")
    second = given(ada, jar, answer)
    assert second != first
    ada.tokens |= answer.json()["body"]
    assert ada.looks_in_the_mirror().status_code == 200
    for empty in ({"json": {}}, {"json": {"refreshToken": "ignored"}}, {"content": b""}):
        given(ada, jar, api.post("/auth/refresh", **empty))
    answer = api.post("/auth/sign-out")
    assert (answer.status_code, answer.json()) == (200, DONE)
    assert not jar.cookies
    assert failure(api.post("/auth/refresh")) == INVALID_REFRESH_TOKEN
    assert api.post("/auth/sign-out").status_code == 200  # it has ended already
    jar.cookies[NAME] = second
    assert api.post("/auth/refresh").status_code == 401  # revoked


@through_every_transport
def test_every_way_in(
    person: Callable[[], Person], jar: Jar, cognito: LocalCognito, pool: LocalPool
) -> None:
    """So do confirming, a challenge, and Google."""
    ada, bob, eve = person(), person(), person()
    ada.signs_up()
    given(ada, jar, ada.confirms(code=ada.code, session=ada.session))
    given(bob, jar, bob.continues_with_google())
    who: dict[str, Any] = {"UserPoolId": pool.user_pool_id, "Username": eve.email}
    temporary = {"TemporaryPassword": eve.password, "MessageAction": "SUPPRESS"}
    admin(cognito, pool).admin_create_user(**who, **temporary)
    asked = eve.signs_in()
    assert asked.json()["code"] == "challenge_required"
    given(eve, jar, eve.answers(asked, newPassword="A-new-horse-10"))


@through_every_transport
@pytest.mark.parametrize("origin", [None, "https://evil.example", "null", f"{ORIGIN}.evil.example"])
@pytest.mark.parametrize("route", ["refresh", "sign-out"])
def test_who_may_use_the_cookie(
    ada: Person, api: httpx.Client, jar: Jar, route: str, origin: str | None
) -> None:
    """Only pages of an allowed origin. A request that names no page is refused, too."""
    ada.has_an_account()
    token = given(ada, jar, ada.signs_in())
    jar.origin = origin
    for body in ({}, {"json": {}}):
        answer = api.post(f"/auth/{route}", **body)
        assert failure(answer)[:2] == (403, "origin_not_allowed")
    jar.origin = ORIGIN
    assert jar.cookies[NAME] == token
    given(ada, jar, api.post("/auth/refresh"))


def test_the_services_own_page(ada: Person, api: httpx.Client, jar: Jar) -> None:
    """The docs page can use the cookie."""
    jar.origin = str(api.base_url.join("/")).rstrip("/")
    ada.has_an_account()
    given(ada, jar, ada.signs_in())
    given(ada, jar, api.post("/auth/refresh"))


@through_every_transport
@pytest.mark.parametrize("declared", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_json_must_be_declared(ada: Person, api: httpx.Client, declared: str | None) -> None:
    """Other types need no preflight, so a page of another site could send them."""
    headers = {"Content-Type": declared} if declared else {}
    content = json.dumps({"email": ada.email, "password": ada.password})
    for route in ("sign-up", "sign-in", "refresh", "sign-out"):
        answer = api.post(f"/auth/{route}", content=content, headers=headers)
        assert failure(answer)[:2] == (415, "unsupported_media_type"), route


@through_every_transport
def test_pages_may_send_cookies(api: httpx.Client) -> None:
    """CORS allows it to the allowed origins, by name; the answer to a preflight says so, too."""
    asked = {"Access-Control-Request-Method": "POST"}
    for answer in (api.options("/auth/refresh", headers=asked), api.post("/auth/refresh")):
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "Origin" in answer.headers["Vary"]


@through_every_transport
def test_without_the_setting(connect: Connect, settings: Settings, cognito: LocalCognito) -> None:
    """Nothing sets or reads a cookie, and no page may send one."""
    with browsing(connect, settings) as (api, jar):
        ada = Person(api, cognito.outbox.code_for)
        ada.is_signed_in()
        assert "RefreshToken" in ada.tokens
        jar.cookies[NAME] = ada.tokens["RefreshToken"]
        for route in ("refresh", "sign-out"):
            for body in ({}, {"json": {}}, {"json": {"refreshToken": None}}):
                answer = api.post(f"/auth/{route}", **body)
                assert failure(answer)[:2] == (400, "invalid_request")
                assert [error["field"] for error in answer.json()["errors"]] == ["refreshToken"]
        answer = ada.refreshes()
        assert answer.status_code == 200
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert ada.signs_out().status_code == 200
        assert not jar.last


@through_every_transport
def test_other_cookies(ada: Person, api: httpx.Client, jar: Jar) -> None:
    """They are left alone, whatever they contain."""
    ada.has_an_account()
    jar.cookies |= {"theme": "dark", "refresh": "no", "odd": '"\\"; x'}
    given(ada, jar, ada.signs_in())
    given(ada, jar, api.post("/auth/refresh"))
    assert set(jar.cookies) == {"theme", "refresh", "odd", NAME}


@through_every_transport
@pytest.mark.parametrize("value", ["", "none", '"', "x" * 9_000])
def test_a_cookie_that_is_no_token(api: httpx.Client, jar: Jar, value: str) -> None:
    """The session is over. Signing out removes it."""
    jar.cookies[NAME] = value
    assert failure(api.post("/auth/refresh")) == INVALID_REFRESH_TOKEN
    assert api.post("/auth/sign-out").status_code == 200
    assert not jar.cookies


@through_every_transport
def test_the_ends_of_a_session(ada: Person, jar: Jar) -> None:
    """Signing out everywhere and deleting the account remove the cookie, once they succeed."""
    ada.has_an_account()
    given(ada, jar, ada.signs_in())
    token, ada.tokens["AccessToken"] = ada.tokens["AccessToken"], "none"
    assert ada.signs_out_everywhere().status_code == 401
    assert ada.deletes_the_account().status_code == 401
    assert jar.cookies
    ada.tokens["AccessToken"] = token
    assert ada.signs_out_everywhere().status_code == 200
    assert not jar.cookies
    given(ada, jar, ada.signs_in())
    assert ada.deletes_the_account().status_code == 200
    assert not jar.cookies


def test_signing_out_when_cognito_fails(connect: Connect, settings: Settings) -> None:
    """The browser loses the session in any case, as the client promises; the answer says 503."""
    gone = replace(settings, session_cookie=True, endpoint_url="http://127.0.0.1:9")
    with browsing(connect, gone) as (api, jar):
        jar.cookies[NAME] = "token"
        assert failure(api.post("/auth/sign-out"))[:2] == (503, "unavailable")
        assert not jar.cookies


def test_the_session_lasts_as_long_as_its_token(
    ada: Person, api: httpx.Client, jar: Jar, cognito: LocalCognito
) -> None:
    """A cookie that outlives it is no session."""
    ada.has_an_account()
    given(ada, jar, ada.signs_in())
    cognito.clock.advance(timedelta(days=31))
    assert failure(api.post("/auth/refresh")) == INVALID_REFRESH_TOKEN


@pytest.mark.parametrize("token", ["token", "tökén"])
@pytest.mark.parametrize("way", ["rest", "http", "function-url"])
def test_where_gateways_take_a_cookie_from(settings: Settings, way: str, token: str) -> None:
    """REST has it in its headers, where HTTP/2 may have split it; the others list cookies."""
    url = f"{WAYS[way].base_url}/auth/refresh"
    headers = {"Origin": ORIGIN, "Cookie": "a=b"}
    event = event_from(httpx.Request("POST", url, headers=headers), WAYS[way])
    pairs = ["a=b", f"{NAME}={token}"]
    if many := event.get("multiValueHeaders"):
        many[next(name for name in many if name.lower() == "cookie")] = pairs
    else:
        event["cookies"] = pairs
    with handling(make_app(replace(settings, session_cookie=True))) as handler:
        answer = handler(event, None)
    # Cognito was asked, and doesn't know the token. Without the cookie it wouldn't be asked.
    assert json.loads(answer["body"])["code"] == "invalid_refresh_token"
