"""ForgotPassword, ConfirmForgotPassword and AdminResetUserPassword, as Cognito answers them."""

import re
from datetime import timedelta
from functools import partial

import pytest
from botocore.exceptions import ClientError

from tests.support.contract import PASSWORD, Contract, other_than, refused

NEW = "Another-Horse-2"
WRONG = "Incorrect username or password."
UNVERIFIED = (
    "Cannot reset password for the user as there is no registered/verified email or phone_number"
)
LIMIT = "Attempt limit exceeded, please try after some time."
BY_NAME = {"UsernameAttributes": [], "UsernameConfiguration": {"CaseSensitive": True}}
LEGACY = {"PreventUserExistenceErrors": "LEGACY"}


def test_forgot_and_reset(contract: Contract) -> None:
    """The e-mailed code sets a new password, once, and the old password stops working."""
    email = contract.member()
    details = contract.forgot(email.upper())
    assert details == {
        "Destination": f"{email[0]}***@{email.partition('@')[2][0]}***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
    contract.sign_in(email)  # until the code is used, nothing has changed
    code = contract.code(email)
    contract.reset(email, code, NEW)
    contract.sign_in(email, NEW)
    with refused("NotAuthorized", WRONG):
        contract.sign_in(email)
    with refused("ExpiredCode"):
        contract.reset(email, code, PASSWORD)


def test_sessions_outlive_a_reset(contract: Contract) -> None:
    """Neither a reset nor a change of the password ends a session; the caller must do that."""
    email = contract.member()
    tokens = contract.tokens(email)
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)
    contract.users.change_password(
        AccessToken=tokens["AccessToken"], PreviousPassword=NEW, ProposedPassword=PASSWORD
    )
    contract.users.get_user(AccessToken=tokens["AccessToken"])
    contract.refresh(tokens["RefreshToken"])


def test_reset_with_a_wrong_code(contract: Contract) -> None:
    """A wrong code changes nothing, and leaves the right one usable."""
    email = contract.member()
    contract.forgot(email)
    code = contract.code(email)
    for wrong in (other_than(code), "nonsense"):
        with refused("CodeMismatch", "Invalid verification code provided, please try again."):
            contract.reset(email, wrong, NEW)
    contract.sign_in(email)
    contract.reset(email, code, NEW)


def test_a_code_is_for_one_purpose(contract: Contract) -> None:
    """A sign-up's code can't reset a password, and a reset's code can't confirm a user."""
    email = contract.address()
    contract.sign_up(email)
    code = contract.code(email)
    with refused("ExpiredCode"):
        contract.reset(email, code, NEW)
    contract.confirm(email, code)
    contract.forgot(email)
    with refused("NotAuthorized"):
        contract.confirm(email, contract.code(email))
    contract.reset(email, contract.code(email), NEW)


def test_a_newer_code_replaces_the_older(contract: Contract) -> None:
    """Only the newest code works."""
    email = contract.member()
    contract.forgot(email)
    old = contract.code(email)
    contract.forgot(email)
    with refused("CodeMismatch"):
        contract.reset(email, old, NEW)
    contract.reset(email, contract.code(email), NEW)


def test_reset_with_an_expired_code(contract: Contract) -> None:
    """A code is valid for one hour. If no code was ever sent, the answer is the same."""
    email, clock = contract.member(), contract.local.clock
    expired = "Invalid code provided, please request a code again."
    with refused("ExpiredCode", expired):
        contract.reset(email, "123456", NEW)
    contract.forgot(email)
    clock.advance(timedelta(minutes=59))
    contract.forgot(email)
    clock.advance(timedelta(hours=1))
    with refused("ExpiredCode", expired):
        contract.reset(email, contract.code(email), NEW)


