"""Which event refreshes which copy, and that a copy the platform would not give is put down to be read again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import FrozenClock
from bot.doors.readers import read_event
from bot.errors import PlatformUnavailable
from bot.events import (
    Change,
    CorpTagChanged,
    CustomerRemoved,
    CustomerTransferFailed,
    DepartmentChanged,
    Event,
    GroupUpdated,
    MemberChanged,
    MirrorDue,
    MirrorKind,
)
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.inbox.models import InboxRow
from bot.storage.database import Database
from console.errands import Errands
from customers import (
    CustomersSettings,
    FollowRow,
    FollowState,
    find_customer,
    find_group,
    find_staff,
    list_branches,
    list_open_departures,
    sync_everything,
)
from customers.models import CorpTagRow
from tests.customers.bank import Bank, a_bank
from tests.customers.test_refresh import WithMembers

LI, WANG = StaffId("rm001"), CustomerId("wm1")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
async def bank(db: Database, clock: FrozenClock) -> Bank:
    made = a_bank()
    await sync_everything(db, made, clock)
    made.calls.clear()
    clock.advance(timedelta(seconds=1))
    return made


async def happen(db: Database, bank: Bank, clock: FrozenClock, events: Sequence[Event]) -> None:
    """Run the errand of each event."""

    async def nothing(*_: object) -> None:
        """No kf and no archive here."""

    errands = Errands(
        database=db,
        client=WithMembers(bank),  # type: ignore[arg-type]  # it calls APIs as the client does
        clock=clock,
        customers=CustomersSettings(group_settle_seconds=0),
        pull_kf=nothing,
        pull_archive=nothing,
    ).by_event()
    for event in events:
        await errands[type(event)](event)


def an(kind: Any, **values: Any) -> Any:
    return kind(fields={}, occurred_at=NOW, **values)


async def test_a_member_who_moves_is_read_anew(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.members[0]["department"] = [1]
    await happen(db, bank, clock, [an(MemberChanged, staff_id=LI)])
    async with db.reading() as tx:
        member = await find_staff(tx, LI)
    assert member is not None
    assert member.branch_id == 1


async def test_a_deleted_member_is_gone_and_dealt_with_although_the_platform_is_down(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    bank.fail_after = 0
    await happen(db, bank, clock, [an(MemberChanged, staff_id=LI, change=Change.DELETED)])
    async with db.reading() as tx:
        member = await find_staff(tx, LI)
        (departure,) = await list_open_departures(tx)
    assert member is not None
    assert not member.active
    assert departure.customers == 3


async def test_a_new_name_of_a_member_keeps_their_customers(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.members[0]["userid"] = "li.na"
    await happen(db, bank, clock, [an(MemberChanged, staff_id=LI, new_staff_id=StaffId("li.na"))])
    async with db.reading() as tx:
        assert (await tx.get_one(FollowRow, ("li.na", "wm1"))).state is FollowState.ACTIVE
        assert await list_open_departures(tx) == []


async def test_departments_and_tags_follow_their_events(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.departments[1]["name"] = "新名支行"
    del bank.tag_groups["客户阶段"]
    await happen(
        db,
        bank,
        clock,
        [
            an(DepartmentChanged, department_id=2),
            an(CorpTagChanged, tag_id="g-客户阶段", is_group=True, change=Change.DELETED),
            an(CorpTagChanged, tag_id="", change=Change.UPDATED),
        ],
    )
    async with db.reading() as tx:
        assert "新名支行" in {one.name for one in await list_branches(tx)}
        assert not (await tx.get_one(CorpTagRow, "t-new")).active


async def test_a_group_update_that_fits_needs_no_request(db: Database, bank: Bank, clock: FrozenClock) -> None:
    update = an(
        GroupUpdated,
        chat_id=GroupChatId("wr1"),
        detail="add_member",
        members=("wm3",),
        last_version="v3",
        current_version="v4",
    )
    await happen(db, bank, clock, [update])
    assert bank.calls == []
    async with db.reading() as tx:
        group = await find_group(tx, GroupChatId("wr1"))
    assert group is not None
    assert (group.member_count, group.member_version) == (4, "v4")


async def test_a_handed_over_customer_is_the_new_members(db: Database, bank: Bank, clock: FrozenClock) -> None:
    del bank.follows[("rm001", "wm2")]
    bank.add_customer("rm002", "wm2", "王建国")
    removed = an(CustomerRemoved, staff_id=LI, customer_id=CustomerId("wm2"), source="DELETE_BY_TRANSFER")
    failed = an(CustomerTransferFailed, staff_id=LI, customer_id=WANG, reason="customer_refused")
    await happen(db, bank, clock, [removed, failed])
    async with db.reading() as tx:
        assert (await tx.get_one(FollowRow, ("rm001", "wm2"))).state is FollowState.ENDED
        assert (await tx.get_one(FollowRow, ("rm002", "wm2"))).state is FollowState.ACTIVE


async def test_what_the_platform_would_not_give_is_put_down_and_read_later(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    bank.fail_after = 0
    await happen(db, bank, clock, [an(CustomerTransferFailed, staff_id=LI, customer_id=WANG)])
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(InboxRow))).all()
    due = read_event(row)
    assert isinstance(due, MirrorDue)
    assert (due.kind, due.object_id) == (MirrorKind.CUSTOMER, WANG)
    with pytest.raises(PlatformUnavailable):  # it stays in line
        await happen(db, bank, clock, [due])
    bank.fail_after = None
    bank.profiles[WANG]["name"] = "王方"
    await happen(db, bank, clock, [due])
    async with db.reading() as tx:
        customer = await find_customer(tx, WANG)
    assert customer is not None
    assert customer.name == "王方"
