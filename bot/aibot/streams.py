"""The rows of running answers: what any node needs to go on with one (08-aibot.md, 8.2).

The platform asks again and again, at whichever node it reaches, until it is told that the answer is finished, and for
six minutes from the person's message at most. What it is told stands in a row, so that every node says the same, and a
repeated question gets the same answer.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from bot.aibot.models import UNFETCHED, BotCardRow, BotStreamRow
from bot.aibot.states import StreamState, can_move
from bot.errors import Conflict
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from bot.wecom.bot_message import BotMessage

# Callback: six minutes. Long connection: the page says ten, the official plug-in six [T]; six fits both (8.5).
LIFE = timedelta(minutes=6)
# The last words must be in the row while the platform still asks.
CLOSING = timedelta(seconds=15)
# Our clock and the platform's may differ: before this has passed as well, the platform may still come.
GRACE = timedelta(seconds=5)

FINISHED = frozenset({StreamState.ANSWERED, StreamState.FETCHED, StreamState.TIMED_OUT})


def stream_id_of(msg_id: str) -> str:
    """Return the stream of a message: the same one for every copy of its callback."""
    return f"s{hashlib.sha256(msg_id.encode()).hexdigest()[:40]}"


async def do_open_stream(
    tx: Tx,
    *,
    msg_id: str,
    chat_id: str | None,
    speaker: str,
    response_url: str,
    req_id: str | None,
    thinking: str,
    now: datetime,
) -> BotStreamRow:
    """Open the stream of a message; a copy of the message finds the one that is there."""
    stream_id = stream_id_of(msg_id)
    fresh = {
        "id": stream_id,
        "msg_id": msg_id,
        "chat_id": chat_id,
        "speaker": speaker,
        "response_url": response_url,
        "req_id": req_id,
        "state": StreamState.OPEN,
        "content": thinking,
        "started_at": now,
        "deadline_at": now + LIFE,
    }
    await insert_ignore(tx, BotStreamRow, [fresh], conflict=("id",))
    row = await find_stream(tx, stream_id)
    assert row is not None
    return row


async def find_stream(tx: Tx, stream_id: str) -> BotStreamRow | None:
    """Return the stream, without a lock: what is read here may be said, not decided upon."""
    return await tx.get(BotStreamRow, stream_id)


async def lock_stream(tx: Tx, stream_id: str) -> BotStreamRow | None:
    """Return the stream, locked until the transaction ends."""
    query = select(BotStreamRow).where(BotStreamRow.id == stream_id).with_for_update()
    return (await tx.exec(query.execution_options(populate_existing=True))).first()


def takes(row: BotStreamRow, key: str, now: datetime) -> bool:
    """Say whether the answer of parcel `key` belongs into this stream: it is open, or holds that answer already."""
    if row.answer_key == key:
        return row.state in (StreamState.ANSWERED, StreamState.FETCHED)
    return row.state is StreamState.OPEN and now < row.deadline_at - CLOSING


def do_answer(row: BotStreamRow, message: BotMessage) -> None:
    """Put the whole answer into a locked stream that `takes` it; once more changes nothing."""
    if row.answer_key == message.key:
        return
    move(row, StreamState.ANSWERED)
    row.answer_key = message.key
    row.content = message.markdown
    row.card = dict(message.card) if message.card is not None else None


def do_fetch(row: BotStreamRow, now: datetime) -> None:
    """Note that the platform has come for the answer of a locked stream."""
    move(row, StreamState.FETCHED)
    row.fetched_at = now


def is_closing(row: BotStreamRow, now: datetime) -> bool:
    """Say whether an open stream must be ended now, without the answer."""
    return row.state is StreamState.OPEN and now >= row.deadline_at - CLOSING


def move(row: BotStreamRow, new: StreamState) -> None:
    """Change the state.

    Raises:
        Conflict: the table of transitions does not allow it.
    """
    if not can_move(row.state, new):
        raise Conflict(f"a stream that is {row.state.value} cannot become {new.value}")
    row.state = new


def stream_reply(row: BotStreamRow) -> Mapping[str, Any]:
    """Return what the platform is told of the stream now; the last words carry the card."""
    finish = row.state in FINISHED
    stream = {"id": row.id, "finish": finish, "content": row.content, "feedback": {"id": row.id}}
    if finish and row.card is not None:
        return {"msgtype": "stream_with_template_card", "stream": stream, "template_card": row.card}
    return {"msgtype": "stream", "stream": stream}


async def do_keep_card(tx: Tx, message: BotMessage, now: datetime) -> None:
    """Keep a card that people can press, so that it can be shown as pressed."""
    task_id = (message.card or {}).get("task_id")
    if message.card is None or not task_id:
        return
    row = {"task_id": task_id, "card": dict(message.card), "sent_at": now}
    await insert_ignore(tx, BotCardRow, [row], conflict=("task_id",))


async def find_card(tx: Tx, task_id: str) -> BotCardRow | None:
    """Return a card that was handed to the platform."""
    return await tx.get(BotCardRow, task_id)


async def claim_unfetched(tx: Tx, now: datetime, lease: timedelta, limit: int = 20) -> list[tuple[BotStreamRow, bool]]:
    """Claim answers that the platform never came for, to be said through their response_url.

    Returns:
        Each with whether an earlier attempt may have arrived.
    """
    query = (
        select(BotStreamRow)
        .where(
            UNFETCHED,
            col(BotStreamRow.deadline_at) <= now - GRACE,
            col(BotStreamRow.req_id).is_(None),
            col(BotStreamRow.claimed_until).is_(None) | (col(BotStreamRow.claimed_until) <= now),
        )
        .order_by(col(BotStreamRow.deadline_at))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = []
    for row in (await tx.exec(query)).all():
        tried = row.state is StreamState.BY_URL
        if not tried:
            move(row, StreamState.BY_URL)
        row.claimed_until = now + lease
        claimed.append((row, tried))
    return claimed


async def do_forget(tx: Tx, *, started_before: datetime, sent_before: datetime) -> int:
    """Delete streams begun and cards sent before these times; returns how many rows."""
    connection = await tx.connection()
    streams = await connection.execute(delete(BotStreamRow).where(col(BotStreamRow.started_at) < started_before))
    cards = await connection.execute(delete(BotCardRow).where(col(BotCardRow.sent_at) < sent_before))
    return streams.rowcount + cards.rowcount
