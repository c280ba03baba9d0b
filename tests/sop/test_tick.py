"""Plans fire on time and once: whoever ticks, how often, and wherever it stops."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlmodel import func, select

from bot.context import GroupSend
from bot.errors import Conflict, NotFound
from bot.ids import CustomerId, StaffId
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Database, Tx
from customers import CustomersSettings, do_end_follow
from sop import (
    BroadcastRow,
    BroadcastState,
    DeliveryRow,
    DeliveryState,
    EnrolmentRow,
    GroupAudience,
    NewStep,
    PlanState,
    PlanTrigger,
    RunRow,
    RunState,
    SopSettings,
    StepAction,
    TodoKind,
    TodoRow,
    TodoState,
    do_change_plan,
    do_confirm_broadcast,
    do_create_plan,
    do_draft_broadcast,
    do_install_demo_plans,
    list_plans,
    list_steps,
    refresh_results,
    start_plans_for,
    tick,
)
from sop.schedule import CronTime, DayOffset, ScheduleInvalid
from sop.states import EnrolmentState
from sop.workdays import WorkdayRule
from tests.sop.world import LI, QUIET, ZHANG, Gate, Platform, a_platform, send_outbox

# A Monday, 07:00 in China, before anything is due.
EARLY = datetime(2026, 11, 22, 23, tzinfo=UTC)
# The same day, 09:35: the briefing (08:30) and the welcome (09:30) are due.
MORNING = EARLY + timedelta(hours=2, minutes=35)


@pytest.fixture
async def platform(db: Database) -> Platform:
    made = await a_platform(db)
    made.clock.advance(EARLY - made.clock.now())
    return made


async def install(db: Database, *owners: StaffId) -> list[str]:
    async with db.transaction() as tx:
        return await do_install_demo_plans(tx, EARLY, created_by=LI, owner_ids=owners or (LI,))


async def enrol(db: Database, *customers: str, at: datetime = EARLY) -> int:
    async with db.transaction() as tx:
        return sum(
            [await start_plans_for(tx, PlanTrigger.CUSTOMER_ADDED, LI, CustomerId(one), at) for one in customers]
        )


async def rows(db: Database, model: type[Any]) -> list[Any]:
    async with db.reading() as tx:
        return list((await tx.exec(select(model))).all())


async def test_new_customer_gets_seven_days_of_care(db: Database, platform: Platform) -> None:
    await install(db)
    assert await enrol(db, "wm1") == 1
    assert await enrol(db, "wm1", at=EARLY + timedelta(days=1)) == 0
    for day in range(10):
        await tick(db, MORNING + timedelta(days=day), Gate(), QUIET)
    todos = sorted(
        (todo for todo in await rows(db, TodoRow) if todo.kind is TodoKind.COPY_AND_SEND), key=lambda t: t.id
    )
    assert [todo.due_at - EARLY for todo in todos] == [timedelta(days=n, hours=2, minutes=30) for n in (0, 1, 3, 7)]
    assert todos[0].title == "欢迎新客户王芳"
    assert todos[0].copy_text.startswith("王芳您好，我是您的客户经理李娜。")
    assert todos[0].subject == "customer:wm1"
    (enrolment,) = await rows(db, EnrolmentRow)
    assert enrolment.state is EnrolmentState.FINISHED


async def test_customer_added_in_the_afternoon_is_welcomed_at_once(db: Database, platform: Platform) -> None:
    await install(db)
    afternoon = EARLY + timedelta(hours=8)
    await enrol(db, "wm1", at=afternoon)
    report = await tick(db, afternoon + timedelta(seconds=1), Gate(), QUIET)
    # the briefing of 08:30 is too late by now, and recorded as missed
    assert (report.fired, report.missed) == (1, 1)


async def test_member_is_told_of_new_todos(db: Database, platform: Platform) -> None:
    await install(db)
    await enrol(db, "wm1")
    await tick(db, MORNING, Gate(), SopSettings())
    (notice,) = [row for row in await rows(db, OutboxRow) if row.purpose == "todo_notice"]
    assert notice.text.startswith("【今日待办】欢迎新客户王芳")


async def test_monday_briefing_goes_to_the_groups_of_its_owner(db: Database, platform: Platform) -> None:
    await install(db, LI, ZHANG)
    report = await tick(db, MORNING, Gate(), QUIET)
    # rm002 owns no group: refused, with a to-do that says so
    assert (report.fired, report.refused, report.broadcasts_started) == (1, 1, 1)
    (sent,) = await rows(db, OutboxRow)
    assert sent.address == {"sender": "rm001", "chat_ids": ["wr1", "wr2"]}
    assert "今天是11月23日，星期一" in sent.text
    states = {row.creator_id: row.state for row in await rows(db, BroadcastRow)}
    assert states == {"rm001": BroadcastState.CREATING, "rm002": BroadcastState.CANCELLED}
    (todo,) = await rows(db, TodoRow)
    assert (todo.staff_id, todo.kind) == ("rm002", TodoKind.BROADCAST_PROBLEM)
    assert "没有符合条件的客户群" in todo.body


async def test_ticking_again_starts_nothing_again(db: Database, platform: Platform) -> None:
    await install(db)
    await enrol(db, "wm1", "wm2")
    first = await tick(db, MORNING, Gate(), QUIET)
    again = await tick(db, MORNING + timedelta(minutes=1), Gate(), QUIET)
    assert (first.fired, first.broadcasts_started) == (3, 1)
    assert (again.fired, again.broadcasts_started, again.errors) == (0, 0, 0)


async def test_missed_firing_is_recorded_and_not_made_up_for(db: Database, platform: Platform) -> None:
    await install(db)
    report = await tick(db, MORNING + timedelta(hours=5), Gate(), QUIET)
    assert (report.fired, report.missed, report.broadcasts_started) == (0, 1, 0)
    (run,) = await rows(db, RunRow)
    assert (run.state, run.reason) == (RunState.MISSED, "错过执行时间")


async def test_customer_who_left_is_skipped_and_the_plan_stops_for_them(db: Database, platform: Platform) -> None:
    await install(db)
    await enrol(db, "wm1")
    async with db.transaction() as tx:
        assert await do_end_follow(tx, LI, CustomerId("wm1"), CustomersSettings(), EARLY)
    report = await tick(db, MORNING, Gate(), QUIET)
    assert report.skipped == 1
    (enrolment,) = await rows(db, EnrolmentRow)
    assert enrolment.state is EnrolmentState.STOPPED
    assert await rows(db, TodoRow) == []


async def test_words_that_compliance_refuses_make_no_todo(db: Database, platform: Platform) -> None:
    await install(db)
    await enrol(db, "wm1")
    report = await tick(db, MORNING, Gate("密码"), QUIET)
    assert report.refused == 1
    assert [row for row in await rows(db, TodoRow) if row.kind is TodoKind.COPY_AND_SEND] == []


async def test_paused_plan_does_not_fire_and_does_not_catch_up(db: Database, platform: Platform) -> None:
    await install(db)
    async with db.reading() as tx:
        (briefing,) = [plan for plan in await list_plans(tx) if plan.key == "monday_briefing"]
        assert len(await list_steps(tx, briefing.id)) == 1
    async with db.transaction() as tx:
        await do_change_plan(tx, briefing.id, PlanState.PAUSED, EARLY)
    assert (await tick(db, MORNING, Gate(), QUIET)).fired == 0
    async with db.transaction() as tx:
        await do_change_plan(tx, briefing.id, PlanState.ACTIVE, MORNING)
    assert (await tick(db, MORNING, Gate(), QUIET)).fired == 0
    assert (await tick(db, MORNING + timedelta(days=7), Gate(), QUIET)).fired == 1
    async with db.transaction() as tx:
        await do_change_plan(tx, briefing.id, PlanState.ENDED, MORNING)
        with pytest.raises(Conflict):
            await do_change_plan(tx, briefing.id, PlanState.ACTIVE, MORNING)
        with pytest.raises(NotFound):
            await do_change_plan(tx, "plan_none", PlanState.ENDED, MORNING)


async def test_installing_again_changes_nothing(db: Database, platform: Platform) -> None:
    assert len(await install(db)) == 2
    assert await install(db) == []


async def test_plan_with_unreadable_time_is_refused(db: Database) -> None:
    step = NewStep(CronTime("0 9 * * 1"), StepAction.TODO, "t", "b")
    async with db.transaction() as tx:
        with pytest.raises(ScheduleInvalid):
            await do_create_plan(tx, "x", PlanTrigger.NONE, [step], LI, EARLY)


async def test_staff_todo_by_cron_notes_an_unknown_calendar(db: Database, platform: Platform) -> None:
    """In a year whose holidays are not published, the run says that it went by weekdays only."""
    monday = datetime(2055, 1, 4, 1, 5, tzinfo=UTC)
    step = NewStep(
        CronTime("0 9 * * *"),
        StepAction.TODO,
        "晨会准备",
        "整理今日要联系的客户",
        workdays=WorkdayRule.SKIP,
        grace=timedelta(hours=1),
    )
    async with db.transaction() as tx:
        plan = await do_create_plan(tx, "晨会", PlanTrigger.NONE, [step], LI, EARLY, owner_ids=[LI])
        await do_change_plan(tx, plan.id, PlanState.ACTIVE, monday - timedelta(hours=1))
    assert (await tick(db, monday, Gate(), QUIET)).fired == 1
    (run,) = await rows(db, RunRow)
    assert not run.calendar_known
    (todo,) = await rows(db, TodoRow)
    assert (todo.kind, todo.state) == (TodoKind.FOLLOW_UP, TodoState.OPEN)


async def test_one_broken_firing_does_not_stop_the_others(db: Database, platform: Platform) -> None:
    steps = [
        NewStep(DayOffset(0, time(9)), StepAction.TODO, "{nonsense}", "b"),
        NewStep(DayOffset(0, time(9, 1)), StepAction.TODO, "好", "b"),
    ]
    async with db.transaction() as tx:
        plan = await do_create_plan(tx, "x", PlanTrigger.CUSTOMER_ADDED, steps, LI, EARLY)
        await do_change_plan(tx, plan.id, PlanState.ACTIVE, EARLY)
    await enrol(db, "wm1")
    report = await tick(db, MORNING, Gate(), QUIET)
    assert (report.fired, report.errors) == (1, 1)
    assert [row.title for row in await rows(db, TodoRow)] == ["好"]


class Crash(BaseException):
    """The process is gone."""


def crash_around_commits(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the process die at every transaction twice: just before its commit, and, when retried, just after."""
    real = db.transaction
    turns = Counter[str]()

    @asynccontextmanager
    async def dying() -> AsyncIterator[Tx]:
        turns["all"] += 1
        before_commit = turns["all"] % 2 == 1
        async with real() as tx:
            yield tx
            if before_commit:
                raise Crash
        raise Crash

    monkeypatch.setattr(db, "transaction", dying)


