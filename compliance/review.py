"""The review desk (复核): the queue, and the steps an officer takes on a case.

Every step raises the case's revision, writes a verdict or an assignment, and an audit entry, all in the caller's
transaction. A verdict is never changed; taking it back is a new one. Source: facts.md section 5.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from sqlalchemy import case as sql_case
from sqlalchemy import func, or_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select

from bot.audit import record
from bot.errors import Conflict, Forbidden, RequestRefused
from bot.json import JSON
from bot.storage.database import Tx
from compliance.access import (
    REVIEW,
    CaseSummary,
    Reviewer,
    get_case,
    is_involved,
    list_seen,
    seen_digest,
    summary_of,
)
from compliance.cases import (
    DECIDED,
    WAITING,
    CaseState,
    Conduct,
    DismissReason,
    EscalationTarget,
    FollowUp,
    VerdictKind,
    can_move,
)
from compliance.findings import Category, Severity
from compliance.models import CaseRow, VerdictRow
from compliance.settings import ComplianceSettings

_DEFAULTS = ComplianceSettings()
_MAX_NOTE = 2000


class QueueTab(StrEnum):
    """The tabs of the queue. `aml` exists only for those with the right."""

    OPEN = "open"
    MINE = "mine"
    OVERDUE = "overdue"
    DECIDED = "decided"
    CLOSED = "closed"
    AML = "aml"


@dataclass(frozen=True, slots=True)
class CaseFilters:
    """What of the queue is wanted; `limit` is at most 200."""

    tab: QueueTab = QueueTab.OPEN
    category: Category | None = None
    severity: Severity | None = None
    offset: int = 0
    limit: int = 50


class DecisionIncomplete(RequestRefused):
    """A decision lacks what its kind asks for. `field` names it."""

    code = "refused.decision"

    def __init__(self, field: str) -> None:
        super().__init__(f"the decision needs '{field}'")
        self.field = field


@dataclass(frozen=True, slots=True)
class Decision:
    """What an officer decides.

    dismissed: `reason`, and a note when it is `other`. confirmed: `severity`, `conduct`, `follow_up`. escalated:
    `target`, and a note.
    """

    verdict: VerdictKind
    reason: DismissReason | None = None
    note: str = ""
    severity: Severity | None = None
    conduct: Conduct | None = None
    follow_up: FollowUp | None = None
    target: EscalationTarget | None = None


async def list_cases(tx: Tx, actor: Reviewer, filters: CaseFilters, now: datetime) -> list[CaseSummary]:
    """List the queue: gravest first, then what is due first, then the newest.

    Raises:
        Forbidden: the actor may not review.
    """
    _check_reviewer(actor)
    severity_rank = sql_case({severity.value: severity.rank for severity in Severity}, value=col(CaseRow.severity))
    query = (
        select(CaseRow)
        .where(*_tab_conditions(filters.tab, actor, now))
        .order_by(severity_rank, col(CaseRow.due_at), col(CaseRow.last_hit_at).desc(), col(CaseRow.id))
        .offset(filters.offset)
        .limit(min(filters.limit, 200))
    )
    if filters.category is not None:
        query = query.where(CaseRow.category == filters.category)
    if filters.severity is not None:
        query = query.where(CaseRow.severity == filters.severity)
    return [summary_of(row, now) for row in (await tx.exec(query)).all()]


async def queue_counts(tx: Tx, actor: Reviewer, now: datetime) -> dict[QueueTab, int]:
    """Count the cases behind each tab the actor may see."""
    _check_reviewer(actor)
    tabs = [tab for tab in QueueTab if tab is not QueueTab.AML or actor.sees_confidential]
    return {tab: await _count(tx, _tab_conditions(tab, actor, now)) for tab in tabs}


async def _count(tx: Tx, conditions: Sequence[ColumnElement[bool]]) -> int:
    return (await tx.exec(select(func.count()).select_from(CaseRow).where(*conditions))).one()


def _tab_conditions(tab: QueueTab, actor: Reviewer, now: datetime) -> list[ColumnElement[bool]]:
    if tab is QueueTab.AML:
        if not actor.sees_confidential:
            raise Forbidden("this queue needs the right 'aml'")
        return [col(CaseRow.confidential).is_(True), col(CaseRow.state).in_(WAITING)]
    ordinary = col(CaseRow.confidential).is_(False)
    match tab:
        case QueueTab.OPEN:
            return [ordinary, col(CaseRow.state).in_(WAITING)]
        case QueueTab.MINE:
            visible = or_(ordinary, col(CaseRow.confidential).is_(actor.sees_confidential))
            return [visible, col(CaseRow.state).in_(WAITING), col(CaseRow.assignee) == actor.id]
        case QueueTab.OVERDUE:
            return [ordinary, col(CaseRow.state).in_(WAITING), col(CaseRow.due_at) < now]
        case QueueTab.DECIDED:
            return [ordinary, col(CaseRow.state).in_(DECIDED)]
        case QueueTab.CLOSED:
            return [ordinary, col(CaseRow.state) == CaseState.CLOSED]
        case _:
            assert_never(tab)


async def do_claim(tx: Tx, actor: Reviewer, case_id: str, revision: int, now: datetime) -> CaseRow:
    """Take a case into review. Taking over another officer's case is a new claim with its own audit entry.

    Raises:
        Forbidden: the actor may not review, or the case is about them.
        NotFound: no such case for this person.
        Conflict: it has changed since, or it is decided already.
    """
    row = await _get_for_change(tx, actor, case_id, revision)
    previous = row.assignee
    _move(row, CaseState.IN_REVIEW)
    row.assignee, row.claimed_at = actor.id, now
    await _record(tx, actor, row, "case.claimed", {"previous_assignee": previous}, now)
    return row


async def do_assign(tx: Tx, actor: Reviewer, case_id: str, revision: int, assignee: Reviewer, now: datetime) -> CaseRow:
    """Give a case to an officer, who must be allowed to see it and not be concerned by it."""
    row = await _get_for_change(tx, actor, case_id, revision)
    await get_case(tx, assignee, case_id)
    await _check_not_involved(tx, assignee, row)
    _move(row, CaseState.ASSIGNED)
    row.assignee, row.claimed_at = assignee.id, None
    await _record(tx, actor, row, "case.assigned", {"assignee": assignee.id}, now)
    return row


async def do_decide(tx: Tx, actor: Reviewer, case_id: str, revision: int, decision: Decision, now: datetime) -> CaseRow:
    """Decide a case: dismissed, confirmed or escalated. What was before the officer is kept with it.

    Raises:
        DecisionIncomplete: a reason, or another part its kind asks for, is missing.
        Forbidden: the actor may not review, or the case is about them.
        NotFound: no such case for this person.
        Conflict: it has changed since, is decided already, or another officer has it.
    """
    check_decision(decision)
    row = await _get_for_change(tx, actor, case_id, revision)
    if row.state in (CaseState.ASSIGNED, CaseState.IN_REVIEW) and row.assignee not in (None, actor.id):
        raise Conflict(f"case {case_id} is with another officer; claim it first")
    _move(row, CaseState(decision.verdict.value))
    row.assignee, row.decided_at = actor.id, now
    spent = int((now - row.claimed_at).total_seconds()) if row.claimed_at else None
    verdict = await _add_verdict(tx, actor, row, decision, now, spent_seconds=spent)
    await _record(tx, actor, row, f"case.{decision.verdict.value}", _facts(verdict), now)
    return row


def check_decision(decision: Decision) -> None:
    """Raise `DecisionIncomplete` when the decision lacks what its kind asks for."""
    needed: Mapping[str, object]
    match decision.verdict:
        case VerdictKind.DISMISSED:
            needed = {"reason": decision.reason}
            if decision.reason is DismissReason.OTHER:
                needed = {"note": decision.note.strip()}
        case VerdictKind.CONFIRMED:
            needed = {"severity": decision.severity, "conduct": decision.conduct, "follow_up": decision.follow_up}
        case VerdictKind.ESCALATED:
            needed = {"target": decision.target, "note": decision.note.strip()}
        case _:
            needed = {"verdict": None}
    if decision.severity is Severity.NONE:
        raise DecisionIncomplete("severity")
    for field, value in needed.items():
        if not value:
            raise DecisionIncomplete(field)


async def do_undo(
    tx: Tx,
    actor: Reviewer,
    case_id: str,
    revision: int,
    now: datetime,
    settings: ComplianceSettings = _DEFAULTS,
) -> CaseRow:
    """Take back one's own last decision while the time for it runs; a new entry, the old one stays.

    Raises:
        Forbidden: somebody else decided.
        Conflict: the case has changed since, is not decided, or the time is over.
    """
    row = await _get_for_change(tx, actor, case_id, revision)
    if row.state not in DECIDED:
        raise Conflict(f"case {case_id} is {row.state.value}: there is no decision to take back")
    last = await _last_verdict(tx, case_id)
    if last.actor != actor.id:
        raise Forbidden("only the officer who decided can take it back")
    if now - last.decided_at > settings.undo_window:
        raise Conflict(f"the decision on case {case_id} is too old to take back; reopen the case instead")
    _move(row, CaseState.IN_REVIEW)
    row.decided_at, row.claimed_at = None, now
    verdict = await _add_verdict(tx, actor, row, Decision(VerdictKind.UNDONE), now, undoes=last.id)
    await _record(tx, actor, row, "case.undone", _facts(verdict), now)
    return row


async def do_close(tx: Tx, actor: Reviewer, case_id: str, revision: int, now: datetime) -> CaseRow:
    """Close a decided case. A critical one needs a second person (四眼原则).

    Raises:
        Forbidden: the actor decided this critical case, may not review, or is concerned.
        Conflict: it has changed since, or is not decided.
    """
    row = await _get_for_change(tx, actor, case_id, revision)
    if row.state not in DECIDED:
        raise Conflict(f"case {case_id} is {row.state.value}: decide it before closing it")
    last = await _last_verdict(tx, case_id)
    if row.severity is Severity.CRITICAL and last.actor == actor.id:
        raise Forbidden("a critical case is closed by another officer than the one who decided it")
    _move(row, CaseState.CLOSED)
    row.closed_at = now
    verdict = await _add_verdict(tx, actor, row, Decision(VerdictKind.CLOSED), now)
    await _record(tx, actor, row, "case.closed", _facts(verdict), now)
    return row


async def do_reopen(tx: Tx, actor: Reviewer, case_id: str, revision: int, note: str, now: datetime) -> CaseRow:
    """Open a closed case again; the note says why.

    Raises:
        DecisionIncomplete: no note.
        Conflict: it has changed since, or is not closed.
    """
    if not note.strip():
        raise DecisionIncomplete("note")
    row = await _get_for_change(tx, actor, case_id, revision)
    _move(row, CaseState.REOPENED)
    row.closed_at = row.decided_at = row.claimed_at = row.assignee = None
    verdict = await _add_verdict(tx, actor, row, Decision(VerdictKind.REOPENED, note=note), now)
    await _record(tx, actor, row, "case.reopened", _facts(verdict), now)
    return row


def _check_reviewer(actor: Reviewer) -> None:
    if REVIEW not in actor.rights:
        raise Forbidden("reviewing needs the right 'review'")


async def _get_for_change(tx: Tx, actor: Reviewer, case_id: str, revision: int) -> CaseRow:
    row = await get_case(tx, actor, case_id, lock=True)
    await _check_not_involved(tx, actor, row)
    if row.revision != revision:
        raise Conflict(f"case {case_id} has changed since you looked (revision {row.revision}); look at it again")
    return row


async def _check_not_involved(tx: Tx, actor: Reviewer, row: CaseRow) -> None:
    if await is_involved(tx, actor, row):
        raise Forbidden(f"{actor.id} took part in this conversation and cannot review it")


def _move(row: CaseRow, to: CaseState) -> None:
    if not can_move(row.state, to):
        raise Conflict(f"case {row.id} is {row.state.value} and cannot become {to.value}")
    row.state = to
    row.revision += 1


async def _last_verdict(tx: Tx, case_id: str) -> VerdictRow:
    query = select(VerdictRow).where(VerdictRow.case_id == case_id).order_by(col(VerdictRow.id).desc()).limit(1)
    return (await tx.exec(query)).one()


async def _add_verdict(
    tx: Tx,
    actor: Reviewer,
    row: CaseRow,
    decision: Decision,
    now: datetime,
    *,
    undoes: int | None = None,
    spent_seconds: int | None = None,
) -> VerdictRow:
    seen = await list_seen(tx, actor, row)
    verdict = VerdictRow(
        case_id=row.id,
        revision=row.revision,
        kind=decision.verdict,
        actor=actor.id,
        decided_at=now,
        reason_code=decision.reason,
        note=decision.note.strip()[:_MAX_NOTE],
        severity=decision.severity,
        conduct=decision.conduct,
        follow_up=decision.follow_up,
        target=decision.target,
        seen=[item.id for item in seen if hasattr(item, "id")],
        seen_sha256=seen_digest(seen),
        spent_seconds=spent_seconds,
        undoes=undoes,
    )
    tx.add(verdict)
    await tx.flush()
    return verdict


def _facts(verdict: VerdictRow) -> dict[str, JSON]:
    """Return what the audit entry says of a verdict; the note stays in its row, it may hold customer text."""
    return {
        "verdict": verdict.id,
        "reason": verdict.reason_code,
        "severity": verdict.severity,
        "conduct": verdict.conduct,
        "follow_up": verdict.follow_up,
        "target": verdict.target,
        "seen": list(verdict.seen),
        "seen_sha256": verdict.seen_sha256,
        "undoes": verdict.undoes,
    }


async def _record(tx: Tx, actor: Reviewer, row: CaseRow, action: str, facts: Mapping[str, JSON], now: datetime) -> None:
    await record(
        tx,
        actor=actor.id,
        action=action,
        subject=f"case:{row.id}",
        details={"revision": row.revision, **facts},
        now=now,
    )
