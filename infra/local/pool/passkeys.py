"""Passkeys: what is kept of each, and how its signatures are checked, as WebAuthn requires.

https://www.w3.org/TR/webauthn-3/#sctn-rp-operations
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fido2.rpid import verify_rp_id
from fido2.server import Fido2Server, to_descriptor
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from infra.local.pool.refusals import refuse

# https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html
MAX_PASSKEYS = 20
# What fido2 raises for an answer that is wrong, or not WebAuthn's.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
NAME = "Passkey"  # AWS doesn't document how Cognito names one


@dataclass
class Passkey:
    """One passkey of a user; `created_at` is in seconds since the epoch.

    `party` is the relying party's id. `data` is WebAuthn's attested credential data in base64url:
    the id and the public key. `counter` is the authenticator's count of its signatures, which stays
    0 for a passkey that is synced.
    """

    id: str
    party: str
    data: str
    counter: int
    created_at: float
    attachment: str | None
    transports: list[str]

    def credential(self) -> AttestedCredentialData:
        """Return the id and the public key."""
        return AttestedCredentialData(websafe_decode(self.data))


class RelyingParty:
    """The pool as the party that passkeys are made for. `verification` is that of the user.

    Every method takes and returns WebAuthn's own JSON. Those that check an answer refuse a wrong
    one.
    """

    def __init__(self, id_: str, verification: str) -> None:
        self._id = id_
        self._verification = UserVerificationRequirement(verification)
        party = PublicKeyCredentialRpEntity(id=id_, name=id_)
        self._server = Fido2Server(party, verify_origin=self._check_origin)

    def begin_registration(
        self, sub: str, name: str, known: Iterable[Passkey]
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the options of a new passkey, and what `finish_registration` compares."""
        options, state = self._server.register_begin(
            PublicKeyCredentialUserEntity(id=sub.encode(), name=name, display_name=name),
            [passkey.credential() for passkey in known],
            resident_key_requirement=ResidentKeyRequirement.REQUIRED,
            user_verification=self._verification,
        )
        return dict(options)["publicKey"], state

    def finish_registration(
        self, state: Mapping[str, Any], answer: Mapping[str, Any], now: float
    ) -> Passkey:
        """Return the passkey that a browser has made."""
        try:
            given = RegistrationResponse.from_dict(answer)
            self._check_party(given.response.attestation_object.auth_data.rp_id_hash)
            made = self._server.register_complete(state, given)
            transports = [str(each) for each in answer["response"].get("transports", [])]
        except MALFORMED as error:
            raise refuse("passkey_invalid") from error
        credential = made.credential_data
        if credential is None or credential.public_key.ALGORITHM is None:
            raise refuse("passkey_not_supported")
        return Passkey(
            websafe_encode(credential.credential_id),
            self._id,
            websafe_encode(credential),
            made.counter,
            now,
            given.authenticator_attachment,
            transports,
        )

    def begin_sign_in(self, passkeys: Iterable[Passkey]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the options of a sign-in, and what `finish_sign_in` compares."""
        known = [to_descriptor(each.credential(), each.transports) for each in passkeys]
        options, state = self._server.authenticate_begin(
            known, user_verification=self._verification
        )
        return dict(options)["publicKey"], state

    def finish_sign_in(
        self, state: Mapping[str, Any], passkeys: Mapping[str, Passkey], answer: Any
    ) -> None:
        """Check a signature, and note its counter.

        A count that doesn't grow is that of a copied authenticator, unless it always is 0.
        """
        try:
            given = AuthenticationResponse.from_dict(answer)
            self._check_party(given.response.authenticator_data.rp_id_hash)
            known = [passkey.credential() for passkey in passkeys.values()]
            used = self._server.authenticate_complete(state, known, given)
        except MALFORMED as error:
            raise refuse("passkey_wrong") from error
        passkey = passkeys[websafe_encode(used.credential_id)]
        count = given.response.authenticator_data.counter
        if count <= passkey.counter and (count or passkey.counter):
            raise refuse("passkey_wrong")
        passkey.counter = count

    def _check_origin(self, origin: str) -> bool:
        if not verify_rp_id(self._id, origin):
            raise refuse("passkey_origin")
        return True

    def _check_party(self, id_hash: bytes) -> None:
        if id_hash != self._server.rp.id_hash:
            raise refuse("passkey_party")


def challenge_of(answer: Any) -> str:
    """Return the challenge that a new passkey's answer was made for, in base64url."""
    try:
        given = RegistrationResponse.from_dict(answer)
        return websafe_encode(given.response.client_data.challenge)
    except MALFORMED as error:
        raise refuse("passkey_invalid") from error
