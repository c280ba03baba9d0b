"""Every query on the outbox, and the one way in: `enqueue_reply`."""

from datetime import datetime, timedelta

from sqlalchemy import func, or_, update
from sqlmodel import col, select

from bot.context import Content, Reply, recipient_of
from bot.errors import Conflict, NotFound
from bot.lanes import EVERYTHING, Lane
from bot.outbox.codec import dump_value
from bot.outbox.gate import GateDecision, OutboundGate
from bot.outbox.models import WAITING, OutboxRow, OutboxState
from bot.storage.database import Tx, nudge
from bot.wecom.limits import fit

OUTBOX = "outbox"
EXPIRED = "expired"
PART_FAILED = "part_failed"
_DELAYS_KEPT = 20


async def enqueue_reply(
    tx: Tx,
    reply: Reply,
    gate: OutboundGate,
    now: datetime,
    cause: int | None = None,
    not_before: datetime | None = None,
) -> OutboxRow:
    """Ask the gate, then write the row in the caller's transaction: queued, or blocked with its findings.

    Words too long for one message become several rows that leave in order or not at all; the gate has seen them whole,
    and `evidence` says which part of how many each is. A blocked row is kept as evidence and never leaves.

    Returns:
        The row; of several, the first, by whose id the others name it (`part_of`).

    Raises:
        ContentTooLong: it does not fit and cannot be divided. Nothing is written.
    """
    parts = fit(reply.to, reply.content)
    decision = await gate.check(tx, reply, now)
    if not decision.allowed:
        parts = (reply.content,)
    rows = [
        _new_row(reply, content, decision, now, cause, not_before, (number, len(parts)))
        for number, content in enumerate(parts, start=1)
    ]
    for row in rows:
        tx.add(row)
        await tx.flush()
        if len(rows) > 1:
            row.part_of = rows[0].id
    if decision.allowed:
        nudge(tx, OUTBOX, rows[0].recipient)
    return rows[0]


def _new_row(
    reply: Reply,
    content: Content,
    decision: GateDecision,
    now: datetime,
    cause: int | None,
    not_before: datetime | None,
    part: tuple[int, int],
) -> OutboxRow:
    kind, key = recipient_of(reply.to)
    address_kind, address = dump_value(reply.to)
    content_kind, fields = dump_value(content)
    number, total = part
    return OutboxRow(
        state=OutboxState.QUEUED if decision.allowed else OutboxState.BLOCKED,
        recipient=f"{kind}:{key}",
        address_kind=address_kind,
        address=address,
        content_kind=content_kind,
        content=fields,
        text=content.plain_text(),
        purpose=reply.purpose,
        evidence=dict(reply.evidence) | ({"part": number, "parts": total} if total > 1 else {}),
        findings=[dict(finding) for finding in decision.findings],
        cause=cause,
        created_at=now,
        due_at=max(now, not_before) if not_before else now,
        not_before=not_before,
        expires_at=reply.expires_at,
        error=decision.reason,
    )


async def get_row(tx: Tx, row_id: int) -> OutboxRow:
    """Return the row.

    Raises:
        NotFound: there is none with that id.
    """
    row = await tx.get(OutboxRow, row_id)
    if row is None:
        raise NotFound(f"no outbox row {row_id}")
    return row


async def list_for_cause(tx: Tx, inbox_id: int) -> list[OutboxRow]:
    """List what was queued for one inbox row, in order."""
    return list((await tx.exec(select(OutboxRow).where(OutboxRow.cause == inbox_id).order_by(col(OutboxRow.id)))).all())


async def list_rows(tx: Tx, state: OutboxState | None, limit: int) -> list[OutboxRow]:
    """List the newest rows, at most `limit`, of one state or of all."""
    query = select(OutboxRow).order_by(col(OutboxRow.id).desc()).limit(limit)
    if state is not None:
        query = query.where(OutboxRow.state == state)
    return list((await tx.exec(query)).all())


async def count_by_state(tx: Tx) -> dict[OutboxState, int]:
    """Count the rows of each state; absent means none."""
    rows = await tx.exec(select(OutboxRow.state, func.count()).group_by(col(OutboxRow.state)))
    return {OutboxState(state): count for state, count in rows.all()}


async def find_next(tx: Tx, recipient: str, now: datetime) -> OutboxRow | None:
    """Return the recipient's oldest unsent row if it may be sent now.

    A row that must wait does not hold up later ones that need not, except further parts of its own text; one that is
    being sent does.
    """
    rows = (
        await tx.exec(
            select(OutboxRow)
            .where(WAITING, OutboxRow.recipient == recipient)
            .order_by(col(OutboxRow.id))
            .limit(50)
            .with_for_update()
        )
    ).all()
    if any(row.claimed_until is not None and row.claimed_until > now for row in rows):
        return None
    held_up: set[int] = set()
    for row in rows:
        may_leave = row.not_before is None or row.not_before <= now
        if may_leave and row.part_of not in held_up:
            return row
        if row.part_of is not None:
            held_up.add(row.part_of)
    return None


