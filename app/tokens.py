"""Who is asking: the access token of a request, checked here, without a call to Cognito.

For the routes that a team adds to this app:

    @app.get("/diary")
    def read(user: CurrentUser) -> list[str]:
        return entries[user.sub]

What is checked here says that Cognito gave the token to this app client, and that it has not
expired. It doesn't say that it wasn't revoked since; /auth/me asks Cognito itself.
"""

import json
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request

from app.cognito import InvalidTokenError
from app.requests import AccessToken
from app.settings import Settings

if TYPE_CHECKING:
    from jwt import PyJWK

LONGEST_TOKEN = 8192  # characters; API Gateway passes on no more than 10,240 bytes of headers
KEYS_TIMEOUT = 3  # seconds
KEYS_RETRY = 2 * KEYS_TIMEOUT  # seconds before a fetch that failed is tried again
KEYS_AGE = 60  # seconds before an unknown key id is a reason to fetch the keys again
LEEWAY = 5  # seconds by which two clocks may differ

CLAIMS = ["exp", "iat", "iss", "sub", "client_id", "token_use"]


class KeysUnavailableError(Exception):
    """The pool's keys can't be fetched, so nothing can be said of a token."""


@dataclass(frozen=True)
class TokenUser:
    """Who an access token was given to."""

    sub: str
    """Never changes, and is nobody else's: what to keep a person's things under."""

    claims: dict[str, Any]
    """The whole token, e.g. `cognito:groups`, the names of the user's groups."""


class Verifier:
    """Checks access tokens of one app client. One instance serves a process, and its threads.

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
        """Say who a token was given to.

        Raises InvalidTokenError (this module's or PyJWT's) unless it is a valid access token, and
        KeysUnavailableError.
        """
        import jwt  # noqa: PLC0415 - it and its cryptography cost a cold start, and sign-in needs neither

        if len(token) > LONGEST_TOKEN:
            raise InvalidTokenError
        key = self._key(jwt.get_unverified_header(token).get("kid"))
        claims = jwt.decode(
            token,
            key,
            algorithms=["RS256"],
            issuer=self._settings.issuer,
            leeway=LEEWAY,
            # An access token has no audience: it names the app client in `client_id`.
            options={"require": CLAIMS, "verify_aud": False},
        )
        if (claims["token_use"], claims["client_id"]) != ("access", self._settings.client_id):
            raise InvalidTokenError
        return TokenUser(claims["sub"], claims)

    def _key(self, key_id: object) -> "PyJWK":
        """The key with this id. Unknown ones are fetched, but not at every stranger's word.

        One request fetches at a time. Others wait for the first keys of all, and not for later
        ones: those that are known go on meanwhile.
        """
        if self._is_due(key_id) and self._lock.acquire(blocking=not self._keys):
            try:
                if self._is_due(key_id):  # still, though others may have fetched meanwhile
                    self._next_fetch = self._now() + KEYS_RETRY
                    self._keys = self._fetch()
                    self._next_fetch = self._now() + KEYS_AGE
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
            with urllib.request.urlopen(self._url, timeout=KEYS_TIMEOUT) as answer:  # noqa: S310 - of our settings
                keys = jwt.PyJWKSet.from_dict(json.load(answer)).keys
        # Whatever it is that came in place of keys: jwt doesn't expect a list, say
        except (OSError, HTTPException, ValueError, TypeError, AttributeError, jwt.PyJWTError) as e:
            raise KeysUnavailableError from e
        return {key.key_id: key for key in keys if key.key_id}


def _current_user(request: Request, access_token: AccessToken) -> TokenUser:
    verifier: Verifier = request.app.state.verifier
    return verifier.verify(access_token)


CurrentUser = Annotated[TokenUser, Depends(_current_user)]
"""Whoever is signed in; without a valid access token the route answers 401 `invalid_token`."""
