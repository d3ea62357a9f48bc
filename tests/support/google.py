"""A user at the fake Google: a browser without JavaScript, over real HTTP.

    back = consents(start["url"], "ada@example.com")
    back["code"]

It doesn't follow the redirect to the app, but returns that redirect's parameters.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx


@dataclass
class Form(HTMLParser):
    """A page's form: its action and hidden fields."""

    html: str
    action: str = ""
    hidden: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read the attributes of a form or a field."""
        given = dict(attrs)
        if tag == "form":
            self.action = given["action"] or ""
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given["name"] or ""] = given["value"] or ""


def consents(
    url: str,
    email: str,
    *,
    verified: bool = True,
    choice: str = "allow",
    browser: httpx.Client | None = None,
) -> dict[str, str]:
    """Go through the consent page, and return the parameters of the redirect to the app.

    `choice` is a button of the consent page: allow, deny, error or timeout. Calls with the same
    `browser` share its cookies; without it, each call uses a new browser.
    """
    if browser is None:
        with httpx.Client() as new:
            return consents(url, email, verified=verified, choice=choice, browser=new)
    answer = walk(browser, browser.get(url))
    if not answer.is_redirect:
        form = Form(answer.text)
        assert form.hidden, f"no consent page, but {answer.status_code}: {answer.text}"
        fields = {"email": email, "choice": choice} | (
            {"email_verified": "true"} if verified else {}
        )
        sent = browser.post(urljoin(str(answer.url), form.action), data=form.hidden | fields)
        answer = walk(browser, sent)
    assert answer.is_redirect, f"stopped at {answer.url}: {answer.text}"
    return parameters(answer.headers["Location"])


def walk(browser: httpx.Client, answer: httpx.Response) -> httpx.Response:
    """Follow redirects; return the first page, or the redirect that leaves the domain."""
    while answer.is_redirect:
        url = urljoin(str(answer.url), answer.headers["Location"])
        if urlsplit(url)[:2] != urlsplit(str(answer.url))[:2]:
            break
        answer = browser.get(url)
    return answer


def parameters(url: str) -> dict[str, str]:
    """Return the query parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
