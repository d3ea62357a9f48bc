"""SignUp, ConfirmSignUp and ResendConfirmationCode, as Cognito answers them."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from tests.support.contract import PASSWORD, Contract, other_than, refused

EXPIRED = "Invalid code provided, please request a code again."
MISMATCH = "Invalid verification code provided, please try again."
LIMIT = "Attempt limit exceeded, please try after some time."
TAKEN = ("User already exists", "An account with the given email already exists.")


def test_sign_up_makes_an_unconfirmed_user(contract: Contract) -> None:
    """A new user is unconfirmed, has a sub, and the e-mail goes to a masked address."""
    email = contract.address()
    answer = contract.sign_up(email)
    assert answer["UserConfirmed"] is False
    assert re.fullmatch(r"[0-9a-f-]{36}", answer["UserSub"])
    assert answer["CodeDeliveryDetails"] == {
        "Destination": f"{email[0]}***@{email.partition('@')[2][0]}***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }


def test_sign_up_twice(contract: Contract) -> None:
    """An address can be signed up once."""
    email = contract.address()
    contract.sign_up(email)
    with refused("UsernameExists", *TAKEN):
        contract.sign_up(email)


def test_sign_up_in_another_case(contract: Contract) -> None:
    """Two spellings that differ in case are one address."""
    email = contract.address()
    contract.sign_up(email)
    with refused("UsernameExists", *TAKEN):
        contract.sign_up(email.upper())


def test_sign_up_case_sensitively(contract: Contract) -> None:
    """In a case-sensitive pool, two spellings that differ in case are two addresses."""
    contract = contract.with_settings(pool={"UsernameConfiguration": {"CaseSensitive": True}})
    email = contract.address()
    contract.sign_up(email)
    assert contract.sign_up(email.upper())["UserSub"]


def test_sign_up_at_the_same_instant(contract: Contract) -> None:
    """Of many simultaneous sign-ups with one address, exactly one succeeds."""
    email = contract.address()

    def attempt(_: int) -> str:
        try:
            contract.sign_up(email)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "made"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(attempt, range(8)))
    assert outcomes == ["UsernameExistsException"] * 7 + ["made"]
    found = contract.admin.list_users(UserPoolId=contract.pool.user_pool_id)["Users"]
    assert len(found) == 1


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("Aa1!aaa", "Password not long enough"),
        ("aaaa1!aa", "Password must have uppercase characters"),
        ("AAAA1!AA", "Password must have lowercase characters"),
        ("AAAaaa!!", "Password must have numeric characters"),
        ("AAAaaa11", "Password must have symbol characters"),
        ("ÄÄÄaaa1!", "Password must have uppercase characters"),
    ],
)
def test_sign_up_with_a_weak_password(contract: Contract, password: str, rule: str) -> None:
    """The error names the rule that the password breaks."""
    with refused("InvalidPassword", f"Password did not conform with policy: {rule}"):
        contract.sign_up(contract.address(), password)


@pytest.mark.parametrize(
    ("password", "constraint"),
    [
        ("Aa1!x", "have length greater than or equal to 6"),
        ("Aa1!" + "x" * 253, "have length less than or equal to 256"),
        (" Aa1!xxxx", r"satisfy regular expression pattern: ^[\S]+.*[\S]+$"),
        ("Aa1!xxxx ", r"satisfy regular expression pattern: ^[\S]+.*[\S]+$"),
    ],
)
def test_sign_up_with_an_impossible_password(
    contract: Contract, password: str, constraint: str
) -> None:
    """A password that the API itself refuses is an invalid parameter, whatever the policy."""
    fault = "1 validation error detected: Value at 'password' failed to satisfy constraint:"
    with refused("InvalidParameter", f"{fault} Member must {constraint}"):
        contract.sign_up(contract.address(), password)


def test_sign_up_with_an_unusual_password(contract: Contract) -> None:
    """256 characters are allowed; an inner space and each listed character count as symbols."""
    passwords = [f"Aaaaaa1{symbol}" for symbol in "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+="]
    passwords += ["Aa1!" + "x" * 252, "Correct Horse 1"]
    contract = contract.with_settings()  # a real pool could send only 50 e-mails a day
    for password in passwords:
        assert contract.sign_up(contract.address(), password)["UserSub"]


@pytest.mark.parametrize("username", ["ada", "ada@", "@example.com", "ada@example", "a@b@c.org"])
def test_sign_up_without_an_address(contract: Contract, username: str) -> None:
    """The user name has to be an e-mail address."""
    with refused("InvalidParameter", "Username should be an email."):
        contract.sign_up(username)


def test_sign_up_with_too_long_a_name(contract: Contract) -> None:
    """A user name has at most 128 characters and no spaces."""
    with refused("InvalidParameter"):
        contract.sign_up("a" * 117 + "@example.com")
    with refused("InvalidParameter"):
        contract.sign_up("ada lovelace@example.com")


def test_sign_up_with_another_email_attribute(contract: Contract) -> None:
    """The email attribute can't differ from the user name."""
    other = [{"Name": "email", "Value": "mallory@example.com"}]
    with refused("InvalidParameter"):
        contract.sign_up(contract.address(), UserAttributes=other)