def test_reset_to_a_weak_password(contract: Contract) -> None:
    """The error names the broken rule, and the code stays valid however often that happens."""
    email = contract.member()
    contract.forgot(email)
    code = contract.code(email)
    for _ in range(6):
        with refused(
            "InvalidPassword",
            "Password did not conform with policy: Password must have numeric characters",
        ):
            contract.reset(email, code, "Correct-Horse")
    with refused("InvalidParameter"):
        contract.reset(email, code, "Aa1!")
    contract.reset(email, code, "Correct Horse 2")


def test_reset_too_often(contract: Contract) -> None:
    """After five wrong codes in an hour, even the right code is refused for an hour."""
    email, clock = contract.member(), contract.local.clock
    contract.forgot(email)
    for _ in range(5):
        with refused("CodeMismatch"):
            contract.reset(email, "nonsense", NEW)
    with refused("LimitExceeded", LIMIT):
        contract.reset(email, contract.code(email), NEW)
    clock.advance(timedelta(hours=1))
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)


def test_forgot_too_often(contract: Contract) -> None:
    """A user can ask for five codes an hour."""
    email, clock = contract.member(), contract.local.clock
    for _ in range(5):
        contract.forgot(email)
    with refused("LimitExceeded", LIMIT):
        contract.forgot(email)
    clock.advance(timedelta(hours=1))
    contract.forgot(email)


def test_a_reset_ends_a_lock(contract: Contract) -> None:
    """Wrong guesses at the old password don't block the new one."""
    email = contract.member()
    for _ in range(5):
        with refused("NotAuthorized"):
            contract.sign_in(email, "Wrong-Horse-1")
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)
    contract.sign_in(email, NEW)


def test_forgot_unknown(contract: Contract) -> None:
    """An unknown address is answered like a user's, always the same way; nothing is sent."""
    email = contract.address()
    assert contract.forgot(email) == contract.forgot(email)
    assert contract.forgot(email)["DeliveryMedium"] == "EMAIL"
    with pytest.raises(ClientError) as caught:
        contract.reset(email, "123456", NEW)
    assert caught.value.response["Error"]["Code"] in {
        "CodeMismatchException",
        "ExpiredCodeException",
    }
    with pytest.raises(LookupError):
        contract.code(email)


def test_forgot_unconfirmed(contract: Contract) -> None:
    """A code is sent only to a verified address, so the user must confirm first."""
    email = contract.address()
    contract.sign_up(email)
    with refused("InvalidParameter", UNVERIFIED):
        contract.forgot(email)
    contract.resend(email)
    contract.confirm(email, contract.code(email))
    contract.forgot(email)
    contract.reset(email, contract.code(email), NEW)


def test_forgot_before_the_first_sign_in(contract: Contract) -> None:
    """A user with a temporary password must sign in with it and can't reset it."""
    email = contract.address()
    contract.administer(
        "admin_create_user", email, TemporaryPassword="Temporary-1", MessageAction="SUPPRESS"
    )
    with refused("NotAuthorized", "User password cannot be reset in the current state."):
        contract.forgot(email)


def test_forgot_disabled(contract: Contract) -> None:
    """A disabled user is answered like an unknown one."""
    email = contract.member()
    contract.forgot(email)
    code = contract.code(email)
    contract.administer("admin_disable_user", email)
    sent = len(contract.local.outbox.to_json())
    assert contract.forgot(email)["DeliveryMedium"] == "EMAIL"
    assert len(contract.local.outbox.to_json()) == sent
    with refused("CodeMismatch"):
        contract.reset(email, code, NEW)


def test_recovery_with_legacy_errors(contract: Contract) -> None:
    """With the LEGACY setting, the error shows that a user is unknown or disabled."""
    contract = contract.with_settings(client=LEGACY)
    unknown, disabled = contract.address(), contract.member()
    contract.administer("admin_disable_user", disabled)
    for email, exception in ((unknown, "UserNotFound"), (disabled, "NotAuthorized")):
        with refused(exception):
            contract.forgot(email)
        with refused(exception):
            contract.reset(email, "123456", NEW)


