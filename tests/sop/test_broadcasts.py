"""Broadcasts: refused before anyone is disturbed, started once, followed to the last recipient."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, func, select

from bot.audit import AuditEntry
from bot.errors import Conflict, Forbidden, NotFound
from bot.ids import GroupChatId
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Database
from customers import CustomerGroupRow, do_close_group
from sop import (
    BroadcastDraft,
    BroadcastProgress,
    BroadcastRow,
    BroadcastState,
    DeliveryState,
    GroupAudience,
    QuotaSettings,
    SopSettings,
    TaskState,
    TodoKind,
    broadcast_progress,
    do_cancel_broadcast,
    do_confirm_broadcast,
    do_draft_broadcast,
    list_broadcasts,
    list_todos,
    refresh_results,
    remind_members,
    tick,
)
from sop.models import DeliveryRow
from sop.quota import QuotaMode
from tests.sop.world import LI, NOW, QUIET, ZHANG, Gate, Platform, a_platform, later, send_outbox

Draft = Callable[..., Awaitable[BroadcastDraft]]
WORDS = "大额存单本周开放认购，详情请咨询。"


@pytest.fixture
async def platform(db: Database) -> Platform:
    return await a_platform(db)


@pytest.fixture
def draft(db: Database, platform: Platform) -> Draft:
    async def make(text: str = WORDS, send_at: datetime = NOW, **changes: Any) -> BroadcastDraft:
        audience = changes.pop("audience", GroupAudience((LI,)))
        creator = changes.pop("creator", LI)
        values = {"gate": Gate(), "settings": QUIET, **changes}
        async with db.transaction() as tx:
            return await do_draft_broadcast(tx, creator, ("S-0007", 2), text, audience, send_at, NOW, **values)

    return make


async def confirm(db: Database, broadcast_id: str) -> None:
    async with db.transaction() as tx:
        await do_confirm_broadcast(tx, broadcast_id, LI, NOW)


async def progress(db: Database, broadcast_id: str) -> BroadcastProgress:
    async with db.reading() as tx:
        return await broadcast_progress(tx, broadcast_id)


async def started(db: Database, platform: Platform, draft: Draft) -> str:
    """A broadcast that waits for its member; its task is msg1."""
    one = await draft()
    await confirm(db, one.id)
    await tick(db, NOW, Gate(), QUIET)
    await send_outbox(db, platform)
    await refresh_results(db, platform, platform.clock, QUIET)
    return one.id


async def test_draft_tells_audience_and_quota(draft: Draft) -> None:
    made = await draft()
    assert made.allowed
    assert (made.audience_count, made.group_names) == (2, ("城东理财交流1群", "城东存款2群"))
    assert made.quota_note == "2 个群均在群发次数内，发送后最少还可发 27 次"


async def test_audience_is_narrowed_by_name_and_limit(draft: Draft) -> None:
    named = await draft(audience=GroupAudience((LI,), name_contains="存款"))
    assert named.group_names == ("城东存款2群",)
    limited = await draft(audience=GroupAudience((LI,), limit=1))
    assert limited.audience_count == 1


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"text": "保本高收益"}, "内容未通过合规检查"),
        ({"text": " "}, "群发内容不能为空"),
        ({"text": "存" * 1334}, "内容超过 4000 字节"),
        ({"send_at": later(hours=-1)}, "发送时间已过"),
        ({"audience": GroupAudience((LI,), name_contains="没有")}, "没有符合条件的客户群"),
    ],
)
async def test_refused_draft_says_why_and_cannot_be_confirmed(
    db: Database, draft: Draft, changes: dict[str, Any], problem: str
) -> None:
    made = await draft(**changes)
    assert not made.allowed
    assert made.problems[0].startswith(problem)
    with pytest.raises(Conflict):
        await confirm(db, made.id)
    assert (await tick(db, later(hours=1), Gate(), QUIET)).broadcasts_started == 0


async def test_nobody_may_draft_or_confirm_for_others(db: Database, draft: Draft) -> None:
    with pytest.raises(Forbidden):
        await draft(creator=ZHANG)
    made = await draft()
    async with db.transaction() as tx:
        with pytest.raises(Forbidden):
            await do_confirm_broadcast(tx, made.id, ZHANG, NOW)
        with pytest.raises(Forbidden):
            await do_cancel_broadcast(tx, made.id, ZHANG, NOW)
        with pytest.raises(NotFound):
            await do_confirm_broadcast(tx, "bc_none", LI, NOW)
    assert (await draft(creator=ZHANG, for_others=True)).allowed


async def test_confirming_twice_schedules_once_and_is_audited(db: Database, draft: Draft) -> None:
    made = await draft(send_at=later(hours=5))
    await confirm(db, made.id)
    await confirm(db, made.id)
    assert (await progress(db, made.id)).state is BroadcastState.SCHEDULED
    async with db.reading() as tx:
        actions = (await tx.exec(select(AuditEntry.action))).all()
    assert actions == ["broadcast.confirm"]
    assert (await tick(db, NOW, Gate(), QUIET)).broadcasts_started == 0


async def test_words_changed_after_the_draft_cannot_be_confirmed(db: Database, draft: Draft) -> None:
    made = await draft()
    async with db.transaction() as tx:
        (await tx.get_one(BroadcastRow, made.id)).text = "别的内容"
    with pytest.raises(Conflict, match="changed"):
        await confirm(db, made.id)


async def test_group_over_its_quota_is_left_out_with_the_reason(db: Database, draft: Draft) -> None:
    settings = SopSettings(quota=QuotaSettings(mode=QuotaMode.WEEKLY, reserve=6))
    first = await draft(settings=settings, audience=GroupAudience((LI,), limit=1))
    await confirm(db, first.id)
    second = await draft(settings=settings)
    assert (second.audience_count, second.excluded_count) == (1, 1)
    assert "1 个群本期群发次数已用完" in second.quota_note
    states = {one.recipient_id: (one.state, one.reason) for one in (await progress(db, second.id)).recipients}
    assert states["wr1"] == (DeliveryState.EXCLUDED, "本期群发次数已用完")
    third = await draft(settings=settings, audience=GroupAudience((LI,), limit=1))
    assert not third.allowed
    next_week = await draft(settings=settings, send_at=later(days=4))
    assert next_week.audience_count == 2


async def test_unconfirmed_drafts_take_nothing_from_the_quota(draft: Draft) -> None:
    settings = SopSettings(quota=QuotaSettings(mode=QuotaMode.DAILY))
    await draft(settings=settings)
    assert (await draft(settings=settings)).audience_count == 2


async def test_quota_is_asked_again_at_the_start(db: Database, draft: Draft) -> None:
    settings = SopSettings(quota=QuotaSettings(mode=QuotaMode.DAILY))
    one, two = await draft(settings=settings), await draft(settings=settings)
    await confirm(db, one.id)
    await tick(db, NOW, Gate(), settings)
    await confirm(db, two.id)
    report = await tick(db, NOW, Gate(), settings)
    assert report.broadcasts_failed == 1
    view = await progress(db, two.id)
    assert (view.state, view.reason) == (BroadcastState.FAILED, "已没有可发送的客户群")


async def test_changed_groups_are_left_out_at_the_start(db: Database, draft: Draft) -> None:
    made = await draft()
    await confirm(db, made.id)
    async with db.transaction() as tx:
        await do_close_group(tx, GroupChatId("wr1"), NOW)
        (await tx.get_one(CustomerGroupRow, "wr2")).owner_id = "rm002"
    await tick(db, NOW, Gate(), QUIET)
    reasons = {one.recipient_id: one.reason for one in (await progress(db, made.id)).recipients}
    assert reasons == {"wr1": "客户群已解散或不再可见", "wr2": "群主已变更"}


async def test_gate_that_refuses_at_the_start_stops_it(db: Database, draft: Draft) -> None:
    made = await draft()
    await confirm(db, made.id)
    assert (await tick(db, NOW, Gate("大额存单"), QUIET)).broadcasts_failed == 1
    assert (await progress(db, made.id)).counts == {DeliveryState.FAILED: 2}


async def test_too_late_is_not_sent_any_more(db: Database, draft: Draft) -> None:
    made = await draft()
    await confirm(db, made.id)
    assert (await tick(db, later(hours=3), Gate(), QUIET)).broadcasts_failed == 1
    view = await progress(db, made.id)
    assert view.reason == "错过发送时间超过 120 分钟，未再发送"


async def test_member_confirms_and_every_recipient_is_accounted_for(
    db: Database, platform: Platform, draft: Draft
) -> None:
    broadcast_id = await started(db, platform, draft)
    waiting = await progress(db, broadcast_id)
    assert waiting.state is BroadcastState.AWAITING_MEMBERS
    assert waiting.counts == {DeliveryState.AWAITING_MEMBER: 2}
    async with db.reading() as tx:
        (todo,) = await list_todos(tx, LI, NOW.date())
    assert (todo.kind, todo.title) == (TodoKind.CONFIRM_BROADCAST, "确认群发（2 个客户群）")
    assert "「城东理财交流1群」、「城东存款2群」" in todo.body

    platform.confirm("msg1", wr1=1)
    platform.clock.advance(timedelta(minutes=1))
    await refresh_results(db, platform, platform.clock, QUIET)
    partly = await progress(db, broadcast_id)
    assert (partly.members_confirmed, partly.recipients_delivered) == (1, 1)
    async with db.reading() as tx:
        assert await list_todos(tx, LI, NOW.date()) == []

    platform.clock.advance(timedelta(minutes=11))
    await refresh_results(db, platform, platform.clock, QUIET)
    done = await progress(db, broadcast_id)
    assert done.state is BroadcastState.FINISHED
    assert done.counts == {DeliveryState.DELIVERED: 1, DeliveryState.UNSENT: 1}
    assert (done.members[0].name, done.members[0].state) == ("李娜", TaskState.DONE)


async def test_still_dispatching_is_asked_again_later(db: Database, platform: Platform, draft: Draft) -> None:
    broadcast_id = await started(db, platform, draft)
    platform.dispatching = True
    platform.clock.advance(timedelta(minutes=1))
    report = await refresh_results(db, platform, platform.clock, QUIET)
    assert (report.postponed, report.failed) == (1, 0)
    platform.dispatching = False
    platform.confirm("msg1")
    platform.clock.advance(timedelta(minutes=1))
    assert (await refresh_results(db, platform, platform.clock, QUIET)).finished == 1
    assert (await progress(db, broadcast_id)).recipients_delivered == 2


async def test_unreachable_group_is_unsent_from_the_start(db: Database, platform: Platform, draft: Draft) -> None:
    made = await draft()
    await confirm(db, made.id)
    await tick(db, NOW, Gate(), QUIET)
    await send_outbox(db, platform)
    async with db.transaction() as tx:
        (row,) = (await tx.exec(select(OutboxRow))).all()
        row.result = {"msgid": "msg1", "fail_list": ["wr2"]}
    await refresh_results(db, platform, platform.clock, QUIET)
    reasons = {one.recipient_id: one.state for one in (await progress(db, made.id)).recipients}
    assert reasons == {"wr1": DeliveryState.AWAITING_MEMBER, "wr2": DeliveryState.UNSENT}


async def settle_outbox(db: Database, state: OutboxState) -> None:
    async with db.transaction() as tx:
        (row,) = (await tx.exec(select(OutboxRow))).all()
        row.state, row.error = state, "platform.unavailable"


async def test_uncertain_creation_waits_and_is_adopted_when_it_turns_out_to_exist(
    db: Database, platform: Platform, draft: Draft
) -> None:
    made = await draft()
    await confirm(db, made.id)
    await tick(db, NOW, Gate(), QUIET)
    await settle_outbox(db, OutboxState.UNCERTAIN)
    await refresh_results(db, platform, platform.clock, QUIET)
    assert (await progress(db, made.id)).counts == {DeliveryState.UNCERTAIN: 2}
    platform.create("rm002", ["wr9"], WORDS)
    platform.create("rm001", ["wr1", "wr2"], WORDS)
    await settle_outbox(db, OutboxState.FAILED)
    platform.clock.advance(timedelta(minutes=1))
    await refresh_results(db, platform, platform.clock, QUIET)
    assert (await progress(db, made.id)).state is BroadcastState.AWAITING_MEMBERS
    platform.confirm("msg2")
    platform.clock.advance(timedelta(minutes=1))
    await refresh_results(db, platform, platform.clock, QUIET)
    assert (await progress(db, made.id)).recipients_delivered == 2


async def test_creation_that_failed_is_told_to_the_member_and_not_repeated(
    db: Database, platform: Platform, draft: Draft
) -> None:
    made = await draft()
    await confirm(db, made.id)
    await tick(db, NOW, Gate(), QUIET)
    await settle_outbox(db, OutboxState.FAILED)
    assert (await refresh_results(db, platform, platform.clock, QUIET)).failed == 1
    await refresh_results(db, platform, platform.clock, QUIET)
    view = await progress(db, made.id)
    assert (view.state, view.counts) == (BroadcastState.FAILED, {DeliveryState.FAILED: 2})
    async with db.reading() as tx:
        assert [todo.kind for todo in await list_todos(tx, LI, NOW.date())] == [TodoKind.BROADCAST_PROBLEM]
        assert (await tx.exec(select(func.count()).select_from(OutboxRow))).one() == 1


async def test_cancel_before_the_start_ends_it_at_once(db: Database, draft: Draft) -> None:
    made = await draft()
    await confirm(db, made.id)
    async with db.transaction() as tx:
        await do_cancel_broadcast(tx, made.id, LI, NOW)
        await do_cancel_broadcast(tx, made.id, LI, NOW)
    assert (await tick(db, NOW, Gate(), QUIET)).broadcasts_started == 0
    view = await progress(db, made.id)
    assert (view.state, view.counts) == (BroadcastState.CANCELLED, {DeliveryState.CANCELLED: 2})


async def test_cancel_after_the_start_withdraws_what_nobody_confirmed(
    db: Database, platform: Platform, draft: Draft
) -> None:
    broadcast_id = await started(db, platform, draft)
    async with db.transaction() as tx:
        await do_cancel_broadcast(tx, broadcast_id, LI, platform.clock.now())
    await refresh_results(db, platform, platform.clock, QUIET)
    assert platform.tasks["msg1"]["withdrawn"]
    view = await progress(db, broadcast_id)
    assert (view.state, view.counts) == (BroadcastState.CANCELLED, {DeliveryState.CANCELLED: 2})
    async with db.reading() as tx:
        assert await list_todos(tx, LI, NOW.date()) == []
    async with db.transaction() as tx:
        await do_cancel_broadcast(tx, broadcast_id, LI, platform.clock.now())


async def test_member_who_confirms_while_we_withdraw_has_sent_it(
    db: Database, platform: Platform, draft: Draft
) -> None:
    broadcast_id = await started(db, platform, draft)
    platform.tasks["msg1"]["confirmed_meanwhile"] = True
    async with db.transaction() as tx:
        await do_cancel_broadcast(tx, broadcast_id, LI, platform.clock.now())
    await refresh_results(db, platform, platform.clock, QUIET)
    view = await progress(db, broadcast_id)
    assert (view.state, view.recipients_delivered) == (BroadcastState.FINISHED, 2)
    async with db.transaction() as tx:
        with pytest.raises(Conflict):
            await do_cancel_broadcast(tx, broadcast_id, LI, platform.clock.now())


async def test_unconfirmed_task_is_withdrawn_after_its_time(db: Database, platform: Platform, draft: Draft) -> None:
    broadcast_id = await started(db, platform, draft)
    platform.clock.advance(timedelta(hours=25))
    await refresh_results(db, platform, platform.clock, QUIET)
    view = await progress(db, broadcast_id)
    assert (view.state, view.counts) == (BroadcastState.FAILED, {DeliveryState.UNSENT: 2})
    assert view.reason == "成员未在规定时间内确认，任务已撤回"
    async with db.reading() as tx:
        todos = await list_todos(tx, LI, NOW.date() + timedelta(days=2))
    assert todos == []


async def test_members_are_reminded_unless_too_often(db: Database, platform: Platform, draft: Draft) -> None:
    broadcast_id = await started(db, platform, draft)
    with pytest.raises(Forbidden):
        await remind_members(db, platform, platform.clock, broadcast_id, ZHANG)
    assert await remind_members(db, platform, platform.clock, broadcast_id, LI) == 1
    assert (await progress(db, broadcast_id)).members[0].reminded_at == platform.clock.now()
    platform.too_often = True
    assert await remind_members(db, platform, platform.clock, broadcast_id, LI) == 0
    platform.confirm("msg1")
    platform.clock.advance(timedelta(minutes=1))
    await refresh_results(db, platform, platform.clock, QUIET)
    with pytest.raises(Conflict):
        await remind_members(db, platform, platform.clock, broadcast_id, LI)
    with pytest.raises(NotFound):
        await remind_members(db, platform, platform.clock, "bc_none", LI)


async def test_a_group_is_a_recipient_of_a_broadcast_once(db: Database, draft: Draft) -> None:
    made = await draft(audience=GroupAudience((LI, LI)))
    async with db.reading() as tx:
        query = select(func.count()).where(col(DeliveryRow.broadcast_id) == made.id)
        assert (await tx.exec(query)).one() == 2
        assert [row.id for row in await list_broadcasts(tx, LI)] == [made.id]
        assert await list_broadcasts(tx, "rm002") == []
        with pytest.raises(NotFound):
            await broadcast_progress(tx, "bc_none")
