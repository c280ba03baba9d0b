"""Is a day a working day at a bank in mainland China? Pure, by the published holiday calendar.

The calendar is published a year at a time. For years it does not know yet, Monday to Friday are taken, and the answer
says so: nobody should believe that a plan for next spring already knows the spring festival.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import assert_never

import chinese_calendar

# The longest holiday so far had 8 days off in a row; beyond this a calendar would be wrong.
MAX_SHIFT = timedelta(days=15)


class WorkdayRule(StrEnum):
    """What to do when a step falls on a day off: run all the same, leave it out, or move it to the next workday."""

    ANY_DAY = "any_day"
    SKIP = "skip"
    NEXT_WORKDAY = "next_workday"


@dataclass(frozen=True, slots=True)
class WorkdayAnswer:
    """`known` is false when the holiday calendar of that year was not published when our library was."""

    is_workday: bool
    known: bool


@dataclass(frozen=True, slots=True)
class ShiftedDay:
    """The day a step runs on by its rule; `known` as in `WorkdayAnswer`, for all days that were looked at."""

    day: date
    known: bool


@lru_cache(maxsize=4096)
def ask_workday(day: date) -> WorkdayAnswer:
    """Tell whether the day is a workday, weekend work by decree included."""
    try:
        return WorkdayAnswer(bool(chinese_calendar.is_workday(day)), known=True)
    except NotImplementedError:
        return WorkdayAnswer(day.weekday() < 5, known=False)


def shift_day(day: date, rule: WorkdayRule) -> ShiftedDay | None:
    """Return the day the rule leads to, or `None` when the rule leaves the step out."""
    answer = ask_workday(day)
    match rule:
        case WorkdayRule.ANY_DAY:
            return ShiftedDay(day, known=True)
        case WorkdayRule.SKIP:
            return ShiftedDay(day, answer.known) if answer.is_workday else None
        case WorkdayRule.NEXT_WORKDAY:
            return _next_workday(day)
        case _:
            assert_never(rule)


def _next_workday(day: date) -> ShiftedDay:
    known = True
    last = day + MAX_SHIFT
    while day < last:
        answer = ask_workday(day)
        known = known and answer.known
        if answer.is_workday:
            break
        day += timedelta(days=1)
    return ShiftedDay(day, known)
