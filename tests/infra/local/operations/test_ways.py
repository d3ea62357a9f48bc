"""Every way to get a token, in every state of an account and with every setting that matters.

`test_operations.py` shows that there are no others.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.local.pool.api_model import service_model
from tests.support.contract import PASSWORD, Contract, refused
from tests.support.contract_google import attributes, google_tokens
from tests.support.contract_mfa import app_code, set_up
from tests.support.contract_srp import EVERY_FLOW, srp_sign_in
from tests.support.srp import SrpClient

# Ways to sign in with a password. Each takes a pool, a user name and a password.


def by_password(contract: Contract, username: str, password: str) -> Any:
    """Call InitiateAuth with the password."""
    return contract.sign_in(username, password)


def as_admin(contract: Contract, username: str, password: str) -> Any:
    """Call AdminInitiateAuth with the password."""
    given = {"USERNAME": username, "PASSWORD": password}
    return admin_initiate(contract, "ADMIN_USER_PASSWORD_AUTH", given)


def as_admin_by_srp(contract: Contract, username: str, password: str) -> Any:
    """Call AdminInitiateAuth and AdminRespondToAuthChallenge with a proof of the password."""
    srp = SrpClient(contract.pool.user_pool_id, password)
    begun = admin_initiate(contract, "USER_SRP_AUTH", {"USERNAME": username, "SRP_A": srp.public})
    return contract.admin.admin_respond_to_auth_challenge(
        UserPoolId=contract.pool.user_pool_id,
        ClientId=contract.pool.client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses=srp.answers(begun),
    )


def admin_initiate(contract: Contract, flow: str, parameters: dict[str, str]) -> Any:
    """Call AdminInitiateAuth."""
    return contract.admin.admin_initiate_auth(
        UserPoolId=contract.pool.user_pool_id,
        ClientId=contract.pool.client_id,
        AuthFlow=flow,
        AuthParameters=parameters,
    )


def by_choice(contract: Contract, username: str, password: str) -> Any:
    """Begin without a proof, and choose the password from what is offered."""
    begun = contract.initiate("USER_AUTH", USERNAME=username)
    assert begun["AvailableChallenges"][-2:] == ["PASSWORD_SRP", "PASSWORD"]
    return contract.respond(begun, USERNAME=username, ANSWER="PASSWORD", PASSWORD=password)


def by_preference(contract: Contract, username: str, password: str) -> Any:
    """Choose the password at once, as a server does."""
    given = {"USERNAME": username, "PASSWORD": password, "PREFERRED_CHALLENGE": "PASSWORD"}
    return admin_initiate(contract, "USER_AUTH", given)


PASSWORD_WAYS = [by_password, srp_sign_in, as_admin, as_admin_by_srp, by_choice, by_preference]


def outcome(call: Callable[[], Any]) -> str:
    """Return "tokens", the name of a challenge, or the message of an error."""
    try:
        answer = call()
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return "tokens" if "AuthenticationResult" in answer else str(answer["ChallengeName"])


# The states of an account. Each brings a user into it and returns its name. The password stays.

State = Callable[[Contract], str]


def unknown(contract: Contract) -> str:
    """Make no user."""
    return contract.address()


def unconfirmed(contract: Contract) -> str:
    """Sign up only."""
    email = contract.address()
    contract.sign_up(email)
    return email


def confirmed(contract: Contract) -> str:
    """Sign up and confirm."""
    return contract.member()


def confirmed_by_an_administrator(contract: Contract) -> str:
    """Confirm without the code."""
    email = unconfirmed(contract)
    contract.administer("admin_confirm_sign_up", email)
    return email


def disabled(contract: Contract) -> str:
    """Disable the user."""
    email = contract.member()
    contract.administer("admin_disable_user", email)
    return email


def unconfirmed_and_disabled(contract: Contract) -> str:
    """Disable a user who isn't confirmed."""
    email = unconfirmed(contract)
    contract.administer("admin_disable_user", email)
    return email


def reset_required(contract: Contract) -> str:
    """Have an administrator require a reset."""
    email = contract.member()
    contract.administer("admin_reset_user_password", email)
    return email


def invited(contract: Contract) -> str:
    """Have an administrator create the user."""
    email = contract.address()
    contract.administer("admin_create_user", email, TemporaryPassword=PASSWORD)
    return email


def invited_long_ago(contract: Contract) -> str:
    """Let the temporary password expire."""
    email = invited(contract)
    contract.local.clock.advance(timedelta(days=7))
    return email


