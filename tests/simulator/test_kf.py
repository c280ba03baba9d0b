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


SERVICERS = "POST /cgi-bin/kf/servicer/add"


def about(sim: Sim, **more: Any) -> Json:
    """Return the ids of 王芳's session."""
    return {"open_kfid": sim.config.open_kfid, "external_userid": sim.wang_fang, **more}


async def add_servicer(sim: Sim, userid: str = "rm001") -> None:
    asked = {"open_kfid": sim.config.open_kfid, "userid_list": [userid]}
    assert (await sim.api(SERVICERS, asked, app="kf"))["result_list"][0]["errcode"] == 0


async def events_since(sim: Sim, cursor: str) -> tuple[list[Json], str]:
    """Return the events pulled after a cursor, and the next cursor."""
    got = await pull(sim, cursor=cursor)
    return [item["event"] for item in got["msg_list"] if item["msgtype"] == "event"], got["next_cursor"]


async def test_session_goes_to_a_human_and_ends(sim: Sim) -> None:
    assert (await sim.api(STATE, about(sim), app="kf"))["service_state"] == 4
    assert await sim.refused(TRANS, about(sim, service_state=1), app="kf") == 95016
    await write(sim)
    assert (await sim.api(STATE, about(sim), app="kf"))["service_state"] == 0
    assert await sim.refused(TRANS, about(sim, service_state=1), app="kf") == 0
    assert await sim.refused(TRANS, about(sim, service_state=3), app="kf") == 40063
    human = about(sim, service_state=3, servicer_userid="rm001")
    assert await sim.refused(TRANS, {**human, "servicer_userid": "ghost"}, app="kf") == 60030
    assert await sim.refused(TRANS, human, app="kf") == 95014
    await add_servicer(sim)
    accepted = await sim.api(TRANS, human, app="kf")
    shown = await sim.api(STATE, about(sim), app="kf")
    assert (shown["service_state"], shown["servicer_userid"]) == (3, "rm001")
    assert await sim.refused(SEND, reply(sim), app="kf") == 95018
    notice = {"code": accepted["msg_code"], "msgtype": "text", "text": {"content": "李娜为您服务"}}
    assert (
        await sim.refused(ON_EVENT, {**notice, "msgtype": "msgmenu", "msgmenu": {"head_content": "x"}}, "kf") == 40008
    )
    assert await sim.refused(ON_EVENT, notice, app="kf") == 0
    assert await sim.refused(TRANS, about(sim, service_state=1), app="kf") == 95016
    assert await sim.refused(TRANS, about(sim, service_state=4), app="kf") == 0
    assert await sim.refused(SEND, reply(sim), app="kf") == 95013
    await write(sim, "我又来了")
    assert (await sim.api(STATE, about(sim), app="kf"))["service_state"] == 0


@pytest.mark.parametrize(
    ("first", "allowed"),
    [(0, {1, 2, 3, 4}), (1, {2, 3, 4}), (2, {3, 4}), (3, {3, 4}), (4, set())],
)
async def test_only_the_transitions_of_the_diagram_are_allowed(sim: Sim, first: int, allowed: set[int]) -> None:
    await add_servicer(sim)
    for wanted in range(5):
        await sim.do("kf/messages", {"external_userid": sim.wang_fang, "text": "新会话"})
        state = (await sim.api(STATE, about(sim), app="kf"))["service_state"]
        if state != 0:
            await sim.refused(TRANS, about(sim, service_state=4), app="kf")
            await write(sim)
        if first:
            assert await sim.refused(TRANS, about(sim, service_state=first, servicer_userid="rm001"), app="kf") == 0
        code = await sim.refused(TRANS, about(sim, service_state=wanted, servicer_userid="rm001"), app="kf")
        assert code == (0 if wanted in allowed else 95016), (first, wanted)


