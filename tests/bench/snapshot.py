"""What is left of a start after a snapshot (SnapStart): the process's first call."""

from collections.abc import Callable
from dataclasses import replace

from tests.bench.measure import NOTHING, Machine, instructions
from tests.bench.variants import OURS, Variant


def snapshot_table(machine: Machine, say: Callable[[str], None]) -> str:
    """Count first calls with and without a snapshot, and return a Markdown table.

    The bundle is the folder `ours` in the machine's folder. This takes a minute. Nothing is
    restored here: what runs before the snapshot and after it, connecting included, is the same.
    """
    ours = Variant(OURS, bytecode=True, folder=machine.folder / "ours")
    # The stub answers it. The pool's own address would be asked otherwise.
    keys = f"{machine.environment['AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER']}/keys"
    lines = ["| M instr. | start | first sign-in |", "|---|---:|---:|"]
    for name, kind in (("as usual", "on-demand"), ("with a snapshot", "snap-start")):
        say(f"Counting a first call: {name}")
        more = {"AWS_LAMBDA_INITIALIZATION_TYPE": kind, "COGNITO_JWKS_URL": keys}
        here = replace(machine, environment={**machine.environment, **more})
        start = instructions(here, ours, (NOTHING,))
        first = instructions(here, ours, (NOTHING, "sign-in")) - start
        lines.append(f"| {name} | {start / 1e6:,.0f} | {first / 1e6:,.1f} |")
    return "\n".join(lines)
