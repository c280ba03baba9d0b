"""Serve an ASGI application over real HTTP for the length of a test."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to pytest."""
        yield


# Below the range from which systems take ports for outgoing connections, so that none of those can be in the way.
_PORTS = range(20_000, 30_000)


def reserve_port() -> socket.socket:
    """Return a socket bound to a port of its own on the loopback address; it does not listen yet."""
    while True:
        reserved = socket.socket()
        try:
            reserved.bind(("127.0.0.1", random.choice(_PORTS)))
        except OSError:
            reserved.close()
            continue
        return reserved


def free_port() -> int:
    """Return a port that was free a moment ago, for a process that binds it itself."""
    with reserve_port() as reserved:
        return int(reserved.getsockname()[1])


@asynccontextmanager
async def running(app: Any, reserved: socket.socket | None = None) -> AsyncIterator[str]:
    """Serve in this event loop, on a reserved socket or one of its own; yields the address."""
    reserved = reserved or reserve_port()
    port = int(reserved.getsockname()[1])
    server = _Server(uvicorn.Config(app, log_level="error", lifespan="auto"))
    task = asyncio.create_task(server.serve(sockets=[reserved]))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110  uvicorn offers no event for it
            await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task
