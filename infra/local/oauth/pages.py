"""The domain's responses: redirects, JSON, and pages without scripts."""

import json
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode

from werkzeug.wrappers import Response

ASSETS = Path(__file__).with_name("assets")

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # No `form-action`: Chromium also applies it to the redirects after the consent form, and the
    # last one goes to the app.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
}


class OAuthError(Exception):
    """A JSON error of the token, revocation or user info endpoint."""

    def __init__(self, error: str, description: str | None = None, status: int = 400) -> None:
        super().__init__(error)
        self.body = {"error": error}
        if description:
            self.body["error_description"] = description
        self.status = status


class ErrorPageError(Exception):
    """An error for Cognito's own error page. The browser is not redirected to the app."""

    def __init__(self, error: str, client_id: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.client_id = client_id


def redirect(uri: str, /, **parameters: str | None) -> Response:
    """Redirect to a URI with the parameters that are not None."""
    given = {name: value for name, value in parameters.items() if value is not None}
    joined = f"{uri}{'&' if '?' in uri else '?'}{urlencode(given)}" if given else uri
    return Response(status=302, headers={**HEADERS, "Location": joined})


def to_json(body: object, status: int = 200) -> Response:
    """Return JSON that pages of any origin may read."""
    headers = {**HEADERS, "Access-Control-Allow-Origin": "*"}
    return Response(json.dumps(body), status, headers, content_type="application/json")


def page(title: str, text: str, status: int = 200, more: str = "") -> Response:
    """Return a page with a title and a text. `more` is HTML."""
    return _page("page.html", status, title=escape(title), text=escape(text), more=more)


def consent_page(request: str, accounts: list[str], email: str, fault: str = "") -> Response:
    """Return the fake Google's consent page. `request` is the form's hidden, secret id."""
    alert = f'<p class="alert" id="fault" role="alert">{escape(fault)}</p>' if fault else ""
    return _page(
        "consent.html",
        400 if fault else 200,
        request=escape(request),
        email=escape(email),
        fault=alert,
        accounts="".join(f'<option value="{escape(address)}">' for address in accounts),
    )


def _page(name: str, status: int, **values: str) -> Response:
    html = Template((ASSETS / name).read_text("utf-8")).substitute(values)
    return Response(html, status, HEADERS, content_type="text/html; charset=utf-8")
