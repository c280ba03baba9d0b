"""A small HTTP/1.1 load generator on raw sockets: cheap, so that the server is what is measured.

Closed loop: every connection sends its next request when the last one is answered. Open loop: requests are sent at
their planned times whether or not earlier ones are answered, and latency counts from the planned time, so that a
stall is seen in full.
"""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What a run saw. Latencies in milliseconds."""

    answered: int = 0
    refused: int = 0
    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return answers per second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """Return the latency below which the share of answers lies."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def raw_request(path: str, body: bytes, content_type: str) -> bytes:
    """Return the bytes of a POST that keeps its connection."""
    head = f"POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> "_Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def exchange(self, request: bytes) -> int:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        mark = lower.find(b"content-length:")
        if mark >= 0:
            await self._reader.readexactly(int(lower[mark + 15 : lower.index(b"\r\n", mark)]))
        return int(head[9:12])

    def close(self) -> None:
        self._writer.close()


async def closed_loop(port: int, requests: Sequence[bytes], connections: int) -> Outcome:
    """Send all requests over so many connections, each as fast as it is answered."""
    outcome = Outcome()
    queue: Iterator[bytes] = iter(requests)
    opened = [await _Connection.open(port) for _ in range(connections)]

    async def work(connection: _Connection) -> None:
        for request in queue:
            begun = time.perf_counter()
            status = await connection.exchange(request)
            _count(outcome, status, begun)

    begun = time.perf_counter()
    await asyncio.gather(*(work(connection) for connection in opened))
    outcome.seconds = time.perf_counter() - begun
    for connection in opened:
        connection.close()
    return outcome


async def open_loop(port: int, requests: Sequence[bytes], rate: float, connections: int) -> Outcome:
    """Send the requests at `rate` a second, whatever happens to earlier ones."""
    outcome = Outcome()
    free: asyncio.Queue[_Connection] = asyncio.Queue()
    for _ in range(connections):
        free.put_nowait(await _Connection.open(port))

    async def one(request: bytes, planned: float) -> None:
        connection = await free.get()
        status = await connection.exchange(request)
        _count(outcome, status, planned)
        free.put_nowait(connection)

    begun = time.perf_counter()
    running = []
    for number, request in enumerate(requests):
        planned = begun + number / rate
        await asyncio.sleep(max(0.0, planned - time.perf_counter()))
        running.append(asyncio.create_task(one(request, planned)))
    await asyncio.gather(*running)
    outcome.seconds = time.perf_counter() - begun
    while not free.empty():
        free.get_nowait().close()
    return outcome


def _count(outcome: Outcome, status: int, begun: float) -> None:
    outcome.latencies.append((time.perf_counter() - begun) * 1000)
    if status == 200:
        outcome.answered += 1
    else:
        outcome.refused += 1
