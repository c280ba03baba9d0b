"""A small running pipeline for tests: real rows, a handler of the test's own, and no platform."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.clock import FrozenClock
from bot.context import Context, Reply, StaffChat, Text, Trace
from bot.dispatcher import Dispatcher
from bot.doors.readers import AppReader, read_event
from bot.events import Event, StaffTextMessage
from bot.inbox.models import InboxRow
from bot.inbox.store import put_events
from bot.inbox.worker import Errand, InboxWorker
from bot.outbox.gate import GateDecision, OutboundGate
from bot.outbox.models import OutboxRow
from bot.outbox.store import list_rows
from bot.router import Router
from bot.settings import InboxSettings
from bot.storage.database import Database, Tx
from tests.bot.edge import a_text_body

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


class WordGate:
    """Blocks what contains one word."""

    def __init__(self, forbidden: str = "保本") -> None:
        self._forbidden = forbidden

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Decide by the word."""
        if self._forbidden in outgoing.content.plain_text():
            return GateDecision(allowed=False, findings=({"term": self._forbidden},), reason="blocked")
        return GateDecision(allowed=True)


class BrokenGate:
    """Cannot decide."""

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Fail, as without a lexicon."""
        raise RuntimeError("nothing to screen with")


@dataclass
class Pipeline:
    """Worker and rows. `handled` lists the texts that reached the handler, in order, retries included."""

    db: Database
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    gate: OutboundGate = field(default_factory=WordGate)
    handled: list[str] = field(default_factory=list)
    errands: dict[type[Event], Errand] = field(default_factory=dict)

    def worker(self, owner: str = "node-1") -> InboxWorker[Context]:
        """Return a worker whose handler echoes, and raises on the word "boom"."""
        router: Router[Context] = Router("echo")

        @router.on(StaffTextMessage)
        async def echo(message: StaffTextMessage, ctx: Context) -> Sequence[Reply]:
            self.handled.append(message.text)
            if message.text == "boom":
                raise RuntimeError("绝密：客户的话")
            return [Reply(StaffChat(message.staff_id), Text(f"你说：{message.text}"), "echo")]

        async def make_context(tx: Tx, row: InboxRow, event: Event, now: datetime) -> Context:
            return Context(now=now, tx=tx, cause=row.id or 0, trace=Trace())

        def apologize(event: Event, blocked: OutboxRow | None) -> Sequence[Reply]:
            assert isinstance(event, StaffTextMessage)
            words = "抱歉，没能处理" if blocked is None else "已拦截"
            return [Reply(StaffChat(event.staff_id), Text(words), "apology")]

        return InboxWorker(
            self.db,
            self.clock,
            InboxSettings(retry_seconds=(2, 10)),
            read_event,
            Dispatcher([router]),
            make_context,
            self.gate,
            apologize,
            self.errands,
            owner,
        )

    async def receive(self, *texts: str, sender: str = "rm001") -> None:
        """Store messages as the edge would."""
        rows = [AppReader().row(a_text_body(sender=sender, text=text), self.clock.now()) for text in texts]
        async with self.db.transaction() as tx:
            await put_events(tx, rows)

    async def replies(self) -> list[tuple[str, str]]:
        """List (state, text) of all outbox rows, oldest first."""
        async with self.db.reading() as tx:
            return [(row.state.value, row.text) for row in reversed(await list_rows(tx, None, 100))]
