"""SRP-6a: a client proves that it knows a password without sending it.

RFC 5054 with the 3072-bit group of RFC 3526 and SHA-256. AWS documents neither its way to hash
numbers nor its key derivation: both are those of its clients. No library has them, as far as we
found: srp and srptools follow the RFC.
https://github.com/aws-amplify/amplify-js/tree/main/packages/auth/src/providers/cognito/utils/srp
"""

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

# https://datatracker.ietf.org/doc/html/rfc3526#section-4
N = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
    "83655D23DCA3AD961C62F356208552BB9ED529077096966D670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
    "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
    "15728E5A8AAAC42DAD33170D04507A33A85521ABDF1CBA64ECFB850458DBEF0A8AEA71575D060C7DB3970F85A6E1E4C7"
    "ABF5AE8CDB0933D71E8C94E04A25619DCEE3D2261AD2EE6BF12FFA06D98A0864D87602733EC86A64521F2B18177B200C"
    "BBE117577A615D6C770988C0BAD946E208E24FA074E5AB3143DB5BFCE0FD108E4B82D120A93AD2CAFFFFFFFFFFFFFFFF",
    16,
)
G = 2
SECRET_BITS = 256


def to_bytes(number: int) -> bytes:
    """Return a number as Java's BigInteger.toByteArray does: big-endian, with room for a sign."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _hash(*parts: bytes) -> int:
    return int.from_bytes(sha256(b"".join(parts)).digest(), "big")


K = _hash(to_bytes(N), to_bytes(G))


def private_key(identity: str, password: str, salt: str) -> int:
    """Return SRP's `x`. `salt` is in hexadecimal; see `identity_of`."""
    # UTF-8 has no lone surrogates. Encode them anyway: such a password is wrong, not an error.
    secret = f"{identity}:{password}".encode("utf-8", "surrogatepass")
    return _hash(to_bytes(int(salt, 16)), sha256(secret).digest())


def verifier(identity: str, password: str, salt: str) -> int:
    """Return SRP's `v`, which checks a password but can't be used in its place."""
    return pow(G, private_key(identity, password, salt), N)


def identity_of(user_pool_id: str, username: str) -> str:
    """Return SRP's `I`: the part of the pool's id after the region, and the user name."""
    return user_pool_id.partition("_")[2] + username


@dataclass(frozen=True)
class Exchange:
    """The server's side of one sign-in. `client_key` is SRP's `A`, between 0 and N."""

    identity: str
    salt: str
    verifier: int
    client_key: int
    _secret: int = field(default_factory=lambda: secrets.randbits(SECRET_BITS))

    @property
    def server_key(self) -> int:
        """SRP's `B`."""
        return (K * self.verifier + pow(G, self._secret, N)) % N

    def proves(self, signature: bytes, message: bytes) -> bool:
        """Return whether a signature was made with the right password, and for this exchange."""
        identity = self.identity.encode("utf-8", "surrogatepass")  # of an unknown user: any text
        expected = hmac.digest(self._key(), identity + message, sha256)
        return hmac.compare_digest(expected, signature)

    def _key(self) -> bytes:
        """Return the key that both sides derive from the shared secret, SRP's `S`."""
        scrambler = _hash(to_bytes(self.client_key), to_bytes(self.server_key))
        base = self.client_key * pow(self.verifier, scrambler, N)
        shared = pow(base, self._secret, N)
        derive = HKDF(SHA256(), 16, salt=to_bytes(scrambler), info=b"Caldera Derived Key")
        return derive.derive(to_bytes(shared))
