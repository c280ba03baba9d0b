"""Time expressions in Chinese: 「明天上午10点」, 「下周三」, 「最近30天」, 「每周一早上9点」.

Pure. Everything is read in China time, relative to the `now` given. What is ambiguous is read forward (a bare
「周一」 said on a Wednesday is the coming one) and echoed back by whoever acts on it.

One file although it is long: the tables of days, ranges and repetitions are tried in one order and only make sense
together.
"""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from handlers.holidays import HOLIDAY_NAMES, day_after_holiday, find_holiday
from handlers.numerals import NUMERAL, fold_width, parse_numeral

CHINA = ZoneInfo("Asia/Shanghai")
_WEEKDAY_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY_CHARS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6, "末": 5} | {
    str(number): number - 1 for number in range(1, 8)
}


class TimeKind(StrEnum):
    """What an expression names: an instant, a day, a stretch, or a repetition."""

    AT = "dt"
    ON = "date"
    RANGE = "range"
    RECURRING = "rec"


@dataclass(frozen=True, slots=True)
class TimeExpression:
    """One expression and where it stood in the text.

    `at` is set for AT; `on` for ON (with `hint`, the usual hour of a part of the day named with it, if any);
    `since` and `until` (both inclusive, two dates or two instants) for RANGE; `rule` for RECURRING, such as
    `weekly:MO:09:00`, `monthly:5`, `daily:09:00`.
    """

    start: int
    end: int
    text: str
    kind: TimeKind
    at: datetime | None = None
    on: date | None = None
    hint: time | None = None
    since: date | datetime | None = None
    until: date | datetime | None = None
    rule: str | None = None

    @property
    def value(self) -> str:
        """Write it as ISO text without zone: an instant, a day, `a/b` for a range, or the rule itself."""
        if self.rule is not None:
            return self.rule
        if self.since is not None and self.until is not None:
            return f"{_iso(self.since)}/{_iso(self.until)}"
        moment = self.at or self.on
        return _iso(moment) if moment is not None else ""


def find_times(text: str, now: datetime) -> Sequence[TimeExpression]:
    """List the time expressions in `text` from left to right, without overlaps.

    Args:
        text: what somebody wrote.
        now: the instant it was written, aware.
    """
    folded, local = fold_width(text), now.astimezone(CHINA)
    found: list[TimeExpression] = []
    position = 0
    while position < len(folded):
        expression = _read_at(folded, position, local)
        if expression is not None and expression.end > position:
            found.append(expression)
            position = expression.end
        else:
            position += 1
    return tuple(found)


def parse_time(text: str, now: datetime) -> TimeExpression | None:
    """Return the first expression that covers (nearly) all of `text`, or `None`."""
    expressions = find_times(text, now)
    return expressions[0] if expressions else None


# -- reading ---------------------------------------------------------------------------------------------------

_PERIODS = {
    "凌晨": (0, 5), "清晨": (5, 7), "一大早": (5, 8), "大清早": (5, 8), "一早": (5, 8), "早晨": (5, 8), "早上": (5, 9),
    "上午": (6, 10), "早": (5, 9), "中午": (11, 12), "午间": (11, 12), "正午": (11, 12), "午后": (12, 14),
    "下午": (12, 15), "傍晚": (16, 18), "晚上": (17, 20), "晚间": (17, 20), "夜里": (19, 22), "半夜": (0, 0),
    "晚": (17, 20), "下班前": (12, 17), "上班前": (5, 8), "下班后": (17, 18),
}  # fmt: skip
_PERIOD = "|".join(sorted(_PERIODS, key=len, reverse=True))
_CLOCK = (
    rf"(?:(?P<hour>{NUMERAL})(?:点钟?(?![都也儿点])|时(?!候))(?:(?P<half>半)|(?P<quarter>[一三1-3])刻|(?P<whole>整)"
    rf"|(?P<minute>{NUMERAL})分?(?!号|日|月|万|个))?"
    r"|(?P<hh>[01]?\d|2[0-4]):(?P<mm>[0-5]\d)(?!\d))"
)
_TIME = re.compile(rf"(?:的)?(?:(?P<period>{_PERIOD})(?:的)?)?\s*(?:{_CLOCK})?")
_WEEK = r"(?:周|星期|礼拜)"
_SPAN_TO = re.compile(r"\s*(?:到|至|~|～|-|—)\s*")

_DayRule = Callable[[re.Match[str], date], date | None]
_RangeRule = Callable[[re.Match[str], date], tuple[date, date] | None]


