"""Checks of an app client's settings that the API needs, with or without Google."""

from collections.abc import Mapping
from typing import Any

from infra.doctor.findings import Findings

PASSWORD_FLOW = "ALLOW_USER_PASSWORD_AUTH"  # noqa: S105 - the name of a flow
WRITTEN = ("email", "name")
OLDER_REFRESH = "ALLOW_REFRESH_TOKEN_AUTH"


def check_client(findings: Findings, client: Mapping[str, Any], *, has_secret: bool) -> None:
    """Check a described app client: its secret, flows, rotation, and what strangers learn."""
    flows = client.get("ExplicitAuthFlows", [])
    rotation = client.get("RefreshTokenRotation", {}).get("Feature")
    findings.check(
        "The app client has no secret",
        "The app client has a secret. It can't be removed: replace the client with one "
        "that has GenerateSecret: false, as in the template's UserPoolClient",
        right=not has_secret,
    )
    findings.check(
        f"The app client allows {PASSWORD_FLOW}",
        f"The app client doesn't allow {PASSWORD_FLOW}, so nobody can sign in. Add it to its "
        "ExplicitAuthFlows",
        right=PASSWORD_FLOW in flows,
    )
    # Cognito refuses rotation together with the older flow, so one message is enough for both.
    findings.check(
        "The app client rotates refresh tokens",
        f"The app client doesn't rotate refresh tokens, so no session can be refreshed. Remove "
        f"{OLDER_REFRESH} from its ExplicitAuthFlows, and set RefreshTokenRotation to ENABLED",
        right=rotation == "ENABLED",
    )
    findings.check(
        "The app client can revoke tokens",
        "The app client can't revoke tokens, so nobody can sign out. Set EnableTokenRevocation to "
        "true",
        right=client.get("EnableTokenRevocation") is True,
    )
    # Without a list, the client may write every attribute of the standard
    writable = client.get("WriteAttributes") or WRITTEN
    lacking = " and ".join(name for name in WRITTEN if name not in writable)
    findings.check(
        "The app client can write email and name",
        f"The app client's WriteAttributes lacks {lacking}, so people can't change it. Remove the "
        "list, as in the template",
        right=not lacking,
    )
    findings.check(
        "The app client hides who has an account",
        "The app client reveals which addresses have accounts. Set PreventUserExistenceErrors to "
        "ENABLED",
        right=client.get("PreventUserExistenceErrors") == "ENABLED",
    )
