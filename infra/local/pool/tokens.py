"""moto's user pool, with tokens as Cognito makes them."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from joserfc import jwt
from moto.cognitoidp.models import CognitoIdpUser, CognitoIdpUserPoolClient
from moto.cognitoidp.utils import flatten_attrs

from infra.local.pool.federated import identities_claim
from infra.local.pool.sessions import ADMIN_SCOPE, Session, SessionPool, hash_of

# The attributes that each scope allows. `openid` alone allows all of them.
# https://docs.aws.amazon.com/cognito/latest/developerguide/authorization-endpoint.html
SCOPE_ATTRIBUTES = {
    "email": {"email", "email_verified"},
    "phone": {"phone_number", "phone_number_verified"},
}


class TokenPool(SessionPool):
    """The part of `Pool` that issues tokens.

    moto looks access tokens up by their text. Here the signature shows whether a token is genuine,
    and the session shows whether it was revoked.
    """

    def create_tokens_from_refresh_token(self, refresh_token: str) -> tuple[str, str, int]:
        """Return an access token, an ID token and the seconds that they live."""
        origin_jti = self.refresh_tokens[hash_of(refresh_token)].session
        session = self.sessions[origin_jti]
        user = self.user_by_sub(session.sub)
        assert user  # noqa: S101 - for mypy: no operation continues a deleted user's session
        names = (session.client_id, user.username)
        access_token, expires_in = self.create_access_token(*names, origin_jti=origin_jti)
        id_token, _ = self.create_id_token(*names, origin_jti=origin_jti)
        return access_token, id_token, expires_in

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
        if groups := self.state.account(user).groups:
            claims["cognito:groups"] = groups
        claims |= {
            "iss": self.issuer,
            "sub": user.id,
            "token_use": token_use,
            "auth_time": session.auth_time if session else now,
            "iat": now,
            "exp": now + expires_in,
            "jti": str(uuid4()),
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