@dataclass(frozen=True, slots=True)
class _Clock:
    """A time of day as it was said; `sure` when morning or afternoon is not in doubt."""

    hour: int
    minute: int
    sure: bool
    end: int


def _read_at(text: str, position: int, now: datetime) -> TimeExpression | None:
    for reader in (_read_recurring, _read_duration, _read_range, _read_day, _read_bare_clock):
        expression = reader(text, position, now)
        if expression is not None:
            return expression
    return None


def _read_duration(text: str, position: int, now: datetime) -> TimeExpression | None:
    match = _DURATION.match(text, position)
    if match is None or not (match["lead"] or match["after"]):
        return None
    minutes = _duration_minutes(match)
    if minutes is None:
        return None
    at = now + timedelta(minutes=minutes)
    return TimeExpression(position, match.end(), match[0], TimeKind.AT, at=at.replace(second=0, microsecond=0))


_DURATION = re.compile(
    rf"(?P<lead>再?过)?(?:(?P<halfhour>半(?:个)?(?:小时|钟头))|(?P<hours>{NUMERAL})(?P<plus>个半)?个?(?:小时|钟头)"
    rf"(?P<tail>半)?|(?P<quarters>{NUMERAL})刻钟|(?P<minutes>{NUMERAL})(?:分钟|分(?=后|之后|以后)))"
    r"(?P<after>之后|以后|后)?"
)


def _duration_minutes(match: re.Match[str]) -> int | None:
    if match["halfhour"]:
        return 30
    for group, unit in (("hours", 60), ("quarters", 15), ("minutes", 1)):
        if match[group]:
            number = parse_numeral(match[group])
            if number is None:
                return None
            return number * unit + (30 if group == "hours" and (match["plus"] or match["tail"]) else 0)
    return None


def _read_recurring(text: str, position: int, now: datetime) -> TimeExpression | None:
    for pattern, render in _RECURRING:
        match = pattern.match(text, position)
        if match is None:
            continue
        rule = render(match)
        if rule is None:
            continue
        clock = _read_clock(text, match.end())
        end = clock.end if clock else _after_period(text, match.end())
        if clock:
            hour, minute = _settle(clock)
            rule += f":{hour % 24:02d}:{minute:02d}"
        return TimeExpression(position, end, text[position:end], TimeKind.RECURRING, rule=rule)
    return None


def _weekly(match: re.Match[str]) -> str | None:
    days = match["days"]
    if match["last"]:
        first, last = _WEEKDAY_CHARS[days[0]], _WEEKDAY_CHARS[match["last"]]
        chosen = list(range(first, last + 1))
    else:
        chosen = sorted({_WEEKDAY_CHARS[char] for char in days if char in _WEEKDAY_CHARS})
    return "weekly:" + ",".join(_WEEKDAY_CODES[day] for day in chosen) if chosen else None


def _monthly(match: re.Match[str]) -> str | None:
    if match["last"]:
        return "monthly:last"
    day = parse_numeral(match["day"])
    return f"monthly:{day}" if day is not None and 1 <= day <= 31 else None


def _yearly(match: re.Match[str]) -> str | None:
    month, day = parse_numeral(match["month"]), parse_numeral(match["day"])
    return f"yearly:{month:02d}-{day:02d}" if month and day else None


_RECURRING: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...] = (
    (re.compile(r"每(?:个|逢)?(?:工作日|交易日)"), lambda match: "weekly:MO,TU,WE,TH,FR"),
    (
        re.compile(
            r"每个?(?:周|星期|礼拜)(?P<days>[一二三四五六日天末1-7](?:[、,和及]?(?:周|星期|礼拜)?[一二三四五六日天])*)"
            r"(?:(?:到|至)(?:周|星期|礼拜)?(?P<last>[一二三四五六日天]))?"
        ),
        _weekly,
    ),
    (re.compile(rf"每年(?P<month>{NUMERAL})月(?P<day>{NUMERAL})[日号]?"), _yearly),
    (re.compile(rf"每个?月(?:(?P<last>底|末|最后一天)|的?(?P<day>{NUMERAL})[日号])"), _monthly),
    (re.compile(r"每隔?(?P<n>[两二三四五六七八九十\d]+)天"), lambda match: f"every:{parse_numeral(match['n'])}d"),
    (re.compile(r"每天|每日|天天(?!盈)"), lambda match: "daily"),
    (re.compile(r"每个?(?:周|星期|礼拜)"), lambda match: "weekly"),
    (re.compile(r"每个?月"), lambda match: "monthly"),
)


