"""Works off a conversation's events, one after the other: errand → handler → gate → outbox, in one transaction.

The rows a handler's replies become, and the mark that its event is done, are committed together: whatever happens in
between, each event has its effect once. An event whose handler raises is tried again later, then parked; the person
who wrote gets an honest line.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import Generic, TypeVar

import structlog

from bot.clock import Clock
from bot.context import Context, Reply
from bot.dispatcher import Dispatcher
from bot.errors import BotError
from bot.events import Event, UnknownEvent
from bot.inbox import store
from bot.inbox.models import InboxRow
from bot.outbox.gate import OutboundGate
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.store import enqueue_reply
from bot.settings import InboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.pace import patience

C = TypeVar("C", bound=Context)

# Fetching what a notice only announces (微信客服, archive): it talks to the platform, so it runs outside a transaction.
Errand = Callable[[Event], Awaitable[None]]
ContextFactory = Callable[[Tx, InboxRow, Event, datetime], Awaitable[C]]
# How a stored body is read; it knows the platform, which the inbox does not (bot/doors/readers.py).
EventReader = Callable[[InboxRow], Event]
# What is said instead: when a reply was blocked (the row), or when the event failed for good (None).
Apology = Callable[[Event, OutboxRow | None], Sequence[Reply]]

log = structlog.get_logger("bot.inbox")


class InboxWorker(Generic[C]):
    """Drains conversations. `owner` names this node in the claims it makes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: InboxSettings,
        read_event: EventReader,
        dispatcher: Dispatcher[C],
        make_context: ContextFactory[C],
        gate: OutboundGate,
        apologize: Apology,
        errands: Mapping[type[Event], Errand],
        owner: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._read_event = read_event
        self._dispatcher = dispatcher
        self._make_context = make_context
        self._gate = gate
        self._apologize = apologize
        self._errands = errands
        self._owner = owner
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._unknown_kinds: set[str] = set()

    async def drain(self, conversation: str) -> None:
        """Work off the conversation until nothing in it may be worked on now."""
        while (row := await self._claim(conversation)) is not None:
            await self._work(row)

    async def _claim(self, conversation: str) -> InboxRow | None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.find_next(tx, conversation, now)
            if row is not None:
                store.claim(row, self._owner, now, self._lease)
            return row

    async def _work(self, claimed: InboxRow) -> None:
        row_id = claimed.id or 0
        try:
            # before the lease ends, so that nobody else has taken the event over meanwhile
            async with asyncio.timeout(self._settings.lease_seconds * 0.9):
                event = self._read_event(claimed)
                self._note_unknown(event)
                errand = self._errands.get(type(event))
                if errand is not None:
                    with patience(self._settings.lease_seconds / 3):
                        await errand(event)
                await self._handle(row_id, event)
        except Exception as error:  # the outermost loop: the row must leave the processing state
            await self._fail(row_id, claimed, error)

    async def _handle(self, row_id: int, event: Event) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.get_row(tx, row_id)
            ctx = await self._make_context(tx, row, event, now)
            ctx.trace.note("event", type=type(event).__name__, source=row.source.value)
            replies = await self._dispatcher.dispatch(event, ctx)
            for reply in replies:
                await self._enqueue(tx, reply, event, row_id, now)
            store.finish(row, now, ctx.trace.steps)
        log.info("event.done", row=row_id, event_type=type(event).__name__, replies=len(replies))

    async def _enqueue(self, tx: Tx, reply: Reply, event: Event, row_id: int, now: datetime) -> None:
        queued = await enqueue_reply(tx, reply, self._gate, now, cause=row_id)
        if queued.state is OutboxState.BLOCKED:
            for instead in self._apologize(event, queued):
                await enqueue_reply(tx, instead, self._gate, now, cause=row_id)

    async def _fail(self, row_id: int, claimed: InboxRow, error: Exception) -> None:
        """Plan the next attempt, or park the event and say so to the person who wrote."""
        now = self._clock.now()
        waits = self._settings.retry_seconds
        parked = claimed.attempts > len(waits) or (isinstance(error, BotError) and not error.retryable)
        next_at = None if parked else now + timedelta(seconds=waits[claimed.attempts - 1])
        code = error.code if isinstance(error, BotError) else type(error).__name__
        log.error("event.failed", row=row_id, code=code, attempt=claimed.attempts, parked=parked, at=_place(error))
        async with self._database.transaction() as tx:
            row = await store.get_row(tx, row_id)
            store.fail(row, code, next_at)
        if parked:
            await self._say_sorry(row, now)

    async def _say_sorry(self, row: InboxRow, now: datetime) -> None:
        """Tell the person. In a transaction of its own: what broke the handler may break this as well."""
        try:
            async with self._database.transaction() as tx:
                for reply in self._apologize(self._read_event(row), None):
                    await enqueue_reply(tx, reply, self._gate, now, cause=row.id)
        except Exception as error:  # the event is parked all the same, and visible
            log.error("event.no_apology", row=row.id, error=type(error).__name__)

    def _note_unknown(self, event: Event) -> None:
        if isinstance(event, UnknownEvent) and event.kind not in self._unknown_kinds:
            self._unknown_kinds.add(event.kind)
            log.info("event.unknown", kind=event.kind[:80], hint="add it to bot/wecom/parsing.py to handle it")


def _place(error: Exception) -> str:
    """Return where it was raised, innermost last: file and line only, because messages may hold customers' words."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return " > ".join(f"{PurePath(frame.filename).name}:{frame.lineno}" for frame in frames)
