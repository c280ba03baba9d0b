"""The long connection to the AI bot's platform (08-aibot.md, 8.5): for a bank that has no port open from outside.

One connection lives at a time; `bot/aibot/node.py` decides which node has it. What comes in is stored before anything
else happens with it: nobody sends it again. What goes out waits for its answer, matched by `req_id`; when the
connection breaks first, its outcome is in doubt, and whoever sent it must decide (bot/aibot/ways.py).
"""

import asyncio
import json
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from bot.aibot.frames import MOST_FRAME_BYTES, Command, Frame, dump_frame, new_req_id, parse_frame
from bot.errors import CallbackMalformed, PlatformError, PlatformUnavailable
from bot.settings import AiBotSettings
from bot.wecom.client import Watch
from bot.wecom.errcodes import error_for, is_success

log = structlog.get_logger("bot.aibot")

_ANSWER_SECONDS = 10.0
_OPEN_SECONDS = 10.0
_LONGEST_PAUSE_SECONDS = 30.0
_MOST_UNSTORED = 1_000
# 846609, not subscribed: the connection is between two subscriptions, so the frame was not carried out.
_NOT_SUBSCRIBED = 846609
_MINUTE = 60.0

# How alerts name a refused subscription.
SUBSCRIPTION, APP = "WS aibot_subscribe", "aibot"

# Stores a callback and returns what to say at once: `AiBotDesk.take`.
Take = Callable[[bytes, str | None], Awaitable[Mapping[str, Any] | None]]


class Ending(StrEnum):
    """Why a connection is no more."""

    CLOSED = "closed"
    LOST = "lost"
    REPLACED = "replaced"
    REFUSED = "refused"


