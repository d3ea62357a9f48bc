"""The authenticator app of the people in the tests."""

import base64

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP


def totp(secret: str, at: float) -> str:
    """Return the code that an authenticator app shows at a time, in seconds since the epoch."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    app = TOTP(key, 6, SHA1(), 30, enforce_key_length=False)  # noqa: S303 - RFC 6238's default
    return app.generate(int(at)).decode()
