"""The local Cognito's console in a real browser, and its protection from other pages."""

import json
from collections.abc import Callable, Iterator

import httpx
import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Locator, expect

from infra.local.console.routes import ACTIONS, TEMPORARY_PASSWORD
from infra.local.server import LocalCognito
from tests.support.browser import NARROW, Browse, Window
from tests.support.contract import PASSWORD, Contract, claims, refused
from tests.support.contract_google import comes_back

ADA = "ada@example.com"
API = "http://localhost:8123"


@pytest.fixture
def console() -> Iterator[Contract]:
    """Return a local Cognito for this test alone; a shared one would show other tests' users."""
    with LocalCognito(api=API) as cognito:
        yield Contract(cognito.create_pool(), cognito)


@pytest.fixture
def window(console: Contract, browse: Browse) -> Window:
    """Return a window that shows the console. The server is requested first, to outlive it."""
    url = console.local.url
    window = browse(url, permissions=["clipboard-read", "clipboard-write"])
    window.page.goto(url)
    expect(window.page.get_by_role("heading", name="Local Cognito")).to_be_visible()
    return window


def user(window: Window, email: str = ADA) -> Locator:
    """Return the card of a user."""
    return window.page.locator("#users > li", has_text=email)


def press(window: Window, name: str) -> Locator:
    """Press a button of the only user, and return the page's status message."""
    user(window).get_by_role("button", name=name).click()
    return window.page.get_by_role("status")


def create_account(console: Contract, email: str = ADA) -> None:
    """Sign up and confirm."""
    console.sign_up(email)
    console.confirm(email, console.code(email))


def test_an_email_arrives_by_itself_and_its_code_is_copied(
    window: Window, console: Contract
) -> None:
    """E-mails appear without a reload, newest first, and one click copies the code."""
    page = window.page
    expect(page.get_by_role("heading", name="No e-mail yet")).to_be_visible()
    console.sign_up("grace@example.com")
    console.sign_up(ADA)
    code = console.code(ADA)
    expect(page.get_by_role("status")).to_contain_text(f"E-mail to {ADA}: the code is {code}")
    expect(page.locator("#mails > li").first).to_contain_text(ADA)
    expect(page.get_by_role("heading", name="No e-mail yet")).to_be_hidden()
    assert page.title() == f"{code} · Local Cognito"
    page.get_by_role("button", name=f"Copy the code {code}").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == code


def test_moving_the_time_expires_a_code(window: Window, console: Contract) -> None:
    """A confirmation code is valid for a day; the page shows how far ahead the clock is."""
    console.sign_up(ADA)
    code = console.code(ADA)
    for step, ahead in (
        ("+5 minutes", "5 min ahead"),
        ("+1 hour", "1 h 5 min ahead"),
        ("+1 day", "1 d 1 h 5 min ahead"),
    ):
        window.page.get_by_role("button", name=step).click()
        expect(window.page.locator("#ahead")).to_contain_text(ahead)
    with refused("ExpiredCode"):
        console.confirm(ADA, code)


def test_every_state_is_a_click_away(window: Window, console: Contract) -> None:
    """Each button does what it says, as Cognito's answers show afterwards."""
    page = window.page
    console.sign_up(ADA)
    expect(user(window)).to_contain_text("Unconfirmed")
    console.confirm(ADA, console.code(ADA))
    expect(user(window)).to_contain_text("Confirmed")
    tokens = console.sign_in(ADA)["AuthenticationResult"]

    expect(press(window, "Sign out everywhere")).to_contain_text("Signed out")
    with refused("NotAuthorized"):
        console.users.get_user(AccessToken=tokens["AccessToken"])

    expect(press(window, "Disable")).to_contain_text("Disabled")
    expect(user(window)).to_contain_text("disabled")
    with refused("NotAuthorized"):
        console.sign_in(ADA)
    press(window, "Enable")
    expect(user(window)).not_to_contain_text("disabled")
    assert "AuthenticationResult" in console.sign_in(ADA)

    expect(press(window, "Force a password reset")).to_contain_text("mailbox")
    expect(user(window)).to_contain_text("Must reset the password")
    with refused("PasswordResetRequired"):
        console.sign_in(ADA)

    expect(press(window, "Ask for a new password")).to_contain_text(TEMPORARY_PASSWORD)
    expect(user(window)).to_contain_text("Must choose a new password")
    assert console.sign_in(ADA, TEMPORARY_PASSWORD)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"

    page.once("dialog", lambda dialog: dialog.accept())
    expect(press(window, "Delete")).to_contain_text("Deleted")
    expect(user(window)).to_have_count(0)
    with refused("NotAuthorized"):
        console.sign_in(ADA)


