"""Template cards of all five types: what each needs, what each refuses, what a member can do with it."""

from typing import Any

import pytest

from tests.simulator.harness import Json, Sim

SEND = "POST /cgi-bin/message/send"
UPDATE = "POST /cgi-bin/message/update_template_card"
ACTION = {"type": 1, "url": "https://bank.example"}
TITLE = {"title": "本周任务"}
SUBMIT = {"text": "提交", "key": "done"}
OPTIONS = [{"id": "a", "text": "甲"}, {"id": "b", "text": "乙"}]
CHECKBOX: Json = {"question_key": "q1", "mode": 1, "option_list": OPTIONS}
SELECT: Json = {"question_key": "q1", "title": "网点", "selected_id": "a", "option_list": OPTIONS}

GOOD: dict[str, Json] = {
    "text_notice": {"main_title": TITLE, "card_action": ACTION},
    "news_notice": {
        "main_title": TITLE,
        "card_image": {"url": "https://bank.example/p.png"},
        "vertical_content_list": [{"title": "要点", "desc": "三条"}],
        "card_action": {"type": 2, "appid": "wx1"},
    },
    "button_interaction": {
        "main_title": TITLE,
        "task_id": "t-1",
        "button_list": [
            {"text": "确认", "key": "yes", "style": 4},
            {"text": "看", "type": 1, "url": "https://x.example"},
        ],
        "button_selection": SELECT,
    },
    "vote_interaction": {"main_title": TITLE, "task_id": "t-1", "checkbox": CHECKBOX, "submit_button": SUBMIT},
    "multiple_interaction": {"main_title": TITLE, "task_id": "t-1", "select_list": [SELECT], "submit_button": SUBMIT},
}
FULL: Json = {
    "source": {"icon_url": "https://bank.example/i.png", "desc": "示范银行", "desc_color": 3},
    "action_menu": {"desc": "更多", "action_list": [{"text": "不再提醒", "key": "mute"}]},
    "quote_area": {"type": 1, "url": "https://bank.example", "quote_text": "原文"},
    "horizontal_content_list": [
        {"keyname": "人", "value": "李娜", "type": 3, "userid": "rm001"},
        {"keyname": "网", "type": 1, "url": "https://bank.example"},
    ],
    "jump_list": [{"type": 2, "title": "小程序", "appid": "wx1"}],
    "task_id": "t-1",
}


def message(sim: Sim, card_type: str, **changes: Any) -> Json:
    """Return a message with a correct card, changed as asked."""
    return sim.message("rm001", "template_card", {"card_type": card_type, **GOOD[card_type], **changes})


@pytest.mark.parametrize("card_type", list(GOOD))
async def test_each_type_is_taken_with_all_its_parts(sim: Sim, card_type: str) -> None:
    answer = await sim.api(SEND, message(sim, card_type, **FULL))
    assert answer["errcode"] == 0
    assert answer["response_code"]


