"""The demo page, its API and the mailbox, each on its own origin, in a real Chromium."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from app.main import create_app
from app.settings import Settings
from infra.local.demo import Demo
from infra.local.server import LocalCognito
from infra.local.stack import LocalPool
from tests.support.browser import Browse, Window
from tests.support.ports import free_ports
from tests.support.totp import totp
from tests.support.transports import serve

PASSWORD = "Correct-horse-9"


@dataclass(frozen=True)
class Site:
    """The addresses of the demo page, the API and the mailbox."""

    demo: str
    api: str
    mailbox: str


@pytest.fixture
def origin() -> str:
    """Return the demo page's origin, on a free port."""
    return f"http://127.0.0.1:{free_ports(1)[0]}"


@pytest.fixture
def pool(cognito: LocalCognito, origin: str, transport: str) -> LocalPool:
    """Return a fresh user pool whose sign-in with Google may return to the demo page."""
    return cognito.create_pool(f"{transport}-{uuid4()}", redirect_uris=[f"{origin}/"])


@pytest.fixture
def site(cognito: LocalCognito, settings: Settings, origin: str) -> Iterator[Site]:
    """Serve the demo page and its API on two ports, and return their addresses."""
    allowed = replace(settings, allowed_origins=(origin,), redirect_uris=(f"{origin}/",))
    port = urlsplit(origin).port or 0
    with (
        serve(create_app(allowed, wall_clock=cognito.clock.now)) as api,
        Demo(port, api, f"{cognito.url}/"),
    ):
        yield Site(origin, api, cognito.url)


@dataclass
class Visitor:
    """A visitor of the demo page, who finds each element by its text in the page's language."""

    window: Window
    site: Site
    words: dict[str, Any]
    email: str
    mails: Page

    @property
    def page(self) -> Page:
        """The demo's tab."""
        return self.window.page

    @property
    def status(self) -> Locator:
        """The page's status message."""
        return self.page.get_by_role("status")

    @property
    def alert(self) -> Locator:
        """The page's error message."""
        return self.page.get_by_role("alert")

    def types(self, label: str, text: str) -> None:
        """Fill in the visible field with this label."""
        name = self.words[label]
        self.page.get_by_label(name, exact=True).locator("visible=true").fill(text)

    def presses(self, name: str) -> None:
        """Press the visible button with this name."""
        self.page.get_by_role("button", name=self.words[name], exact=True).click()

    def sees(self, view: str) -> None:
        """Wait for the view with this heading."""
        heading = self.page.get_by_role("heading", name=self.words[view], exact=True, level=2)
        expect(heading).to_be_visible()

    def hears(self, said: str) -> None:
        """Wait for this status message."""
        expect(self.status).to_have_text(self.words["said"][said])

    def is_told(self, code: str) -> None:
        """Wait for the error message of this code."""
        expect(self.alert).to_contain_text(self.words["codes"][code])

    def reads_code(self, mail: int) -> str:
        """Wait for this number of e-mails on the mailbox page, and return the newest code."""
        self.mails.bring_to_front()
        box = self.mails.get_by_role("list", name="E-mails")
        listed = box.get_by_role("listitem").filter(has_text=self.email)
        expect(listed).to_have_count(mail)
        expect(listed.first.get_by_role("button", name=re.compile("Copy"))).to_be_visible()
        text = listed.first.get_by_text(re.compile(r"^\s*\d{6}\s*$")).first.inner_text()
        self.page.bring_to_front()
        return text.strip()

    def signs_up(self) -> None:
        """Fill in and send the sign-up form."""
        self.presses("signUp")
        self.types("email", self.email)
        self.types("password", PASSWORD)
        self.presses("signUp")
        self.sees("confirm")

    def has_an_account(self) -> None:
        """Sign up, confirm, and sign out; the sign-in view follows."""
        self.is_signed_in()
        self.presses("signOut")
        self.sees("signIn")

    def signs_in(self, password: str = PASSWORD) -> None:
        """Fill in and send the sign-in form."""
        self.types("email", self.email)
        self.types("password", password)
        self.presses("signIn")

    def is_signed_in(self) -> None:
        """Sign up and confirm, which signs in."""
        self.signs_up()
        self.types("code", self.reads_code(1))
        self.presses("confirmButton")
        self.sees("account")
        expect(self.page.get_by_text(self.email)).to_be_visible()


def code_of(link: Locator, cognito: LocalCognito) -> str:
    """Return the code that an authenticator app shows after its link was opened."""
    secret = str(link.get_attribute("href")).split("secret=")[1]
    return totp(secret.split("&")[0], cognito.clock.now())


@pytest.fixture
def visit(site: Site, browse: Browse) -> Callable[..., Visitor]:
    """Return a function that opens the demo page and the mailbox in a browser of this language."""

    def open_demo(language: str = "en-GB", **options: Any) -> Visitor:
        window = browse(*vars(site).values(), locale=language, **options)
        mails = window.page.context.new_page()
        mails.goto(f"{site.mailbox}/")
        window.page.bring_to_front()
        window.page.goto(site.demo)
        texts = window.page.evaluate(
            "import('/texts.js').then(({texts}) => JSON.parse(JSON.stringify(texts)))"
        )
        email = f"ada.{uuid4().hex[:8]}@example.com"
        return Visitor(window, site, texts[language[:2]], email, mails)

    return open_demo