def test_groups_of_a_user(window: Window, console: Contract) -> None:
    """A user joins a group, new or existing, and leaves one. A refresh then sees the change."""
    create_account(console)
    create_account(console, "grace@example.com")
    tokens = console.tokens(ADA)
    ada, grace = user(window), user(window, "grace@example.com")
    for card, group in ((ada, "editors"), (ada, "writers"), (grace, "editors")):
        card.get_by_label("Group", exact=True).fill(group)
        card.get_by_label("Group", exact=True).press("Enter")
        expect(window.page.get_by_role("status")).to_contain_text(f"In {group} from")
        expect(card.get_by_role("button", name=f"Remove from {group}")).to_be_visible()
    choices = window.page.locator("#groups option")
    expect(choices).to_have_count(2)
    assert choices.evaluate_all("all => all.map((one) => one.value)") == ["editors", "writers"]
    tokens = console.refresh(tokens["RefreshToken"])
    assert claims(console, tokens["AccessToken"])["cognito:groups"] == ["editors", "writers"]

    ada.get_by_role("button", name="Remove from editors").click()
    expect(window.page.get_by_role("status")).to_contain_text("Out of editors from")
    expect(ada.get_by_role("button", name="Remove from editors")).to_have_count(0)
    tokens = console.refresh(tokens["RefreshToken"])
    assert claims(console, tokens["AccessToken"])["cognito:groups"] == ["writers"]
    expect(grace.get_by_role("button", name="Remove from editors")).to_be_visible()


def test_a_group_that_cognito_refuses(window: Window, console: Contract) -> None:
    """The page shows Cognito's message. Markup in a name is shown as text."""
    create_account(console)
    field = user(window).get_by_label("Group", exact=True)
    field.fill("two words")
    field.press("Enter")
    expect(window.page.get_by_role("status")).to_contain_text("failed to satisfy constraint")
    name = "<img/src=x/onerror=document.title='gone'>"
    field.fill(name)
    field.press("Enter")
    expect(user(window).get_by_role("button", name=f"Remove from {name}")).to_be_visible()
    assert window.page.locator("img").count() == 0
    assert "gone" not in window.page.title()


def test_google_is_no_group_of_the_console(window: Window, console: Contract) -> None:
    """A Google account is marked as one. The group that Cognito makes for them isn't shown."""
    comes_back(console, "grace@example.com")
    expect(user(window, "grace@example.com")).to_contain_text("Google account")
    expect(window.page.locator(".groups button, #groups option")).to_have_count(0)


def test_an_invitation(window: Window, console: Contract) -> None:
    """The e-mail has a temporary password, with which the person chooses one and is confirmed."""
    page = window.page
    expect(page.get_by_text("Nobody has an account.")).to_be_visible()
    page.get_by_label("Invite by e-mail").fill(ADA)
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_role("status")).to_contain_text("Invited")
    expect(user(window)).to_contain_text("Must choose a new password")
    expect(page.locator("#mails > li")).to_contain_text(console.code(ADA))
    challenge = console.sign_in(ADA, console.code(ADA))
    console.respond(challenge, USERNAME=ADA, NEW_PASSWORD=PASSWORD)
    expect(user(window)).to_contain_text("Confirmed")
    console.forgot(ADA)  # the address counts as verified
    page.get_by_label("Invite by e-mail").fill(ADA)
    page.get_by_label("Invite by e-mail").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("already exists")


def test_google_accounts_are_marked(window: Window, console: Contract) -> None:
    """A Google account is marked and has no password buttons. Its other buttons work."""
    create_account(console)
    comes_back(console, "grace@example.com")
    google, native = user(window, "grace@example.com"), user(window)
    expect(google).to_contain_text("Google account")
    expect(native).not_to_contain_text("Google")
    for name in ("Force a password reset", "Ask for a new password"):
        expect(native.get_by_role("button", name=name)).to_be_visible()
        expect(google.get_by_role("button", name=name)).to_be_hidden()
    google.get_by_role("button", name="Disable").click()
    expect(google).to_contain_text("Google account, disabled")
    assert "error" in comes_back(console, "grace@example.com")
    window.page.once("dialog", lambda dialog: dialog.accept())
    google.get_by_role("button", name="Delete").click()
    expect(google).to_have_count(0)
    assert "code" in comes_back(console, "grace@example.com")


def test_cognitos_errors_are_shown(window: Window, console: Contract) -> None:
    """The page shows Cognito's own message, here for a user who was deleted in the meantime."""
    create_account(console)
    button = user(window).get_by_role("button", name="Disable")
    expect(button).to_be_visible()
    # The page polls once a second: keep the button until it is pressed
    window.page.route("**/console/state", lambda route: route.abort())
    console.admin.admin_delete_user(UserPoolId=console.pool.user_pool_id, Username=ADA)
    button.click()
    expect(window.page.get_by_role("status")).to_contain_text("User does not exist")
    window.errors.clear()


def test_forget_everything(window: Window, console: Contract) -> None:
    """Users, sessions and e-mails are deleted; the pool and the client stay."""
    create_account(console)
    expect(user(window)).to_be_visible()
    window.page.once("dialog", lambda dialog: dialog.accept())
    window.page.get_by_role("button", name="Forget everything").click()
    expect(window.page.get_by_text("Nobody has an account.")).to_be_visible()
    expect(window.page.get_by_role("heading", name="No e-mail yet")).to_be_visible()
    assert console.local.outbox.to_json() == []
    create_account(console)
    expect(user(window)).to_be_visible()


