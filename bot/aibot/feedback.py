"""What people think of the bot's answers (08-aibot.md, 8.4)."""

from datetime import datetime

from sqlmodel import col, select

from bot.aibot.models import BotFeedbackRow
from bot.events import BotFeedback
from bot.outbox.models import OutboxRow
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore

_LONGEST_ID = 128


async def do_keep_feedback(tx: Tx, event: BotFeedback, now: datetime, cause: int) -> int | None:
    """Keep a judgement, once for the inbox row `cause`.

    Returns:
        The outbox row of the answer it is about; `None` when that is not known.
    """
    query = select(OutboxRow.id).where(OutboxRow.platform_msgid == event.feedback_id).order_by(col(OutboxRow.id).desc())
    answer = (await tx.exec(query.limit(1))).first() if event.feedback_id else None
    row = {
        "msg_id": event.msg_id if 0 < len(event.msg_id) <= _LONGEST_ID else f"inbox:{cause}",
        "feedback_id": event.feedback_id,
        "outbox_id": answer,
        "chat_id": event.chat_id,
        "speaker": event.speaker,
        "kind": event.kind,
        "content": event.content,
        "reasons": list(event.reasons),
        "said_at": event.occurred_at or now,
    }
    await insert_ignore(tx, BotFeedbackRow, [row], conflict=("msg_id",))
    return answer


async def list_feedback(tx: Tx, limit: int, outbox_id: int | None = None) -> list[BotFeedbackRow]:
    """List the newest judgements, at most `limit`, of one answer or of all."""
    query = select(BotFeedbackRow).order_by(col(BotFeedbackRow.id).desc()).limit(limit)
    if outbox_id is not None:
        query = query.where(BotFeedbackRow.outbox_id == outbox_id)
    return list((await tx.exec(query)).all())
