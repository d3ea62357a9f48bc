"""What all user pools of one local Cognito share: the time, the mail, the key, who did what."""

from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from moto.cognitoidp.models import CognitoIdpUser

from infra.local.pool.accounts import Account
from infra.local.pool.clock import Clock
from infra.local.pool.outbox import Outbox


def new_signing_key() -> RSAKey:
    """Return a key of this process's own: the one in moto's package is known to everyone."""
    key = RSAKey.generate_key(2048, private=True, auto_kid=True)
    key.ensure_kid()
    return key


@dataclass
class Challenge:
    """A question that a sign-in waits on; `expires_at` is in seconds since the epoch.

    `code` is what was e-mailed to answer it, if anything was.
    """

    name: str
    client_id: str
    sub: str
    expires_at: float
    code: str | None = None
    used: bool = False


@dataclass
class State:
    """One for each server, and new with each process but for the accounts, which are kept."""

    clock: Clock
    outbox: Outbox
    key: RSAKey = field(default_factory=new_signing_key)
    accounts: dict[str, Account] = field(default_factory=dict)
    challenges: dict[str, Challenge] = field(default_factory=dict)

    def account(self, user: CognitoIdpUser) -> Account:
        """Return what is remembered of a user, whose id (`sub`) is unique among all pools."""
        return self.accounts.setdefault(user.id, Account())

    def decode_token(self, token: str) -> dict[str, Any] | None:
        """Return what an access or ID token says, expired or not; None if we didn't sign it."""
        try:
            return jwt.decode(token, self.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return None
