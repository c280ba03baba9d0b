"""`rmbot serve`: one node of the service."""

import asyncio
import signal
import socket
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import uvicorn

from bot.errors import SettingsError
from bot.storage.migrate import current_revision, newest_revision
from console.compose import build_service
from console.settings import Settings

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run on uvloop where there is one."""
    try:
        import uvloop  # noqa: PLC0415  absent on Windows, where asyncio's own loop serves
    except ImportError:
        return asyncio.run(main)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


async def serve(settings: Settings) -> None:
    """Serve until a signal.

    Raises:
        SettingsError: the database was not migrated to this version's tables.
    """
    service = await build_service(settings)
    try:
        have, need = await current_revision(service.database), newest_revision()
        if have != need:
            raise SettingsError(
                f"the database is at revision {have or 'none'}, this version needs {need}: run `rmbot migrate`"
            )
        await service.start()
        service.timers.soon("customers.sync", service.sync_if_due)
        await WebServer(web_config(service.app, settings.console.host, settings.console.port)).serve()
    finally:
        await service.stop()


class WebServer(uvicorn.Server):
    """A uvicorn server that tells when it takes requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then say so."""
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End in order on SIGINT and SIGTERM.

        uvicorn raises the signal once more when it is done, which kills the process before the workers could finish
        what they hold and give back the rest.
        """
        loop = asyncio.get_running_loop()
        signals = (signal.SIGINT, signal.SIGTERM)
        try:
            for number in signals:
                loop.add_signal_handler(number, self.handle_exit, number, None)
        except NotImplementedError:  # Windows has no such loop
            with super().capture_signals():
                yield
            return
        try:
            yield
        finally:
            for number in signals:
                loop.remove_signal_handler(number)


class QuietServer(WebServer):
    """A second server in the same process: the first one takes the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def web_config(app: Any, host: str, port: int) -> uvicorn.Config:
    """Return the settings of a server; open polls do not hold up its end for more than 3 s."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="httptools",
        log_level="warning",
        access_log=False,
        lifespan="auto",
        server_header=False,
        timeout_graceful_shutdown=3,
    )