def _read_range(text: str, position: int, now: datetime) -> TimeExpression | None:
    for pattern, rule in _RANGES:
        match = pattern.match(text, position)
        if match is None:
            continue
        span = rule(match, now.date())
        if span is not None:
            return TimeExpression(position, match.end(), match[0], TimeKind.RANGE, since=span[0], until=span[1])
    return None


def _read_day(text: str, position: int, now: datetime) -> TimeExpression | None:
    for pattern, rule in _DAYS:
        match = pattern.match(text, position)
        if match is None:
            continue
        day = rule(match, now.date())
        if day is not None:
            return _finish_day(text, position, match, day, now)
    return None


def _finish_day(text: str, position: int, match: re.Match[str], day: date, now: datetime) -> TimeExpression:
    """Read what may follow a day: a time, a span of times, a part of the day, or another day."""
    after = match.end() - (1 if match[0][-1] in "早晚" and match.re is _SHORT_DAY else 0)
    clock = _read_clock(text, after)
    if clock is not None:
        return _finish_clock(text, position, clock, day, now)
    other = _second_day(text, match.end(), now)
    if other is not None and other[0] > day:
        end = other[1]
        return TimeExpression(position, end, text[position:end], TimeKind.RANGE, since=day, until=other[0])
    end = _after_period(text, after)
    period = _TIME.match(text, after)
    hint = time(_PERIODS[period["period"]][1]) if period and period["period"] else None
    return TimeExpression(
        position, max(end, match.end()), text[position : max(end, match.end())], TimeKind.ON, on=day, hint=hint
    )


def _read_bare_clock(text: str, position: int, now: datetime) -> TimeExpression | None:
    if position and text[position - 1].isdigit():
        return None
    clock = _read_clock(text, position)
    if clock is not None:
        return _finish_clock(text, position, clock, None, now)
    match = _PERIOD_ALONE.match(text, position)
    if match is None:
        return None
    return TimeExpression(position, match.end(), match[0], TimeKind.ON, on=now.date(), hint=time(_PERIODS[match[0]][1]))


_PERIOD_ALONE = re.compile(r"(?:凌晨|早晨|早上|上午|中午|下午|傍晚|晚上)(?!好|茶)")


def _finish_clock(text: str, position: int, clock: _Clock, day: date | None, now: datetime) -> TimeExpression:
    at = _instant(clock, day, now)
    link = _SPAN_TO.match(text, clock.end)
    until = _read_clock(text, link.end()) if link else None
    if until is None:
        return TimeExpression(position, clock.end, text[position : clock.end], TimeKind.AT, at=at)
    end_at = _combine(at.date(), *_settle(until))
    if end_at <= at:  # 「下午3点到5点」: the second hour lies in the same half of the day
        end_at += timedelta(hours=12)
    return TimeExpression(position, until.end, text[position : until.end], TimeKind.RANGE, since=at, until=end_at)


def _read_clock(text: str, position: int) -> _Clock | None:
    match = _TIME.match(text, position)
    if match is None or not (match["hour"] or match["hh"]):
        return None
    hour = int(match["hh"]) if match["hh"] else parse_numeral(match["hour"])
    if hour is None or hour > 24:
        return None
    minute = _minute_of(match)
    if minute > 59:
        return None
    period = match["period"]
    if period:
        return _Clock(_in_period(hour, period), minute, True, match.end())
    return _Clock(hour, minute, hour > 12 or hour == 0 or bool(match["hh"] and len(match["hh"]) == 2), match.end())


def _minute_of(match: re.Match[str]) -> int:
    if match["mm"]:
        return int(match["mm"])
    if match["half"]:
        return 30
    if match["quarter"]:
        return 15 * (parse_numeral(match["quarter"]) or 0)
    return (parse_numeral(match["minute"]) or 0) if match["minute"] else 0


def _in_period(hour: int, period: str) -> int:
    """Return the hour of the day (24 for midnight at its end) that `hour` means in a part of the day."""
    start = _PERIODS[period][0]
    if period == "半夜":
        return hour + 12 if 9 <= hour < 12 else hour % 12
    if start == 0:
        return 0 if hour == 12 else hour
    if start >= 17 and hour == 12:
        return 24
    if start >= 12 and hour < 12:
        return hour + 12
    return hour + 12 if start == 11 and hour <= 3 else hour


