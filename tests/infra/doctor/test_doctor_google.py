"""Errors that Google reports: from the fake Google, and in Google's own formats.

The values of `authError` are real ones, from users' reports. In October 2026, Google sent
`data-error-code` with the status 200.
"""

import base64
from dataclasses import replace
from urllib.parse import quote, urlencode

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.settings import Settings
from infra.doctor.findings import Findings
from infra.doctor.google import decoded, is_google
from infra.local.server import LocalCognito
from tests.infra.doctor.conftest import Served
from tests.support import doctor
from tests.support.doctor import CLIENT, PAGE, examine

SIGN_IN_PAGE = "✓ Google accepts the client and its redirect URI, and shows its sign-in page"
NOT_FOUND = "Cg5pbnZhbGlkX2NsaWVudBIfVGhlIE9BdXRoIGNsaWVudCB3YXMgbm90IGZvdW5kLiCRAw=="
DELETED = "Cg5kZWxldGVkX2NsaWVudBIdVGhlIE9BdXRoIGNsaWVudCB3YXMgZGVsZXRlZC4gkQM="
MISMATCH = "ChVyZWRpcmVjdF91cmlfbWlzbWF0Y2gSsAEKWW91IGNhbid0IHNpZ24gaW4gdG8gdGhpcyBhcHA"
ERRORS = "https://developers.google.com/identity/protocols/oauth2/web-server#authorization-errors"
SIGN_IN = "https://accounts.google.com/v3/signin/identifier?opparams=%253F&dsh=S-417356254"


def no_such_client(code: str, client_id: str = CLIENT) -> str:
    """Return the line about a client that Google doesn't know."""
    return (
        f"{code}: Google has no active client {client_id}. Copy the client id from Google's "
        "console into the template's parameter GoogleClientId, and deploy"
    )


def mismatch(domain: str, client_id: str = CLIENT) -> str:
    """Return the line about a redirect URI that Google's client lacks."""
    return (
        f"redirect_uri_mismatch: in Google's console, add {domain}/oauth2/idpresponse to the "
        f"authorised redirect URIs of the client {client_id}"
    )


def test_another_redirect_uri_in_googles_console(
    url: str, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google's client lists another URI, such as that of the front end."""
    monkeypatch.setattr(cognito.google, "redirect_uri", PAGE)
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == mismatch(cognito.url, cognito.google.client_id)


def test_a_client_that_google_does_not_know(
    url: str, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool's client id is mistyped, or its client was deleted."""
    before = cognito.google.client_id
    monkeypatch.setattr(cognito.google, "client_id", "another.apps.example")
    report = examine(url, "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == no_such_client("invalid_client", before)


def test_another_client_id_than_expected(url: str, cognito: LocalCognito) -> None:
    """Google accepts the client, but it isn't the one in --google-client-id."""
    own = "own.apps.example"
    report = examine(url, "--redirect-uri", PAGE, "--google-client-id", own)
    assert report.status == 1
    assert report.wrong == (
        f"client_id differs: Cognito sends Google {cognito.google.client_id}, not {own}. Correct "
        "the template's parameter GoogleClientId, and deploy"
    )
    report = examine(url, "--redirect-uri", PAGE, "--google-client-id", cognito.google.client_id)
    assert report.status == 0


def test_an_unknown_client_id(url: str) -> None:
    """Without the expected client id, nothing is compared."""
    report = examine(url, "--redirect-uri", PAGE, google_client_id=None)
    assert report.unknown == (
        f"whether {CLIENT} is your client id at Google: pass it as --google-client-id"
    )
    assert report.lines[-1] == "No check failed, but 1 of 7 could not be made (?)."


def test_another_host_than_googles(served: Served, settings: Settings) -> None:
    """The provider named Google is of another type, and its page may have an address field."""

    def authorize(request: Request) -> Response:
        query = urlencode(
            {"client_id": CLIENT, "redirect_uri": f"{request.base_url}oauth2/idpresponse"}
        )
        elsewhere = str(request.base_url).replace("127.0.0.1", "localhost")
        return RedirectResponse(f"{elsewhere}o/oauth2/v2/auth?{query}", 302)

    page = HTMLResponse('<input type="email">')
    domain = served(doctor.domain(authorize=authorize, google=lambda _: page))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == (
        "Cognito redirects to localhost, which is not Google: delete the provider, and deploy the "
        "template's GoogleProvider. A provider's type can't be changed"
    )
    assert SIGN_IN_PAGE not in report.lines


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("accounts.google.com", True),
        ("accounts.google.com.evil.example", False),
        ("a.auth.eu-west-1.amazoncognito.com", False),
    ],
)
def test_googles_host(host: str, *, right: bool) -> None:
    """In AWS, only Google's own host is Google: the domain has no stand-in."""
    url = httpx.URL(f"https://{host}/o/oauth2/v2/auth")
    assert is_google(Findings(), url, "https://a.auth.eu-west-1.amazoncognito.com") is right


def test_another_redirect_uri_than_expected(served: Served, settings: Settings) -> None:
    """Cognito's redirect URI is on another domain than the API's."""
    other = "https://other.example/oauth2/idpresponse"

    def authorize(request: Request) -> Response:
        query = urlencode({"client_id": CLIENT, "redirect_uri": other})
        return RedirectResponse(f"{request.base_url}o/oauth2/v2/auth?{query}", 302)

    domain = served(doctor.domain(authorize=authorize, google=lambda _: RedirectResponse(SIGN_IN)))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == (
        f"redirect_uri differs: Cognito sends Google {other}, not {domain}/oauth2/idpresponse. "
        "Correct the template's parameter SignInDomain, from which the API's COGNITO_DOMAIN_URL "
        "follows"
    )


# Google's own formats


def with_error(auth_error: str) -> Response:
    """Redirect to Google's error page."""
    url = "https://accounts.google.com/signin/oauth/error"
    return RedirectResponse(f"{url}?authError={quote(auth_error)}&flowName=GeneralOAuthFlow", 302)


def encoded(code: str) -> str:
    """Return an `authError` with this code."""
    message = b"\n" + bytes([len(code)]) + code.encode() + b"\x12\x04Text\x20\x91\x03"
    return base64.urlsafe_b64encode(message).decode()


def shown(code: str) -> Response:
    """Answer with an error page that has the status 200."""
    return HTMLResponse(f'<button data-response-code="400" data-error-code="{code}">more</button>')


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (with_error(NOT_FOUND), no_such_client("invalid_client")),
        (with_error(NOT_FOUND.rstrip("=")), no_such_client("invalid_client")),
        (with_error(DELETED), no_such_client("deleted_client")),
        (with_error(encoded("disabled_client")), no_such_client("disabled_client")),
        (with_error(MISMATCH), mismatch("DOMAIN")),
        (shown("redirect_uri_mismatch"), mismatch("DOMAIN")),
        (shown("invalid_client"), no_such_client("invalid_client")),
        (HTMLResponse("<b>Error 400: redirect_uri_mismatch</b>", 400), mismatch("DOMAIN")),
        (
            with_error(encoded("invalid_request")),
            f"Google refuses with invalid_request: see {ERRORS}",
        ),
    ],
)
def test_a_refusal(served: Served, settings: Settings, answer: Response, told: str) -> None:
    """The doctor reads the error from a redirect and from a page."""
    domain = served(doctor.domain(google=lambda _: answer))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 1
    assert report.wrong == told.replace("DOMAIN", domain)
    assert SIGN_IN_PAGE not in report.lines


