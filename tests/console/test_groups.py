"""What a customer group admits is tried by an administrator, seen by a callback, and falls back when nothing comes."""

from datetime import timedelta

from sqlmodel import select

from bot.audit import AuditEntry
from bot.ids import GroupChatId
from customers import AibotCapability, CustomerGroupRow, do_mark_aibot, find_group
from tests.console.world import World


async def _a_group(world: World) -> CustomerGroupRow:
    async with world.db.reading() as tx:
        return (await tx.exec(select(CustomerGroupRow))).all()[0]


async def test_a_probe_waits_and_ends_with_the_bots_first_callback(world: World) -> None:
    group = await _a_group(world)
    client = await world.login("ad001")
    assert "没有试过" in (await client.get("/groups")).text
    answer = await client.post(f"/groups/{group.id}/probe")
    assert answer.status_code == 303
    page = (await client.get("/groups")).text
    assert "等待群里 @ 机器人" in page
    assert "data-poll" in page
    async with world.db.transaction() as tx:
        await do_mark_aibot(tx, GroupChatId(group.id), AibotCapability.ADMITTED, world.clock.now())
        assert (await tx.exec(select(AuditEntry).where(AuditEntry.action == "group.probed"))).one().actor == "ad001"
    after = (await client.get("/groups")).text
    assert "等待群里 @ 机器人" not in after
    assert "可用" in after


async def test_silence_means_reply_cards(world: World) -> None:
    group = await _a_group(world)
    client = await world.login("ad001")
    await client.post(f"/groups/{group.id}/probe")
    world.clock.advance(timedelta(minutes=11))
    page = (await client.get("/groups")).text
    assert "没有反应，用回复卡片" in page
    assert "data-poll" not in page


async def test_a_new_probe_forgets_what_was_known(world: World) -> None:
    group = await _a_group(world)
    async with world.db.transaction() as tx:
        await do_mark_aibot(tx, GroupChatId(group.id), AibotCapability.ADMITTED, world.clock.now())
    await (await world.login("ad001")).post(f"/groups/{group.id}/probe")
    async with world.db.reading() as tx:
        row = await find_group(tx, GroupChatId(group.id))
    assert row is not None
    assert row.aibot is AibotCapability.UNKNOWN


async def test_groups_are_found_by_name_and_unknown_ones_are_not_probed(world: World) -> None:
    group = await _a_group(world)
    client = await world.login("ad001")
    found = await client.get("/groups", params={"q": group.name[:4]}, headers={"X-Fragment": "groups"})
    assert group.name in found.text
    assert "没有找到客户群" in (await client.get("/groups", params={"q": "%不存在%"})).text
    assert (await client.post("/groups/wrNOBODY/probe")).status_code == 404


async def test_only_administrators_probe(world: World) -> None:
    group = await _a_group(world)
    for staff in ("rm001", "co001"):
        client = await world.login(staff)
        assert (await client.get("/groups")).status_code == 403
        assert (await client.post(f"/groups/{group.id}/probe")).status_code == 403
