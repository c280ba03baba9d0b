"""When steps are due."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock import CHINA
from sop.schedule import (
    Anchor,
    CronTime,
    DayOffset,
    Plan,
    ScheduleInvalid,
    Step,
    due_firings,
    parse_cron,
)
from sop.workdays import WorkdayRule, ask_workday, shift_day

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = timedelta(hours=4)


def china(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=CHINA)  # type: ignore[misc,arg-type]  # year, month, day, …


def plan_of(*whens: DayOffset | CronTime, rule: WorkdayRule = WorkdayRule.ANY_DAY) -> Plan:
    steps = tuple(Step(f"s{number}", when, rule, GRACE) for number, when in enumerate(whens))
    return Plan("p", CHINA, EPOCH, steps)


def test_step_is_due_days_after_the_anchor_at_local_time() -> None:
    plan = plan_of(DayOffset(3, time(9, 30)))
    anchor = Anchor("e", china(2026, 3, 2, 23, 50))
    (firing,) = due_firings(plan, [anchor], EPOCH, china(2026, 4, 1))
    assert firing.due_at == china(2026, 3, 5, 9, 30)
    assert firing.anchor_id == "e"


def test_day_zero_after_its_hour_is_due_at_once() -> None:
    plan = plan_of(DayOffset(0, time(9, 30)))
    anchor = Anchor("e", china(2026, 3, 2, 15, 0))
    (firing,) = due_firings(plan, [anchor], EPOCH, china(2026, 4, 1))
    assert firing.due_at == anchor.at


def test_interval_is_half_open() -> None:
    plan = plan_of(CronTime("0 9 * * mon"))
    nine = china(2026, 3, 2, 9)
    assert [f.due_at for f in due_firings(plan, [], nine - timedelta(hours=1), nine)] == [nine]
    assert due_firings(plan, [], nine, nine + timedelta(days=1)) == []


def test_nothing_fires_from_before_the_plan_was_active() -> None:
    plan = plan_of(CronTime("0 9 * * *"))
    since = china(2026, 3, 2, 12)
    active = Plan(plan.id, plan.zone, since, plan.steps)
    firings = due_firings(active, [], since - timedelta(days=9), since + timedelta(days=1))
    assert [f.due_at for f in firings] == [china(2026, 3, 3, 9)]


def test_grace_tells_late_from_too_late() -> None:
    plan = plan_of(CronTime("0 9 * * mon"))
    (firing,) = due_firings(plan, [], china(2026, 3, 1), china(2026, 3, 3))
    assert not firing.is_too_late(firing.due_at + GRACE)
    assert firing.is_too_late(firing.due_at + GRACE + timedelta(seconds=1))


def test_spring_festival_moves_a_step_to_the_next_workday() -> None:
    plan = plan_of(DayOffset(0, time(9)), rule=WorkdayRule.NEXT_WORKDAY)
    anchor = Anchor("e", china(2026, 2, 17, 1))
    (firing,) = due_firings(plan, [anchor], EPOCH, china(2026, 4, 1))
    day = firing.due_at.astimezone(CHINA).date()
    assert day > date(2026, 2, 17)
    assert ask_workday(day).is_workday
    assert not any(
        ask_workday(date(2026, 2, 17) + timedelta(days=n)).is_workday for n in range((day - date(2026, 2, 17)).days)
    )


def test_weekend_firings_moved_to_one_monday_are_one() -> None:
    plan = plan_of(CronTime("0 9 * * *"), rule=WorkdayRule.NEXT_WORKDAY)
    firings = due_firings(plan, [], china(2026, 3, 6, 12), china(2026, 3, 9, 12))
    assert [f.due_at for f in firings] == [china(2026, 3, 9, 9)]


def test_skip_rule_leaves_days_off_out() -> None:
    plan = plan_of(CronTime("0 9 * * *"), rule=WorkdayRule.SKIP)
    firings = due_firings(plan, [], china(2026, 3, 6, 12), china(2026, 3, 9, 12))
    assert [f.due_at for f in firings] == [china(2026, 3, 9, 9)]


def test_year_without_a_published_calendar_falls_back_and_says_so() -> None:
    monday = date(2055, 1, 4)
    assert ask_workday(monday).is_workday is (monday.weekday() < 5)
    assert not ask_workday(monday).known
    shifted = shift_day(date(2055, 1, 2), WorkdayRule.NEXT_WORKDAY)
    assert shifted is not None
    assert not shifted.known
    plan = plan_of(CronTime("0 9 * * mon"), rule=WorkdayRule.SKIP)
    firings = due_firings(plan, [], china(2055, 1, 1), china(2055, 1, 8))
    assert [firing.calendar_known for firing in firings] == [False]


def test_weekend_work_by_decree_is_a_workday() -> None:
    assert ask_workday(date(2026, 10, 10)).is_workday
    assert not ask_workday(date(2026, 10, 1)).is_workday


@pytest.mark.parametrize("expression", ["0 9 * *", "0 25 * * *", "0 9 * * 1", "nonsense"])
def test_unreadable_cron_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleInvalid):
        parse_cron(expression, CHINA)


instants = st.integers(0, 350 * 24 * 3600).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
whens = st.one_of(
    st.builds(DayOffset, st.integers(0, 30), st.times().map(lambda at: at.replace(microsecond=0))),
    st.sampled_from(["30 8 * * mon", "0 9 * * *", "15 */6 1,15 * *", "0 20 * * sat,sun"]).map(CronTime),
)


@settings(max_examples=60, deadline=None)
@given(
    whens=st.lists(whens, min_size=1, max_size=4),
    rule=st.sampled_from(WorkdayRule),
    anchors=st.lists(instants, max_size=4),
    start=instants,
    cuts=st.lists(st.integers(0, 40 * 24 * 3600), max_size=5),
)
def test_firings_do_not_depend_on_how_the_interval_is_cut(
    whens: list[DayOffset | CronTime],
    rule: WorkdayRule,
    anchors: list[datetime],
    start: datetime,
    cuts: list[int],
) -> None:
    plan = plan_of(*whens, rule=rule)
    placed = [Anchor(f"e{number}", at) for number, at in enumerate(anchors)]
    end = start + timedelta(days=40)
    points = sorted({start, end, *(start + timedelta(seconds=cut) for cut in cuts)})
    pieces = [firing for since, until in pairwise(points) for firing in due_firings(plan, placed, since, until)]
    whole = due_firings(plan, placed, start, end)
    assert [(f.due_at, f.step_id, f.anchor_id) for f in pieces] == [(f.due_at, f.step_id, f.anchor_id) for f in whole]
