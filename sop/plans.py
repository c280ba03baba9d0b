"""Plans: put customers into them, change their state, install those we ship, and carry out one firing."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import assert_never
from zoneinfo import ZoneInfo

from sqlmodel import col, func, select

from bot.clock import CHINA
from bot.context import Reply, StaffChat, Text
from bot.errors import NotFound
from bot.ids import CustomerId, StaffId, new_id
from bot.outbox.gate import OutboundGate
from bot.outbox.store import enqueue_reply
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from customers import FollowRow, FollowState, find_customer, find_staff
from sop.broadcasts import GroupAudience, do_cancel_broadcast, do_confirm_broadcast, do_draft_broadcast
from sop.models import (
    EnrolmentRow,
    PlanRow,
    PlanTrigger,
    RunRow,
    StepAction,
    StepRow,
    StepTiming,
    TargetKind,
    TodoKind,
)
from sop.moves import move_plan
from sop.schedule import CronTime, DayOffset, Firing, Plan, Step, When, parse_cron
from sop.settings import SopSettings
from sop.states import EnrolmentState, PlanState, RunState
from sop.todos import do_create_todo
from sop.wording import sop_texts
from sop.workdays import WorkdayRule

NEW_CUSTOMER = "new_customer"
MONDAY_BRIEFING = "monday_briefing"


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step to be written. `body` and `copy_text` may hold the places {customer}, {staff}, {date} and {weekday}."""

    when: When
    action: StepAction
    title: str
    body: str
    copy_text: str = ""
    workdays: WorkdayRule = WorkdayRule.ANY_DAY
    grace: timedelta = timedelta(hours=4)
    script_ref: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a firing has led to; `None` instead of one means that it had been fired before."""

    state: RunState
    outcome: str | None = None
    reason: str | None = None


async def do_create_plan(
    tx: Tx,
    name: str,
    trigger: PlanTrigger,
    steps: Sequence[NewStep],
    created_by: StaffId,
    now: datetime,
    *,
    owner_ids: Sequence[StaffId] = (),
    key: str | None = None,
) -> PlanRow:
    """Write a plan as a draft. Times are the bank's (Asia/Shanghai).

    Raises:
        ScheduleInvalid: a cron expression cannot be read.
    """
    for step in steps:
        if isinstance(step.when, CronTime):
            parse_cron(step.when.expression, CHINA)
    plan = PlanRow(
        id=new_id("plan"),
        key=key,
        name=name,
        state=PlanState.DRAFT,
        trigger=trigger,
        owner_ids=list(owner_ids),
        created_by=created_by,
        created_at=now,
    )
    tx.add(plan)
    await tx.flush()
    tx.add_all([_step_row(plan.id, position, step) for position, step in enumerate(steps)])
    await tx.flush()
    return plan


async def get_plan(tx: Tx, plan_id: str) -> PlanRow:
    """Return a plan, its row locked.

    Raises:
        NotFound: there is none with that id.
    """
    row = await tx.get(PlanRow, plan_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no plan {plan_id}")
    return row


async def do_change_plan(tx: Tx, plan_id: str, state: PlanState, now: datetime) -> PlanRow:
    """Activate, pause, resume or end a plan. What fell into a pause is not made up for.

    Raises:
        NotFound: there is none with that id.
        Conflict: its state does not allow it.
    """
    row = await get_plan(tx, plan_id)
    move_plan(row, state, now)
    return row


async def list_plans(tx: Tx, limit: int = 200) -> list[PlanRow]:
    """List plans, the oldest first, at most `limit`."""
    return list((await tx.exec(select(PlanRow).order_by(col(PlanRow.id)).limit(limit))).all())


async def list_steps(tx: Tx, plan_id: str) -> list[StepRow]:
    """List a plan's steps in their order."""
    query = select(StepRow).where(StepRow.plan_id == plan_id).order_by(col(StepRow.position))
    return list((await tx.exec(query)).all())


