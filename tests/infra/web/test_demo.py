"""The demo page as people use it: in both languages, by keyboard, on a phone, and in failures.

Codes are read from the mailbox page, in another tab of the same browser.
"""

import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from app.failure import PASSWORD_RULES
from infra.local.admin_client import boto3_client
from infra.local.server import LocalCognito, LocalPool
from tests.infra.web.conftest import PASSWORD, Visitor, code_of
from tests.support.browser import NARROW
from tests.support.document import our_codes

WIDE = {"width": 1000, "height": 640}  # low, because infra/web/README.md shows two screenshots
NEW_PASSWORD = "Correct-horse-10"
TEXTS = (Path(__file__).parents[3] / "infra/web/texts.js").read_text()
Visit = Callable[..., Visitor]


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_the_whole_life_of_an_account(visit: Visit, language: str) -> None:
    """From sign-up to its deletion, with a reload in between."""
    ada = visit(language)
    expect(ada.page.locator("html")).to_have_attribute("lang", language[:2])
    ada.signs_up()
    ada.hears("signUp")

    ada.types("code", "000000")
    ada.presses("confirmButton")
    ada.is_told("code_mismatch")
    ada.presses("resendCode")
    ada.hears("resendCode")
    ada.types("code", ada.reads_code(2))
    ada.presses("confirmButton")
    ada.hears("confirmIn")
    ada.presses("signOut")

    ada.signs_in("Wrong-horse-9")
    ada.is_told("invalid_credentials")
    ada.signs_in()
    ada.hears("signIn")
    expect(ada.page.get_by_text(ada.email)).to_be_visible()

    ada.page.reload()
    ada.hears("restored")
    expect(ada.page.get_by_text(ada.email)).to_be_visible()

    ada.types("currentPassword", PASSWORD)
    ada.types("newPassword", NEW_PASSWORD)
    ada.presses("changePasswordButton")
    ada.hears("changePassword")
    ada.presses("signOut")
    ada.hears("signOut")
    ada.page.reload()
    ada.sees("signIn")

    ada.presses("forgotPassword")
    ada.types("email", ada.email)
    ada.presses("forgotPasswordButton")
    ada.hears("forgotPassword")
    ada.types("code", ada.reads_code(3))
    ada.types("newPassword", PASSWORD)
    ada.presses("resetPasswordButton")
    ada.hears("resetPassword")

    ada.signs_in()
    ada.hears("signIn")
    ada.presses("signOutEverywhere")
    ada.hears("signOutEverywhere")
    ada.signs_in()
    ada.hears("signIn")
    ada.presses("deleteMe")
    ada.presses("deleteYes")
    ada.hears("deleteMe")
    ada.presses("backToSignIn")
    ada.signs_in()
    ada.is_told("invalid_credentials")


def test_a_second_factor(visit: Visit, cognito: LocalCognito) -> None:
    """It is set up, required at sign-in, and turned off again."""
    ada = visit()

    def app_code() -> str:
        return code_of(ada.page.locator("#mfa .otpauth"), cognito)

    ada.is_signed_in()
    ada.presses("setUpMfa")
    ada.hears("setUpMfa")
    ada.types("code", "000000")
    ada.presses("verifyMfa")
    expect(ada.alert).to_have_text(ada.words["wrongAppCode"])
    ada.types("code", app_code())
    ada.presses("verifyMfa")
    ada.hears("verifyMfa")
    ada.presses("signOut")
    ada.signs_in()
    expect(ada.status).to_have_text(ada.words["codes"]["challenge_required"])
    cognito.clock.advance(30)  # a code works only once
    ada.types("code", "000000")
    ada.presses("challengeButton")
    expect(ada.alert).to_have_text(ada.words["wrongAppCode"])
    ada.types("code", app_code())
    ada.presses("challengeButton")
    ada.hears("challenge")
    ada.presses("removeMfa")
    ada.hears("removeMfa")