def delay(row: OutboxRow, now: datetime, until: datetime, why: str) -> None:
    """Have the row wait, and keep why: the newest twenty waits explain a late arrival."""
    row.not_before = until
    wait = {"at": now.isoformat(), "until": until.isoformat(), "why": why}
    row.delays = [*(row.delays or []), wait][-_DELAYS_KEPT:]


async def do_fail(tx: Tx, row: OutboxRow, error: str) -> None:
    """Give the row up, and with it the parts of the same text that were to follow: half a text says something else."""
    row.state = OutboxState.FAILED
    row.error = error
    row.claimed_by = row.claimed_until = None
    if row.part_of is None:
        return
    statement = (
        update(OutboxRow)
        .where(
            col(OutboxRow.part_of) == row.part_of,
            col(OutboxRow.recipient) == row.recipient,
            col(OutboxRow.id) > row.id,
            col(OutboxRow.state) == OutboxState.QUEUED,
        )
        .values(state=OutboxState.FAILED, error=PART_FAILED)
    )
    await (await tx.connection()).execute(statement)


def claim(row: OutboxRow, owner: str, now: datetime, lease: timedelta) -> bool:
    """Mark the row as being sent. Returns whether an earlier attempt may have gone out already."""
    in_doubt = row.state in (OutboxState.SENDING, OutboxState.UNCERTAIN)
    if not in_doubt or row.attempted_at is None:
        row.attempted_at = now
    row.state = OutboxState.SENDING
    row.attempts += 1
    row.claimed_by = owner
    row.claimed_until = now + lease
    return in_doubt


async def release_claims_of(tx: Tx, owner: str) -> None:
    """Let go of what a stopped sender of this name was sending; its rows stay in doubt."""
    statement = (
        update(OutboxRow)
        .where(col(OutboxRow.claimed_by) == owner, col(OutboxRow.state) == OutboxState.SENDING)
        .values(claimed_by=None, claimed_until=None)
    )
    await (await tx.connection()).execute(statement)


async def list_waiting_recipients(tx: Tx, now: datetime, limit: int, lane: Lane = EVERYTHING) -> list[str]:
    """List recipients of a lane that have something which may be sent now, oldest first."""
    rows = await tx.exec(
        select(OutboxRow.recipient)
        .where(
            WAITING,
            lane.condition(OutboxRow.recipient),
            or_(col(OutboxRow.not_before).is_(None), col(OutboxRow.not_before) <= now),
            or_(col(OutboxRow.claimed_until).is_(None), col(OutboxRow.claimed_until) <= now),
        )
        .group_by(OutboxRow.recipient)
        .order_by(func.min(OutboxRow.id))
        .limit(limit)
    )
    return list(rows.all())


async def list_platform_msgids(
    tx: Tx, recipient: str, sent_before: datetime | None = None, limit: int = 200
) -> list[str]:
    """List the platform's ids of what was last sent to the recipient (before a time), newest first."""
    query = (
        select(OutboxRow.platform_msgid)
        .where(OutboxRow.recipient == recipient, col(OutboxRow.platform_msgid).is_not(None))
        .order_by(col(OutboxRow.sent_at).desc())
        .limit(limit)
    )
    if sent_before is not None:
        query = query.where(col(OutboxRow.sent_at) <= sent_before)
    return [msgid for msgid in (await tx.exec(query)).all() if msgid]


async def do_requeue(tx: Tx, row_id: int) -> OutboxRow:
    """Queue a failed row again; one that failed in doubt stays in doubt, so that nothing is said twice.

    Raises:
        NotFound: there is none with that id.
        Conflict: it has not failed, or the platform had taken it and reported later that it did not arrive: under the
            same id it would leave out a second copy, and we would call that success.
    """
    row = await get_row(tx, row_id)
    if row.state is not OutboxState.FAILED:
        raise Conflict(f"outbox row {row_id} is {row.state.value}, not failed: only failed rows can be sent again")
    if row.platform_msgid is not None:
        raise Conflict(f"outbox row {row_id} was taken by the platform and not delivered: write a new message instead")
    row.state = OutboxState.QUEUED if row.attempted_at is None else OutboxState.UNCERTAIN
    row.attempts = 0
    row.not_before = None
    nudge(tx, OUTBOX, row.recipient)
    return row
