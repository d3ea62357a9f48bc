"""A file for a store."""

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of a store; its folder doesn't exist yet."""
    return tmp_path / "local" / "users.db"
