"""What a manager wants to broadcast, read from one message or answer by answer."""

from datetime import datetime

import pytest

from handlers.broadcast_wishes import (
    ALL_GROUPS,
    BroadcastWish,
    Gap,
    is_cancel,
    is_confirm,
    match_groups,
    next_gap,
    read_audience,
    read_time,
    read_wish,
)
from handlers.times import CHINA

NOW = datetime(2026, 11, 23, 9, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("text", "audience", "topic"),
    [
        ("明天上午十点给我的客户群发大额存单话术", ALL_GROUPS, "大额存单"),
        ("明天上午十点把零存整取的话术群发到我的群", ALL_GROUPS, "零存整取"),
        ("明天上午十点往城东理财交流1群发国债通知", "城东理财交流1群", "国债通知"),
        ("明天上午十点给城东理财群群发反诈提醒", "城东理财群", "反诈提醒"),
        ("帮我建个群发任务，明天上午十点发大额存单到所有客户群", ALL_GROUPS, "大额存单"),
    ],
)
def test_whole_request_is_read_at_once(text: str, audience: str, topic: str) -> None:
    wish = read_wish(text, NOW)
    assert wish.send_at == datetime(2026, 11, 24, 10, tzinfo=CHINA)
    assert wish.audience == audience
    assert wish.topic == topic
    assert next_gap(wish) is None


@pytest.mark.parametrize(
    ("text", "gap"),
    [
        ("群发大额存单话术到我的客户群", Gap.TIME),
        ("明天给我的客户群发大额存单话术", Gap.HOUR),
        ("昨天下午给我的客户群发大额存单话术", Gap.PAST),
        ("下周给我的客户群发大额存单话术", Gap.MOMENT),
        ("每周一早上9点给我的客户群发大额存单话术", Gap.RECURRING),
        ("明天上午十点给高净值客户发沙龙邀请", Gap.SEGMENT),
        ("明天上午十点群发", Gap.AUDIENCE),
    ],
)
def test_what_is_missing_is_named(text: str, gap: Gap) -> None:
    assert next_gap(read_wish(text, NOW)) is gap


def test_bare_hour_completes_the_day_said_before() -> None:
    wish = read_wish("后天给我的客户群发大额存单话术", NOW)
    assert read_time(wish, "下午三点", NOW).send_at == datetime(2026, 11, 25, 15, tzinfo=CHINA)


def test_now_means_now() -> None:
    assert read_wish("马上给我的客户群发大额存单话术", NOW).send_at == NOW


def test_wish_survives_between_two_messages() -> None:
    wish = read_wish("明天上午十点给我的客户群发大额存单话术", NOW)
    assert BroadcastWish.from_json(wish.as_json()) == wish


def test_groups_are_matched_by_name_and_nearly() -> None:
    names = ["城东理财交流1群", "城东新客福利群"]
    assert match_groups(ALL_GROUPS, names) == names
    assert match_groups("新客", names) == ["城东新客福利群"]
    assert match_groups("城东理财群", names) == ["城东理财交流1群"]
    assert match_groups("滨江养老群", names) == []


def test_answer_to_which_groups() -> None:
    assert read_audience(BroadcastWish(), "全部").audience == ALL_GROUPS
    assert read_audience(BroadcastWish(), "发给「新客」").audience == "新客"


@pytest.mark.parametrize("text", ["取消", "算了吧", "先不发了"])
def test_calling_off(text: str) -> None:
    assert is_cancel(text)
    assert not is_confirm(text)


@pytest.mark.parametrize("text", ["确认", "好的", "发吧", "OK"])
def test_agreeing(text: str) -> None:
    assert is_confirm(text)
    assert not is_cancel(text)
