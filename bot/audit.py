"""The audit trail: who did or saw what, when. Append-only, chained, written with what it records.

An entry's hash covers its content and the hash before it, so an edit, a deletion in the middle, an insertion and a
reordering are found by `verify`. Cutting the tail is not: that needs signed checkpoints kept elsewhere.
Source: ../shared/compliance/facts.md section 7.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, text
from sqlmodel import Field, SQLModel, col, select

from bot.json import JSON
from bot.storage.database import Tx
from bot.storage.types import JsonColumn, UtcDateTime

_GENESIS = "0" * 64
# Any fixed number: it names the chain among PostgreSQL's advisory locks.
_CHAIN_LOCK = 7_205_759


class AuditEntry(SQLModel, table=True):
    """One entry. `seq` has no gaps and begins at 1."""

    __tablename__ = "audit_entry"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    actor: str = Field(index=True)
    action: str = Field(index=True)
    subject: str = Field(index=True)
    details: dict[str, Any] = Field(sa_type=JsonColumn)
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The result of `verify`. `broken_at` is the first sequence number that does not fit, if any."""

    ok: bool
    count: int
    broken_at: int | None = None


async def record(
    tx: Tx, *, actor: str, action: str, subject: str, details: Mapping[str, JSON], now: datetime
) -> AuditEntry:
    """Append an entry in the caller's transaction. Two nodes take turns by an advisory lock held until commit."""
    if tx.get_bind().dialect.name == "postgresql":
        await (await tx.connection()).execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _CHAIN_LOCK})
    last = (await tx.exec(select(AuditEntry).order_by(col(AuditEntry.seq).desc()).limit(1))).first()
    seq, prev_hash = (last.seq + 1, last.hash) if last else (1, _GENESIS)
    content = dict(details)
    entry = AuditEntry(
        seq=seq,
        at=now,
        actor=actor,
        action=action,
        subject=subject,
        details=content,
        prev_hash=prev_hash,
        hash=_digest(seq, now, actor, action, subject, content, prev_hash),
    )
    tx.add(entry)
    await tx.flush()
    return entry


async def verify(tx: Tx) -> AuditCheck:
    """Walk the whole chain, in pages, and recompute every hash."""
    count = (await tx.exec(select(func.count()).select_from(AuditEntry))).one()
    prev_hash, expected = _GENESIS, 1
    while True:
        page = (
            await tx.exec(
                select(AuditEntry).where(col(AuditEntry.seq) >= expected).order_by(col(AuditEntry.seq)).limit(1000)
            )
        ).all()
        if not page:
            return AuditCheck(
                ok=expected == count + 1, count=count, broken_at=None if expected == count + 1 else expected
            )
        for entry in page:
            digest = _digest(entry.seq, entry.at, entry.actor, entry.action, entry.subject, entry.details, prev_hash)
            if entry.seq != expected or entry.prev_hash != prev_hash or entry.hash != digest:
                return AuditCheck(ok=False, count=count, broken_at=expected)
            prev_hash, expected = entry.hash, expected + 1


def _digest(
    seq: int, at: datetime, actor: str, action: str, subject: str, details: Mapping[str, JSON], prev_hash: str
) -> str:
    canonical = json.dumps(
        [seq, at.isoformat(), actor, action, subject, details, prev_hash],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(canonical.encode()).hexdigest()
