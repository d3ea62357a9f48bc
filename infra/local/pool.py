"""moto's user pool, with Cognito's way of finding users and making tokens."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from joserfc import jwt
from joserfc.jwk import RSAKey
from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUser,
    CognitoIdpUserPool,
    CognitoIdpUserPoolClient,
    cognitoidp_backends,
)
from moto.cognitoidp.utils import flatten_attrs
from moto.moto_api._internal import mock_random

from infra.local.accounts import Account
from infra.local.clock import Clock
from infra.local.outbox import Mail, Outbox

SECONDS = {"seconds": 1, "minutes": 60, "hours": 60 * 60, "days": 24 * 60 * 60}
# What a validity without a unit, and no validity at all, mean.
# https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_CreateUserPoolClient.html
VALIDITY = {"AccessToken": (1, "hours"), "IdToken": (1, "hours"), "RefreshToken": (30, "days")}


def new_signing_key() -> RSAKey:
    """Return a key of this process's own: the one in moto's package is known to everyone."""
    key = RSAKey.generate_key(2048, private=True, auto_kid=True)
    key.ensure_kid()
    return key


@dataclass
class State:
    """What all pools of one local Cognito share."""

    clock: Clock
    outbox: Outbox
    key: RSAKey = field(default_factory=new_signing_key)
    accounts: dict[str, Account] = field(default_factory=dict)

    def account(self, user: CognitoIdpUser) -> Account:
        """Return what is remembered of a user, whose id (`sub`) is unique among all pools."""
        return self.accounts.setdefault(user.id, Account())


@dataclass
class Session:
    """One sign-in, which its refresh token continues; times in seconds since the epoch."""

    auth_time: int
    expires_at: int


class Pool(CognitoIdpUserPool):
    """A user pool as moto's backend makes it. `state` is given to it right after."""

    state: State

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sessions: dict[str, Session] = {}

    @property
    def signs_in_by_email(self) -> bool:
        """Whether the e-mail address is the user name."""
        return "email" in self.extended_config.get("UsernameAttributes", [])

    @property
    def same(self) -> Callable[[str], str]:
        """Return what makes two spellings of one user name equal."""
        configuration = self.extended_config.get("UsernameConfiguration", {})
        return str if configuration.get("CaseSensitive", True) else str.casefold

    def _get_user(self, username: str) -> CognitoIdpUser:
        # None when there is none, whatever moto's annotation says; all its operations come here.
        wanted = self.same(username)
        for user in self.users.values():
            names = [user.username]
            names += [
                user.attribute_lookup[attribute]
                for attribute in self.extended_config.get("UsernameAttributes", [])
                if attribute in user.attribute_lookup
            ]
            if wanted in map(self.same, names):
                return user
        return None  # type: ignore[return-value]

    def send_code(self, user: CognitoIdpUser) -> dict[str, str]:
        """E-mail a new confirmation code, and return where to (masked)."""
        now = self.state.clock.now()
        code = self.state.account(user).new_code(now)
        template = self.extended_config.get("VerificationMessageTemplate") or {}
        to = user.attribute_lookup["email"]
        text = template.get("EmailMessage") or "Your confirmation code is {####}"
        self.state.outbox.send(
            Mail(
                to=to,
                subject=template.get("EmailSubject") or "Your verification code",
                text=text.replace("{####}", code),
                code=code,
                sent_at=self.state.clock.iso(),
            )
        )
        return delivery_details(to)

    def lifetime(self, client: CognitoIdpUserPoolClient, token: str) -> int:
        """Return how many seconds a client's AccessToken, IdToken or RefreshToken lives."""
        number, unit = VALIDITY[token]
        number = client.extended_config.get(f"{token}Validity") or number
        unit = client.extended_config.get("TokenValidityUnits", {}).get(token, unit)
        return int(number) * SECONDS[unit]

    def create_refresh_token(self, client_id: str, username: str) -> tuple[str, str]:
        """Begin a session. It is kept under the sub, as moto signs out by that name alone."""
        user = self._get_user(username)
        token, origin_jti = super().create_refresh_token(client_id, user.username)
        now = int(self.state.clock.now())
        lifetime = self.lifetime(self.clients[client_id], "RefreshToken")
        self.sessions[origin_jti] = Session(auth_time=now, expires_at=now + lifetime)
        return token, origin_jti

    def sign_out(self, username: str) -> None:
        """End every session of a user, by whichever name."""
        user = self._get_user(username)
        super().sign_out(user.username if user else username)

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
        if token_use == "access":  # noqa: S105 - a kind of token, and no secret
            expires_in = self.lifetime(client, "AccessToken")
            claims |= {"client_id": client_id, "username": user.username}
        else:
            expires_in = self.lifetime(client, "IdToken")
            claims |= {"aud": client_id, "cognito:username": user.username}
            claims |= self._readable(client, user)
        claims |= {
            "iss": f"https://cognito-idp.{self.region}.amazonaws.com/{self.id}",
            "sub": user.id,
            "token_use": token_use,
            "auth_time": session.auth_time if session else now,
            "iat": now,
            "exp": now + expires_in,
            "jti": str(mock_random.uuid4()),
        }
        header = {"alg": "RS256", "kid": self.state.key.kid}
        return jwt.encode(header, claims, self.state.key), expires_in

    def _readable(
        self, client: CognitoIdpUserPoolClient, user: CognitoIdpUser
    ) -> dict[str, str | bool]:
        """Return the attributes a client may read: all of them, unless ReadAttributes says less."""
        named = client.get_readable_fields()
        return {
            name: value == "true" if name.endswith("_verified") else value
            for name, value in flatten_attrs(user.attributes).items()
            if not named or name in named
        }


def all_pools() -> list[Pool]:
    """Return every user pool there is, the ones made by hand included."""
    backends = cognitoidp_backends.iter_backends()
    return [
        cast("Pool", pool)
        for _account, _region, backend in backends
        for pool in cast("CognitoIdpBackend", backend).user_pools.values()
    ]


def delivery_details(email: str) -> dict[str, str]:
    """Return what tells the caller where a code went without giving the address away."""
    local, _, domain = email.partition("@")
    return {
        "Destination": f"{local[:1]}***@{domain[:1]}***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
