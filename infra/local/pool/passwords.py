"""What a password must be, and how one is kept: never as it was typed."""

import hashlib
import secrets
from typing import Any

from infra.local.pool.refusals import refuse

# https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
# A blank counts as well, save at either end, where the API refuses it earlier.
SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")

# Python's documentation proposes these; one hash takes about 40 ms and 16 MiB.
SCRYPT = {"n": 2**14, "r": 8, "p": 1}


def check_policy(password: str, policy: dict[str, Any]) -> None:
    """Refuse a password that breaks a pool's policy, naming the first rule broken."""
    rules = [
        (len(password) >= policy.get("MinimumLength", 8), "Password not long enough"),
        (
            not policy.get("RequireUppercase") or any("A" <= c <= "Z" for c in password),
            "Password must have uppercase characters",
        ),
        (
            not policy.get("RequireLowercase") or any("a" <= c <= "z" for c in password),
            "Password must have lowercase characters",
        ),
        (
            not policy.get("RequireNumbers") or any("0" <= c <= "9" for c in password),
            "Password must have numeric characters",
        ),
        (
            not policy.get("RequireSymbols") or not SYMBOLS.isdisjoint(password),
            "Password must have symbol characters",
        ),
    ]
    for kept, rule in rules:
        if not kept:
            raise refuse("password_policy", rule=rule)


class PasswordHash(str):
    """A salted hash that equals the password it was made from.

    moto compares `user.password` with what was typed in a dozen places. Being equal here is what
    lets all of them work while no password is kept, in memory or in the file.
    """

    __slots__ = ()

    @classmethod
    def of(cls, password: str) -> "PasswordHash":
        """Hash a password with a new salt."""
        salt = secrets.token_hex(16)
        return cls(f"{salt}${cls._digest(password, salt)}")

    @staticmethod
    def _digest(password: str, salt: str) -> str:
        # A lone surrogate is no UTF-8; it must compare as unequal, not fail.
        given = password.encode("utf-8", "surrogatepass")
        return hashlib.scrypt(given, salt=bytes.fromhex(salt), **SCRYPT).hex()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, str):
            return False
        if isinstance(other, PasswordHash):
            return str.__eq__(self, other)
        salt, digest = self.split("$")
        return secrets.compare_digest(digest, self._digest(other, salt))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return str.__hash__(self)
