"""The inbox writer: concurrent callbacks share one durable commit.

While one commit is on its way to the disk, what arrives meanwhile gathers and goes with the next. So the cost of the
disk is paid once for many, and a lone callback never waits for company.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from bot.inbox.models import NewInboxRow
from bot.inbox.store import INBOX
from bot.storage.database import Database


class Appender(Protocol):
    """Inserts rows, ignoring copies, and commits durably."""

    async def append(self, rows: Sequence[NewInboxRow]) -> None:
        """Return when the rows are on the disk."""
        ...

    async def close(self) -> None:
        """Let go of the connection."""
        ...


class GroupCommitWriter:
    """Implements `bot.webhook.InboxWriter`."""

    def __init__(self, database: Database, appender: Appender) -> None:
        self._database = database
        self._appender = appender
        self._waiting: list[tuple[NewInboxRow, asyncio.Future[None]]] = []
        self._running: asyncio.Task[None] | None = None

    async def put(self, row: NewInboxRow) -> None:
        """Return when the row, or an earlier copy of it, is on the disk. Raises what the database raised."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        await stored

    async def close(self) -> None:
        """Finish what is waiting, then let go of the connection."""
        if self._running is not None:
            await self._running
        await self._appender.close()

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        finally:
            self._running = None

    async def _commit(self, batch: list[tuple[NewInboxRow, asyncio.Future[None]]]) -> None:
        try:
            async with self._database.write_turn():
                await self._appender.append([row for row, _ in batch])
        except Exception as error:  # each waiting request must learn of it, and say 503
            for _, stored in batch:
                if not stored.done():
                    stored.set_exception(error)
            return
        for _, stored in batch:
            if not stored.done():  # the client may have gone away
                stored.set_result(None)
        self._database.tell({(INBOX, row.conversation) for row, _ in batch})
