"""Durable state: changed rows are written to one SQLite file before the request that changed them is answered.

Only what differs from the seed is stored, so a fresh start needs no file and a restart keeps chats and numbers.
"""

import sqlite3
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

Row = TypeVar("Row")


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

    def load(self) -> Iterator[tuple[str, bytes]]:
        """Yield (shelf, value) of every stored row in the order the rows were first written."""
        if self._db is not None:
            yield from self._db.execute("SELECT shelf, value FROM rows ORDER BY id")

    def wipe(self) -> None:
        """Forget everything, in the file as well."""
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
    db.commit()
    return db


# building an adapter takes milliseconds, and every reset asks for all of them
_adapters: dict[Any, TypeAdapter[Any]] = {}


def _adapter_of(model: type[Row]) -> TypeAdapter[Row]:
    if model not in _adapters:
        _adapters[model] = TypeAdapter(model)
    return _adapters[model]


class Shelf(Generic[Row]):
    """All rows of one kind by key, in order of arrival; `put` makes a change durable."""

    def __init__(self, name: str, model: type[Row], key: Callable[[Row], str], journal: Journal) -> None:
        self.name = name
        self.rows: dict[str, Row] = {}
        self._key = key
        self._journal = journal
        self._adapter = _adapter_of(model)

    def find(self, key: str) -> Row | None:
        """Return the row with this key, or None."""
        return self.rows.get(key)

    def seed(self, row: Row) -> Row:
        """Add a row that the seed will make again at the next start: it is not written."""
        self.rows[self._key(row)] = row
        return row

    def put(self, row: Row) -> Row:
        """Add or keep a changed row; it is written before the current request is answered."""
        key = self._key(row)
        self.rows[key] = row
        self._journal.mark(self.name, key, lambda: self._adapter.dump_json(row))
        return row

    def restore(self, value: bytes) -> None:
        """Take back a stored row."""
        row = self._adapter.validate_json(value)
        self.rows[self._key(row)] = row
