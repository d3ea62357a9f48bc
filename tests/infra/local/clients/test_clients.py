"""Cognito's other clients work with the local Cognito: JavaScript, in Node.js and in a page."""

from typing import Any

import pytest

from tests.infra.local.clients.conftest import Ask, Clients
from tests.support.browser import Browse
from tests.support.contract import NO_ROTATION, PASSWORD, Contract
from tests.support.contract_mfa import app_code
from tests.support.contract_srp import EVERY_FLOW, ONLY_SRP

# The first test installs the packages
pytestmark = pytest.mark.timeout(300)

IDENTITY, AMPLIFY = "amazon-cognito-identity-js", "aws-amplify"
PASSWORD_FLOW, SRP = "USER_PASSWORD_AUTH", "USER_SRP_AUTH"
TEMPORARY = "Temporary-Horse-1"

# The names of the errors that an app branches on. Both libraries pass Cognito's on.
FAILED = {
    "weak password": "InvalidPasswordException",
    "taken address": "UsernameExistsException",
    "unconfirmed": "UserNotConfirmedException",
    "wrong code": "CodeMismatchException",
    "wrong password": "NotAuthorizedException",
    "wrong first app code": "EnableSoftwareTokenMFAException",
    "wrong app code": "CodeMismatchException",
    "wrong old password": "NotAuthorizedException",
    "wrong reset code": "CodeMismatchException",
    "signed out": "NotAuthorizedException",
    "deleted": "NotAuthorizedException",
}
# After a sign-out, Amplify has no token to call with.
FAILED_IN = {IDENTITY: FAILED, AMPLIFY: FAILED | {"signed out": "UserUnAuthenticatedException"}}
APP_STEP = {IDENTITY: "totpRequired", AMPLIFY: "CONFIRM_SIGN_IN_WITH_TOTP_CODE"}
JOIN_STEPS = {
    IDENTITY: ["newPasswordRequired", "mfaSetup"],
    AMPLIFY: [
        "CONFIRM_SIGN_IN_WITH_NEW_PASSWORD_REQUIRED",
        "CONTINUE_SIGN_IN_WITH_TOTP_SETUP",
    ],
}


def settings(contract: Contract, flow: str = SRP) -> dict[str, str]:
    """Return what a client needs, for a person who has no account yet."""
    return {
        "endpoint": contract.local.url,
        "pool": contract.pool.user_pool_id,
        "client": contract.pool.client_id,
        "flow": flow,
        "email": contract.address(),
        "password": PASSWORD,
    }


def asking(contract: Contract) -> Ask:
    """Return a function that answers a client's questions."""

    def ask(what: str, about: str) -> str:
        if what == "code":
            return contract.code(about)
        if what == "invitation":
            contract.administer("admin_create_user", about, TemporaryPassword=TEMPORARY)
            return TEMPORARY
        contract.local.clock.advance(30)  # an app's code works once
        return app_code(contract, about)

    return ask


def assert_lived(client: str, lived: Any, email: str) -> None:
    """Compare what a client reports with what it must."""
    assert lived["failed"] == FAILED_IN[client]
    assert lived["step"] == APP_STEP[client]
    seen = lived["attributes"]
    expected = {"sub": seen["sub"], "email": email, "email_verified": "true", "name": "Ada"}
    assert seen == expected


@pytest.mark.parametrize(
    ("client", "flow", "app_client"),
    [
        # It refreshes by REFRESH_TOKEN_AUTH, which rotation rules out.
        (IDENTITY, PASSWORD_FLOW, NO_ROTATION),
        (IDENTITY, SRP, EVERY_FLOW),
        (AMPLIFY, PASSWORD_FLOW, {}),  # the template's
        (AMPLIFY, SRP, ONLY_SRP),
    ],
    ids=str,
)
def test_the_life_of_an_account(
    contract: Contract, clients: Clients, client: str, flow: str, app_client: dict[str, Any]
) -> None:
    """In Node.js: sign-up, sign-in, refresh, second factor, passwords, sign-out, deletion."""
    contract = contract.with_settings(client=app_client)
    person = settings(contract, flow)
    lived = clients.run(client, "live", person, asking(contract))
    assert_lived(client, lived, person["email"])


@pytest.mark.parametrize("client", [IDENTITY, AMPLIFY])
def test_an_invitation(contract: Contract, clients: Clients, client: str) -> None:
    """To a pool that requires a second factor: a new password, an app, and the person is in."""
    mfa = {"MfaConfiguration": "ON", "SoftwareTokenMfaConfiguration": {"Enabled": True}}
    contract = contract.with_settings(client=ONLY_SRP, mfa=mfa)
    person = settings(contract)
    joined = clients.run(client, "join", person, asking(contract))
    assert joined == {"steps": JOIN_STEPS[client], "signedInAs": person["email"]}


def test_a_choice_of_factors(contract: Contract, clients: Clients) -> None:
    """Amplify's `autoSignIn` takes ConfirmSignUp's session, and then chooses the password."""
    person = settings(contract)
    begun = clients.run(AMPLIFY, "begin", person, asking(contract))
    assert begun == {
        "failed": "CodeMismatchException",
        "steps": [
            "COMPLETE_AUTO_SIGN_IN",
            "CONTINUE_SIGN_IN_WITH_FIRST_FACTOR_SELECTION",
            "CONFIRM_SIGN_IN_WITH_PASSWORD",
            "DONE",
        ],
        "signedInAs": person["email"],
    }


LIVE = "async ([client, person]) => (await import(`/${client}.js`)).live(person, ask)"


@pytest.mark.parametrize(("client", "app_client"), [(IDENTITY, EVERY_FLOW), (AMPLIFY, ONLY_SRP)])
def test_a_page(
    contract: Contract, browse: Browse, site: str, client: str, app_client: dict[str, Any]
) -> None:
    """The same, called from a page of this machine in Chromium."""
    contract = contract.with_settings(client=app_client)
    person = settings(contract)
    page = browse(site, contract.local.url).page
    page.expose_function("ask", asking(contract))
    page.goto(f"{site}/")
    assert_lived(client, page.evaluate(LIVE, [client, person]), person["email"])
