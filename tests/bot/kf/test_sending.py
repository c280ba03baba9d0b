"""Five messages in 48 hours and no sixth, also over crashes; and what becomes of those that do not arrive."""

import asyncio
from datetime import timedelta

import pytest

from bot.context import KfChat, KfWelcome, Menu, MenuItem
from bot.errors import Conflict
from bot.ids import CustomerId
from bot.kf.budget import Barrier
from bot.kf.models import EntryState, KfLedgerRow, KfState
from bot.outbox import store
from bot.outbox.models import OutboxState
from bot.storage.database import Database
from tests.bot.kf.desk import ACCOUNT, KfDesk, open_kf_desk


async def test_each_message_of_the_customer_allows_five_of_ours(desk: KfDesk) -> None:
    await desk.write()
    for number in range(5):
        assert (await desk.say(f"第{number}条")).state is OutboxState.SENT
    sixth = await desk.say("第六条")
    assert (sixth.state, sixth.error) == (OutboxState.FAILED, "kf.budget")
    assert desk.wire.asked.count("send_msg") == 5, "the platform was not even asked"
    assert desk.told == [(sixth.id, "kf.budget")]
    await desk.advance(timedelta(seconds=2))  # the platform dates its items by whole seconds
    await desk.write("还有一个问题")
    assert (await desk.budget()).left == 5
    assert (await desk.say("第七条")).state is OutboxState.SENT


async def test_nothing_is_said_before_the_customer_has_written_or_after_48_hours(desk: KfDesk) -> None:
    assert (await desk.say()).error == "kf.window"
    await desk.write()
    budget = await desk.budget()
    assert budget.window_ends_at is not None
    await desk.advance(timedelta(hours=48, seconds=2))
    assert (await desk.say()).error == "kf.window"
    assert desk.wire.asked.count("send_msg") == 0


async def test_a_sender_killed_between_claim_and_answer_costs_one_message_and_no_sixth_is_sent(desk: KfDesk) -> None:
    await desk.write()
    row_id = await desk.queue("也许到了")
    claimed = await desk.sender("node-1")._claim(f"kf:{ACCOUNT}:{desk.wang}")  # and then the node is dead
    assert claimed is not None
    assert (await desk.budget()).left == 4
    await desk.advance(timedelta(seconds=31))
    await desk.drain("node-2")
    assert await desk.state(row_id) is OutboxState.SENT
    assert (await desk.budget()).left == 4
    states = [(await desk.say(f"第{number}条")).state for number in range(5)]
    assert states == [OutboxState.SENT] * 4 + [OutboxState.FAILED]
    assert len(await desk.heard()) == 5


async def test_a_lost_answer_is_paid_once_and_heard_once(desk: KfDesk) -> None:
    await desk.write()
    desk.wire.lost = 1
    row_id = await desk.queue()
    await desk.drain()
    assert await desk.state(row_id) is OutboxState.UNCERTAIN
    assert (await desk.budget()).left == 4
    await desk.advance(timedelta(seconds=2))
    await desk.drain()
    assert await desk.state(row_id) is OutboxState.SENT
    assert (await desk.budget()).left == 4
    assert await desk.heard() == ["您好"]


async def test_what_the_platform_refuses_is_given_back(desk: KfDesk) -> None:
    await desk.write()
    await desk.break_it("send_msg", kind="errcode", errcode=40058)
    row = await desk.say()
    assert row.state is OutboxState.FAILED
    assert desk.told == [(row.id, "platform.40058")]
    await desk.mend_it()
    assert (await desk.budget()).left == 5


async def test_a_long_answer_is_said_whole_or_not_at_all(desk: KfDesk) -> None:
    await desk.write()
    long = "这是一句话。" * 300  # three messages
    for _ in range(3):
        await desk.say()
    row = await desk.say(long)
    assert (row.state, row.error) == (OutboxState.FAILED, "kf.budget")
    assert await desk.heard() == ["您好"] * 3
    await desk.advance(timedelta(seconds=2))
    await desk.write("请再说一次")
    assert (await desk.say(long)).state is OutboxState.SENT
    assert (await desk.budget()).left == 2


