"""Members, departments, customers, tags, remarks, welcome messages."""

from typing import Any

import pytest

from tests.simulator.harness import Json, Sim

EXTERNAL = "/cgi-bin/externalcontact"
WELCOME = f"POST {EXTERNAL}/send_welcome_msg"


async def test_directory_lists_the_bank(sim: Sim) -> None:
    departments = (await sim.api("GET /cgi-bin/department/list"))["department"]
    assert [row["name"] for row in departments][:3] == ["示范银行", "总行营业部", "城东支行"]
    below = (await sim.api("GET /cgi-bin/department/list", id="3"))["department"]
    assert [row["id"] for row in below] == [3]
    everyone = await sim.api("GET /cgi-bin/user/list", department_id="1", fetch_child="1")
    assert len(everyone["userlist"]) == 9
    branch = await sim.api("GET /cgi-bin/user/simplelist", department_id="3")
    assert branch["userlist"] == [{"userid": "rm001", "name": "李娜", "department": [3]}]
    assert (await sim.api("GET /cgi-bin/user/get", userid="RM001"))["name"] == "李娜"


@pytest.mark.parametrize(
    ("name", "params", "errcode"),
    [
        ("user/get", {"userid": "ghost"}, 60111),
        ("user/get", {}, 40063),
        ("user/list", {}, 40063),
        ("user/list", {"department_id": "99"}, 60123),
        ("user/simplelist", {"department_id": "x"}, 40058),
        ("department/list", {"id": "99"}, 60123),
    ],
)
async def test_bad_directory_question_is_refused(sim: Sim, name: str, params: dict[str, str], errcode: int) -> None:
    assert await sim.refused(f"GET /cgi-bin/{name}", None, "app", **params) == errcode


async def test_members_and_their_customers_are_listed(sim: Sim) -> None:
    serving = (await sim.api(f"GET {EXTERNAL}/get_follow_user_list"))["follow_user"]
    assert serving == [f"rm{number:03d}" for number in range(1, 7)]
    listed = (await sim.api(f"GET {EXTERNAL}/list", userid="rm001"))["external_userid"]
    assert listed[0] == sim.wang_fang
    got = await sim.api(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    assert got["external_contact"]["name"] == "王芳"
    (follow,) = got["follow_user"]
    assert [tag["tag_name"] for tag in follow["tags"]] == ["C3 稳健型", "20–50万", "存量"]


@pytest.mark.parametrize(
    ("name", "params", "errcode"),
    [
        ("list", {"userid": "ghost"}, 60111),
        ("list", {"userid": "co001"}, 84074),
        ("get", {"external_userid": "wmNOBODY"}, 40096),
        ("get", {}, 41035),
    ],
)
async def test_unknown_customer_or_member_is_refused(sim: Sim, name: str, params: dict[str, str], errcode: int) -> None:
    assert await sim.refused(f"GET {EXTERNAL}/{name}", None, "app", **params) == errcode


async def test_customer_without_members_has_no_relation(sim: Sim) -> None:
    for follow in sim.platform.world.list_followers_of(sim.wang_fang):
        follow.ended_by = "customer"
    assert await sim.refused(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang) == 84061


async def test_batch_pages_over_members_without_loss_or_repeat(sim: Sim) -> None:
    name = f"POST {EXTERNAL}/batch/get_by_user"
    seen: list[tuple[str, str]] = []
    cursor = ""
    while True:
        body = {"userid_list": ["rm001", "rm002"], "limit": 7, "cursor": cursor}
        answer = await sim.api(name, body)
        assert len(answer["external_contact_list"]) <= 7
        seen += [
            (row["follow_info"]["userid"], row["external_contact"]["external_userid"])
            for row in answer["external_contact_list"]
        ]
        cursor = answer["next_cursor"]
        if not cursor:
            break
    world = sim.platform.world
    follows = [*world.list_follows_of("rm001"), *world.list_follows_of("rm002")]
    assert seen == [(row.userid, row.external_userid) for row in follows]
    assert await sim.refused(name, {"userid_list": ["rm001"], "cursor": "bogus"}) == 50100
    assert await sim.refused(name, {"userid_list": ["rm001"], "limit": 101}) == 40058
    assert await sim.refused(name, {"userid_list": []}) == 40063
    assert await sim.refused(name, {"userid_list": ["rm001"] * 101}) == 40058


async def tag_ids(sim: Sim) -> dict[str, str]:
    answer = await sim.api(f"POST {EXTERNAL}/get_corp_tag_list", {})
    return {tag["name"]: tag["id"] for group in answer["tag_group"] for tag in group["tag"]}


async def test_tags_are_listed_marked_and_removed(sim: Sim) -> None:
    tags = await tag_ids(sim)
    assert len(tags) == 14
    one = await sim.api(f"POST {EXTERNAL}/get_corp_tag_list", {"tag_id": [tags["高意向"]]})
    assert [group["group_name"] for group in one["tag_group"]] == ["客户阶段"]
    mark = {
        "userid": "rm001",
        "external_userid": sim.wang_fang,
        "add_tag": [tags["高意向"]],
        "remove_tag": [tags["存量"]],
    }
    assert await sim.refused(f"POST {EXTERNAL}/mark_tag", mark) == 0
    got = await sim.api(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    assert {tag["tag_name"] for tag in got["follow_user"][0]["tags"]} == {"C3 稳健型", "20–50万", "高意向"}
    assert sim.bot.received == []  # changes through the API are not called back


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"add_tag": ["etNONE"]}, 40068),
        ({"add_tag": []}, 40063),
        ({"userid": "rm003"}, 84061),
        ({"userid": "ghost"}, 60111),
        ({"external_userid": "wmNOBODY"}, 40096),
        ({"external_userid": ""}, 41035),
    ],
)
async def test_bad_tag_change_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    tags = await tag_ids(sim)
    good: Json = {"userid": "rm001", "external_userid": sim.wang_fang, "add_tag": [tags["高意向"]]}
    assert await sim.refused(f"POST {EXTERNAL}/mark_tag", {**good, **changes}) == errcode
    assert await sim.refused(f"POST {EXTERNAL}/mark_tag", good) == 0


