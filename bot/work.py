"""Who works on the rows: the interface, and a claim loop in the process for SQLite. `bot/jobs.py` serves PostgreSQL.

Rows are the truth, jobs are pointers. The unit of work is a key (a conversation, a recipient): whoever is told of it
works off its rows in order. A hint that is lost costs nothing, because a sweep finds every key that has work.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.clock import Clock
from bot.lanes import EVERYTHING, Lane
from bot.storage.database import Database, Nudge, Tx

log = structlog.get_logger("bot.work")

SWEEP_BATCH = 500


@dataclass(frozen=True, slots=True)
class WorkKind:
    """A kind of work. `drain` works off what a key has and may be called for one key at a time only.

    `queue` is the name under which nudges come (the same as `name` when empty); of its keys this kind takes those of
    its `lane`, and `list_waiting` must list those only.
    """

    name: str
    drain: Callable[[str], Awaitable[None]]
    list_waiting: Callable[[Tx, datetime, int], Awaitable[Sequence[str]]]
    concurrency: int
    queue: str = ""
    lane: Lane = EVERYTHING

    def takes(self, nudge: Nudge) -> bool:
        """Say whether a nudge is for this kind."""
        queue, key = nudge
        return queue == (self.queue or self.name) and self.lane.takes(key)


class Workforce(Protocol):
    """Runs the kinds of work until it is stopped."""

    async def start(self) -> None:
        """Begin, with a sweep first: what an earlier run left is taken up at once."""
        ...

    async def stop(self) -> None:
        """Take nothing new, let what runs finish, and end."""
        ...


class ClaimLoop:
    """Works inside this process. For SQLite, where there is exactly one."""

    def __init__(self, database: Database, clock: Clock, kinds: Sequence[WorkKind], sweep_seconds: float = 1.0) -> None:
        self._database = database
        self._clock = clock
        self._lanes = {kind.name: _Lane(kind) for kind in kinds}
        self._sweep_seconds = sweep_seconds
        self._tasks: list[asyncio.Task[None]] = []
        database.on_nudge(self._take)

    def _take(self, nudges: set[Nudge]) -> None:
        for nudge in nudges:
            for lane in self._lanes.values():
                if lane.kind.takes(nudge):
                    lane.add(nudge[1])

    async def start(self) -> None:
        """Begin, with a sweep first."""
        for lane in self._lanes.values():
            self._tasks += [asyncio.create_task(lane.run()) for _ in range(lane.kind.concurrency)]
            self._tasks.append(asyncio.create_task(self._sweep(lane)))

    async def stop(self) -> None:
        """Take nothing new, let what runs finish, and end."""
        for lane in self._lanes.values():
            lane.closing = True
        busy = [lane.idle.wait() for lane in self._lanes.values()]
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*busy), timeout=10)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _sweep(self, lane: "_Lane") -> None:
        while True:
            try:
                async with self._database.reading() as tx:
                    keys = await lane.kind.list_waiting(tx, self._clock.now(), SWEEP_BATCH)
            except Exception as error:  # the loop must outlive a database that is away for a moment
                log.error("work.sweep_failed", kind=lane.kind.name, error=type(error).__name__)
                keys = ()
            for key in keys:
                lane.add(key)
            await asyncio.sleep(self._sweep_seconds)


class _Lane:
    """The keys of one kind that have work: each is waiting, or being worked on, or both, but never twice at once."""

    def __init__(self, kind: WorkKind) -> None:
        self.kind = kind
        self.closing = False
        self.idle = asyncio.Event()
        self.idle.set()
        self._waiting: deque[str] = deque()
        self._known: set[str] = set()
        self._active: set[str] = set()
        self._ready = asyncio.Semaphore(0)

    def add(self, key: str) -> None:
        """Note that the key has work."""
        if self.closing or key in self._known:
            return
        self._known.add(key)
        if key not in self._active:
            self._offer(key)

    def _offer(self, key: str) -> None:
        self._waiting.append(key)
        self._ready.release()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            await self._ready.acquire()
            if self.closing:
                continue
            await self._work(self._waiting.popleft())

    async def _work(self, key: str) -> None:
        self._known.discard(key)
        self._active.add(key)
        self.idle.clear()
        try:
            await self.kind.drain(key)
        except Exception as error:  # the outermost loop: the rows say what is left, the sweep finds it
            log.error("work.drain_failed", kind=self.kind.name, error=type(error).__name__)
        finally:
            self._active.discard(key)
            if key in self._known:
                self._offer(key)
            if not self._active:
                self.idle.set()
