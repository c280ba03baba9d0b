"""A manager plans a broadcast by chat: one message, or question by question, and nothing without a yes."""

from datetime import timedelta

import pytest

from bot.ids import StaffId
from sop import BroadcastRow, BroadcastState
from tests.scenarios.desk import LI_NA, Desk, key_of, only_card, only_text, words

WHOLE = "明天上午十点给我的客户群发大额存单利率话术"


async def broadcasts(desk: Desk) -> list[BroadcastRow]:
    from sqlmodel import select

    async with desk.db.reading() as tx:
        return list((await tx.exec(select(BroadcastRow))).all())


async def a_draft_card(desk: Desk) -> tuple[str, str]:
    """Say a whole request and settle the script, if several fit; returns the two keys of the draft."""
    card = only_card(await desk.say(WHOLE))
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
    assert card.title == "请确认群发", card
    facts = dict(card.facts)
    assert facts["发送时间"] == "2026-11-24 10:00"
    assert facts["发送范围"].startswith("2 个客户群")
    assert facts["合规检查"] == "通过"
    assert facts["群发额度"]
    return key_of(card, "确认"), key_of(card, "取消")


async def test_draft_shows_time_audience_script_quota_and_compliance(desk: Desk) -> None:
    await a_draft_card(desk)
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.DRAFT


async def test_topic_that_several_scripts_share_is_settled_with_buttons(desk: Desk) -> None:
    card = only_card(await desk.say("明天上午十点给我的客户群发大额存单话术"))
    assert card.title == "选哪条话术？"
    assert all("大额存单" in line for line in card.description.splitlines())
    draft = only_card(await desk.press(card.buttons[0].key))
    assert draft.title == "请确认群发"


async def test_confirm_button_schedules_once(desk: Desk) -> None:
    confirm, _ = await a_draft_card(desk)
    assert "2026-11-24 10:00" in only_text(await desk.press(confirm))
    assert "2026-11-24 10:00" in only_text(await desk.press(confirm))
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.SCHEDULED


@pytest.mark.parametrize("word", ["确认", "确认发送", "好的"])
async def test_the_word_confirms_as_well(desk: Desk, word: str) -> None:
    await a_draft_card(desk)
    assert "已安排" in only_text(await desk.say(word))
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.SCHEDULED


@pytest.mark.parametrize("word", ["取消", "算了", "先不发了"])
async def test_the_word_cancels_as_well(desk: Desk, word: str) -> None:
    confirm, _ = await a_draft_card(desk)
    assert "已取消" in only_text(await desk.say(word))
    assert "处理过" in only_text(await desk.press(confirm))
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.CANCELLED


async def test_somebody_else_cannot_confirm(desk: Desk) -> None:
    confirm, _ = await a_draft_card(desk)
    assert "没有再做改动" in only_text(await desk.press(confirm, StaffId("rm002")))
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.DRAFT


async def test_a_yes_after_the_question_expired_confirms_nothing(desk: Desk) -> None:
    await a_draft_card(desk)
    desk.clock.advance(timedelta(minutes=16))
    assert "没有等您确认" in only_text(await desk.say("好的"))
    (row,) = await broadcasts(desk)
    assert row.state is BroadcastState.DRAFT


async def test_missing_parts_are_asked_one_at_a_time(desk: Desk) -> None:
    assert "什么时候" in only_text(await desk.say("我想群发一条消息"))
    assert "几点" in only_text(await desk.say("明天"))
    question = only_text(await desk.say("上午十点"))
    assert "哪些客户群" in question
    assert "城东理财交流1群" in question
    assert "哪条话术" in only_text(await desk.say("理财交流"))
    replies = await desk.say("大额存单利率")
    card = only_card(replies)
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
    facts = dict(card.facts)
    assert facts["发送时间"] == "2026-11-24 10:00"
    assert facts["发送范围"] == "1 个客户群：城东理财交流1群"


async def test_time_gone_by_is_asked_again(desk: Desk) -> None:
    assert "已经过去" in only_text(await desk.say("昨天上午十点给我的客户群发大额存单话术"))


async def test_unknown_group_is_named_with_the_own_ones(desk: Desk) -> None:
    answer = only_text(await desk.say("明天上午十点给滨江养老群发大额存单利率话术"))
    assert "没有找到" in answer
    assert "城东新客福利群" in answer


async def test_manager_without_groups_is_told_so(desk: Desk) -> None:
    assert "没有客户群" in only_text(await desk.say(WHOLE, StaffId("rm002")))


async def test_second_message_adds_to_the_first(desk: Desk) -> None:
    assert "哪些客户群" in only_text(await desk.say("明天上午十点群发大额存单利率话术"))
    card = only_card(await desk.say("给城东理财交流1群发"))
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
    assert dict(card.facts)["发送时间"] == "2026-11-24 10:00"
    assert dict(card.facts)["发送范围"] == "1 个客户群：城东理财交流1群"


async def test_hour_after_a_past_time_is_not_joined_to_the_day_gone_by(desk: Desk) -> None:
    await desk.say("昨天上午十点给我的客户群发大额存单利率话术")
    card = only_card(await desk.say("下午三点"))
    if card.title == "选哪条话术？":
        card = only_card(await desk.press(card.buttons[0].key))
    assert dict(card.facts)["发送时间"] == "2026-11-23 15:00"


async def test_gathering_can_be_called_off(desk: Desk) -> None:
    await desk.say("我想群发一条消息")
    assert "先不安排" in only_text(await desk.say("算了"))
    assert await broadcasts(desk) == []


async def test_another_wish_in_between_is_served(desk: Desk) -> None:
    await desk.say("我想群发一条消息")
    assert "待办" in words(await desk.say("今日待办", LI_NA))
