"""Every query on the inbox."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from bot.errors import Conflict, NotFound
from bot.inbox.models import WAITING, InboxRow, InboxState, NewInboxRow
from bot.lanes import EVERYTHING, Lane
from bot.storage.database import Tx, nudge
from bot.storage.upsert import insert_ignore

INBOX = "inbox"


async def put_events(tx: Tx, rows: Sequence[NewInboxRow]) -> int:
    """Store events in the caller's transaction; copies of known ones change nothing. Returns how many were new."""
    values = [
        {
            "source": row.source,
            "dedupe_key": row.dedupe_key,
            "conversation": row.conversation,
            "event_type": row.event_type,
            "body": row.body,
            "received_at": row.received_at,
        }
        for row in rows
    ]
    for row in rows:
        nudge(tx, INBOX, row.conversation)
    return await insert_ignore(tx, InboxRow, values, conflict=("dedupe_key",))


async def find_by_dedupe_key(tx: Tx, dedupe_key: str) -> InboxRow | None:
    """Return the row of that event, if it is known."""
    return (await tx.exec(select(InboxRow).where(InboxRow.dedupe_key == dedupe_key))).first()


async def get_row(tx: Tx, row_id: int) -> InboxRow:
    """Return the row.

    Raises:
        NotFound: there is none with that id.
    """
    row = await tx.get(InboxRow, row_id)
    if row is None:
        raise NotFound(f"no inbox row {row_id}")
    return row


async def list_rows(tx: Tx, state: InboxState | None, limit: int) -> list[InboxRow]:
    """List the newest rows, at most `limit`, of one state or of all."""
    query = select(InboxRow).order_by(col(InboxRow.id).desc()).limit(limit)
    if state is not None:
        query = query.where(InboxRow.state == state)
    return list((await tx.exec(query)).all())


async def count_by_state(tx: Tx) -> dict[InboxState, int]:
    """Count the rows of each state; absent means none."""
    rows = await tx.exec(select(InboxRow.state, func.count()).group_by(col(InboxRow.state)))
    return {InboxState(state): count for state, count in rows.all()}


async def find_next(tx: Tx, conversation: str, now: datetime) -> InboxRow | None:
    """Return the conversation's oldest unfinished row if it may be worked on now.

    A row that waits for its next attempt, or that a living worker holds, keeps later ones of its conversation
    waiting: order inside a conversation is a promise.
    """
    oldest = (
        await tx.exec(
            select(InboxRow)
            .where(WAITING, InboxRow.conversation == conversation)
            .order_by(col(InboxRow.id))
            .limit(1)
            .with_for_update()
        )
    ).first()
    if oldest is None or not _may_work(oldest, now):
        return None
    return oldest


def _may_work(row: InboxRow, now: datetime) -> bool:
    if row.state is InboxState.PROCESSING:
        return row.claimed_until is None or row.claimed_until <= now
    return row.next_at is None or row.next_at <= now


def claim(row: InboxRow, owner: str, now: datetime, lease: timedelta) -> None:
    """Mark the row as being worked on by `owner` until the lease ends, and count the attempt."""
    row.state = InboxState.PROCESSING
    row.attempts += 1
    row.claimed_by = owner
    row.claimed_until = now + lease


async def list_waiting_conversations(tx: Tx, now: datetime, limit: int, lane: Lane = EVERYTHING) -> list[str]:
    """List conversations of a lane that have work which may be done now, oldest first."""
    rows = await tx.exec(
        select(InboxRow.conversation)
        .where(
            WAITING,
            lane.condition(InboxRow.conversation),
            or_(
                (col(InboxRow.state) == InboxState.RECEIVED)
                & (col(InboxRow.next_at).is_(None) | (col(InboxRow.next_at) <= now)),
                (col(InboxRow.state) == InboxState.PROCESSING) & (col(InboxRow.claimed_until) <= now),
            ),
        )
        .group_by(InboxRow.conversation)
        .order_by(func.min(InboxRow.id))
        .limit(limit)
    )
    return list(rows.all())


async def release_claims_of(tx: Tx, owner: str) -> None:
    """Give back what a stopped worker of this name still held."""
    statement = (
        update(InboxRow)
        .where(col(InboxRow.claimed_by) == owner, col(InboxRow.state) == InboxState.PROCESSING)
        .values(state=InboxState.RECEIVED, claimed_by=None, claimed_until=None)
    )
    await (await tx.connection()).execute(statement)


def finish(row: InboxRow, now: datetime, trace: list[dict[str, Any]]) -> None:
    """Mark the row done."""
    row.state = InboxState.DONE
    row.done_at = now
    row.claimed_by = None
    row.claimed_until = None
    row.error = None
    row.trace = trace


def fail(row: InboxRow, error: str, next_at: datetime | None) -> None:
    """Record a failed attempt: to be tried again at `next_at`, or parked when that is `None`."""
    row.state = InboxState.FAILED if next_at is None else InboxState.RECEIVED
    row.next_at = next_at
    row.claimed_by = None
    row.claimed_until = None
    row.error = error


async def do_replay(tx: Tx, row_id: int) -> InboxRow:
    """Put a parked row back into its conversation with fresh attempts.

    Raises:
        NotFound: there is none with that id.
        Conflict: it is not parked.
    """
    row = await get_row(tx, row_id)
    if row.state is not InboxState.FAILED:
        raise Conflict(f"inbox row {row_id} is {row.state.value}, not failed: only failed rows can be replayed")
    row.state = InboxState.RECEIVED
    row.attempts = 0
    row.next_at = None
    nudge(tx, INBOX, row.conversation)
    return row