async def test_a_servicer_has_places_and_may_stop(sim: Sim) -> None:
    await add_servicer(sim)
    await write(sim)
    human = about(sim, service_state=3, servicer_userid="rm001")
    await sim.do("kf/servicers/status", {"userid": "rm001", "status": 1})
    assert await sim.refused(TRANS, human, app="kf") == 95014
    await sim.do("kf/servicers/status", {"userid": "rm001", "status": 0, "places": 0})
    assert await sim.refused(TRANS, human, app="kf") == 95014
    await sim.do("kf/servicers/status", {"userid": "rm001", "status": 0, "places": 1})
    assert await sim.refused(TRANS, human, app="kf") == 0
    changes, _ = await events_since(sim, "")
    told = [(row["servicer_userid"], row["status"]) for row in changes if row["event_type"] == "servicer_status_change"]
    assert told == [("rm001", 2), ("rm001", 1)]
    await sim.do("kf/servicers/status", {"userid": "rm002", "status": 1}, status=409)


async def test_people_take_answer_hand_on_and_end_a_session(sim: Sim) -> None:
    for userid in ("rm001", "rm002"):
        await add_servicer(sim, userid)
    await write(sim)
    customer = {"external_userid": sim.wang_fang}
    await sim.do("kf/servicers/take", {**customer, "userid": "rm001"}, status=409)
    await sim.refused(TRANS, about(sim, service_state=2), app="kf")
    taken = await sim.do("kf/servicers/take", {**customer, "userid": "rm001"})
    accept = {"code": taken["msg_code"], "msgtype": "text", "text": {"content": "我来了"}}
    assert await sim.refused(ON_EVENT, accept, app="kf") == 0
    said = await sim.do("kf/servicers/messages", {**customer, "text": "我来解答"})
    await sim.do("kf/servicers/transfer", {**customer, "userid": "rm002"})
    ended = await sim.do("kf/servicers/end", customer)
    goodbye = {"code": ended["msg_code"], "msgtype": "text", "text": {"content": "再见"}}
    assert await sim.refused(ON_EVENT, goodbye, app="kf") == 0
    await sim.do("kf/servicers/reenter", {**customer, "userid": "rm001"})
    await sim.do("kf/recalls", {**customer, "msgid": said["msgid"], "userid": "rm001"})
    items = (await pull(sim))["msg_list"]
    (answer,) = [item for item in items if item["origin"] == 5]
    assert (answer["servicer_userid"], answer["text"]["content"]) == ("rm001", "我来解答")
    changes = [item["event"] for item in items if item.get("event", {}).get("event_type") == "session_status_change"]
    assert [
        (row["change_type"], row.get("old_servicer_userid"), row.get("new_servicer_userid")) for row in changes
    ] == [
        (1, None, "rm001"),
        (2, "rm001", "rm002"),
        (3, "rm002", None),
        (4, None, "rm001"),
    ]
    assert items[-1]["event"]["event_type"] == "servicer_recall_msg"
    assert items[-1]["event"]["recall_msgid"] == said["msgid"]


async def test_an_end_code_dies_after_20_seconds(sim: Sim) -> None:
    await write(sim)
    code = (await sim.api(TRANS, about(sim, service_state=4), app="kf"))["msg_code"]
    sim.clock.advance(21)
    text = {"code": code, "msgtype": "text", "text": {"content": "再见"}}
    assert await sim.refused(ON_EVENT, text, app="kf") == 40058


async def test_customers_recall_refuse_and_come_through_a_scene(sim: Sim) -> None:
    customer = {"external_userid": sim.wang_fang}
    await sim.do("kf/enter", {**customer, "scene": "branch-03", "scene_param": "poster"})
    msgid = (await sim.do("kf/messages", {**customer, "text": "说错了"}))["msgid"]
    await sim.do("kf/recalls", {**customer, "msgid": msgid})
    await sim.do("kf/recalls", {**customer, "msgid": "unknown"}, status=409)
    await sim.do("kf/reject", {**customer, "rejects": True})
    assert await sim.refused(SEND, reply(sim, msgid="refused-1"), app="kf") == 0
    events, _ = await events_since(sim, "")
    assert [row["event_type"] for row in events] == [
        "enter_session",
        "user_recall_msg",
        "reject_customer_msg_switch_change",
        "msg_send_fail",
    ]
    assert (events[0]["scene"], events[0]["scene_param"]) == ("branch-03", "poster")
    assert (events[3]["fail_msgid"], events[3]["fail_type"]) == ("refused-1", 10)
    assert all(row["external_userid"] == sim.wang_fang for row in events)
    assert "您好" not in [line["text"] for line in await sim.lines("kf", sim.wang_fang)]


