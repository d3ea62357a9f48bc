"""State of a user that moto lacks, or couldn't keep: codes, attempts, the lock and groups."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from moto.cognitoidp.models import CognitoIdpUser
from moto.core.exceptions import JsonRESTError

from infra.local.pool.authenticator import Authenticator
from infra.local.pool.passkeys import Passkey
from infra.local.pool.refusals import refuse

HOUR = 60 * 60
# How long a code is valid, by the only operation that accepts it.
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html (codes and tries per user)
CODE_LIFETIMES = {
    "ConfirmSignUp": 24 * HOUR,
    "ConfirmForgotPassword": HOUR,
    "VerifyUserAttribute": 24 * HOUR,
}
# If the quota is a range, within which Cognito chooses by risk, this is its lower end.
ATTEMPTS_PER_HOUR = {
    "ConfirmSignUp": 15,
    "ResendConfirmationCode": 5,
    "ForgotPassword": 5,
    "ConfirmForgotPassword": 5,
    "ChangePassword": 5,
    "GetUserAttributeVerificationCode": 5,
    "VerifyUserAttribute": 15,
    "EMAIL_OTP": 5,
}
# https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html (lockout)
WRONG_PASSWORDS_BEFORE_LOCK = 5
MAX_LOCK_SECONDS = 15 * 60


@dataclass
class Code:
    """A code that was e-mailed; `expires_at` is in seconds since the epoch."""

    value: str
    expires_at: float


@dataclass
class Account:
    """One user's codes, attempts, locks and groups; every time is in seconds since the epoch.

    `codes` and `tries` are keyed by the name of an operation, and `passkeys` by their ids.
    `temporary_until` is when a temporary password expires. `pending_email` is an address that
    counts once it is verified.
    """

    codes: dict[str, Code] = field(default_factory=dict)
    tries: dict[str, list[float]] = field(default_factory=dict)
    authenticator: Authenticator = field(default_factory=Authenticator)
    passkeys: dict[str, Passkey] = field(default_factory=dict)
    email_mfa: bool = False
    wrong_passwords: int = 0
    locked_until: float = 0
    last_sign_in: float = 0
    temporary_until: float | None = None
    pending_email: str | None = None
    groups: list[str] = field(default_factory=list)

    @classmethod
    def from_json(cls, account: dict[str, Any]) -> "Account":
        """Return the account that `to_json` wrote. Raises KeyError or TypeError for other data."""
        codes = {operation: Code(**code) for operation, code in account["codes"].items()}
        authenticator = Authenticator(**account["authenticator"])
        passkeys = {id_: Passkey(**kept) for id_, kept in account.get("passkeys", {}).items()}
        read = {"codes": codes, "authenticator": authenticator, "passkeys": passkeys}
        return cls(**{**account, **read})

    def to_json(self) -> dict[str, Any]:
        """Return a dict of JSON values."""
        return asdict(self)

    def new_code(self, operation: str, now: float) -> str:
        """Return a new code for an operation, which replaces the one before it."""
        old = self.codes.get(operation)
        value = new_code()
        while old and value == old.value:
            value = new_code()
        self.codes[operation] = Code(value, now + CODE_LIFETIMES[operation])
        return value

    def use_code(self, operation: str, given: str, now: float) -> None:
        """Use up a code, or refuse a wrong, expired or missing one, or too many attempts."""
        self.count_attempt(operation, now)
        code = self.codes.get(operation)
        if code is None or now >= code.expires_at:
            raise refuse("code_expired")
        if given != code.value:
            raise refuse("code_mismatch")
        del self.codes[operation]

    def count_attempt(self, operation: str, now: float) -> None:
        """Count an attempt at an operation, or refuse it past the hourly limit."""
        tries = [made for made in self.tries.get(operation, []) if made > now - HOUR]
        if len(tries) >= ATTEMPTS_PER_HOUR[operation]:
            raise refuse("attempt_limit")
        self.tries[operation] = [*tries, now]

    def may_have_code(self, now: float) -> bool:
        """Count an e-mailed sign-in code, and return whether it is within the hourly limit."""
        try:
            self.count_attempt("EMAIL_OTP", now)
        except JsonRESTError:
            return False
        return True

    def check_password(self, now: float, *, right: bool) -> None:
        """Refuse a wrong password, and any password while the account is locked.

        From the 5th wrong one on, the n-th locks for 2^(n-5) seconds, 15 minutes at most. Tries
        during a lock don't count. A right password, or 15 minutes without a try, resets the count.
        """
        if now >= max(self.last_sign_in, self.locked_until) + MAX_LOCK_SECONDS:
            self.wrong_passwords = 0
        self.last_sign_in = now
        if now < self.locked_until:
            raise refuse("password_attempts")
        if right:
            self.wrong_passwords = 0
            return
        self.wrong_passwords += 1
        over = self.wrong_passwords - WRONG_PASSWORDS_BEFORE_LOCK
        if over >= 0:
            # The exponent is capped too: 2**n of a large n is a very long number.
            self.locked_until = now + min(2 ** min(over, 10), MAX_LOCK_SECONDS)
        raise refuse("wrong_password")

    def password_has_expired(self, now: float) -> bool:
        """Return whether the temporary password has expired. Ask only while there is one."""
        return self.temporary_until is not None and now >= self.temporary_until

    def unlock(self) -> None:
        """Reset the count of wrong passwords after the password has changed."""
        self.wrong_passwords, self.locked_until = 0, 0


def account_of(user: CognitoIdpUser) -> Account:
    """Return a user's account. It is a field of moto's object, which moto doesn't know."""
    return cast("Account", vars(user).setdefault("account", Account()))


def new_code() -> str:
    """Return six random digits."""
    return f"{secrets.randbelow(10**6):06}"
