"""Authenticator apps: setting one up and signing in with it, as in Cognito."""

import base64
from typing import Any

import pytest

from infra.local.pool.authenticator import matching_step
from tests.support.contract import PASSWORD, Contract, other_than, refused
from tests.support.contract_mfa import ON, answer, app_code, set_up

NOT_SET_UP = "User does not have delivery config set to turn on SOFTWARE_TOKEN_MFA"


def test_codes_follow_the_standard() -> None:
    """The codes match the test vector of RFC 6238, appendix B, so any app shows the same."""
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert matching_step(secret, "287082", 59) == 1
    assert matching_step(secret, "287083", 59) is None


def test_sign_in_with_an_app(contract: Contract) -> None:
    """The user needs both the password and the app's code."""
    email, secret, token = set_up(contract)
    seen = contract.users.get_user(AccessToken=token)
    assert seen["UserMFASettingList"] == ["SOFTWARE_TOKEN_MFA"]
    assert seen["PreferredMfaSetting"] == "SOFTWARE_TOKEN_MFA"
    challenge = contract.sign_in(email)
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert challenge["Session"]
    assert "AuthenticationResult" not in challenge
    tokens = answer(contract, email, challenge, app_code(contract, secret))["AuthenticationResult"]
    contract.users.get_user(AccessToken=tokens["AccessToken"])
    contract.refresh(tokens["RefreshToken"])


def test_a_wrong_password_shows_no_challenge(contract: Contract) -> None:
    """Without the password, nobody learns who has a second factor."""
    email, _, _ = set_up(contract)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email, "Wrong-Horse-1")


def test_a_wrong_code(contract: Contract) -> None:
    """After a wrong code, the user can try again in the same session."""
    email, secret, _ = set_up(contract)
    challenge = contract.sign_in(email)
    for wrong in (other_than(app_code(contract, secret)), "nonsense"):
        with refused("CodeMismatch", "Invalid code received for user"):
            answer(contract, email, challenge, wrong)
    with refused("InvalidParameter", "Missing required parameter SOFTWARE_TOKEN_MFA_CODE"):
        contract.respond(challenge, USERNAME=email)
    answer(contract, email, challenge, app_code(contract, secret))


def test_a_code_is_used_once(contract: Contract) -> None:
    """A used code doesn't work again, even in another session."""
    email, secret, _ = set_up(contract)
    code = app_code(contract, secret)
    answer(contract, email, contract.sign_in(email), code)
    challenge = contract.sign_in(email)
    with refused("ExpiredCode", "Your software token has already been used once."):
        answer(contract, email, challenge, code)
    contract.local.clock.advance(30)
    answer(contract, email, challenge, app_code(contract, secret))


@pytest.mark.parametrize(
    ("ahead", "accepted"), [(-30, True), (30, True), (-90, False), (90, False)]
)
def test_clocks_differ(contract: Contract, ahead: int, *, accepted: bool) -> None:
    """A code from the previous or the next 30 seconds works too."""
    email, secret, _ = set_up(contract)
    contract.local.clock.advance(120)  # so that the set-up's code isn't used again
    challenge = contract.sign_in(email)
    code = app_code(contract, secret, ahead)
    if accepted:
        assert answer(contract, email, challenge, code)["AuthenticationResult"]
    else:
        with refused("CodeMismatch"):
            answer(contract, email, challenge, code)


def test_verify_with_a_wrong_code(contract: Contract) -> None:
    """A wrong code doesn't set up the app, and the right one still does."""
    token = contract.tokens(contract.member())["AccessToken"]
    users = contract.users
    secret = users.associate_software_token(AccessToken=token)["SecretCode"]
    code = app_code(contract, secret)
    with refused("EnableSoftwareTokenMFA", "Code mismatch and fail enable Software Token MFA"):
        users.verify_software_token(AccessToken=token, UserCode=other_than(code))
    with refused("InvalidParameter"):
        users.verify_software_token(AccessToken=token, UserCode="12345x")
    with refused("InvalidParameter", "User has not verified software token mfa"):
        users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=ON)
    assert users.verify_software_token(AccessToken=token, UserCode=code)["Status"] == "SUCCESS"


def test_every_secret_is_new(contract: Contract) -> None:
    """Each secret has 52 characters of base32 and differs from the others."""
    token = contract.tokens(contract.member())["AccessToken"]
    secrets = {
        contract.users.associate_software_token(AccessToken=token)["SecretCode"] for _ in range(3)
    }
    assert len(secrets) == 3
    assert all(len(secret) == 52 for secret in secrets)


