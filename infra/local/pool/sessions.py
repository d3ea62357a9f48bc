"""moto's user pool, with sessions as Cognito begins, continues and ends them."""

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from uuid import uuid4

from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient

from infra.local.pool.groups import GroupPool
from infra.local.pool.records import Table
from infra.local.pool.refusals import refuse
from infra.local.pool.state import State
from infra.local.pool.store import Store
from infra.local.pool.users import Users, decode, encode

# The scope that an access token needs to read or change its user's account. It is the only scope of
# a sign-in through the API.
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
SECONDS_PER_UNIT = {"seconds": 1, "minutes": 60, "hours": 60 * 60, "days": 24 * 60 * 60}
# The unit of a number without one, and the validity if none is set.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
DEFAULT_VALIDITY = {
    "AccessToken": (1, "hours"),
    "IdToken": (1, "hours"),
    "RefreshToken": (30, "days"),
}
# An access token may outlive its session's refresh tokens by this, in seconds.
MAX_ACCESS_TOKEN_LIFETIME = 24 * 60 * 60


@dataclass
class Session:
    """One sign-in, which its refresh tokens continue; times in seconds since the epoch.

    Only the first ID token contains `nonce`.
    """

    client_id: str
    sub: str
    auth_time: int
    expires_at: int
    scope: str = ADMIN_SCOPE
    nonce: str | None = None
    revoked: bool = False


@dataclass
class RefreshToken:
    """What is kept under the hash of a refresh token: its session's `origin_jti`.

    `usable_until` is None until the token is exchanged for a new one.
    """

    session: str
    usable_until: float | None = None


class SessionPool(GroupPool):
    """The part of `Pool` that has users and their sessions, keyed by `origin_jti`.

    moto forgets revoked sessions.
    """

    state: State
    # moto annotates both as dicts, but uses only what these have, too.
    users: Users  # type: ignore[assignment]
    refresh_tokens: Table[RefreshToken]  # type: ignore[assignment]
    sessions: Table[Session]

    def join(self, state: State) -> None:
        """Become a pool of a server, without users yet."""
        self.state = state
        self.users = Users(state.journal)
        self.begin_groups(state.journal)
        self.sessions = Table(state.journal, lambda session: (session.sub,))
        self.refresh_tokens = Table(state.journal)

    def keep(self, name: str, store: Store) -> None:
        """Restore what a store has under a name, and keep what changes from now on.

        Sessions that ended long ago are dropped, and those of deleted users.
        """
        self.keep_groups(name, store)
        users = store.load(f"users/{name}", partial(decode, user_pool_id=self.id))
        for _, user in users:
            self.rejoin_groups(user)
        self.users.keep(f"users/{name}", encode, users)
        sessions = store.load(f"sessions/{name}", lambda kept: Session(**kept))
        self.sessions.keep(f"sessions/{name}", asdict, sessions)
        tokens = store.load(f"refresh_tokens/{name}", lambda kept: RefreshToken(**kept))
        self.refresh_tokens.keep(f"refresh_tokens/{name}", asdict, tokens)
        subs = {user.id for user in self.users.values()}
        now = self.state.clock.now()
        for key, session in sessions:
            if session.sub not in subs or now >= session.expires_at + MAX_ACCESS_TOKEN_LIFETIME:
                del self.sessions[key]
        for key, token in tokens:
            if token.session not in self.sessions:
                del self.refresh_tokens[key]

    def lifetime(self, client: CognitoIdpUserPoolClient, token: str) -> int:
        """Return how many seconds a client's AccessToken, IdToken or RefreshToken lives."""
        number, unit = DEFAULT_VALIDITY[token]
        number = client.extended_config.get(f"{token}Validity") or number
        unit = client.extended_config.get("TokenValidityUnits", {}).get(token, unit)
        return int(number) * SECONDS_PER_UNIT[unit]

    def create_refresh_token(self, client_id: str, username: str) -> tuple[str, str]:
        """Begin a session. Return its refresh token and its `origin_jti`."""
        user = self._get_user(username)
        origin_jti = str(uuid4())
        now = int(self.state.clock.now())
        lifetime = self.lifetime(self.clients[client_id], "RefreshToken")
        self.sessions[origin_jti] = Session(client_id, user.id, now, now + lifetime)
        return self._new_refresh_token(origin_jti), origin_jti

    def session_for(self, refresh_token: str) -> Session | None:
        """Return the session that a refresh token continues, or None for an unknown token."""
        known = self.refresh_tokens.get(hash_of(refresh_token))
        return self.sessions.get(known.session) if known else None

    def rotate(self, token: str, grace: int) -> str:
        """Return a new refresh token. The old one still works for `grace` seconds.

        Both expire when the session does: rotation doesn't extend it. Raises an error if the old
        token was exchanged longer ago than that.
        """
        known = self.refresh_tokens[hash_of(token)]
        now = self.state.clock.now()
        if known.usable_until is None:
            known.usable_until = now + grace
        elif now >= known.usable_until:
            raise refuse("refresh_token_reused")
        return self._new_refresh_token(known.session)

    def _new_refresh_token(self, origin_jti: str) -> str:
        token = str(uuid4())
        self.refresh_tokens[hash_of(token)] = RefreshToken(origin_jti)
        return token

    def user_by_sub(self, sub: str) -> CognitoIdpUser | None:
        """Return the user with this sub, which is never reused, unlike a user name."""
        return next((user for user in self.users.named(sub) if user.id == sub), None)

    def sign_out(self, username: str) -> None:
        """End every session of a user, found by user name, e-mail address or sub."""
        user = self._get_user(username)
        for session in self.sessions.find(user.id) if user else ():
            session.revoked = True

    def clear_users(self) -> None:
        """Delete all users, sessions, refresh tokens and groups; keep what the template made."""
        self.users.clear()
        for group in self.own_groups():
            del self.groups[group]
        self.sessions.clear()
        self.refresh_tokens.clear()


def hash_of(refresh_token: str) -> str:
    """Return what a refresh token is kept under. It is random, so it needs no salt."""
    # UTF-8 has no lone surrogates. Encode them anyway: such a token is unknown, not an error.
    return hashlib.sha256(refresh_token.encode("utf-8", "surrogatepass")).hexdigest()
