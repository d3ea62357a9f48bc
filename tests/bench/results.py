"""The measurements as Markdown tables: every variant, and our ratio to each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import nan
from statistics import median

from tests.bench.measure import Look
from tests.bench.variants import (
    FASTAPI,
    FLOOR,
    OURS,
    PLAIN_CALL,
    PLAIN_MODULE,
    POWERTOOLS,
    Peer,
    Variant,
)


@dataclass
class Measured:
    """The measurements of one variant."""

    variant: Variant
    size: int
    """The size of its files, in bytes."""
    zipped: int
    """The size of its zip, in bytes."""
    looks: list[Look] = field(default_factory=list)
    cold_count: int | None = None
    """Instructions."""
    visit_count: int | None = None
    warm_count: float | None = None

    @property
    def cold(self) -> float:
        """The median cold start, in seconds."""
        return median(look.cold for look in self.looks)

    @property
    def visit(self) -> float:
        """The median first visit, in seconds."""
        return median(look.first_visit for look in self.looks)

    @property
    def warm(self) -> float:
        """The median warm call, in seconds."""
        return median(time for look in self.looks for time in look.warm)

    @property
    def memory(self) -> float:
        """The median peak memory, in bytes."""
        return median(look.memory for look in self.looks)


Value = Callable[[Measured], float | None]

# For each heading, the value in the heading's unit and its format.
COLUMNS: dict[str, tuple[Value, str]] = {
    "cold, M instr.": (lambda it: it.cold_count and it.cold_count / 1e6, ",.0f"),
    "cold, ms": (lambda it: it.cold * 1e3, ",.0f"),
    "first visit, M instr.": (lambda it: it.visit_count and it.visit_count / 1e6, ",.0f"),
    "first visit, ms": (lambda it: it.visit * 1e3, ",.0f"),
    "warm, M instr.": (lambda it: it.warm_count and it.warm_count / 1e6, ",.2f"),
    "warm, ms": (lambda it: it.warm * 1e3, ",.2f"),
    "memory, MB": (lambda it: it.memory / 1e6, ",.0f"),
    "zip, MB": (lambda it: it.zipped / 1e6, ",.1f"),
    "files, MB": (lambda it: it.size / 1e6, ",.0f"),
}


def table(results: list[Measured]) -> str:
    """Return a Markdown table with a row per variant; in brackets, ours divided by theirs."""
    ours = next(it for it in results if it.variant.peer is OURS)
    lines = [f"| | {' | '.join(COLUMNS)} |", "|---|" + "---:|" * len(COLUMNS)]
    for it in results:
        cells = [_cell(it, ours, *column) for column in COLUMNS.values()]
        lines.append(f"| {it.variant} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(it: Measured, ours: Measured, value: Value, form: str) -> str:
    theirs, mine = value(it), value(ours)
    if not theirs:
        return ""
    compared = mine and it is not ours and it.variant.peer is not FLOOR
    return f"{theirs:{form}}" + (f" ({mine / theirs:.2f})" if compared else "")


@dataclass(frozen=True)
class Target:
    """How many times a peer's instructions ours may be. Both have bytecode; lower is better."""

    peer: Peer
    column: str
    sought: float
    since_3_13: float | None = None
    """The same on Python 3.13 and later, if it differs: there, plain functions start faster."""

    def __str__(self) -> str:
        return f"{self.peer.name}, {self.column.removesuffix(', M instr.')}"

    def on(self, version: str) -> float:
        """Return the target on a version of Python, such as "3.13.5"."""
        newer = tuple(map(int, version.split(".")[:2])) >= (3, 13)
        return self.since_3_13 if newer and self.since_3_13 else self.sought


COLD, VISIT, WARM = "cold, M instr.", "first visit, M instr.", "warm, M instr."
TARGETS = (
    Target(PLAIN_MODULE, COLD, 0.85, since_3_13=0.98),
    Target(PLAIN_MODULE, WARM, 1.15, since_3_13=1.2),
    Target(POWERTOOLS, COLD, 0.62),
    Target(POWERTOOLS, WARM, 0.95),
    Target(FASTAPI, COLD, 0.46),
    Target(FASTAPI, WARM, 0.75),
    Target(PLAIN_CALL, VISIT, 0.29),
)


@dataclass(frozen=True)
class Build:
    """A build of Python, and the ratio of ours to the peer's for each target."""

    version: str
    compiler: str
    """Such as "GCC 12.2.0": the same version differs by a tenth between builds."""
    ratios: dict[str, float]


def ratios(results: list[Measured]) -> dict[str, float]:
    """Return ours divided by the peer's for each target."""
    found = {(it.variant.peer, it.variant.bytecode): it for it in results}

    def count(peer: Peer, column: str) -> float:
        return COLUMNS[column][0](found[peer, True]) or nan

    return {
        str(target): count(OURS, target.column) / count(target.peer, target.column)
        for target in TARGETS
    }


def targets(builds: list[Build]) -> str:
    """Return a Markdown table of the ratios on each build, with a tick where one is reached."""
    names = [f"{build.version}, {build.compiler}" for build in builds]
    lines = [f"| ours divided by | {' | '.join(names)} |", "|---|" + "---:|" * len(builds)]
    for target in TARGETS:
        cells = [
            f"{build.ratios[str(target)]:.2f} of {target.on(build.version):.2f}"
            + (" ✓" if build.ratios[str(target)] <= target.on(build.version) else "")
            for build in builds
        ]
        lines.append(f"| {target} | {' | '.join(cells)} |")
    return "\n".join(lines)