@dataclass(slots=True)
class _Turn:
    """Whose turn it is under one `req_id`: its answers could not be told apart."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class AiBotConnection:
    """One node's end of the connection.

    `watch` is told of a refused subscription, which only an administrator can mend. `pause` says how long to wait after
    so many failures in a row.
    """

    def __init__(
        self,
        settings: AiBotSettings,
        take: Take,
        *,
        watch: Watch | None = None,
        answer_seconds: float = _ANSWER_SECONDS,
        pause: Callable[[int], float] | None = None,
    ) -> None:
        self._settings = settings
        self._take = take
        self._watch = watch
        self._answer_seconds = answer_seconds
        self._pause = pause or pause_seconds
        self._socket: ClientConnection | None = None
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._turns: dict[str, _Turn] = {}
        self._unstored: asyncio.Queue[Frame] = asyncio.Queue(_MOST_UNSTORED)
        self._courtesies: set[asyncio.Task[None]] = set()
        self._replaced = False

    @property
    def is_ready(self) -> bool:
        """Say whether the connection is open and subscribed."""
        return self._ready.is_set()

    def check_ready(self, command: Command) -> None:
        """Raise when a command could not be sent now.

        Raises:
            PlatformUnavailable: not connected.
        """
        if not self._ready.is_set():
            raise PlatformUnavailable(command, errmsg="not connected")

    async def wait_ready(self) -> None:
        """Return when the connection is open and subscribed."""
        await self._ready.wait()

    async def run(self) -> Ending:
        """Hold the connection, and open it again when it breaks, until it is closed, replaced or refused."""
        self._closing.clear()
        storing = asyncio.create_task(self._store_all())
        try:
            return await self._hold()
        finally:
            try:
                # what was received must be stored, whatever ends the connection
                await self._unstored.join()
            finally:
                ending = [storing, *self._courtesies]
                for task in ending:
                    task.cancel()
                await asyncio.gather(*ending, return_exceptions=True)

    def close(self) -> None:
        """End `run` in order."""
        self._closing.set()

    async def _hold(self) -> Ending:
        failures = 0
        while not self._closing.is_set():
            self._replaced = False
            started = time.monotonic()
            ending = await self._serve()
            if ending in (Ending.REPLACED, Ending.REFUSED) or self._closing.is_set():
                return Ending.CLOSED if self._closing.is_set() else ending
            failures = 0 if time.monotonic() - started > _MINUTE else failures + 1
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), self._pause(failures))
        return Ending.CLOSED

    async def _serve(self) -> Ending:
        """Live one connection from its opening to its end."""
        try:
            async with connect(
                self._settings.ws_url,
                open_timeout=_OPEN_SECONDS,
                close_timeout=2,
                ping_interval=None,  # the platform's own ping is a frame
                max_size=MOST_FRAME_BYTES,
            ) as socket:
                self._socket = socket
                return await self._live(socket)
        except (OSError, TimeoutError, WebSocketException) as error:
            log.warning("aibot.connection_lost", error=type(error).__name__)
            return Ending.LOST
        finally:
            self._socket = None
            self._ready.clear()
            self._break_off()

    async def _live(self, socket: ClientConnection) -> Ending:
        tasks = [asyncio.create_task(self._read(socket)), asyncio.create_task(self._wait_closing())]
        try:
            if not await self._subscribe():
                return Ending.REFUSED
            self._ready.set()
            log.info("aibot.connected")
            tasks.append(asyncio.create_task(self._beat()))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except PlatformUnavailable:
            log.warning("aibot.subscription_unanswered")
        finally:
            self._ready.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._replaced:
            log.warning("aibot.connection_replaced")
            return Ending.REPLACED
        return Ending.LOST

    async def _wait_closing(self) -> None:
        await self._closing.wait()

    async def _subscribe(self) -> bool:
        body = {"bot_id": self._settings.bot_id, "secret": self._settings.secret.get_secret_value()}
        try:
            await self._exchange(Command.SUBSCRIBE, body, new_req_id(Command.SUBSCRIBE), self._answer_seconds)
        except PlatformUnavailable:
            raise
        except PlatformError as error:
            log.error("aibot.subscription_refused", errcode=error.errcode)
            if self._watch is not None:
                await self._watch.failed(SUBSCRIPTION, APP, error)
            return False
        if self._watch is not None:
            await self._watch.worked(SUBSCRIPTION, APP)
        return True

    async def _beat(self) -> None:
        """Ping; return when two in a row went unanswered: the connection is dead, whatever the socket says."""
        missed = 0
        while missed < 2:
            await asyncio.sleep(self._settings.ping_seconds)
            try:
                patience = min(self._answer_seconds, self._settings.ping_seconds)
                await self._exchange(Command.PING, None, new_req_id(Command.PING), patience)
                missed = 0
            except PlatformError:
                missed += 1

    async def _read(self, socket: ClientConnection) -> None:
        """Sort what comes in; return when the connection ends or somebody else has it."""
        try:
            async for raw in socket:
                await self._sort(raw)
                if self._replaced:
                    return
        finally:
            self._break_off()

    async def _sort(self, raw: str | bytes) -> None:
        try:
            frame = parse_frame(raw)
        except CallbackMalformed as error:
            log.warning("aibot.frame_unreadable", reason=str(error))
            return
        if not frame.command:
            self._match(frame)
        elif frame.command in (Command.MESSAGE, Command.EVENT):
            await self._unstored.put(frame)
            self._replaced = self._replaced or _is_disconnected(frame)
        else:
            log.info("aibot.frame_unknown", command=frame.command[:80])

    def _match(self, frame: Frame) -> None:
        waiting = self._waiting.get(frame.req_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    def _break_off(self) -> None:
        """Tell everyone who still waits that no answer will come."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("the connection broke before the answer"))

    async def _store_all(self) -> None:
        while True:
            frame = await self._unstored.get()
            try:
                await self._store(frame)
            finally:
                self._unstored.task_done()

    async def _store(self, frame: Frame) -> None:
        """Store a callback, however long it takes: the platform sends it once. Then say what is due at once."""
        try:
            body = json.dumps(frame.body, ensure_ascii=False).encode("utf-8", "replace")
        except (ValueError, RecursionError) as error:
            log.warning("aibot.callback_unreadable", reason=type(error).__name__)
            return
        for failures in range(1, 10):
            try:
                reply = await self._take(body, frame.req_id)
            except CallbackMalformed as error:
                log.warning("aibot.callback_unreadable", reason=str(error))
                return
            except Exception as error:  # a database that is away for a moment must not cost a message
                log.error("aibot.not_stored", error=type(error).__name__, failures=failures)
                await asyncio.sleep(self._pause(failures))
            else:
                if reply is not None:
                    self._say(command_for(reply), reply, frame.req_id)
                return
        log.error("aibot.callback_lost")

    def _say(self, command: Command, body: Mapping[str, Any], req_id: str) -> None:
        """Say it beside the storing of the next callback; what goes wrong is only a courtesy missed."""
        task = asyncio.create_task(self._say_quietly(command, body, req_id))
        self._courtesies.add(task)
        task.add_done_callback(self._courtesies.discard)

    async def _say_quietly(self, command: Command, body: Mapping[str, Any], req_id: str) -> None:
        try:
            await self.request(command, body, req_id)
        except PlatformError as error:
            log.warning("aibot.nothing_said", command=command.value, errcode=error.errcode)

    async def request(self, command: Command, body: Mapping[str, Any], req_id: str) -> dict[str, Any]:
        """Send a frame and return what the platform answers. Frames under one `req_id` go one after the other.

        Raises:
            PlatformUnavailable: not connected; or, with `maybe_done`, no answer came.
            PlatformError: refused, by the class of its code.
        """
        self.check_ready(command)
        turn = self._turns.setdefault(req_id, _Turn())
        turn.users += 1
        try:
            async with turn.lock:
                return await self._exchange(command, body, req_id, self._answer_seconds)
        finally:
            turn.users -= 1
            if not turn.users:
                del self._turns[req_id]

    async def _exchange(
        self, command: Command, body: Mapping[str, Any] | None, req_id: str, timeout_seconds: float
    ) -> dict[str, Any]:
        socket = self._socket
        if socket is None:
            raise PlatformUnavailable(command, errmsg="not connected")
        answered: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[req_id] = answered
        try:
            await socket.send(dump_frame(command, req_id, body))
            frame = await asyncio.wait_for(answered, timeout_seconds)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise PlatformUnavailable(command, errmsg=type(error).__name__, maybe_done=True) from None
        finally:
            if self._waiting.get(req_id) is answered:
                del self._waiting[req_id]
        if frame.errcode == _NOT_SUBSCRIBED:
            raise PlatformUnavailable(command, frame.errcode, frame.errmsg)
        if not is_success(frame.errcode):
            raise error_for(command, frame.errcode, frame.errmsg)
        return {"errcode": frame.errcode, "errmsg": frame.errmsg, **frame.body}


def command_for(reply: Mapping[str, Any]) -> Command:
    """Return the command under which a passive reply of `AiBotDesk` is said on the connection."""
    if reply.get("response_type") == "update_template_card":
        return Command.UPDATE
    return Command.WELCOME if reply.get("msgtype") == "text" else Command.RESPOND


def pause_seconds(failures: int) -> float:
    """Return how long to wait after so many failures in a row: doubling, bounded, and not all nodes at once."""
    longest = min(_LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(failures, 10))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  only to spread


def _is_disconnected(frame: Frame) -> bool:
    event = frame.body.get("event")
    return isinstance(event, dict) and event.get("eventtype") == "disconnected_event"
