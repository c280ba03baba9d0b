"""One tick: start everything whose time has come. Any number of nodes may tick; each thing starts once.

What is due is computed from rows by pure functions; unique rows and locked states decide who starts it. Every firing
and every broadcast has a transaction of its own, so that a crash between two leaves nothing half done and one that
fails does not hold up the rest.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import col, select

from bot.outbox.gate import OutboundGate
from bot.storage.database import Database, Tx
from sop.broadcasts import do_start_broadcast, list_due_broadcasts
from sop.models import EnrolmentRow, PlanRow, RunRow, StepRow
from sop.plans import RunOutcome, do_fire, list_steps, read_plan
from sop.schedule import Anchor, DayOffset, Firing, Plan, due_firings, longest_offset
from sop.settings import SopSettings
from sop.states import BroadcastState, EnrolmentState, PlanState, RunState

log = structlog.get_logger(__name__)

_ANCHOR_PAGE = 1000


@dataclass(frozen=True, slots=True)
class TickReport:
    """What a tick has started. `errors` counts what raised; it is tried again at the next tick."""

    fired: int = 0
    missed: int = 0
    skipped: int = 0
    refused: int = 0
    broadcasts_started: int = 0
    broadcasts_failed: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class _DueRun:
    plan_id: str
    firing: Firing
    target: str


async def tick(db: Database, now: datetime, gate: OutboundGate, settings: SopSettings | None = None) -> TickReport:
    """Fire due steps of active plans, then start due broadcasts, those just made included."""
    settings = settings or SopSettings()
    report = TickReport()
    for due in await _collect_due_runs(db, now, settings):
        report = await _fire(db, now, gate, settings, due, report)
    async with db.reading() as tx:
        broadcasts = await list_due_broadcasts(tx, now)
    for broadcast_id in broadcasts:
        report = await _start(db, now, gate, settings, broadcast_id, report)
    return report


async def _collect_due_runs(db: Database, now: datetime, settings: SopSettings) -> list[_DueRun]:
    async with db.reading() as tx:
        plans = (
            await tx.exec(select(PlanRow).where(PlanRow.state == PlanState.ACTIVE).order_by(col(PlanRow.id)))
        ).all()
        return [due for plan in plans async for due in _due_of_plan(tx, plan, now, settings)]


async def _due_of_plan(tx: Tx, row: PlanRow, now: datetime, settings: SopSettings) -> AsyncIterator[_DueRun]:
    plan = read_plan(row, await list_steps(tx, row.id))
    since = now - settings.lookback
    query = select(RunRow.step_id, RunRow.target, RunRow.due_at).where(
        RunRow.plan_id == row.id, col(RunRow.due_at) > since
    )
    recorded = set((await tx.exec(query)).all())
    # Cron steps once, without anchors; then the anchored steps, a page of enrolments at a time.
    for firing in due_firings(_only(plan, anchored=False), (), since, now):
        for owner in sorted(row.owner_ids):
            if (firing.step_id, owner, firing.due_at) not in recorded:
                yield _DueRun(row.id, firing, owner)
    async for anchors in _anchor_pages(tx, plan, since):
        for firing in due_firings(_only(plan, anchored=True), anchors, since, now):
            target = firing.anchor_id or ""
            if (firing.step_id, target, firing.due_at) not in recorded:
                yield _DueRun(row.id, firing, target)


def _only(plan: Plan, *, anchored: bool) -> Plan:
    return replace(plan, steps=tuple(step for step in plan.steps if isinstance(step.when, DayOffset) is anchored))


async def _anchor_pages(tx: Tx, plan: Plan, since: datetime) -> AsyncIterator[Sequence[Anchor]]:
    last = ""
    while True:
        query = (
            select(EnrolmentRow.id, EnrolmentRow.anchored_at)
            .where(
                EnrolmentRow.plan_id == plan.id,
                EnrolmentRow.state == EnrolmentState.ACTIVE,
                col(EnrolmentRow.anchored_at) > since - longest_offset(plan),
                col(EnrolmentRow.id) > last,
            )
            .order_by(col(EnrolmentRow.id))
            .limit(_ANCHOR_PAGE)
        )
        rows = (await tx.exec(query)).all()
        if not rows:
            return
        yield [Anchor(enrolment_id, at) for enrolment_id, at in rows]
        last = rows[-1][0]


async def _fire(
    db: Database,
    now: datetime,
    gate: OutboundGate,
    settings: SopSettings,
    due: _DueRun,
    report: TickReport,
) -> TickReport:
    try:
        async with db.transaction() as tx:
            plan = await tx.get_one(PlanRow, due.plan_id)
            if plan.state is not PlanState.ACTIVE:
                return report
            step = await tx.get_one(StepRow, due.firing.step_id)
            outcome = await do_fire(tx, plan, step, due.firing, due.target, gate, settings, now)
    except Exception as error:  # one broken firing must not stop the rest; messages may hold row values
        log.error("run_failed", action="run_failed", plan=due.plan_id, error=type(error).__name__)
        return replace(report, errors=report.errors + 1)
    return _count_run(report, outcome)


def _count_run(report: TickReport, outcome: RunOutcome | None) -> TickReport:
    if outcome is None:
        return report
    match outcome.state:
        case RunState.DONE:
            return replace(report, fired=report.fired + 1)
        case RunState.MISSED:
            return replace(report, missed=report.missed + 1)
        case RunState.SKIPPED:
            return replace(report, skipped=report.skipped + 1)
        case RunState.REFUSED:
            return replace(report, refused=report.refused + 1)


async def _start(
    db: Database,
    now: datetime,
    gate: OutboundGate,
    settings: SopSettings,
    broadcast_id: str,
    report: TickReport,
) -> TickReport:
    try:
        async with db.transaction() as tx:
            state = await do_start_broadcast(tx, broadcast_id, gate, settings, now)
    except Exception as error:  # as in `_fire`
        log.error(
            "broadcast_start_failed",
            action="broadcast_start_failed",
            broadcast=broadcast_id,
            error=type(error).__name__,
        )
        return replace(report, errors=report.errors + 1)
    if state is BroadcastState.CREATING:
        return replace(report, broadcasts_started=report.broadcasts_started + 1)
    if state is BroadcastState.FAILED:
        return replace(report, broadcasts_failed=report.broadcasts_failed + 1)
    return report
