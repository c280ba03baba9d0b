"""What a conversation remembers: the open question (asked, found, forgotten), and who was greeted.

A question that is too old counts as not asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.events import Event, KfText, StaffEvent, StaffMessage
from bot.ids import StaffId
from bot.json import JSON
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from handlers.models import GreetedStaffRow, PendingQuestionRow


class QuestionKind(StrEnum):
    """Which dialogue asks."""

    BROADCAST_TIME = "broadcast_time"
    BROADCAST_SCRIPT = "broadcast_script"
    BROADCAST_AUDIENCE = "broadcast_audience"
    BROADCAST_CONFIRM = "broadcast_confirm"
    KF_CHOICE = "kf_choice"


_KINDS = frozenset(kind.value for kind in QuestionKind)


@dataclass(frozen=True, slots=True)
class PendingQuestion:
    """A question waiting for its answer, and what is known so far."""

    kind: QuestionKind
    known: Mapping[str, JSON]


def conversation_of(event: Event) -> str | None:
    """Name the conversation whose dialogue the event may continue; `None` when it has none."""
    match event:
        case StaffMessage() | StaffEvent():
            return f"app:{event.staff_id}"
        case KfText():
            return f"kf:{event.open_kfid}:{event.customer_id}"
        case _:
            return None


async def find_question(tx: Tx, event: Event, now: datetime) -> PendingQuestion | None:
    """Return the open question of the event's conversation, unless it has expired."""
    conversation = conversation_of(event)
    row = await tx.get(PendingQuestionRow, conversation) if conversation else None
    if row is None or row.expires_at <= now or row.kind not in _KINDS:
        return None
    return PendingQuestion(QuestionKind(row.kind), row.known)


async def do_ask(
    tx: Tx, event: Event, kind: QuestionKind, known: Mapping[str, JSON], now: datetime, wait: timedelta
) -> None:
    """Remember what was asked, in place of any earlier question of the conversation."""
    conversation = conversation_of(event)
    if conversation is None:
        return
    row = await tx.get(PendingQuestionRow, conversation)
    if row is None:
        row = PendingQuestionRow(conversation=conversation, kind=kind, known={}, asked_at=now, expires_at=now)
        tx.add(row)
    row.kind, row.known, row.asked_at, row.expires_at = kind, dict(known), now, now + wait
    await tx.flush()


async def do_forget_question(tx: Tx, event: Event) -> None:
    """Drop the conversation's open question, if any."""
    conversation = conversation_of(event)
    row = await tx.get(PendingQuestionRow, conversation) if conversation else None
    if row is not None:
        await tx.delete(row)
        await tx.flush()


async def do_note_greeted(tx: Tx, staff_id: StaffId, now: datetime) -> bool:
    """Remember that the member was greeted; returns whether this was the first time."""
    row = {"staff_id": staff_id, "greeted_at": now}
    return await insert_ignore(tx, GreetedStaffRow, [row], ("staff_id",)) == 1
