"""The console's decisions without a database: masking, marking, times, charts, the watermark."""

from datetime import UTC, datetime, timedelta

import pytest

from console import formats
from console.charts import FunnelStep, draw_funnel
from console.conversation import Part, cut_excerpt, mark_text
from console.stage.seats import Seat, SeatKind, seat_kind
from console.watermark import draw_watermark

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("电话13800002210。", "电话138****2210。"),
        ("138 0000 2210", "138 **** 2210"),
        ("卡号6222020000001234567", "卡号6222***********4567"),
        ("11010119900307451X", "1101**********451X"),
        ("利率1.55%，20万起，编号S-0001", "利率1.55%，20万起，编号S-0001"),
    ],
)
def test_personal_numbers_are_masked_and_keep_their_length(text: str, shown: str) -> None:
    assert formats.masked(text) == shown
    assert len(formats.masked(text)) == len(text)


def test_places_that_overlap_are_marked_as_one() -> None:
    text = "这款保本保息，放心买"
    assert mark_text(text, [(2, 4), (2, 6), (7, 9)]) == (
        Part("这款", False),
        Part("保本保息", True),
        Part("，", False),
        Part("放心", True),
        Part("买", False),
    )
    assert "".join(part.text for part in mark_text(text, [(5, 99), (-3, 1)])) == text


def test_excerpt_shows_the_hit_with_a_little_around_it() -> None:
    parts = cut_excerpt("甲" * 100 + "保本" + "乙" * 100, 100, 102)
    assert Part("保本", True) in parts
    assert sum(len(part.text) for part in parts) < 70


@pytest.mark.parametrize(
    ("at", "chinese", "english"),
    [
        (NOW, "10:00", "10:00"),
        (NOW - timedelta(days=3), "11月18日 10:00", "Nov 18 10:00"),
        (NOW - timedelta(days=400), "2025年10月17日 10:00", "Oct 17, 2025 10:00"),
        (None, "—", "—"),
    ],
)
def test_times_are_said_in_chinas_zone_as_short_as_can_be(at: datetime | None, chinese: str, english: str) -> None:
    assert formats.when(at, NOW, "zh") == chinese
    assert formats.when(at, NOW, "en") == english


def test_lengths_of_time_are_said_in_two_units() -> None:
    assert formats.span(timedelta(days=1, hours=2, minutes=3), "zh") == "1 天 2 小时"
    assert formats.span(timedelta(seconds=5), "en") == "5 s"
    assert formats.span(timedelta(0), "zh") == "0 秒"


def test_charts_escape_and_need_no_inline_style() -> None:
    svg = str(draw_funnel("进展", [FunnelStep("<b>", 4), FunnelStep("到", 1)], "表"))
    assert "<b>" not in svg
    assert "style=" not in svg
    assert "25%" in svg
    assert 'role="img"' in svg
    assert "0%" in str(draw_funnel("空", [FunnelStep("无", 0)], "表"))


def test_watermark_names_the_person_and_escapes() -> None:
    svg = draw_watermark("<李娜>", "rm001", NOW)
    assert "&lt;李娜&gt; rm001 11-21 10:00" in svg


def test_seats_know_their_chat_and_whether_they_are_complete() -> None:
    seat = Seat(SeatKind.SINGLE, "rm001", "wm1")
    assert seat.conversation() == ("single", "rm001|wm1")
    assert seat.plays == "wm1"
    assert seat.is_complete
    assert not Seat(SeatKind.GROUP, chat_id="wr1").is_complete
    assert seat_kind("nonsense") is SeatKind.RM
    assert "draft=%E4%BD%A0" in seat.url(draft="你")


@pytest.mark.parametrize(
    ("expression", "chinese", "english"),
    [
        ("30 8 * * mon", "每周一 08:30", "Every Mon 08:30"),
        ("0 9 * * *", "每天 09:00", "Every day 09:00"),
        ("5 10 15 * *", "每月 15 日 10:05", "Day 15 of each month 10:05"),
        ("*/5 * * * *", "*/5 * * * *", "*/5 * * * *"),
        ("0 9 * 1 mon", "0 9 * 1 mon", "0 9 * 1 mon"),
    ],
)
def test_usual_plan_times_are_said_in_words_and_unusual_ones_exactly(
    expression: str, chinese: str, english: str
) -> None:
    assert formats.cron_time(expression, "zh") == chinese
    assert formats.cron_time(expression, "en") == english


def test_places_in_a_plans_wording_are_shown_by_name() -> None:
    assert formats.named_places("{customer}您好，我是{staff}") == "【客户】您好，我是【客户经理】"
