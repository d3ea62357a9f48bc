"""The fake Google: its page in a real browser without scripts, and the requests that it refuses.

test_contract_google_*.py test how Cognito talks to Google.
"""

import base64
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from infra.local.demo import Demo
from infra.local.oauth.google import claims
from infra.local.oauth.routes import ROUTES
from infra.local.server import LocalCognito
from tests.support.browser import NARROW, Browse
from tests.support.contract import Contract
from tests.support.contract_google import STATE, authorize_url, comes_back, domain, exchange
from tests.support.google import Form, parameters

NOT_GOOGLE = "Not Google: a stand-in on this machine"


def page(contract: Contract, **changed: str | None) -> httpx.Response:
    """Return the consent page."""
    return httpx.get(authorize_url(contract, **changed), follow_redirects=True)


def send(contract: Contract, **fields: str) -> httpx.Response:
    """Send the consent page's form with changed fields."""
    form = Form(page(contract).text)
    chosen = {"email": contract.address(), "email_verified": "true", "choice": "allow"}
    return httpx.post(f"{domain(contract)}{form.action}", data=form.hidden | chosen | fields)


def test_an_account_has_one_id() -> None:
    """The id has 21 digits, like Google's, and depends only on the address."""
    first = claims("Ada@example.com", "openid email", verified=True)
    assert re.fullmatch(r"[1-9]\d{20}", first["sub"])
    assert claims("ada@EXAMPLE.com", "openid", verified=False) == {"sub": first["sub"]}
    assert claims("grace@example.com", "openid", verified=True)["sub"] != first["sub"]
    assert (first["email"], first["email_verified"]) == ("Ada@example.com", True)


def test_page_is_not_mistaken_for_google(contract: Contract) -> None:
    """The title and the first words say that it is not Google. The page has no script."""
    answer = page(contract)
    assert answer.status_code == 200
    assert f"<title>{NOT_GOOGLE}</title>" in answer.text
    assert answer.text.count(NOT_GOOGLE) == 2
    assert "<script" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_addresses_are_suggested(contract: Contract) -> None:
    """The page escapes and suggests the app's hint and the addresses used before."""
    hint = '"><img src=x>@example.com'
    comes_back(contract, "<b>@example.com")
    text = page(contract, login_hint=hint).text
    assert "&lt;b&gt;@example.com" in text
    assert "&quot;&gt;&lt;img src=x&gt;@example.com" in text
    assert "<img" not in text


@pytest.mark.parametrize("email", ["", "ada", "ada@example", "a b@example.com", "<b>"])
@pytest.mark.parametrize("choice", ["allow", "", "nonsense"])
def test_invalid_address(contract: Contract, email: str, choice: str) -> None:
    """The page is shown again with the input, and the form can be sent again."""
    answer = send(contract, email=email, choice=choice)
    assert answer.status_code == 400
    assert "This is not an e-mail address." in answer.text
    form = Form(answer.text)
    fields = {"email": contract.address(), "email_verified": "true", "choice": "allow"}
    again = httpx.post(f"{domain(contract)}{form.action}", data=form.hidden | fields)
    assert "code" in parameters(again.headers["Location"])


def test_forged_forms_are_refused(contract: Contract) -> None:
    """The form is accepted once, and only with its own secret."""
    for forged in ("", "x", "x" * 43):
        answer = send(contract, request=forged)
        assert answer.status_code == 400
    form = Form(page(contract).text)
    fields = form.hidden | {"email": contract.address(), "choice": "deny"}
    url = f"{domain(contract)}{form.action}"
    assert httpx.post(url, data=fields).status_code == 302
    assert httpx.post(url, data=fields).status_code == 400


@pytest.mark.parametrize("path", [*ROUTES, "/x/.well-known/openid-configuration"])
def test_other_hosts_are_refused(cognito: LocalCognito, path: str) -> None:
    """A foreign host name that resolves to this machine (DNS rebinding) gets a 403."""
    for method in ("GET", "POST"):
        answer = httpx.request(method, cognito.url + path, headers={"Host": "evil.example"})
        assert answer.status_code == 403


