"""One thing read anew after an event: groups by their version, members, departments, tags; and who left."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import FrozenClock
from bot.errors import PlatformUnavailable
from bot.events import GroupUpdated, MirrorKind
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Database
from customers import (
    CustomerGroupRow,
    FollowRow,
    GroupMemberRow,
    RiskLevel,
    apply_group_update,
    do_delete_tags,
    do_rename_member,
    do_settle_departure,
    find_customer,
    find_staff,
    list_branches,
    list_customers_of,
    list_groups_of,
    list_heads_for,
    list_open_departures,
    list_unsettled_departures,
    refresh_object,
    sync_everything,
)
from customers.models import CorpTagRow, StaffRow
from tests.customers.bank import Bank, a_bank

LI, ZHANG = StaffId("rm001"), StaffId("rm002")
GROUP = GroupChatId("wr1")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 20, 2, tzinfo=UTC))


@pytest.fixture
async def bank(db: Database, clock: FrozenClock) -> Bank:
    """A bank that has been copied once; one second later."""
    made = a_bank()
    await sync_everything(db, made, clock)
    made.calls.clear()
    clock.advance(timedelta(seconds=1))
    return made


def an_update(detail: str, members: tuple[str, ...], last: str = "v3", current: str = "v4") -> GroupUpdated:
    return GroupUpdated(
        fields={},
        occurred_at=None,
        chat_id=GROUP,
        detail=detail,
        members=members,
        last_version=last,
        current_version=current,
    )


async def members_of(db: Database, group: str = GROUP) -> set[str]:
    async with db.reading() as tx:
        query = select(GroupMemberRow.member_id).where(GroupMemberRow.group_id == group, GroupMemberRow.active)
        return set((await tx.exec(query)).all())


async def the_group(db: Database) -> CustomerGroupRow:
    async with db.reading() as tx:
        return await tx.get_one(CustomerGroupRow, GROUP)


async def no_sleep(_seconds: float) -> None:
    """Details have settled already."""


async def test_members_who_came_and_went_are_applied_without_asking(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    assert await apply_group_update(db, bank, clock, an_update("add_member", ("wm3", "rm002")))
    assert await members_of(db) == {"rm001", "wm1", "wm2", "wm3", "rm002"}
    assert await apply_group_update(db, bank, clock, an_update("del_member", ("wm1",), "v4", "v5"))
    assert await members_of(db) == {"rm001", "wm2", "wm3", "rm002"}
    group = await the_group(db)
    assert (group.member_version, group.member_count) == ("v5", 4)
    assert bank.calls == []
    async with db.reading() as tx:
        came = await tx.get_one(GroupMemberRow, (GROUP, "wm3"))
    assert (came.name, came.kind) == ("欧阳静", "customer")


@pytest.mark.parametrize(
    "update",
    [
        an_update("add_member", ("wm3",), last="v2"),
        an_update("add_member", ("wm3",), last=""),
        an_update("add_member", ("wmUNKNOWN",)),
        an_update("add_member", ("wm3",), current=""),
        an_update("change_name", ()),
        an_update("del_member", ()),
    ],
)
async def test_what_does_not_fit_our_copy_is_read_anew(
    db: Database, bank: Bank, clock: FrozenClock, update: GroupUpdated
) -> None:
    bank.groups[GROUP]["name"] = "改名群"
    waited: list[float] = []

    async def note(seconds: float) -> None:
        waited.append(seconds)

    assert not await apply_group_update(db, bank, clock, update, sleep=note)
    assert waited == [2]
    assert (await the_group(db)).name == "改名群"
    assert await members_of(db) == {"rm001", "wm1", "wm2"}


async def test_an_update_that_comes_twice_changes_nothing_the_second_time(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    update = an_update("del_member", ("wm1",))
    assert await apply_group_update(db, bank, clock, update)
    bank.groups[GROUP]["member_list"] = [one for one in bank.groups[GROUP]["member_list"] if one["userid"] != "wm1"]
    assert not await apply_group_update(db, bank, clock, update, sleep=no_sleep)
    assert await members_of(db) == {"rm001", "wm2"}


async def test_every_kind_of_object_can_be_read_anew(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.profiles["wm1"]["name"] = "王方"
    bank.groups[GROUP]["name"] = "改名群"
    bank.members[0]["position"] = "高级客户经理"
    bank.departments[1]["name"] = "城东新支行"
    bank.tag_groups["风险评级"] = [("t-c2", "C1 保守型")]
    for kind, object_id in (
        (MirrorKind.CUSTOMER, "wm1"),
        (MirrorKind.GROUP, "wr1"),
        (MirrorKind.DEPARTMENT, "2"),
        (MirrorKind.TAGS, ""),
    ):
        await refresh_object(db, bank, clock, kind, object_id)
    async with db.reading() as tx:
        customer = await find_customer(tx, CustomerId("wm1"))
        member = await find_staff(tx, LI)
        assert "城东新支行" in {one.name for one in await list_branches(tx)}
        gone = await tx.get_one(CorpTagRow, "t-c4")
    assert customer is not None
    assert (customer.name, customer.risk_level) == ("王方", RiskLevel.C1)
    assert member is not None
    assert (member.position, member.serves) == ("高级客户经理", True)
    assert (await the_group(db)).name == "改名群"
    assert not gone.active


class WithMembers:
    """The bank, with `user/get`."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        if not api.endswith("/user/get"):
            return await self.bank.call(api, body, params=params, app=app)
        from bot.errors import PlatformError

        wanted = (params or {})["userid"]
        found = [one for one in self.bank.members if one["userid"] == wanted]
        if not found:
            raise PlatformError("user/get", 60111)
        return {"errcode": 0, **found[0]}


