"""A user with an authenticator app."""

from typing import Any

from tests.support.contract import Contract
from tests.support.totp import totp

ON = {"Enabled": True, "PreferredMfa": True}


def app_code(contract: Contract, secret: str, ahead: int = 0) -> str:
    """Return the code that an authenticator app shows `ahead` seconds from now."""
    return totp(secret, contract.local.clock.now() + ahead)


def set_up(contract: Contract) -> tuple[str, str, str]:
    """Make a user with an authenticator app; return the address, its secret and an access token."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    secret = contract.users.associate_software_token(AccessToken=token)["SecretCode"]
    contract.users.verify_software_token(AccessToken=token, UserCode=app_code(contract, secret))
    contract.users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=ON)
    contract.local.clock.advance(30)  # this moment's code is used up
    return email, secret, token


def answer(contract: Contract, email: str, challenge: Any, code: str) -> Any:
    """Answer a sign-in's challenge with a code of the app."""
    return contract.respond(challenge, USERNAME=email, SOFTWARE_TOKEN_MFA_CODE=code)