async def test_a_send_that_fails_afterwards_is_reported_with_its_type(sim: Sim) -> None:
    await write(sim)
    await sim.do("kf/failures", {"external_userid": sim.wang_fang, "fail_type": 1})
    assert await sim.refused(SEND, reply(sim, msgid="lost-1"), app="kf") == 0
    await sim.do("kf/failures", {"external_userid": sim.wang_fang, "fail_type": None})
    assert await sim.refused(SEND, reply(sim, msgid="fine-1"), app="kf") == 0
    events, _ = await events_since(sim, "")
    assert [(row["fail_msgid"], row["fail_type"]) for row in events] == [("lost-1", 1)]


@pytest.mark.parametrize("msgtype", ["image", "voice", "video", "file"])
async def test_media_of_customers_have_an_id(sim: Sim, msgtype: str) -> None:
    await sim.do("kf/messages", {"external_userid": sim.wang_fang, "msgtype": msgtype})
    (item,) = (await pull(sim))["msg_list"]
    assert item["msgtype"] == msgtype
    assert item[msgtype]["media_id"]
    query = {"access_token": await sim.token("kf"), "media_id": item[msgtype]["media_id"]}
    assert (await sim.client.get("/cgi-bin/media/get", params=query)).content


async def test_other_messages_of_customers_come_as_they_are(sim: Sim) -> None:
    link = {"title": "公告", "desc": "", "url": "https://bank.example", "pic_url": "https://bank.example/p.png"}
    await sim.do("kf/messages", {"external_userid": sim.wang_fang, "msgtype": "link", "body": link})
    await sim.do("kf/messages", {"external_userid": sim.wang_fang, "msgtype": "hologram"}, status=422)
    await sim.do("kf/messages", {"external_userid": sim.wang_fang}, status=422)
    await sim.do("kf/items", {"item": {"msgid": "x1", "msgtype": "hologram"}})
    assert [item["msgtype"] for item in (await pull(sim))["msg_list"]] == ["link", "hologram"]


async def test_an_empty_page_may_say_that_there_is_more(sim: Sim) -> None:
    await write(sim)
    await sim.do("kf/empty_pages", {"pages": 1})
    empty = await pull(sim)
    assert (empty["msg_list"], empty["has_more"]) == ([], 1)
    assert len((await pull(sim, cursor=empty["next_cursor"]))["msg_list"]) == 1


async def test_accounts_are_made_changed_and_removed(sim: Sim) -> None:
    avatar = await upload(sim)
    made = await sim.api("POST /cgi-bin/kf/account/add", {"name": "城东支行客服", "media_id": avatar}, app="kf")
    second = made["open_kfid"]
    customer = {"external_userid": sim.wang_fang, "open_kfid": second}
    await sim.do("kf/messages", {**customer, "text": "这是另一个账号"})
    assert (await pull(sim))["msg_list"] == []
    (item,) = (await sim.api(SYNC, {"open_kfid": second}, app="kf"))["msg_list"]
    assert item["open_kfid"] == second
    body = {"touser": sim.wang_fang, "open_kfid": second, "msgtype": "text", "text": {"content": "收到"}}
    assert await sim.refused(SEND, body, app="kf") == 0
    lines = await sim.lines("kf", f"{sim.wang_fang}|{second}")
    assert [line["text"] for line in lines] == ["这是另一个账号", "收到"]
    change = {"open_kfid": second, "name": "城西支行客服"}
    assert await sim.refused("POST /cgi-bin/kf/account/update", change, app="kf") == 0
    listed = (await sim.api("POST /cgi-bin/kf/account/list", {}, app="kf"))["account_list"]
    assert [row["name"] for row in listed] == ["示范银行客服", "城西支行客服"]
    assert await sim.refused("POST /cgi-bin/kf/account/del", {"open_kfid": second}, app="kf") == 0
    assert await sim.refused(SYNC, {"open_kfid": second}, app="kf") == 40058


