"""RespondToAuthChallenge, as Cognito answers it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.support.contract import PASSWORD, SESSION, Contract, claims, other_than, refused

TEMPORARY = "Temporary-1"
INVALID = "Invalid session for the user."
# The real Cognito needs a tier that costs extra, and your own e-mail sender, for this.
EMAIL_MFA = {"MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {}}


def invited(contract: Contract) -> tuple[str, Any]:
    """Return a user created by an administrator, and the challenge of the first sign-in."""
    email = contract.address()
    contract.administer(
        "admin_create_user", email, TemporaryPassword=TEMPORARY, MessageAction="SUPPRESS"
    )
    return email, contract.sign_in(email, TEMPORARY)


def test_new_password_required(contract: Contract) -> None:
    """A user created by an administrator must choose a new password to sign in."""
    email, challenge = invited(contract)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email, "Wrong-Horse-1")
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert "AuthenticationResult" not in challenge
    parameters = challenge["ChallengeParameters"]
    assert parameters["USER_ID_FOR_SRP"] == contract.user(email)["sub"]
    assert parameters["requiredAttributes"] == "[]"
    assert json.loads(parameters["userAttributes"])["email"] == email
    answered = contract.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)
    token = claims(contract, answered["AuthenticationResult"]["AccessToken"])
    assert token["exp"] - token["iat"] == 10800
    assert contract.user(email)["UserStatus"] == "CONFIRMED"
    contract.sign_in(email)


def test_a_weak_new_password(contract: Contract) -> None:
    """The error names the broken rule, and the session stays usable."""
    email, challenge = invited(contract)
    with refused(
        "InvalidPassword", "Password did not conform with policy: Password not long enough"
    ):
        contract.respond(challenge, USERNAME=email, NEW_PASSWORD="Aa1!")
    with refused("InvalidParameter", "Missing required parameter NEW_PASSWORD"):
        contract.respond(challenge, USERNAME=email)
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)


def test_no_session(contract: Contract) -> None:
    """An unknown session is refused, and the error names a missing one."""
    challenge = {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "x" * 40}
    with refused("NotAuthorized", INVALID):
        contract.respond(challenge, USERNAME=contract.address(), NEW_PASSWORD=PASSWORD)
    with refused("InvalidParameter", "Missing required parameter Session"):
        contract.users.respond_to_auth_challenge(
            ClientId=contract.pool.client_id,
            ChallengeName="SOFTWARE_TOKEN_MFA",
            ChallengeResponses={"USERNAME": "ada", "SOFTWARE_TOKEN_MFA_CODE": "000000"},
        )


def test_a_session_is_for_one_user_challenge_and_client(contract: Contract) -> None:
    """Any other use is refused, and doesn't end the session."""
    email, challenge = invited(contract)
    for username in (contract.member(), contract.address()):
        with refused("NotAuthorized", INVALID):
            contract.respond(challenge, USERNAME=username, NEW_PASSWORD=PASSWORD)
    with refused("NotAuthorized", INVALID):
        contract.respond(
            challenge | {"ChallengeName": "EMAIL_OTP"}, USERNAME=email, EMAIL_OTP_CODE="000000"
        )
    with refused("NotAuthorized", INVALID):
        contract.with_settings().respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)


def test_a_session_is_used_once(contract: Contract) -> None:
    """The right answer ends the session."""
    email, challenge = invited(contract)
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)
    with refused("NotAuthorized", f"{INVALID[:-1]}, session can only be used once."):
        contract.respond(challenge, USERNAME=email, NEW_PASSWORD="Another-Horse-2")
    contract.sign_in(email)


def test_how_long_a_session_lives(contract: Contract) -> None:
    """An app client's AuthSessionValidity says how long."""
    clock = contract.local.clock
    for length, here in (
        (SESSION, contract),
        (timedelta(minutes=3), contract.with_settings(client={"AuthSessionValidity": 3})),
    ):
        email, challenge = invited(here)
        clock.advance(length)
        with refused("NotAuthorized", f"{INVALID[:-1]}, session is expired."):
            here.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)
        challenge = here.sign_in(email, TEMPORARY)
        clock.advance(length - timedelta(seconds=10))
        here.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)


@pytest.mark.parametrize("change", ["admin_disable_user", "admin_delete_user"])
def test_a_user_disabled_or_deleted_before_the_answer(contract: Contract, change: str) -> None:
    """The challenge is refused once its user may no longer sign in."""
    email, challenge = invited(contract)
    contract.administer(change, email)
    with refused("NotAuthorized", "User is disabled.", INVALID):
        contract.respond(challenge, USERNAME=email, NEW_PASSWORD=PASSWORD)


def with_email_mfa(contract: Contract) -> str:
    """Return a new user who needs a code from an e-mail at each sign-in."""
    email = contract.member()
    settings = {"Enabled": True, "PreferredMfa": True}
    token = contract.tokens(email)["AccessToken"]
    contract.users.set_user_mfa_preference(AccessToken=token, EmailMfaSettings=settings)
    seen = contract.users.get_user(AccessToken=token)
    assert seen["UserMFASettingList"] == ["EMAIL_OTP"]
    assert seen["PreferredMfaSetting"] == "EMAIL_OTP"
    return email


def test_email_otp(contract: Contract) -> None:
    """The code from the e-mail signs the user in; after a wrong code, they can try again."""
    contract = contract.with_settings(mfa=EMAIL_MFA)
    email = with_email_mfa(contract)
    challenge = contract.sign_in(email)
    assert challenge["ChallengeName"] == "EMAIL_OTP"
    parameters = challenge["ChallengeParameters"]
    assert parameters["CODE_DELIVERY_DELIVERY_MEDIUM"] == "EMAIL"
    assert parameters["CODE_DELIVERY_DESTINATION"].startswith(f"{email[0]}***@")
    code = contract.code(email)
    with refused("CodeMismatch", "Invalid code or auth state for the user."):
        contract.respond(challenge, USERNAME=email, EMAIL_OTP_CODE=other_than(code))
    answer = contract.respond(challenge, USERNAME=email, EMAIL_OTP_CODE=code)
    assert answer["AuthenticationResult"]["RefreshToken"]


def test_email_otp_turned_off(contract: Contract) -> None:
    """Without e-mail codes, the password is enough again."""
    contract = contract.with_settings(mfa=EMAIL_MFA)
    email = with_email_mfa(contract)
    contract.administer("admin_set_user_mfa_preference", email, EmailMfaSettings={"Enabled": False})
    assert contract.tokens(email)


def test_email_otp_in_a_pool_without_it(contract: Contract) -> None:
    """A user can't turn on a method that the pool doesn't have."""
    token = contract.tokens(contract.member())["AccessToken"]
    with refused("InvalidParameter"):
        contract.users.set_user_mfa_preference(
            AccessToken=token, EmailMfaSettings={"Enabled": True}
        )