def temporary(contract: Contract) -> str:
    """Have an administrator set a temporary password."""
    email = contract.member("Another-Horse-2")
    contract.administer("admin_set_user_password", email, Password=PASSWORD, Permanent=False)
    return email


def locked(contract: Contract) -> str:
    """Try eight wrong passwords, which lock the user for longer than this test takes."""
    email = contract.member()
    for wait in (0, 0, 0, 0, 0, 1, 2, 4):
        contract.local.clock.advance(wait)
        assert outcome(lambda: contract.sign_in(email, "Wrong-Horse-1")) == WRONG
    return email


def deleted(contract: Contract) -> str:
    """Delete the user."""
    email = contract.member()
    contract.administer("admin_delete_user", email)
    return email


def with_app(contract: Contract) -> str:
    """Set an authenticator app up."""
    return set_up(contract)[0]


def with_unused_app(contract: Contract) -> str:
    """Set an authenticator app up, and turn it off again."""
    email, _, token = set_up(contract)
    off = {"Enabled": False, "PreferredMfa": False}
    contract.users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=off)
    return email


WRONG = "Incorrect username or password."
UNCONFIRMED = "User is not confirmed."
RESET = "Password reset required for the user"
LOCKED = "Password attempts exceeded"
EXPIRED = "Temporary password has expired and must be reset by an administrator."
NO_USER = "User does not exist."
NO_METHOD = "The user pool requires a second factor, but has none."

APP = {"SoftwareTokenMfaConfiguration": {"Enabled": True}}
NO_APP = {"SoftwareTokenMfaConfiguration": {"Enabled": False}}
MAIL: dict[str, Any] = {"EmailMfaConfiguration": {}}
ON = {"MfaConfiguration": "ON"}
SETTINGS: dict[str, dict[str, Any]] = {
    "MFA OPTIONAL": {},
    "MFA ON": {"mfa": APP | ON},
    "MFA ON, by mail": {"mfa": NO_APP | MAIL | ON},
    "MFA ON, both": {"mfa": APP | MAIL | ON},
    "MFA ON, no method": {"mfa": NO_APP | ON},
    "LEGACY": {"client": EVERY_FLOW | {"PreventUserExistenceErrors": "LEGACY"}},
}
# The outcome with the right password, and with a wrong one.
OUTCOMES: list[tuple[str, State, str, str]] = [
    ("MFA OPTIONAL", unknown, WRONG, WRONG),
    ("MFA OPTIONAL", unconfirmed, UNCONFIRMED, UNCONFIRMED),
    ("MFA OPTIONAL", unconfirmed_and_disabled, UNCONFIRMED, UNCONFIRMED),
    ("MFA OPTIONAL", confirmed, "tokens", WRONG),
    ("MFA OPTIONAL", confirmed_by_an_administrator, "tokens", WRONG),
    ("MFA OPTIONAL", disabled, "User is disabled.", WRONG),
    ("MFA OPTIONAL", reset_required, RESET, RESET),
    ("MFA OPTIONAL", invited, "NEW_PASSWORD_REQUIRED", WRONG),
    ("MFA OPTIONAL", invited_long_ago, EXPIRED, WRONG),
    ("MFA OPTIONAL", temporary, "NEW_PASSWORD_REQUIRED", WRONG),
    ("MFA OPTIONAL", locked, LOCKED, LOCKED),
    ("MFA OPTIONAL", deleted, WRONG, WRONG),
    ("MFA OPTIONAL", with_app, "SOFTWARE_TOKEN_MFA", WRONG),
    ("MFA OPTIONAL", with_unused_app, "tokens", WRONG),
    ("LEGACY", unknown, NO_USER, NO_USER),
    ("LEGACY", deleted, NO_USER, NO_USER),
    ("LEGACY", disabled, "User is disabled.", WRONG),
    ("MFA ON", unknown, WRONG, WRONG),
    ("MFA ON", unconfirmed, UNCONFIRMED, UNCONFIRMED),
    ("MFA ON", confirmed, "MFA_SETUP", WRONG),
    ("MFA ON", disabled, "User is disabled.", WRONG),
    ("MFA ON", reset_required, RESET, RESET),
    ("MFA ON", invited, "NEW_PASSWORD_REQUIRED", WRONG),
    ("MFA ON", locked, LOCKED, LOCKED),
    ("MFA ON, by mail", confirmed, "EMAIL_OTP", WRONG),
    ("MFA ON, by mail", confirmed_by_an_administrator, NO_METHOD, WRONG),
    ("MFA ON, both", confirmed_by_an_administrator, "MFA_SETUP", WRONG),
    ("MFA ON, no method", confirmed, NO_METHOD, WRONG),
]


