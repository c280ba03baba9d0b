"""What people do is called back as documented; what an app does through the API is not."""

from dataclasses import replace
from typing import Any

import pytest

from simulator import SimConfig
from tests.simulator.harness import Json, Sim, close_sim, new_sim

EXTERNAL = "/cgi-bin/externalcontact"


def told(sim: Sim, event: str) -> list[Json]:
    """Return the events of a name without what every event has, and forget them."""
    common = {"ToUserName", "FromUserName", "CreateTime", "MsgType", "Event"}
    rows = [{key: value for key, value in row.items() if key not in common} for row in sim.bot.events(event)]
    sim.bot.received.clear()
    return rows


async def test_members_come_move_and_go(sim: Sim) -> None:
    await sim.do("members", {"userid": "rm900", "name": "赵新", "department": 3})
    assert told(sim, "change_contact") == [{"ChangeType": "create_user", "UserID": "rm900", "Department": "3"}]
    await sim.do("members/rm900/change", {"name": "赵欣"})
    assert told(sim, "change_contact") == []  # a new name alone is not told
    await sim.do("members/rm900/change", {"department": 4, "new_userid": "rm901"})
    assert told(sim, "change_contact") == [
        {"ChangeType": "update_user", "UserID": "rm900", "NewUserID": "rm901", "Department": "4"}
    ]
    assert await sim.refused("GET /cgi-bin/user/get", userid="rm900") == 60111
    assert (await sim.api("GET /cgi-bin/user/get", userid="rm901"))["name"] == "赵欣"
    await sim.do("members/rm901/leave")
    assert told(sim, "change_contact") == [{"ChangeType": "delete_user", "UserID": "rm901", "Department": "4"}]
    await sim.do("members", {"userid": "rm001", "name": "李娜"}, status=409)


async def test_renamed_member_keeps_customers_and_groups(sim: Sim) -> None:
    await sim.do("members/rm001/change", {"new_userid": "lina"})
    listed = await sim.api(f"GET {EXTERNAL}/list", userid="lina")
    assert listed["external_userid"][0] == sim.wang_fang
    group = (await sim.api(f"POST {EXTERNAL}/groupchat/get", {"chat_id": sim.first_group}))["group_chat"]
    assert (group["owner"], group["member_list"][0]["userid"]) == ("lina", "lina")


async def test_old_callback_addresses_are_told_more(config: SimConfig) -> None:
    sim = new_sim(replace(config, rich_member_events=True))
    await sim.do("members/rm001/change", {"name": "李丽"})
    (event,) = told(sim, "change_contact")
    assert (event["ChangeType"], event["Name"], event["Status"]) == ("update_user", "李丽", "1")
    await close_sim(sim)


async def test_departments_change(sim: Sim) -> None:
    made = await sim.do("departments", {"name": "城南支行"})
    number = made["id"]
    await sim.do(f"departments/{number}/change", {"name": "城南"})
    await sim.do(f"departments/{number}/remove")
    assert [(row["ChangeType"], row["Id"]) for row in told(sim, "change_contact")] == [
        ("create_party", str(number)),
        ("update_party", str(number)),
        ("delete_party", str(number)),
    ]
    await sim.do("departments/3/remove", status=409)
    await sim.do("departments/1/change", {"parentid": 3}, status=409)


async def test_half_friend_is_confirmed_without_a_second_code(sim: Sim) -> None:
    half = await sim.do("customers/half_add", {"userid": "rm001", "state": "branch-07"})
    pair = {"userid": "rm001", "external_userid": half["external_userid"]}
    mark = {**pair, "remark": "赵女士"}
    assert await sim.refused(f"POST {EXTERNAL}/remark", mark) == 84061  # no friend yet
    welcome = {"welcome_code": half["welcome_code"], "text": {"content": "您好"}}
    assert await sim.refused(f"POST {EXTERNAL}/send_welcome_msg", welcome) == 0
    await sim.do("customers/confirm", pair)
    assert await sim.refused(f"POST {EXTERNAL}/remark", mark) == 0
    first, second = told(sim, "change_external_contact")
    assert (first["ChangeType"], first["WelcomeCode"]) == ("add_half_external_contact", half["welcome_code"])
    assert (second["ChangeType"], "WelcomeCode" in second) == ("add_external_contact", False)
    assert second["State"] == "branch-07"
    await sim.do("customers/confirm", pair, status=409)


async def test_no_welcome_code_for_those_who_chatted_or_by_the_consoles_own_welcome(sim: Sim) -> None:
    silent = await sim.do("customers/add", {"userid": "rm001", "with_code": False})
    assert silent["welcome_code"] is None
    customer = silent["external_userid"]
    pair = {"userid": "rm001", "external_userid": customer}
    await sim.do("chats/messages", {**pair, "sender": customer, "text": "你好"})
    await sim.do("customers/part", pair)
    again = await sim.do("customers/add", pair)
    assert again["welcome_code"] is None
    assert [row for row in told(sim, "change_external_contact") if "WelcomeCode" in row] == []


