"""The domain's state between requests: pending sign-ins, codes and browser sessions."""

import secrets
from dataclasses import dataclass

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient

from infra.local.oauth.google import Google
from infra.local.pool.records import Table
from infra.local.pool.state import State
from infra.local.pool.user_pool import Pool

MINUTE = 60
# https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
CODE_LIFETIME = 5 * MINUTE
# https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-managed-login.html
COOKIE_LIFETIME = 60 * MINUTE
# The time limit for signing in at Google. AWS doesn't document it.
SIGN_IN_LIFETIME = 30 * MINUTE


@dataclass(frozen=True)
class Authorization:
    """The parameters of a request to /oauth2/authorize."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str | None
    nonce: str | None
    challenge: str | None


@dataclass(frozen=True)
class PendingSignIn:
    """A sign-in that is under way at Google; `expires_at` is in seconds since the epoch."""

    authorization: Authorization
    expires_at: float


@dataclass(frozen=True)
class BrowserSession:
    """The user who is signed in in a browser; times in seconds since the epoch."""

    sub: str
    auth_time: int
    expires_at: float


@dataclass(frozen=True)
class Grant:
    """The sign-in that a code stands for; times in seconds since the epoch."""

    authorization: Authorization
    sub: str
    auth_time: int
    expires_at: float


@dataclass
class Domain:
    """The domain that all pools of one server share. The app client's id identifies the pool.

    A call that can't be saved is undone here, too. What is here ends with the process.
    """

    state: State

    def __post_init__(self) -> None:
        journal = self.state.journal
        self.google = Google(journal)
        self._pending: Table[PendingSignIn] = Table(journal)
        self._grants: Table[Grant] = Table(journal)
        self._sessions: Table[BrowserSession] = Table(journal)

    def begin(self, authorization: Authorization) -> str:
        """Store a pending sign-in, and return the `state` to send to Google."""
        name = secrets.token_urlsafe(32)
        self._pending[name] = PendingSignIn(authorization, self._now() + SIGN_IN_LIFETIME)
        return name

    def resume(self, name: str) -> Authorization | None:
        """Remove and return the pending sign-in, or None if it is unknown, expired or used."""
        pending = self._pending.pop(name, None)
        return pending.authorization if pending and self._now() < pending.expires_at else None

    def new_code(self, authorization: Authorization, session: BrowserSession) -> str:
        """Return a new code for the user of a browser session."""
        code = secrets.token_urlsafe(32)
        expires_at = self._now() + CODE_LIFETIME
        self._grants[code] = Grant(authorization, session.sub, session.auth_time, expires_at)
        return code

    def use_code(self, code: str, client: CognitoIdpUserPoolClient) -> Grant | None:
        """Remove and return a code's grant.

        Returns None if the code is unknown, used, expired or another client's.
        """
        grant = self._grants.get(code)
        if grant is None or grant.authorization.client_id != client.id:
            return None
        del self._grants[code]
        return grant if self._now() < grant.expires_at else None

    def open_session(self, user: CognitoIdpUser) -> tuple[str, BrowserSession]:
        """Start a browser session, and return the cookie's value and the session."""
        cookie = secrets.token_urlsafe(32)
        now = self._now()
        session = BrowserSession(user.id, int(now), now + COOKIE_LIFETIME)
        self._sessions[cookie] = session
        return cookie, session

    def session(self, cookie: str | None, pool: Pool) -> BrowserSession | None:
        """Return the browser's session in a pool.

        Returns None if the session has ended or the user is deleted or disabled.
        """
        session = self._sessions.get(cookie or "")
        if session is None or self._now() >= session.expires_at:
            return None
        # Another pool's user is None here.
        user = pool.user_by_sub(session.sub)
        return session if user and user.enabled else None

    def close_session(self, cookie: str | None) -> None:
        """End a browser session."""
        self._sessions.pop(cookie or "", None)

    def _now(self) -> float:
        return self.state.clock.now()