async def run_until_it_survives(work: Callable[[], Coroutine[Any, Any, Any]]) -> int:
    for crashes in range(200):
        try:
            await work()
        except Crash:
            continue
        return crashes
    raise AssertionError("it never got through")


async def a_busy_morning(db: Database) -> None:
    """Three welcomes, a briefing for two owners, and a broadcast of a member's own are due."""
    await install(db, LI, ZHANG)
    await enrol(db, "wm1", "wm2", "wm3")
    async with db.transaction() as tx:
        audience = GroupAudience((LI,), limit=1)
        draft = await do_draft_broadcast(tx, LI, None, "早上好", audience, MORNING, EARLY, gate=Gate())
        await do_confirm_broadcast(tx, draft.id, LI, EARLY)


async def check_busy_morning(db: Database) -> None:
    runs = await rows(db, RunRow)
    assert Counter(run.state for run in runs) == {RunState.DONE: 4, RunState.REFUSED: 1}
    kinds = Counter(todo.kind for todo in await rows(db, TodoRow))
    assert kinds == {TodoKind.COPY_AND_SEND: 3, TodoKind.BROADCAST_PROBLEM: 1}
    sends = [row for row in await rows(db, OutboxRow) if row.address_kind == GroupSend.__name__]
    assert sorted(len(row.address["chat_ids"]) for row in sends) == [1, 2]
    assert all(row.state is OutboxState.QUEUED for row in sends)
    states = Counter(row.state for row in await rows(db, DeliveryRow))
    assert states == {DeliveryState.SENDING: 3}


