"""Password policy and password hashes. Plain passwords are never stored."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser

from infra.local.pool import srp
from infra.local.pool.refusals import refuse

# https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html
# A space counts too. The API rejects one at either end before this check.
SYMBOLS = frozenset("^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ")

# A quarter of the usual cost (n = 2**14): otherwise a crowd that signs in would wait for little
# else. One hash takes about 10 ms and 4 MiB.
SCRYPT = {"n": 2**12, "r": 8, "p": 1}


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
    """What checks a password, in hexadecimal. moto keeps it as `user.password`.

    `digest` is a salted scrypt hash. `verifier` is SRP's, of the same salt: as in Cognito, it is
    only as hard to guess as SRP's own hash. An older version stored none: it is empty then.
    """

    salt: str
    digest: str
    verifier: str = ""

    @classmethod
    def hash(cls, password: str) -> "PasswordHash":
        """Hash a password with a new salt, without SRP's verifier."""
        salt = secrets.token_hex(16)
        return cls(salt, _digest(password, salt))

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Return the hash that `str` wrote. Raises ValueError for other text."""
        salt, digest, *more = text.split("$")
        (verifier,) = more or [""]
        return cls(salt, digest, verifier)

    def __str__(self) -> str:
        return f"{self.salt}${self.digest}${self.verifier}"

    def verify(self, password: str) -> bool:
        """Return whether this is the hash of a password."""
        return secrets.compare_digest(self.digest, _digest(password, self.salt))


def _digest(password: str, salt: str) -> str:
    # UTF-8 has no lone surrogates. Encode them anyway: such a password is wrong, not an error.
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=bytes.fromhex(salt), **SCRYPT).hex()


def set_password(user: CognitoIdpUser, password: str) -> None:
    """Give a user a password, keeping only its hash and SRP's verifier."""
    kept = PasswordHash.hash(password)
    identity = srp.identity_of(user.user_pool_id, user.username)
    verifier = f"{srp.verifier(identity, password, kept.salt):x}"
    # moto annotates a string, but only stores the value.
    user.password = replace(kept, verifier=verifier)  # type: ignore[assignment]


def hash_of(user: CognitoIdpUser) -> PasswordHash | None:
    """Return what checks a user's password; None for a user without one."""
    stored: object = user.password
    return stored if isinstance(stored, PasswordHash) else None


def has_password(user: CognitoIdpUser | None, password: str) -> bool:
    """Return whether a user has this password. Always False for None or without a password.

    It takes as long for these, because the time would otherwise reveal who has an account.
    """
    stored = hash_of(user) if user else None
    if stored:
        return stored.verify(password)
    PasswordHash.hash(password)
    return False


def new_temporary_password(policy: dict[str, Any]) -> str:
    """Return a random password that conforms to any policy of this minimum length."""
    length = max(policy.get("MinimumLength", 8), 8)
    return f"Aa1!{secrets.token_urlsafe(length)}"