async def test_two_nodes_sending_side_by_side_stay_within_the_budget(desk: KfDesk) -> None:
    await desk.write()
    rows = [await desk.queue(f"第{number}条") for number in range(8)]
    await asyncio.gather(*(desk.drain(f"node-{number}") for number in range(2)))
    states = [await desk.state(row) for row in rows]
    assert states == [OutboxState.SENT] * 5 + [OutboxState.FAILED] * 3
    assert len(await desk.heard()) == 5


@pytest.mark.parametrize(
    ("errcode", "barrier"), [(95001, Barrier.BUDGET), (95002, Barrier.WINDOW), (95018, Barrier.SESSION)]
)
async def test_the_platforms_count_is_the_true_one(desk: KfDesk, errcode: int, barrier: Barrier) -> None:
    await desk.write()
    await desk.break_it("send_msg", kind="errcode", errcode=errcode)
    assert (await desk.say()).state is OutboxState.FAILED
    await desk.mend_it()
    assert (await desk.budget()).barrier is barrier


async def test_a_message_reported_undelivered_has_failed_with_the_reason_and_is_not_said_again(desk: KfDesk) -> None:
    await desk.write()
    await desk.do("failures", fail_type=1)
    row = await desk.say()
    assert row.state is OutboxState.SENT
    await desk.pull()
    row = await desk.row(row.id or 0)
    assert (row.state, row.error) == (OutboxState.FAILED, "kf.undelivered 1")
    assert desk.told == [(row.id, "kf.undelivered")]
    async with desk.db.transaction() as tx:
        entry = await tx.get(KfLedgerRow, row.id)
        assert entry is not None
        assert (entry.state, entry.fail_type) == (EntryState.UNDELIVERED, "1")
        with pytest.raises(Conflict):
            await store.do_requeue(tx, row.id or 0)


async def test_a_failure_pulled_before_the_answer_is_written_down_counts(desk: KfDesk) -> None:
    await desk.write()
    await desk.do("failures", fail_type=10)
    row_id = await desk.queue()
    claimed = await desk.sender()._claim(f"kf:{ACCOUNT}:{desk.wang}")
    assert claimed is not None
    receipt = await desk.sender()._courier.deliver(claimed[1], desk.clock.now())
    await desk.pull()
    assert await desk.state(row_id) is OutboxState.SENDING
    await desk.sender()._record_sent(row_id, receipt)
    assert (await desk.row(row_id)).error == "kf.undelivered 10"


async def test_a_customer_who_refuses_gets_nothing_until_taking_messages_again(desk: KfDesk) -> None:
    await desk.write()
    await desk.do("reject", rejects=True)
    await desk.pull()
    assert (await desk.say()).error == "kf.rejected"
    await desk.do("reject", rejects=False)
    await desk.pull()
    assert (await desk.say()).state is OutboxState.SENT


async def test_while_a_person_has_the_session_nothing_is_sent_and_afterwards_it_is(desk: KfDesk) -> None:
    await desk.add_servicer()
    await desk.write()
    about = {"open_kfid": ACCOUNT, "external_userid": desk.wang}
    trans = "POST /cgi-bin/kf/service_state/trans"
    await desk.client.call(trans, {**about, "service_state": 2}, app="kf")
    await desk.do("servicers/take", userid="rm001")
    await desk.do("servicers/messages", text="我来为您解答")
    await desk.pull()
    budget = await desk.budget()
    assert (budget.state, budget.servicer, budget.with_human) == (KfState.HUMAN, "rm001", True)
    assert (await desk.say()).error == "kf.session"
    await desk.do("servicers/end")
    await desk.pull()
    assert (await desk.budget()).state is KfState.ENDED
    await desk.write("又有问题了")
    assert (await desk.budget()).state is KfState.NEW
    assert (await desk.say()).state is OutboxState.SENT


