"""敏感词 rules stop members as they write, and the figures count what happened."""

from tests.simulator.harness import Json, Sim

EXTERNAL = "POST /cgi-bin/externalcontact"
DAY = 86_400


async def rule(sim: Sim, kind: int, users: list[str], **changes: object) -> None:
    """Make a rule against 保本 over some members."""
    new: Json = {
        "rule_name": "承诺收益",
        "word_list": ["保本"],
        "intercept_type": kind,
        "applicable_range": {"user_list": users},
        **changes,
    }
    assert await sim.refused(f"{EXTERNAL}/add_intercept_rule", new) == 0


async def test_blocked_words_do_not_leave_the_members_phone(sim: Sim) -> None:
    await rule(sim, 1, ["rm001"], semantics_list=[1])
    chat: Json = {"userid": "rm001", "external_userid": sim.wang_fang, "sender": "rm001"}
    group = f"groups/{sim.first_group}/messages"
    await sim.do("chats/messages", {**chat, "text": "这款保本"}, status=409)
    await sim.do("chats/messages", {**chat, "text": "打 13800000000 找我"}, status=409)
    await sim.do(group, {"sender": "rm001", "text": "这款保本"}, status=409)
    await sim.do(group, {"sender": sim.wang_fang, "text": "这款保本吗"})
    await sim.do("chats/messages", {**chat, "sender": sim.wang_fang, "text": "保本吗"})
    await sim.do("chats/messages", {**chat, "text": "请看说明书"})
    shown = [line["text"] for line in await sim.lines("single", f"rm001|{sim.wang_fang}")]
    assert shown == ["保本吗", "请看说明书"]


async def test_warning_lets_the_message_through_and_says_so(sim: Sim) -> None:
    await rule(sim, 2, [], applicable_range={"department_list": [1]})
    chat: Json = {"userid": "rm001", "external_userid": sim.wang_fang, "sender": "rm001", "text": "这款保本"}
    await sim.do("chats/messages", chat)
    (line,) = await sim.lines("single", f"rm001|{sim.wang_fang}")
    assert line["note"] == "敏感词提醒：承诺收益"
    await rule(sim, 1, ["rm001"])
    await sim.do("chats/messages", chat, status=409)  # the strictest rule counts


async def test_work_of_a_member_is_counted_by_day(sim: Sim) -> None:
    chat: Json = {"userid": "rm001", "external_userid": sim.wang_fang}
    await sim.do("chats/messages", {**chat, "sender": sim.wang_fang, "text": "在吗"})
    sim.clock.advance(120)
    await sim.do("chats/messages", {**chat, "sender": "rm001", "text": "在"})
    added = await sim.do("customers/add", {"userid": "rm001"})
    await sim.do("customers/part", {"userid": "rm001", "external_userid": added["external_userid"]})
    now = sim.clock.seconds()
    asked: Json = {"userid": ["rm001"], "start_time": now - DAY, "end_time": now}
    quiet, busy = (await sim.api(f"{EXTERNAL}/get_user_behavior_data", asked))["behavior_data"]
    assert "reply_percentage" not in quiet
    assert busy["stat_time"] - quiet["stat_time"] == DAY
    counted = {key: value for key, value in busy.items() if key != "stat_time"}
    assert counted == {
        "chat_cnt": 1,
        "message_cnt": 1,
        "new_apply_cnt": 1,
        "new_contact_cnt": 1,
        "negative_feedback_cnt": 1,
        "reply_percentage": 100.0,
        "avg_reply_time": 2,
    }
    other = await sim.api(f"{EXTERNAL}/get_user_behavior_data", {**asked, "userid": ["rm002"], "start_time": now})
    assert other["behavior_data"][0]["message_cnt"] == 0


async def test_groups_are_counted_by_owner_and_by_day(sim: Sim) -> None:
    made = await sim.do("groups", {"owner": "rm001", "people": [sim.wang_fang]})
    await sim.do(f"groups/{made['chat_id']}/messages", {"sender": sim.wang_fang, "text": "大家好"})
    now = sim.clock.seconds()
    asked: Json = {"day_begin_time": now, "owner_filter": {"userid_list": ["rm002", "rm001"]}}
    answer = await sim.api(f"{EXTERNAL}/groupchat/statistic", asked)
    assert answer["total"] == 2
    first = answer["items"][0]
    assert (first["owner"], first["data"]["new_chat_cnt"], first["data"]["msg_total"]) == ("rm001", 1, 1)
    assert (first["data"]["chat_total"], first["data"]["member_has_msg"]) == (2, 1)
    page = await sim.api(f"{EXTERNAL}/groupchat/statistic", {**asked, "order_asc": 1, "offset": 1, "limit": 1})
    assert [row["owner"] for row in page["items"]] == ["rm001"]
    (day,) = (await sim.api(f"{EXTERNAL}/groupchat/statistic_group_by_day", asked))["items"]
    assert (day["data"]["chat_total"], day["data"]["new_member_cnt"]) == (3, 2)
