"""Compare this service with its alternatives: `python -m tests.bench`, or `make bench`.

Progress goes to stderr, the tables to stdout.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from infra.bundle.make import make_bundle
from infra.bundle.pack import write_zip
from tests.bench.chart import chart
from tests.bench.growth import growth_table
from tests.bench.measure import (
    Machine,
    can_count,
    instructions,
    leave_alone,
    look,
    warm_instructions,
)
from tests.bench.optimisations import optimisations_table
from tests.bench.results import TARGETS, Build, Measured, ratios, table, targets
from tests.bench.snapshot import snapshot_table
from tests.bench.upstream import AUTHORITY, stub_cognito
from tests.bench.variants import FLOOR, OURS, PLAIN_MODULE, ROUTES, Variant, build, build_all
from tests.support.runtime_api import runtime_client_alone

ROOT = Path(__file__).parents[2]
FAULTY = (3, 13, 0)  # its interpreter moves stack memory as no other release does


def main() -> None:
    """Build the variants, measure them and report the results."""
    parser = argparse.ArgumentParser(
        prog="make bench",
        description="Compare cold starts, warm calls, memory and size of this service with those "
        "of what people write instead. If valgrind is installed, instructions are counted, too: "
        "they vary by a thousandth between runs, while times vary by a tenth.",
        epilog="It takes about 12 minutes and measures the Python that runs it. The ratios with "
        "a target are counted with each other Python that has an environment here, too, 4 minutes "
        "each: make bench uses what make test PYTHON=python3.13 VENV=.venv-3.13 has made.",
    )
    parser.add_argument(
        "--levers",
        "--optimisations",
        action="store_true",
        dest="optimisations",
        help="measure what each optimisation saves instead (6 minutes)",
    )
    parser.add_argument(
        "--growth",
        action="store_true",
        help="count a start with twice and four times as many routes instead (2 minutes)",
    )
    parser.add_argument(
        "--snapshot",
        action="store_true",
        help="count a first call with and without a snapshot instead (2 minutes)",
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds and counts (3 minutes)")
    parser.add_argument(
        "--ratios",
        action="store_true",
        help="count the ratios that have a target only, and print them as JSON (4 minutes)",
    )
    parser.add_argument("--rounds", type=int, default=9, help="cold starts per variant (default 9)")
    parser.add_argument(
        "--output", type=Path, default=ROOT / "dist/bench", help="folder for results (dist/bench)"
    )
    given = parser.parse_args()
    if sys.platform != "linux":
        raise SystemExit("make bench needs Linux, as the Lambda runtime client does.")
    if sys.version_info[:3] == FAULTY:
        say("Python 3.13.0 has a fault that distorts every figure: use another version.")
    if not can_count():
        say("valgrind is not installed: only times are measured, which vary by a tenth.")
    processor = max(os.sched_getaffinity(0))
    leave_alone(processor)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        machine = Machine(
            runtime=runtime_client_alone(folder / "runtime"),
            environment=stack.enter_context(stub_cognito(folder)),
            authority=folder / AUTHORITY,
            folder=folder,
            processor=processor,
        )
        if given.optimisations:
            report(machine, given.output, "levers", optimisations_table)
            return
        if given.growth:
            report(machine, given.output, "growth", growth_table)
            return
        if given.snapshot:
            report(machine, given.output, "snapshot", snapshot_table)
            return
        if given.ratios:
            print(json.dumps(asdict(count_ratios(machine))))  # noqa: T201 (for the process that asked)
            return
        results = measure(machine, given.output, 3 if given.quick else given.rounds)
        if can_count():
            count(machine, results, quick=given.quick)
    builds = []
    if can_count():
        builds.append(this_build(ratios(results)))
        builds += map(ratios_of, () if given.quick else other_pythons())
    command = "make bench" + (" ARGS=--quick" if given.quick else "")
    write(results, builds, given.output, command)


def report(
    machine: Machine,
    folder: Path,
    name: str,
    table: Callable[[Machine, Callable[[str], None]], str],
) -> None:
    """Make the bundle, print a table of what is counted of it, and write it to the folder."""
    if not can_count():
        raise SystemExit("Counting instructions needs valgrind, which is not installed.")
    make_bundle(machine.folder / "ours", say=say)
    text = f"`{caption(f'make bench ARGS=--{name}')}`\n\n{table(machine, say)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.md").write_text(text)
    print(text)  # noqa: T201 (it is a command's output)
    say(f"Written to {folder}: {name}.md")


def caption(command: str) -> str:
    """Return the command, date and platform of a measurement."""
    today = datetime.now(UTC).date()
    return f"{command}, {today}, Python {platform.python_version()} on {platform.machine()}"


def measure(machine: Machine, folder: Path, rounds: int) -> list[Measured]:
    """Build every variant, then measure each in turn, once per round."""
    results = []
    for variant in build_all(folder / f"bundles-{platform.python_version()}", say):
        say(f"Built {variant}")
        size = sum(path.stat().st_size for path in variant.folder.rglob("*") if path.is_file())
        packed = variant.folder.with_suffix(".zip")
        write_zip(variant.folder, packed)
        results.append(Measured(variant, size, packed.stat().st_size))
    for number in range(rounds):
        say(f"Round {number + 1} of {rounds}")
        for it in results:
            it.looks.append(look(machine, it.variant, warm=60))
    return results


def count(machine: Machine, results: list[Measured], *, quick: bool) -> None:
    """Count the instructions of cold starts; with bytecode, of first visits and warm calls too."""
    for it in results:
        if quick and not it.variant.bytecode and it.variant.peer is not PLAIN_MODULE:
            continue
        say(f"Counting {it.variant}")
        it.cold_count = instructions(machine, it.variant)
        if it.variant.bytecode and it.variant.peer is not FLOOR:
            it.visit_count = instructions(machine, it.variant, ROUTES)
            it.warm_count = warm_instructions(machine, it.variant)


def this_build(found: dict[str, float]) -> Build:
    """Return these ratios with the name of the Python that runs this."""
    return Build(platform.python_version(), platform.python_compiler(), found)


def count_ratios(machine: Machine) -> Build:
    """Build what the targets compare, and count its instructions."""
    folder = machine.folder / "bundles"
    make_bundle(folder / "ours", say=say)
    ours = Variant(OURS, bytecode=True, folder=folder / "ours")
    peers = dict.fromkeys(target.peer for target in TARGETS)
    theirs = [build(peer, folder / peer.folder, bytecode=True) for peer in peers]
    results = [Measured(variant, 0, 0) for variant in (ours, *theirs)]
    count(machine, results, quick=True)
    return this_build(ratios(results))


def other_pythons() -> list[Path]:
    """Return the interpreters of this folder's environments that have another version."""
    found = {}
    for python in sorted(ROOT.glob(".venv*/bin/python")):
        program = "import awslambdaric, sys; print(*sys.version_info[:3])"
        command = [str(python), "-c", program]
        asked = subprocess.run(command, capture_output=True, text=True, check=False)
        version = tuple(map(int, asked.stdout.split()))
        if version and version not in (FAULTY, sys.version_info[:3]):
            found[version] = python
    return [*found.values()]


def ratios_of(python: Path) -> Build:
    """Count the ratios with another Python, which takes 4 minutes."""
    say(f"Counting with {python.relative_to(ROOT)}")
    command = [str(python), "-m", "tests.bench", "--ratios"]
    return Build(**json.loads(subprocess.check_output(command, cwd=ROOT)))


def write(results: list[Measured], builds: list[Build], folder: Path, command: str) -> None:
    """Print the tables; write them and the chart to the folder."""
    told = caption(command)
    note = "In brackets: ours divided by theirs."
    text = f"`{told}`\n\n{table(results)}\n\n{note}\n\n{targets(builds)}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.md").write_text(text)
    (folder / "chart.svg").write_text(chart(results, told))
    print(text)  # noqa: T201 (it is a command's output)
    say(f"Written to {folder}: results.md, chart.svg")


def say(line: str) -> None:
    """Print progress."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 (it is a command's progress)


if __name__ == "__main__":
    main()
