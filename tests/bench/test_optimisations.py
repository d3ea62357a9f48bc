"""Each optimisation can be undone, as `make bench ARGS=--optimisations` does."""

import shutil
from pathlib import Path

import pytest

from infra.bundle.make import check_bundle
from tests.bench.optimisations import OPTIMISATIONS, Optimisation


@pytest.mark.parametrize("optimisation", OPTIMISATIONS, ids=lambda optimisation: optimisation.name)
def test_an_optimisation_can_be_undone(
    optimisation: Optimisation, bundle: Path, tmp_path: Path
) -> None:
    """The bundle's files change, and the app still starts."""
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    optimisation.undo(copy)
    after = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert before != after
    check_bundle(copy)
