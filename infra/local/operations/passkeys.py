"""A user's own passkeys: registering, listing and deleting them.

https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-authentication-flow-methods.html
"""

import json
from typing import Any

from moto.cognitoidp.models import CognitoIdpUser
from moto.core.responses import ActionResult, EmptyResult

from infra.local.operations.mfa import check_native, second_factors
from infra.local.operations.request import CognitoRequest
from infra.local.operations.steps import PASSWORDS, first_factors
from infra.local.pool.passkeys import MAX_PASSKEYS, NAME, Passkey, RelyingParty, challenge_of
from infra.local.pool.passwords import password_hash
from infra.local.pool.refusals import refuse
from infra.local.pool.state import Challenge
from infra.local.pool.user_pool import Pool

# The name of the challenge that StartWebAuthnRegistration poses.
REGISTRATION = "WebAuthnRegistration"
# AWS doesn't document how long a registration may take. A sign-in has as long, by default.
REGISTRATION_SECONDS = 3 * 60


class PasskeyOperations(CognitoRequest):
    """Each method implements the Cognito operation of the same name."""

    def start_web_authn_registration(self) -> tuple[int, dict[str, str], str]:
        """Return the options with which a browser makes a passkey.

        moto can't serialize them: the API's model calls them a document, and says no more.
        """
        _, user, party = self._registering()
        known = self._passkeys(user)
        name = user.attribute_lookup.get("email", user.username)
        options, compared = party.begin_registration(user.id, name, known.values())
        expires_at = self.state.clock.now() + REGISTRATION_SECONDS
        begun = Challenge(
            REGISTRATION, self.token_client_id(), user.id, expires_at, passkey=compared
        )
        self.state.challenges[options["challenge"]] = begun
        headers = {"Content-Type": "application/x-amz-json-1.1"}
        return 200, headers, json.dumps({"CredentialCreationOptions": options})

    def complete_web_authn_registration(self) -> ActionResult:
        """Check the passkey that a browser has made, and keep it."""
        pool, user, party = self._registering()
        answer = self.parameters["Credential"]
        begun = self.state.challenges.get(challenge_of(answer))
        now = self.state.clock.now()
        if begun is None or (begun.name, begun.sub) != (REGISTRATION, user.id):
            raise refuse("passkey_challenge")
        if begun.used or now >= begun.expires_at:
            raise refuse("passkey_challenge")
        if begun.client_id != self.token_client_id():
            raise refuse("passkey_client")
        passkey = party.finish_registration(begun.passkey or {}, answer, now)
        if any(passkey.id in self._passkeys(other) for other in pool.users.values()):
            raise refuse("passkey_invalid")
        begun.used = True
        self._passkeys(user)[passkey.id] = passkey
        return EmptyResult()

    def list_web_authn_credentials(self) -> ActionResult:
        """List the user's passkeys, oldest first. There is never more than one page."""
        _, user = self.authorize()
        passkeys = self._passkeys(user).values()
        return ActionResult({"Credentials": [described(passkey) for passkey in passkeys]})

    def delete_web_authn_credential(self) -> ActionResult:
        """Delete a passkey. The browser still has its half, which is of no use any more."""
        _, user = self.authorize()
        if self._passkeys(user).pop(self.parameters["CredentialId"], None) is None:
            raise refuse("no_passkey")
        return EmptyResult()

    def get_user_auth_factors(self) -> ActionResult:
        """Return the ways in which the user can begin a sign-in, and the second factors."""
        pool, user = self.authorize()
        factors = [name for name in first_factors(pool, user) if name not in PASSWORDS]
        if password_hash(user):
            factors.append("PASSWORD")
        if user.software_token_mfa_enabled:
            factors.append("SOFTWARE_TOKEN")
        answer = {"Username": user.username, "ConfiguredUserAuthFactors": factors}
        return ActionResult(answer | second_factors(pool, user))

    def _registering(self) -> tuple[Pool, CognitoIdpUser, RelyingParty]:
        pool, user = self.authorize()
        check_native(user)
        party = pool.relying_party()
        if len(self._passkeys(user)) >= MAX_PASSKEYS:
            raise refuse("too_many_passkeys")
        return pool, user, party

    def _passkeys(self, user: CognitoIdpUser) -> dict[str, Passkey]:
        return self.state.account(user).passkeys


def described(passkey: Passkey) -> dict[str, Any]:
    """Return a WebAuthnCredentialDescription."""
    answer = {
        "CredentialId": passkey.id,
        "FriendlyCredentialName": NAME,
        "RelyingPartyId": passkey.party,
        "AuthenticatorTransports": passkey.transports,
        "CreatedAt": passkey.created_at,
    }
    if passkey.attachment:
        answer["AuthenticatorAttachment"] = passkey.attachment
    return answer
