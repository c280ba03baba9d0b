"""Takes the AI bot's callbacks, of both modes: stores them, and returns what must be said within 5 s (08-aibot.md).

Nothing is answered before the event is stored. A refresh of a stream is the exception: it is a question about a row,
not an event, so it is answered from the row and never stored. What is said here passes the gate at the moment it is
said; what the gate holds back, or what the database is too slow for, is left out: the answer then comes later, by the
response_url. Only the update of a pressed card has no later.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, TypeVar

import structlog

from bot.aibot import streams
from bot.aibot.models import BotStreamRow
from bot.aibot.said import Compliance, do_say_at_once, is_allowed
from bot.aibot.states import StreamState
from bot.clock import Clock
from bot.context import BotChat, Content, Markdown, Reply, Text
from bot.doors.readers import AiBotReader, read_aibot
from bot.events import BotCardClicked, BotEntered, BotMedia, BotMention, BotStreamRefresh
from bot.ids import GroupChatId
from bot.inbox.models import NewInboxRow
from bot.inbox.store import find_by_dedupe_key, put_events
from bot.outbox.store import list_for_cause
from bot.storage.database import Database, Tx
from bot.texts import load_texts
from bot.wecom.fields import parse_json

log = structlog.get_logger("bot.aibot")

# The platform waits 5 s (8.2, 8.5), the way there and back included.
PATIENCE_SECONDS = 3.5
# A stream is a courtesy: what it costs must not endanger the storing of the event.
COURTESY_SECONDS = 2.0

WELCOME = "aibot_welcome"
_LONGEST_ID = 128

PassiveReply: TypeAlias = Mapping[str, Any]
Asked: TypeAlias = BotMention | BotMedia
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the desk says by itself: while it thinks, when the time is up, to one who enters, on a pressed card."""

    thinking: str
    late: str
    chosen: str
    welcome: str

    @classmethod
    def load(cls, language: str, welcome: str) -> "Phrases":
        """Take the general ones from our catalogue; the welcome names the bank, so it comes from elsewhere."""
        texts = load_texts("bot.aibot", language)
        return cls(texts["thinking"], texts["late"], texts["chosen"], welcome)