def _settle(clock: _Clock) -> tuple[int, int]:
    """Decide morning or afternoon by office hours when nothing else tells: 3点 is 15:00, 9点 is 09:00."""
    if not clock.sure and 1 <= clock.hour <= 6:
        return clock.hour + 12, clock.minute
    return clock.hour, clock.minute


def _instant(clock: _Clock, day: date | None, now: datetime) -> datetime:
    if day is not None:
        return _combine(day, *_settle(clock))
    hours = [clock.hour] if clock.sure or clock.hour >= 12 else [clock.hour, clock.hour + 12]
    candidates = [_combine(now.date(), hour, clock.minute) for hour in hours]
    later = next((candidate for candidate in candidates if candidate > now), None)
    if later is not None:
        return later
    if clock.sure:
        return candidates[0]
    return _combine(now.date() + timedelta(days=1), *_settle(clock))


def _combine(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(0), CHINA) + timedelta(hours=hour, minutes=minute)


def _after_period(text: str, position: int) -> int:
    match = _TIME.match(text, position)
    return match.end("period") if match and match["period"] else position


def _second_day(text: str, position: int, now: datetime) -> tuple[date, int] | None:
    link = _SPAN_TO.match(text, position)
    if link is None:
        return None
    for pattern, rule in _DAYS:
        match = pattern.match(text, link.end())
        day = rule(match, now.date()) if match else None
        if match and day is not None:
            return day, match.end()
    return None


def _iso(moment: date | datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M") if isinstance(moment, datetime) else moment.isoformat()


# -- days ------------------------------------------------------------------------------------------------------

_OFFSETS = {
    "大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2, "大后": 3,
}  # fmt: skip
_SHORT_DAY = re.compile(r"(?P<word>昨|今|明|后)(?=早|晚)(?:早|晚)")


def _named_day(match: re.Match[str], today: date) -> date:
    return today + timedelta(days=_OFFSETS[match["word"]])


def _full_date(match: re.Match[str], today: date) -> date | None:
    month, day = parse_numeral(match["month"]), parse_numeral(match["day"])
    if month is None or day is None:
        return None
    year = _year_of(match["year"], today)
    found = _date_or_none(year or today.year, month, day)
    if found is not None and year is None and found < today - timedelta(days=60):
        # a month and day long past is next year's; a recent one is meant as said (「5月1日那次群发」)
        return _date_or_none(today.year + 1, month, day)
    return found


def _year_of(said: str | None, today: date) -> int | None:
    if not said:
        return None
    if said in _YEAR_WORDS:
        return today.year + _YEAR_WORDS[said]
    number = parse_numeral(said)
    return number + 2000 if number is not None and number < 100 else number


_YEAR_WORDS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}


def _month_day(match: re.Match[str], today: date) -> date | None:
    year, month = _shift_month(today, _repeat(match["shift"]))
    if match["edge"]:
        return _edge_of_month(year, month, match["edge"])
    day = parse_numeral(match["day"])
    return _date_or_none(year, month, day) if day else None


def _edge_of_month(year: int, month: int, edge: str) -> date:
    if edge in ("初",):
        return date(year, month, 1)
    if edge in ("中", "中旬"):
        return date(year, month, 15)
    return date(year, month, calendar.monthrange(year, month)[1])


def _bare_day(match: re.Match[str], today: date) -> date | None:
    day = parse_numeral(match["day"])
    if day is None or not 1 <= day <= 31:
        return None
    found = _date_or_none(today.year, today.month, day)
    if found is not None and found >= today:
        return found
    year, month = _shift_month(today, 1)
    return _date_or_none(year, month, day)


def _weekday(match: re.Match[str], today: date) -> date:
    target = _WEEKDAY_CHARS[match["day"]]
    monday = today - timedelta(days=today.weekday())
    shift = match["shift"]
    if shift:
        return monday + timedelta(days=7 * _repeat(shift) + target)
    found = monday + timedelta(days=target)
    return found if found >= today else found + timedelta(days=7)


def _repeat(shift: str | None) -> int:
    """Return how many weeks or months 「下下」, 「上」, 「本」 move."""
    if not shift:
        return 0
    return shift.count("下") - shift.count("上")


def _counted_days(match: re.Match[str], today: date) -> date | None:
    number = 1 if match["n"] is None else parse_numeral(match["n"])
    if number is None:
        return None
    sign = -1 if match["way"] in ("前", "之前", "以前") else 1
    return _move(today, match["unit"], number * sign)


