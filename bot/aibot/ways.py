"""The two ways that are tried before a message's response_url, one for each mode of the bot (08-aibot.md).

Both are asked again for the same parcel after a crash or a lost answer, and then say nothing twice.
"""

from datetime import datetime

import structlog

from bot.aibot import streams
from bot.aibot.connection import AiBotConnection
from bot.aibot.frames import Command
from bot.aibot.models import BotStreamRow
from bot.aibot.pace import SendPace
from bot.aibot.states import StreamState
from bot.context import BotChat
from bot.errors import PlatformError
from bot.storage.database import Database, Tx
from bot.wecom.bot_message import BotMessage
from bot.wecom.parcel import Receipt

log = structlog.get_logger("bot.aibot")

# req_id expired, req_id unknown, stream expired: the message's own way is closed, one may still write unasked.
_WAY_CLOSED = frozenset({846604, 846605, 846608})
# Whether the platform leaves out a second active send under the same req_id is not documented: assume that it does not.
REPEATS_ARE_DROPPED = False


class InDoubt(PlatformError):
    """It may have arrived, and to say it once more could say it twice: a person decides."""

    code = "platform.in_doubt"


class StreamWay:
    """Callback mode: the answer goes into the stream's row, from which the platform fetches it.

    With that it counts as sent: it is durable, and who delivers it is settled: the platform, which asks every second or
    so; or, when it does not come before the deadline, `bot/aibot/keeper.py` by the response_url, once.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def hand_over(self, chat: BotChat, message: BotMessage, now: datetime) -> Receipt | None:
        """Put the answer into the stream of its message; `None` when there is no open one."""
        async with self._database.transaction() as tx:
            await streams.do_keep_card(tx, message, now)
            row = await _answer_stream(tx, chat, message, now)
        if row is None:
            return None
        return Receipt(msgid=row.id, result={"stream": row.id, "deadline_at": row.deadline_at.isoformat()})


class ConnectionWay:
    """Long connection: the answer is pushed under the message's req_id, later ones are sent unasked."""

    def __init__(self, database: Database, connection: AiBotConnection) -> None:
        self._database = database
        self._connection = connection
        self._pace = SendPace()

    async def hand_over(self, chat: BotChat, message: BotMessage, now: datetime) -> Receipt | None:
        """Push or send the message; never `None`: in this mode there is no other way.

        Raises:
            PlatformError: refused or not answered; `InDoubt` when it is better not said again.
        """
        async with self._database.transaction() as tx:
            await streams.do_keep_card(tx, message, now)
            row = await _answer_stream(tx, chat, message, now)
        if row is not None and row.req_id:
            receipt = await self._push(row, row.req_id, message, now)
            if receipt is not None:
                return receipt
        return await self._send(chat, message, now)

    async def _push(self, row: BotStreamRow, req_id: str, message: BotMessage, now: datetime) -> Receipt | None:
        """Finish the stream. It replaces what stands there, so that once more says nothing twice."""
        if row.state is StreamState.FETCHED:
            return Receipt(msgid=row.id, result={"stream": row.id})
        try:
            answer = await self._connection.request(Command.RESPOND, streams.stream_reply(row), req_id)
        except PlatformError as error:
            if error.errcode not in _WAY_CLOSED:
                raise
            if message.in_doubt:
                raise InDoubt(Command.RESPOND, error.errcode, error.errmsg) from error
            log.info("aibot.stream_closed", stream=row.id, errcode=error.errcode)
            return None
        async with self._database.transaction() as tx:
            locked = await streams.lock_stream(tx, row.id)
            if locked is not None and locked.state is StreamState.ANSWERED:
                streams.do_fetch(locked, now)
        return Receipt(msgid=row.id, result=answer)

    async def _send(self, chat: BotChat, message: BotMessage, now: datetime) -> Receipt:
        if message.in_doubt and not REPEATS_ARE_DROPPED:
            raise InDoubt(Command.SEND, 0, "an earlier attempt may have arrived")
        self._connection.check_ready(Command.SEND)  # what cannot go out must not use up the pace
        to = chat.chat_id or chat.speaker
        self._pace.take(to, now)
        body = {"chatid": to, **message.body(message.key)}
        return Receipt(msgid=message.key, result=await self._connection.request(Command.SEND, body, message.key))


async def _answer_stream(tx: Tx, chat: BotChat, message: BotMessage, now: datetime) -> BotStreamRow | None:
    if not chat.msg_id:
        return None
    row = await streams.lock_stream(tx, streams.stream_id_of(chat.msg_id))
    if row is None or not streams.takes(row, message.key, now):
        return None
    streams.do_answer(row, message)
    return row