class AiBotDesk:
    """Implements `bot.webhook.Desk`; the long connection uses it as well."""

    def __init__(self, database: Database, clock: Clock, compliance: Compliance, phrases: Phrases) -> None:
        self._database = database
        self._clock = clock
        self._compliance = compliance
        self._phrases = phrases
        self._reader = AiBotReader()
        self._approved_thinking: str | None = None

    async def prepare(self) -> None:
        """Ask the gate once before anybody waits: its first answer takes longer than all others."""
        words = Reply(BotChat(None, "", ""), Markdown(self._phrases.thinking), "aibot_thinking")
        async with self._database.reading() as tx:
            if await is_allowed(tx, words, self._compliance, self._clock.now()):
                self._approved_thinking = self._phrases.thinking

    async def take(self, plaintext: bytes, req_id: str | None = None) -> PassiveReply | None:
        """Store a callback and return what is to be said at once; `None` for nothing.

        Args:
            plaintext: the decrypted body, or the body of a frame.
            req_id: the frame it came in on the long connection.

        Raises:
            CallbackMalformed: it cannot be read.
        """
        now = self._clock.now()
        event = read_aibot(parse_json(plaintext))
        if isinstance(event, BotStreamRefresh):
            return await self._refresh(event, now)
        row = self._reader.row(plaintext, now)
        match event:
            case BotMention() | BotMedia():
                return await self._begin(event, row, req_id, now)
            case BotEntered():
                await self._store(row)
                return await self._in_time("welcome", self._welcome(event, row, now))
            case BotCardClicked():
                await self._store(row)
                return await self._in_time("card", self._press(event, row, now))
            case _:
                await self._store(row)
                return None

    async def _store(self, row: NewInboxRow) -> None:
        async with self._database.transaction() as tx:
            await put_events(tx, [row])

    async def _begin(self, event: Asked, row: NewInboxRow, req_id: str | None, now: datetime) -> PassiveReply | None:
        """Store the message together with its stream, so that no answer can be faster than the stream."""
        # without an id (or one that no index takes) nobody could tell its stream from another's
        thinking = await self._think(event, now) if 0 < len(event.msg_id) <= _LONGEST_ID else None
        async with self._database.transaction() as tx:
            await put_events(tx, [row])
            if thinking is None:
                return None
            stream = await streams.do_open_stream(
                tx,
                msg_id=event.msg_id,
                chat_id=event.chat_id,
                speaker=event.speaker,
                response_url=event.response_url,
                req_id=req_id,
                thinking=thinking,
                now=now,
            )
        return streams.stream_reply(stream)

    async def _think(self, event: Asked, now: datetime) -> str | None:
        """Return the words shown while we think, if the gate lets them pass and answers quickly."""
        reply = _to(event, Markdown(self._phrases.thinking), "aibot_thinking")

        async def ask() -> bool:
            async with self._database.reading() as tx:
                return await is_allowed(tx, reply, self._compliance, now)

        try:
            async with asyncio.timeout(COURTESY_SECONDS):
                allowed = await ask()
        except Exception as error:  # without the courtesy the event is stored all the same
            log.warning("aibot.no_stream", error=type(error).__name__)
            return None
        self._approved_thinking = self._phrases.thinking if allowed else None
        return self._approved_thinking

    async def _refresh(self, event: BotStreamRefresh, now: datetime) -> PassiveReply | None:
        """Say how the answer stands; when the database is too slow to tell, that we still think."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await self._look(event.stream_id, now)
        except Exception as error:  # the platform asks again in a moment, whatever it was
            log.warning("aibot.refresh_blind", error=type(error).__name__)
        if self._approved_thinking is None:
            return None
        stream = {"id": event.stream_id, "finish": False, "content": self._approved_thinking}
        return {"msgtype": "stream", "stream": stream}

    async def _look(self, stream_id: str, now: datetime) -> PassiveReply | None:
        async with self._database.reading() as tx:
            row = await streams.find_stream(tx, stream_id)
        if row is None:
            log.warning("aibot.stream_unknown")
            return None
        if row.state is StreamState.ANSWERED or streams.is_closing(row, now):
            return await self._finish(stream_id, now)
        if row.state in (StreamState.BY_URL, StreamState.SAID_BY_URL, StreamState.LOST):
            return None  # the platform's time was up long ago, and the answer went another way
        return streams.stream_reply(row)

    async def _finish(self, stream_id: str, now: datetime) -> PassiveReply | None:
        """Write down that the answer is fetched, or that the time is up, and only then say so."""
        async with self._database.transaction() as tx:
            row = await streams.lock_stream(tx, stream_id)
            if row is None:
                return None
            if row.state is StreamState.ANSWERED:
                streams.do_fetch(row, now)
            elif streams.is_closing(row, now):
                await self._give_time_up(tx, row, now)
        return streams.stream_reply(row)

    async def _give_time_up(self, tx: Tx, row: BotStreamRow, now: datetime) -> None:
        chat_id = GroupChatId(row.chat_id) if row.chat_id else None
        chat = BotChat(chat_id, row.speaker, row.response_url, row.msg_id)
        reply = Reply(chat, Markdown(self._phrases.late), "aibot_late")
        said = await do_say_at_once(tx, reply, self._compliance, now, cause=None)
        streams.move(row, StreamState.TIMED_OUT)
        row.content = said or ""
        log.warning("aibot.stream_timed_out", stream=row.id)

    async def _welcome(self, event: BotEntered, row: NewInboxRow, now: datetime) -> PassiveReply | None:
        """Greet; a copy of the event is greeted with the same words and leaves no second row."""
        if not self._phrases.welcome:
            return None
        async with self._database.transaction() as tx:
            stored = await find_by_dedupe_key(tx, row.dedupe_key)
            cause = stored.id if stored is not None else None
            words = await self._find_welcome(tx, cause)
            if words is None:
                reply = _to(event, Text(self._phrases.welcome), WELCOME)
                words = await do_say_at_once(tx, reply, self._compliance, now, cause)
        return {"msgtype": "text", "text": {"content": words}} if words else None

    async def _find_welcome(self, tx: Tx, cause: int | None) -> str | None:
        if cause is None:
            return None
        rows = await list_for_cause(tx, cause)
        return next((row.text for row in rows if row.purpose == WELCOME and row.sent_at is not None), None)

    async def _press(self, event: BotCardClicked, row: NewInboxRow, now: datetime) -> PassiveReply | None:
        """Show on the card what was chosen, and take its buttons away."""
        async with self._database.transaction() as tx:
            known = await streams.find_card(tx, event.task_id)
            if known is None:
                return None
            chosen = self._phrases.chosen.format(label=_label(known.card, event.key))
            stored = await find_by_dedupe_key(tx, row.dedupe_key)
            reply = _to(event, Text(chosen), "aibot_card_update")
            said = await do_say_at_once(tx, reply, self._compliance, now, stored.id if stored else None)
        if said is None:
            return None
        update: dict[str, Any] = {
            "response_type": "update_template_card",
            "template_card": {**known.card, "replace_text": said},
        }
        if event.chat_id:
            update["userids"] = [event.speaker]
        return update

    async def _in_time(self, what: str, work: Awaitable[T]) -> T | None:
        """Return what is to be said, or nothing when it cannot be ready in time."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await work
        except Exception as error:  # the event is stored: it is acknowledged without words
            log.warning("aibot.nothing_said", what=what, error=type(error).__name__)
            return None


def _to(event: Asked | BotEntered | BotCardClicked, content: Content, purpose: str) -> Reply:
    return Reply(BotChat(event.chat_id, event.speaker, event.response_url, event.msg_id), content, purpose)


def _label(card: Mapping[str, Any], key: str) -> str:
    """Return the text of the pressed button; its key when the card has none such."""
    buttons = card.get("button_list") or []
    return next((str(button.get("text", key)) for button in buttons if button.get("key") == key), key)
