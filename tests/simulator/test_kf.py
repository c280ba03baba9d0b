"""微信客服: pull, budget, idempotent sends, event codes, states."""

from typing import Any

import pytest

from tests.simulator.harness import Json, Sim

SYNC = "POST /cgi-bin/kf/sync_msg"
SEND = "POST /cgi-bin/kf/send_msg"
ON_EVENT = "POST /cgi-bin/kf/send_msg_on_event"
TRANS = "POST /cgi-bin/kf/service_state/trans"
STATE = "POST /cgi-bin/kf/service_state/get"


async def write(sim: Sim, text: str = "怎么开卡", **more: str) -> str:
    """Let 王芳 write to the kf account; return the token of the callback."""
    await sim.do("kf/messages", {"external_userid": sim.wang_fang, "text": text, **more})
    return str(sim.bot.events("kf_msg_or_event")[-1]["Token"])


def reply(sim: Sim, content: str = "您好", **more: Any) -> Json:
    """Return a correct send_msg body."""
    body: Json = {"touser": sim.wang_fang, "open_kfid": sim.config.open_kfid, "msgtype": "text"}
    return {**body, "text": {"content": content}, **more}


async def pull(sim: Sim, **more: Any) -> Json:
    return await sim.api(SYNC, {"open_kfid": sim.config.open_kfid, **more}, app="kf")


async def test_message_is_announced_without_content_and_pulled_once(sim: Sim) -> None:
    token = await write(sim)
    (event,) = sim.bot.events("kf_msg_or_event")
    assert event["OpenKfId"] == "wkDEMO0001"
    assert "FromUserName" not in event
    got = await pull(sim, token=token)
    (item,) = got["msg_list"]
    assert (item["origin"], item["msgtype"], item["text"]) == (3, "text", {"content": "怎么开卡"})
    assert (item["external_userid"], item["open_kfid"]) == (sim.wang_fang, "wkDEMO0001")
    assert got["has_more"] == 0
    again = await pull(sim, token=token, cursor=got["next_cursor"])
    assert (again["msg_list"], again["next_cursor"]) == ([], got["next_cursor"])


async def test_pull_goes_on_while_there_is_more(sim: Sim) -> None:
    for number in range(5):
        token = await write(sim, f"第{number}条", menu_id="m1")
    first = await pull(sim, token=token, limit=3)
    assert (len(first["msg_list"]), first["has_more"]) == (3, 1)
    assert first["msg_list"][0]["text"]["menu_id"] == "m1"
    rest = await pull(sim, token=token, limit=3, cursor=first["next_cursor"])
    assert (len(rest["msg_list"]), rest["has_more"]) == (2, 0)


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"token": "bogus"}, 95007),
        ({"cursor": "bogus"}, 50100),
        ({"limit": 1001}, 40058),
        ({"open_kfid": "wkOTHER"}, 40058),
        ({"open_kfid": ""}, 40063),
    ],
)
async def test_bad_pull_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    token = await write(sim)
    good: Json = {"open_kfid": sim.config.open_kfid, "token": token}
    assert await sim.refused(SYNC, {**good, **changes}, app="kf") == errcode
    assert await sim.refused(SYNC, good, app="kf") == 0


async def test_token_lives_ten_minutes_and_items_three_days(sim: Sim) -> None:
    token = await write(sim)
    sim.clock.advance(601)
    assert (await pull(sim, token=token))["errcode"] == 95007
    assert len((await pull(sim))["msg_list"]) == 1
    sim.clock.advance(3 * 86400)
    sim.tokens.clear()
    assert (await pull(sim))["msg_list"] == []


async def test_pull_without_token_is_slowed(sim: Sim) -> None:
    codes = [(await pull(sim))["errcode"] for _ in range(11)]
    assert codes == [0] * 10 + [45009]


async def test_reply_is_shown_to_the_customer_and_a_repeated_msgid_is_refused(sim: Sim) -> None:
    await write(sim)
    body = reply(sim, msgid="reply-1")
    assert (await sim.api(SEND, body, app="kf"))["msgid"] == "reply-1"
    assert await sim.refused(SEND, body, app="kf") == 95033
    lines = await sim.lines("kf", sim.wang_fang)
    assert [(line["text"], line["sender_kind"]) for line in lines] == [
        ("怎么开卡", "customer"),
        ("您好", "bot"),
    ]
    assert len(await sim.see("sent", kind="kf", to=sim.wang_fang)) == 1
    assert (await sim.see("health"))["archive_seq"] == 0  # kf is not part of the archive


async def test_five_messages_then_the_customer_must_write(sim: Sim) -> None:
    await write(sim)
    codes = [await sim.refused(SEND, reply(sim, f"第{n}条"), app="kf") for n in range(6)]
    assert codes == [0] * 5 + [95001]
    await write(sim, "还有问题")
    assert await sim.refused(SEND, reply(sim), app="kf") == 0


