"""The costs in infra/README.md are what infra/costs.py computes."""

from itertools import pairwise
from pathlib import Path

import pytest

from infra.costs import HTTP, REST, USERS, cost, memory_table, month, table

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_these_tables() -> None:
    """A changed price or assumption changes the document, too."""
    document = (ROOT / "infra/README.md").read_text()
    assert table() in document, "Run python -m infra.costs"
    assert memory_table() in document, "Run python -m infra.costs"


@pytest.mark.parametrize(
    ("amount", "expected"), [(0, 0), (300e6, 300), (300e6 + 10, 300 + 9e-6), (400e6, 390)]
)
def test_each_part_has_its_tiers_price(amount: float, expected: float) -> None:
    """Only what is above a tier's end gets the next price."""
    assert cost(amount, HTTP) == pytest.approx(expected, abs=1e-9)


def test_more_users_cost_more() -> None:
    """No service's bill shrinks."""
    assert cost(1e9, REST) == pytest.approx(333 * 3.5 + 667 * 2.8)
    for few, many in pairwise(USERS):
        assert all(month(few)[name] < price for name, price in month(many).items())