def test_markup_in_an_address_is_inert(window: Window, console: Contract) -> None:
    """Anyone can sign up with any address, so the page shows it as text."""
    email = "<img/src=x/onerror=document.title='gone'>@example.com"
    console.sign_up(email)
    expect(window.page.locator("#mails h3")).to_have_text(email)
    expect(window.page.locator("#users h3")).to_have_text(email)
    assert window.page.locator("img").count() == 0
    assert "gone" not in window.page.title()


def test_the_focus_stays_after_a_key_press(window: Window, console: Contract) -> None:
    """The focus stays on the same user, although the user's card is redrawn."""
    create_account(console)
    button = user(window).get_by_role("button", name="Disable")
    button.focus()
    window.page.keyboard.press("Enter")
    expect(user(window)).to_contain_text("disabled")
    focused = "document.activeElement.closest('#users li')?.querySelector('h3').textContent"
    assert window.page.evaluate(focused) == ADA


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", ["wide", "narrow"])
def test_the_page_fits_its_window(
    console: Contract, browse: Browse, scheme: str, size: str
) -> None:
    """With or without users, nothing overflows, and the example has the API's port."""
    narrow = {"viewport": NARROW} if size == "narrow" else {}
    window = browse(console.local.url, color_scheme=scheme, **narrow)
    page = window.page
    page.goto(console.local.url)
    expect(page.locator("#example")).to_contain_text(f"curl {API}/auth/sign-up")
    window.screenshot(f"console-empty-{size}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    create_account(console)
    console.sign_up(f"{'grace.' * 15}hopper@example.com")
    expect(page.locator("#users > li")).to_have_count(2)
    window.screenshot(f"console-{size}-{scheme}")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_the_page_may_load_only_its_own_files(cognito: LocalCognito) -> None:
    """Its policy allows no other source, and no page may frame it."""
    policy = httpx.get(cognito.url).headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


Headers = dict[str, str]


@pytest.mark.parametrize(
    "change",
    [
        lambda ours: ours.pop("Origin"),
        lambda ours: ours.update({"Origin": "null"}),
        lambda ours: ours.update({"Origin": "https://evil.example"}),
        lambda ours: ours.update({"Origin": ours["Origin"].replace("http:", "https:")}),
        lambda ours: ours.update({"Origin": "http://127.0.0.1:1"}),
        lambda ours: ours.update({"Sec-Fetch-Site": "cross-site"}),
        lambda ours: ours.update({"Sec-Fetch-Site": "same-site"}),
        lambda ours: ours.update({"Content-Type": "text/plain"}),
        lambda ours: ours.update({"Content-Type": "application/x-www-form-urlencoded"}),
    ],
)
def test_other_pages_cannot_press_a_button(
    console: Contract, change: Callable[[Headers], object]
) -> None:
    """Forms, other sites and other ports of this machine are refused."""
    create_account(console)
    url = console.local.url
    ours = {
        "Origin": url,
        "Sec-Fetch-Site": "same-origin",
        "Content-Type": "application/json",
    }
    change(ours)
    who = {"pool": console.pool.user_pool_id, "username": ADA, "email": "new@example.com"}
    before = httpx.get(f"{url}/console/state").json()["users"]
    for path in ("forget", "user", "invite", "join-group", "leave-group"):
        sent = json.dumps(who | {"action": "delete", "group": "editors"})
        answer = httpx.post(f"{url}/console/{path}", content=sent, headers=ours)
        assert answer.status_code == 403, path
    assert httpx.get(f"{url}/console/state").json()["users"] == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", '{"step": "-1 day"}'),
        ("clock", "[]"),
        ("user", '{"action": "promote", "pool": "x", "username": "x"}'),
        ("user", '{"action": "disable", "pool": 1, "username": null}'),
        ("user", "not JSON"),
        ("invite", "{}"),
        ("invite", '{"pool": null, "email": 5}'),
        ("join-group", '{"pool": "x", "username": "x"}'),
        ("join-group", '{"pool": "us-east-1_x", "username": "x", "group": ""}'),
        ("leave-group", "[]"),
        ("nothing", "{}"),
    ],
)
def test_malformed_actions_are_refused(cognito: LocalCognito, path: str, body: str) -> None:
    """A request that no button sends is answered with 400."""
    headers = {"Origin": cognito.url, "Content-Type": "application/json"}
    answer = httpx.post(f"{cognito.url}/console/{path}", content=body, headers=headers)
    assert answer.status_code == 400


def test_every_action_is_a_cognito_operation(console: Contract) -> None:
    """Every action in the table calls an operation that exists."""
    for operation, _, _ in ACTIONS.values():
        assert hasattr(console.admin, operation)
    with pytest.raises(ClientError):
        console.admin.admin_disable_user(UserPoolId=console.pool.user_pool_id, Username=ADA)