async def test_what_was_asked_of_a_person_stays_theirs_although_it_is_pulled_after_the_end(desk: KfDesk) -> None:
    await desk.add_servicer()
    await desk.write()
    about = {"open_kfid": ACCOUNT, "external_userid": desk.wang}
    await desk.client.call("POST /cgi-bin/kf/service_state/trans", {**about, "service_state": 2}, app="kf")
    await desk.do("servicers/take", userid="rm001")
    await desk.do("messages", text="问人工的")
    await desk.do("servicers/end")
    await desk.do("messages", text="问助手的")
    await desk.pull()
    budget = await desk.budget()
    assert not budget.with_human
    theirs, ours = [row for row in await desk.inbox() if "问" in row.body]
    assert theirs.id is not None
    assert ours.id is not None
    assert theirs.id <= budget.quiet_until < ours.id


async def test_a_session_nobody_ended_is_ours_again_after_48_hours_of_silence(desk: KfDesk) -> None:
    await desk.add_servicer()
    await desk.write()
    await desk.client.call(
        "POST /cgi-bin/kf/service_state/trans",
        {"open_kfid": ACCOUNT, "external_userid": desk.wang, "service_state": 2},
        app="kf",
    )
    await desk.do("servicers/take", userid="rm001")
    await desk.pull()
    await desk.advance(timedelta(hours=49))
    assert (await desk.budget()).state is KfState.ENDED
    await desk.write("过了两天")
    assert (await desk.budget()).state is KfState.NEW


async def test_where_the_customer_came_from_is_kept(desk: KfDesk) -> None:
    from bot.kf.ledger import list_sessions_of

    await desk.do("enter", scene="branch-03", scene_param="poster")
    await desk.pull()
    async with desk.db.reading() as tx:
        (session,) = await list_sessions_of(tx, desk.wang)
    assert (session.scene, session.scene_param) == ("branch-03", "poster")


async def test_a_menu_is_tapped_and_the_tap_comes_back_with_its_id(desk: KfDesk) -> None:
    await desk.write()
    menu = Menu("您想问什么？", (MenuItem("script:S-1", "开卡"), MenuItem("human", "人工服务")), "请点选")
    assert (await desk.say(content=menu)).state is OutboxState.SENT
    (sent,) = (await desk.platform.get("/_sim/sent", params={"kind": "kf"})).json()
    assert sent["body"]["msgtype"] == "msgmenu"
    await desk.do("messages", text="开卡", menu_id="script:S-1")
    await desk.pull()
    assert '"menu_id": "script:S-1"' in (await desk.inbox())[-1].body


async def test_a_menu_beyond_the_platforms_limits_is_said_as_numbered_lines(desk: KfDesk) -> None:
    await desk.write()
    menu = Menu("长" * 400, tuple(MenuItem(str(number), f"第{number}项") for number in range(3)))
    assert (await desk.say(content=menu)).state is OutboxState.SENT
    (said,) = await desk.heard()
    assert "3. 第2项" in said


async def test_a_welcome_with_a_menu_needs_no_budget(desk: KfDesk) -> None:
    code = (await desk.do("enter"))["welcome_code"]
    menu = Menu("欢迎", (MenuItem("human", "人工服务"),))
    row_id = await desk.queue(to=KfWelcome(code, ACCOUNT, desk.wang), content=menu)
    await desk.sender().drain(f"welcome:kf:{ACCOUNT}:{desk.wang}")
    assert await desk.state(row_id) is OutboxState.SENT
    assert await desk.heard() == ["欢迎"]


async def test_customers_have_accounts_of_their_own(db: Database) -> None:
    async with open_kf_desk(db, kf_pulls_without_token_per_minute=0) as desk:
        people = (await desk.platform.get("/_sim/people")).json()["customers"]
        other = CustomerId(people[1]["external_userid"])
        await desk.write()
        answer = await desk.platform.post("/_sim/kf/messages", json={"external_userid": other, "text": "我也问"})
        assert answer.status_code == 200
        await desk.pull()
        for number in range(5):
            await desk.say(str(number))
        row_id = await desk.queue("另一位", to=KfChat(ACCOUNT, other))
        await desk.sender().drain(f"kf:{ACCOUNT}:{other}")
        assert await desk.state(row_id) is OutboxState.SENT
