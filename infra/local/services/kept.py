"""Records that moto holds and the store keeps: a table's items, or a bucket's objects.

moto has no hook for changes. So what a call is about to change is read before it, and compared
afterwards. That costs the same for any number of records, and a call that fails can be undone.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infra.local.pool.records import Journal, Row
from infra.local.pool.store import Store

Read = Callable[[str, str], Any]
Write = Callable[[str, str, Any], None]


class Kept:
    """The records of one kind, by a place (a table or a bucket) and a key.

    `read` returns a record as JSON, or None; `write` replaces it, or deletes it for None.
    """

    def __init__(self, kind: str, journal: Journal, read: Read, write: Write) -> None:
        self._kind = kind
        self._journal = journal
        self._read = read
        self._write = write
        self._before: dict[tuple[str, str], Any] = {}

    def note(self, place: str, key: str) -> None:
        """Remember a record that the present call may change."""
        self._journal.touch(self)
        if (place, key) not in self._before:
            self._before[place, key] = self._read(place, key)

    def delete(self, place: str, key: str) -> None:
        """Delete a record."""
        self.note(place, key)
        self._write(place, key, None)

    def restore(self, store: Store, place: str) -> list[str]:
        """Put the records of a place back as the store has them. Return the keys that don't fit."""
        unfit = []
        for key, record in store.load(f"{self._kind} {place}", lambda value: value):
            try:
                self._write(place, key, record)
            except Exception:  # noqa: BLE001 - whatever moto raises for what isn't a record here
                unfit.append(key)
        return unfit

    def changes(self) -> Iterator[Row]:
        """Yield the records that differ from before the call."""
        for (place, key), before in self._before.items():
            after = self._read(place, key)
            if after != before:
                yield f"{self._kind} {place}", key, after

    def commit(self) -> None:
        """Let the changes stand."""
        self._before.clear()

    def undo(self) -> None:
        """Put every record back as it was before the call."""
        for (place, key), before in self._before.items():
            self._write(place, key, before)
        self._before.clear()


def header(headers: Mapping[str, str], name: str) -> str:
    """Return a header whatever the case of its name, or an empty text."""
    return next((value for key, value in headers.items() if key.lower() == name), "")
