"""AdminCreateUser and AdminSetUserPassword, as Cognito answers them."""

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.contract import PASSWORD, Contract, refused

TEMPORARY = "Temporary-1"
NEW = "Another-Horse-2"
EXPIRED = "Temporary password has expired and must be reset by an administrator."


def mails(contract: Contract, email: str) -> list[dict[str, str]]:
    """Return the e-mails to an address."""
    return [mail for mail in contract.local.outbox.to_json() if mail["to"] == email]


def test_an_invitation(contract: Contract) -> None:
    """The temporary password is e-mailed, and must be replaced at the first sign-in."""
    email = contract.address()
    made = contract.administer("admin_create_user", email, TemporaryPassword=TEMPORARY)["User"]
    assert made["UserStatus"] == "FORCE_CHANGE_PASSWORD"
    (mail,) = mails(contract, email)
    assert mail["code"] == TEMPORARY
    assert (
        mail["text"].strip() == f"Your username is {email} and temporary password is {TEMPORARY}."
    )
    assert mail["subject"] == "Your temporary password"
    challenge = contract.sign_in(email, TEMPORARY)
    assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=NEW)
    assert contract.user(email)["UserStatus"] == "CONFIRMED"
    with refused("NotAuthorized"):
        contract.sign_in(email, TEMPORARY)


def test_a_temporary_password_of_cognitos(contract: Contract) -> None:
    """Without one, Cognito makes one for the pool's policy."""
    policy = {"MinimumLength": 40, "RequireSymbols": True, "RequireNumbers": True}
    contract = contract.with_settings(pool={"Policies": {"PasswordPolicy": policy}})
    first, second = contract.address(), contract.address()
    for email in (first, second):
        contract.administer("admin_create_user", email)
        challenge = contract.sign_in(email, contract.code(email))
        assert challenge["ChallengeName"] == "NEW_PASSWORD_REQUIRED"
    assert contract.code(first) != contract.code(second)


def test_an_invitation_of_the_pools_own_words(contract: Contract) -> None:
    """The text is the pool's, with the user name and the password in it."""
    words = {"EmailMessage": "Hello {username}, use {####}", "EmailSubject": "Welcome"}
    create = {"AllowAdminCreateUserOnly": False, "InviteMessageTemplate": words}
    contract = contract.with_settings(pool={"AdminCreateUserConfig": create})
    email = contract.address()
    contract.administer("admin_create_user", email, TemporaryPassword=TEMPORARY)
    (mail,) = mails(contract, email)
    assert (mail["subject"], mail["text"]) == ("Welcome", f"Hello {email}, use {TEMPORARY}")


def test_a_suppressed_invitation(contract: Contract) -> None:
    """Nothing is e-mailed."""
    email = contract.address()
    contract.administer(
        "admin_create_user", email, TemporaryPassword=TEMPORARY, MessageAction="SUPPRESS"
    )
    assert mails(contract, email) == []
    assert contract.sign_in(email, TEMPORARY)["ChallengeName"] == "NEW_PASSWORD_REQUIRED"


@pytest.mark.parametrize("operation", ["admin_create_user", "admin_set_user_password"])
@pytest.mark.parametrize(
    "password", ["Aa1!", "no-digits-Here", "NO-LOWER-1", "no-upper-1", "NoSymbol1"]
)
def test_a_weak_password(contract: Contract, operation: str, password: str) -> None:
    """An administrator's password follows the pool's policy, too. Nothing is changed."""
    email = contract.address()
    if operation == "admin_create_user":
        given: dict[str, Any] = {"TemporaryPassword": password}
    else:
        contract.sign_up_and_confirm(email, PASSWORD)
        given = {"Password": password, "Permanent": True}
    with pytest.raises(ClientError) as caught:
        contract.administer(operation, email, **given)
    message = caught.value.response["Error"]["Message"]
    assert message.startswith("Password did not conform with policy: ")
    if operation == "admin_create_user":
        assert mails(contract, email) == []
        with refused("UserNotFound"):
            contract.user(email)
    else:
        contract.sign_in(email)


def test_a_long_password_of_an_administrator(contract: Contract) -> None:
    """A password may have 256 characters, whoever sets it."""
    email, long = contract.member(), "Aa1!" * 64
    contract.administer("admin_set_user_password", email, Password=long, Permanent=True)
    contract.sign_in(email, long)