@pytest.mark.parametrize("path", ROUTES)
def test_methods(cognito: LocalCognito, path: str) -> None:
    """Each path refuses other methods, and lists its own in `Allow`."""
    answer = httpx.request("DELETE", cognito.url + path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == ", ".join(ROUTES[path])


@pytest.mark.parametrize("path", [path for path in ROUTES if "GET" in ROUTES[path]])
def test_other_origins_can_not_read_pages(cognito: LocalCognito, path: str) -> None:
    """No page has CORS headers, so other origins can't read it or the form's secret."""
    if path == "/oauth2/userInfo":
        return  # it needs a token
    headers = {"Origin": "https://evil.example"}
    answer = httpx.get(cognito.url + path, headers=headers)
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.fixture
def own() -> Iterator[Contract]:
    """Return a pool of a separate local Cognito, so that a test can change its Google."""
    with LocalCognito() as cognito:
        yield Contract(cognito.create_pool("own"), cognito)


def googles_error(contract: Contract) -> str:
    """Return the error code from the URL of Google's error page."""
    asked = httpx.get(authorize_url(contract)).headers["Location"]
    answer = httpx.get(asked)
    location = answer.headers["Location"]
    assert urlsplit(location).path.endswith("/signin/oauth/error")
    shown = httpx.get(domain(contract) + location)
    assert shown.status_code == 400
    decoded = base64.urlsafe_b64decode(parameters(location)["authError"])
    length = decoded[1]
    code = decoded[2 : 2 + length].decode()
    assert code in shown.text
    return code


def test_wrong_client_id_or_redirect_uri(own: Contract) -> None:
    """Google shows its own error page for an unknown client id or redirect URI."""
    own.local.google.redirect_uri = "https://another.example/oauth2/idpresponse"
    assert googles_error(own) == "redirect_uri_mismatch"
    own.local.google.redirect_uri = f"{own.local.url}/oauth2/idpresponse"
    assert page(own).status_code == 200
    own.local.google.client_id = "another.apps.googleusercontent.example"
    assert googles_error(own) == "invalid_client"


@pytest.mark.parametrize("query", ["", "?authError=é", "?authError=x", "?authError=Cg"])
def test_unreadable_error(cognito: LocalCognito, query: str) -> None:
    """The error page shows an unknown error."""
    answer = httpx.get(f"{cognito.url}/google/signin/oauth/error{query}")
    assert answer.status_code == 400
    assert "an unknown error" in answer.text


@pytest.fixture
def app() -> Iterator[Demo]:
    """Serve a page on another origin, for the browser to return to."""
    with Demo(0, "http://localhost:1", "http://localhost:1") as demo:
        yield demo


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_a_person_signs_in_without_scripts(
    cognito: LocalCognito, app: Demo, browse: Browse, scheme: str, size: str
) -> None:
    """Sign-in works by keyboard, from the domain to Google and back to the app's origin."""
    here = f"{app.url}/"
    contract = Contract(cognito.create_pool(f"{scheme}-{size}", redirect_uris=[here]), cognito)
    narrow = {"viewport": NARROW} if size == "narrow" else {}
    window = browse(cognito.url, app.url, java_script_enabled=False, color_scheme=scheme, **narrow)
    tab = window.page
    tab.goto(authorize_url(contract, redirect_uri=here))
    expect(tab.get_by_role("heading", name="Choose an account")).to_be_visible()
    window.screenshot(f"google-{size}-{scheme}")
    box = tab.locator("form").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= tab.viewport_size["width"]  # type: ignore[index]
    tab.keyboard.type("ada@example.com")  # the field has the focus
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"{here}?*")
    given = parameters(tab.url)
    assert given["state"] == STATE
    answer = exchange(contract, given["code"], redirect_uri=here)
    assert answer.status_code == 200
    tab.go_back()  # to Google's page, whose form was already sent
    expect(tab.get_by_role("heading", name="Choose an account")).to_be_visible()
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text("An error was encountered")).to_be_visible()


def test_choices(cognito: LocalCognito, app: Demo, browse: Browse) -> None:
    """Cancel and the error buttons need no address. The app gets email_not_verified."""
    here = f"{app.url}/"
    pool = cognito.create_pool("choices", redirect_uris=[here])
    tab = browse(cognito.url, app.url, java_script_enabled=False).page
    for button, error, words in (
        ("Cancel", "access_denied", "access_denied"),
        ("Wrong client secret", "invalid_request", "Google Error - 401"),
        ("No answer in time", "invalid_request", "Timeout"),
    ):
        tab.goto(authorize_url(Contract(pool, cognito), redirect_uri=here))
        tab.get_by_role("button", name=button).click()
        tab.wait_for_url(f"{here}?*")
        given = parameters(tab.url)
        assert given["error"] == error
        assert words in given["error_description"]
    tab.goto(authorize_url(Contract(pool, cognito), redirect_uri=here))
    tab.get_by_label("E-mail address").fill("ada@example.com")
    tab.get_by_label("The address is verified").uncheck()
    tab.get_by_role("button", name="Continue").click()
    tab.wait_for_url(f"{here}?*")
    assert "email_not_verified" in parameters(tab.url)["error_description"]