async def test_remark_is_kept_within_its_limits(sim: Sim) -> None:
    name = f"POST {EXTERNAL}/remark"
    good: Json = {"userid": "rm001", "external_userid": sim.wang_fang}
    changed = {"remark": "王姐", "description": "喜欢大额存单", "remark_mobiles": ["02100000000"]}
    assert await sim.refused(name, {**good, **changed}) == 0
    assert await sim.refused(name, {**good, "remark": "长" * 21}) == 40058
    assert await sim.refused(name, {**good, "description": "长" * 151}) == 40058
    assert await sim.refused(name, {**good, "userid": "rm003", "remark": "x"}) == 84061
    got = await sim.api(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    assert got["follow_user"][0]["remark"] == "王姐"
    assert await sim.refused(name, {**good, "remark_mobiles": [""]}) == 0
    got = await sim.api(f"GET {EXTERNAL}/get", external_userid=sim.wang_fang)
    assert got["follow_user"][0]["remark_mobiles"] == []


async def test_welcome_is_sent_once_as_the_member(sim: Sim) -> None:
    added = await sim.do("customers/add", {"userid": "rm001", "name": "赵新"})
    welcome = {"welcome_code": added["welcome_code"], "text": {"content": "您好，我是李娜"}}
    assert await sim.refused(WELCOME, welcome) == 0
    (line,) = await sim.lines("single", f"rm001|{added['external_userid']}")
    assert (line["text"], line["sender"], line["note"]) == ("您好，我是李娜", "rm001", "欢迎语")
    assert await sim.refused(WELCOME, welcome) == 41050
    assert len(await sim.see("sent", kind="welcome")) == 1


async def test_welcome_code_dies_after_20_seconds(sim: Sim) -> None:
    added = await sim.do("customers/add", {"userid": "rm001"})
    sim.clock.advance(21)
    welcome = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    assert await sim.refused(WELCOME, welcome) == 41050


async def test_no_welcome_once_they_chat(sim: Sim) -> None:
    added = await sim.do("customers/add", {"userid": "rm001"})
    sim.clock.advance(1)
    customer = added["external_userid"]
    chat = {"userid": "rm001", "external_userid": customer, "sender": customer, "text": "你好"}
    await sim.do("chats/messages", chat)
    welcome = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    assert await sim.refused(WELCOME, welcome) == 41051


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"welcome_code": ""}, 41049),
        ({"welcome_code": "unknown"}, 41050),
        ({"text": {"content": ""}}, 40063),
        ({"text": {"content": "长" * 1334}}, 45002),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t", "url": "u"}}] * 10}, 40058),
        ({"attachments": [{"msgtype": "hologram"}]}, 41065),
        ({"attachments": [{"msgtype": "image", "image": {"media_id": "none"}}]}, 40007),
        ({"attachments": [{"msgtype": "link", "link": {"title": "t"}}]}, 40063),
    ],
)
async def test_bad_welcome_is_refused_and_the_code_stays_good(sim: Sim, changes: dict[str, Any], errcode: int) -> None:
    added = await sim.do("customers/add", {"userid": "rm001"})
    good: Json = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    assert await sim.refused(WELCOME, {**good, **changes}) == errcode
    assert await sim.refused(WELCOME, good) == 0


async def test_groups_are_listed_by_owner_and_page(sim: Sim) -> None:
    name = f"POST {EXTERNAL}/groupchat/list"
    first = await sim.api(name, {"limit": 4})
    rest = await sim.api(name, {"limit": 4, "cursor": first["next_cursor"]})
    assert len(first["group_chat_list"]) + len(rest["group_chat_list"]) == 6
    assert "next_cursor" not in rest
    owned = await sim.api(name, {"limit": 10, "owner_filter": {"userid_list": ["rm001"]}})
    assert [row["chat_id"] for row in owned["group_chat_list"]] == [sim.first_group]
    assert await sim.refused(name, {}) == 40063
    assert await sim.refused(name, {"limit": 1001}) == 40058
    assert await sim.refused(name, {"limit": 1, "cursor": "?"}) == 50100


async def test_group_is_read_with_names_on_demand(sim: Sim) -> None:
    name = f"POST {EXTERNAL}/groupchat/get"
    group = (await sim.api(name, {"chat_id": sim.first_group, "need_name": 1}))["group_chat"]
    assert (group["name"], group["owner"]) == ("城东理财交流1群", "rm001")
    members = {row["userid"]: row for row in group["member_list"]}
    assert (members["rm001"]["type"], members[sim.wang_fang]["type"]) == (1, 2)
    assert members[sim.wang_fang]["name"] == "王芳"
    plain = (await sim.api(name, {"chat_id": sim.first_group}))["group_chat"]
    assert "name" not in plain["member_list"][0]
    assert await sim.refused(name, {"chat_id": "wrNONE"}) == 40050
    assert await sim.refused(name, {}) == 40063
