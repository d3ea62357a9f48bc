"""USER_AUTH with EMAIL_OTP: a code in place of the password, and users without one."""

from datetime import timedelta
from typing import Any

import pytest

from tests.support.contract import PASSWORD, SESSION, Contract, other_than, refused
from tests.support.contract_mfa import set_up

WRONG = "Invalid code or auth state for the user."


def asks(contract: Contract, email: str) -> Any:
    """Call InitiateAuth."""
    return contract.initiate("USER_AUTH", USERNAME=email, PREFERRED_CHALLENGE="EMAIL_OTP")


def answers(contract: Contract, asked: Any, email: str, code: str) -> Any:
    """Call RespondToAuthChallenge."""
    return contract.respond(asked, USERNAME=email, EMAIL_OTP_CODE=code)


def mails(contract: Contract) -> int:
    """Return how many e-mails were sent."""
    return len(contract.local.outbox.to_json())


def test_a_code(contract: Contract) -> None:
    """It is e-mailed to the user's address, and gives tokens once."""
    email = contract.member()
    asked = asks(contract, email)
    assert asked["ChallengeName"] == "EMAIL_OTP"
    assert asked["ChallengeParameters"] == {
        "CODE_DELIVERY_DELIVERY_MEDIUM": "EMAIL",
        "CODE_DELIVERY_DESTINATION": "a***@e***",
    }
    code = contract.code(email)
    with refused("CodeMismatch", WRONG):
        answers(contract, asked, email, other_than(code))
    assert "AuthenticationResult" in answers(contract, asked, email, code)
    with refused("NotAuthorized"):
        answers(contract, asked, email, code)


def test_choosing(contract: Contract) -> None:
    """Without a preference, the code is among the choices, and can be chosen."""
    email = contract.member()
    offered = contract.initiate("USER_AUTH", USERNAME=email)
    assert "EMAIL_OTP" in offered["AvailableChallenges"]
    before = mails(contract)
    asked = contract.respond(offered, USERNAME=email, ANSWER="EMAIL_OTP")
    assert mails(contract) == before + 1
    assert "AuthenticationResult" in answers(contract, asked, email, contract.code(email))


def test_its_time(contract: Contract) -> None:
    """It is valid as long as the session."""
    email = contract.member()
    asked = asks(contract, email)
    contract.local.clock.advance(SESSION)
    with refused("NotAuthorized"):
        answers(contract, asked, email, contract.code(email))


def test_a_user_who_does_not_exist(contract: Contract) -> None:
    """Gets a challenge that no code answers, and no e-mail. Nothing else differs."""
    known = contract.member()
    email, before = contract.address(), mails(contract)
    offered = contract.initiate("USER_AUTH", USERNAME=email)
    assert offered["AvailableChallenges"] == ["EMAIL_OTP", "PASSWORD_SRP", "PASSWORD"]
    chosen = contract.respond(offered, USERNAME=email, ANSWER="EMAIL_OTP")
    for asked in (asks(contract, email), chosen):
        assert mails(contract) == before
        with refused("CodeMismatch", WRONG):
            answers(contract, asked, email, "000000")
        with refused("InvalidParameter", "Missing required parameter EMAIL_OTP_CODE"):
            contract.respond(asked, USERNAME=email)
        real = asks(contract, known)
        before += 1
        assert without_session(asked) == without_session(real)
    with refused("NotAuthorized"):
        contract.respond(offered, USERNAME=email, ANSWER="EMAIL_OTP")


def without_session(asked: Any) -> dict[str, Any]:
    """Return what a caller sees of a challenge."""
    unique = {"Session", "ResponseMetadata"}
    return {name: value for name, value in asked.items() if name not in unique}


def test_from_a_server(contract: Contract) -> None:
    """The administrator's operations make the same checks."""
    email = contract.member()
    pool = {"UserPoolId": contract.pool.user_pool_id, "ClientId": contract.pool.client_id}
    asked = contract.admin.admin_initiate_auth(
        **pool,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": email, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
    )
    step = {"ChallengeName": "EMAIL_OTP", "Session": asked["Session"]}
    right = {"USERNAME": email, "EMAIL_OTP_CODE": contract.code(email)}
    wrong = right | {"EMAIL_OTP_CODE": other_than(contract.code(email))}
    respond = contract.admin.admin_respond_to_auth_challenge
    with refused("CodeMismatch", WRONG):
        respond(**pool, **step, ChallengeResponses=wrong)
    assert "AuthenticationResult" in respond(**pool, **step, ChallengeResponses=right)


