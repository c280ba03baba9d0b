"""Time expressions, relative to Wednesday 2024-05-15 10:00 in China."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from handlers.times import CHINA, TimeKind, find_times, parse_time

NOW = datetime(2024, 5, 15, 10, tzinfo=CHINA)
DEV = Path(__file__).parents[3] / "shared" / "data" / "intents" / "time_dev.tsv"

CASES = [
    ("明早九点半", "dt", "2024-05-16T09:30"),
    ("下周一早上9:30", "dt", "2024-05-20T09:30"),
    ("今天下午三点一刻", "dt", "2024-05-15T15:15"),
    ("下午6点15分", "dt", "2024-05-15T18:15"),
    ("后天晚上十二点", "dt", "2024-05-18T00:00"),
    ("一个半小时后", "dt", "2024-05-15T11:30"),
    ("二十分钟后", "dt", "2024-05-15T10:20"),
    ("11月30日上午10点", "dt", "2024-11-30T10:00"),
    ("3点", "dt", "2024-05-15T15:00"),
    ("周一", "date", "2024-05-20"),
    ("本周五", "date", "2024-05-17"),
    ("大前天", "date", "2024-05-12"),
    ("两周后", "date", "2024-05-29"),
    ("再过三天", "date", "2024-05-18"),
    ("半年前", "date", "2023-11-15"),
    ("这个月20号", "date", "2024-05-20"),
    ("明年1月3日", "date", "2025-01-03"),
    ("中秋节", "date", "2024-09-17"),
    ("母亲节", "date", "2025-05-11"),
    ("国庆节后第一天", "date", "2024-10-08"),
    ("元旦后", "date", "2025-01-02"),
    ("周末", "range", "2024-05-18/2024-05-19"),
    ("上上周", "range", "2024-04-29/2024-05-05"),
    ("近三个月", "range", "2024-02-15/2024-05-15"),
    ("未来7天", "range", "2024-05-15/2024-05-22"),
    ("今年上半年", "range", "2024-01-01/2024-06-30"),
    ("10月1号到10月7号", "range", "2024-10-01/2024-10-07"),
    ("后天早上九点到十一点", "range", "2024-05-17T09:00/2024-05-17T11:00"),
    ("每月15日上午10点", "rec", "monthly:15:10:00"),
    ("每周一三五下午3点", "rec", "weekly:MO,WE,FR:15:00"),
    ("每周一至周五", "rec", "weekly:MO,TU,WE,TH,FR"),
    ("每天早上8点半", "rec", "daily:08:30"),
]


def development_cases() -> list[tuple[str, str, str]]:
    """The project's development file, where it lies beside the repository."""
    if not DEV.exists():
        return []
    lines = DEV.read_text(encoding="utf-8").splitlines()
    return [(fields[0], fields[1], fields[2]) for fields in (line.split("\t") for line in lines) if len(fields) == 3]


@pytest.mark.parametrize(("text", "kind", "value"), CASES + development_cases())
def test_expression_is_read_as_a_person_means_it(text: str, kind: str, value: str) -> None:
    (found,) = find_times(text, NOW)
    assert (found.kind, found.text) == (kind, text)
    assert found.value in value.split("|")


def test_expression_is_found_inside_a_sentence_with_its_place() -> None:
    text = "麻烦明天上午十点给我的客户群发"
    (found,) = find_times(text, NOW)
    assert text[found.start : found.end] == "明天上午十点"
    assert found.at == datetime(2024, 5, 16, 10, tzinfo=CHINA)


@pytest.mark.parametrize("text", ["20万存两年", "三年期定期", "稳盈90天", "打了八次电话", "一点都不好", "尾号3345"])
def test_numbers_that_are_no_times_are_left_alone(text: str) -> None:
    assert find_times(text, NOW) == ()


def test_part_of_the_day_keeps_its_usual_hour_as_a_hint() -> None:
    found = parse_time("周五下午", NOW)
    assert found is not None
    assert (found.kind, found.on, found.hint) == (TimeKind.ON, date(2024, 5, 17), time(15))


def test_now_in_another_zone_is_read_in_china() -> None:
    late_evening_in_utc = datetime(2024, 5, 14, 17, tzinfo=UTC)  # 01:00 on the 15th in China
    found = parse_time("明天", late_evening_in_utc)
    assert found is not None
    assert found.on == date(2024, 5, 16)


def test_day_that_does_not_exist_is_not_invented() -> None:
    assert all(found.kind is not TimeKind.ON for found in find_times("2月30日", NOW))