async def start_plans_for(
    tx: Tx, trigger: PlanTrigger, staff_id: StaffId, customer_id: CustomerId, now: datetime
) -> int:
    """Put the customer into every active plan of the trigger. Returns how many plans that were new to them.

    A pair of member and customer goes through a plan once: adding each other again does not start it over.
    """
    query = select(PlanRow.id).where(PlanRow.trigger == trigger, PlanRow.state == PlanState.ACTIVE)
    rows = [
        {
            "id": new_id("enr"),
            "plan_id": plan_id,
            "staff_id": staff_id,
            "target_kind": TargetKind.CUSTOMER,
            "target_id": customer_id,
            "anchored_at": now,
            "state": EnrolmentState.ACTIVE,
        }
        for plan_id in sorted((await tx.exec(query)).all())
    ]
    await insert_ignore(tx, EnrolmentRow, rows, ("plan_id", "staff_id", "target_kind", "target_id"))
    ids = [row["id"] for row in rows]
    enrolled = select(func.count()).select_from(EnrolmentRow).where(col(EnrolmentRow.id).in_(ids))
    return (await tx.exec(enrolled)).one()


async def do_install_demo_plans(
    tx: Tx, now: datetime, *, created_by: StaffId, owner_ids: Sequence[StaffId]
) -> list[str]:
    """Install 「新客户七天关怀」 and 「每周一理财早报」 (to the groups of `owner_ids`), active.

    Installing again changes nothing. Returns the ids of the plans that are new.
    """
    installed = set((await tx.exec(select(PlanRow.key).where(col(PlanRow.key).is_not(None)))).all())
    texts = sop_texts()
    new: list[PlanRow] = []
    if NEW_CUSTOMER not in installed:
        name = texts["plan.new_customer.name"]
        steps = [_care_step(day) for day in (0, 1, 3, 7)]
        new.append(await do_create_plan(tx, name, PlanTrigger.CUSTOMER_ADDED, steps, created_by, now, key=NEW_CUSTOMER))
    if MONDAY_BRIEFING not in installed:
        step = NewStep(
            when=CronTime("30 8 * * mon"),
            action=StepAction.GROUP_BROADCAST,
            title=texts["plan.monday_briefing.step.title"],
            body=texts["plan.monday_briefing.step.body"],
            grace=timedelta(hours=2),
        )
        name = texts["plan.monday_briefing.name"]
        new.append(
            await do_create_plan(
                tx, name, PlanTrigger.NONE, [step], created_by, now, owner_ids=owner_ids, key=MONDAY_BRIEFING
            )
        )
    for plan in new:
        move_plan(plan, PlanState.ACTIVE, now)
    return [plan.id for plan in new]


def read_plan(plan: PlanRow, steps: Sequence[StepRow]) -> Plan:
    """Return what the schedule needs of an active plan."""
    return Plan(
        id=plan.id,
        zone=ZoneInfo(plan.zone),
        active_since=plan.active_since or plan.created_at,
        steps=tuple(
            Step(step.id, _read_when(step), step.workdays, timedelta(minutes=step.grace_minutes)) for step in steps
        ),
    )


async def do_fire(
    tx: Tx,
    plan: PlanRow,
    step: StepRow,
    firing: Firing,
    target: str,
    gate: OutboundGate,
    settings: SopSettings,
    now: datetime,
) -> RunOutcome | None:
    """Carry out one firing for one target, or record why not. `None` when it has been done before.

    The run's unique row is inserted first, in the same transaction as the action: a second node waits on it and then
    finds that there is nothing left to do; a crash leaves neither.
    """
    run_id = new_id("run")
    run = {
        "id": run_id,
        "plan_id": plan.id,
        "step_id": step.id,
        "target": target,
        "due_at": firing.due_at,
        "state": RunState.DONE,
        "fired_at": now,
        "calendar_known": firing.calendar_known,
        "outcome": None,
        "reason": None,
    }
    await insert_ignore(tx, RunRow, [run], ("plan_id", "step_id", "target", "due_at"))
    row = await tx.get(RunRow, run_id)
    if row is None:  # the key was taken: somebody else's run
        return None
    if firing.is_too_late(now):
        outcome = RunOutcome(RunState.MISSED, reason=sop_texts()["run.missed"])
    else:
        outcome = await _act(tx, plan, step, firing, target, run_id, gate, settings, now)
    row.state, row.outcome, row.reason = outcome.state, outcome.outcome, outcome.reason
    await _finish_enrolment(tx, plan, firing)
    return outcome


