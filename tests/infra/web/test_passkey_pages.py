"""Passkeys and e-mailed codes on the demo page, in Chromium with its virtual authenticator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Locator, expect

from infra.local.server import LocalCognito, LocalPool
from tests.infra.web.conftest import PASSWORD, Visitor, code_of
from tests.support.people import admin
from tests.support.ports import free_ports

Visit = Callable[..., Visitor]

# A phone's: it keeps passkeys, and asks for a fingerprint.
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


# Note how each passkey is asked for, where Playwright can wait for it.
RECORD = """() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    const { dataset } = document.documentElement;
    dataset.asked = "";
    navigator.credentials.get = (options) => {
        dataset.asked += `${options.mediation ?? "button"} `;
        return get(options);
    };
}"""


@pytest.fixture
def origin() -> str:
    """Return the demo page's origin by its name, as WebAuthn takes no address."""
    return f"http://localhost:{free_ports(1)[0]}"


class Device:
    """A virtual authenticator in a visitor's browser."""

    def __init__(self, visitor: Visitor, **changed: Any) -> None:
        self._protocol: CDPSession = visitor.page.context.new_cdp_session(visitor.page)
        self._protocol.send("WebAuthn.enable", {"enableUI": False})
        made = self._protocol.send(
            "WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, **changed}}
        )
        self._id = {"authenticatorId": made["authenticatorId"]}

    def passkeys(self) -> list[dict[str, Any]]:
        """Return the passkeys that the device keeps."""
        listed = self._protocol.send("WebAuthn.getCredentials", self._id)["credentials"]
        return list(listed)

    def forgets(self) -> None:
        """Delete the passkeys of the device, as when a person loses it."""
        self._protocol.send("WebAuthn.clearCredentials", self._id)

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Let the person do nothing: no request is answered."""
        act = "WebAuthn.setAutomaticPresenceSimulation"
        self._protocol.send(act, {**self._id, "enabled": False})
        yield
        self._protocol.send(act, {**self._id, "enabled": True})

    @contextmanager
    def cancels(self) -> Iterator[None]:
        """Let the person's finger be the wrong one."""
        self._protocol.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": False})
        yield
        self._protocol.send("WebAuthn.setUserVerified", {**self._id, "isUserVerified": True})


def listed(visitor: Visitor) -> Locator:
    """Return the passkeys that the page lists."""
    return visitor.page.locator("#passkeys li")


def has_asked(visitor: Visitor, ways: str) -> None:
    """Wait until the page has asked the browser for a passkey in these ways."""
    expect(visitor.page.locator("html")).to_have_attribute("data-asked", ways)


def has_a_passkey(visitor: Visitor) -> None:
    """Sign up, and make a passkey."""
    visitor.is_signed_in()
    visitor.presses("addPasskey")
    visitor.hears("addPasskey")


def leaves_the_autofill(visitor: Visitor, device: Device) -> None:
    """Sign out, and don't choose the passkey that the browser then offers."""
    visitor.page.evaluate(RECORD)
    with device.waits():
        visitor.presses("signOut")
        has_asked(visitor, "conditional ")


def is_told_of_a_passkey(visitor: Visitor, kind: str) -> None:
    """Wait for the message of a PasskeyError."""
    expect(visitor.alert).to_have_text(visitor.words["passkey"][kind])


@pytest.mark.parametrize("language", ["en-GB", "ko-KR"])
def test_a_passkey_from_beginning_to_end(visit: Visit, language: str) -> None:
    """It is made, listed, signs in without the password, and is removed."""
    ada = visit(language)
    device = Device(ada)
    has_a_passkey(ada)
    expect(listed(ada)).to_have_count(1)
    (made,) = device.passkeys()
    assert made["rpId"] == "localhost"
    assert made["isResidentCredential"]
    ada.presses("addPasskey")
    is_told_of_a_passkey(ada, "exists")
    leaves_the_autofill(ada, device)
    ada.presses("signInWithPasskey")
    ada.hears("signIn")
    expect(ada.page.locator("#me-ways")).to_contain_text(ada.words["ways"]["passkey"])
    ada.page.reload()
    ada.hears("restored")
    ada.presses("removePasskey")
    ada.hears("removePasskey")
    expect(listed(ada)).to_have_count(0)
    ada.presses("signOut")
    ada.types("email", ada.email)
    ada.presses("signInWithPasskey")
    ada.is_told("passkey_not_found")
    ada.signs_in()
    ada.hears("signIn")


def test_autofill(visit: Visit) -> None:
    """The browser offers the passkey as soon as the address is known: one choice signs in."""
    ada = visit()
    device = Device(ada)
    has_a_passkey(ada)
    ada.page.evaluate(RECORD)
    ada.presses("signOut")
    # The device answers at once, as if the person had chosen the passkey in the autofill.
    ada.hears("signIn")
    ada.sees("account")
    assert device.passkeys()[0]["signCount"] == 2
    has_asked(ada, "conditional ")
    field = ada.page.locator("#sign-in [name=email]")
    expect(field).to_have_attribute("autocomplete", "username webauthn")


