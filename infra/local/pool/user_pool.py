"""moto's user pool, with Cognito's way of finding users and writing to them."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, cast

from moto.cognitoidp.models import (
    DEFAULT_USER_POOL_CONFIG,
    CognitoIdpBackend,
    CognitoIdpUser,
    CognitoIdpUserPoolAttribute,
    CognitoIdpUserPoolClient,
    cognitoidp_backends,
)

from infra.local.pool.federated import is_federated
from infra.local.pool.outbox import Mail
from infra.local.pool.passkeys import RelyingParty
from infra.local.pool.refusals import refuse
from infra.local.pool.tokens import TokenPool

MINUTE = 60
INVITATION = "Your username is {username} and temporary password is {####}."
# Every pool is in this region, whatever region a client is set to: see request.py.
REGION = "us-east-1"


class Pool(TokenPool):
    """A user pool. moto's backend creates it, and CognitoResponse then has it `join` the server."""

    # SetUserPoolMfaConfig's settings for codes by e-mail. moto keeps those of the other methods.
    email_mfa_config: dict[str, Any] | None = None
    # And those for passkeys.
    passkey_config: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        # Every pool has them. moto leaves them out of a pool with a schema of its own.
        for name, schema in CognitoIdpUserPoolAttribute.STANDARD_SCHEMA.items():
            standard = CognitoIdpUserPoolAttribute(name, custom=False, schema=schema)
            self.schema_attributes.setdefault(name, standard)

    @property
    def signs_in_by_email(self) -> bool:
        """Whether the e-mail address is the user name."""
        return "email" in self.extended_config.get("UsernameAttributes", [])

    @property
    def password_policy(self) -> dict[str, Any]:
        """The rules for passwords. A pool that names none has Cognito's own."""
        default = DEFAULT_USER_POOL_CONFIG["Policies"]["PasswordPolicy"]
        policy: dict[str, Any] = self.extended_config["Policies"].get("PasswordPolicy", default)
        return policy

    @property
    def first_factors(self) -> set[str]:
        """What people may begin a sign-in with. A pool that names nothing has only passwords."""
        policy = self.extended_config["Policies"].get("SignInPolicy") or {}
        return {"PASSWORD", *policy.get("AllowedFirstAuthFactors", [])}

    def relying_party(self) -> RelyingParty:
        """Return the party that passkeys are made for, or refuse if the pool has none.

        Cognito would fall back to the pool's domain, which no page of an app is part of.
        """
        if "WEB_AUTHN" not in self.first_factors:
            raise refuse("passkeys_off")
        if not self.passkey_config.get("RelyingPartyId"):
            raise refuse("no_relying_party")
        verification = self.passkey_config.get("UserVerification", "preferred")
        return RelyingParty(self.passkey_config["RelyingPartyId"], verification)

    @property
    def verifies_email(self) -> bool:
        """Whether a code is e-mailed to a new address."""
        return "email" in (self.extended_config.get("AutoVerifiedAttributes") or [])

    def normalize_username(self, username: str) -> str:
        """Return a user name in the form that the pool compares: casefolded, or as it is."""
        configuration = self.extended_config.get("UsernameConfiguration", {})
        return username if configuration.get("CaseSensitive", True) else username.casefold()

    def _get_user(self, username: str) -> CognitoIdpUser:
        # Returns None for an unknown user, unlike moto's annotation. All operations call this.
        wanted = self.normalize_username(username)
        for user in self.users.named(username):
            names = [user.username]
            # Users of an identity provider can't be found by their address, because a user with a
            # password may have the same one.
            names += [
                user.attribute_lookup[attribute]
                for attribute in self.extended_config.get("UsernameAttributes", [])
                if attribute in user.attribute_lookup and not is_federated(user)
            ]
            if wanted in map(self.normalize_username, names):
                return user
        return None  # type: ignore[return-value]

    @property
    def has_software_token_mfa(self) -> bool:
        """Whether users may set up an authenticator app."""
        return self.mfa_config != "OFF" and bool((self.token_mfa_config or {}).get("Enabled"))

    @property
    def has_email_mfa(self) -> bool:
        """Whether users may have a code e-mailed at each sign-in."""
        return self.mfa_config != "OFF" and self.email_mfa_config is not None

    def session_end(self, client: CognitoIdpUserPoolClient) -> float:
        """Return when a challenge that is posed now expires, in seconds since the epoch."""
        return self.state.clock.now() + int(client.extended_config["AuthSessionValidity"]) * MINUTE

    def send_code(
        self, user: CognitoIdpUser, operation: str, to: str | None = None
    ) -> dict[str, str]:
        """E-mail a new code for an operation, and return the masked destination."""
        code = self.state.account(user).new_code(operation, self.state.clock.now())
        return self.mail(user, code, to)

    def mail(self, user: CognitoIdpUser, code: str, to: str | None = None) -> dict[str, str]:
        """E-mail a code with the pool's template, and return the masked destination.

        It goes to the user's own address unless `to` is another one. Refuse a user without one.
        """
        to = to or user.attribute_lookup.get("email")
        if not to:
            raise refuse("no_email")
        older = {
            name: self.extended_config.get(f"EmailVerification{name.removeprefix('Email')}")
            for name in ("EmailMessage", "EmailSubject")
        }
        template = older | (self.extended_config.get("VerificationMessageTemplate") or {})
        # Cognito sends HTML; the mailbox shows plain text.
        text = template.get("EmailMessage") or "Your confirmation code is {####}"
        text = re.sub(r"<br */?>", "\n", text)
        subject = template.get("EmailSubject") or "Your verification code"
        self._send(to, subject, text, code)
        return delivery_details(to)

    def invite(self, user: CognitoIdpUser, password: str) -> None:
        """E-mail a temporary password, if the user has an address.

        https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-message-customizations.html
        """
        to = user.attribute_lookup.get("email")
        if not to:
            return
        create = self.extended_config.get("AdminCreateUserConfig") or {}
        template = create.get("InviteMessageTemplate") or {}
        text = template.get("EmailMessage") or INVITATION
        name = to if self.signs_in_by_email else user.username
        subject = template.get("EmailSubject") or "Your temporary password"
        self._send(to, subject, text.replace("{username}", name), password)

    def _send(self, to: str, subject: str, text: str, code: str) -> None:
        text = text.replace("{####}", code)
        self.state.outbox.send(Mail(to, subject, text, code, self.state.clock.iso()))


def all_pools() -> list[Pool]:
    """Return every user pool, including the ones created by hand."""
    backends = cognitoidp_backends.iter_backends()
    return [
        cast("Pool", pool)
        for _account, _region, backend in backends
        for pool in cast("CognitoIdpBackend", backend).user_pools.values()
    ]


def find_client(client_id: str) -> tuple[Pool, CognitoIdpUserPoolClient] | None:
    """Return the app client with this id and its pool, or None."""
    for pool in all_pools():
        if client := pool.clients.get(client_id):
            return pool, client
    return None


def delivery_details(email: str) -> dict[str, str]:
    """Return CodeDeliveryDetails with the address masked."""
    local, _, domain = email.partition("@")
    return {
        "Destination": f"{local[:1]}***@{domain[:1]}***",
        "DeliveryMedium": "EMAIL",
        "AttributeName": "email",
    }
