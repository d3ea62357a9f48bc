"""The user pool that the contract tests call."""

from typing import TYPE_CHECKING

import pytest

from tests.support.contract import REAL_POOL, Contract

if TYPE_CHECKING:
    from infra.local.server import LocalCognito


@pytest.fixture
def contract(request: pytest.FixtureRequest) -> Contract:
    """Return a fresh local user pool, or the real one that the environment names."""
    if REAL_POOL:
        return Contract.real()
    cognito: LocalCognito = request.getfixturevalue("cognito")
    return Contract(request.getfixturevalue("pool"), cognito)
