"""What a service does by the clock. Every node's clock strikes; what must happen once is decided in the database."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.errors import BotError

log = structlog.get_logger("console.timers")

Work = Callable[[], Awaitable[object]]


class Timers:
    """Runs work at intervals, at an hour of the night, or once and soon. A run that fails leaves it to the next one."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
        self._soon: set[asyncio.Task[None]] = set()

    def every(self, seconds: float, name: str, work: Work) -> None:
        """Run at intervals, one run at a time; what was missed is made up for by one run."""
        self._scheduler.add_job(
            _guard(name, work), "interval", seconds=seconds, id=name, name=name, max_instances=1, coalesce=True
        )

    def nightly(self, hour: int, minute: int, name: str, work: Work) -> None:
        """Run once a night, at most ten minutes from that time, so that nodes do not all begin at once."""
        self._scheduler.add_job(_guard(name, work), "cron", hour=hour, minute=minute, jitter=600, id=name, name=name)

    def soon(self, name: str, work: Work) -> None:
        """Run once, in the background."""
        task = asyncio.create_task(_guard(name, work)())
        self._soon.add(task)
        task.add_done_callback(self._soon.discard)

    def start(self) -> None:
        """Begin; needs a running event loop."""
        self._scheduler.start()

    def stop(self) -> None:
        """Begin nothing new, and break off what was started to run once."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        for task in list(self._soon):
            task.cancel()


def _guard(name: str, work: Work) -> Callable[[], Coroutine[None, None, None]]:
    async def run() -> None:
        try:
            await work()
        except BotError as error:
            log.warning("timer.failed", timer=name, code=error.code)
        except Exception as error:  # the outermost loop: the next run tries again
            log.error("timer.failed", timer=name, error=type(error).__name__)

    return run
