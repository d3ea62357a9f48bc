"""Verify access tokens without a call to Cognito.

Routes get the result as `CurrentUser` (dependencies.py). A verified token was issued by the user
pool to this app client, and hasn't expired. It may have been revoked: only Cognito knows, and
/auth/me asks it.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any

from app.exceptions import InvalidTokenError, KeysUnavailableError
from app.settings import Settings

if TYPE_CHECKING:
    from jwt import PyJWK

MAX_TOKEN_LENGTH = 8192  # characters; API Gateway limits all headers to 10,240 bytes
# Seconds
KEYS_TIMEOUT = 3
KEYS_RETRY = 2 * KEYS_TIMEOUT  # from the start of a failed fetch to the next one
KEYS_INTERVAL = 60  # from one successful fetch to the next one
LEEWAY = 5  # difference allowed between two clocks

REQUIRED_CLAIMS = ["exp", "iat", "iss", "sub", "client_id", "token_use"]


@dataclass(frozen=True)
class TokenUser:
    """The person to whom an access token was issued."""

    sub: str
    """The user's id. It never changes and is never reused: store a person's data under it."""

    claims: dict[str, Any]
    """All claims of the token, such as `cognito:groups`, the names of the user's groups."""


class Verifier:
    """Verifies the access tokens of one app client. One instance serves a process and its threads.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
    """

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._url = settings.jwks_url or f"{settings.issuer}/.well-known/jwks.json"
        self._keys: dict[str, PyJWK] = {}
        self._next_fetch = float("-inf")
        self._lock = threading.Lock()

    def verify(self, token: str) -> TokenUser:
        """Return the person to whom a token was issued.

        Raise InvalidTokenError if it isn't a valid access token, and KeysUnavailableError if the
        pool's keys can't be fetched.
        """
        import jwt  # noqa: PLC0415 - with cryptography it slows a start, and sign-in doesn't need it

        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidTokenError
        try:
            claims = jwt.decode(
                token,
                self._key(jwt.get_unverified_header(token).get("kid")),
                algorithms=["RS256"],
                issuer=self._settings.issuer,
                leeway=LEEWAY,
                # An access token names the app client in `client_id` and has no audience.
                options={"require": REQUIRED_CLAIMS, "verify_aud": False},
            )
        except jwt.InvalidTokenError as exc:
            raise InvalidTokenError from exc
        if (claims["token_use"], claims["client_id"]) != ("access", self._settings.client_id):
            raise InvalidTokenError
        return TokenUser(claims["sub"], claims)

    def _key(self, key_id: object) -> "PyJWK":
        """Return the key with this id. Refetch for unknown key ids, at most once per interval.

        One thread fetches at a time. Other threads wait only if there are no keys yet.
        """
        if self._is_due(key_id) and self._lock.acquire(blocking=not self._keys):
            try:
                if self._is_due(key_id):  # unless another thread has just fetched
                    self._next_fetch = self._now() + KEYS_RETRY
                    self._keys = self._fetch()
                    self._next_fetch = self._now() + KEYS_INTERVAL
            finally:
                self._lock.release()
        if not self._keys:
            raise KeysUnavailableError
        if not isinstance(key_id, str) or key_id not in self._keys:
            raise InvalidTokenError
        return self._keys[key_id]

    def _is_due(self, key_id: object) -> bool:
        return key_id not in self._keys and self._now() >= self._next_fetch

    def _fetch(self) -> "dict[str, PyJWK]":
        import jwt  # noqa: PLC0415 - as above

        try:
            with urllib.request.urlopen(self._url, timeout=KEYS_TIMEOUT) as answer:  # noqa: S310 - settings.py allows http(s) only
                keys = jwt.PyJWKSet.from_dict(json.load(answer)).keys
        # The answer may be anything: for a JSON list, jwt raises AttributeError
        except (OSError, HTTPException, ValueError, TypeError, AttributeError, jwt.PyJWTError) as e:
            raise KeysUnavailableError from e
        return {key.key_id: key for key in keys if key.key_id}
