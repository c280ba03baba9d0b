"""The invented bank: the demo facts hold, and the same seed makes the same bank."""

import time
from dataclasses import replace
from pathlib import Path

from simulator import BankSize, SimConfig, create_app
from simulator.platform import Platform
from tests.simulator.harness import Sim, close_sim, new_sim


def a_platform(config: SimConfig) -> Platform:
    platform = create_app(config).state.platform
    assert isinstance(platform, Platform)
    return platform


async def test_demo_facts_hold() -> None:
    world = a_platform(SimConfig()).world
    managers = [row for row in world.members.rows.values() if row.serves]
    assert len(managers) == 30
    assert (managers[0].userid, managers[0].name) == ("rm001", "李娜")
    assert world.departments.rows[str(managers[0].department)].name == "城东支行"
    assert world.members.rows["co001"].name == "周敏"
    assert world.members.rows["ad001"].name == "陈工"
    assert world.departments.rows["1"].name == "示范银行"
    assert len(world.departments.rows) == 7
    assert len(world.customers.rows) == 2000
    assert len(world.groups.rows) == 60
    first = world.list_follows_of("rm001")[0]
    assert world.name_of(first.external_userid) == "王芳"
    owned = world.list_groups_owned_by("rm001")
    assert len(owned) == 2
    assert owned[0].name == "城东理财交流1群"
    assert first.external_userid in {member.userid for member in owned[0].members}
    assert [group.group_name for group in world.tag_groups.rows.values()] == ["风险评级", "资产层级", "客户阶段"]
    assert len({group.name for group in world.groups.rows.values()}) == 60


async def test_same_seed_makes_the_same_bank_and_another_seed_another() -> None:
    size = BankSize(4, 30, 4)
    one, two = (a_platform(SimConfig(size=size)).world for _ in range(2))
    other = a_platform(SimConfig(size=size, seed=7)).world
    assert one.customers.rows == two.customers.rows
    assert one.groups.rows == two.groups.rows
    assert one.customers.rows.keys() != other.customers.rows.keys()


async def test_default_bank_starts_within_a_second() -> None:
    begun = time.process_time()
    a_platform(SimConfig())
    assert time.process_time() - begun < 1


async def test_people_are_listed_with_the_demo_persons_first(sim: Sim) -> None:
    people = await sim.see("people", limit="3")
    assert people["staff"][0] == {
        "userid": "rm001",
        "name": "李娜",
        "branch": "城东支行",
        "position": people["staff"][0]["position"],
    }
    assert people["customers"][0]["name"] == "王芳"
    assert people["customers"][0]["follow"] == ["rm001"]
    assert people["groups"][0]["owner"] == "rm001"
    assert len(people["customers"]) == 3
    found = await sim.see("people", q="王芳")
    assert [row["name"] for row in found["customers"]] == ["王芳"]
    assert found["staff"] == []


async def test_restart_keeps_chats_numbers_and_changes(config: SimConfig, tmp_path: Path) -> None:
    durable = replace(config, state_file=str(tmp_path / "sim.db"))
    before = new_sim(durable)
    await before.do(f"groups/{before.first_group}/messages", {"sender": before.wang_fang, "text": "在吗"})
    await before.do(f"groups/{before.first_group}/aibot", {"admitted": True})
    added = await before.do("customers/add", {"userid": "rm002", "name": "新来的"})
    token = await before.token()
    await close_sim(before)

    after = new_sim(durable)
    after.tokens["app"] = token
    lines = await after.lines("group", after.first_group)
    assert [line["text"] for line in lines] == ["在吗"]
    assert (await after.see("health"))["archive_seq"] == 1
    assert (await after.see("people"))["groups"][0]["aibot"] is True
    followed = await after.api("GET /cgi-bin/externalcontact/list", userid="rm002")
    assert added["external_userid"] in followed["external_userid"]
    await after.do(f"groups/{after.first_group}/messages", {"sender": after.wang_fang, "text": "还在吗"})
    assert (await after.see("health"))["archive_seq"] == 2

    await after.do("reset")
    assert await after.lines("group", after.first_group) == []
    assert (await after.see("health"))["archive_seq"] == 0
    await close_sim(after)
