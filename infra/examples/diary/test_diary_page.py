"""The diary's page in Chromium: a person writes, records, and plays the recording."""

import os
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from playwright.sync_api import Page, expect

from infra.local.demo import Demo
from infra.local.server import LocalCognito
from tests.support.browser import Browse
from tests.support.people import Person, settings_for
from tests.support.ports import free_ports
from tests.support.transports import make_app, serve

PLAYED = (
    "async audio => { while (audio.currentTime === 0) await new Promise(requestAnimationFrame); }"
)


@pytest.fixture
def page(browse: Browse, cognito: LocalCognito, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """Return the page, on which a person has signed in."""
    monkeypatch.setitem(os.environ, "AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setitem(os.environ, "AWS_SECRET_ACCESS_KEY", "local")
    pool = cognito.create_pool("diary-page")
    (port,) = free_ports(1)
    origin = f"http://127.0.0.1:{port}"
    settings = replace(
        settings_for(cognito, pool),
        allowed_origins=(origin,),
        diary_table=pool.variables["DIARY_TABLE"],
        diary_bucket=pool.variables["DIARY_BUCKET"],
    )
    with (
        serve(make_app(settings, clock=cognito.clock.now)) as api,
        httpx.Client(base_url=api) as client,
        Demo(port, api, f"{cognito.url}/"),
    ):
        ada = Person(client, cognito.outbox.code_for)
        ada.has_an_account()
        page = browse(origin, api, cognito.url, permissions=["microphone"]).page
        page.goto(f"{origin}/diary.html")
        page.get_by_label("E-mail").fill(ada.email)
        page.get_by_label("Password").fill(ada.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_text("Nothing yet on this day.")).to_be_visible()
        yield page


def test_a_voice_diary(page: Page) -> None:
    """A recording goes to S3 with its entry, and plays, also after a reload."""
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("Recording…")).to_be_visible()
    page.wait_for_timeout(500)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("A recording waits for its entry.")).to_be_visible()
    page.get_by_label("Entry").fill("Sunny.\nI said it, too.")
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_text("Written, with its recording.")).to_be_visible()
    page.reload()
    entry = page.get_by_role("listitem")
    expect(entry).to_contain_text("I said it, too.")
    entry.get_by_role("button", name="Play").click()
    page.locator("audio").evaluate(PLAYED)


def test_an_entry(page: Page) -> None:
    """It is written, changed and deleted."""
    answers = iter(["Rain."])
    page.on("dialog", lambda dialog: dialog.accept(next(answers, "")))
    page.get_by_label("Entry").fill("Sunny.")
    page.get_by_role("button", name="Write", exact=True).click()
    entry = page.get_by_role("listitem")
    expect(entry).to_contain_text("Sunny.")
    entry.get_by_role("button", name="Change").click()
    expect(entry).to_contain_text("Rain.")
    entry.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("Nothing yet on this day.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
