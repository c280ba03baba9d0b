"""One node's share of the long connection: wait for the lease, hold the connection, send what waits, let go in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime

import structlog

from bot.aibot.connection import AiBotConnection, Ending
from bot.aibot.leader import Leadership
from bot.clock import Clock
from bot.lanes import Lane
from bot.outbox.store import OUTBOX
from bot.storage.database import Database, Nudge, Tx

log = structlog.get_logger("bot.aibot")

# What only the node with the connection can send; the other lanes leave it alone.
BOT_LANE = Lane(only=("aibot:",))
_BATCH = 100
_AT_ONCE = 4
_STEADY_SECONDS = 600.0
_STOP_SECONDS = 10.0

Drain = Callable[[str], Awaitable[None]]
ListWaiting = Callable[[Tx, datetime, int], Awaitable[Sequence[str]]]


class AiBotNode:
    """Runs in every node; works in the one that leads.

    Args:
        drain: sends what one recipient has waiting.
        list_waiting: lists recipients of `BOT_LANE` with something to send.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        leadership: Leadership,
        connection: AiBotConnection,
        drain: Drain,
        list_waiting: ListWaiting,
        *,
        renew_seconds: float = 5.0,
        look_seconds: float = 1.0,
    ) -> None:
        self._database = database
        self._clock = clock
        self._leadership = leadership
        self._connection = connection
        self._drain = drain
        self._list_waiting = list_waiting
        self._renew_seconds = renew_seconds
        self._look_seconds = look_seconds
        self._news = asyncio.Event()
        self._stopping = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        database.on_nudge(self._take)

    @property
    def is_connected(self) -> bool:
        """Say whether this node holds the connection."""
        return self._connection.is_ready

    async def start(self) -> None:
        """Begin to stand for leader."""
        self._task = asyncio.create_task(self._stand())

    async def stop(self) -> None:
        """Let what is being sent finish, close the connection, let go of the lease, end."""
        if self._task is None:
            return
        self._stopping.set()
        self._connection.close()
        await asyncio.wait({self._task}, timeout=_STOP_SECONDS)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    def _take(self, nudges: set[Nudge]) -> None:
        if any(kind == OUTBOX and BOT_LANE.takes(key) for kind, key in nudges):
            self._news.set()

    async def _stand(self) -> None:
        while not self._stopping.is_set():
            try:
                if await self._leadership.try_take():
                    await self._lead()
            except Exception as error:  # the loop must outlive a database that is away for a moment
                log.error("aibot.election_failed", error=type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._renew_seconds)

    async def _lead(self) -> None:
        """Hold the connection until it ends or the lease is lost; then let go of both."""
        log.info("aibot.leading")
        started = time.monotonic()
        holding = asyncio.create_task(self._connection.run())
        keeping = asyncio.create_task(self._keep_lease())
        sending = asyncio.create_task(self._send_waiting())
        try:
            await asyncio.wait({holding, keeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._connection.close()
            keeping.cancel()
            ending = (await asyncio.gather(holding, return_exceptions=True))[0]
            # what was being sent has its answer now, or knows that none comes: let it be written down
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), _STOP_SECONDS / 2)
            sending.cancel()
            await asyncio.gather(keeping, sending, return_exceptions=True)
        log.warning("aibot.led", ending=str(ending))
        if ending in (Ending.REPLACED, Ending.REFUSED):
            await self._leadership.rest(steady=time.monotonic() - started > _STEADY_SECONDS)
        else:
            await self._leadership.give_up()

    async def _keep_lease(self) -> None:
        """Renew; return when the lease is lost, or so near its end that it must be given up."""
        while (left := self._leadership.seconds_safe()) > 0:
            await asyncio.sleep(min(self._renew_seconds, left))
            try:
                async with asyncio.timeout(self._leadership.seconds_safe()):
                    if not await self._leadership.renew():
                        return
            except Exception as error:  # as long as the lease is safe, there is another try
                log.warning("aibot.lease_not_renewed", error=type(error).__name__)

    async def _send_waiting(self) -> None:
        """Send what waits for the bot's chats, as soon as it is heard of or seen."""
        while True:
            await self._connection.wait_ready()
            self._news.clear()
            self._idle.clear()
            try:
                async with self._database.reading() as tx:
                    waiting = await self._list_waiting(tx, self._clock.now(), _BATCH)
                await self._drain_all(waiting)
            except Exception as error:  # the rows say what is left
                log.error("aibot.drain_failed", error=type(error).__name__)
            finally:
                self._idle.set()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._look_seconds)

    async def _drain_all(self, recipients: Sequence[str]) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def drain(recipient: str) -> None:
            async with slots:
                await self._drain(recipient)

        await asyncio.gather(*(drain(recipient) for recipient in recipients))
