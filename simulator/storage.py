"""Durable state: changed rows are written to one SQLite file before the request that changed them is answered.

Only what differs from the bank at the start is stored, so a fresh start needs no file and a restart keeps chats and
numbers. The bank itself is made anew from its seed at each start, unless `rmbot sim seed` has written one into the
file: then that one is the bank.
"""

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

Row = TypeVar("Row")
REMOVED = b""  # stands in the file for a row that is gone


@dataclass(frozen=True, slots=True)
class BankNote:
    """Which bank a file holds: what it was made with, and a digest of its rows."""

    seed: int
    staff: int
    customers: int
    groups: int
    digest: str


_notes: TypeAdapter[BankNote] = TypeAdapter(BankNote)


class Journal:
    """The rows to write at the next flush, and the file they go to (none: memory only)."""

    def __init__(self, path: str | None) -> None:
        self._waiting: dict[tuple[str, str], Callable[[], bytes]] = {}
        self._db = _open(path) if path else None

    def mark(self, shelf: str, key: str, dump: Callable[[], bytes]) -> None:
        """Remember that a row changed; it is serialised when flushed."""
        if self._db is not None:
            self._waiting[(shelf, key)] = dump

    def flush(self) -> None:
        """Write and commit all changed rows in one transaction."""
        if self._db is None or not self._waiting:
            return
        rows = [(shelf, key, dump()) for (shelf, key), dump in self._waiting.items()]
        self._waiting.clear()
        with self._db:
            self._db.executemany(
                "INSERT INTO rows (shelf, key, value) VALUES (?, ?, ?) "
                "ON CONFLICT (shelf, key) DO UPDATE SET value = excluded.value",
                rows,
            )

    def load(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield (shelf, key, value) of every stored row in the order the rows were first written.

        The value is empty for a row that was removed.
        """
        if self._db is not None:
            yield from self._db.execute("SELECT shelf, key, value FROM rows ORDER BY id")

    def find_bank(self) -> BankNote | None:
        """Say which bank was written into the file, None when none was."""
        return self._find_note("bank")

    def find_start(self) -> BankNote | None:
        """Say which bank the file was begun with, made anew at each start; None when nothing was noted."""
        return self._find_note("start")

    def note_start(self, note: BankNote) -> None:
        """Note which bank the file is begun with."""
        if self._db is not None:
            with self._db:
                self._put_note("start", note)

    def _find_note(self, name: str) -> BankNote | None:
        query = "SELECT value FROM meta WHERE name = ?"
        found = self._db.execute(query, (name,)).fetchone() if self._db is not None else None
        return _notes.validate_json(found[0]) if found is not None else None

    def _put_note(self, name: str, note: BankNote) -> None:
        if self._db is not None:
            query = "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"
            self._db.execute(query, (name, _notes.dump_json(note)))

    def load_bank(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield (shelf, key, value) of the bank's rows in the order they were made."""
        if self._db is not None:
            yield from self._db.execute("SELECT shelf, key, value FROM bank ORDER BY id")

    def write_bank(self, note: BankNote, rows: Iterable[tuple[str, str, bytes]]) -> None:
        """Put a whole bank into the file, in place of the one before and of all that happened in it."""
        if self._db is None:
            return
        with self._db:  # one transaction: a file never holds half a bank
            self._db.execute("DELETE FROM rows")
            self._db.execute("DELETE FROM bank")
            self._db.executemany("INSERT INTO bank (shelf, key, value) VALUES (?, ?, ?)", rows)
            self._put_note("bank", note)
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def wipe(self) -> None:
        """Forget everything that happened, in the file as well; the bank stays."""
        self._waiting.clear()
        if self._db is not None:
            with self._db:
                self._db.execute("DELETE FROM rows")

    def close(self) -> None:
        """Flush and close the file; a second call does nothing."""
        self.flush()
        if self._db is not None:
            self._db.close()
            self._db = None


def _open(path: str) -> sqlite3.Connection:
    # one event loop uses it; a test may build the app in one thread and run it in another
    db = sqlite3.connect(path, check_same_thread=False)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=NORMAL")
    db.execute(
        "CREATE TABLE IF NOT EXISTS rows ("
        "id INTEGER PRIMARY KEY, shelf TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (shelf, key))"
    )
    db.execute(
        "CREATE TABLE IF NOT EXISTS bank (id INTEGER PRIMARY KEY, shelf TEXT NOT NULL, key TEXT NOT NULL, "
        "value BLOB NOT NULL)"
    )
    db.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL)")
    db.commit()
    return db


