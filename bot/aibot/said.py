"""Words that are said at once, in the answer to a callback: through the same gate, into the same outbox and archive.

They cannot wait for the sender. Their row is written as sent in the transaction before they are said: the platform
tells us of them no more than of any other words.
"""

from datetime import datetime
from typing import Protocol

from bot.context import Reply
from bot.outbox.gate import OutboundGate, OutboundRecorder
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.store import enqueue_reply
from bot.storage.database import Tx


class Compliance(OutboundGate, OutboundRecorder, Protocol):
    """The gate before what leaves, and the recorder behind it."""


async def do_say_at_once(tx: Tx, reply: Reply, compliance: Compliance, now: datetime, cause: int | None) -> str | None:
    """Ask the gate and write the row as sent; `None` when the gate holds the words back."""
    row: OutboxRow = await enqueue_reply(tx, reply, compliance, now, cause=cause)
    if row.state is not OutboxState.QUEUED:
        return None
    row.state = OutboxState.SENT
    row.sent_at = row.attempted_at = now
    row.attempts = 1
    await compliance.record_sent(tx, row, now)
    return row.text


async def is_allowed(tx: Tx, reply: Reply, compliance: Compliance, now: datetime) -> bool:
    """Ask the gate about words that the answer itself will replace a moment later: they are not kept."""
    return (await compliance.check(tx, reply, now)).allowed
