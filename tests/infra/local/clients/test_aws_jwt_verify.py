"""aws-jwt-verify, with which back ends in JavaScript check tokens, accepts the local Cognito's."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.infra.local.clients.conftest import Clients
from tests.support.contract import Contract, claims

# The first test installs the packages
pytestmark = pytest.mark.timeout(300)

Verify = Callable[..., Any]


@pytest.fixture
def verify(contract: Contract, clients: Clients) -> Verify:
    """Return a function that gives the claims of a token, or the name of the error."""

    def verify(use: str, token: str, **changed: str) -> Any:
        settings = {
            "endpoint": contract.local.url,
            "pool": contract.pool.user_pool_id,
            "client": contract.pool.client_id,
        }
        return clients.run(
            "aws-jwt-verify", "verify", {**settings, "use": use, "token": token, **changed}
        )

    return verify


def test_tokens(contract: Contract, verify: Verify) -> None:
    """It accepts both tokens with the published keys."""
    tokens = contract.tokens(contract.member())
    for use, token in (("access", tokens["AccessToken"]), ("id", tokens["IdToken"])):
        assert verify(use, token) == claims(contract, token)


def test_other_tokens(contract: Contract, verify: Verify) -> None:
    """It refuses a token of another kind, app client or pool, and one that was changed."""
    token = contract.tokens(contract.member())["AccessToken"]
    assert verify("id", token) == "CognitoJwtInvalidTokenUseError"
    assert verify("access", token, client="other") == "CognitoJwtInvalidClientIdError"
    elsewhere = contract.with_settings().pool.user_pool_id
    assert verify("access", token, pool=elsewhere) == "ParameterValidationError"
    head, body, signature = token.split(".")
    forged = f"{head}.{body}.{signature[::-1]}"
    assert verify("access", forged) == "JwtInvalidSignatureError"