async def test_crash_at_every_commit_loses_and_doubles_nothing(
    db: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_busy_morning(db)
    with monkeypatch.context() as patch:
        crash_around_commits(db, patch)
        assert await run_until_it_survives(lambda: tick(db, MORNING, Gate(), QUIET)) >= 14
    await check_busy_morning(db)


async def test_two_nodes_ticking_together_start_each_thing_once(
    db: Database, platform: Platform, tables_url: str
) -> None:
    await a_busy_morning(db)
    other = await Database.open(tables_url)
    try:
        reports = await asyncio.gather(*(tick(one, MORNING, Gate(), QUIET) for one in (db, other, db, other)))
    finally:
        await other.close()
    assert sum(report.fired for report in reports) == 4
    assert sum(report.broadcasts_started for report in reports) == 2
    assert sum(report.errors for report in reports) == 0
    await check_busy_morning(db)


async def test_crash_while_following_results_asks_the_member_once(
    db: Database, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_busy_morning(db)
    await tick(db, MORNING, Gate(), QUIET)
    platform.clock.advance(MORNING - EARLY)
    assert await send_outbox(db, platform) == 2

    async def follow() -> None:
        platform.clock.advance(timedelta(minutes=1))
        await refresh_results(db, platform, platform.clock, QUIET)

    with monkeypatch.context() as patch:
        crash_around_commits(db, patch)
        for _ in range(8):
            with pytest.raises(Crash):
                await follow()
    for msgid in platform.tasks:
        platform.confirm(msgid)
    with monkeypatch.context() as patch:
        crash_around_commits(db, patch)
        await run_until_it_survives(follow)
    states = Counter(row.state for row in await rows(db, DeliveryRow))
    assert states == {DeliveryState.DELIVERED: 3}
    confirms = [row for row in await rows(db, TodoRow) if row.kind is TodoKind.CONFIRM_BROADCAST]
    assert [row.state for row in confirms] == [TodoState.DONE, TodoState.DONE]
    async with db.reading() as tx:
        finished = select(func.count()).where(BroadcastRow.state == BroadcastState.FINISHED)
        assert (await tx.exec(finished)).one() == 2
