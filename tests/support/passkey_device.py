"""A device with passkeys, in software: it answers WebAuthn's options as a browser does.

    device = PasskeyDevice()
    made = device.create(options)
    signed = device.get(options)

Browser tests use Chromium's own virtual device instead.
"""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.utils import sha256, websafe_decode, websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

PRESENT = AuthenticatorData.FLAG.UP
VERIFIED = AuthenticatorData.FLAG.UV
ATTESTED = AuthenticatorData.FLAG.AT


@dataclass
class PasskeyDevice:
    """One passkey. Its fields are what a test may falsify, before the device answers."""

    origin: str = "http://localhost:8000"
    """The page that asks, as the browser reports it."""
    party: str | None = None
    """Another relying party than that of the options."""
    challenge: str | None = None
    """Another challenge than that of the options."""
    verifies: bool = True
    """Whether the device asks for a fingerprint, a face or a PIN."""
    counts: int = 1
    """What the counter of signatures grows by. It is 0 for a passkey that is synced."""
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def copy(self) -> "PasskeyDevice":
        """Return a device with the same key, as a thief may make it."""
        return replace(self)

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer as `navigator.credentials.create` does, as JSON."""
        made = AttestedCredentialData.create(
            b"\0" * 16, self.credential_id, ES256.from_cryptography_key(self.key.public_key())
        )
        about = self._about(self.party or options["rp"]["id"], made)
        attestation = AttestationObject.create("none", about, {})
        said = self._said(CollectedClientData.TYPE.CREATE, options)
        return self._answer(
            {
                "clientDataJSON": websafe_encode(said),
                "attestationObject": websafe_encode(attestation),
                "transports": ["internal"],
            }
        )

    def get(self, options: dict[str, Any]) -> dict[str, Any]:
        """Answer as `navigator.credentials.get` does, as JSON."""
        about = self._about(self.party or options["rpId"])
        said = self._said(CollectedClientData.TYPE.GET, options)
        signature = self.key.sign(about + said.hash, ec.ECDSA(SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(said),
                "authenticatorData": websafe_encode(about),
                "signature": websafe_encode(signature),
            }
        )

    def _about(self, party: str, made: AttestedCredentialData | None = None) -> AuthenticatorData:
        self.counter += self.counts
        flags = PRESENT
        flags |= VERIFIED if self.verifies else 0
        flags |= ATTESTED if made else 0
        return AuthenticatorData.create(sha256(party.encode()), flags, self.counter, made or b"")

    def _said(self, kind: str, options: dict[str, Any]) -> CollectedClientData:
        challenge = websafe_decode(self.challenge or options["challenge"])
        return CollectedClientData.create(kind, challenge, self.origin)

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        name = websafe_encode(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }
