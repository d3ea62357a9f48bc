"""A pool that requires a second factor: the challenge MFA_SETUP, as in Cognito."""

import json
from typing import Any

import pytest

from tests.support.contract import PASSWORD, SESSION, Contract, other_than, refused
from tests.support.contract_mfa import answer, app_code
from tests.support.contract_srp import EVERY_FLOW, srp_sign_in

REQUIRED = {
    "MfaConfiguration": "ON",
    "SoftwareTokenMfaConfiguration": {"Enabled": True},
}
INVALID = "Invalid session for the user."
USED = "Invalid session for the user, session can only be used once."
EXPIRED = "Invalid session for the user, session is expired."


@pytest.fixture
def strict(contract: Contract) -> Contract:
    """Return a pool that requires a second factor."""
    return contract.with_settings(client=EVERY_FLOW, mfa=REQUIRED)


def associate(contract: Contract, session: str) -> tuple[str, str]:
    """Call AssociateSoftwareToken; return the secret and the next session."""
    answer = contract.users.associate_software_token(Session=session)
    return answer["SecretCode"], answer["Session"]


def verify(contract: Contract, session: str, code: str) -> str:
    """Call VerifySoftwareToken; return the next session."""
    answer = contract.users.verify_software_token(Session=session, UserCode=code)
    assert answer["Status"] == "SUCCESS"
    return str(answer["Session"])


def finish(contract: Contract, email: str, session: str) -> Any:
    """Answer the challenge MFA_SETUP."""
    challenge = {"ChallengeName": "MFA_SETUP", "Session": session}
    return contract.respond(challenge, USERNAME=email)


