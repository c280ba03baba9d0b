"""How far a broadcast has come, for people: counts, members, recipients, each with its state in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from bot.errors import NotFound
from bot.storage.database import Tx
from customers import StaffRow
from sop.models import BroadcastRow, BroadcastTaskRow, DeliveryRow
from sop.states import BroadcastState, DeliveryState, TaskState


@dataclass(frozen=True, slots=True)
class MemberProgress:
    """One member's part."""

    staff_id: str
    name: str
    state: TaskState
    groups: int
    delivered: int
    confirmed_at: datetime | None
    reminded_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class RecipientProgress:
    """One recipient."""

    recipient_id: str
    name: str
    owner_id: str
    state: DeliveryState
    sent_at: datetime | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class BroadcastProgress:
    """A broadcast at one moment. `counts` holds every delivery state that occurs; the lists are in order of id."""

    id: str
    creator_id: str
    state: BroadcastState
    text: str
    script_id: str | None
    script_version: int | None
    send_at: datetime
    created_at: datetime
    ended_at: datetime | None
    reason: str | None
    members_total: int
    members_confirmed: int
    recipients_total: int
    recipients_delivered: int
    counts: Mapping[DeliveryState, int]
    members: tuple[MemberProgress, ...]
    recipients: tuple[RecipientProgress, ...]


async def broadcast_progress(tx: Tx, broadcast_id: str) -> BroadcastProgress:
    """Return the whole picture of one broadcast (at most 2,000 recipients for each member).

    Raises:
        NotFound: there is none with that id.
    """
    row = await tx.get(BroadcastRow, broadcast_id)
    if row is None:
        raise NotFound(f"no broadcast {broadcast_id}")
    deliveries = (
        await tx.exec(
            select(DeliveryRow).where(DeliveryRow.broadcast_id == row.id).order_by(col(DeliveryRow.recipient_id))
        )
    ).all()
    members = await _members(tx, row.id, deliveries)
    counts = Counter(delivery.state for delivery in deliveries)
    return BroadcastProgress(
        id=row.id,
        creator_id=row.creator_id,
        state=row.state,
        text=row.text,
        script_id=row.script_id,
        script_version=row.script_version,
        send_at=row.send_at,
        created_at=row.created_at,
        ended_at=row.ended_at,
        reason=row.reason,
        members_total=len(members),
        members_confirmed=sum(one.confirmed_at is not None for one in members),
        recipients_total=len(deliveries) - counts[DeliveryState.EXCLUDED],
        recipients_delivered=counts[DeliveryState.DELIVERED],
        counts=dict(counts),
        members=members,
        recipients=tuple(
            RecipientProgress(one.recipient_id, one.name, one.owner_id, one.state, one.sent_at, one.reason)
            for one in deliveries
        ),
    )


async def list_broadcasts(tx: Tx, creator: str | None = None, limit: int = 50) -> list[BroadcastRow]:
    """List broadcasts, of one creator or of all, the newest first, at most `limit`."""
    query = select(BroadcastRow).order_by(col(BroadcastRow.id).desc()).limit(limit)
    if creator is not None:
        query = query.where(BroadcastRow.creator_id == creator)
    return list((await tx.exec(query)).all())


async def _members(tx: Tx, broadcast_id: str, deliveries: Sequence[DeliveryRow]) -> tuple[MemberProgress, ...]:
    rows = await tx.exec(
        select(BroadcastTaskRow, StaffRow.name)
        .join(StaffRow, col(StaffRow.id) == col(BroadcastTaskRow.owner_id), isouter=True)
        .where(BroadcastTaskRow.broadcast_id == broadcast_id)
        .order_by(col(BroadcastTaskRow.owner_id))
    )
    groups = Counter(one.owner_id for one in deliveries if one.state is not DeliveryState.EXCLUDED)
    delivered = Counter(one.owner_id for one in deliveries if one.state is DeliveryState.DELIVERED)
    return tuple(
        MemberProgress(
            staff_id=task.owner_id,
            name=name or task.owner_id,
            state=task.state,
            groups=groups[task.owner_id],
            delivered=delivered[task.owner_id],
            confirmed_at=task.confirmed_at,
            reminded_at=task.reminded_at,
            reason=task.reason,
        )
        for task, name in rows.all()
    )