def test_nothing_set_up(contract: Contract) -> None:
    """An app can't be verified or turned on before it is set up."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    with refused("SoftwareTokenMFANotFound"):
        contract.users.verify_software_token(AccessToken=token, UserCode="123456")
    with refused("InvalidParameter", NOT_SET_UP):
        contract.users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=ON)
    with refused("InvalidParameter", NOT_SET_UP):
        contract.administer("admin_set_user_mfa_preference", email, SoftwareTokenMfaSettings=ON)


@pytest.mark.parametrize("by", ["the user", "an administrator"])
def test_turning_it_off(contract: Contract, by: str) -> None:
    """When it is off, the password is enough; turning it on again needs no new secret."""
    email, secret, token = set_up(contract)
    off = {"Enabled": False, "PreferredMfa": False}
    if by == "the user":
        contract.users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=off)
    else:
        contract.administer("admin_set_user_mfa_preference", email, SoftwareTokenMfaSettings=off)
    assert contract.tokens(email)
    contract.administer("admin_set_user_mfa_preference", email, SoftwareTokenMfaSettings=ON)
    answer(contract, email, contract.sign_in(email), app_code(contract, secret))


def test_a_new_app_replaces_the_old_one_once_verified(contract: Contract) -> None:
    """A user who starts to set up another phone isn't locked out."""
    email, old, token = set_up(contract)
    new = contract.users.associate_software_token(AccessToken=token)["SecretCode"]
    answer(contract, email, contract.sign_in(email), app_code(contract, old))
    contract.local.clock.advance(30)
    contract.users.verify_software_token(AccessToken=token, UserCode=app_code(contract, new))
    contract.local.clock.advance(30)
    challenge = contract.sign_in(email)
    with refused("CodeMismatch"):
        answer(contract, email, challenge, app_code(contract, old))
    answer(contract, email, challenge, app_code(contract, new))


def test_a_password_reset_keeps_the_app(contract: Contract) -> None:
    """After a reset by e-mail, sign-in still needs the app's code."""
    email, _, _ = set_up(contract)
    contract.forgot(email)
    contract.reset(email, contract.code(email), PASSWORD)
    assert contract.sign_in(email)["ChallengeName"] == "SOFTWARE_TOKEN_MFA"


def test_a_new_password_and_then_the_app(contract: Contract) -> None:
    """One challenge may follow another."""
    email, secret, _ = set_up(contract)
    contract.administer("admin_set_user_password", email, Password="Temporary-1", Permanent=False)
    challenge = contract.sign_in(email, "Temporary-1")
    challenge = contract.respond(challenge, USERNAME=email, NEW_PASSWORD="Another-Horse-2")
    assert challenge["ChallengeName"] == "SOFTWARE_TOKEN_MFA"
    assert answer(contract, email, challenge, app_code(contract, secret))["AuthenticationResult"]


def test_sms(contract: Contract) -> None:
    """No SMS is sent here, so that nobody can lock themselves out with it."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    message = NOT_SET_UP.replace("SOFTWARE_TOKEN_MFA", "SMS_MFA")
    with refused("InvalidParameter", message):
        contract.users.set_user_mfa_preference(AccessToken=token, SMSMfaSettings=ON)
    with refused("InvalidParameter", message):
        contract.administer("admin_set_user_mfa_preference", email, SMSMfaSettings=ON)
    off = {"Enabled": False, "PreferredMfa": False}
    contract.users.set_user_mfa_preference(AccessToken=token, SMSMfaSettings=off)
    assert contract.tokens(email)


def test_a_refused_setting_of_the_pool(contract: Contract) -> None:
    """It changes nothing."""
    pool_id = contract.pool.user_pool_id
    contract.admin.set_user_pool_mfa_config(
        UserPoolId=pool_id, MfaConfiguration="OPTIONAL", EmailMfaConfiguration={}
    )
    wrong: list[dict[str, Any]] = [
        {"MfaConfiguration": "ON"},
        {"MfaConfiguration": "PERHAPS", "EmailMfaConfiguration": {}},
        {"EmailMfaConfiguration": {}},
    ]
    for given in wrong:
        with refused("InvalidParameter"):
            contract.admin.set_user_pool_mfa_config(UserPoolId=pool_id, **given)
    email = contract.member()
    contract.administer("admin_set_user_mfa_preference", email, EmailMfaSettings=ON)
    assert contract.sign_in(email)["ChallengeName"] == "EMAIL_OTP"


def test_a_pool_without_apps(contract: Contract) -> None:
    """A user can't set up a method that the pool doesn't have."""
    contract = contract.with_settings(
        mfa={"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": {"Enabled": False}}
    )
    token = contract.tokens(contract.member())["AccessToken"]
    with refused("SoftwareTokenMFANotFound"):
        contract.users.associate_software_token(AccessToken=token)