def test_a_second_factor_that_the_pool_requires(
    visit: Visit, cognito: LocalCognito, pool: LocalPool
) -> None:
    """It is set up between the password and the welcome, and can be tried again."""
    boto3_client(cognito.url, pool.region).set_user_pool_mfa_config(
        UserPoolId=pool.user_pool_id,
        SoftwareTokenMfaConfiguration={"Enabled": True},
        MfaConfiguration="ON",
    )
    ada = visit()
    ada.signs_up()
    ada.types("code", ada.reads_code(1))
    ada.presses("confirmButton")
    ada.hears("confirm")  # without the factor, confirming doesn't sign in
    ada.signs_in()
    ada.hears("setUpMfa")
    link = ada.page.locator("#challenge-secret .otpauth")
    expect(link).to_be_visible()
    ada.types("code", "000000")
    ada.presses("challengeButton")
    expect(ada.alert).to_have_text(ada.words["wrongAppCode"])
    ada.types("code", code_of(link, cognito))
    ada.presses("challengeButton")
    ada.hears("challenge")
    ada.presses("signOut")
    ada.signs_in()
    expect(ada.status).to_have_text(ada.words["codes"]["challenge_required"])
    expect(link).to_be_hidden()


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_the_profile(visit: Visit, language: str) -> None:
    """A name, and a new address: the old one counts until the code is entered."""
    ada = visit(language)
    ada.is_signed_in()
    name = ada.page.get_by_label(ada.words["name"], exact=True)
    name.fill("Ada Lovelace")
    ada.presses("nameButton")
    ada.hears("updateMe")
    expect(name).to_have_value("Ada Lovelace")
    ada.types("newEmail", "nowhere")
    ada.presses("changeEmailButton")
    ada.is_told("invalid_email")
    expect(ada.page.get_by_label(ada.words["newEmail"])).to_be_focused()
    old, ada.email = ada.email, f"new.{ada.email}"
    ada.types("newEmail", ada.email)
    ada.presses("changeEmailButton")
    ada.hears("changeEmail")
    expect(ada.page.locator("#me-email")).to_have_text(old)
    ada.types("code", ada.reads_code(1))
    ada.presses("confirmButton")
    ada.hears("verifyEmail")
    expect(ada.page.locator("#me-email")).to_have_text(ada.email)
    ada.page.reload()
    expect(name).to_have_value("Ada Lovelace")
    ada.presses("signOut")
    ada.signs_in()
    ada.hears("signIn")


def test_an_expired_code(visit: Visit, cognito: LocalCognito) -> None:
    """After a day the page reports that the code has expired, and a button sends another one."""
    ada = visit()
    ada.signs_up()
    code = ada.reads_code(1)
    cognito.clock.advance(timedelta(hours=25))
    ada.types("code", code)
    ada.presses("confirmButton")
    ada.is_told("code_expired")
    ada.presses("resendCode")
    ada.types("code", ada.reads_code(2))
    ada.presses("confirmButton")
    ada.hears("confirm")  # and sign-in is next


def test_an_unconfirmed_account(visit: Visit) -> None:
    """Sign-in leads to the form for the code, and the code, after a reload, back to sign-in."""
    ada = visit()
    ada.signs_up()
    ada.page.reload()
    ada.signs_in()
    ada.is_told("user_not_confirmed")
    ada.sees("confirm")
    ada.types("code", ada.reads_code(1))
    ada.presses("confirmButton")
    ada.sees("signIn")


def test_a_wrong_field_is_marked(visit: Visit) -> None:
    """The invalid field is marked for screen readers and has the focus."""
    ada = visit()
    ada.presses("signUp")
    for email, password, code, label in (
        ("ada", PASSWORD, "invalid_email", "email"),
        (ada.email, "short", "invalid_password", "password"),
        ("", "", "invalid_request", "password"),
    ):
        ada.types("email", email)
        ada.types("password", password)
        ada.presses("signUp")
        ada.is_told(code)
        field = ada.page.get_by_label(ada.words[label], exact=True).locator("visible=true")
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()


def test_a_taken_address(visit: Visit) -> None:
    """The page reports that the address is taken; the sign-in form keeps the address."""
    ada = visit()
    ada.has_an_account()
    ada.presses("signUp")
    ada.types("email", ada.email)
    ada.types("password", PASSWORD)
    ada.presses("signUp")
    ada.is_told("email_taken")
    ada.presses("backToSignIn")
    expect(ada.page.get_by_label(ada.words["email"]).locator("visible=true")).to_have_value(
        ada.email
    )


def test_a_session_that_ended_elsewhere(visit: Visit, cognito: LocalCognito) -> None:
    """When the access token has expired too, the page shows sign-in and the reason."""
    ada = visit()
    ada.is_signed_in()
    ada.page.evaluate(
        """async () => {
            const { Client, memoryStore } = await import("/client.js");
            const store = memoryStore();
            store.set(sessionStorage.getItem("accounts"));
            const { API } = await import("/config.js");
            await new Client(API, { store }).signOutEverywhere();
        }"""
    )
    cognito.clock.advance(timedelta(hours=4))
    ada.presses("setUpMfa")
    ada.is_told("invalid_refresh_token")
    ada.sees("signIn")