async def _act(
    tx: Tx,
    plan: PlanRow,
    step: StepRow,
    firing: Firing,
    target: str,
    run_id: str,
    gate: OutboundGate,
    settings: SopSettings,
    now: datetime,
) -> RunOutcome:
    match step.action:
        case StepAction.TODO:
            return await _make_todo(tx, plan, step, firing, target, run_id, gate, settings, now)
        case StepAction.GROUP_BROADCAST:
            return await _make_broadcast(tx, plan, step, firing, StaffId(target), run_id, gate, settings, now)
        case _:
            assert_never(step.action)


async def _make_todo(
    tx: Tx,
    plan: PlanRow,
    step: StepRow,
    firing: Firing,
    target: str,
    run_id: str,
    gate: OutboundGate,
    settings: SopSettings,
    now: datetime,
) -> RunOutcome:
    enrolment = await tx.get(EnrolmentRow, target) if firing.anchor_id else None
    staff_id = StaffId(enrolment.staff_id if enrolment else target)
    if enrolment is not None and not await _still_served(tx, enrolment):
        enrolment.state = EnrolmentState.STOPPED
        return RunOutcome(RunState.SKIPPED, reason=sop_texts()["run.customer_gone"])
    values = await _values(tx, staff_id, enrolment.target_id if enrolment else None, firing.due_at)
    copy_text = step.copy_text.format(**values)
    decision = await gate.check(
        tx, Reply(StaffChat(staff_id), Text(copy_text), "sop_copy_text", _evidence(plan, step)), now
    )
    if not decision.allowed:
        return RunOutcome(RunState.REFUSED, reason=decision.reason or sop_texts()["run.blocked"])
    todo = await do_create_todo(
        tx,
        staff_id,
        TodoKind.COPY_AND_SEND if copy_text else TodoKind.FOLLOW_UP,
        step.title.format(**values),
        step.body.format(**values),
        f"customer:{enrolment.target_id}" if enrolment else f"plan:{plan.id}",
        now,
        firing.due_at,
        copy_text=copy_text or None,
        evidence=_evidence(plan, step),
        once_key=f"run:{run_id}",
    )
    if settings.notify_todos:
        notice = sop_texts().render("todo.notice.body", title=todo.title, body=todo.body)
        await enqueue_reply(tx, Reply(StaffChat(staff_id), Text(notice), "todo_notice", {"todo": todo.id}), gate, now)
    return RunOutcome(RunState.DONE, outcome=todo.id)


async def _make_broadcast(
    tx: Tx,
    plan: PlanRow,
    step: StepRow,
    firing: Firing,
    owner: StaffId,
    run_id: str,
    gate: OutboundGate,
    settings: SopSettings,
    now: datetime,
) -> RunOutcome:
    values = await _values(tx, owner, None, firing.due_at)
    draft = await do_draft_broadcast(
        tx,
        owner,
        _script_ref(step),
        step.body.format(**values),
        GroupAudience((owner,)),
        now,
        now,
        gate=gate,
        settings=settings,
        run_id=run_id,
    )
    if draft.allowed:
        await do_confirm_broadcast(tx, draft.id, owner, now, settings=settings)
        return RunOutcome(RunState.DONE, outcome=draft.id)
    await do_cancel_broadcast(tx, draft.id, owner, now)
    reason = "；".join(draft.problems)
    await do_create_todo(
        tx,
        owner,
        TodoKind.BROADCAST_PROBLEM,
        sop_texts()["todo.broadcast_problem.title"],
        sop_texts().render("todo.broadcast_problem.body", reason=reason),
        f"broadcast:{draft.id}",
        now,
        now,
        once_key=f"run:{run_id}",
    )
    return RunOutcome(RunState.REFUSED, outcome=draft.id, reason=reason)


