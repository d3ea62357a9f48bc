"""The measurements as Markdown tables: every variant, and our ratio to each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
    """The target for our value divided by a peer's in one column; lower is better."""

    peer: Peer
    bytecode: bool
    column: str
    sought: float

    def __str__(self) -> str:
        return self.peer.name + ("" if self.bytecode else ", no bytecode")


TARGETS = (
    Target(PLAIN_CALL, bytecode=True, column="first visit, M instr.", sought=0.42),
    Target(PLAIN_CALL, bytecode=True, column="warm, M instr.", sought=0.06),
    Target(PLAIN_CALL, bytecode=True, column="warm, ms", sought=0.06),
    Target(PLAIN_MODULE, bytecode=False, column="cold, M instr.", sought=0.45),
    Target(PLAIN_MODULE, bytecode=False, column="zip, MB", sought=0.45),
    Target(POWERTOOLS, bytecode=True, column="cold, M instr.", sought=0.85),
    Target(POWERTOOLS, bytecode=True, column="warm, M instr.", sought=0.95),
    Target(POWERTOOLS, bytecode=True, column="warm, ms", sought=0.95),
    Target(POWERTOOLS, bytecode=True, column="zip, MB", sought=0.35),
    Target(FASTAPI, bytecode=True, column="cold, M instr.", sought=0.64),
    Target(FASTAPI, bytecode=True, column="warm, M instr.", sought=0.70),
    Target(FASTAPI, bytecode=True, column="warm, ms", sought=0.70),
    Target(FASTAPI, bytecode=True, column="zip, MB", sought=0.35),
    Target(PLAIN_MODULE, bytecode=True, column="cold, M instr.", sought=1.0),
    Target(PLAIN_MODULE, bytecode=True, column="warm, M instr.", sought=1.0),
    Target(PLAIN_MODULE, bytecode=True, column="warm, ms", sought=1.0),
)


def targets(results: list[Measured]) -> str:
    """Return a Markdown table of ratios and targets, with a tick for each target reached."""
    by_variant: Mapping[tuple[Peer, bool], Measured] = {
        (it.variant.peer, it.variant.bytecode): it for it in results
    }
    ours = by_variant[OURS, True]
    lines = ["| compared with | in | ratio / target | |", "|---|---|---:|---|"]
    for target in TARGETS:
        value, _ = COLUMNS[target.column]
        theirs, mine = value(by_variant[target.peer, target.bytecode]), value(ours)
        if not (theirs and mine):
            continue
        reached = mine / theirs
        tick = "✓" if reached <= target.sought else ""
        ratios = f"{reached:.2f} / {target.sought:.2f}"
        lines.append(f"| {target} | {target.column} | {ratios} | {tick} |")
    return "\n".join(lines)
