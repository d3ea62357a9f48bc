"""Sign-in with Google from the demo page, across three origins, in Chromium."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.infra.web.conftest import Visitor

Visit = Callable[..., Visitor]
KAKAOTALK = (
    "Mozilla/5.0 (Linux; Android 14; SM-S918N; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/124.0.0.0 Mobile Safari/537.36 KAKAOTALK 10.8.3"
)


def goes_to_google(ada: Visitor, page: Page | None = None) -> None:
    """Press the button, and wait for the consent page."""
    page = page or ada.page
    button = page.get_by_role("button", name=ada.words["googleSignIn"], exact=True)
    button.locator("visible=true").click()
    expect(page.locator("button[name=choice][value=allow]")).to_be_visible()


def chooses(ada: Visitor, choice: str, *, verified: bool = True, page: Page | None = None) -> None:
    """Fill in the fake Google's consent page, and press one of its buttons."""
    page = page or ada.page
    page.locator("input[name=email]").fill(ada.email)
    page.locator("input[name=email_verified]").set_checked(verified)
    page.locator(f"button[name=choice][value={choice}]").click()


def way_back(ada: Visitor) -> re.Pattern[str]:
    """Return a pattern for the demo page's URL with a code."""
    return re.compile(rf"^{re.escape(ada.site.demo)}/\?.*code=")


def comes_back(ada: Visitor, page: Page | None = None) -> None:
    """Wait for the demo page, with Cognito's parameters removed from its URL."""
    page = page or ada.page
    expect(page).to_have_url(f"{ada.site.demo}/")


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_signing_up_and_in(visit: Visit, language: str) -> None:
    """The button creates an account, and later signs in to it again."""
    ada = visit(language)
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")
    ada.hears("googleSignIn")
    comes_back(ada)
    expect(ada.page.get_by_text(ada.email)).to_be_visible()
    expect(ada.page.locator("#me-ways")).to_have_text("Google")
    # A Google user has no password and no second factor here
    expect(ada.page.locator("#of-passwords")).to_be_hidden()
    sub = ada.page.locator("#me-sub").inner_text()
    ada.window.screenshot(f"google-{language[:2]}-account")

    ada.presses("signOut")
    ada.hears("signOut")
    ada.window.screenshot(f"google-{language[:2]}-sign-in")
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")
    expect(ada.page.locator("#me-sub")).to_have_text(sub)


def test_a_session_is_kept_as_chosen(visit: Visit) -> None:
    """A session survives a reload; with "stay signed in", other tabs share it."""
    ada = visit()
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")
    ada.page.reload()
    ada.hears("restored")
    ada.presses("signOut")

    ada.page.get_by_label(ada.words["stay"]).check()
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")
    other = ada.page.context.new_page()
    other.goto(ada.site.demo)
    expect(other.get_by_role("status")).to_have_text(ada.words["said"]["restored"])


@pytest.mark.parametrize(
    ("choice", "verified", "code"),
    [
        ("deny", True, "sign_in_cancelled"),
        ("error", True, "google_failed"),
        ("allow", False, "email_not_verified"),
    ],
)
def test_no_account_from_google(visit: Visit, choice: str, *, verified: bool, code: str) -> None:
    """The page shows the reason, and the next attempt works."""
    ada = visit()
    goes_to_google(ada)
    chooses(ada, choice, verified=verified)
    ada.is_told(code)
    ada.sees("signIn")
    comes_back(ada)
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")


def test_a_taken_address(visit: Visit) -> None:
    """Google sign-in is refused for an account with a password, and the password still works."""
    ada = visit()
    ada.has_an_account()
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.is_told("email_taken")
    ada.signs_in()
    ada.sees("account")
    expect(ada.page.locator("#me-ways")).to_have_text(ada.words["ways"]["password"])


def test_a_forged_state(visit: Visit) -> None:
    """A link from another person's sign-in is refused, with or without a sign-in in this tab."""
    mallory, ada = visit(), visit()
    goes_to_google(mallory)
    with mallory.page.expect_request(way_back(mallory)) as landed:
        mallory.page.route(f"{mallory.site.demo}/**", lambda route: route.abort())
        chooses(mallory, "allow")
    link = landed.value.url
    for _ in range(2):
        ada.page.goto(link)
        ada.is_told("invalid_session")
        ada.sees("signIn")
        comes_back(ada)
        goes_to_google(ada)  # the second link arrives during her own attempt
    mallory.window.errors.clear()  # errors of the page load that the test aborted


def test_a_code_is_used_once(visit: Visit) -> None:
    """The URL with the code, opened again, is refused."""
    ada = visit()
    goes_to_google(ada)
    with ada.page.expect_request(way_back(ada)) as landed:
        chooses(ada, "allow")
    ada.sees("account")
    ada.presses("signOut")
    ada.hears("signOut")
    ada.page.goto(landed.value.url)
    ada.is_told("invalid_session")


def test_back_and_reload(visit: Visit) -> None:
    """Sign-in works after a reload of Google's page and after the Back button."""
    ada = visit()
    goes_to_google(ada)
    ada.page.reload()
    ada.page.go_back()
    ada.sees("signIn")
    goes_to_google(ada)
    chooses(ada, "allow")
    ada.sees("account")
    ada.page.go_back()  # to the consent page or further, which must not sign out
    ada.page.goto(ada.site.demo)
    ada.sees("account")


