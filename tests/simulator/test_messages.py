"""message/send, recall and card updates."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from simulator import SimConfig
from tests.simulator.harness import Sim, close_sim, new_sim

SEND = "POST /cgi-bin/message/send"
UPDATE = "POST /cgi-bin/message/update_template_card"


async def test_text_reaches_the_member_and_is_counted_once(sim: Sim) -> None:
    answer = await sim.api(SEND, sim.message("rm001", "text", {"content": "您好"}))
    assert answer["errcode"] == 0
    assert answer["invaliduser"] == ""
    assert "response_code" not in answer
    (line,) = await sim.lines("app", "rm001")
    assert (line["text"], line["sender_kind"], line["kind"], line["id"]) == (
        "您好",
        "bot",
        "text",
        answer["msgid"],
    )
    (sent,) = await sim.see("sent", kind="message", to="rm001")
    assert sent["body"]["text"]["content"] == "您好"
    assert await sim.see("sent", kind="message", to="rm002") == []


async def test_invalid_members_are_a_partial_success_in_lower_case(sim: Sim) -> None:
    body = sim.message("RM001|NoBody|Ghost", "text", {"content": "您好"})
    answer = await sim.api(SEND, body)
    assert (answer["errcode"], answer["invaliduser"]) == (0, "nobody|ghost")
    assert len(await sim.lines("app", "rm001")) == 1


async def test_all_and_departments_are_reached(sim: Sim) -> None:
    await sim.api(SEND, sim.message("@all", "text", {"content": "全员"}))
    assert len(await sim.lines("app", "co001")) == 1
    body = {**sim.message("", "text", {"content": "城东"}), "toparty": "3|99"}
    answer = await sim.api(SEND, body)
    assert answer["invalidparty"] == "99"
    assert len(await sim.lines("app", "rm001")) == 2
    assert len(await sim.lines("app", "co001")) == 1


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"agentid": 1}, 40056),
        ({"touser": ""}, 82001),
        ({"touser": "ghost"}, 81013),
        ({"touser": "|".join(f"u{number}" for number in range(1001))}, 40032),
        ({"toparty": "|".join(str(number) for number in range(101))}, 82002),
        ({"msgtype": "hologram"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"text": {}}, 44004),
        ({"msgtype": "markdown", "markdown": {"content": "长" * 683}}, 45002),
        ({"msgtype": "textcard", "textcard": {"title": "题" * 129, "description": "d", "url": "http://x"}}, 40058),
        ({"msgtype": "textcard", "textcard": {"title": "题", "description": "d"}}, 40063),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
        ({"enable_duplicate_check": 7}, 40058),
    ],
)
async def test_bad_message_is_refused(sim: Sim, changes: dict[str, Any], errcode: int) -> None:
    good = sim.message("rm001", "text", {"content": "您好"})
    assert await sim.refused(SEND, {**good, **changes}) == errcode
    assert await sim.see("sent") == []
    assert await sim.lines("app", "rm001") == []
    assert await sim.refused(SEND, good) == 0


async def test_long_text_is_cut_on_a_character_border(sim: Sim) -> None:
    await sim.api(SEND, sim.message("rm001", "text", {"content": "汉" * 700}))
    (line,) = await sim.lines("app", "rm001")
    assert line["text"] == "汉" * 682


async def test_markdown_and_textcard_are_shown(sim: Sim) -> None:
    await sim.api(SEND, sim.message("rm001", "markdown", {"content": "**今日**待办"}))
    card = {
        "title": "待办",
        "description": '<div class="gray">今天</div><div>三项</div>',
        "url": "https://bank.example/todo",
    }
    await sim.api(SEND, sim.message("rm001", "textcard", card))
    markdown, shown = await sim.lines("app", "rm001")
    assert markdown["kind"] == "markdown"
    assert shown["card"]["description"] == "今天\n三项"
    assert shown["card"]["url"] == "https://bank.example/todo"


async def test_identical_repeat_is_dropped_when_the_check_is_on(sim: Sim) -> None:
    body = sim.message("rm001", "text", {"content": "一次"}, enable_duplicate_check=1)
    first, second = await sim.api(SEND, body), await sim.api(SEND, body)
    assert first["msgid"] == second["msgid"]
    assert len(await sim.lines("app", "rm001")) == 1
    sim.clock.advance(1801)
    await sim.api(SEND, body)
    assert len(await sim.lines("app", "rm001")) == 2
    unchecked = sim.message("rm001", "text", {"content": "一次"})
    await sim.api(SEND, unchecked)
    assert len(await sim.lines("app", "rm001")) == 3


async def test_31st_message_of_a_minute_is_dropped_silently(sim: Sim) -> None:
    for number in range(31):
        answer = await sim.api(SEND, sim.message("rm001", "text", {"content": f"第{number}条"}))
        assert answer["errcode"] == 0
    assert len(await sim.lines("app", "rm001")) == 30
    assert (await sim.see("sent"))[-1]["dropped"] == ["rm001"]
    sim.clock.advance(61)
    await sim.api(SEND, sim.message("rm001", "text", {"content": "下一分钟"}))
    assert len(await sim.lines("app", "rm001")) == 31


@pytest.fixture
async def unlimited(config: SimConfig) -> AsyncIterator[Sim]:
    """A simulator whose limits to one member are off."""
    sim = new_sim(replace(config, member_messages_per_minute=0, member_messages_per_hour=0))
    yield sim
    await close_sim(sim)


async def test_limits_can_be_switched_off(unlimited: Sim) -> None:
    for number in range(40):
        await unlimited.api(SEND, unlimited.message("rm001", "text", {"content": f"第{number}条"}))
    assert len(await unlimited.lines("app", "rm001")) == 40


async def test_recalled_message_disappears_within_a_day(sim: Sim) -> None:
    first = await sim.api(SEND, sim.message("rm001", "text", {"content": "写错了"}))
    assert await sim.refused("POST /cgi-bin/message/recall", {"msgid": "unknown"}) == 40058
    assert await sim.refused("POST /cgi-bin/message/recall", {"msgid": first["msgid"]}) == 0
    (line,) = await sim.lines("app", "rm001")
    assert (line["text"], line["note"]) == ("", "消息已撤回")
    old = await sim.api(SEND, sim.message("rm001", "text", {"content": "旧消息"}))
    sim.clock.advance(24 * 3600 + 1)
    sim.tokens.clear()
    assert await sim.refused("POST /cgi-bin/message/recall", {"msgid": old["msgid"]}) == 42052


async def test_card_is_shown_with_facts_and_buttons(sim: Sim) -> None:
    answer = await sim.api(SEND, sim.button_card())
    assert answer["response_code"]
    (line,) = await sim.lines("app", "rm001")
    assert line["kind"] == "card"
    assert line["card"]["title"] == "群发待确认"
    assert line["card"]["facts"] == [["人数", "32"]]
    assert line["card"]["buttons"] == [{"text": "确认", "key": "yes"}, {"text": "取消", "key": "no"}]
    assert line["card"]["task_id"] == "task-1"


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"card_type": "fancy"}, 40058),
        ({"task_id": None}, 42014),
        ({"task_id": "空格 不行"}, 42014),
        ({"main_title": {}}, 40063),
        ({"button_list": []}, 40063),
        ({"button_list": [{"text": "确认"}]}, 42019),
        ({"button_list": [{"key": "yes"}]}, 42020),
        ({"button_list": [{"text": "确认", "key": "k" * 1025}]}, 42018),
        ({"button_list": [{"text": str(n), "key": str(n)} for n in range(7)]}, 40058),
        ({"button_list": [{"text": "确认", "key": "yes", "style": 9}]}, 40058),
        ({"horizontal_content_list": [{"keyname": "k"}] * 7}, 40058),
        ({"card_type": "text_notice"}, 40063),
        ({"card_type": "news_notice"}, 40063),
        ({"card_type": "vote_interaction"}, 40063),
        ({"card_type": "multiple_interaction"}, 40063),
    ],
)
async def test_bad_card_is_refused(sim: Sim, changes: dict[str, Any], errcode: int) -> None:
    assert await sim.refused(SEND, sim.button_card(**changes)) == errcode
    assert await sim.refused(SEND, sim.button_card()) == 0
    assert await sim.refused(SEND, sim.button_card()) == 42014  # a task id is unique inside the app


async def test_text_notice_needs_no_task(sim: Sim) -> None:
    card = {
        "card_type": "text_notice",
        "emphasis_content": {"title": "3", "desc": "今日待办"},
        "sub_title_text": "请在 17:00 前完成",
        "card_action": {"type": 1, "url": "https://bank.example"},
    }
    await sim.api(SEND, sim.message("rm001", "template_card", card))
    (line,) = await sim.lines("app", "rm001")
    assert line["card"]["facts"] == [["今日待办", "3"]]
    assert line["card"]["url"] == "https://bank.example"


async def test_click_is_called_back_and_its_code_updates_the_card_once(sim: Sim) -> None:
    await sim.api(SEND, sim.button_card())
    clicked = await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-1", "key": "yes"})
    (event,) = sim.bot.events("template_card_event")
    assert (event["FromUserName"], event["EventKey"], event["TaskId"], event["CardType"]) == (
        "rm001",
        "yes",
        "task-1",
        "button_interaction",
    )
    assert event["ResponseCode"] == clicked["response_code"]
    update = {
        "userids": ["rm001"],
        "agentid": sim.config.agent_id,
        "response_code": event["ResponseCode"],
        "button": {"replace_name": "已确认"},
    }
    assert await sim.refused(UPDATE, {**update, "button": {}}) == 40063
    assert await sim.refused(UPDATE, update) == 0
    card, _ = await sim.lines("app", "rm001")
    assert (card["card"]["buttons"], card["note"]) == ([], "已确认")
    assert card["rev"] > card["seq"]
    assert await sim.refused(UPDATE, update) == 60140
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-1", "key": "yes"}, status=409)


async def test_whole_card_can_be_replaced_within_three_days(sim: Sim) -> None:
    sent = await sim.api(SEND, sim.button_card())
    card = sim.button_card(main_title={"title": "已发送"}, task_id="task-1")["template_card"]
    update = {"agentid": sim.config.agent_id, "response_code": sent["response_code"], "template_card": card}
    assert await sim.refused(UPDATE, update) == 0
    (line,) = await sim.lines("app", "rm001")
    assert line["card"]["title"] == "已发送"
    late = await sim.api(SEND, sim.button_card(task_id="task-2"))
    sim.clock.advance(72 * 3600 + 1)
    sim.tokens.clear()
    assert await sim.refused(UPDATE, {**update, "response_code": late["response_code"]}) == 60140


async def test_only_a_recipient_can_press_a_button_that_exists(sim: Sim) -> None:
    await sim.api(SEND, sim.button_card())
    await sim.do("app/clicks", {"userid": "rm002", "task_id": "task-1", "key": "yes"}, status=404)
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-9", "key": "yes"}, status=404)
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "task-1", "key": "maybe"}, status=409)
    assert sim.bot.received == []


async def test_app_has_two_hundred_person_times_a_day_for_each_account(config: SimConfig) -> None:
    sim = new_sim(replace(config, messages_per_account_per_day=1))
    everyone = sim.message("@all", "text", {"content": "您好"})
    assert await sim.refused(SEND, everyone) == 0
    assert await sim.refused(SEND, sim.message("rm001", "text", {"content": "再见"})) == 45009
    assert len(await sim.see("sent")) == 1
    sim.clock.advance(86_400)
    sim.tokens.clear()
    assert await sim.refused(SEND, everyone) == 0
    await close_sim(sim)


async def test_groups_of_the_app_have_their_own_limits(sim: Sim) -> None:
    create, update = "POST /cgi-bin/appchat/create", "POST /cgi-bin/appchat/update"
    made = await sim.api(create, {"userlist": ["rm001", "rm002"]})
    for _ in range(1000):
        sim.platform.note_recent("appchat:changed")
    assert await sim.refused(update, {"chatid": made["chatid"], "name": "晨会"}) == 45009
    sim.clock.advance(3601)
    assert await sim.refused(update, {"chatid": made["chatid"], "name": "晨会"}) == 0