@pytest.mark.parametrize(
    "answer",
    [
        RedirectResponse(SIGN_IN, 302),
        RedirectResponse("https://accounts.google.com/o/oauth2/v2/auth/oauthchooseaccount?a=b"),
        HTMLResponse('<input class="a" type="email" id="identifierId" name="identifier">'),
    ],
)
def test_google_shows_its_sign_in(served: Served, settings: Settings, answer: Response) -> None:
    """The check passes at Google's sign-in page."""
    domain = served(doctor.domain(google=lambda _: answer))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 0
    assert SIGN_IN_PAGE in report.lines


@pytest.mark.parametrize(
    "answer",
    [
        HTMLResponse("<title>Sign in - Google Accounts</title>"),
        HTMLResponse("<p>An article about redirect_uri_mismatch.</p>"),
        HTMLResponse("Not now", 503),
        HTMLResponse('<input type="email">', 403),
        RedirectResponse("https://www.google.com/sorry/index?continue=x", 302),
        RedirectResponse("https://accounts.google.com/signin/oauth/error?authError=%F0%9F", 302),
        with_error("A"),
        with_error(base64.b64encode(b"\n\x05Error").decode()),
    ],
)
def test_unreadable_answer_of_google(served: Served, settings: Settings, answer: Response) -> None:
    """An unreadable answer does not pass."""
    domain = served(doctor.domain(google=lambda _: answer))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 0
    assert report.unknown == (
        f"Google answers {answer.status_code} with a page that the doctor can't read. Try to "
        "sign in with a browser"
    )
    assert SIGN_IN_PAGE not in report.lines


def test_google_out_of_reach(served: Served, settings: Settings) -> None:
    """It is not a failure: this machine's network may be the cause."""

    def authorize(request: Request) -> Response:
        back = f"{request.base_url}oauth2/idpresponse"
        query = urlencode({"client_id": CLIENT, "redirect_uri": back})
        return RedirectResponse(f"http://127.0.0.1:9/o/oauth2/v2/auth?{query}", 302)

    domain = served(doctor.domain(authorize=authorize))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.status == 0
    assert report.unknown.startswith("no answer from 127.0.0.1 (")


def test_google_sees_a_browser(served: Served, settings: Settings) -> None:
    """The doctor sends a browser's User-Agent and doesn't follow Google's redirect."""
    seen = []

    def google(request: Request) -> Response:
        seen.append(request.headers["User-Agent"])
        return RedirectResponse(f"{request.base_url}v3/signin/identifier", 302)

    domain = served(doctor.domain(google=google))
    report = examine(served(replace(settings, domain_url=domain)), "--redirect-uri", PAGE)
    assert report.lines[-1] == "All checks passed."
    assert len(seen) == 1
    assert seen[0].startswith("Mozilla/5.0 (")


def test_both_alphabets_of_base64() -> None:
    """Both alphabets are decoded, with and without padding."""
    for text in ("-_8=", "+/8=", "-_8", "+/8"):
        assert decoded(text) == b"\xfb\xff"
    assert decoded("가") == b""
