"""Who may see which case, and the viewing itself, which is recorded."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy import func
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from bot.audit import record
from bot.errors import Forbidden, NotFound
from bot.storage.database import Tx
from compliance.cases import CaseState
from compliance.findings import Action, Category, Severity, Technique
from compliance.messages import ChatKind, SenderKind
from compliance.models import ArchivedMessageRow, CaseRow, FindingRow, VerdictRow

REVIEW = "review"
AML = "aml"

CONTEXT = 3
_MAX_WINDOW = 400


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who acts: id, name, and rights. `review` opens the desk, `aml` the confidential queue."""

    id: str
    name: str
    rights: frozenset[str]

    @property
    def sees_confidential(self) -> bool:
        """Tell whether AML cases exist for this person."""
        return AML in self.rights


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A case as a line of the queue."""

    id: str
    conversation: str
    chat_kind: ChatKind
    category: Category
    severity: Severity
    state: CaseState
    confidential: bool
    revision: int
    assignee: str | None
    subjects: tuple[str, ...]
    finding_count: int
    first_hit_at: datetime
    last_hit_at: datetime
    opened_at: datetime
    due_at: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class WindowFinding:
    """A finding to be marked in a message, with what an officer asks: which rule, which version, why not."""

    rule_id: str
    term: str
    category: Category
    severity: Severity
    action: Action
    technique: Technique
    start: int
    end: int
    lexicon_version: int
    suppressed_by: str | None


@dataclass(frozen=True, slots=True)
class WindowMessage:
    """A message in the window."""

    id: int
    sender_id: str
    sender_kind: SenderKind
    msgtype: str
    text: str
    text_sha256: str
    sent_at: datetime
    is_revoked: bool
    findings: tuple[WindowFinding, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages left out here; `is_leading` when they lie before the window and can be loaded with `earlier`."""

    hidden: int
    is_leading: bool = False


WindowItem: TypeAlias = WindowMessage | Gap