def _move(today: date, unit: str, number: int) -> date | None:
    if unit in ("天", "日"):
        return today + timedelta(days=number)
    if unit in ("周", "星期", "礼拜"):
        return today + timedelta(weeks=number)
    months = number * 12 if unit == "年" else number
    year, month = _shift_month(today, months)
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _half_unit(match: re.Match[str], today: date) -> date | None:
    sign = -1 if match["way"] in ("前", "之前", "以前") else 1
    return today + timedelta(days=15 * sign) if match["unit"] == "月" else _move(today, "月", 6 * sign)


def _edge_day(match: re.Match[str], today: date) -> date:
    word = match[0]
    if "年" in word:
        year = today.year + _YEAR_WORDS.get(word[:2], 0)
        return date(year, 1, 1) if word.endswith("初") else date(year, 12, 31)
    if "季" in word:
        month = (today.month - 1) // 3 * 3 + 3
        return _edge_of_month(today.year, month, "底")
    return _edge_of_month(today.year, today.month, word[-1])


def _holiday(match: re.Match[str], today: date) -> date | None:
    day = find_holiday(match["name"], today)
    if day is None:
        return None
    side = match["side"] or ""
    if side.startswith(("前", "之前", "的前")):
        return day - timedelta(days=1)
    if side.startswith(("后", "之后", "过后")):
        return day_after_holiday(day)
    return day


def _same_time_before(match: re.Match[str], today: date) -> date | None:
    return _move(today, "年" if "年" in match[0] else "月", -1)