async def _still_served(tx: Tx, enrolment: EnrolmentRow) -> bool:
    follow = await tx.get(FollowRow, (enrolment.staff_id, enrolment.target_id))
    return follow is not None and follow.state is FollowState.ACTIVE


async def _finish_enrolment(tx: Tx, plan: PlanRow, firing: Firing) -> None:
    if firing.anchor_id is None:
        return
    steps = (
        select(func.count())
        .select_from(StepRow)
        .where(StepRow.plan_id == plan.id, StepRow.timing == StepTiming.DAY_OFFSET)
    )
    runs = select(func.count()).select_from(RunRow).where(RunRow.plan_id == plan.id, RunRow.target == firing.anchor_id)
    enrolment = await tx.get_one(EnrolmentRow, firing.anchor_id)
    fired_all = (await tx.exec(runs)).one() >= (await tx.exec(steps)).one()
    if enrolment.state is EnrolmentState.ACTIVE and fired_all:
        enrolment.state = EnrolmentState.FINISHED


async def _values(tx: Tx, staff_id: StaffId, customer_id: str | None, at: datetime) -> dict[str, str]:
    texts = sop_texts()
    staff = await find_staff(tx, staff_id)
    customer = await find_customer(tx, CustomerId(customer_id)) if customer_id else None
    day = at.astimezone(CHINA)
    return {
        "staff": staff.name if staff else staff_id,
        "customer": customer.name if customer else "",
        "date": texts.render("date.day", month=day.month, day=day.day),
        "weekday": texts[f"weekday.{day.weekday()}"],
    }


def _evidence(plan: PlanRow, step: StepRow) -> dict[str, str | int]:
    evidence: dict[str, str | int] = {"plan": plan.id, "step": step.position}
    ref = _script_ref(step)
    return evidence | ({"script": ref[0], "version": ref[1]} if ref else {})


def _script_ref(step: StepRow) -> tuple[str, int] | None:
    if step.script_id is None or step.script_version is None:
        return None
    return step.script_id, step.script_version


def _care_step(day: int) -> NewStep:
    texts = sop_texts()
    key = f"plan.new_customer.day{day}"
    return NewStep(
        when=DayOffset(day, time(9, 30)),
        action=StepAction.TODO,
        title=texts[f"{key}.title"],
        body=texts[f"{key}.body"],
        copy_text=texts[f"{key}.copy"],
        grace=timedelta(hours=10),
    )


def _step_row(plan_id: str, position: int, step: NewStep) -> StepRow:
    offset = step.when if isinstance(step.when, DayOffset) else None
    cron = step.when if isinstance(step.when, CronTime) else None
    return StepRow(
        id=new_id("step"),
        plan_id=plan_id,
        position=position,
        timing=StepTiming.DAY_OFFSET if offset else StepTiming.CRON,
        day_offset=offset.days if offset else None,
        at_time=offset.at.strftime("%H:%M") if offset else None,
        cron=cron.expression if cron else None,
        workdays=step.workdays,
        grace_minutes=int(step.grace.total_seconds() // 60),
        action=step.action,
        title=step.title,
        body=step.body,
        copy_text=step.copy_text,
        script_id=step.script_ref[0] if step.script_ref else None,
        script_version=step.script_ref[1] if step.script_ref else None,
    )


def _read_when(step: StepRow) -> When:
    if step.timing is StepTiming.CRON:
        return CronTime(step.cron or "")
    return DayOffset(step.day_offset or 0, time.fromisoformat(step.at_time or "00:00"))