async def test_either_side_can_end_a_relation(sim: Sim) -> None:
    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    mark = {**pair, "remark": "王女士"}
    await sim.do("customers/edit", mark)
    await sim.do("customers/part", pair)
    assert await sim.refused(f"POST {EXTERNAL}/remark", mark) == 84061
    other = sim.platform.world.list_follows_of("rm001")[0].external_userid
    await sim.do("customers/delete", {**pair, "external_userid": other})
    changes = [(row["ChangeType"], row["ExternalUserID"]) for row in told(sim, "change_external_contact")]
    assert changes == [
        ("edit_external_contact", sim.wang_fang),
        ("del_follow_user", sim.wang_fang),
        ("del_external_contact", other),
    ]
    await sim.do("customers/part", pair, status=404)


async def test_consent_is_told_and_holds(sim: Sim) -> None:
    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    ask = {"info": [{"userid": "rm001", "exteranalopenid": sim.wang_fang}]}
    await sim.do("customers/consent", {**pair, "agreed": False})
    answer = await sim.api("POST /cgi-bin/msgaudit/check_single_agree", ask, "archive")
    assert answer["agreeinfo"][0]["agree_status"] == "Disagree"
    await sim.do("customers/consent", pair)
    (event,) = told(sim, "change_external_contact")
    assert event == {"ChangeType": "msg_audit_approved", "UserID": "rm001", "ExternalUserID": sim.wang_fang}


async def test_console_tags_are_told_and_a_groups_end_hides_its_tags(sim: Sim) -> None:
    made = await sim.do("corp_tags", {"group_name": "渠道", "tags": ["网点", "线上"]})
    first, second = made["tag_ids"]
    await sim.do(f"corp_tags/{first}/change", {"name": "柜面"})
    await sim.do(f"corp_tags/{second}/remove")
    await sim.do("corp_tags/shuffle")
    await sim.do(f"corp_tags/{made['group_id']}/remove")
    group = ("tag_group", made["group_id"])
    assert [(row["ChangeType"], row["TagType"], row["Id"]) for row in told(sim, "change_external_tag")] == [
        ("create", *group),
        ("create", "tag", first),
        ("create", "tag", second),
        ("update", "tag", first),
        ("delete", "tag", second),
        ("shuffle", "tag_group", ""),
        ("delete", *group),
    ]
    await sim.do(f"corp_tags/{first}/change", {"name": "x"}, status=404)


async def test_group_changes_carry_members_and_versions(sim: Sim) -> None:
    made = await sim.do("groups", {"owner": "rm001", "name": "新群", "people": [sim.wang_fang]})
    chat_id = made["chat_id"]
    path = f"groups/{chat_id}"
    before = (await sim.api(f"POST {EXTERNAL}/groupchat/get", {"chat_id": chat_id}))["group_chat"]["member_version"]
    await sim.do(f"{path}/join", {"people": ["rm002", "rm003"], "scene": 3, "state": "hall"})
    await sim.do(f"{path}/leave", {"people": ["rm003"], "removed": True})
    await sim.do(f"{path}/change", {"name": "老群", "notice": "公告", "owner": "rm002"})
    await sim.do(f"{path}/dismiss")
    created, joined, left, *changes, dismissed = told(sim, "change_external_chat")
    assert (created["ChangeType"], created["ChatId"], dismissed["ChangeType"]) == ("create", chat_id, "dismiss")
    assert (joined["UpdateDetail"], joined["JoinScene"], joined["MemChangeCnt"]) == ("add_member", "3", "2")
    assert joined["MemChangeList"] == {"Item": ["rm002", "rm003"]}
    assert joined["LastMemVer"] == before
    assert (left["UpdateDetail"], left["QuitScene"], left["MemChangeList"]) == ("del_member", "1", {"Item": "rm003"})
    assert left["LastMemVer"] == joined["CurMemVer"]
    assert [row["UpdateDetail"] for row in changes] == ["change_name", "change_notice", "change_owner"]
    assert await sim.refused(f"POST {EXTERNAL}/groupchat/get", {"chat_id": chat_id}) == 40050


async def test_owner_cannot_leave_and_strangers_cannot_join(sim: Sim) -> None:
    path = f"groups/{sim.first_group}"
    await sim.do(f"{path}/leave", {"people": ["rm001"]}, status=409)
    await sim.do(f"{path}/join", {"people": ["ghost"]}, status=404)
    await sim.do("groups/none/dismiss", status=404)
    assert sim.bot.received == []