def test_a_pool_without_a_password_policy(contract: Contract) -> None:
    """Cognito's own policy applies wherever a password is set. Other policies don't replace it."""
    ways = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD"]}}
    contract = contract.with_settings(pool={"Policies": ways})
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    invited = contract.address()
    contract.administer("admin_create_user", invited, TemporaryPassword=TEMPORARY)
    challenge = contract.sign_in(invited, TEMPORARY)
    contract.forgot(email)
    code = contract.code(email)
    calls = [
        lambda: contract.sign_up(contract.address(), "weak-horse"),
        lambda: contract.administer(
            "admin_create_user", contract.address(), TemporaryPassword="weak-horse"
        ),
        lambda: contract.administer("admin_set_user_password", email, Password="weak-horse"),
        lambda: contract.reset(email, code, "weak-horse"),
        lambda: contract.users.change_password(
            AccessToken=token, PreviousPassword=PASSWORD, ProposedPassword="weak-horse"
        ),
        lambda: contract.respond(challenge, USERNAME=invited, NEW_PASSWORD="weak-horse"),
    ]
    for call in calls:
        with refused(
            "InvalidPassword",
            "Password did not conform with policy: Password must have uppercase characters",
        ):
            call()


def test_a_temporary_password_expires(contract: Contract) -> None:
    """It lasts as many days as the pool says, and another invitation makes a new one."""
    policy = {"MinimumLength": 8, "TemporaryPasswordValidityDays": 2}
    contract = contract.with_settings(pool={"Policies": {"PasswordPolicy": policy}})
    email, clock = contract.address(), contract.local.clock
    contract.administer("admin_create_user", email, TemporaryPassword=TEMPORARY)
    clock.advance(timedelta(days=2, seconds=-10))
    contract.sign_in(email, TEMPORARY)
    clock.advance(10)
    with refused("NotAuthorized", EXPIRED):
        contract.sign_in(email, TEMPORARY)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email, "Wrong-Horse-1")
    contract.administer("admin_create_user", email, MessageAction="RESEND")
    assert len(mails(contract, email)) == 2
    challenge = contract.sign_in(email, contract.code(email))
    contract.respond(challenge, USERNAME=email, NEW_PASSWORD=NEW)
    clock.advance(timedelta(days=30))
    contract.sign_in(email, NEW)


def test_inviting_again(contract: Contract) -> None:
    """Only a user who exists and hasn't chosen a password can be invited again."""
    with refused("UserNotFound"):
        contract.administer("admin_create_user", contract.address(), MessageAction="RESEND")
    email = contract.member()
    with refused(
        "UnsupportedUserState", "Resend not possible. CONFIRMED status is not FORCE_CHANGE_PASSWORD"
    ):
        contract.administer("admin_create_user", email, MessageAction="RESEND")
    contract.sign_in(email)


def test_a_taken_address(contract: Contract) -> None:
    """It is taken in any case, and the user keeps their password."""
    email = contract.member()
    with refused("UsernameExists"):
        contract.administer("admin_create_user", email.upper(), TemporaryPassword=TEMPORARY)
    contract.sign_in(email)


def test_attributes_of_an_invited_user(contract: Contract) -> None:
    """An administrator can mark an address as verified, but not choose the sub."""
    email = contract.address()
    for name in ("sub", "identities", "custom:shoe"):
        with refused("InvalidParameter"):
            given = [{"Name": name, "Value": "39"}]
            contract.administer("admin_create_user", email, UserAttributes=given)
    given = [{"Name": "email_verified", "Value": "true"}, {"Name": "name", "Value": "Ada"}]
    contract.administer("admin_create_user", email, UserAttributes=given)
    user = contract.user(email)
    assert (user["email"], user["email_verified"], user["name"]) == (email, "true", "Ada")
    with refused("InvalidParameter", "Username should be an email."):
        contract.administer("admin_create_user", "ada")


def test_a_user_name_that_is_no_address(contract: Contract) -> None:
    """Where people sign in by user name, the e-mail goes to the attribute, if there is one."""
    names = {"UsernameAttributes": [], "UsernameConfiguration": {"CaseSensitive": True}}
    contract = contract.with_settings(pool=names, google=False)
    email = contract.address()
    contract.administer("admin_create_user", "nobody", TemporaryPassword=TEMPORARY)
    given = [{"Name": "email", "Value": email}]
    contract.administer(
        "admin_create_user", "ada", TemporaryPassword=TEMPORARY, UserAttributes=given
    )
    (mail,) = mails(contract, email)
    assert mail["text"].startswith("Your username is ada and ")
    with refused("UsernameExists", "User already exists"):
        contract.administer("admin_create_user", "ada")


def test_confirming_without_a_code(contract: Contract) -> None:
    """An administrator can confirm a user who signed up, once, and verifies no address by it."""
    email = contract.address()
    contract.sign_up(email)
    contract.administer("admin_confirm_sign_up", email)
    user = contract.user(email)
    assert (user["UserStatus"], user["email_verified"]) == ("CONFIRMED", "false")
    contract.sign_in(email)
    message = "User cannot be confirmed. Current status is CONFIRMED"
    with refused("NotAuthorized", message):
        contract.administer("admin_confirm_sign_up", email)
    invited = contract.address()
    contract.administer("admin_create_user", invited, TemporaryPassword=TEMPORARY)
    with refused("NotAuthorized", message.replace("CONFIRMED", "FORCE_CHANGE_PASSWORD")):
        contract.administer("admin_confirm_sign_up", invited)
