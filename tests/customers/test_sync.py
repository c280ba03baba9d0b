"""The copy of the platform: complete, resumable, never deleting, and only for those who may see it."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from bot.clock import FrozenClock
from bot.errors import NotFound, PlatformError, PlatformUnavailable
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Database
from bot.wecom.answers import AnswerUnreadable
from bot.wecom.contacts import get_customer
from customers import (
    AibotCapability,
    FollowRow,
    FollowState,
    GroupMemberRow,
    RiskLevel,
    SyncProgress,
    do_mark_aibot,
    do_record_contact,
    do_set_opted_out,
    find_customer,
    find_customers_by_name,
    find_group,
    find_staff,
    get_customer_card,
    list_branches,
    list_customers_of,
    list_follows_of,
    list_groups_of,
    list_staff,
    sync_customer,
    sync_everything,
    sync_group,
)
from tests.customers.bank import Bank, a_bank

LI, ZHANG = StaffId("rm001"), StaffId("rm002")
WANG = CustomerId("wm1")


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 20, 2, tzinfo=UTC))


@pytest.fixture
def bank() -> Bank:
    return a_bank()


async def test_everything_is_copied_page_by_page(db: Database, bank: Bank, clock: FrozenClock) -> None:
    seen: list[SyncProgress] = []
    report = await sync_everything(db, bank, clock, seen.append)
    assert (report.branches, report.staff, report.tags, report.groups) == (2, 3, 4, 2)
    assert report.customers == 5
    async with db.reading() as tx:
        assert [one.id for one in await list_staff(tx)] == ["co001", "rm001", "rm002"]
        assert {one.name for one in await list_branches(tx)} == {"示范银行", "城东支行"}
        li = await find_staff(tx, LI)
        assert li is not None
        assert (li.branch_id, li.serves) == (2, True)
        assert [one.id for one in await list_groups_of(tx, LI)] == ["wr1", "wr2"]
        assert [one.id for one in await list_customers_of(tx, LI)] == ["wm1", "wm2", "wm3"]
    assert [one.done for one in seen if one.stage == "customers"] == [1, 2]


async def test_second_sync_of_the_same_changes_nothing(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    assert (await sync_everything(db, bank, clock)).changed == 0


async def test_risk_level_of_two_members_is_the_cautious_one(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        customer = await find_customer(tx, WANG)
    assert customer is not None
    assert (customer.risk_level, customer.tier) == (RiskLevel.C2, "20–50万")


async def test_card_shows_own_customer_with_masked_numbers(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        (card,) = await find_customers_by_name(tx, LI, "王芳")
    assert set(card.tags) == {"20–50万", "C4 成长型"}
    assert card.mobiles == ("138****1111",)
    assert "13800001111" not in card.remark
    assert card.groups == ("城东理财交流1群",)


async def test_member_cannot_see_customers_or_groups_of_others(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        assert await find_customers_by_name(tx, ZHANG, "欧阳静") == []
        with pytest.raises(NotFound):
            await get_customer_card(tx, ZHANG, CustomerId("wm3"))
        shared = await get_customer_card(tx, ZHANG, WANG)
    assert shared.groups == ()


async def test_interrupted_sync_goes_on_where_it_stopped(db: Database, bank: Bank, clock: FrozenClock) -> None:
    whole = a_bank()
    await sync_everything(db, whole, clock)
    resumes = 0
    for calls in range(1, len(whole.calls)):
        clock.advance(timedelta(days=1))
        broken = a_bank()
        broken.fail_after = calls
        with pytest.raises(PlatformUnavailable):
            await sync_everything(db, broken, clock)
        mended = a_bank()
        report = await sync_everything(db, mended, clock)
        resumes += report.resumed
        assert report.changed == 0
    assert resumes > 0
    last_rm_skipped = a_bank()
    last_rm_skipped.fail_after = len(whole.calls) - 1
    clock.advance(timedelta(days=1))
    with pytest.raises(PlatformUnavailable):
        await sync_everything(db, last_rm_skipped, clock)
    again = a_bank()
    await sync_everything(db, again, clock)
    assert "POST /cgi-bin/externalcontact/batch/get_by_user" not in again.calls


async def test_old_interruption_starts_from_the_beginning(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.fail_after = 8
    with pytest.raises(PlatformUnavailable):
        await sync_everything(db, bank, clock)
    clock.advance(timedelta(hours=7))
    bank.fail_after = None
    assert not (await sync_everything(db, bank, clock)).resumed


async def test_what_vanished_becomes_inactive_and_stays(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    del bank.follows[("rm001", "wm3")]
    del bank.groups["wr2"]
    bank.members = bank.members[:2]
    bank.groups["wr1"]["member_list"].pop()
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        follow = await tx.get_one(FollowRow, ("rm001", "wm3"))
        customer = await find_customer(tx, CustomerId("wm3"))
        group = await find_group(tx, GroupChatId("wr2"))
        officer = await find_staff(tx, StaffId("co001"))
        left = await tx.get_one(GroupMemberRow, ("wr1", "wm2"))
    assert follow.state is FollowState.ENDED
    assert customer is not None
    assert not customer.active
    assert group is not None
    assert not group.active
    assert officer is not None
    assert not officer.active
    assert not left.active


async def test_member_who_lost_the_right_serves_nobody_and_group_of_a_leaver_stays(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    await sync_everything(db, bank, clock)
    bank.serving = ["rm002"]
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        assert await list_customers_of(tx, LI) == []
        group = await find_group(tx, GroupChatId("wr1"))
    assert group is not None
    assert group.active


async def test_group_with_a_new_owner_moves(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    bank.groups["wr1"]["owner"] = "rm002"
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        assert [one.id for one in await list_groups_of(tx, ZHANG)] == ["wr1"]
        assert [one.id for one in await list_groups_of(tx, LI)] == ["wr2"]


async def test_renamed_risk_tag_reaches_customers_whose_relations_did_not_change(
    db: Database, bank: Bank, clock: FrozenClock
) -> None:
    await sync_everything(db, bank, clock)
    bank.tag_groups["风险评级"] = [("t-c2", "C1 保守型"), ("t-c4", "C4 成长型")]
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        customer = await find_customer(tx, WANG)
    assert customer is not None
    assert customer.risk_level is RiskLevel.C1


async def test_one_customer_is_read_anew_after_an_event(db: Database, bank: Bank, clock: FrozenClock) -> None:
    bank.tag_groups.clear()
    assert await sync_customer(db, bank, clock, WANG)
    async with db.reading() as tx:
        assert {row.staff_id for row in await list_follows_of(tx, WANG)} == {"rm001", "rm002"}
    del bank.follows[("rm002", "wm1")]
    assert await sync_customer(db, bank, clock, WANG)
    async with db.reading() as tx:
        (follow,) = await list_follows_of(tx, WANG)
    assert (follow.staff_id, follow.tags) == ("rm001", ["t-c4", "t-20"])
    del bank.follows[("rm001", "wm1")]
    assert not await sync_customer(db, bank, clock, WANG)
    async with db.reading() as tx:
        assert await list_follows_of(tx, WANG) == []


async def test_one_group_is_read_anew_and_closed_when_dissolved(db: Database, bank: Bank, clock: FrozenClock) -> None:
    chat = GroupChatId("wr1")
    assert await sync_group(db, bank, clock, chat)
    del bank.groups["wr1"]
    assert not await sync_group(db, bank, clock, chat)
    async with db.reading() as tx:
        group = await find_group(tx, chat)
    assert group is not None
    assert not group.active


async def test_no_answer_closes_no_group(db: Database, bank: Bank, clock: FrozenClock) -> None:
    chat = GroupChatId("wr1")
    await sync_group(db, bank, clock, chat)
    bank.fail_after = 0
    with pytest.raises(PlatformError):
        await sync_group(db, bank, clock, chat)
    async with db.reading() as tx:
        group = await find_group(tx, chat)
    assert group is not None
    assert group.active


async def test_sync_keeps_what_only_we_know(db: Database, bank: Bank, clock: FrozenClock) -> None:
    await sync_everything(db, bank, clock)
    at = clock.now()
    async with db.transaction() as tx:
        await do_mark_aibot(tx, GroupChatId("wr1"), AibotCapability.ADMITTED, at)
        await do_record_contact(tx, LI, WANG, at)
        await do_record_contact(tx, LI, WANG, at - timedelta(days=3))
        await do_set_opted_out(tx, WANG, True, at)
    bank.groups["wr1"]["name"] = "改名群"
    bank.follows[("rm001", "wm1")]["remark"] = "王芳女士"
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        group = await find_group(tx, GroupChatId("wr1"))
        card = await get_customer_card(tx, LI, WANG)
    assert group is not None
    assert (group.name, group.aibot) == ("改名群", AibotCapability.ADMITTED)
    assert (card.remark, card.last_contact_at, card.opted_out) == ("王芳女士", at, True)


async def test_unknown_group_cannot_be_marked(db: Database, clock: FrozenClock) -> None:
    async with db.transaction() as tx:
        with pytest.raises(NotFound):
            await do_mark_aibot(tx, GroupChatId("wr404"), AibotCapability.REFUSED, clock.now())


async def test_hidden_member_does_not_stop_the_others(
    db: Database, bank: Bank, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bank._externalcontact_batch_get_by_user

    def refuse_li(body: dict[str, object], params: dict[str, str]) -> dict[str, object]:
        if body["userid_list"] == ["rm001"]:
            raise PlatformError("batch/get_by_user", 60011)
        return real(body, params)

    monkeypatch.setattr(bank, "_externalcontact_batch_get_by_user", refuse_li)
    report = await sync_everything(db, bank, clock)
    assert report.skipped == 1
    async with db.reading() as tx:
        assert (await tx.exec(select(FollowRow).where(FollowRow.staff_id == "rm002"))).all()


async def test_changed_answer_format_is_noticed_at_the_field(bank: Bank) -> None:
    bank.profiles["wm1"]["name"] = 7
    with pytest.raises(AnswerUnreadable, match=r"external_contact\.name"):
        await get_customer(bank, WANG)