async def upload(sim: Sim, kind: str = "image") -> str:
    query = {"access_token": await sim.token("kf"), "type": kind}
    content = b"\x89PNG\r\n\x1a\n0000"
    answer = await sim.client.post("/cgi-bin/media/upload", params=query, files={"media": ("x.png", content)})
    return str(answer.json()["media_id"])


@pytest.mark.parametrize(
    ("name", "body", "errcode"),
    [
        ("account/add", {"name": "账号", "media_id": "none"}, 40007),
        ("account/add", {"name": "这个名字的长度超过了十六个字的上限", "media_id": "m"}, 40058),
        ("account/add", {"name": "账号"}, 40063),
        ("account/update", {"open_kfid": "wkOTHER", "name": "x"}, 40058),
        ("account/del", {}, 40063),
        ("account/list", {"limit": 101}, 40058),
        ("add_contact_way", {"open_kfid": "wkDEMO0001", "scene": "含中文"}, 40058),
        ("add_contact_way", {"open_kfid": "wkDEMO0001", "scene": "x" * 33}, 40058),
        ("servicer/add", {"open_kfid": "wkDEMO0001"}, 40063),
        ("servicer/add", {"open_kfid": "wkDEMO0001", "userid_list": ["rm001"] * 101}, 40058),
        ("servicer/add", {"open_kfid": "wkDEMO0001", "department_id_list": list(range(21))}, 40058),
        ("customer/upgrade_service", {"open_kfid": "wkDEMO0001", "external_userid": "wmNOBODY", "type": 1}, 40096),
        ("get_corp_statistic", {"start_time": 10, "end_time": 5}, 40058),
        ("get_corp_statistic", {"start_time": 1, "end_time": 40 * 86400}, 40058),
        ("get_servicer_statistic", {"servicer_userid": "ghost"}, 40003),
    ],
)
async def test_bad_management_calls_are_refused(sim: Sim, name: str, body: Json, errcode: int) -> None:
    assert await sim.refused(f"POST /cgi-bin/kf/{name}", body, app="kf") == errcode


async def test_servicers_are_added_listed_and_removed_one_by_one(sim: Sim) -> None:
    asked = {"open_kfid": sim.config.open_kfid, "userid_list": ["rm001", "ghost"], "department_id_list": [2]}
    results = (await sim.api(SERVICERS, asked, app="kf"))["result_list"]
    assert [row["errcode"] for row in results] == [0, 40003, 0]
    listed = await sim.api("GET /cgi-bin/kf/servicer/list", None, "kf", open_kfid=sim.config.open_kfid)
    assert listed["servicer_list"] == [{"userid": "rm001", "status": 0}, {"department_id": 2}]
    gone = await sim.api("POST /cgi-bin/kf/servicer/del", asked, app="kf")
    assert [row["errcode"] for row in gone["result_list"]] == [0, 40003, 0]


async def test_a_member_of_a_servicing_department_takes_sessions(sim: Sim) -> None:
    department = sim.platform.world.members.rows["rm001"].department
    asked = {"open_kfid": sim.config.open_kfid, "department_id_list": [department]}
    await sim.api(SERVICERS, asked, app="kf")
    await write(sim)
    assert await sim.refused(TRANS, about(sim, service_state=3, servicer_userid="rm001"), app="kf") == 0


