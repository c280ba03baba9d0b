"""Work on any number of nodes, on PostgreSQL: procrastinate's jobs point at keys that have work.

A module of its own because importing procrastinate takes long, and SQLite does without it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import procrastinate
import structlog
from procrastinate import exceptions as procrastinate_errors

from bot.clock import Clock
from bot.storage.database import Database, Nudge
from bot.work import SWEEP_BATCH, WorkKind

log = structlog.get_logger("bot.work")


class ProcrastinateWork:
    """Works on any number of nodes, through procrastinate's jobs. A job says: look at this key.

    `lock` keeps two nodes from working on one key at the same time; `queueing_lock` keeps one waiting job per key.
    """

    def __init__(
        self, database: Database, clock: Clock, kinds: Sequence[WorkKind], conninfo: str, sweep_seconds: float = 5.0
    ) -> None:
        self._database = database
        self._clock = clock
        self._kinds = {kind.name: kind for kind in kinds}
        self._sweep_seconds = sweep_seconds
        self._app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=6 + 2 * len(kinds))
        )
        for kind in kinds:
            self._app.task(name=_task_name(kind.name), queue=kind.name)(self._job(kind))
        self._hints: asyncio.Queue[Nudge] = asyncio.Queue(maxsize=10_000)
        # what has a lane of its own must not wait until ten thousand other jobs are written
        self._urgent: asyncio.Queue[Nudge] = asyncio.Queue(maxsize=10_000)
        self._tasks: list[asyncio.Task[None]] = []
        database.on_nudge(self._take)

    def _job(self, kind: WorkKind) -> Callable[..., Awaitable[None]]:
        async def look_at(*, key: str) -> None:
            await kind.drain(key)

        return look_at

    def _take(self, nudges: set[Nudge]) -> None:
        for hint in nudges:
            for kind in self._kinds.values():
                if kind.takes(hint):
                    self._note(kind, hint[1])

    def _note(self, kind: WorkKind, key: str) -> None:
        hints = self._urgent if kind.lane.only else self._hints
        with suppress(asyncio.QueueFull):  # the sweep will find it
            hints.put_nowait((kind.name, key))

    async def start(self) -> None:
        """Begin, with a sweep first."""
        await self._app.open_async()
        self._tasks = [
            asyncio.create_task(self._defer_hints(self._urgent)),
            asyncio.create_task(self._defer_hints(self._hints)),
            *(asyncio.create_task(self._sweep(kind)) for kind in self._kinds.values()),
            asyncio.create_task(self._rescue_regularly()),
        ]
        for kind in self._kinds.values():
            self._tasks.append(asyncio.create_task(self._run_worker(kind)))

    async def stop(self) -> None:
        """Take nothing new, let what runs finish, and end."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self._app.close_async()

    async def _run_worker(self, kind: WorkKind) -> None:
        await self._app.run_worker_async(
            queues=[kind.name],
            name=f"{kind.name}",
            concurrency=kind.concurrency,
            install_signal_handlers=False,
            fetch_job_polling_interval=2.0,
            shutdown_graceful_timeout=10,
            delete_jobs="always",
        )

    async def _defer_hints(self, hints: asyncio.Queue[Nudge]) -> None:
        while True:
            kind, key = await hints.get()
            await self._defer(kind, key)

    async def _defer(self, kind: str, key: str) -> None:
        lock = f"{kind}:{key}"
        task = self._app.configure_task(_task_name(kind), lock=lock, queueing_lock=lock, queue=kind)
        try:
            await task.defer_async(key=key)
        except procrastinate_errors.AlreadyEnqueued:
            return
        except Exception as error:  # a lost hint costs a few seconds: the sweep comes by
            log.error("work.defer_failed", kind=kind, error=type(error).__name__)

    async def _sweep(self, kind: WorkKind) -> None:
        while True:
            try:
                async with self._database.reading() as tx:
                    keys = await kind.list_waiting(tx, self._clock.now(), SWEEP_BATCH)
                for key in keys:
                    await self._defer(kind.name, key)
            except Exception as error:  # the loop must outlive a database that is away for a moment
                log.error("work.sweep_failed", kind=kind.name, error=type(error).__name__)
            await asyncio.sleep(self._sweep_seconds)

    async def _rescue_regularly(self) -> None:
        while True:
            try:
                await self._rescue()
            except Exception as error:  # as above
                log.error("work.rescue_failed", error=type(error).__name__)
            await asyncio.sleep(self._sweep_seconds)

    async def _rescue(self) -> None:
        """Free the keys that a dead node's jobs still lock: the rows behind them are found by the sweep."""
        for job in await self._app.job_manager.get_stalled_jobs(seconds_since_heartbeat=30):
            log.warning("work.job_rescued", task=job.task_name)
            await self._app.job_manager.finish_job(job, status=procrastinate.jobs.Status.FAILED, delete_job=True)


def _task_name(kind: str) -> str:
    return f"bot.{kind}"