@pytest.mark.parametrize(
    ("settings", "state", "right", "wrong"),
    OUTCOMES,
    ids=[f"{settings}-{state.__name__}" for settings, state, *_ in OUTCOMES],
)
def test_signing_in_with_a_password(
    contract: Contract, settings: str, state: State, right: str, wrong: str
) -> None:
    """Every way has the same outcome, for every caller and every proof of the password."""
    contract = contract.with_settings(**{"client": EVERY_FLOW} | SETTINGS[settings])
    username = state(contract)
    for way in PASSWORD_WAYS:
        assert outcome(lambda way=way: way(contract, username, PASSWORD)) == right, way
        assert outcome(lambda way=way: way(contract, username, "Wrong-Horse-1")) == wrong, way


@pytest.mark.parametrize("settings", ["MFA OPTIONAL", "MFA ON"])
def test_signing_in_with_a_password_of_a_google_user(contract: Contract, settings: str) -> None:
    """There is none, so that every password is wrong. The sign-in with Google needs no app."""
    contract = contract.with_settings(**{"client": EVERY_FLOW} | SETTINGS[settings])
    tokens = google_tokens(contract, contract.address())
    username = attributes(contract, tokens)["Username"]
    for way in PASSWORD_WAYS:
        assert outcome(lambda way=way: way(contract, username, PASSWORD)) == WRONG, way
        contract.local.clock.advance(timedelta(minutes=15))  # forgets wrong passwords


def test_a_pool_that_comes_to_require_a_second_factor(contract: Contract) -> None:
    """UpdateUserPool and SetUserPoolMfaConfig take effect at the next sign-in, and only there."""
    contract = contract.with_settings(client=EVERY_FLOW)
    email, unused = contract.member(), with_unused_app(contract)
    tokens = contract.tokens(email)
    contract.admin.update_user_pool(
        UserPoolId=contract.pool.user_pool_id,
        MfaConfiguration="ON",
        AutoVerifiedAttributes=["email"],
    )
    for way in PASSWORD_WAYS:
        assert outcome(lambda way=way: way(contract, email, PASSWORD)) == "MFA_SETUP"
        assert outcome(lambda way=way: way(contract, unused, PASSWORD)) == "SOFTWARE_TOKEN_MFA"
    contract.refresh(tokens["RefreshToken"])
    contract.admin.set_user_pool_mfa_config(
        UserPoolId=contract.pool.user_pool_id, MfaConfiguration="OFF"
    )
    for way in PASSWORD_WAYS:
        assert outcome(lambda way=way: way(contract, email, PASSWORD)) == "tokens"


FLOWS = {
    "InitiateAuth": {"USER_PASSWORD_AUTH", "USER_SRP_AUTH", "REFRESH_TOKEN_AUTH", "USER_AUTH"},
    "AdminInitiateAuth": {
        "ADMIN_USER_PASSWORD_AUTH",
        "USER_SRP_AUTH",
        "REFRESH_TOKEN_AUTH",
        "USER_AUTH",
    },
}
BEGIN: dict[str, Callable[[Contract, str, dict[str, str]], Any]] = {
    "InitiateAuth": lambda contract, flow, given: contract.initiate(flow, **given),
    "AdminInitiateAuth": admin_initiate,
}
ALL_FLOWS = [
    "USER_PASSWORD_AUTH",
    "USER_SRP_AUTH",
    "REFRESH_TOKEN_AUTH",
    "REFRESH_TOKEN",
    "ADMIN_USER_PASSWORD_AUTH",
    "ADMIN_NO_SRP_AUTH",
    "CUSTOM_AUTH",
    "USER_AUTH",
]
NOT_SERVED = {
    "CUSTOM_AUTH": "The local Cognito doesn't implement the flow CUSTOM_AUTH.",
}
SAME = {"REFRESH_TOKEN": "REFRESH_TOKEN_AUTH", "ADMIN_NO_SRP_AUTH": "ADMIN_USER_PASSWORD_AUTH"}


def test_every_flow_is_tried() -> None:
    """The list has all flows of the API."""
    shape = service_model().shape_for("AuthFlowType")
    assert sorted(ALL_FLOWS) == sorted(shape.metadata["enum"])