def test_autofill_and_staying_signed_in(visit: Visit) -> None:
    """The box counts as it is when the passkey is chosen: a new tab is signed in, too."""
    ada = visit()
    device = Device(ada)
    has_a_passkey(ada)
    leaves_the_autofill(ada, device)
    ada.page.get_by_label(ada.words["stay"]).check()
    ada.hears("signIn")
    ada.sees("account")
    tab = ada.page.context.new_page()
    tab.goto(ada.site.demo)
    expect(tab.get_by_role("status")).to_have_text(ada.words["said"]["restored"])


def test_a_button_instead_of_the_autofill(visit: Visit) -> None:
    """Whoever doesn't use the offer can still press the button, or type the password."""
    ada = visit()
    device = Device(ada)
    has_a_passkey(ada)
    leaves_the_autofill(ada, device)
    ada.presses("signInWithPasskey")
    ada.hears("signIn")
    has_asked(ada, "conditional button ")
    with device.waits():
        ada.presses("signOut")
        has_asked(ada, "conditional button conditional ")
        ada.signs_in()
        ada.hears("signIn")


def test_a_lost_device(visit: Visit) -> None:
    """Without a passkey nothing is sent, and the password still works."""
    ada = visit()
    device = Device(ada, automaticPresenceSimulation=True)
    has_a_passkey(ada)
    device.forgets()
    ada.presses("signOut")
    ada.types("email", ada.email)
    ada.presses("signInWithPasskey")
    is_told_of_a_passkey(ada, "cancelled")
    ada.signs_in()
    ada.hears("signIn")


def test_with_a_second_factor(visit: Visit, cognito: LocalCognito) -> None:
    """Its passkeys are still listed, and can be removed, although they don't sign in."""
    ada = visit()
    Device(ada)
    has_a_passkey(ada)
    ada.presses("setUpMfa")
    ada.hears("setUpMfa")
    ada.types("code", code_of(ada.page.locator("#mfa .otpauth"), cognito))
    ada.presses("verifyMfa")
    ada.hears("verifyMfa")
    expect(listed(ada)).to_have_count(1)
    ada.presses("signOut")
    ada.types("email", ada.email)
    ada.presses("signInWithPasskey")
    ada.is_told("passkey_not_found")
    ada.signs_in()
    expect(ada.status).to_have_text(ada.words["codes"]["challenge_required"])


def test_a_wrong_finger(visit: Visit) -> None:
    """Neither makes a passkey nor signs in with one."""
    ada = visit()
    device = Device(ada)
    ada.is_signed_in()
    with device.cancels():
        ada.presses("addPasskey")
        is_told_of_a_passkey(ada, "cancelled")
    expect(listed(ada)).to_have_count(0)
    ada.presses("addPasskey")
    ada.hears("addPasskey")
    with device.cancels():
        ada.presses("signOut")
        ada.types("email", ada.email)
        ada.presses("signInWithPasskey")
        is_told_of_a_passkey(ada, "cancelled")


def test_no_device(visit: Visit) -> None:
    """A browser that can't make the passkey says so, and nothing else breaks."""
    ada = visit()
    ada.is_signed_in()
    ada.page.evaluate("delete PublicKeyCredential.parseCreationOptionsFromJSON")
    ada.presses("addPasskey")
    is_told_of_a_passkey(ada, "unsupported")


def test_an_address_of_this_machine(visit: Visit) -> None:
    """A page whose host isn't the relying party's gets no passkey, and is told why."""
    ada = visit()
    Device(ada)
    ada.is_signed_in()
    elsewhere = """async () => {
        const real = PublicKeyCredential.parseCreationOptionsFromJSON;
        PublicKeyCredential.parseCreationOptionsFromJSON = (options) =>
            real({ ...options, rp: { ...options.rp, id: "example.com" } });
    }"""
    ada.page.evaluate(elsewhere)
    ada.presses("addPasskey")
    is_told_of_a_passkey(ada, "elsewhere")


def test_a_code_in_place_of_the_password(visit: Visit) -> None:
    """It is e-mailed, and signs in; a wrong one leaves another try."""
    ada = visit()
    ada.has_an_account()
    ada.types("email", ada.email)
    ada.presses("emailCode")
    ada.hears("emailCode")
    ada.types("code", "000000")
    ada.presses("challengeButton")
    ada.is_told("code_mismatch")
    ada.types("code", ada.reads_code(2))
    ada.presses("challengeButton")
    ada.hears("challenge")
    expect(ada.page.get_by_text(ada.email)).to_be_visible()


def test_an_account_without_a_password(
    visit: Visit, cognito: LocalCognito, pool: LocalPool
) -> None:
    """Sign-up takes the address alone, and the page offers no change of a password."""
    ada = visit()
    ada.presses("signUp")
    ada.types("email", ada.email)
    ada.presses("signUpWithout")
    ada.hears("signUp")
    ada.types("code", ada.reads_code(1))
    ada.presses("confirmButton")
    ada.hears("confirmIn")
    expect(ada.page.locator("#me-ways")).to_have_text(ada.words["ways"]["code"])
    expect(ada.page.locator("#of-passwords")).to_be_hidden()
    expect(ada.page.locator("#own")).to_be_visible()
    who = {"UserPoolId": pool.user_pool_id, "Username": ada.email}
    assert admin(cognito, pool).admin_get_user(**who)["UserStatus"] == "CONFIRMED"
    ada.presses("signOut")
    ada.signs_in(PASSWORD)
    ada.is_told("invalid_credentials")
