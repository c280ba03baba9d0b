"""Two nodes' desks on one database, a gate that blocks one word, and bodies as the platform posts them."""

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import col, select

from bot.aibot.desk import AiBotDesk, Phrases
from bot.aibot.models import BotStreamRow
from bot.aibot.streams import stream_id_of
from bot.aibot.ways import StreamWay
from bot.clock import FrozenClock
from bot.context import BotChat, Reply
from bot.inbox.models import InboxRow
from bot.outbox.gate import GateDecision
from bot.outbox.models import OutboxRow
from bot.storage.database import Database, Tx
from bot.wecom.bot_message import BotMessage

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
FORBIDDEN = "保本"
_numbers = itertools.count(1)


@dataclass
class WordCompliance:
    """Blocks what contains one word; `recorded` lists what was said."""

    forbidden: str = FORBIDDEN
    recorded: list[str] = field(default_factory=list)

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Decide by the word."""
        blocked = self.forbidden in outgoing.content.plain_text()
        return GateDecision(allowed=not blocked, reason="blocked" if blocked else None)

    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Note the words."""
        self.recorded.append(row.text)


def phrases(**changes: str) -> Phrases:
    """Return what the desk says by itself."""
    said = {"thinking": "请稍候", "late": "稍后发到这里", "chosen": "已选择：{label}", "welcome": "欢迎"}
    return Phrases(**(said | changes))


@dataclass
class Rig:
    """One database, seen by any number of desks."""

    db: Database
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOW))
    compliance: WordCompliance = field(default_factory=WordCompliance)

    def desk(self, **said: str) -> AiBotDesk:
        """Return the desk of another node."""
        return AiBotDesk(self.db, self.clock, self.compliance, phrases(**said))

    async def answer(self, msg_id: str, text: str, key: str = "o1", card: Mapping[str, Any] | None = None) -> bool:
        """Hand an answer over, as the sender does; says whether the stream took it."""
        chat = BotChat(None, "rm001", "https://example.com/r", msg_id)
        message = BotMessage(text, card, key, in_doubt=False)
        return await StreamWay(self.db).hand_over(chat, message, self.clock.now()) is not None

    async def stream(self, msg_id: str) -> BotStreamRow:
        """Return the stream of a message."""
        async with self.db.reading() as tx:
            row = await tx.get(BotStreamRow, stream_id_of(msg_id))
        assert row is not None
        return row

    async def inbox(self) -> list[str]:
        """List the kinds of stored events, in order."""
        async with self.db.reading() as tx:
            return list((await tx.exec(select(InboxRow.event_type).order_by(col(InboxRow.id)))).all())

    async def outbox(self) -> list[tuple[str, str]]:
        """List (state, text) of all outbox rows, in order."""
        async with self.db.reading() as tx:
            rows = (await tx.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).all()
        return [(row.state.value, row.text) for row in rows]

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(seconds=seconds))


def a_message(text: str = "利率多少", msg_id: str | None = None, chat_id: str | None = None) -> bytes:
    """Return the body of a message to the bot."""
    body: dict[str, Any] = {
        "msgid": msg_id or f"m{next(_numbers)}",
        "aibotid": "aib1",
        "chattype": "group" if chat_id else "single",
        "from": {"userid": "rm001"},
        "response_url": "https://example.com/r",
        "msgtype": "text",
        "text": {"content": text},
    }
    if chat_id:
        body["chatid"] = chat_id
    return json.dumps(body).encode()


def a_refresh(stream_id: str, msg_id: str | None = None) -> bytes:
    """Return the body of a question about a stream."""
    body = {
        "msgid": msg_id or f"r{next(_numbers)}",
        "aibotid": "aib1",
        "chattype": "single",
        "from": {"userid": "rm001"},
        "msgtype": "stream",
        "stream": {"id": stream_id},
    }
    return json.dumps(body).encode()


def an_event(kind: str, data: Mapping[str, Any] | None = None, msg_id: str | None = None, **more: Any) -> bytes:
    """Return the body of an event, its data in a member named like it."""
    body = {
        "msgid": msg_id or f"e{next(_numbers)}",
        "create_time": int(NOW.timestamp()),
        "aibotid": "aib1",
        "chattype": "single",
        "from": {"userid": "rm001"},
        "msgtype": "event",
        "event": {"eventtype": kind, kind: dict(data or {})},
        **more,
    }
    return json.dumps(body).encode()
