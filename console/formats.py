"""How times, numbers and personal data are shown. Pure."""

import re
from datetime import date, datetime, timedelta

from babel.dates import format_date, format_skeleton, get_day_names
from babel.numbers import format_decimal

from bot.clock import CHINA

_LOCALES = {"zh": "zh_CN", "en": "en"}
# A mainland mobile number, an identity number, or a card number, with the blanks and dashes people put in them.
_PRIVATE = re.compile(
    r"(?<![0-9A-Za-z])(?:1[3-9]\d(?:[ -]?\d{4}){2}|[1-9]\d{16}[\dXx]|[3-6]\d{3}(?:[ -]?\d{4}){2,3}(?:[ -]?\d{1,4})?)"
    r"(?![0-9A-Za-z])"
)
EMPTY = "—"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def when(value: datetime | None, now: datetime, language: str) -> str:
    """Say an instant in China's time: the clock today, with the day on other days, with the year in other years."""
    if value is None:
        return EMPTY
    local, today = value.astimezone(CHINA), now.astimezone(CHINA)
    clock = local.strftime("%H:%M")
    if local.date() == today.date():
        return clock
    skeleton = "MMMd" if local.year == today.year else "yMMMd"
    return f"{format_skeleton(skeleton, local.date(), locale=_LOCALES[language])} {clock}"


def full_time(value: datetime | None) -> str:
    """Say an instant to the second, for titles and the audit trail."""
    return EMPTY if value is None else value.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def day(value: date | None, language: str) -> str:
    """Say a date in full: 2026年11月21日."""
    return EMPTY if value is None else format_date(value, "long", locale=_LOCALES[language])


def number(value: float | None, language: str) -> str:
    """Write a number with its separators."""
    return EMPTY if value is None else format_decimal(value, locale=_LOCALES[language])


def span(value: timedelta, language: str) -> str:
    """Say a length of time in its two largest units, for waiting times and uptime."""
    seconds = max(0, int(value.total_seconds()))
    units = (("天", " d", 86400), ("小时", " h", 3600), ("分", " min", 60), ("秒", " s", 1))
    parts: list[str] = []
    for chinese, english, size in units:
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count}{english}" if language == "en" else f"{count} {chinese}")
    return " ".join(parts[:2])


def cron_time(expression: str, language: str) -> str:
    """Say a cron expression in words where it is one of the usual ones: daily, on a weekday, on a day of the month.

    Any other one is returned as it stands: better exact than wrong.
    """
    parts = expression.split()
    if len(parts) != 5 or not (parts[0].isdigit() and parts[1].isdigit()) or parts[3] != "*":
        return expression
    clock = f"{int(parts[1]):02}:{int(parts[0]):02}"
    match parts[2], parts[4]:
        case "*", "*":
            return f"Every day {clock}" if language == "en" else f"每天 {clock}"
        case "*", weekday if weekday in _WEEKDAYS:
            name = get_day_names("abbreviated", locale=_LOCALES[language])[_WEEKDAYS.index(weekday)]
            return f"Every {name} {clock}" if language == "en" else f"每{name} {clock}"
        case day_of_month, "*" if day_of_month.isdigit():
            return (
                f"Day {day_of_month} of each month {clock}" if language == "en" else f"每月 {day_of_month} 日 {clock}"
            )
        case _:
            return expression


def named_places(text: str) -> str:
    """Show the places of a plan's wording by name, as scripts do: {customer} becomes 【客户】."""
    for place, name in (("{customer}", "【客户】"), ("{staff}", "【客户经理】")):
        text = text.replace(place, name)
    return text


def masked(text: str) -> str:
    """Hide the middle of phone, identity and card numbers: 138****2210.

    The length is kept, so that places in the text (where a rule pointed) stay right.
    """
    return _PRIVATE.sub(_mask, text)


def _mask(found: re.Match[str]) -> str:
    number = found.group()
    keep_front = 3 if len(number) == 11 else 4
    middle = number[keep_front:-4]
    return number[:keep_front] + re.sub(r"[0-9A-Za-z]", "*", middle) + number[-4:]
