"""Durable appends to the inbox, one for each engine. Plain drivers and one statement: this is the hot path."""

import asyncio
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import psycopg

from bot.inbox.models import NewInboxRow
from bot.inbox.writer import Appender
from bot.storage import sqlite
from bot.storage.database import Database

_COLUMNS = "source, dedupe_key, conversation, event_type, body, received_at"


class SqliteAppender:
    """One connection, used by one thread, so that the event loop never waits for the disk."""

    _INSERT = f"INSERT INTO inbox ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (dedupe_key) DO NOTHING"  # noqa: S608  our own constants

    def __init__(self, path: str) -> None:
        self._thread = ThreadPoolExecutor(1, "inbox-writer")
        self._connection = sqlite3.connect(
            path, isolation_level=None, check_same_thread=False, timeout=sqlite.BUSY_TIMEOUT_MS / 1000
        )
        sqlite.configure(self._connection)

    async def append(self, rows: Sequence[NewInboxRow]) -> None:
        """Return when the rows are on the disk (synchronous=FULL)."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._write, rows)

    def _write(self, rows: Sequence[NewInboxRow]) -> None:
        values = [
            (
                row.source.value,
                row.dedupe_key,
                row.conversation,
                row.event_type,
                row.body,
                # the form in which SQLAlchemy keeps times in SQLite
                row.received_at.replace(tzinfo=None).isoformat(" ", "microseconds"),
            )
            for row in rows
        ]
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._connection.executemany(self._INSERT, values)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()


class PostgresAppender:
    """One connection of its own; reopened once when it was lost."""

    _INSERT = (
        f"INSERT INTO inbox ({_COLUMNS}) SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], "  # noqa: S608  our own constants
        "%b::text[], %b::timestamptz[]) ON CONFLICT (dedupe_key) DO NOTHING"
    )

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None

    async def append(self, rows: Sequence[NewInboxRow]) -> None:
        """Return when the rows are committed (synchronous_commit as the server has it, on by default)."""
        columns = [
            [row.source.value for row in rows],
            [row.dedupe_key for row in rows],
            [row.conversation for row in rows],
            [row.event_type for row in rows],
            # PostgreSQL's text cannot hold NUL; no XML body can contain it either, a JSON one could
            [row.body.replace("\x00", "") for row in rows],
            [row.received_at for row in rows],
        ]
        for attempt in (1, 2):
            connection = await self._open()
            try:
                await connection.execute(self._INSERT, columns)
                return
            except psycopg.OperationalError:
                await self.close()
                if attempt == 2:
                    raise

    async def _open(self) -> psycopg.AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        return self._connection

    async def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


def make_appender(database: Database) -> Appender:
    """Return the appender for the database's engine."""
    url = database.engine.url
    if database.dialect == "sqlite":
        return SqliteAppender(url.database or "")
    return PostgresAppender(url.set(drivername="postgresql").render_as_string(hide_password=False))