def test_recovery_by_administrators_only(contract: Contract) -> None:
    """A pool can leave recovery to its administrators."""
    only = {"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    contract = contract.with_settings(pool={"AccountRecoverySetting": only})
    with refused("NotAuthorized", "Contact administrator to reset password."):
        contract.forgot(contract.member())


def test_reset_by_an_administrator(contract: Contract) -> None:
    """The old password stops working, and the e-mailed code sets a new one."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    contract.administer("admin_reset_user_password", email)
    assert contract.user(email)["UserStatus"] == "RESET_REQUIRED"
    with refused("PasswordResetRequired"):
        contract.users.get_user(AccessToken=token)
    first = contract.code(email)
    contract.forgot(email)  # as a user does who has lost the first code
    assert contract.code(email) != first
    contract.reset(email, contract.code(email), NEW)
    assert contract.user(email)["UserStatus"] == "CONFIRMED"
    contract.sign_in(email, NEW)


def test_a_reset_verifies_the_address(contract: Contract) -> None:
    """The code proves that the user receives mail at the address."""
    email = contract.member()
    contract.forgot(email)
    unverified = [{"Name": "email_verified", "Value": "false"}]
    contract.administer("admin_update_user_attributes", email, UserAttributes=unverified)
    contract.reset(email, contract.code(email), NEW)
    assert contract.user(email)["email_verified"] == "true"


def test_an_unknown_user_name(contract: Contract) -> None:
    """Where people sign in by user name, the answer has a made-up address, always the same."""
    contract = contract.with_settings(pool=BY_NAME, google=False)
    email = [{"Name": "email", "Value": contract.address()}]
    contract.sign_up("known", UserAttributes=email)
    names = ("known", "unknown", "unknown", "o@example.com")
    resent = [contract.resend(name)["CodeDeliveryDetails"] for name in names]
    contract.confirm("known", contract.code(email[0]["Value"]))
    for known, unknown, again, other in (resent, [contract.forgot(name) for name in names]):
        assert unknown == again
        for seen in (known, unknown, other):
            assert re.fullmatch(r"[a-z]\*{3}@[a-z]\*{3}", seen["Destination"])
    assert len({contract.forgot(f"unknown{n}")["Destination"] for n in range(9)}) > 1


def test_a_user_without_an_address(contract: Contract) -> None:
    """Where people sign in by user name, one may have none, and then gets no code."""
    contract = contract.with_settings(pool=BY_NAME, google=False)
    contract.sign_up("ada")
    with refused("InvalidParameter", "User has no email address."):
        contract.resend("ada")
    contract.administer("admin_confirm_sign_up", "ada")
    for call in (contract.forgot, partial(contract.administer, "admin_reset_user_password")):
        with refused("InvalidParameter", UNVERIFIED):
            call("ada")
    phone = [
        {"Name": "phone_number", "Value": "+15550100"},
        {"Name": "phone_number_verified", "Value": "true"},
    ]
    contract.administer("admin_update_user_attributes", "ada", UserAttributes=phone)
    with refused("InvalidParameter", UNVERIFIED):
        contract.administer("admin_reset_user_password", "ada")
    contract.sign_in("ada")


def test_a_second_factor_without_an_address(contract: Contract) -> None:
    """A user who deletes the address can't do without its code."""
    mfa = {"MfaConfiguration": "OPTIONAL", "EmailMfaConfiguration": {}}
    contract = contract.with_settings(pool=BY_NAME, mfa=mfa, google=False)
    email = contract.address()
    contract.sign_up("ada", UserAttributes=[{"Name": "email", "Value": email}])
    contract.confirm("ada", contract.code(email))
    contract.administer("admin_set_user_mfa_preference", "ada", EmailMfaSettings={"Enabled": True})
    contract.administer("admin_delete_user_attributes", "ada", UserAttributeNames=["email"])
    with refused("InvalidParameter", "User has no email address."):
        contract.sign_in("ada")
