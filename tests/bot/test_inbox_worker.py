"""Every stored event has its effect once; what fails is tried again, then parked, and the person is told."""

from datetime import timedelta

import pytest
import structlog

from bot.errors import Conflict, NotFound, PlatformUnavailable
from bot.events import Event, StaffTextMessage
from bot.inbox import store
from bot.inbox.models import InboxState
from bot.storage.database import Database
from tests.bot.pipeline import BrokenGate, Pipeline

CONVERSATION = "app:rm001"


async def _states(db: Database) -> list[InboxState]:
    async with db.reading() as tx:
        return [row.state for row in reversed(await store.list_rows(tx, None, 100))]


async def test_a_conversation_is_worked_off_in_order(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("一", "二", "三")
    await pipeline.worker().drain(CONVERSATION)
    assert await pipeline.replies() == [("queued", "你说：一"), ("queued", "你说：二"), ("queued", "你说：三")]
    assert set(await _states(db)) == {InboxState.DONE}


async def test_a_second_drain_changes_nothing(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("一")
    await pipeline.worker().drain(CONVERSATION)
    await pipeline.worker("node-2").drain(CONVERSATION)
    assert len(await pipeline.replies()) == 1


async def test_a_failing_event_is_tried_again_and_then_parked_with_an_honest_line(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("boom", "下一句")
    worker = pipeline.worker()
    await worker.drain(CONVERSATION)
    assert pipeline.handled == ["boom"], "what comes after waits for its turn"
    for seconds in (2, 10):
        pipeline.clock.advance(timedelta(seconds=seconds))
        await worker.drain(CONVERSATION)
    assert pipeline.handled == ["boom", "boom", "boom", "下一句"]
    assert await pipeline.replies() == [("queued", "抱歉，没能处理"), ("queued", "你说：下一句")]
    assert await _states(db) == [InboxState.FAILED, InboxState.DONE]


async def test_an_event_is_parked_even_when_the_honest_line_fails_too(db: Database) -> None:
    pipeline = Pipeline(db, gate=BrokenGate())
    await pipeline.receive("你好")
    for seconds in (0, 2, 10):
        pipeline.clock.advance(timedelta(seconds=seconds))
        await pipeline.worker().drain(CONVERSATION)
    assert await _states(db) == [InboxState.FAILED]
    assert await pipeline.replies() == []


async def test_nothing_of_a_failing_event_reaches_the_log(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("boom")
    with structlog.testing.capture_logs() as logs:
        await pipeline.worker().drain(CONVERSATION)
    assert logs[0]["code"] == "RuntimeError"
    assert "绝密" not in str(logs)
    assert "boom" not in str(logs)


async def test_a_parked_event_can_be_replayed_and_a_done_one_cannot(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("boom", "好")
    for _ in range(3):
        await pipeline.worker().drain(CONVERSATION)
        pipeline.clock.advance(timedelta(seconds=60))
    async with db.transaction() as tx:
        rows = {row.state: row for row in await store.list_rows(tx, None, 10)}
        await store.do_replay(tx, rows[InboxState.FAILED].id or 0)
        with pytest.raises(Conflict, match="not failed"):
            await store.do_replay(tx, rows[InboxState.DONE].id or 0)
        with pytest.raises(NotFound):
            await store.do_replay(tx, 999)
    await pipeline.worker().drain(CONVERSATION)
    assert pipeline.handled.count("boom") == 4


async def test_a_dead_workers_event_is_taken_over_when_its_lease_is_out(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("一")
    async with db.transaction() as tx:
        row = await store.find_next(tx, CONVERSATION, pipeline.clock.now())
        assert row is not None
        store.claim(row, "dead-node", pipeline.clock.now(), timedelta(seconds=60))
    await pipeline.worker().drain(CONVERSATION)
    assert pipeline.handled == []
    async with db.reading() as tx:
        assert await store.list_waiting_conversations(tx, pipeline.clock.now(), 10) == []
    pipeline.clock.advance(timedelta(seconds=61))
    async with db.reading() as tx:
        assert await store.list_waiting_conversations(tx, pipeline.clock.now(), 10) == [CONVERSATION]
    await pipeline.worker().drain(CONVERSATION)
    assert pipeline.handled == ["一"]


async def test_a_blocked_reply_stays_as_evidence_and_the_person_hears_of_it(db: Database) -> None:
    pipeline = Pipeline(db)
    await pipeline.receive("这款保本吗")
    await pipeline.worker().drain(CONVERSATION)
    assert await pipeline.replies() == [("blocked", "你说：这款保本吗"), ("queued", "已拦截")]


async def test_an_errand_runs_before_the_handler_and_its_failure_means_again(db: Database) -> None:
    pipeline = Pipeline(db)
    calls: list[str] = []

    async def errand(event: Event) -> None:
        calls.append("errand")
        if len(calls) == 1:
            raise PlatformUnavailable("POST /cgi-bin/kf/sync_msg")

    pipeline.errands[StaffTextMessage] = errand
    await pipeline.receive("一")
    await pipeline.worker().drain(CONVERSATION)
    assert pipeline.handled == []
    pipeline.clock.advance(timedelta(seconds=2))
    await pipeline.worker().drain(CONVERSATION)
    assert (calls, pipeline.handled) == (["errand", "errand"], ["一"])
