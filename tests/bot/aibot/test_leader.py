"""One node of several holds the connection; another takes over within the lease; a stranger is not fought."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from bot.aibot.desk import AiBotDesk
from bot.aibot.leader import Leadership, find_leader
from bot.aibot.models import BotStreamRow
from bot.aibot.node import AiBotNode
from bot.clock import FrozenClock, SystemClock
from bot.outbox.store import OUTBOX
from bot.storage.database import Database, Tx, nudge
from tests.bot.aibot.rig import NOW, WordCompliance, phrases
from tests.bot.aibot.test_connection import Far, a_connection, eventually, far

__all__ = ["far"]

LEASE = 15.0


def candidates(db: Database, clock: FrozenClock, count: int = 2) -> list[Leadership]:
    return [Leadership(db, clock, f"node-{number}", LEASE) for number in range(1, count + 1)]


async def test_only_one_leads_until_its_lease_has_run_out(db: Database) -> None:
    clock = FrozenClock(NOW)
    first, second = candidates(db, clock)
    assert [await first.try_take(), await second.try_take()] == [True, False]
    clock.advance(timedelta(seconds=LEASE - 1))
    assert not await second.try_take()
    assert first.seconds_safe() == 0, "it has let go before another may lead"
    clock.advance(timedelta(seconds=1))
    assert await second.try_take()
    assert not await first.renew()
    async with db.reading() as tx:
        assert await find_leader(tx, clock.now()) == "node-2"


async def test_a_leader_that_renews_stays(db: Database) -> None:
    clock = FrozenClock(NOW)
    first, second = candidates(db, clock)
    assert await first.try_take()
    for _ in range(10):
        clock.advance(timedelta(seconds=5))
        assert await first.renew()
        assert not await second.try_take()
    assert first.seconds_safe() == LEASE - 2


async def test_one_who_gives_up_is_followed_at_once(db: Database) -> None:
    first, second = candidates(db, FrozenClock(NOW))
    await first.try_take()
    await first.give_up()
    assert await second.try_take()


async def test_many_at_once_make_one_leader(db: Database) -> None:
    taken = await asyncio.gather(*(one.try_take() for one in candidates(db, FrozenClock(NOW), 6)))
    assert sum(taken) == 1


async def test_after_a_stranger_took_the_connection_no_node_tries_for_longer_and_longer(db: Database) -> None:
    clock = FrozenClock(NOW)
    first, second = candidates(db, clock)
    for minutes in (1, 2, 4):
        assert await first.try_take()
        await first.rest()
        clock.advance(timedelta(minutes=minutes, seconds=-1))
        assert [await first.try_take(), await second.try_take()] == [False, False]
        clock.advance(timedelta(seconds=1))
    assert await second.try_take()
    await second.rest(steady=True)
    clock.advance(timedelta(minutes=1))
    assert await first.try_take()


# -- whole nodes


class Crew:
    """Nodes with a short lease; `drained` lists (node, recipient)."""

    def __init__(self, far: Far, db: Database) -> None:
        self.far, self.db = far, db
        self.drained: list[tuple[str, str]] = []
        self.waiting: list[str] = []

    def node(self, name: str) -> AiBotNode:
        """Return a node that stores into the common database."""
        desk = AiBotDesk(self.db, SystemClock(), WordCompliance(), phrases())
        connection = a_connection(self.far.settings(), desk.take)

        async def drain(recipient: str) -> None:
            self.drained.append((name, recipient))
            self.waiting.remove(recipient)

        async def list_waiting(tx: Tx, now: datetime, limit: int) -> list[str]:
            return list(self.waiting)

        leadership = Leadership(self.db, SystemClock(), name, 0.9)
        return AiBotNode(
            self.db, SystemClock(), leadership, connection, drain, list_waiting, renew_seconds=0.2, look_seconds=0.1
        )

    async def stored(self) -> int:
        """Count the messages that are stored with their streams."""
        async with self.db.reading() as tx:
            return len((await tx.exec(select(BotStreamRow.id).order_by(col(BotStreamRow.id)))).all())


async def connected(node: AiBotNode) -> None:
    async def look() -> bool:
        return node.is_connected

    await eventually(look)


@pytest.fixture
def crew(far: Far, db: Database) -> Crew:
    return Crew(far, db)


@asynccontextmanager
async def started(*nodes: AiBotNode) -> AsyncIterator[None]:
    for node in nodes:
        await node.start()
    try:
        yield
    finally:
        await asyncio.gather(*(node.stop() for node in nodes))


async def test_another_node_takes_over_when_the_leader_ends(crew: Crew) -> None:
    first, second = crew.node("node-1"), crew.node("node-2")
    async with started(first):
        await connected(first)
        async with started(second):
            await asyncio.sleep(0.3)
            assert not second.is_connected
            await first.stop()
            await connected(second)
            assert not first.is_connected


async def test_a_leader_that_cannot_renew_lets_go_before_another_connects(
    crew: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = crew.node("node-1"), crew.node("node-2")
    async with started(first):
        await connected(first)

        async def fail(_: Leadership) -> bool:
            raise ConnectionError("no database")

        monkeypatch.setattr(first._leadership, "renew", fail.__get__(first._leadership))
        async with started(second):
            both = []

            async def look() -> bool:
                both.append(first.is_connected and second.is_connected)
                return second.is_connected

            monkeypatch.setattr(first._leadership, "try_take", fail.__get__(first._leadership))
            await eventually(look)
            assert not any(both)


async def test_only_the_node_with_the_connection_sends(crew: Crew) -> None:
    first, second = crew.node("node-1"), crew.node("node-2")
    async with started(first):
        await connected(first)
        async with started(second):
            crew.waiting.append("aibot:rm001")
            async with crew.db.transaction() as tx:
                nudge(tx, OUTBOX, "aibot:rm001")

            async def done() -> bool:
                return not crew.waiting

            await eventually(done)
    assert crew.drained == [("node-1", "aibot:rm001")]


async def test_a_replaced_leader_does_not_fight(crew: Crew) -> None:
    first = crew.node("node-1")
    async with started(first):
        await connected(first)
        await crew.far.do("aibot/takeover")

        async def gone() -> bool:
            return not first.is_connected

        await eventually(gone)
        await asyncio.sleep(0.6)
        assert (await crew.far.http.get("/_sim/aibot")).json()["subscriptions"] == 1


async def test_messages_before_and_after_a_takeover_are_all_stored(crew: Crew) -> None:
    first, second = crew.node("node-1"), crew.node("node-2")
    async with started(first, second):
        await eventually(lambda: _any_connected(first, second))
        for number in range(3):
            await crew.far.do("aibot/messages", userid=f"rm00{number + 1}", text="利率多少")
            await eventually(lambda wanted=number + 1: _at_least(crew, wanted))  # type: ignore[misc]  # a default in a lambda has no type
        leader = first if first.is_connected else second
        await leader.stop()
        await connected(second if leader is first else first)
        await crew.far.do("aibot/messages", userid="rm004", text="利率多少")
        await eventually(lambda: _at_least(crew, 4))


async def _any_connected(*nodes: AiBotNode) -> bool:
    return any(node.is_connected for node in nodes)


async def _at_least(crew: Crew, count: int) -> bool:
    return await crew.stored() >= count
