"""Keeps the counts of `bot/wecom/pace.py` for all nodes together.

A node does not ask the database for every call: it takes a block of permits, small at first and larger while it uses
them up, and lets unused ones go after some seconds. Everything else that nodes must know of each other (an API the
platform has closed, fewer calls at a time) is read when a block is taken.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, update
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import RateLimited
from bot.settings import ApiLimit, PaceSettings
from bot.storage.database import Database, Tx
from bot.storage.upsert import insert_ignore
from bot.wecom.models import PaceStateRow, PaceWindowRow, TurnRow
from bot.wecom.pace import (
    MINUTE,
    Demand,
    Window,
    budget_of,
    closed_for,
    largest_block,
    limit_for,
    longest_wait,
    window_start,
    windows_of,
)

log = structlog.get_logger("bot.wecom.pace")

_PERMITS_LAST = timedelta(seconds=5)
# After this long without 45033 one more call at a time is allowed again.
_SLOT_BACK = timedelta(seconds=30)
# 45009 again this soon after a stop ended: a longer window is the one that overflowed.
_STRIKES_LAST = timedelta(minutes=10)
_TURN_LEASE = timedelta(seconds=30)
_TURN_LOOK_SECONDS = 0.2
# A broadcast was reminded of three times within a day (41094): asking sooner is in vain.
_REMINDED_SECONDS = 8 * 3600.0
_CROWDED_SECONDS = (2.0, 5.0)


@dataclass(slots=True)
class _Permits:
    """What this node holds of a budget."""

    left: int = 0
    good_until: datetime | None = None
    block: int = 1


@dataclass(slots=True)
class _Slots:
    """Calls of this node at one API that run at the same time."""

    most: int
    busy: int = 0
    freed: asyncio.Condition = field(default_factory=asyncio.Condition)


@dataclass(frozen=True, slots=True)
class _Grant:
    """The answer to a request for permits: some, or how long to wait and under which code."""

    permits: int
    wait_seconds: float = 0.0
    errcode: int = 45009
    slots: int | None = None


class Pacer:
    """Lets calls through as fast as the limits table allows. `owner` names this node."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: PaceSettings,
        owner: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._owner = owner
        self._sleep = sleep
        self._permits: dict[str, _Permits] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._slots: dict[tuple[str, str], _Slots] = {}
        # closed by an answer this node got: what it still holds of permits is worth nothing
        self._closed: dict[tuple[str, str], datetime] = {}

    @asynccontextmanager
    async def permit(self, demand: Demand) -> AsyncIterator[None]:
        """Surround one call: it begins when it may, within the limits, and one at a time on what it changes.

        Raises:
            RateLimited: it may not yet, and either must not wait here or would have to for longer than the setting.
        """
        limit = limit_for(self._settings, demand)
        await self._take(demand, limit)
        async with self._slot(demand, limit), self._turn(demand):
            yield

    async def refused(self, demand: Demand, errcode: int) -> float:
        """Note that the platform said: too many. Returns for how many seconds such calls stop."""
        if errcode == 45009:
            return await self._close(demand)
        if errcode == 45033:
            return await self._lower(demand)
        return _REMINDED_SECONDS if errcode == 41094 else float(MINUTE)

    async def worked(self, demand: Demand) -> None:
        """Note a success: the stop before it was long enough, and the next one begins small again."""
        ended = self._closed.get((demand.api, demand.app))
        if ended is None or ended > self._clock.now():  # never stopped, or asked before the stop
            return
        del self._closed[demand.api, demand.app]
        async with self._database.transaction() as tx:
            (await _state_row(tx, demand)).strikes = 0

    # --- permits ---

    async def _take(self, demand: Demand, limit: ApiLimit) -> None:
        budget = budget_of(limit, demand)
        # a single message to a thousand must pass where a window holds fewer
        cost = min([demand.cost * limit.cost, *windows_of(limit, self._settings).values()])
        waited, longest = 0.0, longest_wait(demand, self._settings)
        async with self._locks[budget]:
            while (wait := await self._wait_for(budget, demand, limit, cost)) > 0:
                if waited + wait > longest:
                    raise RateLimited(demand.api, 45009, "our own pace", retry_after_seconds=wait)
                waited += wait
                log.info("pace.waiting", api=demand.api, app=demand.app, seconds=round(wait, 1))
                await self._sleep(wait)

    async def _wait_for(self, budget: str, demand: Demand, limit: ApiLimit, cost: int) -> float:
        """Use permits of this node, or take more; returns how long to wait when there are none."""
        now = self._clock.now()
        closed_until = self._closed.get((demand.api, demand.app))
        if closed_until is not None and closed_until > now:
            return (closed_until - now).total_seconds()
        held = self._permits.setdefault(budget, _Permits())
        if held.good_until is None or held.good_until <= now:
            held.left, held.block = 0, 1
        if held.left < cost:
            windows = windows_of(limit, self._settings)
            held.block = min(held.block * 2, largest_block(windows)) if held.good_until else held.block
            grant = await self._reserve(budget, demand, windows, max(cost - held.left, held.block), cost - held.left)
            self._note_slots(demand, limit, grant.slots)
            if grant.wait_seconds > 0:
                return grant.wait_seconds
            held.left += grant.permits
            held.good_until = now + _PERMITS_LAST
        held.left -= cost
        return 0.0

    async def _reserve(self, budget: str, demand: Demand, windows: dict[int, int], wanted: int, least: int) -> _Grant:
        """Take up to `wanted` permits, at least `least`, of all windows together."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            state = await tx.get(PaceStateRow, (demand.api, demand.app))
            slots = _slots_now(state, now)
            if state is not None and state.closed_until is not None and state.closed_until > now:
                return _Grant(0, (state.closed_until - now).total_seconds(), slots=slots)
            rows = await _window_rows(tx, budget, sorted(windows), now)
            held = {row.seconds: Window(row.seconds, row.starts_at, row.taken, row.before).at(now) for row in rows}
            room = min((held[seconds].room(most, now) for seconds, most in windows.items()), default=wanted)
            if room < least:
                waits = (held[seconds].wait_seconds(most, least, now) for seconds, most in windows.items())
                return _Grant(0, max(waits), slots=slots)
            taken = min(wanted, room)
            for row in rows:
                window = held[row.seconds]
                row.starts_at, row.taken, row.before = window.starts_at, window.taken + taken, window.before
        return _Grant(taken, slots=slots)

    async def _close(self, demand: Demand) -> float:
        """Stop the API for the application: on this node at once, on others with their next block."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            state = await _state_row(tx, demand)
            ended = state.closed_until
            if ended is not None and ended > now:  # another call's answer came first
                seconds = (ended - now).total_seconds()
            else:
                again = ended is not None and now - ended < _STRIKES_LAST
                state.strikes = state.strikes + 1 if again else 1
                limit = limit_for(self._settings, demand)
                seconds = closed_for(windows_of(limit, self._settings), state.strikes, now)
                state.closed_until = now + timedelta(seconds=seconds)
        self._closed[demand.api, demand.app] = now + timedelta(seconds=seconds)
        log.warning("pace.closed", api=demand.api, app=demand.app, seconds=int(seconds))
        return seconds

    # --- calls at a time ---

    @asynccontextmanager
    async def _slot(self, demand: Demand, limit: ApiLimit) -> AsyncIterator[None]:
        slots = self._slots.setdefault((demand.api, demand.app), _Slots(limit.concurrency))
        async with slots.freed:
            await slots.freed.wait_for(lambda: slots.busy < slots.most)
            slots.busy += 1
        try:
            yield
        finally:
            async with slots.freed:
                slots.busy -= 1
                slots.freed.notify_all()

    def _note_slots(self, demand: Demand, limit: ApiLimit, known: int | None) -> None:
        slots = self._slots.setdefault((demand.api, demand.app), _Slots(limit.concurrency))
        slots.most = limit.concurrency if known is None else max(1, min(known, limit.concurrency))

    async def _lower(self, demand: Demand) -> float:
        """Halve how many calls run at the same time, on all nodes; one comes back every half minute."""
        now = self._clock.now()
        limit = limit_for(self._settings, demand)
        async with self._database.transaction() as tx:
            state = await _state_row(tx, demand)
            known = _slots_now(state, now)
            state.slots = max(1, (known if known is not None else limit.concurrency) // 2)
            state.slots_at = now
            slots = state.slots
        self._note_slots(demand, limit, slots)
        log.warning("pace.fewer_at_once", api=demand.api, app=demand.app, slots=slots)
        return random.uniform(*_CROWDED_SECONDS)  # noqa: S311  only to spread

    # --- one write at a time on one object ---

    def _turn(self, demand: Demand) -> AbstractAsyncContextManager[None]:
        return nullcontext() if demand.writes_on is None else self._own_turn(demand, demand.writes_on)

    @asynccontextmanager
    async def _own_turn(self, demand: Demand, subject: str) -> AsyncIterator[None]:
        async with self._locks[f"turn {subject}"]:
            waited, longest = 0.0, longest_wait(demand, self._settings)
            while not await self._claim_turn(subject):
                if waited >= longest:
                    raise RateLimited(demand.api, 45035, "another node writes on it", retry_after_seconds=1)
                waited += _TURN_LOOK_SECONDS
                await self._sleep(_TURN_LOOK_SECONDS)
            try:
                yield
            finally:
                await self._end_turn(subject)
        if not self._locks[f"turn {subject}"].locked():
            self._locks.pop(f"turn {subject}", None)

    async def _claim_turn(self, subject: str) -> bool:
        now = self._clock.now()
        values = {"owner": self._owner, "until": now + _TURN_LEASE}
        async with self._database.transaction() as tx:
            if await insert_ignore(tx, TurnRow, [{"subject": subject, **values}], ["subject"]):
                return True
            statement = update(TurnRow).where(col(TurnRow.subject) == subject, col(TurnRow.until) <= now)
            return bool((await (await tx.connection()).execute(statement.values(**values))).rowcount)

    async def _end_turn(self, subject: str) -> None:
        async with self._database.transaction() as tx:
            mine = delete(TurnRow).where(col(TurnRow.subject) == subject, col(TurnRow.owner) == self._owner)
            await (await tx.connection()).execute(mine)


async def _window_rows(tx: Tx, budget: str, lengths: list[int], now: datetime) -> list[PaceWindowRow]:
    """Return the budget's rows under their locks, made where they are not there."""
    query = (
        select(PaceWindowRow)
        .where(PaceWindowRow.budget == budget, col(PaceWindowRow.seconds).in_(lengths))
        .order_by(col(PaceWindowRow.seconds))
        .with_for_update()
    )
    rows = list((await tx.exec(query)).all())
    if len(rows) < len(lengths):
        fresh = [
            {
                "budget": budget,
                "seconds": seconds,
                "starts_at": window_start(now, seconds),
                "taken": 0,
                "before": 0,
            }
            for seconds in lengths
        ]
        await insert_ignore(tx, PaceWindowRow, fresh, ["budget", "seconds"])
        rows = list((await tx.exec(query)).all())
    return rows


async def _state_row(tx: Tx, demand: Demand) -> PaceStateRow:
    """Return the row of the API and the application under its lock."""
    key = (demand.api, demand.app)
    row = await tx.get(PaceStateRow, key, with_for_update=True)
    if row is None:
        await insert_ignore(tx, PaceStateRow, [{"api": key[0], "app": key[1], "strikes": 0}], ["api", "app"])
        row = await tx.get_one(PaceStateRow, key, with_for_update=True)
    return row


def _slots_now(state: PaceStateRow | None, now: datetime) -> int | None:
    """Return how many calls may run at the same time, those given back since counted; `None` when all may."""
    if state is None or state.slots is None or state.slots_at is None:
        return None
    return state.slots + int((now - state.slots_at) / _SLOT_BACK)