def _shift_month(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


def _date_or_none(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


_HOLIDAY = "|".join(HOLIDAY_NAMES)
_YEAR = r"(?P<year>今年|明年|去年|后年|前年|(?:\d{4}|\d{2}|[一二三四五六七八九零〇]{2,4})(?=年))年?"
_DAYS: tuple[tuple[re.Pattern[str], _DayRule], ...] = (
    (re.compile(r"(?<!\d)(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"), _full_date),
    (
        re.compile(rf"(?:{_YEAR})?的?(?P<month>{NUMERAL})月份?(?P<day>{NUMERAL})(?:[日号]|(?![\d万千百个元]))"),
        _full_date,
    ),
    (re.compile(r"(?P<word>大前|前|昨|今|当|明|大后|后)(?:天|日(?!期)|儿个?)"), _named_day),
    (_SHORT_DAY, _named_day),
    (re.compile(r"去年同期|上个?月同期"), _same_time_before),
    (
        re.compile(
            rf"(?P<shift>上+个?|下+个?|本|这个?|当)月份?的?(?:(?P<day>{NUMERAL})[日号]|(?P<edge>底|末|初|中旬|中))"
        ),
        _month_day,
    ),
    (re.compile(rf"(?P<shift>上+个?|下+个?|本|这个?)?{_WEEK}(?P<day>[一二三四五六日天1-7])(?![\d点])"), _weekday),
    (re.compile(r"(?:今年|明年|去年)?年(?:底|末|初)|月(?:底|末|初|中)|季度?末|季底"), _edge_day),
    (re.compile(r"(?:今|明|去)年(?:底|末|初)"), _edge_day),
    (
        re.compile(rf"(?:再?过)?(?P<n>{NUMERAL})(?:个)?(?P<unit>天|日|周|星期|礼拜|月|年)(?:之|以)?(?P<way>后|前)"),
        _counted_days,
    ),
    (re.compile(rf"再?过(?P<n>{NUMERAL})个?(?P<unit>天|周|星期|礼拜|月|年)(?P<way>)"), _counted_days),
    (re.compile(r"半(?:个(?P<unit>月)|年)(?:之|以)?(?P<way>后|前)"), _half_unit),
    (
        re.compile(
            rf"(?P<name>{_HOLIDAY})(?!月|点|万|块)节?(?:的|当天)?(?P<side>前一天|后第一天|之前|之后|过后|前|后)?(?!台)"
        ),
        _holiday,
    ),
    (re.compile(rf"(?<![\d尾月])(?P<day>{NUMERAL})[日号](?!线|楼|店|码|网|\d)"), _bare_day),
)


# -- ranges ----------------------------------------------------------------------------------------------------


def _week_span(match: re.Match[str], today: date) -> tuple[date, date]:
    monday = today - timedelta(days=today.weekday()) + timedelta(weeks=_repeat(match["shift"]))
    if match["end"]:
        return monday + timedelta(days=5), monday + timedelta(days=6)
    return monday, monday + timedelta(days=6)


def _month_span(match: re.Match[str], today: date) -> tuple[date, date]:
    year, month = _shift_month(today, _repeat(match["shift"]))
    return _whole_month(year, month)


def _numbered_month(match: re.Match[str], today: date) -> tuple[date, date] | None:
    month = parse_numeral(match["month"])
    if month is None or not 1 <= month <= 12:
        return None
    return _whole_month(_year_of(match["year"], today) or today.year, month)


def _whole_month(year: int, month: int) -> tuple[date, date]:
    return date(year, month, 1), _edge_of_month(year, month, "底")


def _quarter_span(match: re.Match[str], today: date) -> tuple[date, date] | None:
    if match["n"]:
        number, year = parse_numeral(match["n"]), _year_of(match["year"], today) or today.year
        if number is None or not 1 <= number <= 4:
            return None
        return _quarter(year, number)
    index = today.year * 4 + (today.month - 1) // 3 + _repeat(match["shift"])
    return _quarter(index // 4, index % 4 + 1)


def _quarter(year: int, number: int) -> tuple[date, date]:
    return date(year, number * 3 - 2, 1), _edge_of_month(year, number * 3, "底")


def _half_year(match: re.Match[str], today: date) -> tuple[date, date]:
    year = _year_of(match["year"], today) or today.year
    if match["half"] == "上":
        return date(year, 1, 1), date(year, 6, 30)
    return date(year, 7, 1), date(year, 12, 31)


def _year_span(match: re.Match[str], today: date) -> tuple[date, date]:
    year = today.year + _YEAR_WORDS.get(match[0], 0)
    return date(year, 1, 1), date(year, 12, 31)


def _recent(match: re.Match[str], today: date) -> tuple[date, date] | None:
    first = _recent_start(match, today, -1)
    return (first, today) if first else None


def _coming(match: re.Match[str], today: date) -> tuple[date, date] | None:
    last = _recent_start(match, today, 1)
    return (today, last) if last else None


def _recent_start(match: re.Match[str], today: date, sign: int) -> date | None:
    if match["half"]:
        return today + timedelta(days=15 * sign) if match["half"].endswith("月") else _move(today, "月", 6 * sign)
    number = parse_numeral(match["n"]) if match["n"] else 1
    return _move(today, match["unit"], number * sign) if number else None


_STRETCH = rf"(?:(?P<half>半个月|半年)|(?P<n>{NUMERAL})?个?(?P<unit>天|日|周|星期|礼拜|月|年))"
_RANGES: tuple[tuple[re.Pattern[str], _RangeRule], ...] = (
    (re.compile(rf"(?P<shift>上+个?|下+个?|本|这个?){_WEEK}(?![一二三四五六日天1-7])(?P<end>末)?"), _week_span),
    (re.compile(rf"(?P<shift>){_WEEK}(?P<end>末)"), _week_span),
    (re.compile(rf"(?P<shift>上+个?|下+个?|本|这个?|当)月份?(?![底末初中同的]|{NUMERAL}[日号])"), _month_span),
    (
        re.compile(rf"(?:{_YEAR})?(?:第(?P<n>{NUMERAL})|(?P<shift>上一?个?|下一?个?|本|这个?))季度?(?![末底])"),
        _quarter_span,
    ),
    (re.compile(rf"(?:{_YEAR})?(?P<n>[一二三四1-4])季度(?P<shift>)"), _quarter_span),
    (re.compile(r"(?:(?P<year>今年|去年|明年))?(?:第)?[qQ](?P<n>[1-4])(?P<shift>)"), _quarter_span),
    (re.compile(r"(?:(?P<year>今年|去年|明年))?(?P<half>[上下])半年"), _half_year),
    (re.compile(rf"(?:最近|近|过去)的?{_STRETCH}"), _recent),
    (re.compile(rf"(?:未来|接下来|今后|往后)的?{_STRETCH}"), _coming),
    (
        re.compile(
            rf"(?:{_YEAR})?(?P<month>(?:1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九]))月份?(?!\d|[一二三四五六七八九十底末初中])"
        ),
        _numbered_month,
    ),
    (re.compile(rf"(?:去年|今年|明年)(?!同期|底|末|初|年|的?{NUMERAL}月|{_HOLIDAY}|[qQ上下第一二三四])"), _year_span),
)
