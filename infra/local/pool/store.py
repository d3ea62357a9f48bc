"""The file that keeps users, sessions, e-mails, the signing key and the clock between runs.

It is an SQLite database with one table: rows of a name, a key and a value in JSON. Saving a call's
changes costs the same for any number of users. That is also true of an append-only log, but for one
we would have to write what SQLite has: whole transactions, recovery after a kill, and reuse of the
space. A call's changes are in the file before it is answered, so a kill loses nothing. The system
writes them to the disk soon after: if the power fails, the last calls may be lost, but never half
of one.

Of passwords and refresh tokens only hashes are kept. POSIX only, for its file locks.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, Self, TypeVar

from infra.local.pool.records import Row

T = TypeVar("T")

FORMAT = 3  # 1 and 2 were JSON
# These bytes name the application that a file of SQLite belongs to. Ours spell "Cogn".
APPLICATION = 0x436F676E
MAGIC = b"SQLite format 3\0"
# Beside its file SQLite has others, which are parts of it.
SUFFIXES = ("", "-wal", "-shm", "-journal")

SCHEMA = f"""
BEGIN;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
CREATE TABLE records (name TEXT, key TEXT, value TEXT, PRIMARY KEY (name, key));
COMMIT;
"""
# A changed row keeps its place, so that users stay in the order of their sign-up.
WRITE = "INSERT INTO records VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
DELETE = "DELETE FROM records WHERE name = ? AND key = ?"
COUNT_BAD = "SELECT count(*) FROM records WHERE NOT json_valid(value)"
READ = "SELECT key, value FROM records WHERE name = ? ORDER BY rowid"

# Errors of SQLite that are not about what the file contains.
REFUSED = {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


class StoreError(Exception):
    """The file can't be used; the message is one line that names the remedy."""


class UnreadableError(StoreError):
    """The file is foreign, damaged or of a newer format. It stays as it is."""


class Store:
    """One file, held by one process at a time. Use it in a `with` block.

    A lock keeps other processes out, because they may use other ports. The system releases it when
    the process ends, however it ends. `fresh` starts without users. It deletes the file, but a file
    that it can't read may be valuable to its owner: that one is renamed to `set_aside`. So is one
    whose records couldn't be loaded by the last run, which an empty file named *.unfit remembers.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.path = path
        self.set_aside: Path | None = None
        self._fresh = fresh
        self._unfit = path.with_name(f"{path.name}.unfit")

    def __enter__(self) -> Self:
        """Open the file. Raises StoreError if another process has it, or it can't be used."""
        with self._writing():
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._fresh:
                self._make_room()
            self._database = self._open()
            self._unfit.unlink(missing_ok=True)
        except BlockingIOError:
            os.close(self._lock)
            raise StoreError(
                f"{self.path} is in use: the local Cognito is already running on these users."
            ) from None
        except BaseException:
            os.close(self._lock)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        os.close(self._lock)

    def load(self, name: str, decode: Callable[[Any], T]) -> list[tuple[str, T]]:
        """Return the keys and values under a name, oldest first. Raises StoreError."""
        try:
            rows = self._database.execute(READ, (name,))
            return [(key, decode(json.loads(value))) for key, value in rows]
        except sqlite3.Error as error:
            raise self._failure(error) from None
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            with self._writing():
                self._unfit.touch(0o600)
            raise self._unreadable(f"{type(error).__name__}: {error}") from None

    def save(self, changes: Iterable[Row]) -> None:
        """Write all changes or none. Raises StoreError."""
        with self._writing(), self._database:
            for name, key, value in changes:
                if value is None:
                    self._database.execute(DELETE, (name, key))
                else:
                    self._database.execute(WRITE, (name, key, json.dumps(value)))

    def _open(self) -> sqlite3.Connection:
        """Open the file, or create it. Nothing is written to a file that isn't ours."""
        if self.path.is_dir():
            raise self._unreadable("it is a folder")
        with self._writing():
            # SQLite gives the files beside it the same mode.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
            with self.path.open("rb") as file:
                start = file.read(len(MAGIC))
        # SQLite itself would overwrite a short text.
        if start not in {b"", MAGIC}:
            raise self._unreadable("it is not of this program, or of an old version")
        database = sqlite3.connect(self.path, check_same_thread=False)
        try:
            # One process holds the file, so SQLite needs no memory shared between processes.
            database.execute("PRAGMA locking_mode = EXCLUSIVE")
            is_new = self._check(database)
            with self._writing():
                database.execute("PRAGMA journal_mode = WAL")
                database.execute("PRAGMA synchronous = NORMAL")
                if is_new:
                    database.executescript(SCHEMA)
        except BaseException:
            database.close()
            raise
        return database

    def _check(self, database: sqlite3.Connection) -> bool:
        """Return whether the file is new. Raise UnreadableError unless it is that, or ours."""
        try:
            (application,) = database.execute("PRAGMA application_id").fetchone()
            (version,) = database.execute("PRAGMA user_version").fetchone()
            (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
            # A kill during the first start may leave a file without our mark.
            if (application, version, tables) == (0, 0, 0):
                return True
            if application != APPLICATION:
                raise self._unreadable("it is a database of another program")
            if version != FORMAT:
                raise self._unreadable("a newer version of this project wrote it; update this one")
            (fault,) = database.execute("PRAGMA quick_check(1)").fetchone()
            (bad,) = database.execute(COUNT_BAD).fetchone()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        if fault != "ok" or bad:
            raise self._unreadable("it is damaged")
        return False

    def _make_room(self) -> None:
        """Delete the file, or set it aside if it can't be read."""
        try:
            self._open().close()
            is_readable = not self._unfit.exists()
        except UnreadableError:
            is_readable = False
        if not is_readable:
            self.set_aside = next(
                name
                for number in count(1)
                if not (name := self.path.with_name(f"{self.path.name}.{number}")).exists()
            )
        with self._writing():
            for suffix in SUFFIXES:
                part = self.path.with_name(self.path.name + suffix)
                if not part.exists():
                    continue
                if self.set_aside:
                    part.rename(self.set_aside.with_name(self.set_aside.name + suffix))
                else:
                    part.unlink()

    def _failure(self, error: sqlite3.Error) -> StoreError:
        """Return the error for a failure to read, which the system or the file may have caused."""
        # The lowest byte is the kind of an extended code. An error of SQLite's module has none.
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
        return self._unwritable(error) if kind in REFUSED else self._unreadable(str(error))

    def _unwritable(self, error: Exception) -> StoreError:
        return StoreError(
            f"{self.path} can't be written: {error}. Nothing was lost; free some space, or make"
            " its folder writable."
        )

    def _unreadable(self, reason: str) -> UnreadableError:
        return UnreadableError(
            f"{self.path} can't be read: {reason}. It was left as it is. To start without users and"
            " keep it under another name: make run FRESH=1"
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Raise StoreError for what the system or SQLite refuses."""
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise self._unwritable(error) from None
