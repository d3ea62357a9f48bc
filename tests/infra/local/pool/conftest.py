"""A file for a store, and ids that stay the same when a server starts again on it."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a store; its folder doesn't exist yet.

    Pools and app clients have the same ids after a restart, as under `make run`.
    """
    monkeypatch.setenv("MOTO_COGNITO_IDP_USER_POOL_ID_STRATEGY", "HASH")
    monkeypatch.setenv("MOTO_COGNITO_IDP_USER_POOL_CLIENT_ID_STRATEGY", "HASH")
    return tmp_path / "local" / "users.db"
