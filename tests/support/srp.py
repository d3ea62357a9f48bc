"""The client's side of USER_SRP_AUTH, written after AWS's clients and not after our server.

https://github.com/aws-amplify/amplify-js/tree/main/packages/auth/src/providers/cognito/utils/srp
Like them, it works on numbers in hexadecimal.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


def _pi_bits(bits: int) -> int:
    """Return the first bits of pi: Machin's formula with some bits to spare."""
    one = 1 << (bits + 64)

    def arctan_of_inverse(x: int) -> int:
        total = power = one // x
        divisor, sign = 3, -1
        while power:
            power //= x * x
            total += sign * (power // divisor)
            divisor, sign = divisor + 2, -sign
        return total

    return (4 * (4 * arctan_of_inverse(5) - arctan_of_inverse(239))) >> 64


# The 3072-bit group of RFC 3526, section 4, by its formula rather than by its digits.
N = 2**3072 - 2**3008 - 1 + 2**64 * (_pi_bits(2942) + 1690314)
G = 2


def pad(number: int) -> str:
    """Return hexadecimal digits in pairs, with a zero pair in front if the first bit is set."""
    digits = f"{number:x}"
    if len(digits) % 2:
        return f"0{digits}"
    return f"00{digits}" if digits[0] in "89abcdef" else digits


def hash_hex(digits: str) -> str:
    """Return the SHA-256 of hexadecimal digits, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(digits)).hexdigest()


@dataclass
class SrpClient:
    """One sign-in to a pool, with a random secret unless it is given."""

    pool_id: str
    password: str = field(repr=False)
    secret: int = field(default_factory=lambda: secrets.randbits(256))

    @property
    def public(self) -> str:
        """SRP_A."""
        return f"{pow(G, self.secret, N):x}"

    def key(self, user_id: str, salt: str, server: str) -> bytes:
        """Return the key that a right password leads to."""
        pool_name = self.pool_id.split("_")[1]
        large_b = int(server, 16)
        u = int(hash_hex(pad(int(self.public, 16)) + pad(large_b)), 16)
        inner = hashlib.sha256(f"{pool_name}{user_id}:{self.password}".encode()).hexdigest()
        x = int(hash_hex(pad(int(salt, 16)) + inner), 16)
        k = int(hash_hex(pad(N) + pad(G)), 16)
        s = pow(large_b - k * pow(G, x, N), self.secret + u * x, N)
        extracted = hmac.digest(bytes.fromhex(pad(u)), bytes.fromhex(pad(s)), "sha256")
        return hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]

    def answers(self, challenge: Any, time: str | None = None) -> dict[str, str]:
        """Return the answers to a challenge PASSWORD_VERIFIER."""
        given = challenge["ChallengeParameters"]
        now = datetime.now(UTC)
        time = time or now.strftime(f"%a %b {now.day} %H:%M:%S UTC %Y")
        user_id, block = given["USER_ID_FOR_SRP"], given["SECRET_BLOCK"]
        message = f"{self.pool_id.split('_')[1]}{user_id}".encode()
        message += base64.b64decode(block) + time.encode()
        proof = hmac.digest(self.key(user_id, given["SALT"], given["SRP_B"]), message, "sha256")
        return {
            "USERNAME": user_id,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(proof).decode(),
            "TIMESTAMP": time,
        }
