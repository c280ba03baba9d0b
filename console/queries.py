"""Reads that only pages need: names for ids, excerpts for lists, a page of the audit trail. All bounded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlmodel import col, select

from bot.audit import AuditEntry
from bot.storage.database import Tx
from compliance.models import ArchivedMessageRow, FindingRow
from customers import CustomerGroupRow, CustomerRow, StaffRow

_MAX_IDS = 500


async def names_of(tx: Tx, ids: Iterable[str]) -> dict[str, str]:
    """Return the names of members, customers and groups among `ids`; unknown ids are absent."""
    wanted = sorted(set(ids))[:_MAX_IDS]
    names: dict[str, str] = {}
    for model in (StaffRow, CustomerRow, CustomerGroupRow):
        rows = await tx.exec(select(model.id, model.name).where(col(model.id).in_(wanted)))
        names.update({str(row_id): str(name) for row_id, name in rows.all()})
    return names


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first hit of a case in its message, for a list."""

    text: str
    start: int
    end: int


async def excerpts_of(tx: Tx, case_ids: Sequence[str]) -> dict[str, Excerpt]:
    """Return for each case the message of its first finding, and where in it the rule pointed."""
    query = (
        select(FindingRow.case_id, ArchivedMessageRow.text, FindingRow.start, FindingRow.end)
        .join(ArchivedMessageRow, col(ArchivedMessageRow.id) == col(FindingRow.message_id))
        .where(col(FindingRow.case_id).in_(list(case_ids)[:_MAX_IDS]), col(FindingRow.suppressed_by).is_(None))
        .order_by(col(FindingRow.id).desc())
    )
    return {str(case_id): Excerpt(text, start, end) for case_id, text, start, end in (await tx.exec(query)).all()}


async def list_audit(tx: Tx, before: int | None, actor: str, size: int) -> list[AuditEntry]:
    """List audit entries, newest first, those before sequence number `before` when given."""
    query = select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(size + 1)
    if before is not None:
        query = query.where(AuditEntry.seq < before)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    return list((await tx.exec(query)).all())
