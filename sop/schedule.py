"""When a plan's steps are due. Pure: no database, no clock; the same interval always gives the same firings.

Firings of (a, b] and (b, c] together are those of (a, c], wherever b lies: any number of nodes may look at overlapping
intervals, and rows with unique keys decide who acts.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeAlias, assert_never
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

from sop.workdays import MAX_SHIFT, WorkdayRule, shift_day

_TICK = timedelta(microseconds=1)


class ScheduleInvalid(ValueError):
    """A step's time cannot be read. The message names the part and the form it should have."""


@dataclass(frozen=True, slots=True)
class DayOffset:
    """`days` after the anchor's local day, at `at` local time. On day 0, not before the anchor itself."""

    days: int
    at: time


@dataclass(frozen=True, slots=True)
class CronTime:
    """Five fields as in crontab. Weekdays by name (mon, tue …): numbers mean different days to different programs."""

    expression: str


When: TypeAlias = DayOffset | CronTime


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a plan. Found later than `grace` after its time, it is not carried out any more."""

    id: str
    when: When
    workdays: WorkdayRule
    grace: timedelta


@dataclass(frozen=True, slots=True)
class Plan:
    """What is needed of a plan to tell its firings. Nothing fires at or before `active_since`."""

    id: str
    zone: ZoneInfo
    active_since: datetime
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Anchor:
    """What the steps with an offset count from: an enrolment's id and instant."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Firing:
    """A step is due at an instant. `anchor_id` is `None` for cron steps.

    `calendar_known` is false when a workday rule was answered by Monday-to-Friday for want of a holiday calendar.
    """

    due_at: datetime
    step_id: str
    anchor_id: str | None
    grace: timedelta
    calendar_known: bool = True

    def is_too_late(self, now: datetime) -> bool:
        """Tell whether the grace is over: a morning greeting at night is worse than none."""
        return now > self.due_at + self.grace


def due_firings(plan: Plan, anchors: Sequence[Anchor], since: datetime, until: datetime) -> list[Firing]:
    """List the firings of `plan` in the half-open interval (since, until], oldest first, each once.

    Local times are kept: a 09:00 step stays at 09:00 in the plan's zone. Late ones are included, `Firing.is_too_late`
    tells them apart; what to do with them is the caller's.

    Raises:
        ScheduleInvalid: a cron expression cannot be read.
    """
    after = max(since, plan.active_since)
    firings: dict[tuple[datetime, str, str], Firing] = {}
    for step in plan.steps:
        for firing in _firings_of(step, plan.zone, anchors, after, until):
            if after < firing.due_at <= until:
                # Saturday, Sunday and Monday may all lead to the same Monday.
                firings.setdefault((firing.due_at, firing.step_id, firing.anchor_id or ""), firing)
    return [firings[key] for key in sorted(firings)]


def longest_offset(plan: Plan) -> timedelta:
    """Return how long after its anchor a plan's last step can be due: older enrolments need not be looked at."""
    days = [step.when.days for step in plan.steps if isinstance(step.when, DayOffset)]
    return timedelta(days=max(days, default=0) + 1) + MAX_SHIFT


def parse_cron(expression: str, zone: ZoneInfo) -> Any:
    """Return the trigger of a five-field expression.

    Raises:
        ScheduleInvalid: not five fields, a value out of range, or a weekday given as a number.
    """
    fields = expression.split()
    if len(fields) == 5 and re.search(r"\d", fields[4]):
        raise ScheduleInvalid("write weekdays by name (mon, tue, …): numbers are ambiguous")
    try:
        return CronTrigger.from_crontab(expression, timezone=zone)
    except ValueError as error:
        raise ScheduleInvalid(f"cron expression {expression!r}: {error}") from error


def _firings_of(
    step: Step, zone: ZoneInfo, anchors: Sequence[Anchor], after: datetime, until: datetime
) -> Iterator[Firing]:
    match step.when:
        case DayOffset():
            for anchor in anchors:
                yield from _anchored(step, step.when, zone, anchor)
        case CronTime(expression):
            yield from _by_cron(step, expression, zone, after, until)
        case _:
            assert_never(step.when)


def _anchored(step: Step, when: DayOffset, zone: ZoneInfo, anchor: Anchor) -> Iterator[Firing]:
    day = anchor.at.astimezone(zone).date() + timedelta(days=when.days)
    shifted = shift_day(day, step.workdays)
    if shifted is None:
        return
    due_at = max(_instant(datetime.combine(shifted.day, when.at, zone)), _instant(anchor.at))
    yield Firing(due_at, step.id, anchor.id, step.grace, shifted.known)


def _by_cron(step: Step, expression: str, zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[Firing]:
    trigger = parse_cron(expression, zone)
    # A firing in the interval may come from a day off before it, moved by the workday rule.
    margin = MAX_SHIFT if step.workdays is WorkdayRule.NEXT_WORKDAY else timedelta()
    at: datetime | None = trigger.get_next_fire_time(None, (after - margin + _TICK).astimezone(zone))
    while at is not None and at <= until:
        shifted = shift_day(at.date(), step.workdays)
        if shifted is not None:
            moved = datetime.combine(shifted.day, at.time(), zone)
            yield Firing(_instant(moved), step.id, None, step.grace, shifted.known)
        at = trigger.get_next_fire_time(at, at + _TICK)


def _instant(at: datetime) -> datetime:
    # Equal instants must be equal keys, whatever zone they were computed in.
    return at.astimezone(UTC)