async def test_a_new_member_is_read_with_the_right_to_serve(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.members.append(
        {
            "userid": "rm003",
            "name": "孙丽",
            "department": [2],
            "status": 1,
            "is_leader_in_dept": [1],
            "position": "主任",
        }
    )
    bank.serving.append("rm003")
    await refresh_object(db, WithMembers(bank), clock, MirrorKind.MEMBER, "rm003")
    async with db.reading() as tx:
        member = await find_staff(tx, StaffId("rm003"))
        assert await list_heads_for(tx, 2) == ["rm003"]
    assert member is not None
    assert (member.serves, member.leads, member.branch_id) == (True, True, 2)


async def test_a_deleted_member_departs_once_with_what_they_leave(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.members = [one for one in bank.members if one["userid"] != "rm001"]
    for _ in range(2):
        await refresh_object(db, WithMembers(bank), clock, MirrorKind.MEMBER, "rm001")
    async with db.transaction() as tx:
        (left,) = await list_unsettled_departures(tx)
        assert (left.staff_id, left.name, left.branch_id, left.customers, left.groups) == (LI, "李娜", 2, 3, 2)
        assert await do_settle_departure(tx, LI, clock.now())
        assert not await do_settle_departure(tx, LI, clock.now())
    async with db.reading() as tx:
        assert await list_unsettled_departures(tx) == []
        assert [one.staff_id for one in await list_open_departures(tx)] == [LI]
        member = await find_staff(tx, LI)
    assert member is not None
    assert (member.active, member.serves) == (False, False)


async def test_the_sweep_finds_who_left_when_no_event_came(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.members = [one for one in bank.members if one["userid"] != "rm002"]
    bank.serving = ["rm001"]
    clock.advance(timedelta(days=1))
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        assert [one.staff_id for one in await list_unsettled_departures(tx)] == [ZHANG]


async def test_who_is_disabled_departs_and_who_is_back_does_not(db: Database, bank: Bank, clock: FrozenClock) -> None:
    for status, departed in ((2, [LI]), (1, []), (5, [LI])):
        bank.members[0]["status"] = status
        clock.advance(timedelta(seconds=1))
        await refresh_object(db, WithMembers(bank), clock, MirrorKind.MEMBER, "rm001")
        async with db.reading() as tx:
            assert [one.staff_id for one in await list_unsettled_departures(tx)] == departed


async def test_a_renamed_member_keeps_customers_and_groups(db: Database, bank: Bank, clock: FrozenClock) -> None:
    new = StaffId("li.na")
    async with db.transaction() as tx:
        assert await do_rename_member(tx, LI, new, clock.now())
        assert not await do_rename_member(tx, LI, new, clock.now())
        assert not await do_rename_member(tx, StaffId("nobody"), StaffId("other"), clock.now())
    async with db.reading() as tx:
        assert len(await list_customers_of(tx, new)) == 3
        assert len(await list_groups_of(tx, new)) == 2
        assert await list_unsettled_departures(tx) == []
        assert (await tx.get_one(FollowRow, ("li.na", "wm1"))).remark
        assert {row.id: row.active for row in (await tx.exec(select(StaffRow))).all()} == {
            "co001": True,
            "li.na": True,
            "rm001": False,
            "rm002": True,
        }
    assert await members_of(db) == {"li.na", "wm1", "wm2"}


async def test_tags_of_a_deleted_group_go_at_once(db: Database, bank: Bank, clock: FrozenClock) -> None:
    async with db.transaction() as tx:
        assert await do_delete_tags(tx, "g-风险评级", clock.now(), is_group=True) == 2
        assert await do_delete_tags(tx, "t-20", clock.now(), is_group=False) == 1
    del bank.tag_groups["风险评级"]
    del bank.tag_groups["资产层级"]
    await refresh_object(db, bank, clock, MirrorKind.TAGS, "")
    async with db.reading() as tx:
        customer = await find_customer(tx, CustomerId("wm1"))
    assert customer is not None
    assert (customer.risk_level, customer.tier) == (None, None)


async def test_no_answer_changes_nothing(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.fail_after = 0
    for kind, object_id in (
        (MirrorKind.CUSTOMER, "wm1"),
        (MirrorKind.GROUP, "wr1"),
        (MirrorKind.DEPARTMENT, "2"),
        (MirrorKind.TAGS, ""),
    ):
        with pytest.raises(PlatformUnavailable):
            await refresh_object(db, bank, clock, kind, object_id)
    async with db.reading() as tx:
        assert len(await list_customers_of(tx, LI)) == 3
        assert await list_unsettled_departures(tx) == []