@dataclass(frozen=True, slots=True)
class VerdictView:
    """A decision in a case's history."""

    id: int
    kind: str
    actor: str
    decided_at: datetime
    reason_code: str | None
    note: str
    severity: Severity | None
    conduct: str | None
    follow_up: str | None
    target: str | None
    undoes: int | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case opened: its window, its history, and why this person may not decide, if they may not."""

    case: CaseSummary
    items: tuple[WindowItem, ...]
    verdicts: tuple[VerdictView, ...]
    is_own_conduct: bool

    @property
    def message_ids(self) -> tuple[int, ...]:
        """Return the messages shown."""
        return tuple(item.id for item in self.items if isinstance(item, WindowMessage))


async def access_case(
    tx: Tx, actor: Reviewer, case_id: str, now: datetime, *, context: int = CONTEXT, earlier: int = 0
) -> CaseView:
    """Open a case: each hit with `context` messages before and after, and `earlier` more before the first.

    Effects:
        Writes who saw which messages to the audit log, in the caller's transaction.

    Raises:
        Forbidden: the actor may not review.
        NotFound: no such case, or one this person must not know of.
    """
    row = await get_case(tx, actor, case_id)
    items = await _window(tx, actor, row, context, earlier)
    view = CaseView(
        case=summary_of(row, now),
        items=items,
        verdicts=await _list_verdicts(tx, case_id),
        is_own_conduct=await is_involved(tx, actor, row),
    )
    await record(
        tx,
        actor=actor.id,
        action="case.viewed",
        subject=f"case:{case_id}",
        details={"revision": row.revision, "messages": list(view.message_ids), "seen_sha256": seen_digest(items)},
        now=now,
    )
    return view


async def get_case(tx: Tx, actor: Reviewer, case_id: str, *, lock: bool = False) -> CaseRow:
    """Return the row if the actor may know of it; `lock` keeps others from changing it until commit."""
    if REVIEW not in actor.rights:
        raise Forbidden("reviewing needs the right 'review'")
    query = select(CaseRow).where(CaseRow.id == case_id)
    row = (await tx.exec(query.with_for_update() if lock else query)).first()
    # The same answer for "none" and "hidden": an AML case must not be guessed at.
    if row is None or (row.confidential and not actor.sees_confidential):
        raise NotFound(f"no case {case_id}")
    return row


async def is_involved(tx: Tx, actor: Reviewer, row: CaseRow) -> bool:
    """Tell whether the case is about the actor, or the actor spoke in its window."""
    if actor.id in row.subjects:
        return True
    query = (
        select(ArchivedMessageRow.id)
        .where(
            ArchivedMessageRow.conversation == row.conversation,
            ArchivedMessageRow.sender_id == actor.id,
            col(ArchivedMessageRow.sent_at).between(row.first_hit_at, row.last_hit_at),
        )
        .limit(1)
    )
    return (await tx.exec(query)).first() is not None


def summary_of(row: CaseRow, now: datetime) -> CaseSummary:
    """Return the line of the queue for a row."""
    waiting = row.state in (CaseState.OPEN, CaseState.ASSIGNED, CaseState.IN_REVIEW, CaseState.REOPENED)
    return CaseSummary(
        id=row.id,
        conversation=row.conversation,
        chat_kind=row.chat_kind,
        category=row.category,
        severity=row.severity,
        state=row.state,
        confidential=row.confidential,
        revision=row.revision,
        assignee=row.assignee,
        subjects=tuple(row.subjects),
        finding_count=row.finding_count,
        first_hit_at=row.first_hit_at,
        last_hit_at=row.last_hit_at,
        opened_at=row.opened_at,
        due_at=row.due_at,
        is_overdue=waiting and row.due_at < now,
    )


def seen_digest(items: Sequence[WindowItem]) -> str:
    """Return a hash over the hashes of the messages shown: proves later which words were before the officer."""
    hashes = [item.text_sha256 for item in items if isinstance(item, WindowMessage)]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


async def list_seen(tx: Tx, actor: Reviewer, row: CaseRow) -> tuple[WindowItem, ...]:
    """Return the window as it stands now, for the evidence of a decision."""
    return await _window(tx, actor, row, CONTEXT, 0)


async def _window(tx: Tx, actor: Reviewer, row: CaseRow, context: int, earlier: int) -> tuple[WindowItem, ...]:
    findings = await _findings_of(tx, actor, row)
    before, hidden = await _before(tx, row, context + earlier)
    inside = await _between(tx, row)
    after = await _after(tx, row, context)
    messages = [*before, *inside, *after]
    kept = _near_hits([message.id in findings for message in messages], context)
    kept = kept | set(range(len(before)))
    items: list[WindowItem] = [Gap(hidden, is_leading=True)] if hidden else []
    skipped = 0
    for index, message in enumerate(messages):
        if index not in kept:
            skipped += 1
            continue
        if skipped:
            items.append(Gap(skipped))
            skipped = 0
        items.append(_shown(message, findings.get(message.id, ())))
    return tuple(items)


def _near_hits(hits: Sequence[bool], context: int) -> set[int]:
    near: set[int] = set()
    for index, hit in enumerate(hits):
        if hit:
            near.update(range(max(0, index - context), min(len(hits), index + context + 1)))
    return near


async def _findings_of(tx: Tx, actor: Reviewer, row: CaseRow) -> dict[int | None, tuple[WindowFinding, ...]]:
    query = select(FindingRow).where(FindingRow.case_id == row.id).order_by(col(FindingRow.start), col(FindingRow.id))
    grouped: dict[int | None, tuple[WindowFinding, ...]] = {}
    for finding in (await tx.exec(query)).all():
        marked = WindowFinding(
            rule_id=finding.rule_id,
            term=finding.term,
            category=finding.category,
            severity=finding.severity,
            action=finding.action,
            technique=finding.technique,
            start=finding.start,
            end=finding.end,
            lexicon_version=finding.lexicon_version,
            suppressed_by=finding.suppressed_by,
        )
        grouped[finding.message_id] = (*grouped.get(finding.message_id, ()), marked)
    return grouped


def _in_conversation(row: CaseRow) -> ColumnElement[bool]:
    return col(ArchivedMessageRow.conversation) == row.conversation


async def _before(tx: Tx, row: CaseRow, limit: int) -> tuple[list[ArchivedMessageRow], int]:
    """Return the last `limit` messages before the first hit, in order, and how many lie before those."""
    earlier = (_in_conversation(row), col(ArchivedMessageRow.sent_at) < row.first_hit_at)
    count = (await tx.exec(select(func.count()).select_from(ArchivedMessageRow).where(*earlier))).one()
    newest_first = (col(ArchivedMessageRow.sent_at).desc(), col(ArchivedMessageRow.id).desc())
    rows = (await tx.exec(select(ArchivedMessageRow).where(*earlier).order_by(*newest_first).limit(limit))).all()
    return list(reversed(rows)), count - len(rows)


async def _between(tx: Tx, row: CaseRow) -> list[ArchivedMessageRow]:
    query = (
        select(ArchivedMessageRow)
        .where(_in_conversation(row), col(ArchivedMessageRow.sent_at).between(row.first_hit_at, row.last_hit_at))
        .order_by(col(ArchivedMessageRow.sent_at), col(ArchivedMessageRow.id))
        .limit(_MAX_WINDOW)
    )
    return list((await tx.exec(query)).all())


async def _after(tx: Tx, row: CaseRow, limit: int) -> list[ArchivedMessageRow]:
    query = (
        select(ArchivedMessageRow)
        .where(_in_conversation(row), col(ArchivedMessageRow.sent_at) > row.last_hit_at)
        .order_by(col(ArchivedMessageRow.sent_at), col(ArchivedMessageRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


def _shown(row: ArchivedMessageRow, findings: Sequence[WindowFinding]) -> WindowMessage:
    assert row.id is not None
    return WindowMessage(
        id=row.id,
        sender_id=row.sender_id,
        sender_kind=row.sender_kind,
        msgtype=row.msgtype,
        text=row.text,
        text_sha256=row.text_sha256,
        sent_at=row.sent_at,
        is_revoked=row.revoked_at is not None,
        findings=tuple(findings),
    )


async def _list_verdicts(tx: Tx, case_id: str) -> tuple[VerdictView, ...]:
    query = select(VerdictRow).where(VerdictRow.case_id == case_id).order_by(col(VerdictRow.id))
    return tuple(
        VerdictView(
            id=row.id or 0,
            kind=row.kind,
            actor=row.actor,
            decided_at=row.decided_at,
            reason_code=row.reason_code,
            note=row.note,
            severity=row.severity,
            conduct=row.conduct,
            follow_up=row.follow_up,
            target=row.target,
            undoes=row.undoes,
        )
        for row in (await tx.exec(query)).all()
    )
