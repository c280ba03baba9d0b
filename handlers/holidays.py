"""Days with a name: Chinese public holidays and the occasions a branch writes greetings for.

Pure. The lunar dates are a table (the calendar is fixed by astronomy years ahead); statutory rest days come from
`chinese_calendar` for the years it knows.
"""

from collections.abc import Callable
from datetime import date, timedelta

import chinese_calendar

_SPRING_FESTIVAL = {
    2023: (1, 22), 2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6), 2028: (1, 26), 2029: (2, 13),
    2030: (2, 3), 2031: (1, 23), 2032: (2, 11), 2033: (1, 31), 2034: (2, 19), 2035: (2, 8),
}  # fmt: skip
_DRAGON_BOAT = {
    2023: (6, 22), 2024: (6, 10), 2025: (5, 31), 2026: (6, 19), 2027: (6, 9), 2028: (5, 28), 2029: (6, 16),
    2030: (6, 5), 2031: (6, 24), 2032: (6, 12), 2033: (6, 1), 2034: (6, 20), 2035: (6, 10),
}  # fmt: skip
_MID_AUTUMN = {
    2023: (9, 29), 2024: (9, 17), 2025: (10, 6), 2026: (9, 25), 2027: (9, 15), 2028: (10, 3), 2029: (9, 22),
    2030: (9, 12), 2031: (10, 1), 2032: (9, 19), 2033: (9, 8), 2034: (9, 27), 2035: (9, 16),
}  # fmt: skip


def find_holiday(name: str, today: date) -> date | None:
    """Find the next day called `name` on or after `today`, or `None` when name or year is unknown."""
    rule = _RULES.get(name) or _RULES.get(name.removesuffix("节"))
    if rule is None:
        return None
    days = (rule(year) for year in (today.year, today.year + 1))
    return next((day for day in days if day is not None and day >= today), None)


def day_after_holiday(day: date) -> date:
    """Return the first working day after the holiday that contains `day`."""
    following = day + timedelta(days=1)
    while not _is_workday(following):
        following += timedelta(days=1)
    return following


def _is_workday(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # a year whose official calendar is not published yet
        return day.weekday() < 5


def _fixed(month: int, day: int) -> Callable[[int], date | None]:
    return lambda year: date(year, month, day)


def _tabled(table: dict[int, tuple[int, int]], shift_days: int = 0) -> Callable[[int], date | None]:
    def rule(year: int) -> date | None:
        return date(year, *table[year]) + timedelta(days=shift_days) if year in table else None

    return rule


def _nth_sunday(month: int, nth: int) -> Callable[[int], date | None]:
    def rule(year: int) -> date | None:
        first = date(year, month, 1)
        return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (nth - 1))

    return rule


def _qingming(year: int) -> date | None:
    """Return Qingming by the usual formula for this century."""
    short = year % 100
    return date(year, 4, int(short * 0.2422 + 4.81) - short // 4)


_RULES: dict[str, Callable[[int], date | None]] = {
    "元旦": _fixed(1, 1),
    "春节": _tabled(_SPRING_FESTIVAL),
    "过年": _tabled(_SPRING_FESTIVAL),
    "大年初一": _tabled(_SPRING_FESTIVAL),
    "除夕": _tabled(_SPRING_FESTIVAL, -1),
    "元宵": _tabled(_SPRING_FESTIVAL, 14),
    "情人": _fixed(2, 14),
    "妇女": _fixed(3, 8),
    "三八": _fixed(3, 8),
    "清明": _qingming,
    "劳动": _fixed(5, 1),
    "五一": _fixed(5, 1),
    "五一劳动": _fixed(5, 1),
    "母亲": _nth_sunday(5, 2),
    "儿童": _fixed(6, 1),
    "六一儿童": _fixed(6, 1),
    "六一": _fixed(6, 1),
    "端午": _tabled(_DRAGON_BOAT),
    "父亲": _nth_sunday(6, 3),
    "建军": _fixed(8, 1),
    "教师": _fixed(9, 10),
    "中秋": _tabled(_MID_AUTUMN),
    "国庆": _fixed(10, 1),
    "十一": _fixed(10, 1),
    "十一国庆": _fixed(10, 1),
    "双十一": _fixed(11, 11),
    "圣诞": _fixed(12, 25),
}
HOLIDAY_NAMES = tuple(sorted(_RULES, key=len, reverse=True))
