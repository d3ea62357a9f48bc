"""moto's user pool, with tokens as Cognito makes, rotates and revokes them."""

import math
from dataclasses import dataclass, field, replace
from typing import Any

from joserfc import jwt
from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPool, CognitoIdpUserPoolClient
from moto.cognitoidp.utils import flatten_attrs
from moto.moto_api._internal import mock_random

from infra.local.pool.federated import identities_claim
from infra.local.pool.refusals import refuse
from infra.local.pool.state import State

# The scope that an access token needs to read or change its user's account. It is the only scope of
# a sign-in through the API.
ADMIN_SCOPE = "aws.cognito.signin.user.admin"
# The attributes that each scope allows. `openid` alone allows all of them.
# https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
SCOPE_ATTRIBUTES = {
    "email": {"email", "email_verified"},
    "phone": {"phone_number", "phone_number_verified"},
}
SECONDS_PER_UNIT = {"seconds": 1, "minutes": 60, "hours": 60 * 60, "days": 24 * 60 * 60}
# The unit of a number without one, and the validity if none is set.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
DEFAULT_VALIDITY = {
    "AccessToken": (1, "hours"),
    "IdToken": (1, "hours"),
    "RefreshToken": (30, "days"),
}


@dataclass
class Session:
    """One sign-in, which its refresh tokens continue; times in seconds since the epoch.

    `rotated` maps each exchanged refresh token to the time until which it may be used again.
    Only the first ID token contains `nonce`.
    """

    client_id: str
    sub: str
    auth_time: int
    expires_at: int
    scope: str = ADMIN_SCOPE
    nonce: str | None = None
    revoked: bool = False
    rotated: dict[str, float] = field(default_factory=dict)


