"""Sign-in by SRP, and app clients that allow it."""

from typing import Any

from tests.support.contract import PASSWORD, Contract
from tests.support.srp import SrpClient

EVERY_FLOW = {
    "ExplicitAuthFlows": [
        "ALLOW_USER_PASSWORD_AUTH",
        "ALLOW_USER_SRP_AUTH",
        "ALLOW_ADMIN_USER_PASSWORD_AUTH",
        "ALLOW_USER_AUTH",
        "ALLOW_REFRESH_TOKEN_AUTH",
    ],
    "RefreshTokenRotation": {"Feature": "DISABLED"},
}
# USER_SRP_AUTH is allowed unless a client lists other flows.
ONLY_SRP = {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH"]}


def srp_begin(contract: Contract, username: str, srp: SrpClient, **more: str) -> Any:
    """Call InitiateAuth, and return the challenge PASSWORD_VERIFIER."""
    return contract.initiate("USER_SRP_AUTH", USERNAME=username, SRP_A=srp.public, **more)


def srp_finish(contract: Contract, answers: dict[str, str]) -> Any:
    """Answer the challenge PASSWORD_VERIFIER, which has no session."""
    return contract.users.respond_to_auth_challenge(
        ClientId=contract.pool.client_id,
        ChallengeName="PASSWORD_VERIFIER",
        ChallengeResponses=answers,
    )


def srp_sign_in(contract: Contract, username: str, password: str = PASSWORD) -> Any:
    """Sign in by SRP."""
    srp = SrpClient(contract.pool.user_pool_id, password)
    return srp_finish(contract, srp.answers(srp_begin(contract, username, srp)))