async def test_no_reply_after_48_hours_or_before_the_first_message(sim: Sim) -> None:
    assert await sim.refused(SEND, reply(sim), app="kf") == 95002
    await write(sim)
    sim.clock.advance(48 * 3600 + 1)
    sim.tokens.clear()
    assert await sim.refused(SEND, reply(sim), app="kf") == 95002


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"touser": "wmNOBODY"}, 40096),
        ({"touser": ""}, 40063),
        ({"open_kfid": "wkOTHER"}, 40058),
        ({"msgtype": "hologram"}, 40008),
        ({"text": {"content": ""}}, 44004),
        ({"msgid": "not ok!"}, 40058),
        ({"msgtype": "msgmenu", "msgmenu": {"head_content": "长" * 342}}, 45002),
        ({"msgtype": "msgmenu", "msgmenu": {"list": [{"type": "dance"}]}}, 40058),
        ({"msgtype": "image", "image": {"media_id": "none"}}, 40007),
    ],
)
async def test_bad_reply_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    await write(sim)
    assert await sim.refused(SEND, reply(sim, **changes), app="kf") == errcode
    assert await sim.refused(SEND, reply(sim), app="kf") == 0


async def test_menu_is_shown_with_its_buttons(sim: Sim) -> None:
    await write(sim)
    menu = {
        "head_content": "您想问什么？",
        "list": [{"type": "click", "click": {"id": "card", "content": "开卡"}}],
        "tail_content": "也可以直接输入",
    }
    body = reply(sim, msgtype="msgmenu", msgmenu=menu)
    assert await sim.refused(SEND, body, app="kf") == 0
    line = (await sim.lines("kf", sim.wang_fang))[-1]
    assert line["card"]["buttons"] == [{"text": "开卡", "key": "card"}]


async def test_entering_gives_one_welcome_in_48_hours(sim: Sim) -> None:
    entered = await sim.do("kf/enter", {"external_userid": sim.wang_fang})
    token = sim.bot.events("kf_msg_or_event")[-1]["Token"]
    (item,) = (await pull(sim, token=token))["msg_list"]
    assert (item["origin"], item["msgtype"]) == (4, "event")
    assert "external_userid" not in item
    assert item["event"]["external_userid"] == sim.wang_fang
    assert item["event"]["welcome_code"] == entered["welcome_code"]
    body = {"code": entered["welcome_code"], "msgtype": "text", "text": {"content": "欢迎"}}
    assert await sim.refused(ON_EVENT, {**body, "msgtype": "image"}, app="kf") == 40008
    assert await sim.refused(ON_EVENT, body, app="kf") == 0
    assert await sim.refused(ON_EVENT, body, app="kf") == 40058
    assert (await sim.do("kf/enter", {"external_userid": sim.wang_fang}))["welcome_code"] is None
    await sim.do("kf/enter", {"external_userid": "wmNOBODY"}, status=404)


async def test_welcome_code_dies_after_20_seconds(sim: Sim) -> None:
    entered = await sim.do("kf/enter", {"external_userid": sim.wang_fang})
    sim.clock.advance(21)
    body = {"code": entered["welcome_code"], "msgtype": "text", "text": {"content": "欢迎"}}
    assert await sim.refused(ON_EVENT, body, app="kf") == 40058


async def test_session_goes_to_a_human_and_ends(sim: Sim) -> None:
    about: Json = {"open_kfid": sim.config.open_kfid, "external_userid": sim.wang_fang}
    assert (await sim.api(STATE, about, app="kf"))["service_state"] == 4
    assert await sim.refused(TRANS, {**about, "service_state": 1}, app="kf") == 95016
    await write(sim)
    assert (await sim.api(STATE, about, app="kf"))["service_state"] == 0
    assert await sim.refused(TRANS, {**about, "service_state": 1}, app="kf") == 0
    assert await sim.refused(TRANS, {**about, "service_state": 3}, app="kf") == 40063
    human = {**about, "service_state": 3, "servicer_userid": "rm001"}
    assert await sim.refused(TRANS, {**human, "servicer_userid": "ghost"}, app="kf") == 60030
    accepted = await sim.api(TRANS, human, app="kf")
    shown = await sim.api(STATE, about, app="kf")
    assert (shown["service_state"], shown["servicer_userid"]) == (3, "rm001")
    assert await sim.refused(SEND, reply(sim), app="kf") == 95018
    notice = {"code": accepted["msg_code"], "msgtype": "text", "text": {"content": "李娜为您服务"}}
    assert await sim.refused(ON_EVENT, notice, app="kf") == 0
    assert await sim.refused(TRANS, {**about, "service_state": 1}, app="kf") == 95016
    assert await sim.refused(TRANS, {**about, "service_state": 4}, app="kf") == 0
    await write(sim, "我又来了")
    assert (await sim.api(STATE, about, app="kf"))["service_state"] == 0


async def test_accounts_and_customers_are_listed(sim: Sim) -> None:
    (account,) = (await sim.api("POST /cgi-bin/kf/account/list", {}, app="kf"))["account_list"]
    assert (account["open_kfid"], account["manage_privilege"]) == ("wkDEMO0001", True)
    name = "POST /cgi-bin/kf/customer/batchget"
    asked = {"external_userid_list": [sim.wang_fang, "wmNOBODY"]}
    got = await sim.api(name, asked, app="kf")
    assert [row["nickname"] for row in got["customer_list"]] == ["王芳"]
    assert got["invalid_external_userid"] == ["wmNOBODY"]
    assert await sim.refused(name, {"external_userid_list": []}, app="kf") == 40063
    assert await sim.refused(name, {"external_userid_list": ["wm"] * 101}, app="kf") == 40058


async def test_app_token_may_call_kf_and_the_archive_token_may_not(sim: Sim) -> None:
    assert await sim.refused("POST /cgi-bin/kf/account/list", {}, app="app") == 0
    assert await sim.refused("POST /cgi-bin/kf/account/list", {}, app="archive") == 48002
