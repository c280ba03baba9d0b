"""Keys that have work are worked on, one at a time each, on either workforce; nothing is forgotten."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from bot.inbox import store
from bot.inbox.models import InboxState
from bot.jobs import ProcrastinateWork
from bot.storage.database import Database
from bot.storage.migrate import migrate
from bot.work import ClaimLoop, Workforce, WorkKind
from tests.bot.pipeline import Pipeline
from tests.postgres import PostgresServer


@pytest.fixture
async def migrated(database_url: str) -> AsyncIterator[Database]:
    """A migrated database (procrastinate's tables included), once for each engine."""
    database = await Database.open(database_url)
    await migrate(database)
    yield database
    await database.close()


@pytest.fixture
async def on_postgresql(postgres: PostgresServer) -> AsyncIterator[Database]:
    """A migrated database on PostgreSQL."""
    with postgres.empty_database() as url:
        database = await Database.open(url)
        await migrate(database)
        yield database
        await database.close()


@asynccontextmanager
async def _working(db: Database, *kinds: WorkKind) -> AsyncIterator[Workforce]:
    workforce: Workforce
    if db.dialect == "sqlite":
        workforce = ClaimLoop(db, SystemClock(), kinds, sweep_seconds=0.2)
    else:
        conninfo = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        workforce = ProcrastinateWork(db, SystemClock(), kinds, conninfo, sweep_seconds=0.2)
    await workforce.start()
    try:
        yield workforce
    finally:
        await workforce.stop()


async def _until_done(db: Database) -> None:
    async with asyncio.timeout(20):
        while True:
            async with db.reading() as tx:
                counts = await store.count_by_state(tx)
            if set(counts) <= {InboxState.DONE}:
                return
            await asyncio.sleep(0.05)


async def test_conversations_run_side_by_side_and_each_in_order(migrated: Database) -> None:
    pipeline = Pipeline(migrated)
    worker = pipeline.worker()
    running: Counter[str] = Counter()
    overlaps: list[str] = []

    async def drain(key: str) -> None:
        running[key] += 1
        if running[key] > 1:
            overlaps.append(key)
        await worker.drain(key)
        running[key] -= 1

    kind = WorkKind(store.INBOX, drain, store.list_waiting_conversations, concurrency=4)
    async with _working(migrated, kind):
        for number in range(5):
            for sender in ("rm001", "rm002", "rm003"):
                await pipeline.receive(f"{sender}-{number}", sender=sender)
        await _until_done(migrated)
    assert overlaps == []
    for sender in ("rm001", "rm002", "rm003"):
        mine = [text for text in pipeline.handled if text.startswith(sender)]
        assert mine == [f"{sender}-{number}" for number in range(5)]


async def test_what_an_earlier_run_left_is_found_without_a_hint(migrated: Database) -> None:
    pipeline = Pipeline(migrated)
    await pipeline.receive("一")
    kind = WorkKind(store.INBOX, pipeline.worker().drain, store.list_waiting_conversations, concurrency=1)
    async with _working(migrated, kind):
        await _until_done(migrated)
    assert pipeline.handled == ["一"]


async def test_a_drain_that_raises_is_tried_again_and_stops_nothing(migrated: Database) -> None:
    pipeline = Pipeline(migrated)
    worker = pipeline.worker()
    failures = iter([RuntimeError("the database went away")])

    async def drain(key: str) -> None:
        error = next(failures, None)
        if error is not None:
            raise error
        await worker.drain(key)

    await pipeline.receive("一")
    await pipeline.receive("二", sender="rm002")
    kind = WorkKind(store.INBOX, drain, store.list_waiting_conversations, concurrency=1)
    async with _working(migrated, kind):
        await _until_done(migrated)
    assert sorted(pipeline.handled) == sorted(["一", "二"])


async def test_two_nodes_share_the_work_without_doing_any_of_it_twice(on_postgresql: Database) -> None:
    migrated = on_postgresql  # SQLite has exactly one writing process
    pipeline = Pipeline(migrated)
    kinds = [
        WorkKind(store.INBOX, pipeline.worker(owner).drain, store.list_waiting_conversations, concurrency=3)
        for owner in ("node-1", "node-2")
    ]
    async with _working(migrated, kinds[0]), _working(migrated, kinds[1]):
        for number in range(30):
            await pipeline.receive(str(number), sender=f"rm{number % 6:03}")
        await _until_done(migrated)
    assert sorted(pipeline.handled, key=int) == [str(number) for number in range(30)]


async def test_a_row_that_waits_for_its_next_attempt_is_taken_up_when_its_time_comes(migrated: Database) -> None:
    pipeline = Pipeline(migrated)
    await pipeline.receive("一")
    async with migrated.transaction() as tx:
        (row,) = await store.list_rows(tx, None, 1)
        store.fail(row, "platform.unavailable", SystemClock().now() + timedelta(seconds=1))
    pipeline.clock.advance(SystemClock().now() - pipeline.clock.now() + timedelta(seconds=2))
    kind = WorkKind(store.INBOX, pipeline.worker().drain, store.list_waiting_conversations, concurrency=1)
    async with _working(migrated, kind):
        await _until_done(migrated)
    assert pipeline.handled == ["一"]