@pytest.mark.parametrize(
    ("card_type", "changes", "errcode"),
    [
        ("text_notice", {"main_title": {}, "sub_title_text": ""}, 40063),
        ("text_notice", {"card_action": None}, 40063),
        ("text_notice", {"card_action": {"type": 3}}, 40058),
        ("text_notice", {"card_action": {"type": 1}}, 40063),
        ("text_notice", {"source": {"desc_color": 4}}, 40058),
        ("text_notice", {"jump_list": [{"title": "x"}] * 4}, 40058),
        ("text_notice", {"jump_list": [{"type": 1, "title": "x"}]}, 40063),
        ("text_notice", {"horizontal_content_list": [{"keyname": "x", "type": 3}]}, 40063),
        ("text_notice", {"horizontal_content_list": [{"keyname": "x", "type": 9}]}, 40058),
        ("text_notice", {"quote_area": {"type": 2}}, 40063),
        ("text_notice", {"action_menu": FULL["action_menu"]}, 42014),
        ("text_notice", {"action_menu": {"desc": "x", "action_list": []}, "task_id": "t-1"}, 40063),
        ("news_notice", {"card_image": None}, 40063),
        ("news_notice", {"card_image": {}, "image_text_area": {"type": 1, "image_url": "x"}}, 40063),
        ("news_notice", {"vertical_content_list": [{"title": "x"}] * 5}, 40058),
        ("news_notice", {"card_action": None}, 40063),
        ("button_interaction", {"task_id": "t" * 129}, 42014),
        ("button_interaction", {"button_selection": {**SELECT, "option_list": []}}, 40063),
        ("vote_interaction", {"checkbox": {**CHECKBOX, "mode": 2}}, 40058),
        ("vote_interaction", {"checkbox": {**CHECKBOX, "option_list": OPTIONS[:1] * 2}}, 40058),
        (
            "vote_interaction",
            {"checkbox": {**CHECKBOX, "option_list": [{"id": str(n), "text": "x"} for n in range(21)]}},
            40058,
        ),
        ("vote_interaction", {"submit_button": None}, 40063),
        ("vote_interaction", {"submit_button": {"text": "提交"}}, 42019),
        ("multiple_interaction", {"select_list": [SELECT] * 4}, 40058),
        ("multiple_interaction", {"select_list": [{**SELECT, "question_key": "k" * 1025}]}, 40058),
        (
            "multiple_interaction",
            {"select_list": [{**SELECT, "option_list": [{"id": "x" * 129, "text": "x"}]}]},
            40058,
        ),
        (
            "multiple_interaction",
            {"select_list": [{**SELECT, "option_list": [{"id": str(n), "text": "x"} for n in range(11)]}]},
            40058,
        ),
    ],
)
async def test_a_wrong_part_is_refused(sim: Sim, card_type: str, changes: Json, errcode: int) -> None:
    assert await sim.refused(SEND, message(sim, card_type, **changes)) == errcode
    assert await sim.refused(SEND, message(sim, card_type)) == 0


async def test_choices_come_with_the_event(sim: Sim) -> None:
    await sim.api(SEND, message(sim, "vote_interaction"))
    pressed = {"userid": "rm001", "task_id": "t-1", "key": "done"}
    await sim.do("app/clicks", {**pressed, "selected": {"q1": ["c"]}}, status=409)
    await sim.do("app/clicks", {**pressed, "selected": {"q1": ["a", "b"]}})
    (event,) = sim.bot.events("template_card_event")
    assert event["SelectedItems"] == {"SelectedItem": {"QuestionKey": "q1", "OptionIds": {"OptionId": ["a", "b"]}}}


async def test_menu_of_a_card_has_its_own_event(sim: Sim) -> None:
    await sim.api(SEND, message(sim, "text_notice", **FULL))
    await sim.do("app/clicks", {"userid": "rm001", "task_id": "t-1", "key": "mute"})
    (event,) = sim.bot.events("template_card_menu_event")
    assert (event["EventKey"], event["CardType"], event["TaskId"]) == ("mute", "text_notice", "t-1")


async def test_new_card_with_a_closing_text_needs_no_buttons(sim: Sim) -> None:
    sent = await sim.api(SEND, message(sim, "button_interaction"))
    card = {"card_type": "button_interaction", "main_title": TITLE, "task_id": "t-1", "replace_text": "已处理"}
    update = {"agentid": sim.config.agent_id, "response_code": sent["response_code"], "template_card": card}
    bare = {key: value for key, value in card.items() if key != "replace_text"}
    assert await sim.refused(UPDATE, {**update, "template_card": bare}) == 40063
    assert await sim.refused(UPDATE, {**update, "template_card": {**card, "task_id": ""}}) == 42014
    assert await sim.refused(UPDATE, update) == 0
    (line,) = await sim.lines("app", "rm001")
    assert (line["card"]["buttons"], line["note"]) == ([], "已处理")


async def test_departments_named_in_an_update_see_the_change(sim: Sim) -> None:
    sent = await sim.api(SEND, {**message(sim, "button_interaction"), "touser": "rm001|rm002"})
    update = {
        "agentid": sim.config.agent_id,
        "response_code": sent["response_code"],
        "partyids": [3],
        "userids": ["ghost"],
        "button": {"replace_name": "已处理"},
    }
    assert (await sim.api(UPDATE, update))["invaliduser"] == ["ghost"]
    assert (await sim.lines("app", "rm001"))[0]["note"] == "已处理"
    assert (await sim.lines("app", "rm002"))[0]["note"] == ""