def test_whose_code(contract: Contract) -> None:
    """A code belongs to its session, and that one to its user."""
    email, other = contract.member(), contract.member()
    first, second = asks(contract, email), asks(contract, email)
    with refused("CodeMismatch", WRONG):
        answers(contract, asks(contract, other), other, contract.code(email))
    with refused("NotAuthorized", "Invalid session for the user."):
        answers(contract, second, other, contract.code(email))
    older = contract.local.outbox.to_json()[-3]["code"]
    assert "AuthenticationResult" in answers(contract, first, email, older)


@pytest.mark.parametrize(
    ("since", "exception", "message"),
    [
        ("admin_disable_user", "NotAuthorized", "User is disabled."),
        ("admin_delete_user", "NotAuthorized", "Invalid session for the user."),
        (
            "admin_reset_user_password",
            "PasswordResetRequired",
            "Password reset required for the user",
        ),
    ],
)
def test_what_has_happened_since(
    contract: Contract, since: str, exception: str, message: str
) -> None:
    """A code doesn't outlive its user's right to sign in."""
    email = contract.member()
    asked = asks(contract, email)
    code = contract.code(email)
    contract.administer(since, email)
    with refused(exception, message):
        answers(contract, asked, email, code)


def test_an_address_that_is_not_verified(contract: Contract) -> None:
    """It gets no code, neither before nor after somebody else confirms the user."""
    email = contract.address()
    contract.sign_up(email)
    before = mails(contract)
    with refused("UserNotConfirmed", "User is not confirmed."):
        asks(contract, email)
    contract.administer("admin_confirm_sign_up", email)
    assert asks(contract, email)["ChallengeName"] == "SELECT_CHALLENGE"
    assert mails(contract) == before


def test_a_second_factor(contract: Contract) -> None:
    """A user who has one, and every user of a pool that requires it, needs the password."""
    email, _, _ = set_up(contract)
    before = mails(contract)
    assert asks(contract, email)["ChallengeName"] == "SELECT_CHALLENGE"
    required = contract.with_settings(mfa={"MfaConfiguration": "ON"})
    email = required.member()
    nobody = asks(required, contract.address())
    assert without_session(nobody) == without_session(asks(required, email))
    assert nobody["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]
    assert mails(contract) == before + 1  # the new user's confirmation code


def test_five_an_hour(contract: Contract) -> None:
    """After that none is sent, and the answer looks the same."""
    email = contract.member()
    before = mails(contract)
    first, *_, sixth = [asks(contract, email) for _ in range(6)]
    assert without_session(sixth) == without_session(first)
    with refused("CodeMismatch", WRONG):
        answers(contract, sixth, email, contract.code(email))
    assert mails(contract) == before + 5
    contract.local.clock.advance(timedelta(hours=1))
    asks(contract, email)
    assert mails(contract) == before + 6


def test_a_pool_without_codes(contract: Contract) -> None:
    """Only the password can be chosen, and every user must have one."""
    policy = {"Policies": {"PasswordPolicy": {"MinimumLength": 8}}}
    contract = contract.with_settings(pool=policy)
    email = contract.member()
    offered = asks(contract, email)
    assert offered["AvailableChallenges"] == ["PASSWORD_SRP", "PASSWORD"]
    with refused("InvalidParameter"):
        contract.respond(offered, USERNAME=email, ANSWER="EMAIL_OTP")
    with refused("InvalidPassword"):
        contract.users.sign_up(ClientId=contract.pool.client_id, Username=contract.address())


def test_a_user_without_a_password(contract: Contract) -> None:
    """Signs up with the address alone, and in with codes, until a password is set."""
    email = contract.address()
    begun = contract.users.sign_up(ClientId=contract.pool.client_id, Username=email)
    ready = contract.confirm(email, contract.code(email), Session=begun["Session"])["Session"]
    tokens = contract.users.initiate_auth(
        ClientId=contract.pool.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": email},
        Session=ready,
    )["AuthenticationResult"]
    factors = contract.users.get_user_auth_factors(AccessToken=tokens["AccessToken"])
    assert factors["ConfiguredUserAuthFactors"] == ["EMAIL_OTP"]
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.sign_in(email)
    offered = contract.initiate("USER_AUTH", USERNAME=email)
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.respond(offered, USERNAME=email, ANSWER="PASSWORD", PASSWORD=PASSWORD)
    asked = asks(contract, email)
    answers(contract, asked, email, contract.code(email))
    contract.forgot(email)
    contract.reset(email, contract.code(email), "A-new-Horse-2")
    assert "AuthenticationResult" in contract.sign_in(email, "A-new-Horse-2")
