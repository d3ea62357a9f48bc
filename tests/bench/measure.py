"""One look at one variant: start it as Lambda would, send it events, take the time and the count.

Every function runs under the real runtime client, in an interpreter that can import the bundle, the
runtime client and Python's own library alone.
"""

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from tests.bench.variants import Variant
from tests.support.gateway import WAYS, event_from
from tests.support.runtime_api import LambdaFunction, lambda_function

RUNTIME_CLIENT = (sys.executable, "-s", "-S", "-m", "awslambdaric")
# Counts instructions and nothing else, which makes it valgrind's fastest counter.
COUNTER = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


@dataclass(frozen=True, eq=False)
class Machine:
    """What all functions have in common."""

    runtime: Path
    """The runtime client alone."""
    environment: Mapping[str, str]
    authority: Path
    """The stub Cognito's certificate."""
    folder: Path
    """For logs."""
    processor: int = field(default_factory=lambda: max(os.sched_getaffinity(0)))
    """The functions' own: Lambda gives one of this size less than a whole processor."""


def leave_alone(processor: int) -> None:
    """Have this process, and those that it starts from now on, run on the other processors."""
    if others := os.sched_getaffinity(0) - {processor}:
        os.sched_setaffinity(0, others)


@dataclass(frozen=True)
class Look:
    """What one look at a variant saw; seconds, and bytes."""

    cold: float
    """From the process's start to the first answered sign-in."""
    first_visit: float
    """Sign-up, confirm and sign-in, from nothing."""
    warm: list[float]
    """Each further sign-in."""
    memory: int
    """The most that the function which signs in ever held."""


@cache
def event(route: str) -> dict[str, Any]:
    """What a REST API makes of a browser's request, each route being a resource of its own."""
    body = {"email": "ada@example.com", "password": "Correct-horse-9", "code": "123456"}
    way = WAYS["rest"]
    made = event_from(httpx.Request("POST", f"{way.base_url}/auth/{route}", json=body), way)
    made["resource"] = made["requestContext"]["resourcePath"] = f"/auth/{route}"
    return made


def look(machine: Machine, variant: Variant, *, warm: int) -> Look:
    """Start the variant's functions one after the other, and time what they do."""
    visit = 0.0
    for handler, routes in variant.peer.functions:
        started = time.perf_counter()
        with running(machine, variant, handler) as function:
            for route in routes:
                ask(function, route)
            visit += time.perf_counter() - started
    started = time.perf_counter()
    with running(machine, variant, variant.peer.functions[-1][0]) as function:
        ask(function, "sign-in")
        cold = time.perf_counter() - started
        times = []
        for _ in range(warm):
            ask(function, "sign-in")
            times.append(function.took)
        status = Path(f"/proc/{function.pid}/status").read_text()
    peak = re.search(r"VmHWM:\s*(\d+) kB", status)
    return Look(cold, visit, times, int(peak[1]) * 1024 if peak else 0)


def instructions(machine: Machine, variant: Variant, routes: Sequence[str] = ("sign-in",)) -> int:
    """Count the instructions from nothing to the last of these answers. Needs valgrind.

    Repeats to about a thousandth, whatever else the machine does.
    """
    total = 0
    for handler, answered in variant.peer.functions:
        asked = [route for route in routes if route in answered]
        if not asked:
            continue
        count = machine.folder / "count"
        counter = (*COUNTER, f"--log-file={count}")
        with running(machine, variant, handler, counter) as function:
            for route in asked:
                ask(function, route)
            os.kill(function.pid, signal.SIGTERM)
            function.exit_status()
        refs = re.search(r"I +refs: +([\d,]+)", count.read_text())
        assert refs, f"valgrind did not count:\n{count.read_text()}"
        total += int(refs[1].replace(",", ""))
    return total


def warm_instructions(machine: Machine, variant: Variant, cold: int, calls: int = 20) -> float:
    """Count the instructions of one more sign-in, where the first took `cold`. Needs valgrind."""
    more = instructions(machine, variant, ["sign-in"] * (1 + calls))
    return (more - cold) / calls


def can_count() -> bool:
    """Tell whether valgrind is here."""
    return shutil.which(COUNTER[0]) is not None


def ask(function: LambdaFunction, route: str) -> None:
    """Send the event. Raises FunctionFailedError or AssertionError for anything but success."""
    answer = function.invoke(event(route), within=120)
    assert answer["statusCode"] == 200, f"{answer}\n{function.output}"
    assert route != "sign-in" or "AccessToken" in answer["body"]


@contextmanager
def running(
    machine: Machine, variant: Variant, handler: str, counter: Sequence[str] = ()
) -> Iterator[LambdaFunction]:
    """Start one function on a processor of its own, as far as there are any."""
    environment = {
        **machine.environment,
        "AWS_CA_BUNDLE": str(authorities(machine, variant)),
        "POWERTOOLS_SERVICE_NAME": "auth",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(machine.runtime),
    }
    with lambda_function(
        variant.folder,
        environment,
        output=machine.folder / "log",
        handler=handler,
        command=(*counter, *RUNTIME_CLIENT),
    ) as function:
        os.sched_setaffinity(function.pid, {machine.processor})
        yield function


@cache
def authorities(machine: Machine, variant: Variant) -> Path:
    """The certificates that the variant trusts on Lambda, and the stub's: reading them takes time.

    The stub's own alone would hide that.
    """
    own = variant.folder / "botocore/cacert.pem"
    together = machine.folder / f"{variant.folder.name}.pem"
    together.write_text((own.read_text() if own.exists() else "") + machine.authority.read_text())
    return together
