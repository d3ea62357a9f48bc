"""State shared by all user pools of one server: clock, outbox, key, functions, challenges."""

from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from moto.cognitoidp.models import CognitoIdpUser

from infra.local.pool.accounts import Account, account_of
from infra.local.pool.clock import Clock
from infra.local.pool.functions import Api, Function
from infra.local.pool.outbox import Outbox
from infra.local.pool.records import Journal, Table
from infra.local.pool.srp import Exchange


def new_signing_key() -> RSAKey:
    """Return a new key: the one in moto's package is public."""
    key = RSAKey.generate_key(2048, private=True, auto_kid=True)
    key.ensure_kid()
    return key


def restored_signing_key(kept: dict[str, Any]) -> RSAKey:
    """Return a key that was stored as a private JWK. Raises ValueError if it is none."""
    try:
        key = RSAKey.import_key(kept)
    except JoseError as error:
        raise ValueError(error) from None
    if not key.is_private or not key.kid:
        raise ValueError("not a private key")
    return key


@dataclass
class Challenge:
    """A pending challenge of a sign-in; `expires_at` is in seconds since the epoch.

    `code` is the e-mailed answer, if there is one, `exchange` that of PASSWORD_VERIFIER, and
    `passkey` what the answer with a passkey is compared with. Nobody has the `sub` "".
    `verified` tells whether the authenticator app of MFA_SETUP has been verified, or, after
    ConfirmSignUp, whether the password has.
    """

    name: str
    client_id: str
    sub: str
    expires_at: float
    code: str | None = None
    exchange: Exchange | None = None
    passkey: dict[str, Any] | None = None
    verified: bool = False
    used: bool = False

    def fits(self, name: str, client_id: str) -> bool:
        """Return whether this is a challenge of that name, posed to that app client."""
        return (self.name, self.client_id) == (name, client_id)


@dataclass
class State:
    """The state of one server. The journal knows what the present call has changed of it.

    `functions` maps ARNs to Lambda functions, and `api` handles their calls of Cognito. A pending
    challenge lives only a few minutes, so it ends with the process.
    """

    clock: Clock
    outbox: Outbox
    journal: Journal
    api: Api
    key: RSAKey = field(default_factory=new_signing_key)
    functions: dict[str, Function] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.challenges: Table[Challenge] = Table(self.journal)

    @staticmethod
    def account(user: CognitoIdpUser) -> Account:
        """Return the account of a user."""
        return account_of(user)

    def decode_token(self, token: str) -> dict[str, Any] | None:
        """Return the claims of an access or ID token, even if expired; None for a foreign one."""
        try:
            return jwt.decode(token, self.key, algorithms=["RS256"]).claims
        except (JoseError, ValueError):
            return None
