"""Corp broadcasts: to-dos that members confirm, with quota and results."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from simulator import SimConfig
from simulator.broadcasting import quota_of_month
from simulator.clock import CHINA
from tests.simulator.harness import Json, Sim, close_sim, new_sim

EXTERNAL = "POST /cgi-bin/externalcontact"
ADD = f"{EXTERNAL}/add_msg_template"
RESULT = f"{EXTERNAL}/get_groupmsg_send_result"
TASK = f"{EXTERNAL}/get_groupmsg_task"


def to_group(sim: Sim, **changes: object) -> Json:
    """Return a correct group broadcast of rm001."""
    body: Json = {
        "chat_type": "group",
        "sender": "rm001",
        "chat_id_list": [sim.first_group],
        "text": {"content": "本周理财沙龙"},
    }
    return {**body, **changes}


async def test_nothing_reaches_the_group_before_the_member_confirms(sim: Sim, archive_key: rsa.RSAPrivateKey) -> None:
    made = await sim.api(ADD, to_group(sim))
    assert (made["errcode"], made["fail_list"]) == (0, [])
    assert await sim.lines("group", sim.first_group) == []
    (todo,) = await sim.see("groupmsgs", userid="rm001")
    assert (todo["msgid"], todo["status"], todo["chat_ids"]) == (made["msgid"], "pending", [sim.first_group])
    tasks = (await sim.api(TASK, {"msgid": made["msgid"]}))["task_list"]
    assert tasks == [{"userid": "rm001", "status": 0}]
    unsent = await sim.api(RESULT, {"msgid": made["msgid"], "userid": "rm001"})
    assert unsent["send_list"] == []  # group broadcasts list only what was sent

    confirmed = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    assert confirmed["results"] == [{"to": sim.first_group, "status": "sent"}]
    (line,) = await sim.lines("group", sim.first_group)
    assert (line["text"], line["sender"], line["sender_kind"]) == ("本周理财沙龙", "rm001", "staff")
    (task,) = (await sim.api(TASK, {"msgid": made["msgid"]}))["task_list"]
    assert task["status"] == 2
    (sent,) = (await sim.api(RESULT, {"msgid": made["msgid"], "userid": "rm001"}))["send_list"]
    assert (sent["chat_id"], sent["status"]) == (sim.first_group, 1)
    (record,) = await sim.pull(archive_key)
    assert (record["from"], record["roomid"], record["text"]["content"]) == (
        "rm001",
        sim.first_group,
        "本周理财沙龙",
    )
    assert (await sim.see("groupmsgs"))[0]["status"] == "sent"
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"}, status=409)
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm002"}, status=404)


async def test_all_groups_of_the_sender_are_the_default(sim: Sim) -> None:
    body = to_group(sim)
    del body["chat_id_list"]
    await sim.api(ADD, body)
    (todo,) = await sim.see("groupmsgs")
    assert todo["chat_ids"] == [sim.first_group]


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"chat_type": "radio"}, 40058),
        ({"sender": ""}, 40063),
        ({"sender": "ghost"}, 60111),
        ({"sender": "co001"}, 84074),
        ({"chat_id_list": ["wrNONE"]}, 41048),
        ({"chat_id_list": ["wr"] * 2001}, 40058),
        ({"text": {"content": ""}}, 40063),
        ({"text": {"content": "长" * 1334}}, 45002),
        ({"chat_type": "single", "sender": ""}, 40063),
        ({"chat_type": "single", "external_userid": ["wmNONE"]}, 41048),
    ],
)
async def test_bad_broadcast_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    assert await sim.refused(ADD, to_group(sim, **changes)) == errcode
    assert await sim.see("groupmsgs") == []
    assert await sim.refused(ADD, to_group(sim)) == 0


async def test_unreachable_groups_are_named(sim: Sim) -> None:
    made = await sim.api(ADD, to_group(sim, chat_id_list=[sim.first_group, "wrNONE"]))
    assert made["fail_list"] == ["wrNONE"]


async def test_single_broadcast_splits_by_member_and_reports_each_customer(sim: Sim) -> None:
    world = sim.platform.world
    other = world.list_follows_of("rm002")[0].external_userid
    body = {
        "chat_type": "single",
        "external_userid": [sim.wang_fang, other, "wmNONE"],
        "text": {"content": "节日快乐"},
    }
    made = await sim.api(ADD, body)
    assert made["fail_list"] == ["wmNONE"]
    assert {row["userid"] for row in await sim.see("groupmsgs")} == {"rm001", "rm002"}
    follow = world.find_follow("rm002", other)
    assert follow is not None
    follow.ended_by = "customer"
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    lost = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm002"})
    assert lost["results"] == [{"to": other, "status": "not_friend"}]
    (sent,) = (await sim.api(RESULT, {"msgid": made["msgid"], "userid": "rm001"}))["send_list"]
    assert (sent["external_userid"], sent["status"]) == (sim.wang_fang, 1)
    (missed,) = (await sim.api(RESULT, {"msgid": made["msgid"], "userid": "rm002"}))["send_list"]
    assert missed["status"] == 2
    (line,) = await sim.lines("single", f"rm001|{sim.wang_fang}")
    assert line["text"] == "节日快乐"


async def test_tag_filter_is_or_inside_a_list_and_and_across(sim: Sim) -> None:
    world = sim.platform.world
    tags = {tag.name: tag.id for group in world.tag_groups.rows.values() for tag in group.tags}
    wanted = [
        {"tag_list": [tags["C3 稳健型"], tags["C1 保守型"]]},
        {"tag_list": [tags["存量"]]},
    ]
    body = {
        "sender": "rm001",
        "tag_filter": {"group_list": wanted},
        "text": {"content": "您好"},
    }
    assert await sim.refused(ADD, body) == 0
    (todo,) = await sim.see("groupmsgs")
    expected = {
        follow.external_userid
        for follow in world.list_follows_of("rm001")
        if tags["存量"] in follow.tag_ids and {tags["C3 稳健型"], tags["C1 保守型"]}.intersection(follow.tag_ids)
    }
    assert set(todo["external_userids"]) == expected
    assert sim.wang_fang in expected


async def test_quota_is_one_a_day_of_the_month_and_renewed_next_month(sim: Sim) -> None:
    quota = quota_of_month(sim.clock.now())
    for _ in range(quota):
        made = await sim.api(ADD, to_group(sim))
        done = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
        assert done["results"][0]["status"] == "sent"
    over = await sim.api(ADD, to_group(sim))
    done = await sim.do(f"groupmsgs/{over['msgid']}/confirm", {"userid": "rm001"})
    assert done["results"][0]["status"] == "quota_used"
    assert (await sim.api(RESULT, {"msgid": over["msgid"], "userid": "rm001"}))["send_list"] == []
    assert len(await sim.lines("group", sim.first_group)) == quota
    sim.clock.advance(31 * 86400)
    sim.tokens.clear()
    fresh = await sim.api(ADD, to_group(sim))
    done = await sim.do(f"groupmsgs/{fresh['msgid']}/confirm", {"userid": "rm001"})
    assert done["results"][0]["status"] == "sent"


@pytest.mark.parametrize(("month", "days"), [(2, 28), (4, 30), (12, 31)])
async def test_quota_is_the_number_of_days(month: int, days: int) -> None:
    assert quota_of_month(datetime(2026, month, 1, tzinfo=CHINA).timestamp()) == days


async def test_results_are_not_ready_at_once(config: SimConfig) -> None:
    sim = new_sim(replace(config, broadcast_settle_seconds=0.5))
    made = await sim.api(ADD, to_group(sim))
    assert await sim.refused(TASK, {"msgid": made["msgid"]}) == 41063
    assert await sim.refused(RESULT, {"msgid": made["msgid"], "userid": "rm001"}) == 41063
    sim.clock.advance(0.5)
    assert await sim.refused(TASK, {"msgid": made["msgid"]}) == 0
    await close_sim(sim)


async def test_unknown_broadcast_is_refused(sim: Sim) -> None:
    assert await sim.refused(TASK, {}) == 41046
    assert await sim.refused(TASK, {"msgid": "none"}) == 41047
    made = await sim.api(ADD, to_group(sim))
    assert await sim.refused(RESULT, {"msgid": made["msgid"], "userid": "rm002"}) == 40058
    assert await sim.refused(RESULT, {"msgid": made["msgid"]}) == 40063


async def test_members_are_reminded_three_times_a_day(sim: Sim) -> None:
    made = await sim.api(ADD, to_group(sim))
    remind = f"{EXTERNAL}/remind_groupmsg_send"
    codes = [await sim.refused(remind, {"msgid": made["msgid"]}) for _ in range(4)]
    assert codes == [0, 0, 0, 41094]
    sim.clock.advance(86401)
    sim.tokens.clear()
    assert await sim.refused(remind, {"msgid": made["msgid"]}) == 0


async def test_cancelled_broadcast_cannot_be_confirmed(sim: Sim) -> None:
    made = await sim.api(ADD, to_group(sim))
    cancel = f"{EXTERNAL}/cancel_groupmsg_send"
    assert await sim.refused(cancel, {"msgid": made["msgid"]}) == 0
    assert await sim.refused(cancel, {"msgid": made["msgid"]}) == 41093
    assert await sim.refused(f"{EXTERNAL}/remind_groupmsg_send", {"msgid": made["msgid"]}) == 41093
    await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"}, status=409)
    assert (await sim.see("groupmsgs"))[0]["status"] == "cancelled"


async def test_broadcasts_are_listed_by_time(sim: Sim) -> None:
    name = f"{EXTERNAL}/get_groupmsg_list_v2"
    made = await sim.api(ADD, to_group(sim))
    now = sim.clock.seconds()
    asked: Json = {"chat_type": "group", "start_time": now - 60, "end_time": now + 60}
    (row,) = (await sim.api(name, asked))["group_msg_list"]
    assert (row["msgid"], row["creator"], row["text"]["content"]) == (made["msgid"], "rm001", "本周理财沙龙")
    assert (await sim.api(name, {**asked, "creator": "rm002"}))["group_msg_list"] == []
    assert (await sim.api(name, {**asked, "chat_type": "single"}))["group_msg_list"] == []
    assert await sim.refused(name, {**asked, "start_time": now - 40 * 86400}) == 40058
    assert await sim.refused(name, {**asked, "limit": 101}) == 40058


@pytest.mark.parametrize(("mode", "quota"), [("day", 1), ("week", 7)])
async def test_corp_can_tighten_the_quota(config: SimConfig, mode: Literal["day", "week"], quota: int) -> None:
    sim = new_sim(replace(config, broadcast_quota=mode))
    sim.clock.set(datetime(2026, 3, 2, 9, tzinfo=CHINA).timestamp())  # a Monday
    statuses = []
    for _ in range(quota + 1):
        made = await sim.api(ADD, to_group(sim))
        done = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
        statuses.append(done["results"][0]["status"])
    assert statuses == ["sent"] * quota + ["quota_used"]
    sim.clock.set(datetime(2026, 3, 9, 9, tzinfo=CHINA).timestamp())
    sim.tokens.clear()
    made = await sim.api(ADD, to_group(sim))
    done = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    assert done["results"][0]["status"] == "sent"
    await close_sim(sim)


async def test_members_own_broadcasts_use_the_same_quota_and_are_listed_apart(config: SimConfig) -> None:
    sim = new_sim(replace(config, broadcast_quota="day"))
    own = {"userid": "rm001", "text": "节日快乐", "external_userids": [sim.wang_fang]}
    assert (await sim.do("groupmsgs/own", own))["results"] == [{"to": sim.wang_fang, "status": "sent"}]
    made = await sim.api(ADD, {"external_userid": [sim.wang_fang], "text": {"content": "您好"}})
    done = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    assert done["results"][0]["status"] == "quota_used"
    now = sim.clock.seconds()
    asked: Json = {"chat_type": "single", "start_time": now - 60, "end_time": now + 60}
    for filter_type, expected in ((0, [0]), (1, [1]), (2, [1, 0])):
        rows = await sim.api(f"{EXTERNAL}/get_groupmsg_list_v2", {**asked, "filter_type": filter_type})
        assert [row["create_type"] for row in rows["group_msg_list"]] == expected
    await sim.do("groupmsgs/own", {**own, "chat_ids": [sim.first_group]}, status=409)
    await close_sim(sim)


async def test_member_may_leave_customers_out_when_allowed(sim: Sim) -> None:
    customers = [row.external_userid for row in sim.platform.world.list_follows_of("rm001")][:3]
    new = {"sender": "rm001", "external_userid": customers, "text": {"content": "您好"}}
    fixed = await sim.api(ADD, new)
    out = {"userid": "rm001", "deselected": customers[:1]}
    await sim.do(f"groupmsgs/{fixed['msgid']}/confirm", out, status=409)
    free = await sim.api(ADD, {**new, "allow_select": True})
    done = await sim.do(f"groupmsgs/{free['msgid']}/confirm", out)
    assert [row["status"] for row in done["results"]] == ["unsent", "sent", "sent"]
    result = await sim.api(RESULT, {"msgid": free["msgid"], "userid": "rm001"})
    assert [row["status"] for row in result["send_list"]] == [0, 1, 1]
    assert await sim.refused(ADD, {**new, "allow_select": "yes"}) == 40058


async def test_customer_who_left_meanwhile_is_no_friend(sim: Sim) -> None:
    made = await sim.api(ADD, {"external_userid": [sim.wang_fang], "text": {"content": "您好"}})
    await sim.do("customers/part", {"userid": "rm001", "external_userid": sim.wang_fang})
    done = await sim.do(f"groupmsgs/{made['msgid']}/confirm", {"userid": "rm001"})
    assert done["results"] == [{"to": sim.wang_fang, "status": "not_friend"}]
    result = await sim.api(RESULT, {"msgid": made["msgid"], "userid": "rm001"})
    assert [row["status"] for row in result["send_list"]] == [2]