def test_sign_up_with_attributes(contract: Contract) -> None:
    """Standard attributes are kept; unknown ones are refused."""
    email = contract.address()
    with refused("InvalidParameter"):
        contract.sign_up(email, UserAttributes=[{"Name": "custom:shoe", "Value": "39"}])
    contract.sign_up(email, UserAttributes=[{"Name": "given_name", "Value": "Ada"}])
    assert contract.user(email)["given_name"] == "Ada"


def test_sign_up_claiming_a_verified_address(contract: Contract) -> None:
    """A caller can't mark their own address as verified."""
    claim = [{"Name": "email_verified", "Value": "true"}]
    with refused("NotAuthorized", "A client attempted to write unauthorized attribute"):
        contract.sign_up(contract.address(), UserAttributes=claim)


def test_sign_up_in_a_closed_pool(contract: Contract) -> None:
    """A pool can let only administrators create users."""
    contract = contract.with_settings(
        pool={"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True}}
    )
    with refused("NotAuthorized", "SignUp is not permitted for this user pool"):
        contract.sign_up(contract.address())


def test_wrong_client(contract: Contract) -> None:
    """If the app client doesn't exist, the error names it, whatever the operation."""
    contract.pool = type(contract.pool)("us-east-1_nowhere", "nobody", contract.pool.region)
    message = "User pool client nobody does not exist."
    for call in (contract.sign_up, contract.sign_in, contract.resend):
        with refused("ResourceNotFound", message):
            call(contract.address())
    challenge = {"ChallengeName": "EMAIL_OTP", "Session": "x" * 40}
    for another in (
        lambda: contract.confirm(contract.address(), "000000"),
        lambda: contract.forgot(contract.address()),
        lambda: contract.reset(contract.address(), "000000", PASSWORD),
        lambda: contract.respond(challenge, USERNAME=contract.address(), EMAIL_OTP_CODE="0"),
        lambda: contract.refresh("nonsense"),
    ):
        with refused("ResourceNotFound", message):
            another()
    with refused("Unauthorized"):  # the only operation that has no ResourceNotFound
        contract.revoke("nonsense")


def test_confirm(contract: Contract) -> None:
    """The right code confirms the user and verifies the address."""
    email = contract.address()
    contract.sign_up(email)
    assert contract.user(email)["UserStatus"] == "UNCONFIRMED"
    assert contract.user(email)["email_verified"] == "false"
    contract.confirm(email.upper(), contract.code(email))
    assert contract.user(email)["UserStatus"] == "CONFIRMED"
    assert contract.user(email)["email_verified"] == "true"


def test_a_used_code_is_deleted(contract: Contract) -> None:
    """The pool keeps no code after its use."""
    user = contract.user(contract.member())
    assert contract.local.account(user["sub"]).codes == {}


def test_the_code_is_mailed(contract: Contract) -> None:
    """The mail goes to the address as typed, and has a code of six digits."""
    email = contract.local and contract.address().replace("ada", "Ada")
    contract.sign_up(email)
    mail = contract.local.outbox.to_json()[-1]
    assert mail["to"] == email
    assert re.fullmatch(r"\d{6}", mail["code"])
    assert mail["code"] in mail["text"]


def test_confirm_with_a_wrong_code(contract: Contract) -> None:
    """A wrong code confirms nothing, and leaves the right one usable."""
    email = contract.address()
    contract.sign_up(email)
    with refused("CodeMismatch", MISMATCH):
        contract.confirm(email, "nonsense")
    code = contract.code(email)
    with refused("CodeMismatch", MISMATCH):
        contract.confirm(email, other_than(code))
    contract.confirm(email, code)


def test_confirm_with_an_expired_code(contract: Contract) -> None:
    """A code is valid for 24 hours; after that, the user can get a new one."""
    email = contract.address()
    clock = contract.local.clock
    contract.sign_up(email)
    clock.advance(timedelta(hours=24))
    with refused("ExpiredCode", EXPIRED):
        contract.confirm(email, contract.code(email))
    contract.resend(email)
    clock.advance(timedelta(hours=24, seconds=-60))
    contract.confirm(email, contract.code(email))


def test_confirm_twice(contract: Contract) -> None:
    """A confirmed user can't be confirmed again, whatever the code."""
    email = contract.member()
    message = "User cannot be confirmed. Current status is CONFIRMED"
    for code in (contract.code(email), "000000"):
        with refused("NotAuthorized", message):
            contract.confirm(email, code)


def test_confirm_an_unknown_user(contract: Contract) -> None:
    """The answer doesn't reveal who has an account."""
    with pytest.raises(ClientError) as caught:
        contract.confirm(contract.address(), "123456")
    assert caught.value.response["Error"]["Code"] in {
        "CodeMismatchException",
        "ExpiredCodeException",
    }


def test_unknown_users_with_legacy_errors(contract: Contract) -> None:
    """With the LEGACY setting, the error shows that the user is unknown."""
    contract = contract.with_settings(client={"PreventUserExistenceErrors": "LEGACY"})
    for call in (contract.sign_in, contract.resend):
        with refused("UserNotFound"):
            call(contract.address())
    with refused("UserNotFound"):
        contract.confirm(contract.address(), "123456")


def test_confirm_too_often(contract: Contract) -> None:
    """After fifteen wrong codes in an hour, even the right code is refused for an hour."""
    email = contract.address()
    clock = contract.local.clock
    contract.sign_up(email)
    for _ in range(15):
        with refused("CodeMismatch"):
            contract.confirm(email, "nonsense")
    with refused("LimitExceeded", LIMIT):
        contract.confirm(email, contract.code(email))
    clock.advance(timedelta(hours=1))
    contract.confirm(email, contract.code(email))


def test_resend(contract: Contract) -> None:
    """A new code is sent, and the old one stops working."""
    email = contract.address()
    contract.sign_up(email)
    details = contract.resend(email)["CodeDeliveryDetails"]
    assert details["DeliveryMedium"] == "EMAIL"
    new, old = contract.code(email), contract.local.outbox.to_json()[-2]["code"]
    assert new != old
    with refused("CodeMismatch"):
        contract.confirm(email, old)
    contract.confirm(email, new)


def test_resend_to_a_confirmed_user(contract: Contract) -> None:
    """A confirmed user can't get another code."""
    email = contract.member()
    with refused("InvalidParameter", "User is already confirmed."):
        contract.resend(email)


def test_resend_to_an_unknown_user(contract: Contract) -> None:
    """The answer is the same as for a user, to hide who has an account; nothing is sent."""
    email = contract.address()
    details = contract.resend(email)["CodeDeliveryDetails"]
    assert details["DeliveryMedium"] == "EMAIL"
    with pytest.raises(LookupError):
        contract.code(email)


def test_resend_too_often(contract: Contract) -> None:
    """A user can ask for five codes an hour."""
    email = contract.address()
    clock = contract.local.clock
    contract.sign_up(email)
    for _ in range(5):
        contract.resend(email)
    with refused("LimitExceeded", LIMIT):
        contract.resend(email)
    clock.advance(timedelta(hours=1))
    contract.resend(email)


def test_sign_up_confirm_and_sign_in(contract: Contract) -> None:
    """A new user can sign in after confirming."""
    email = contract.member()
    assert contract.sign_in(email, PASSWORD)["AuthenticationResult"]["TokenType"] == "Bearer"