async def test_the_link_of_an_account_carries_the_scene(sim: Sim) -> None:
    asked = {"open_kfid": sim.config.open_kfid, "scene": "branch-03"}
    assert "branch-03" in (await sim.api("POST /cgi-bin/kf/add_contact_way", asked, app="kf"))["url"]


async def test_a_manager_or_a_group_is_recommended_and_taken_back(sim: Sim) -> None:
    name = "POST /cgi-bin/kf/customer/upgrade_service"
    member = about(sim, type=1, member={"userid": "rm001", "wording": "您的专属客户经理"})
    assert await sim.refused(name, member, app="kf") == 0
    assert await sim.refused(name, about(sim, type=1, member={"userid": "co001"}), app="kf") == 40003
    group = about(sim, type=2, groupchat={"chat_id": sim.first_group})
    assert await sim.refused(name, group, app="kf") == 0
    assert await sim.refused(name, about(sim, type=2), app="kf") == 40063
    assert await sim.refused("POST /cgi-bin/kf/customer/cancel_upgrade_service", about(sim), app="kf") == 0
    config = await sim.api("GET /cgi-bin/kf/customer/get_upgrade_service_config", None, "kf")
    assert "rm001" in config["member_range"]["userid_list"]


async def test_statistics_count_what_happened(sim: Sim) -> None:
    await write(sim)
    await write(sim, "再问一句")
    (*_, today) = (await sim.api("POST /cgi-bin/kf/get_corp_statistic", {}, app="kf"))["statistic_list"]
    assert (today["statistic"]["customer_cnt"], today["statistic"]["customer_msg_cnt"]) == (1, 2)
    rows = (await sim.api("POST /cgi-bin/kf/get_servicer_statistic", {}, app="kf"))["statistic_list"]
    assert rows[-1]["statistic"]["customer_msg_cnt"] == 0
    got = await sim.api("GET /cgi-bin/kf/get_corp_qualification", None, "kf")
    assert got["wechat_channels_binding"] is False


@pytest.mark.parametrize(
    ("msgtype", "content", "errcode"),
    [
        ("link", {"title": "t", "url": "https://bank.example"}, 40063),
        ("miniprogram", {"appid": "wx1", "pagepath": "p", "title": "t", "thumb_media_id": "none"}, 40007),
        ("location", {"latitude": 91, "longitude": 0, "name": "x"}, 40058),
        ("location", {"latitude": 30.5, "name": "x"}, 40063),
        ("business_card", {"userid": "ghost"}, 40003),
        ("ca_link", {}, 40063),
        ("msgmenu", {"list": [{"type": "view", "view": {"content": "官网"}}]}, 40063),
        ("msgmenu", {"list": [{"type": "text", "text": {"content": "x"}}] * 51}, 40058),
    ],
)
async def test_bad_content_is_refused(sim: Sim, msgtype: str, content: Json, errcode: int) -> None:
    await write(sim)
    assert await sim.refused(SEND, {**reply(sim), "msgtype": msgtype, msgtype: content}, app="kf") == errcode


async def test_every_kind_of_content_can_be_sent(sim: Sim) -> None:
    image = await upload(sim)
    contents: Json = {
        "image": {"media_id": image},
        "link": {"title": "公告", "url": "https://bank.example", "thumb_media_id": image},
        "miniprogram": {"appid": "wx1", "pagepath": "p", "title": "手机银行", "thumb_media_id": image},
        "location": {"latitude": 30.5, "longitude": 104.1, "name": "城东支行"},
        "business_card": {"userid": "rm001"},
    }
    await write(sim)
    for msgtype, content in contents.items():
        assert await sim.refused(SEND, {**reply(sim), "msgtype": msgtype, msgtype: content}, app="kf") == 0, msgtype
    await write(sim)
    link = {"link_url": "https://work.weixin.qq.com/ca/x"}
    assert await sim.refused(SEND, reply(sim, msgtype="ca_link", ca_link=link), app="kf") == 0
    file = reply(sim, msgtype="file", file={"media_id": image})
    assert await sim.refused(SEND, file, app="kf") == 40007, "an image is no file"


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