async def test_scanned_code_brings_state_and_an_exclusive_one_the_known_member(sim: Sim) -> None:
    add = f"POST {EXTERNAL}/add_contact_way"
    one = await sim.api(add, {"type": 1, "scene": 2, "user": ["rm002"], "state": "b7", "skip_verify": False})
    came = await sim.do(f"contact_ways/{one['config_id']}/scan", {"name": "赵新"})
    assert came["userid"] == "rm002"
    (event,) = told(sim, "change_external_contact")
    assert (event["ChangeType"], event["State"]) == ("add_external_contact", "b7")
    many = {"type": 2, "scene": 2, "user": ["rm002", "rm003", "rm004"]}
    turns = await sim.api(add, many)
    asked = [await sim.do(f"contact_ways/{turns['config_id']}/scan") for _ in range(4)]
    assert len({row["userid"] for row in asked}) == 3
    assert {row["ChangeType"] for row in told(sim, "change_external_contact")} == {"add_half_external_contact"}
    exclusive = await sim.api(add, {**many, "is_exclusive": True})
    known = {"external_userid": came["external_userid"]}
    await sim.do(f"contact_ways/{exclusive['config_id']}/scan", known, status=409)  # is rm002's friend already
    await sim.do("contact_ways/none/scan", status=404)


async def test_full_group_of_a_code_is_followed_by_a_new_one(config: SimConfig) -> None:
    sim = new_sim(replace(config, group_capacity=3))
    made = await sim.do("groups", {"owner": "rm001", "name": "理财群"})
    new = {"scene": 2, "chat_id_list": [made["chat_id"]], "state": "hall", "room_base_name": "理财群二"}
    way = await sim.api(f"POST {EXTERNAL}/groupchat/add_join_way", new)
    path = f"join_ways/{way['config_id']}/scan"
    rooms = [(await sim.do(path))["chat_id"] for _ in range(3)]
    assert rooms[0] == rooms[1] == made["chat_id"]
    group = (await sim.api(f"POST {EXTERNAL}/groupchat/get", {"chat_id": rooms[2]}))["group_chat"]
    assert (group["name"], group["member_list"][1]["state"]) == ("理财群二", "hall")
    fixed = await sim.api(f"POST {EXTERNAL}/groupchat/add_join_way", {**new, "auto_create_room": 0})
    await sim.do(f"join_ways/{fixed['config_id']}/scan", status=409)
    await close_sim(sim)


async def test_what_the_app_changes_is_not_called_back(sim: Sim) -> None:
    pair = {"userid": "rm001", "external_userid": sim.wang_fang}
    tag = await sim.api(f"POST {EXTERNAL}/add_corp_tag", {"group_name": "渠道", "tag": [{"name": "网点"}]})
    tag_id = tag["tag_group"]["tag"][0]["id"]
    calls: list[tuple[str, Json]] = [
        ("edit_corp_tag", {"id": tag_id, "name": "柜面"}),
        ("mark_tag", {**pair, "add_tag": [tag_id]}),
        ("remark", {**pair, "remark": "王女士"}),
        ("groupchat/onjob_transfer", {"chat_id_list": [sim.first_group], "new_owner": "rm002"}),
        ("del_corp_tag", {"tag_id": [tag_id]}),
    ]
    for name, body in calls:
        assert await sim.refused(f"POST {EXTERNAL}/{name}", body) == 0
    await sim.platform.callbacks.drain()
    assert sim.bot.received == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("members/ghost/leave", {}),
        ("members", {"userid": "x1", "name": "x", "department": 99}),
        ("customers/half_add", {"userid": "ghost"}),
        ("customers/edit", {"userid": "rm001", "external_userid": "wmNONE"}),
        ("transfers/refuse", {"external_userid": "wmNONE"}),
        ("robots", {"chat_id": "none"}),
        ("moments/none/publish", {"userid": "rm001"}),
        ("links/none/visit", {}),
    ],
)
async def test_people_and_things_that_are_not_there(sim: Sim, path: str, body: dict[str, Any]) -> None:
    await sim.do(path, body, status=404)
    assert sim.bot.received == []


async def test_changed_bank_survives_a_restart(config: SimConfig, tmp_path: Any) -> None:
    kept = replace(config, state_file=str(tmp_path / "sim.db"))
    sim = new_sim(kept)
    customers = [row.external_userid for row in sim.platform.world.list_follows_of("rm002")]
    await sim.do("members/rm002/leave")
    dismissed = sim.first_group
    await sim.do(f"groups/{dismissed}/dismiss")
    await close_sim(sim)
    again = new_sim(kept)
    assert dismissed not in again.platform.world.groups.rows
    assert await again.refused("GET /cgi-bin/user/get", userid="rm002") == 60111
    left = (await again.api(f"POST {EXTERNAL}/get_unassigned_list", {}))["info"]
    assert [row["external_userid"] for row in left] == customers
    await close_sim(again)
