"""Checks of what passkeys and e-mailed sign-in codes need of a user pool and its app client."""

from collections.abc import Collection, Mapping
from typing import Any

from infra.doctor.findings import Findings

CHOICE_FLOW = "ALLOW_USER_AUTH"
FACTORS = {"WEB_AUTHN": "a passkey", "EMAIL_OTP": "an e-mailed code"}


def first_factors(pool: Mapping[str, Any]) -> list[str]:
    """Return what a described pool allows in place of the password."""
    policy = pool.get("Policies", {}).get("SignInPolicy", {})
    return [name for name in FACTORS if name in policy.get("AllowedFirstAuthFactors", [])]


def check_relying_party(findings: Findings, mfa_config: Mapping[str, Any]) -> None:
    """Check GetUserPoolMfaConfig's answer for a pool with passkeys."""
    party = mfa_config.get("WebAuthnConfiguration", {}).get("RelyingPartyId")
    findings.check(
        f"Passkeys are for pages of {party}",
        "The pool allows passkeys but names no relying party, so no page of yours can use them. "
        "Set RelyingPartyId in its WebAuthnConfiguration to the domain of your pages, as the "
        "template does with PasskeyDomain",
        right=bool(party),
    )


def check_flow(findings: Findings, client: Mapping[str, Any], factors: Collection[str]) -> None:
    """Check that people can choose one of these factors at this app client, if there are any."""
    if not factors:
        return
    ways = " or ".join(FACTORS[name] for name in factors)
    findings.check(
        f"The app client allows {CHOICE_FLOW}",
        f"The app client doesn't allow {CHOICE_FLOW}, so nobody can sign in with {ways}. Add it "
        "to its ExplicitAuthFlows",
        right=CHOICE_FLOW in client.get("ExplicitAuthFlows", []),
    )
