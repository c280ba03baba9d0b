"""Recipients in quarantine: people the platform said it cannot reach, so that nothing is tried in vain.

One leaves it by a sign of life (an event from that person), by time, or by an administrator.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, func
from sqlmodel import col, select

from bot.errors import NotFound, RecipientUnavailable
from bot.outbox.models import UnreachableRow
from bot.storage.database import Tx

# Codes that are about the person and stay true for the next message as well. A welcome's dead code or a used-up
# address is about that one message, and the state of a kf session (95018) changes without a word from the customer.
LASTING_CODES = {
    "app": frozenset({40003, 46004, 50002, 60021, 60111, 81013}),
    "kf": frozenset({40096, 84061, 95001, 95002}),
}


def is_lasting(recipient: str, error: RecipientUnavailable) -> bool:
    """Say whether the recipient's next message would fail in the same way."""
    return error.errcode in LASTING_CODES.get(recipient.partition(":")[0], ())


async def find_unreachable(tx: Tx, recipient: str, now: datetime) -> UnreachableRow | None:
    """Return why the recipient cannot be reached now, if it is so."""
    row = await tx.get(UnreachableRow, recipient)
    return row if row is not None and row.until > now else None


async def do_mark_unreachable(tx: Tx, recipient: str, error: RecipientUnavailable, now: datetime, days: int) -> None:
    """Put the recipient into quarantine; the sender calls it under its claim on the recipient."""
    row = await tx.get(UnreachableRow, recipient)
    if row is None:
        row = UnreachableRow(recipient=recipient, errcode=0, reason="", since=now, until=now)
        tx.add(row)
    elif row.until <= now:
        row.since = now
    row.errcode, row.reason, row.until = error.errcode, error.errmsg[:200], now + timedelta(days=days)


async def list_unreachable(tx: Tx, now: datetime, limit: int) -> list[UnreachableRow]:
    """List who is in quarantine, the newest first, at most `limit`."""
    query = (
        select(UnreachableRow)
        .where(col(UnreachableRow.until) > now)
        .order_by(col(UnreachableRow.since).desc(), col(UnreachableRow.recipient))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def count_unreachable(tx: Tx, now: datetime) -> int:
    """Count who is in quarantine."""
    return (await tx.exec(select(func.count()).where(col(UnreachableRow.until) > now))).one()


async def do_lift(tx: Tx, recipient: str) -> None:
    """Let the recipient out of quarantine.

    Raises:
        NotFound: it is not in it.
    """
    if not await do_note_alive(tx, recipient):
        raise NotFound(f"{recipient} is not in quarantine")


async def do_note_alive(tx: Tx, recipient: str) -> bool:
    """Let the recipient out after a sign of life; tells whether it was in."""
    statement = delete(UnreachableRow).where(col(UnreachableRow.recipient) == recipient)
    return bool((await (await tx.connection()).execute(statement)).rowcount)
