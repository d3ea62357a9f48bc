"""A user's authenticator app: time-based one-time passwords (TOTP, RFC 6238), as Cognito has them.

https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa-totp.html
"""

import base64
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from infra.local.pool.refusals import refuse

STEP = 30  # seconds
SECRET_BYTES = 32  # 52 characters in base32, which is what Cognito hands out


@dataclass
class Authenticator:
    """The secret in use, the one being set up, and the time step of the last code accepted."""

    secret: str | None = None
    pending: str | None = None
    last_step: int = 0

    def associate(self) -> str:
        """Return a new secret in base32. The current one works until the new one is verified.

        https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_AssociateSoftwareToken.html
        """
        self.pending = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().rstrip("=")
        return self.pending

    def verify(self, code: str, now: float) -> None:
        """Activate the new secret if the code matches it, or refuse."""
        secret = self.pending or self.secret
        if secret is None:
            raise refuse("no_software_token")
        step = matching_step(secret, code, now)
        if step is None:
            raise refuse("software_token_not_verified")
        self.secret, self.pending, self.last_step = secret, None, step

    def use(self, code: str, now: float) -> None:
        """Accept a code once, or refuse."""
        if self.secret is None:
            raise refuse("no_software_token")
        step = matching_step(self.secret, code, now)
        if step is None:
            raise refuse("software_token_wrong")
        # Somebody who watched the code being typed must not be able to use it again.
        if step <= self.last_step:
            raise refuse("software_token_used")
        self.last_step = step


def matching_step(secret: str, code: str, now: float) -> int | None:
    """Return the time step of a code: the present one or a neighbour. None if none matches."""
    padded = secret + "=" * (-len(secret) % 8)
    totp = TOTP(base64.b32decode(padded), 6, SHA1(), STEP)  # noqa: S303 - what RFC 6238 and apps use
    present = int(now) // STEP
    # UTF-8 has no lone surrogates. Encode them anyway: such a code is wrong, not an error.
    given = code.encode("utf-8", "surrogatepass")
    for step in (present, present - 1, present + 1):
        try:
            totp.verify(given, step * STEP)
        except InvalidToken:
            continue
        return step
    return None
