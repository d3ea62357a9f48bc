"""The tables in memory: what a call changed of them, and how that is undone."""

from dataclasses import asdict, dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from infra.local.pool.records import Journal, Table


@dataclass
class Page:
    """A record with what moto's have: a value that is replaced, and one changed in place."""

    owner: str
    words: list[str] = field(default_factory=list)


STEPS = st.tuples(
    st.sampled_from(["add", "read", "rename", "write", "delete", "clear"]),
    st.sampled_from("abc"),
    st.sampled_from(["ada", "grace", "joan"]),
)


def take(table: Table[Page], step: str, key: str, word: str) -> None:
    """Take one step as an operation would."""
    if step == "add":
        table[key] = Page(word)
    elif step == "clear":
        table.clear()
    elif page := table.get(key):
        if step == "rename":
            page.owner = word
        elif step == "write":
            page.words.append(word)
        elif step == "delete":
            del table[key]


def state(table: Table[Page]) -> dict[str, object]:
    """Return all records as values."""
    return {key: asdict(page) for key, page in table.items()}


@given(calls=st.lists(st.tuples(st.booleans(), st.lists(STEPS, max_size=6)), max_size=6))
def test_a_call_is_saved_or_undone(calls: list[tuple[bool, list[tuple[str, str, str]]]]) -> None:
    """What changes, applied to what was kept, gives what is in memory; undone calls leave no trace.

    The index finds exactly the records that have a name, at every moment.
    """
    journal = Journal()
    table: Table[Page] = Table(journal, lambda page: [page.owner])
    table.keep("pages", asdict)
    kept: dict[str, object] = {}
    for succeeds, steps in calls:
        for step in steps:
            take(table, *step)
            for owner in ("ada", "grace", "joan"):
                found = sorted(id(page) for page in table.find(owner))
                assert found == sorted(id(p) for p in table.values() if p.owner == owner)
        changes = journal.changes()
        for name, key, value in changes if succeeds else ():
            assert name == "pages"
            assert kept.get(key) != value
            kept.pop(key, None)
            if value is not None:
                kept[key] = value
        if succeeds:
            journal.commit()
        else:
            journal.undo()
        assert state(table) == kept
        assert journal.changes() == []


def test_undoing_keeps_the_objects() -> None:
    """Others refer to them: a group to its users."""
    journal = Journal()
    table: Table[Page] = Table(journal)
    table["a"] = page = Page("ada")
    journal.commit()
    table["a"].owner = "grace"
    del table["a"]
    journal.undo()
    assert table["a"] is page
    assert page.owner == "ada"
