"""SignUp, ConfirmSignUp and InitiateAuth: a session from one to the next replaces the password."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.support.contract import PASSWORD, SESSION, Contract, claims, other_than, refused

INVALID = "Invalid session for the user."
EXPIRED = "Invalid session for the user, session is expired."
USED = "Invalid session for the user, session can only be used once."


def signed_up(contract: Contract) -> tuple[str, str]:
    """Return a new address, and the session of its sign-up."""
    email = contract.address()
    return email, contract.sign_up(email)["Session"]


def confirmed(contract: Contract) -> tuple[str, str]:
    """Return the address of a new user, and the session for the first sign-in, or skip."""
    email, session = signed_up(contract)
    return email, contract.confirm(email, contract.code(email), Session=session)["Session"]


def by_itself(contract: Contract, email: str, session: str) -> Any:
    """Call InitiateAuth with the session."""
    return contract.users.initiate_auth(
        ClientId=contract.pool.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": email},
        Session=session,
    )


def from_a_server(contract: Contract, email: str, session: str) -> Any:
    """Call AdminInitiateAuth with the session, or skip the test."""
    return contract.admin.admin_initiate_auth(
        UserPoolId=contract.pool.user_pool_id,
        ClientId=contract.pool.client_id,
        AuthFlow="USER_AUTH",
        AuthParameters={"USERNAME": email},
        Session=session,
    )


WAYS = [by_itself, from_a_server]
Way = Callable[[Contract, str, str], Any]


@pytest.mark.parametrize("sign_in", WAYS)
def test_a_first_sign_in(contract: Contract, sign_in: Way) -> None:
    """The session gives tokens, once."""
    email, session = confirmed(contract)
    tokens = sign_in(contract, email, session)["AuthenticationResult"]
    assert claims(contract, tokens["IdToken"])["email"] == email
    contract.refresh(tokens["RefreshToken"])
    with refused("NotAuthorized", USED):
        sign_in(contract, email, session)


def test_a_wrong_code_keeps_the_session(contract: Contract) -> None:
    """So does a code that is sent again."""
    email, session = signed_up(contract)
    with refused("CodeMismatch"):
        contract.confirm(email, other_than(contract.code(email)), Session=session)
    contract.resend(email)
    ready = contract.confirm(email, contract.code(email), Session=session)["Session"]
    assert "AuthenticationResult" in by_itself(contract, email, ready)


def test_without_the_session(contract: Contract) -> None:
    """Confirming without it works as ever, but the password is still needed."""
    email, _ = signed_up(contract)
    session = contract.confirm(email, contract.code(email))["Session"]
    assert by_itself(contract, email, session)["ChallengeName"] == "SELECT_CHALLENGE"


def test_a_client_without_the_flow(contract: Contract) -> None:
    """It gets no session."""
    contract = contract.with_settings(client={"ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]})
    email = contract.address()
    assert "Session" not in contract.sign_up(email)
    assert "Session" not in contract.confirm(email, contract.code(email))


def test_a_sign_up_alone_is_no_proof(contract: Contract) -> None:
    """Its session signs nobody in, before or after confirming: the code is the proof."""
    email, session = signed_up(contract)
    with refused("NotAuthorized", INVALID):
        by_itself(contract, email, session)
    contract.confirm(email, contract.code(email))
    with refused("NotAuthorized", INVALID):
        by_itself(contract, email, session)


def test_somebody_elses_session(contract: Contract) -> None:
    """Neither operation takes it, and the account can still be confirmed."""
    email, _ = signed_up(contract)
    other, session = signed_up(contract)
    with refused("NotAuthorized", INVALID):
        contract.confirm(email, contract.code(email), Session=session)
    contract.confirm(email, contract.code(email))
    ready = contract.confirm(other, contract.code(other), Session=session)["Session"]
    for sign_in in WAYS:
        with refused("NotAuthorized", INVALID):
            sign_in(contract, email, ready)


def test_another_client(contract: Contract) -> None:
    """A session belongs to the app client that got it."""
    email, session = confirmed(contract)
    client = contract.admin.create_user_pool_client(
        UserPoolId=contract.pool.user_pool_id,
        ClientName="other",
        ExplicitAuthFlows=["ALLOW_USER_AUTH"],
    )["UserPoolClient"]
    with refused("NotAuthorized", INVALID):
        contract.users.initiate_auth(
            ClientId=client["ClientId"],
            AuthFlow="USER_AUTH",
            AuthParameters={"USERNAME": email},
            Session=session,
        )


def test_its_time(contract: Contract) -> None:
    """All of it lives as long as a challenge; confirming doesn't prolong it."""
    email, session = signed_up(contract)
    contract.local.clock.advance(SESSION)
    with refused("NotAuthorized", EXPIRED):
        contract.confirm(email, contract.code(email), Session=session)
    email, session = signed_up(contract)
    contract.local.clock.advance(SESSION - timedelta(seconds=1))
    ready = contract.confirm(email, contract.code(email), Session=session)["Session"]
    contract.local.clock.advance(1)
    with refused("NotAuthorized", EXPIRED):
        by_itself(contract, email, ready)


@pytest.mark.parametrize(
    ("since", "exception", "message"),
    [
        ("admin_disable_user", "NotAuthorized", "User is disabled."),
        ("admin_delete_user", "NotAuthorized", INVALID),
        (
            "admin_reset_user_password",
            "PasswordResetRequired",
            "Password reset required for the user",
        ),
    ],
)
@pytest.mark.parametrize("sign_in", WAYS)
def test_what_has_happened_since(
    contract: Contract, sign_in: Way, since: str, exception: str, message: str
) -> None:
    """A session doesn't outlive its user's right to sign in."""
    email, session = confirmed(contract)
    contract.administer(since, email)
    with refused(exception, message):
        sign_in(contract, email, session)


def test_a_required_second_factor(contract: Contract) -> None:
    """The next challenge is the one that a password would lead to."""
    app = {"SoftwareTokenMfaConfiguration": {"Enabled": True}, "MfaConfiguration": "ON"}
    contract = contract.with_settings(mfa=app)
    email, session = confirmed(contract)
    assert by_itself(contract, email, session)["ChallengeName"] == "MFA_SETUP"


def test_choosing_what_is_not_offered(contract: Contract) -> None:
    """The local Cognito says which choice it lacks; nothing is used up."""
    contract.local  # noqa: B018 - a real pool has it
    email = contract.member()
    begun = contract.initiate("USER_AUTH", USERNAME=email)
    with refused("InvalidParameter"):
        contract.respond(begun, USERNAME=email, ANSWER="PASSWORD_SRP", SRP_A="1")
    with refused("NotAuthorized", "Incorrect username or password."):
        contract.respond(begun, USERNAME=email, ANSWER="PASSWORD", PASSWORD="Wrong-Horse-1")
    right = {"USERNAME": email, "ANSWER": "PASSWORD", "PASSWORD": PASSWORD}
    assert "AuthenticationResult" in contract.respond(begun, **right)
    with refused("NotAuthorized", USED):
        contract.respond(begun, **right)