def test_a_sign_in_that_is_not_recent(visit: Visit, cognito: LocalCognito) -> None:
    """The page asks to sign in again, with the address filled in, and then the change works."""
    ada = visit()
    ada.is_signed_in()
    cognito.clock.advance(timedelta(minutes=6))
    ada.presses("setUpMfa")
    ada.is_told("reauthentication_required")
    ada.sees("signIn")
    ada.types("password", PASSWORD)
    ada.presses("signIn")
    ada.hears("signIn")
    ada.presses("setUpMfa")
    ada.hears("setUpMfa")


def test_the_network_is_lost(visit: Visit) -> None:
    """The page reports the lost network and keeps the input, and the next try works."""
    ada = visit()
    ada.has_an_account()
    ada.page.context.set_offline(True)
    ada.signs_in()
    ada.is_told("lost")
    ada.page.context.set_offline(False)
    ada.window.errors.clear()  # Chromium's own message
    ada.presses("signIn")
    ada.hears("signIn")


def test_by_keyboard_alone(visit: Visit) -> None:
    """After every step, the focus is where the user continues."""
    ada = visit()
    keyboard = ada.page.keyboard
    ada.presses("signUp")
    keyboard.type(ada.email)
    keyboard.press("Tab")
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    ada.sees("confirm")
    keyboard.type(ada.reads_code(1))
    keyboard.press("Enter")
    ada.hears("confirmIn")
    expect(ada.page.get_by_role("heading", name=ada.words["account"])).to_be_focused()


def test_staying_signed_in_is_for_every_tab(visit: Visit) -> None:
    """With the box ticked, a new tab is signed in too, and a sign-out in one tab ends both."""
    ada = visit()
    ada.has_an_account()
    ada.page.get_by_label(ada.words["stay"]).check()
    ada.signs_in()
    ada.sees("account")
    other = ada.page.context.new_page()
    other.goto(ada.site.demo)
    expect(other.get_by_text(ada.email)).to_be_visible()
    ada.presses("signOut")
    ada.hears("signOut")
    expect(other.get_by_role("status")).to_have_text(ada.words["said"]["elsewhere"])
    expect(other.get_by_role("button", name=ada.words["signIn"], exact=True)).to_be_visible()


def test_nothing_secret_stays(visit: Visit) -> None:
    """No token is on the page or in its list of calls, and no storage has the access token."""
    ada = visit()
    ada.is_signed_in()
    kept = ada.page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert set(json.loads(json.loads(kept)[1]["accounts"])) == {"id", "refreshToken"}
    shown = ada.page.content()
    assert json.loads(json.loads(kept)[1]["accounts"])["refreshToken"] not in shown
    assert PASSWORD not in shown


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_pictures(visit: Visit, language: str, size: dict[str, int], scheme: str) -> None:
    """Nothing is wider than the window. Look at these screenshots after a change to the page."""
    ada = visit(language, viewport=size, color_scheme=scheme)
    name = f"demo-{language[:2]}-{size['width']}-{scheme}"
    ada.presses("signUp")
    ada.types("email", ada.email)
    ada.types("password", "Horse")
    ada.presses("signUp")
    ada.is_told("invalid_password")
    ada.window.screenshot(f"{name}-refused")
    ada.types("password", PASSWORD)
    ada.presses("signUp")
    ada.sees("confirm")
    ada.window.screenshot(f"{name}-confirm")
    ada.types("code", ada.reads_code(1))
    ada.presses("confirmButton")
    ada.sees("account")
    expect(ada.page.get_by_text(ada.email)).to_be_visible()
    ada.presses("setUpMfa")
    ada.hears("setUpMfa")
    assert ada.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ada.window.screenshot(f"{name}-account")


def test_both_languages_have_every_text(visit: Visit) -> None:
    """The password rules, which the API sends in English, are translated too."""
    texts: dict[str, Any] = visit().page.evaluate(
        "import('/texts.js').then(({texts}) => JSON.parse(JSON.stringify(texts)))"
    )
    for words in texts.values():
        assert all(words["codes"].values())
        assert set(words) == set(texts["en"])
        assert set(words["said"]) == set(texts["en"]["said"])
    assert set(texts["ko"]["rules"]) == set(PASSWORD_RULES.values())


def test_every_code_has_a_text_in_both_languages() -> None:
    """No text is left for a code that no longer exists."""
    written = re.findall(r"^  codes: {\n(.*?)^  },", TEXTS, re.MULTILINE | re.DOTALL)
    assert len(written) == len(("en", "ko"))
    for texts in written:
        translated = set(re.findall(r"^    (\w+):", texts, re.MULTILINE))
        assert our_codes() - translated == set(), "Add them to both languages in infra/web/texts.js"
        assert translated - our_codes() == {"lost", "timeout", "garbled", "inAppBrowser", "unknown"}
