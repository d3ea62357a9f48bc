"""Password policy and password hashes. Plain passwords are never stored."""

import hashlib
import secrets
from dataclasses import dataclass
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
    only as hard to guess as SRP's own hash.
    """

    salt: str
    digest: str
    verifier: str

    @classmethod
    def of(cls, password: str, identity: str) -> "PasswordHash":
        """Hash a password with a new salt. `identity` is SRP's: see `srp.identity_of`."""
        salt = new_salt()
        verifier = f"{srp.verifier(identity, password, salt):x}"
        return cls(salt, _digest(password, salt), verifier)

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        """Return the hash that `str` wrote. Raises ValueError for other text."""
        salt, digest, verifier = text.split("$")
        return cls(salt, digest, verifier)

    def __str__(self) -> str:
        return f"{self.salt}${self.digest}${self.verifier}"

    def verify(self, password: str) -> bool:
        """Return whether this is the hash of a password."""
        return secrets.compare_digest(self.digest, _digest(password, self.salt))


def new_salt() -> str:
    """Return 16 random bytes in hexadecimal."""
    return secrets.token_hex(16)


def _digest(password: str, salt: str) -> str:
    # UTF-8 has no lone surrogates. Encode them anyway: such a password is wrong, not an error.
    given = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(given, salt=bytes.fromhex(salt), **SCRYPT).hex()


def set_password(user: CognitoIdpUser, password: str) -> None:
    """Give a user a password, keeping only its hash and SRP's verifier."""
    identity = srp.identity_of(user.user_pool_id, user.username)
    # moto annotates a string, but only stores the value.
    user.password = PasswordHash.of(password, identity)  # type: ignore[assignment]


def password_hash(user: CognitoIdpUser) -> PasswordHash | None:
    """Return what checks a user's password; None for a user without one."""
    stored: object = user.password
    return stored if isinstance(stored, PasswordHash) else None


def has_password(user: CognitoIdpUser | None, password: str) -> bool:
    """Return whether a user has this password. Always False for None or without a password.

    It takes as long for these, because the time would otherwise reveal who has an account.
    """
    stored = password_hash(user) if user else None
    if stored:
        return stored.verify(password)
    _digest(password, new_salt())
    return False


def new_temporary_password(policy: dict[str, Any]) -> str:
    """Return a random password that conforms to any policy of this minimum length."""
    length = max(policy.get("MinimumLength", 8), 8)
    return f"Aa1!{secrets.token_urlsafe(length)}"
