"""tests/bench/README.md shows one complete measurement and nothing else."""

import re
from pathlib import Path

from tests.bench.limits import COLD_AT_MOST, COLD_SINCE_3_13_1, WARM_AT_MOST
from tests.bench.measure import Look
from tests.bench.optimisations import OPTIMISATIONS
from tests.bench.results import COLUMNS, TARGETS, Build, Measured, ratios, targets
from tests.bench.variants import FLOOR, OURS, PEERS, Peer, Variant

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "tests/bench/README.md").read_text()


def rows(header: str) -> list[list[str]]:
    """Return the cells of the table with this header, row by row."""
    table = (header + DOCUMENT.partition(header)[2]).partition("\n\n")[0]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]


RESULTS = {name: dict(zip(COLUMNS, cells, strict=True)) for name, *cells in rows("| | cold, M")}


def ratio(variant: str, column: str) -> str:
    """Return ours divided by a variant's value, as shown in brackets in its cell."""
    return RESULTS[variant][column].partition("(")[2].rstrip(")")


def test_the_chart_is_of_the_same_measurement() -> None:
    """Both are copied from one run of `make bench`."""
    caption = re.search(r"make bench(?: ARGS=--quick)?, [\d-]+, Python [\d.]+ on \w+", DOCUMENT)
    assert caption
    assert caption[0] in (ROOT / "tests/bench/chart.svg").read_text()


def test_every_variant_is_shown() -> None:
    """The rows are in the order of measurement. RESULTS above fails for a missing cell."""
    peers = [name for peer in PEERS for name in (f"{peer.name}, no bytecode", peer.name)]
    assert list(RESULTS) == [OURS.name, FLOOR.name, *peers]


def test_every_target_is_shown_with_its_ratio() -> None:
    """Each target has a row, and the first build's ratio is that of the table of results."""
    (header,) = re.findall(r"^\| ours divided by \| (.*) \|$", DOCUMENT, re.MULTILINE)
    versions = [name.partition(",")[0] for name in header.split(" | ")]
    shown = rows("| ours divided by |")
    assert len(shown) == len(TARGETS)
    for (who, *cells), target in zip(shown, TARGETS, strict=True):
        assert who == str(target)
        assert cells[0].startswith(f"{ratio(target.peer.name, target.column)} of ")
        for cell, version in zip(cells, versions, strict=True):
            reached, _, sought, *tick = cell.split(" ")
            assert sought == f"{target.on(version):.2f}"
            # A ratio that equals the target only by rounding has no tick.
            assert tick == ["✓"] if reached < sought else reached == sought or not tick


def test_every_optimisation_is_shown() -> None:
    """The table has no row for a removed optimisation."""
    assert [name for name, *_ in rows("| optimisation |")] == [
        optimisation.name for optimisation in OPTIMISATIONS
    ]


def test_the_numbers_in_the_text_are_those_of_the_tables() -> None:
    """These are the times of plain handlers, the gate's limits and the claim in README.md."""
    section = DOCUMENT.partition("## Where a plain handler is faster")[2].partition("\n## ")[0]
    cells = {cell.partition(" ")[0] for row in RESULTS.values() for cell in row.values()}
    told = set(re.findall(r"([\d.,]+)\s+ms", section))
    assert len(told) > 5
    assert told <= cells
    limits = " ".join(DOCUMENT.split())
    assert f"a start to {COLD_AT_MOST} times" in limits
    assert f"({COLD_SINCE_3_13_1} since Python 3.13.1)" in limits
    assert f"a warm call to {WARM_AT_MOST} times" in limits
    claim = f"[{ratio('three functions, module client', 'first visit, ms')} of the time]"
    assert claim in (ROOT / "README.md").read_text()


def measured(peer: Peer, number: float) -> Measured:
    """Return a variant with this number for every figure."""
    look = Look(cold=number, first_visit=number, warm=[number], memory=int(number))
    counts = {"cold_count": int(number), "visit_count": int(number), "warm_count": number}
    variant = Variant(peer, bytecode=True, folder=ROOT)
    return Measured(variant, int(number), int(number), looks=[look], **counts)


def test_a_tick_means_reached() -> None:
    """The exact ratio decides, not the rounded one that is shown."""
    ours = measured(OURS, 85_040)
    theirs = [measured(peer, 100_000) for peer in PEERS]
    found = ratios([ours, *theirs])
    lines = targets([Build("3.11.7", "GCC 12", found), Build("3.13.5", "GCC 14", found)])
    first, _, cold, warm, *_ = lines.splitlines()
    assert first == "| ours divided by | 3.11.7, GCC 12 | 3.13.5, GCC 14 |"
    assert cold == "| three functions, module client, cold | 0.85 of 0.85 | 0.85 of 0.98 ✓ |"
    assert warm == "| three functions, module client, warm | 0.85 of 1.15 ✓ | 0.85 of 1.20 ✓ |"