# building an adapter takes milliseconds, and every reset asks for all of them
_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter_of(model: type[Row]) -> TypeAdapter[Row]:
    if model not in _adapters:
        _adapters[model] = TypeAdapter(model)
    return _adapters[model]


class Index(Generic[Row]):
    """Rows of a shelf by something else than their key, kept up by the shelf at every change.

    `names` says under which names a row is found now. Rows are changed in place, so its last answer is remembered.
    """

    def __init__(self, names: Callable[[Row], Iterable[str]]) -> None:
        self._names = names
        self._known: dict[str, tuple[str, ...]] = {}
        self._rows: dict[str, dict[str, Row]] = {}

    def list(self, name: str) -> Collection[Row]:
        """Return the rows under a name in order of arrival: a view, not a copy."""
        return self._rows.get(name, {}).values()

    def note(self, key: str, row: Row) -> None:
        """Take in a new or changed row."""
        names = tuple(self._names(row))
        for name in self._known.get(key, ()):
            if name not in names:
                self._leave(name, key)
        for name in names:
            self._rows.setdefault(name, {})[key] = row
        self._known[key] = names

    def drop(self, key: str) -> None:
        """Forget a row."""
        for name in self._known.pop(key, ()):
            self._leave(name, key)

    def _leave(self, name: str, key: str) -> None:
        rows = self._rows[name]
        rows.pop(key, None)
        if not rows:
            del self._rows[name]


class Shelf(Generic[Row]):
    """All rows of one kind by key, in order of arrival; `put` makes a change durable."""

    def __init__(self, name: str, model: type[Row], key: Callable[[Row], str], journal: Journal) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self._key = key
        self._journal = journal
        self._adapter = _adapter_of(model)
        self._indexes: list[Index[Row]] = []

    def index(self, names: Callable[[Row], Iterable[str]]) -> Index[Row]:
        """Return an index over the shelf's rows, those that are there and those to come."""
        index = Index(names)
        for key, row in self.rows.items():
            index.note(key, row)
        self._indexes.append(index)
        return index

    def find(self, key: str) -> Row | None:
        """Return the row with this key, or None."""
        return self.rows.get(key)

    def seed(self, row: Row) -> Row:
        """Add a row that the seed will make again at the next start: it is not written."""
        self._keep(self._key(row), row)
        return row

    def put(self, row: Row) -> Row:
        """Add or keep a changed row; it is written before the current request is answered."""
        key = self._key(row)
        self._keep(key, row)
        self._journal.mark(self.name, key, lambda: self._adapter.dump_json(row))
        return row

    def remove(self, key: str) -> None:
        """Take a row away for good, a seeded one too; a missing one is no matter."""
        if key in self.rows:
            self._drop(key)
            self._journal.mark(self.name, key, lambda: REMOVED)

    def restore(self, key: str, value: bytes) -> None:
        """Take back a stored row, or its removal."""
        if value == REMOVED:
            self._drop(key)
        else:
            self._keep(key, self._adapter.validate_json(value))

    def dump(self) -> Iterator[tuple[str, str, bytes]]:
        """Yield (shelf, key, value) of every row, as `restore` takes them back."""
        for key, row in self.rows.items():
            yield self.name, key, self._adapter.dump_json(row)

    def _keep(self, key: str, row: Row) -> None:
        self.rows[key] = row
        for index in self._indexes:
            index.note(key, row)

    def _drop(self, key: str) -> None:
        self.rows.pop(key, None)
        for index in self._indexes:
            index.drop(key)
