"""Fetches what an upload by url names, in the background."""

import asyncio
from collections.abc import Callable

import httpx

TIMEOUT_SECONDS = 30.0


class Fetcher:
    """Gets files from addresses that callers of `media/upload_by_url` name."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.transport = transport
        self._tasks: set[asyncio.Task[None]] = set()

    def fetch(self, url: str, most_bytes: int, done: Callable[[bytes | None], None]) -> None:
        """Get a file in the background and hand it over; None when it cannot be had, or is larger than allowed."""
        task = asyncio.get_running_loop().create_task(self._fetch(url, most_bytes, done))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self) -> None:
        """Wait until nothing is being fetched."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def close(self) -> None:
        """Stop all fetching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _fetch(self, url: str, most_bytes: int, done: Callable[[bytes | None], None]) -> None:
        try:
            content: bytes | None = await self._get(url, most_bytes)
        except (httpx.HTTPError, httpx.InvalidURL):
            content = None
        done(content)

    async def _get(self, url: str, most_bytes: int) -> bytes | None:
        """Return the file; None unless the other side honours `Range`, as the platform demands."""
        whole = bytearray()
        async with (
            httpx.AsyncClient(transport=self.transport, trust_env=False, timeout=TIMEOUT_SECONDS) as client,
            client.stream("GET", url, headers={"Range": "bytes=0-"}) as answer,
        ):
            if answer.status_code != httpx.codes.PARTIAL_CONTENT:
                return None
            async for chunk in answer.aiter_bytes():
                whole += chunk
                if len(whole) > most_bytes:
                    return None
        return bytes(whole)
