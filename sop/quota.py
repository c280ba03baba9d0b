"""The broadcast quota: how many a recipient has had in the running span, and whether one more fits. Pure.

Source: 05-customer-contact.md, 5.6 (92135): as many a month as it has days; the corp may set 7 a week or 1 a day.
What members send themselves counts too and is not seen here, so this is the least that has been used.
"""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import assert_never
from zoneinfo import ZoneInfo


class QuotaMode(StrEnum):
    """Which span the corp has chosen."""

    MONTHLY = "monthly"
    WEEKLY = "weekly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class QuotaSpan:
    """The span [since, until) an instant falls in, and how many broadcasts it allows."""

    since: datetime
    until: datetime
    limit: int


@dataclass(frozen=True, slots=True)
class QuotaForecast:
    """Who fits and who does not, both in the order given; `tightest` is the least left after this one, if any."""

    fitting: tuple[str, ...]
    used_up: tuple[str, ...]
    limit: int
    tightest: int | None


def quota_span(mode: QuotaMode, at: datetime, zone: ZoneInfo) -> QuotaSpan:
    """Return the span around `at` in the bank's zone. Weeks begin on Monday."""
    today = at.astimezone(zone).date()
    match mode:
        case QuotaMode.MONTHLY:
            days = calendar.monthrange(today.year, today.month)[1]
            first = today.replace(day=1)
            return _span(first, first + timedelta(days=days), days, zone)
        case QuotaMode.WEEKLY:
            monday = today - timedelta(days=today.weekday())
            return _span(monday, monday + timedelta(days=7), 7, zone)
        case QuotaMode.DAILY:
            return _span(today, today + timedelta(days=1), 1, zone)
        case _:
            assert_never(mode)


def forecast_quota(recipients: Sequence[str], used: Mapping[str, int], limit: int, reserve: int) -> QuotaForecast:
    """Divide the recipients by whether one more broadcast fits, keeping `reserve` back but never the last one."""
    usable = max(1, limit - reserve)
    fitting = tuple(one for one in recipients if used.get(one, 0) < usable)
    left = [usable - used.get(one, 0) - 1 for one in fitting]
    return QuotaForecast(
        fitting=fitting,
        used_up=tuple(one for one in recipients if used.get(one, 0) >= usable),
        limit=usable,
        tightest=min(left, default=None),
    )


def _span(first: date, end: date, limit: int, zone: ZoneInfo) -> QuotaSpan:
    return QuotaSpan(datetime.combine(first, time(), zone), datetime.combine(end, time(), zone), limit)