@pytest.mark.parametrize("flow", ALL_FLOWS)
@pytest.mark.parametrize("operation", BEGIN)
def test_flows(contract: Contract, operation: str, flow: str) -> None:
    """A flow works for a client that lists it, under its present or its old name, and no other."""
    present = SAME.get(flow, flow)
    allowing = contract.with_settings(
        client={**EVERY_FLOW, "ExplicitAuthFlows": [f"ALLOW_{present}"]}
    )
    others = sorted({f"ALLOW_{SAME.get(each, each)}" for each in ALL_FLOWS} - {f"ALLOW_{present}"})
    refusing = contract.with_settings(client={**EVERY_FLOW, "ExplicitAuthFlows": others})
    email = allowing.member()
    srp = SrpClient(allowing.pool.user_pool_id, PASSWORD)
    given = {"USERNAME": email, "PASSWORD": PASSWORD, "SRP_A": srp.public, "REFRESH_TOKEN": "x"}
    served = present in FLOWS[operation]
    allowed = outcome(lambda: BEGIN[operation](allowing, flow, given))
    refusal = outcome(lambda: BEGIN[operation](refusing, flow, given))
    if served:
        expected = {
            "USER_SRP_AUTH": "PASSWORD_VERIFIER",
            "REFRESH_TOKEN_AUTH": INVALID_REFRESH,
            "USER_AUTH": "SELECT_CHALLENGE",
        }
        assert allowed == expected.get(present, "tokens")
        assert refusal == f"{present} flow not enabled for this client"
    elif present in NOT_SERVED:
        assert allowed == NOT_SERVED[present]
        assert refusal == f"{present} flow not enabled for this client"
    else:
        assert allowed == refusal == "Initiate Auth method not supported."


@pytest.mark.parametrize(
    ("listed", "flow", "works"),
    [
        ([], "USER_SRP_AUTH", True),
        ([], "USER_PASSWORD_AUTH", False),
        (["ADMIN_NO_SRP_AUTH"], "ADMIN_USER_PASSWORD_AUTH", True),
        (["ADMIN_NO_SRP_AUTH"], "USER_SRP_AUTH", True),
        (["USER_PASSWORD_AUTH"], "ADMIN_USER_PASSWORD_AUTH", False),
    ],
)
def test_flows_of_old_clients(
    contract: Contract, listed: list[str], flow: str, *, works: bool
) -> None:
    """Without names that begin with ALLOW_, SRP is on, and password flows only if listed."""
    contract = contract.with_settings(client={**EVERY_FLOW, "ExplicitAuthFlows": listed})
    srp = SrpClient(contract.pool.user_pool_id, PASSWORD)
    given = {"USERNAME": contract.member(), "PASSWORD": PASSWORD, "SRP_A": srp.public}
    operation = "AdminInitiateAuth" if flow.startswith("ADMIN") else "InitiateAuth"
    answer = outcome(lambda: BEGIN[operation](contract, flow, given))
    assert answer in ({"tokens", "PASSWORD_VERIFIER"} if works else {f"{flow}{NOT_ENABLED}"})


NOT_ENABLED = " flow not enabled for this client"


# Ways to continue a session.

INVALID_REFRESH = "Invalid Refresh Token"
REVOKED = "Refresh Token has been revoked"
REFRESH_WAYS: dict[str, Callable[[Contract, str], Any]] = {
    "InitiateAuth": lambda contract, token: contract.initiate(
        "REFRESH_TOKEN_AUTH", REFRESH_TOKEN=token
    ),
    "AdminInitiateAuth": lambda contract, token: admin_initiate(
        contract, "REFRESH_TOKEN_AUTH", {"REFRESH_TOKEN": token}
    ),
    "GetTokensFromRefreshToken": lambda contract, token: {
        "AuthenticationResult": contract.refresh(token)
    },
}
Event = Callable[[Contract, str, dict[str, str]], None]
# What happens after the sign-in, and the outcome of a refresh.
EVENTS: dict[str, tuple[Event, set[str]]] = {
    "nothing": (lambda *_: None, {"tokens"}),
    "signed out": (lambda c, _, t: c.revoke(t["RefreshToken"]), {REVOKED}),
    "signed out everywhere": (
        lambda c, _, t: c.users.global_sign_out(AccessToken=t["AccessToken"]),
        {REVOKED},
    ),
    "signed out by an administrator": (
        lambda c, email, _: c.administer("admin_user_global_sign_out", email),
        {REVOKED},
    ),
    "disabled": (
        lambda c, email, _: c.administer("admin_disable_user", email),
        {"User is disabled."},
    ),
    "deleted": (lambda c, email, _: c.administer("admin_delete_user", email), {INVALID_REFRESH}),
    "reset": (
        lambda c, email, _: c.administer("admin_reset_user_password", email),
        {RESET, REVOKED},  # not every operation lists the first
    ),
    "expired": (
        lambda c, *_: c.local.clock.advance(timedelta(days=30)),
        {"Refresh Token has expired"},
    ),
}


