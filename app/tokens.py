"""Verify access tokens without a call to Cognito.

Routes get the result as `CurrentUser` (dependencies.py). A verified token was issued by the user
pool to this app client, and hasn't expired. It may have been revoked: only Cognito knows, and
/auth/me asks it.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from app.aws import authorities
from app.claims import groups_of
from app.exceptions import InvalidTokenError, KeysUnavailableError, ReauthenticationRequiredError
from app.settings import Settings
from app.upstream import HttpClient, read_json

if TYPE_CHECKING:
    from jwt import PyJWK

MAX_TOKEN_LENGTH = 8192  # characters; API Gateway limits all headers to 10,240 bytes
# Seconds
KEYS_TIMEOUT = 3
KEYS_RETRY = 2 * KEYS_TIMEOUT  # from the start of a failed fetch to the next one
KEYS_INTERVAL = 60  # from one successful fetch to the next one
LEEWAY = 5  # difference allowed between two clocks
RECENT = 5 * 60  # how long a sign-in counts as recent
# The most that Cognito allows for AccessTokenValidity.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
MAX_LIFETIME = 24 * 60 * 60

REQUIRED_CLAIMS = ["exp", "iat", "iss", "sub", "client_id", "token_use"]


@dataclass(frozen=True)
class TokenUser:
    """The person to whom an access token was issued."""

    sub: str
    """The user's id. It never changes and is never reused: store a person's data under it."""

    groups: frozenset[str]
    """The names of the person's groups when the token was issued: see `groups_of`."""

    claims: dict[str, Any]
    """All claims of the token, such as `auth_time`."""


class Verifier:
    """Verifies the access tokens of one app client. One instance serves a process and its threads.

    `wall_clock` judges tokens, in seconds since the epoch. `now` is a clock in seconds that nobody
    sets, such as time.monotonic. `timeout` limits the fetch of the pool's keys, in seconds.

    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html
    """

    def __init__(
        self,
        settings: Settings,
        now: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        timeout: float = KEYS_TIMEOUT,
    ) -> None:
        self._settings = settings
        self._now = now
        self._wall_clock = wall_clock
        self._url = settings.jwks_url or f"{settings.issuer}/.well-known/jwks.json"
        self._timeout = timeout
        self._keys: dict[str, PyJWK] = {}
        self._next_fetch = float("-inf")
        self._failed = True
        """Whether there are no keys, or the last fetch of new ones failed."""
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Fetch the keys before a token needs them. If that fails, the first token fetches them."""
        with self._lock, suppress(KeysUnavailableError):
            self._renew_keys()

    def verify(self, token: str) -> TokenUser:
        """Return the person to whom a token was issued.

        Raise InvalidTokenError if it isn't a valid access token, and KeysUnavailableError if the
        pool's keys can't be fetched.
        """
        claims = self._signed_claims(token)
        if (claims["token_use"], claims["client_id"]) != ("access", self._settings.client_id):
            raise InvalidTokenError
        if not claims["sub"].strip() or not self._is_current(claims):
            raise InvalidTokenError
        return TokenUser(claims["sub"], groups_of(claims, self._settings.issuer), claims)

    def require_recent(self, user: TokenUser) -> None:
        """Raise ReauthenticationRequiredError unless a verified user signed in at most RECENT ago.

        `auth_time` is the time of the sign-in, also in the tokens of a refresh.
        """
        signed_in = user.claims.get("auth_time")
        if type(signed_in) is not int or not -LEEWAY <= self._wall_clock() - signed_in <= RECENT:
            raise ReauthenticationRequiredError

    def _signed_claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token that the pool has signed."""
        import jwt  # noqa: PLC0415 - with cryptography it slows a start, and sign-in doesn't need it

        if len(token) > MAX_TOKEN_LENGTH:
            raise InvalidTokenError
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                self._key(jwt.get_unverified_header(token).get("kid")),
                algorithms=["RS256"],
                issuer=self._settings.issuer,
                options={
                    "require": REQUIRED_CLAIMS,
                    # An access token names the app client in `client_id` and has no audience.
                    "verify_aud": False,
                    # PyJWT would accept times that are text, and know no clock but this machine's.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        # PyJWT lets the JSON parser's own exceptions pass.
        except (jwt.PyJWTError, ValueError, RecursionError) as exc:
            raise InvalidTokenError from exc
        return claims

    def _is_current(self, claims: dict[str, Any]) -> bool:
        """Return whether a token is valid now. Cognito writes times as whole seconds."""
        issued, expires = claims["iat"], claims["exp"]
        begins = claims.get("nbf", issued)
        if not all(type(time) is int for time in (issued, expires, begins)):
            return False
        now = self._wall_clock()
        started: bool = max(issued, begins) <= now + LEEWAY
        return started and now - LEEWAY < expires <= issued + MAX_LIFETIME

    def _key(self, key_id: object) -> "PyJWK":
        """Return the key with this id. Refetch for unknown key ids, at most once per interval.

        One thread fetches at a time, and others that need a new key wait for it.
        """
        if not isinstance(key_id, str):
            raise InvalidTokenError
        if key_id not in self._keys:
            with self._lock:
                if key_id not in self._keys and self._now() >= self._next_fetch:
                    self._renew_keys()
        if key := self._keys.get(key_id):
            return key
        raise KeysUnavailableError if self._failed else InvalidTokenError

    def _renew_keys(self) -> None:
        self._next_fetch = self._now() + KEYS_RETRY
        self._failed = True
        self._keys = self._fetch()
        self._failed = False
        self._next_fetch = self._now() + KEYS_INTERVAL

    def _fetch(self) -> "dict[str, PyJWK]":
        """Return the pool's keys by their id. Raise KeysUnavailableError."""
        import jwt  # noqa: PLC0415 - as above

        try:
            with closing(HttpClient(authorities, self._timeout)) as http:
                status, _, body = http.send("GET", self._url, {})
            found = jwt.PyJWKSet.from_dict(read_json(body)).keys
            keys = {
                key.key_id: key for key in found if key.key_id and key.algorithm_name == "RS256"
            }
        except Exception as exc:  # for what isn't a key set, PyJWT and cryptography raise anything
            raise KeysUnavailableError from exc
        if status != HTTPStatus.OK or not keys:
            raise KeysUnavailableError
        return keys
