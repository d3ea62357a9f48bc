"""Each lever can be undone, so that `make bench ARGS=--levers` measures what it says."""

import shutil
from pathlib import Path

import pytest

from infra.bundle.make import check_bundle
from tests.bench.levers import LEVERS, Lever


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_can_be_undone(lever: Lever, bundle: Path, tmp_path: Path) -> None:
    """The app starts without it, too, from other files."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    lever.undo(copy)
    after = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert before != after
    check_bundle(copy)
