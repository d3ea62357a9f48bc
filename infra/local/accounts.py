"""What Cognito remembers about a user and moto doesn't: the code sent, the tries made, the lock."""

import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from infra.local.refusals import refuse

HOUR = 60 * 60
# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html (codes and tries per user)
CODE_LIFETIME = 24 * HOUR
CONFIRMATIONS_PER_HOUR = 15
RESENDS_PER_HOUR = 5
# https://docs.aws.amazon.com/cognito/latest/developerguide/authentication.html (lockout)
WRONG_PASSWORDS_FREE = 5
LONGEST_LOCK = 15 * 60


@dataclass
class Code:
    """A confirmation code; `expires_at` is in seconds since the epoch."""

    value: str
    expires_at: float


@dataclass
class Account:
    """One user's side of things; every time is in seconds since the epoch."""

    code: Code | None = None
    confirmations: list[float] = field(default_factory=list)
    resends: list[float] = field(default_factory=list)
    wrong_passwords: int = 0
    locked_until: float = 0
    last_sign_in: float = 0

    @classmethod
    def from_json(cls, account: dict[str, Any]) -> "Account":
        """Return the account that `to_json` wrote. Raises TypeError if it didn't."""
        code = account.get("code")
        return cls(**{**account, "code": Code(**code) if code else None})

    def to_json(self) -> dict[str, Any]:
        """Return a dict of JSON values."""
        return asdict(self)

    def new_code(self, now: float) -> str:
        """Return a new code, which replaces the one before it."""
        old = self.code.value if self.code else None
        while (value := f"{secrets.randbelow(10**6):06}") == old:
            pass
        self.code = Code(value, now + CODE_LIFETIME)
        return value

    def use_code(self, given: str, now: float) -> None:
        """Spend the code, or refuse a wrong, expired or missing one, or one try too many."""
        self._count(self.confirmations, CONFIRMATIONS_PER_HOUR, now)
        if self.code is None or now >= self.code.expires_at:
            raise refuse("code_expired")
        if given != self.code.value:
            raise refuse("code_mismatch")
        self.code = None

    def count_resend(self, now: float) -> None:
        """Refuse one resend too many."""
        self._count(self.resends, RESENDS_PER_HOUR, now)

    @staticmethod
    def _count(tries: list[float], limit: int, now: float) -> None:
        tries[:] = [made for made in tries if made > now - HOUR]
        if len(tries) >= limit:
            raise refuse("attempt_limit")
        tries.append(now)

    def check_password(self, now: float, *, right: bool) -> None:
        """Refuse a wrong password, and any password while the account is locked.

        From the 5th wrong one on, the n-th locks for 2^(n-5) seconds, 15 minutes at most. Tries
        during a lock don't count. A right password, or 15 minutes without a try, starts anew.
        """
        if now >= max(self.last_sign_in, self.locked_until) + LONGEST_LOCK:
            self.wrong_passwords = 0
        self.last_sign_in = now
        if now < self.locked_until:
            raise refuse("password_attempts")
        if right:
            self.wrong_passwords = 0
            return
        self.wrong_passwords += 1
        over = self.wrong_passwords - WRONG_PASSWORDS_FREE
        if over >= 0:
            # The exponent is capped too: 2**n of a large n is a very long number.
            self.locked_until = now + min(2 ** min(over, 10), LONGEST_LOCK)
        raise refuse("wrong_password")
