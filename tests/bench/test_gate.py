"""No change may slow down a start unnoticed: one innocent import has cost other services 100 ms.

The limits are multiples of a plain boto3 handler's cost in the same run, on the same Python.
"""

import os
from pathlib import Path

import pytest

from tests.bench.limits import WARM_AT_MOST, cold_at_most
from tests.bench.measure import Machine, can_count, instructions
from tests.bench.upstream import AUTHORITY, stub_cognito
from tests.bench.variants import OURS, PLAIN_MODULE, Variant, build
from tests.support.runtime_api import runtime_client_alone


@pytest.mark.timeout(600)  # a program takes 20 times longer under valgrind
def test_starts_and_calls_stay_within_their_limits(bundle: Path, tmp_path: Path) -> None:
    """The limits cover a cold start and a warm call."""
    if not can_count():
        assert not os.environ.get("CI"), "CI must have valgrind: apt-get install valgrind"
        pytest.skip("valgrind, which counts instructions, is not installed")
    plain = build(PLAIN_MODULE, tmp_path / "plain", bytecode=True)
    ours = Variant(OURS, bytecode=True, folder=bundle)
    with stub_cognito(tmp_path) as environment:
        machine = Machine(
            runtime=runtime_client_alone(tmp_path / "runtime"),
            environment=environment,
            authority=tmp_path / AUTHORITY,
            folder=tmp_path,
        )
        cold = {it: instructions(machine, it) for it in (ours, plain)}
        # `make bench` counts later calls, which takes one start more.
        more = {it: instructions(machine, it, ["sign-in"] * 61) for it in (ours, plain)}
    warm = {it: more[it] - cold[it] for it in (ours, plain)}
    assert cold[ours] / cold[plain] <= cold_at_most()
    assert warm[ours] / warm[plain] <= WARM_AT_MOST