@pytest.mark.parametrize("sign_in", [Contract.sign_in, srp_sign_in])
def test_setting_up_an_app_at_sign_in(strict: Contract, sign_in: Any) -> None:
    """The app is set up between the password and the tokens. Later sign-ins ask for its code."""
    email = strict.member()
    challenge = sign_in(strict, email, PASSWORD)
    assert challenge["ChallengeName"] == "MFA_SETUP"
    assert json.loads(challenge["ChallengeParameters"]["MFAS_CAN_SETUP"]) == ["SOFTWARE_TOKEN_MFA"]
    secret, session = associate(strict, challenge["Session"])
    session = verify(strict, session, app_code(strict, secret))
    tokens = finish(strict, email, session)["AuthenticationResult"]
    seen = strict.users.get_user(AccessToken=tokens["AccessToken"])
    assert seen["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    assert seen["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    strict.local.clock.advance(30)
    challenge = sign_in(strict, email, PASSWORD)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert answer(strict, email, challenge, app_code(strict, secret))["AuthenticationResult"]


def test_every_step_has_a_session_of_its_own(strict: Contract) -> None:
    """A session that a step has replaced is used up, and no step can be left out."""
    email = strict.member()
    first = strict.sign_in(email)["Session"]
    with refused("NotAuthorized", INVALID):
        finish(strict, email, first)
    with refused("SoftwareTokenMFANotFound"):
        verify(strict, first, "123456")
    secret, second = associate(strict, first)
    with refused("NotAuthorized", USED):
        associate(strict, first)
    with refused("NotAuthorized", INVALID):
        finish(strict, email, second)
    third = verify(strict, second, app_code(strict, secret))
    with refused("NotAuthorized", USED):
        verify(strict, second, app_code(strict, secret))
    with refused("NotAuthorized", INVALID):
        strict.respond({"ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": third}, USERNAME=email)
    assert finish(strict, email, third)["AuthenticationResult"]
    with refused("NotAuthorized", USED):
        finish(strict, email, third)


def test_a_wrong_code(strict: Contract) -> None:
    """The user can try again with the same session."""
    email = strict.member()
    secret, session = associate(strict, strict.sign_in(email)["Session"])
    code = app_code(strict, secret)
    with refused("EnableSoftwareTokenMFA", "Code mismatch and fail enable Software Token MFA"):
        verify(strict, session, other_than(code))
    assert finish(strict, email, verify(strict, session, code))["AuthenticationResult"]


def test_each_step_has_the_full_time(strict: Contract) -> None:
    """Installing an app takes a while: each session lasts as long."""
    clock = strict.local.clock
    email = strict.member()
    session = strict.sign_in(email)["Session"]
    clock.advance(SESSION * 2 / 3)
    secret, session = associate(strict, session)
    clock.advance(SESSION * 2 / 3)
    session = verify(strict, session, app_code(strict, secret))
    clock.advance(SESSION)
    with refused("NotAuthorized", EXPIRED):
        finish(strict, email, session)
    challenge = strict.sign_in(email)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"  # it has been verified


def test_a_late_step(strict: Contract) -> None:
    """After that time, the user must sign in again."""
    session = strict.sign_in(strict.member())["Session"]
    strict.local.clock.advance(SESSION)
    with refused("NotAuthorized", EXPIRED):
        associate(strict, session)


def test_two_people_know_the_password(strict: Contract) -> None:
    """Once one has set up an app, the other can neither set up another nor finish."""
    email = strict.member()
    mine, other = (strict.sign_in(email)["Session"] for _ in range(2))
    secret, mine = associate(strict, mine)
    begun, other = associate(strict, other)
    secret = begun  # the last secret counts
    finish(strict, email, verify(strict, mine, app_code(strict, secret)))
    with refused("NotAuthorized", INVALID):
        verify(strict, other, app_code(strict, secret))
    with refused("NotAuthorized", INVALID):
        finish(strict, email, other)


def test_other_sessions(strict: Contract) -> None:
    """Only a session of MFA_SETUP stands in for an access token."""
    email = strict.address()
    strict.administer("admin_create_user", email, TemporaryPassword="Temporary-1")
    session = strict.sign_in(email, "Temporary-1")["Session"]
    for wrong in (session, "x" * 40):
        with refused("NotAuthorized", INVALID):
            associate(strict, wrong)
        with refused("NotAuthorized", INVALID):
            verify(strict, wrong, "123456")
    with refused("InvalidParameter", "Missing required parameter AccessToken"):
        strict.users.associate_software_token()


def test_another_users_session(strict: Contract) -> None:
    """The session is for the user who signed in."""
    email, mallory = strict.member(), strict.member()
    secret, session = associate(strict, strict.sign_in(email)["Session"])
    session = verify(strict, session, app_code(strict, secret))
    with refused("NotAuthorized", INVALID):
        finish(strict, mallory, session)


@pytest.mark.parametrize("change", ["admin_disable_user", "admin_delete_user"])
def test_a_user_disabled_or_deleted_between_the_steps(strict: Contract, change: str) -> None:
    """No step works for a user who may no longer sign in."""
    email = strict.member()
    first = strict.sign_in(email)["Session"]
    secret, second = associate(strict, strict.sign_in(email)["Session"])
    strict.administer(change, email)
    with refused("NotAuthorized"):
        associate(strict, first)
    with refused("NotAuthorized"):
        verify(strict, second, app_code(strict, secret))


def test_after_a_temporary_password(strict: Contract) -> None:
    """An invited user chooses a password first, and then sets the app up."""
    email = strict.address()
    strict.administer("admin_create_user", email, TemporaryPassword="Temporary-1")
    challenge = strict.sign_in(email, "Temporary-1")
    challenge = strict.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)
    assert challenge["ChallengeName"] == "MFA_SETUP"
    secret, session = associate(strict, challenge["Session"])
    session = verify(strict, session, app_code(strict, secret))
    assert finish(strict, email, session)["AuthenticationResult"]


def test_by_a_server(strict: Contract) -> None:
    """AdminRespondToAuthChallenge finishes it, too."""
    email = strict.member()
    secret, session = associate(strict, strict.sign_in(email)["Session"])
    session = verify(strict, session, app_code(strict, secret))
    tokens = strict.admin.admin_respond_to_auth_challenge(
        UserPoolId=strict.pool.user_pool_id,
        ClientId=strict.pool.client_id,
        ChallengeName="MFA_SETUP",
        Session=session,
        ChallengeResponses={"USERNAME": email},
    )
    assert tokens["AuthenticationResult"]


def test_an_app_that_is_turned_off(strict: Contract) -> None:
    """The pool requires it, so that sign-in asks for its code all the same."""
    email = strict.member()
    secret, session = associate(strict, strict.sign_in(email)["Session"])
    tokens = finish(strict, email, verify(strict, session, app_code(strict, secret)))
    strict.users.set_user_mfa_preference(
        AccessToken=tokens["AuthenticationResult"]["AccessToken"],
        SoftwareTokenMfaSettings={"Enabled": False, "PreferredMfa": False},
    )
    assert strict.sign_in(email)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
