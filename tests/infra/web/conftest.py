"""The demo page, its API and the mailbox, each on an origin of its own, in a real Chromium."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from app.main import create_app
from app.settings import Settings
from infra.local.demo import Demo
from infra.local.server import LocalCognito
from tests.support.browser import Browse, Window
from tests.support.ports import free_ports
from tests.support.transports import serve

PASSWORD = "Correct-horse-9"


@dataclass(frozen=True)
class Site:
    """Where the demo page and the API are."""

    demo: str
    api: str
    mailbox: str


@pytest.fixture
def site(cognito: LocalCognito, settings: Settings) -> Iterator[Site]:
    """Return the demo page and its API, on two ports."""
    port = free_ports(1)[0]
    app = create_app(replace(settings, allowed_origins=(f"http://127.0.0.1:{port}",)))
    with serve(app) as api, Demo(port, api, f"{cognito.url}/") as demo:
        yield Site(demo.url, api, cognito.url)


@dataclass
class Visitor:
    """Somebody at the demo page, who finds everything by what it is called in their language."""

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
        """What the page says was done."""
        return self.page.get_by_role("status")

    @property
    def alert(self) -> Locator:
        """What the page says went wrong."""
        return self.page.get_by_role("alert")

    def types(self, label: str, text: str) -> None:
        """Fill the visible field of that name."""
        name = self.words[label]
        self.page.get_by_label(name, exact=True).locator("visible=true").fill(text)

    def presses(self, name: str) -> None:
        """Press the visible button of that name."""
        self.page.get_by_role("button", name=self.words[name], exact=True).click()

    def sees(self, view: str) -> None:
        """Wait for the view with that heading."""
        heading = self.page.get_by_role("heading", name=self.words[view], exact=True, level=2)
        expect(heading).to_be_visible()

    def hears(self, said: str) -> None:
        """Wait for the word on what was done."""
        expect(self.status).to_have_text(self.words["said"][said])

    def is_told(self, code: str) -> None:
        """Wait for the text of a code."""
        expect(self.alert).to_contain_text(self.words["codes"][code])

    def reads_code(self, mail: int) -> str:
        """Take the code from the mailbox page, once it shows that many e-mails to this address."""
        self.mails.bring_to_front()
        box = self.mails.get_by_role("list", name="E-mails")
        listed = box.get_by_role("listitem").filter(has_text=self.email)
        expect(listed).to_have_count(mail)
        expect(listed.first.get_by_role("button", name=re.compile("Copy"))).to_be_visible()
        text = listed.first.get_by_text(re.compile(r"^\s*\d{6}\s*$")).first.inner_text()
        self.page.bring_to_front()
        return text.strip()

    def signs_up(self) -> None:
        """Fill the form for a new account."""
        self.presses("signUp")
        self.types("email", self.email)
        self.types("password", PASSWORD)
        self.presses("signUp")
        self.sees("confirm")

    def has_an_account(self) -> None:
        """Sign up and confirm; sign-in is next."""
        self.signs_up()
        self.types("code", self.reads_code(1))
        self.presses("confirmButton")
        self.sees("signIn")

    def signs_in(self, password: str = PASSWORD) -> None:
        """Fill the form for getting in."""
        self.types("email", self.email)
        self.types("password", password)
        self.presses("signIn")

    def is_signed_in(self) -> None:
        """Have an account, and be in it."""
        self.has_an_account()
        self.signs_in()
        self.sees("account")
        expect(self.page.get_by_text(self.email)).to_be_visible()


@pytest.fixture
def visit(site: Site, browse: Browse) -> Callable[..., Visitor]:
    """Return what opens the demo page and the mailbox, in the language of the browser."""

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
