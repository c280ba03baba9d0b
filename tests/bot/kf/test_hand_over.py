"""A session goes to the named servicer, else to the pool, else it stays with us and somebody is told; once."""

from datetime import timedelta
from typing import Any

import pytest

from bot.context import KfHandOver
from bot.ids import StaffId
from bot.kf.models import KfState
from bot.outbox.models import OutboxRow, OutboxState
from tests.bot.kf.desk import ACCOUNT, KfDesk


async def hand_over(desk: KfDesk, servicer: str | None = "rm001") -> OutboxRow:
    address = KfHandOver(ACCOUNT, desk.wang, StaffId(servicer) if servicer else None)
    return await desk.say("正在为您接入人工服务", to=address)


def reached(row: OutboxRow) -> tuple[OutboxState, Any, Any]:
    result = row.result or {}
    return row.state, result.get("service_state"), result.get("said")


async def test_the_customers_manager_gets_the_session_and_the_customer_is_told(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    await desk.write("转人工")
    row = await hand_over(desk)
    assert reached(row) == (OutboxState.SENT, 3, True)
    session = await desk.session()
    assert (session["state"], session["servicer"]) == (3, "rm001")
    assert await desk.heard() == ["正在为您接入人工服务"]
    budget = await desk.budget()
    assert (budget.state, budget.servicer) == (KfState.HUMAN, "rm001")
    assert session["sent"] == 0, "the notice costs nothing of the budget"


@pytest.mark.parametrize("places", [None, 0])
async def test_a_manager_who_is_no_servicer_or_has_no_place_leaves_it_to_the_pool(
    desk: KfDesk, places: int | None
) -> None:
    await desk.add_servicer("rm002")
    if places is not None:
        await desk.add_servicer("rm001", places=places)
    await desk.write("转人工")
    assert reached(await hand_over(desk)) == (OutboxState.SENT, 2, True)
    assert (await desk.budget()).state is KfState.POOL
    assert desk.told == []


async def test_without_a_servicer_the_session_stays_with_us_and_somebody_is_told(desk: KfDesk) -> None:
    await desk.write("转人工")
    row = await hand_over(desk)
    assert reached(row) == (OutboxState.SENT, 0, False)
    assert desk.told == [(row.id, "kf.hand_over")]
    assert await desk.heard() == []
    assert (await desk.say("我还在")).state is OutboxState.SENT, "nobody waits in a pool that nobody serves"


async def test_servicers_who_have_all_stopped_are_no_servicers(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    stopped = {"userid": "rm001", "status": 1}
    assert (await desk.platform.post("/_sim/kf/servicers/status", json=stopped)).status_code == 200
    await desk.write("转人工")
    assert reached(await hand_over(desk)) == (OutboxState.SENT, 0, False)


@pytest.mark.parametrize("errcode", [95014, 95016, 60030])
async def test_a_refusal_in_the_end_is_told_and_no_failure(desk: KfDesk, errcode: int) -> None:
    await desk.add_servicer("rm001")
    await desk.write("转人工")
    await desk.break_it("service_state/trans", kind="errcode", errcode=errcode)
    row = await hand_over(desk)
    assert row.state is OutboxState.SENT
    assert (row.result or {})["refused"] == errcode
    assert desk.told == [(row.id, "kf.hand_over")]


async def test_a_node_that_died_after_the_transition_does_not_do_it_again(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    await desk.write("转人工")
    row_id = await desk.queue("正在为您接入人工服务", to=KfHandOver(ACCOUNT, desk.wang, StaffId("rm001")))
    claimed = await desk.sender("node-1")._claim(f"kf:{ACCOUNT}:{desk.wang}")
    assert claimed is not None
    await desk.sender("node-1")._courier.deliver(claimed[1], desk.clock.now())  # and then the node is dead
    await desk.advance(timedelta(seconds=31))
    await desk.drain("node-2")
    assert await desk.state(row_id) is OutboxState.SENT
    assert desk.wire.asked.count("service_state/trans") == 1
    assert await desk.heard() == ["正在为您接入人工服务"]
    assert (await desk.budget()).servicer == "rm001"


async def test_a_session_a_person_has_already_is_left_alone(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    await desk.add_servicer("rm002")
    await desk.write("转人工")
    await hand_over(desk, "rm002")
    assert reached(await hand_over(desk, "rm001")) == (OutboxState.SENT, 3, False)
    assert (await desk.session())["servicer"] == "rm002"


async def test_the_transition_stands_even_if_the_notice_cannot_be_said(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    await desk.write("转人工")
    await desk.break_it("send_msg_on_event", kind="errcode", errcode=40058)
    assert reached(await hand_over(desk)) == (OutboxState.SENT, 3, False)


async def test_a_platform_that_is_away_is_asked_again_later(desk: KfDesk) -> None:
    await desk.add_servicer("rm001")
    await desk.write("转人工")
    await desk.break_it("service_state/trans", kind="http_5xx")
    row = await hand_over(desk)
    assert row.state in (OutboxState.QUEUED, OutboxState.UNCERTAIN)
    await desk.mend_it()
    await desk.advance(timedelta(seconds=2))
    await desk.drain()
    assert reached(await desk.row(row.id or 0)) == (OutboxState.SENT, 3, True)
