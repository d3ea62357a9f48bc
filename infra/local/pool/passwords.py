"""Password policy and password hashes. Plain passwords are never stored."""

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser

from infra.local.pool.refusals import refuse

# https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
# A space counts too. The API rejects one at either end before this check.
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


@dataclass(frozen=True)
class PasswordHash:
    """A salted scrypt hash, both parts in hexadecimal. moto keeps it as `user.password`."""

    salt: str
    digest: str

    @classmethod
    def hash(cls, password: str) -> "PasswordHash":
        """Hash a password with a new salt."""
        salt = secrets.token_hex(16)
        return cls(salt, _digest(password, salt))

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Return the hash that `str` wrote. Raises ValueError for other text."""
        salt, digest = text.split("$")
        return cls(salt, digest)

    def __str__(self) -> str:
        return f"{self.salt}${self.digest}"

    def verify(self, password: str) -> bool:
        """Return whether this is the hash of a password."""
        return secrets.compare_digest(self.digest, _digest(password, self.salt))


def _digest(password: str, salt: str) -> str:
    # UTF-8 has no lone surrogates. Encode them anyway: such a password is wrong, not an error.
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=bytes.fromhex(salt), **SCRYPT).hex()


def set_password(user: CognitoIdpUser, password: str) -> None:
    """Give a user a password, keeping only its hash."""
    # moto annotates a string, but only stores the value and compares it with `==`.
    user.password = PasswordHash.hash(password)  # type: ignore[assignment]


def has_password(user: CognitoIdpUser, password: str) -> bool:
    """Return whether a user has this password. Always False for a user without a password."""
    stored: object = user.password
    return isinstance(stored, PasswordHash) and stored.verify(password)


def hash_plain_password(user: CognitoIdpUser) -> None:
    """Hash the password that one of moto's own operations stored as plain text."""
    if isinstance(user.password, str):
        set_password(user, user.password)
