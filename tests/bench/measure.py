"""Measure a variant: start it as Lambda would, send it events, take times and count instructions.

Every function runs under the real runtime client, in an interpreter that can import only the
bundle, the runtime client and Python's standard library.
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
NOTHING = "nothing"
"""Instead of a route: an event that isn't a request, which is refused when the start is over."""
# valgrind's fastest counter, as it counts only instructions
COUNTER = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")


@dataclass(frozen=True, eq=False)
class Machine:
    """The settings that all functions share."""

    runtime: Path
    """The folder with only the runtime client."""
    environment: Mapping[str, str]
    authority: Path
    """The stub Cognito's certificate."""
    folder: Path
    """For logs."""
    processor: int = field(default_factory=lambda: max(os.sched_getaffinity(0)))
    """Reserved for functions. Lambda gives a function of this size less than one processor."""


def leave_alone(processor: int) -> None:
    """Run this process, and those that it starts from now on, on other processors if possible."""
    if others := os.sched_getaffinity(0) - {processor}:
        os.sched_setaffinity(0, others)


@dataclass(frozen=True)
class Look:
    """One measurement of a variant, in seconds and bytes."""

    cold: float
    """From the process's start to the first answered sign-in."""
    first_visit: float
    """Sign-up, confirm and sign-in, from nothing."""
    warm: list[float]
    """Each further sign-in."""
    memory: int
    """The peak memory of the sign-in function."""


@cache
def event(route: str) -> dict[str, Any]:
    """Return a REST API's event for a browser's request, with each route as its own resource."""
    body = {"email": "ada@example.com", "password": "Correct-horse-9", "code": "123456"}
    way = WAYS["rest"]
    made = event_from(httpx.Request("POST", f"{way.base_url}/auth/{route}", json=body), way)
    made["resource"] = made["requestContext"]["resourcePath"] = f"/auth/{route}"
    return made


def look(machine: Machine, variant: Variant, *, warm: int) -> Look:
    """Start the variant's functions one after the other and time their answers."""
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
    """Count the instructions from the process's start to the last answer. Needs valgrind.

    The count varies by about a thousandth, even on a busy machine.
    """
    total = 0
    for handler, answered in variant.peer.functions:
        asked = [route for route in routes if route in (*answered, NOTHING)]
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


def warm_instructions(machine: Machine, variant: Variant) -> float:
    """Count the instructions of a later sign-in, the mean of the 41st to the 60th. Needs valgrind.

    By then the first complete garbage collection is over, which other variants have in a call.
    """
    before, calls = 40, 20
    fewer = instructions(machine, variant, ["sign-in"] * before)
    return (instructions(machine, variant, ["sign-in"] * (before + calls)) - fewer) / calls


def can_count() -> bool:
    """Return whether valgrind is installed."""
    return shutil.which(COUNTER[0]) is not None


def ask(function: LambdaFunction, route: str) -> None:
    """Send the route's event. Raise FunctionFailedError or AssertionError unless it succeeds."""
    if route == NOTHING:
        function.invoke({}, within=120)
        return
    answer = function.invoke(event(route), within=120)
    assert answer["statusCode"] == 200, f"{answer}\n{function.output}"
    assert route != "sign-in" or "AccessToken" in answer["body"]


@contextmanager
def running(
    machine: Machine, variant: Variant, handler: str, counter: Sequence[str] = ()
) -> Iterator[LambdaFunction]:
    """Start a function on the processor reserved for functions."""
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
    """Return a file with the certificates that the variant trusts on Lambda, and the stub's.

    Reading them takes time, which a file with only the stub's would hide.
    """
    own = variant.folder / "botocore/cacert.pem"
    together = machine.folder / f"{variant.folder.name}.pem"
    together.write_text((own.read_text() if own.exists() else "") + machine.authority.read_text())
    return together
