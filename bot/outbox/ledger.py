"""How much a member was sent lately: over its limit the platform drops messages without an error (03, 3.2).

Each try is a row, so all nodes count together, and a try of unknown outcome counts too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlmodel import col, select

from bot.outbox.models import SendAttemptRow
from bot.storage.database import Tx


@dataclass(frozen=True, slots=True)
class Allowance:
    """At most `count` in any stretch of `window`."""

    window: timedelta
    count: int


async def free_at(tx: Tx, recipient: str, now: datetime, allowances: tuple[Allowance, ...]) -> datetime | None:
    """Return when the recipient may get one more; `None` when it may now."""
    free: datetime | None = None
    for allowance in allowances:
        query = (
            select(SendAttemptRow.at)
            .where(SendAttemptRow.recipient == recipient, col(SendAttemptRow.at) > now - allowance.window)
            .order_by(col(SendAttemptRow.at).desc())
            .offset(allowance.count - 1)
            .limit(1)
        )
        # the newest of those that must have left the window before another fits in
        blocking = (await tx.exec(query)).first()
        if blocking is not None:
            leaves_at = blocking + allowance.window
            free = leaves_at if free is None else max(free, leaves_at)
    return free


async def record_attempt(tx: Tx, recipient: str, now: datetime, keep: timedelta) -> None:
    """Count one try; forget the recipient's tries older than `keep`."""
    tx.add(SendAttemptRow(recipient=recipient, at=now))
    old = delete(SendAttemptRow).where(col(SendAttemptRow.recipient) == recipient, col(SendAttemptRow.at) <= now - keep)
    await (await tx.connection()).execute(old)
