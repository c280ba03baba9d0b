"""Every query on alerts."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from bot.alerts.models import AlertKind, AlertRow
from bot.errors import NotFound
from bot.storage.database import Tx


@dataclass(frozen=True, slots=True)
class Trouble:
    """What was seen. Two of one kind and subject are one alert; `detail` holds no customer text and no secret."""

    kind: AlertKind
    subject: str
    app: str = ""
    api: str = ""
    errcode: int | None = None
    detail: str = ""


async def do_raise_alert(tx: Tx, trouble: Trouble, now: datetime, count: int = 1) -> AlertRow:
    """Open an alert, or count it again when it is open. The unique index decides between two nodes."""
    row = await _find_open(tx, trouble)
    if row is None:
        row = await _open(tx, trouble, now, count)
        if row is not None:
            return row
        row = await _find_open(tx, trouble)
        if row is None:  # opened and resolved by others in between
            return await do_raise_alert(tx, trouble, now, count)
    row.count += count
    row.last_at = now
    row.errcode, row.detail = trouble.errcode, trouble.detail[:200]
    return row


async def _find_open(tx: Tx, trouble: Trouble) -> AlertRow | None:
    query = (
        select(AlertRow)
        .where(AlertRow.kind == trouble.kind, AlertRow.subject == trouble.subject, col(AlertRow.resolved_at).is_(None))
        .with_for_update()
    )
    return (await tx.exec(query)).first()


async def _open(tx: Tx, trouble: Trouble, now: datetime, count: int) -> AlertRow | None:
    row = AlertRow(
        kind=trouble.kind,
        subject=trouble.subject,
        app=trouble.app,
        api=trouble.api,
        errcode=trouble.errcode,
        detail=trouble.detail[:200],
        count=count,
        first_at=now,
        last_at=now,
    )
    try:
        async with tx.begin_nested():
            tx.add(row)
    except IntegrityError:
        return None
    return row


async def do_resolve_alert(tx: Tx, kind: AlertKind, subject: str | None, now: datetime, by: str) -> int:
    """Close the open alerts of a kind, of one subject or (with `None`) of all. Returns how many there were."""
    query = select(AlertRow).where(AlertRow.kind == kind, col(AlertRow.resolved_at).is_(None)).with_for_update()
    if subject is not None:
        query = query.where(AlertRow.subject == subject)
    rows = (await tx.exec(query)).all()
    for row in rows:
        row.resolved_at, row.resolved_by = now, by
    return len(rows)


async def do_resolve_by_id(tx: Tx, alert_id: int, now: datetime, by: str) -> AlertRow:
    """Close one alert by hand.

    Raises:
        NotFound: there is no open alert with that number.
    """
    row = await tx.get(AlertRow, alert_id, with_for_update=True)
    if row is None or row.resolved_at is not None:
        raise NotFound(f"no open alert {alert_id}")
    row.resolved_at, row.resolved_by = now, by
    return row


async def list_open_alerts(tx: Tx, limit: int = 50) -> list[AlertRow]:
    """List what is wrong now, the newest trouble first, at most `limit`."""
    query = (
        select(AlertRow)
        .where(col(AlertRow.resolved_at).is_(None))
        .order_by(col(AlertRow.last_at).desc(), col(AlertRow.id).desc())
        .limit(limit)
    )
    return list((await tx.exec(query)).all())