def test_two_tabs(visit: Visit) -> None:
    """Each tab finishes the sign-in that it began."""
    ada = visit()
    other = ada.page.context.new_page()
    other.goto(ada.site.demo)
    for page in (ada.page, other):
        goes_to_google(ada, page)
    for page in (other, ada.page):
        page.bring_to_front()
        chooses(ada, "allow", page=page)
        expect(page.get_by_role("heading", name=ada.words["account"], level=2)).to_be_visible()
        comes_back(ada, page)


def test_a_browser_inside_an_app(visit: Visit) -> None:
    """Google refuses KakaoTalk's browser, so the page reports it before it calls the API."""
    ada = visit("ko-KR", user_agent=KAKAOTALK)
    button = ada.page.get_by_role("button", name=ada.words["googleSignIn"], exact=True)
    button.locator("visible=true").click()
    ada.is_told("inAppBrowser")
    link = ada.page.get_by_role("link", name=ada.words["openInBrowser"])
    expect(link).to_have_attribute("href", re.compile("^kakaotalk://web/openExternal"))
    assert not [request for request in ada.window.requests if "/google/" in request.url]


# The client alone, called from the page


def client(ada: Visitor, script: str) -> Any:
    """Run a script in the page, with `client` for the site's API, and return its result."""
    return ada.page.evaluate(
        f"""async () => {{
          const {{ Client }} = await import("/client.js");
          const client = new Client({json.dumps(ada.site.api)});
          {script}
        }}"""
    )


def comes_back_to_an_idle_page(ada: Visitor) -> None:
    """Sign up with Google, and return with the code to a page that doesn't finish by itself."""
    client(ada, "void client.googleSignIn({ returnTo: '/diary?day=1#top' });")
    expect(ada.page.locator("button[name=choice][value=allow]")).to_be_visible()
    blank = re.compile(r"/config\.js")
    ada.page.route(blank, lambda route: route.fulfill(body="", content_type="text/plain"))
    chooses(ada, "allow")
    ada.page.wait_for_url(way_back(ada))
    ada.window.errors.clear()  # the demo itself doesn't run without its configuration


def exchanges(ada: Visitor) -> int:
    """Return how often the page called /auth/google/finish."""
    calls = [request for request in ada.window.requests if "/auth/google/finish" in request.url]
    return len([call for call in calls if call.method == "POST"])


def test_finishing_twice(visit: Visit) -> None:
    """Two callers of one page load, such as React's strict mode, share one exchange."""
    ada = visit()
    comes_back_to_an_idle_page(ada)
    finished = client(
        ada,
        """const twice = [client.finishGoogleSignIn(), client.finishGoogleSignIn()];
           const address = location.search;
           return [...(await Promise.all(twice)), address, client.signedIn,
                   await client.finishGoogleSignIn()];""",
    )
    path = "/diary?day=1#top"
    assert finished == [path, path, "", True, path]
    assert exchanges(ada) == 1


def test_two_clients_of_one_page(visit: Visit) -> None:
    """If each call of an effect makes a client, the first finishes, and the second does nothing."""
    ada = visit()
    comes_back_to_an_idle_page(ada)
    finished = client(
        ada,
        f"""const second = new Client({json.dumps(ada.site.api)});
            const both = await Promise.all(
              [client.finishGoogleSignIn(), second.finishGoogleSignIn()]);
            return [...both, client.signedIn];""",
    )
    assert finished == ["/diary?day=1#top", None, True]
    assert exchanges(ada) == 1


def test_a_finish_without_an_answer(visit: Visit) -> None:
    """The code may have been used, so the way on is to sign in again, and not to retry."""
    ada = visit()
    comes_back_to_an_idle_page(ada)
    ada.page.route("**/auth/google/finish", lambda route: route.abort())
    finished = client(
        ada,
        """try { await client.finishGoogleSignIn(); } catch (error) {
             return [error.name, error.next, location.search, client.signedIn];
           }""",
    )
    ada.window.errors.clear()  # the aborted request
    assert finished == ["NetworkError", "signIn", "", False]


def test_another_librarys_code(visit: Visit) -> None:
    """The client leaves another OAuth flow's parameters in the URL."""
    ada = visit()
    ada.page.goto(f"{ada.site.demo}/?code=theirs&state=theirs")
    ada.sees("signIn")
    assert urlsplit(ada.page.url).query == "code=theirs&state=theirs"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ("{ returnTo: 'https://evil.example/' }", "TypeError"),
        ("{ returnTo: '//evil.example/' }", "TypeError"),
        ("{ returnTo: '/.//evil.example/' }", "TypeError"),
        ("{ returnTo: `${location.origin}//evil.example/` }", "TypeError"),
        ("{ returnTo: `blob:${location.origin}/x` }", "TypeError"),
        ("{ redirectUri: 'https://evil.example/' }", "redirect_not_allowed"),
    ],
)
def test_only_this_origin(visit: Visit, options: str, error: str) -> None:
    """The client refuses to return to another site, and the API to redirect to one."""
    ada = visit()
    caught = client(
        ada,
        f"try {{ await client.googleSignIn({options}); }} catch (e) {{ return e.code ?? e.name; }}",
    )
    assert caught == error


def test_without_google(visit: Visit) -> None:
    """The page reports that the service has no sign-in with Google."""
    ada = visit()
    ada.page.route(
        "**/auth/google/start",
        lambda route: route.fulfill(
            status=409,
            headers={"Access-Control-Allow-Origin": ada.site.demo},
            json={"statusCode": 409, "code": "google_not_set_up", "message": "", "requestId": "1"},
        ),
    )
    button = ada.page.get_by_role("button", name=ada.words["googleSignIn"], exact=True)
    button.locator("visible=true").click()
    ada.is_told("google_not_set_up")
