"""What runs for the AI bot: streams that are being asked about, and the one live long connection."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

SendText = Callable[[str], Awaitable[None]]
Close = Callable[[], Awaitable[None]]


@dataclass(eq=False, slots=True)
class Link:
    """One long connection after it was opened; `subscribed` once its secret was accepted."""

    send: SendText
    close: Close
    drop: Callable[[], None]
    subscribed: bool = False
    uploads: "dict[str, Upload]" = field(default_factory=dict)


@dataclass(slots=True)
class Upload:
    """A file that is coming in by chunks."""

    type: str
    filename: str
    total_size: int
    total_chunks: int
    md5: str
    chunks: dict[int, bytes] = field(default_factory=dict)


class BotDesk:
    """Keeps the tasks of running streams and knows which connection is live. It decides nothing."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.link: Link | None = None
        self.subscriptions = 0
        self.open_links: set[Link] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something until it ends or the simulator does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def pause(self, seconds: float) -> None:
        """Hold a frame up."""
        await asyncio.sleep(seconds)

    def forget(self) -> None:
        """Stop asking about streams."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Stop everything, and hang up."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for link in list(self.open_links):
            link.drop()
