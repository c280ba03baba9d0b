"""Members who are gone and leave customers behind: noticed by events and by the sweep alike, kept until dealt with.

Noticing is all that is done here. Ending the leaver's access and telling the branch is the console's part
(`list_unsettled_departures`, `do_settle_departure`), because accounts and to-dos live above this package.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select

from bot.ids import StaffId
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from customers.batches import iter_batches
from customers.models import BranchRow, CustomerGroupRow, DepartureRow, FollowRow, FollowState, StaffRow

# A directory deeper than this is a loop.
_MAX_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Departure:
    """A member who is gone; `name` as last known. Counts as they were when it was noticed."""

    staff_id: StaffId
    name: str
    branch_id: int | None
    customers: int
    groups: int
    noticed_at: datetime


async def do_note_departure(tx: Tx, staff: StaffRow, now: datetime) -> None:
    """Put down that a member is gone, with what they leave. Again after a return it is a new departure."""
    values = {
        "branch_id": staff.branch_id,
        "customers": await _count_customers(tx, staff.id),
        "groups": await _count_groups(tx, staff.id),
        "noticed_at": now,
        "settled_at": None,
        "closed_at": None,
    }
    if await insert_ignore(tx, DepartureRow, [{"staff_id": staff.id, **values}], ("staff_id",)):
        return
    row = await tx.get_one(DepartureRow, staff.id)
    if row.closed_at is not None:
        for name, value in values.items():
            setattr(row, name, value)


async def do_close_departures(tx: Tx, staff_ids: Sequence[str], now: datetime) -> int:
    """Close the departures of members who are back, or whose customers are taken over. Returns how many were open."""
    closed = 0
    for batch in iter_batches(staff_ids):
        query = select(DepartureRow).where(col(DepartureRow.staff_id).in_(batch), col(DepartureRow.closed_at).is_(None))
        for row in (await tx.exec(query)).all():
            row.closed_at = now
            closed += 1
    return closed


async def do_close_handed_over(tx: Tx, now: datetime) -> int:
    """Close the departures of which nothing is left: every customer has another member, every group another owner."""
    waiting = select(DepartureRow).where(
        col(DepartureRow.settled_at).is_not(None), col(DepartureRow.closed_at).is_(None)
    )
    closed = 0
    for row in (await tx.exec(waiting)).all():
        if not await _count_customers(tx, row.staff_id) and not await _count_groups(tx, row.staff_id):
            row.closed_at = now
            closed += 1
    return closed


async def list_unsettled_departures(tx: Tx, limit: int = 100) -> list[Departure]:
    """List departures nobody has acted on, oldest first."""
    query = (
        select(DepartureRow, StaffRow.name)
        .join(StaffRow, col(StaffRow.id) == col(DepartureRow.staff_id))
        .where(col(DepartureRow.settled_at).is_(None), col(DepartureRow.closed_at).is_(None))
        .order_by(col(DepartureRow.noticed_at), col(DepartureRow.staff_id))
        .limit(limit)
    )
    return [_departure(row, name) for row, name in (await tx.exec(query)).all()]


async def list_open_departures(tx: Tx, limit: int = 500) -> list[Departure]:
    """List departures whose customers have not been taken over yet, oldest first."""
    query = (
        select(DepartureRow, StaffRow.name)
        .join(StaffRow, col(StaffRow.id) == col(DepartureRow.staff_id))
        .where(col(DepartureRow.closed_at).is_(None))
        .order_by(col(DepartureRow.noticed_at), col(DepartureRow.staff_id))
        .limit(limit)
    )
    return [_departure(row, name) for row, name in (await tx.exec(query)).all()]


async def do_settle_departure(tx: Tx, staff_id: StaffId, now: datetime) -> bool:
    """Note that access was ended and the branch told. False when it was settled or closed already."""
    query = select(DepartureRow).where(DepartureRow.staff_id == staff_id).with_for_update()
    row = (await tx.exec(query)).first()
    if row is None or row.settled_at is not None or row.closed_at is not None:
        return False
    row.settled_at = now
    if not row.customers and not row.groups:
        row.closed_at = now
    return True


async def list_heads_for(tx: Tx, branch_id: int | None) -> list[StaffId]:
    """List the active heads of a department, or of the nearest department above it that has any."""
    for _ in range(_MAX_DEPTH):
        if not branch_id:
            return []
        query = select(StaffRow.id).where(StaffRow.branch_id == branch_id, col(StaffRow.leads), col(StaffRow.active))
        heads = (await tx.exec(query.order_by(col(StaffRow.id)).limit(20))).all()
        if heads:
            return [StaffId(one) for one in heads]
        branch = await tx.get(BranchRow, branch_id)
        branch_id = branch.parent_id if branch is not None else None
    return []


async def _count_customers(tx: Tx, staff_id: str) -> int:
    query = select(func.count()).where(col(FollowRow.staff_id) == staff_id, col(FollowRow.state) == FollowState.ACTIVE)
    return int((await tx.exec(query)).one())


async def _count_groups(tx: Tx, staff_id: str) -> int:
    query = select(func.count()).where(
        col(CustomerGroupRow.owner_id) == staff_id, col(CustomerGroupRow.active).is_(True)
    )
    return int((await tx.exec(query)).one())


def _departure(row: DepartureRow, name: str) -> Departure:
    return Departure(StaffId(row.staff_id), name, row.branch_id, row.customers, row.groups, row.noticed_at)
