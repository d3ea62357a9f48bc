"""Records in memory, and what the present call has changed of them.

moto changes its objects in place, wherever it likes. So a record that a call gets by its key is
copied first, and compared afterwards. That costs the same for any number of records, reads save
nothing, and a call that fails can be undone.
"""

from collections.abc import Callable, ItemsView, Iterable, Iterator, MutableMapping, ValuesView
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

Row = tuple[str, str, Any]
"""The name of a table, a key, and the value as JSON; None for a record that was deleted."""


class Changing(Protocol):
    """Records that know what the present call has changed of them."""

    def changes(self) -> Iterable[Row]:
        """Return the records that differ from before the call, if the store keeps them."""

    def commit(self) -> None:
        """Let the changes stand."""

    def undo(self) -> None:
        """Put every record back as it was before the call."""


@dataclass
class Journal:
    """The tables that the present call has touched."""

    _touched: "dict[int, Changing]" = field(default_factory=dict)

    def touch(self, table: "Changing") -> None:
        """Include a table in the next `changes`, `commit` or `undo`."""
        self._touched[id(table)] = table

    def changes(self) -> list[Row]:
        """Return what the call has changed and the store keeps."""
        return [row for table in self._touched.values() for row in table.changes()]

    def commit(self) -> None:
        """Let the changes stand, and begin with the next call."""
        for table in self._touched.values():
            table.commit()
        self._touched.clear()

    def undo(self) -> None:
        """Put everything back as it was before the call, and begin with the next one."""
        for table in self._touched.values():
            table.undo()
        self._touched.clear()


@dataclass(frozen=True)
class Before:
    """A record as it was before the call."""

    record: Any
    fields: dict[str, Any]


class Table(MutableMapping[str, T]):
    """Records by key. `names` returns other names of a record, by which `find` finds it.

    Change only records that you got by a key or a name: iterating over the values notes nothing.
    """

    def __init__(
        self,
        journal: Journal,
        names: Callable[[T], Iterable[str]] = lambda _: (),
    ) -> None:
        self._journal = journal
        self._names = names
        self._records: dict[str, T] = {}
        self._index: dict[str, dict[str, None]] = {}  # name: keys
        self._indexed: dict[str, frozenset[str]] = {}  # key: names
        self._before: dict[str, Before | None] = {}
        self._kept_as: str | None = None
        self._encode: Callable[[T], Any] = vars

    def keep(
        self, name: str, encode: Callable[[T], Any], kept: Iterable[tuple[str, T]] = ()
    ) -> None:
        """Have the store keep this table under a name. `kept` are its records so far."""
        self._kept_as, self._encode = name, encode
        for key, record in kept:
            self._records[key] = record
            self._reindex(key)

    def find(self, name: str) -> list[T]:
        """Return the records that have a name, also one that they got in this call."""
        keys = dict.fromkeys([*self._index.get(name, ()), *self._before])
        return [
            self[key]
            for key in keys
            if key in self._records and name in self._names(self._records[key])
        ]

    def __getitem__(self, key: str) -> T:
        self._note(key)
        return self._records[key]

    def __setitem__(self, key: str, record: T) -> None:
        self._note(key)
        self._records[key] = record

    def __delitem__(self, key: str) -> None:
        self._note(key)
        del self._records[key]

    def __contains__(self, key: object) -> bool:
        return key in self._records

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._records)

    def values(self) -> ValuesView[T]:
        """Return a view of the records, for reading."""
        return self._records.values()

    def items(self) -> ItemsView[str, T]:
        """Return a view of the keys and records, for reading."""
        return self._records.items()

    def changes(self) -> Iterator[Row]:
        """Yield the records that differ from before the call, if the store keeps this table."""
        if not self._kept_as:
            return
        for key, before in self._before.items():
            record = self._records.get(key)
            if record is None:
                if before:
                    yield self._kept_as, key, None
            elif not before or before.fields != vars(record):
                yield self._kept_as, key, self._encode(record)

    def commit(self) -> None:
        """Let the changes stand."""
        for key in self._before:
            self._reindex(key)
        self._before.clear()

    def undo(self) -> None:
        """Put every record back as it was, in place, because others may refer to it."""
        for key, before in self._before.items():
            if before is None:
                self._records.pop(key, None)
            else:
                vars(before.record).update(before.fields)
                self._records[key] = before.record
        self._before.clear()

    def _note(self, key: str) -> None:
        if key in self._before:
            return
        self._journal.touch(self)
        record = self._records.get(key)
        self._before[key] = Before(record, deepcopy(vars(record))) if record else None

    def _reindex(self, key: str) -> None:
        for name in self._indexed.pop(key, ()):
            keys = self._index[name]
            del keys[key]
            if not keys:
                del self._index[name]
        if key in self._records:
            self._indexed[key] = frozenset(self._names(self._records[key]))
            for name in self._indexed[key]:
                self._index.setdefault(name, {})[key] = None
