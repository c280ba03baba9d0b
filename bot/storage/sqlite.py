"""What is particular to SQLite: pragmas, and when a transaction takes the write lock."""

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

BUSY_TIMEOUT_MS = 10_000


def configure(connection: sqlite3.Connection | Any) -> None:
    """Set what every connection needs.

    synchronous=FULL: a commit is on the disk before it returns; without it WAL loses the newest commits on power loss,
    and a callback acknowledged after them would be gone.
    """
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA temp_store=MEMORY")
    # A checkpoint holds up the commit that starts it: have a quarter as many as by default.
    cursor.execute("PRAGMA wal_autocheckpoint=4000")
    cursor.close()


def make_engine(url: str) -> AsyncEngine:
    """Return an engine whose write transactions begin with the write lock.

    A transaction that read first and wrote later could find that another one had written in between, and fail with
    SQLITE_BUSY however long it waits; BEGIN IMMEDIATE asks at the door instead.
    """
    engine = create_async_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        configure(connection)

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("bot_reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine
