"""Open the database, and hand out transactions. The engines' differences live in `sqlite.py` and `postgresql.py`."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Literal, TypeAlias

from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.errors import SettingsError
from bot.storage import postgresql, sqlite

Tx: TypeAlias = AsyncSession
Nudge: TypeAlias = tuple[str, str]
NudgeListener: TypeAlias = Callable[[set[Nudge]], None]

_NUDGES = "nudges"


def nudge(tx: Tx, kind: str, key: str) -> None:
    """Say that, once `tx` is committed, there is work of this kind for this key. A hint only: rows are the truth."""
    tx.info.setdefault(_NUDGES, set()).add((kind, key))


class Database:
    """One database, and the rule who may write when.

    SQLite allows one writer: write transactions of this process queue here, in order, instead of finding the file
    locked. PostgreSQL needs no such queue.
    """

    def __init__(self, engine: AsyncEngine, url: str) -> None:
        self.engine = engine
        self.url = url
        self.dialect: Literal["sqlite", "postgresql"] = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"
        self._turn = asyncio.Lock()
        self._listeners: list[NudgeListener] = []

    @classmethod
    async def open(cls, url: str) -> "Database":
        """Connect to `sqlite+aiosqlite:///path` or `postgresql+psycopg://…`.

        Raises:
            SettingsError: the address names an engine we do not speak, or nothing answers there.
        """
        if url.startswith("sqlite+aiosqlite:"):
            engine = sqlite.make_engine(url)
        elif url.startswith("postgresql+psycopg:"):
            engine = postgresql.make_engine(url)
        else:
            raise SettingsError(
                "storage.url must begin with sqlite+aiosqlite:/// or postgresql+psycopg://; "
                "see docs/reference/settings.md"
            )
        return cls(engine, url)

    def write_turn(self) -> AbstractAsyncContextManager[object]:
        """Return what a writer outside `transaction` must hold (the inbox writer does)."""
        return self._turn if self.dialect == "sqlite" else nullcontext()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a write transaction: committed at the end of the block, rolled back when it raises."""
        async with (
            self.write_turn(),
            AsyncSession(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        self.tell(session.info.get(_NUDGES, set()))

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """Open a transaction that only reads; it sees one state of the database throughout."""
        async with AsyncSession(
            self.engine.execution_options(**self._reading_options()), expire_on_commit=False
        ) as session:
            yield session

    def _reading_options(self) -> dict[str, object]:
        return {"bot_reading": True} if self.dialect == "sqlite" else {"postgresql_readonly": True}

    def on_nudge(self, listener: NudgeListener) -> None:
        """Call `listener` with the nudges of every transaction after it was committed."""
        self._listeners.append(listener)

    def tell(self, nudges: set[Nudge]) -> None:
        """Pass nudges on. Public for writers that commit outside `transaction`."""
        if nudges:
            for listener in self._listeners:
                listener(nudges)

    async def create_all(self) -> None:
        """Create every table of the models imported so far, without migrations: for tests."""
        async with self.engine.begin() as connection:
            await connection.run_sync(SQLModel.metadata.create_all)

    async def close(self) -> None:
        """Close all connections."""
        await self.engine.dispose()