@pytest.mark.parametrize("event", EVENTS)
def test_continuing_a_session(contract: Contract, event: str) -> None:
    """Every way to refresh has the same outcome."""
    contract = contract.with_settings(client=EVERY_FLOW)
    email = contract.member()
    tokens = contract.tokens(email)
    happens, expected = EVENTS[event]
    happens(contract, email, tokens)
    for way in REFRESH_WAYS.values():
        assert outcome(lambda way=way: way(contract, tokens["RefreshToken"])) in expected
        assert outcome(lambda way=way: way(contract, "nonsense")) == INVALID_REFRESH


# Ways to answer a challenge, when something has happened since it was posed.


def by_app(contract: Contract) -> tuple[str, Any, dict[str, str]]:
    """Return a user, the challenge for an app's code, and the right answer."""
    email, secret, _ = set_up(contract)
    code = app_code(contract, secret)
    return email, contract.sign_in(email), {"SOFTWARE_TOKEN_MFA_CODE": code}


def by_new_password(contract: Contract) -> tuple[str, Any, dict[str, str]]:
    """Return a user, the challenge for a new password, and a right answer."""
    email = invited(contract)
    return email, contract.sign_in(email), {"NEW_PASSWORD": "Another-Horse-2"}


def by_set_up(contract: Contract) -> tuple[str, Any, dict[str, str]]:
    """Return a user and the challenge MFA_SETUP, whose session has verified an app."""
    email = contract.member()
    pool_id = contract.pool.user_pool_id
    config = {"UserPoolId": pool_id} | APP
    contract.admin.set_user_pool_mfa_config(**config, MfaConfiguration="ON")
    challenge = contract.sign_in(email)
    begun = contract.users.associate_software_token(Session=challenge["Session"])
    code = app_code(contract, begun["SecretCode"])
    verified = contract.users.verify_software_token(Session=begun["Session"], UserCode=code)
    return email, challenge | {"Session": verified["Session"]}, {}


SINCE = {
    "admin_disable_user": {"User is disabled."},
    "admin_delete_user": {"Invalid session for the user."},
    "admin_reset_user_password": {RESET, "User password cannot be reset in the current state."},
}


@pytest.mark.parametrize("pose", [by_app, by_new_password, by_set_up])
@pytest.mark.parametrize("since", SINCE)
@pytest.mark.parametrize("asker", ["the user", "a server"])
def test_answering_a_challenge_later(
    contract: Contract, pose: Callable[[Contract], Any], since: str, asker: str
) -> None:
    """A challenge doesn't outlive its user's right to sign in. The right answer works before."""
    contract = contract.with_settings(client=EVERY_FLOW)
    email, challenge, answers = pose(contract)

    def respond() -> Any:
        if asker == "the user":
            return contract.respond(challenge, USERNAME=email, **answers)
        return contract.admin.admin_respond_to_auth_challenge(
            UserPoolId=contract.pool.user_pool_id,
            ClientId=contract.pool.client_id,
            ChallengeName=challenge["ChallengeName"],
            Session=challenge["Session"],
            ChallengeResponses={"USERNAME": email, **answers},
        )

    happened = outcome(lambda: contract.administer(since, email) and {"ChallengeName": "done"})
    answer = outcome(respond)
    assert answer in SINCE[since] if happened == "done" else answer == "tokens"
    assert outcome(respond) != "tokens"


@pytest.mark.parametrize(
    "name", ["CUSTOM_CHALLENGE", "SELECT_CHALLENGE", "DEVICE_SRP_AUTH", "PASSWORD"]
)
def test_other_challenges_are_refused(contract: Contract, name: str) -> None:
    """Moto's own answers to challenges give tokens for anything, so that none is reached."""
    challenge = {"ChallengeName": name, "Session": "x" * 40}
    with refused("InvalidParameter"):
        contract.respond(challenge, USERNAME=contract.member(), ANSWER="x")
