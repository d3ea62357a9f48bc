"""A member of a pool who has an authenticator app."""

import base64
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.support.contract import Contract

ON = {"Enabled": True, "PreferredMfa": True}


def totp(contract: Contract, secret: str, ahead: int = 0) -> str:
    """Return the code that an authenticator app shows, so many seconds ahead."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    app = TOTP(key, 6, SHA1(), 30)  # noqa: S303 - what RFC 6238 and the apps use
    return app.generate(int(contract.local.clock.now()) + ahead).decode()


def set_up(contract: Contract) -> tuple[str, str, str]:
    """Return a member with an authenticator app, its secret and an access token."""
    email = contract.member()
    token = contract.tokens(email)["AccessToken"]
    secret = contract.users.associate_software_token(AccessToken=token)["SecretCode"]
    contract.users.verify_software_token(AccessToken=token, UserCode=totp(contract, secret))
    contract.users.set_user_mfa_preference(AccessToken=token, SoftwareTokenMfaSettings=ON)
    contract.local.clock.advance(30)  # the code of that moment is used up
    return email, secret, token


def answer(contract: Contract, email: str, challenge: Any, code: str) -> Any:
    """Answer the challenge of a sign-in."""
    return contract.respond(challenge, USERNAME=email, SOFTWARE_TOKEN_MFA_CODE=code)