class TokenPool(CognitoIdpUserPool):
    """The part of `Pool` that issues tokens and keeps sessions, keyed by `origin_jti`.

    moto forgets revoked sessions, and looks access tokens up by their text. Here the signature
    shows whether a token is genuine, and the session shows whether it was revoked.
    """

    state: State

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sessions: dict[str, Session] = {}

    def lifetime(self, client: CognitoIdpUserPoolClient, token: str) -> int:
        """Return how many seconds a client's AccessToken, IdToken or RefreshToken lives."""
        number, unit = DEFAULT_VALIDITY[token]
        number = client.extended_config.get(f"{token}Validity") or number
        unit = client.extended_config.get("TokenValidityUnits", {}).get(token, unit)
        return int(number) * SECONDS_PER_UNIT[unit]

    def create_refresh_token(self, client_id: str, username: str) -> tuple[str, str]:
        """Begin a session."""
        user = self._get_user(username)
        token, origin_jti = super().create_refresh_token(client_id, user.username)
        now = int(self.state.clock.now())
        lifetime = self.lifetime(self.clients[client_id], "RefreshToken")
        self.sessions[origin_jti] = Session(client_id, user.id, now, now + lifetime)
        return token, origin_jti

    def session_for(self, refresh_token: str) -> Session | None:
        """Return the session that a refresh token continues, or None for an unknown token."""
        known = self.refresh_tokens.get(refresh_token)
        return self.sessions[known[2]] if known else None

    def sign_in(
        self, client: CognitoIdpUserPoolClient, user: CognitoIdpUser, **session: Any
    ) -> dict[str, Any]:
        """Start a session, and return its first three tokens in Cognito's format.

        `session` overrides fields of `Session`. Their defaults are for sign-in through the API.
        """
        token, origin_jti = self.create_refresh_token(client.id, user.username)
        self.sessions[origin_jti] = replace(self.sessions[origin_jti], **session)
        answer = self.refresh(token, RefreshToken=token)
        # https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse
        self.sessions[origin_jti].nonce = None
        return answer | {"ChallengeParameters": {}}

    def refresh(self, token: str, **more: str) -> dict[str, Any]:
        """Return Cognito's answer with new access and ID tokens, and with the fields in `more`."""
        access_token, id_token, expires_in = self.create_tokens_from_refresh_token(token)
        return {
            "AuthenticationResult": {
                "AccessToken": access_token,
                "ExpiresIn": expires_in,
                "TokenType": "Bearer",
                "IdToken": id_token,
                **more,
            },
        }

    def rotate(self, token: str, grace: int) -> str:
        """Return a new refresh token. The old one still works for `grace` seconds.

        Both expire when the session does: rotation doesn't extend it. Raises an error if the old
        token was exchanged longer ago than that.
        """
        known = self.refresh_tokens[token]
        assert known  # noqa: S101 - for mypy: tokens are never removed
        now = self.state.clock.now()
        rotated = self.sessions[known[2]].rotated
        if now >= rotated.get(token, math.inf):
            raise refuse("refresh_token_reused")
        rotated.setdefault(token, now + grace)
        new = str(mock_random.uuid4())
        self.refresh_tokens[new] = known
        return new

    def sign_out(self, username: str) -> None:
        """End every session of a user, found by user name, e-mail address or sub."""
        user = self._get_user(username)
        for session in self.sessions.values():
            if user and session.sub == user.id:
                session.revoked = True

    def clear_users(self) -> None:
        """Delete all users, sessions and refresh tokens; keep the settings and app clients."""
        self.users.clear()
        for group in self.groups.values():
            group.users.clear()
        self.sessions.clear()
        self.refresh_tokens.clear()

    @property
    def issuer(self) -> str:
        """The `iss` of every token."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.id}"

    def create_jwt(
        self,
        client_id: str,
        username: str,
        token_use: str,
        expires_in: int = 0,
        extra_data: dict[str, Any] | None = None,
    ) -> tuple[str, int]:
        """Return a signed token and the seconds it lives: the client's setting, not `expires_in`.

        The claims are those that Cognito documents for access and for ID tokens:
        https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-with-identity-providers.html
        """
        user = self._get_user(username)
        client = self.clients[client_id]
        claims = dict(extra_data or {})
        now = int(self.state.clock.now())
        session = self.sessions.get(claims.get("origin_jti", ""))
        if token_use == "access":  # noqa: S105 - a kind of token, not a secret
            expires_in = self.lifetime(client, "AccessToken")
            claims |= {"client_id": client_id, "username": user.username}
            if session:
                claims["scope"] = session.scope
        else:
            expires_in = self.lifetime(client, "IdToken")
            claims |= {"aud": client_id, "cognito:username": user.username}
            claims |= id_claims(client, user, session)
        claims |= {
            "iss": self.issuer,
            "sub": user.id,
            "token_use": token_use,
            "auth_time": session.auth_time if session else now,
            "iat": now,
            "exp": now + expires_in,
            "jti": str(mock_random.uuid4()),
        }
        header = {"alg": "RS256", "kid": self.state.key.kid}
        return jwt.encode(header, claims, self.state.key), expires_in


def id_claims(
    client: CognitoIdpUserPoolClient, user: CognitoIdpUser, session: Session | None
) -> dict[str, Any]:
    """Return the ID token's claims about the user."""
    claims: dict[str, Any] = {
        name: value == "true" if name.endswith("_verified") else value
        for name, value in readable_attributes(
            client, user, session.scope if session else ADMIN_SCOPE
        ).items()
    }
    if identities := identities_claim(user):
        claims["identities"] = identities
    if session and session.nonce:
        claims["nonce"] = session.nonce
    return claims


def readable_attributes(
    client: CognitoIdpUserPoolClient, user: CognitoIdpUser, scope: str
) -> dict[str, str]:
    """Return the attributes that a client may read with these scopes.

    Without ReadAttributes, the client itself may read all attributes.
    """
    named = client.get_readable_fields()
    scopes = set(scope.split())
    opened = {name for each in scopes for name in SCOPE_ATTRIBUTES.get(each, ())}
    if "profile" in scopes:
        closed = set().union(*SCOPE_ATTRIBUTES.values()) - opened
        opened = set(user.attribute_lookup) - closed
    return {
        name: value
        for name, value in flatten_attrs(user.attributes).items()
        if (not named or name in named) and (not opened or name in opened)
    }
