"""The command line: `python -m tests.strain load` and `python -m tests.strain kills`."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.strain.kills import Kills
from tests.strain.load import Load, service


def main() -> int:
    """Run a command. Return 1 if something failed or was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.strain",
        description="Put what `make run` starts under strain, on free ports and with users of its"
        " own. tests/README.md says how long it takes.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    load = commands.add_parser("load", help="let many people live the whole life of an account")
    load.add_argument("--flows", type=int, default=2000, help="accounts (default: %(default)s)")
    load.add_argument("--clients", type=int, default=50, help="at a time (default: %(default)s)")
    load.set_defaults(run=run_load)
    kills = commands.add_parser("kills", help="kill the local Cognito at random moments")
    kills.add_argument("--kills", type=int, default=200, help="(default: %(default)s)")
    kills.set_defaults(run=run_kills)
    options = parser.parse_args()
    faults: list[str] = options.run(options)
    say(*faults[:10])
    return bool(faults)


def run_load(options: argparse.Namespace) -> list[str]:
    """Run many flows, and print how long each step took."""
    with service() as (api, mailbox):
        load = Load(api, mailbox)
        load.run(options.flows, options.clients, every_tenth(options.flows, "flows", load.faults))
    say(load.table(), f"{len(load.faults)} of {options.flows} flows failed.")
    return load.faults


def run_kills(options: argparse.Namespace) -> list[str]:
    """Kill many servers, and print what was lost."""
    with tempfile.TemporaryDirectory() as folder:
        kills = Kills(Path(folder) / "users.db")
        kills.run(options.kills, every_tenth(options.kills, "kills", kills.faults))
    say(f"{len(kills.faults)} of {kills.answered} answers lost in {options.kills} kills.")
    return kills.faults


def every_tenth(total: int, what: str, faults: list[str]) -> Callable[[int], None]:
    """Return a function that prints the progress at every tenth."""
    begun = time.monotonic()

    def progress(done: int) -> None:
        if done * 10 // total != (done - 1) * 10 // total:
            took = time.monotonic() - begun
            say(f"{done} of {total} {what} in {took:.0f} s, {len(faults)} faults")

    return progress


def say(*lines: str) -> None:
    """Print lines at once."""
    for line in lines:
        print(line, flush=True)  # noqa: T201 (it is a command's output)


if __name__ == "__main__":
    sys.exit(main())
