"""The rows of a full sync: whose turn it is, how far it has come, what it has seen so far.

Everything a run must remember is here and not in memory, so that a run killed at any moment is taken up by the next,
on whatever node. A run writes only while the lease is its own: every step locks the run's row and looks.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import delete
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import BotError, Conflict, PlatformError
from bot.ids import new_id
from bot.storage.database import Database, Tx
from bot.storage.upsert import insert_ignore
from customers.models import SyncCursorRow, SyncPartRow, SyncSeenRow, SyncStage
from customers.settings import CustomersSettings

log = structlog.get_logger(__name__)

# The one full sync; a second kind would have a row of its own.
_CURSOR = "everything"


class SyncBusy(Conflict):
    """Another run has the lease, or has taken it over."""

    code = "refused.sync_busy"


class SyncState(StrEnum):
    """How a full sync stands."""

    NEVER = "never"
    RUNNING = "running"
    STOPPED = "stopped"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync has seen and changed. `changed` counts rows inserted, altered or made inactive.

    `skipped` counts members, departments and groups the platform refused to show; they are left as they are.
    """

    branches: int = 0
    staff: int = 0
    tags: int = 0
    customers: int = 0
    groups: int = 0
    changed: int = 0
    skipped: int = 0
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """How the newest full sync stands: `done` of `total` parts (departments, or members) of its `stage`.

    `STOPPED` is a run that ended with `last_error`, or whose node is silent: the next one goes on from here.
    """

    state: SyncState
    stage: SyncStage
    done: int = 0
    total: int = 0
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    report: SyncReport = SyncReport()


async def sync_progress(tx: Tx, now: datetime) -> SyncProgress:
    """Return how the newest full sync stands."""
    row = await tx.get(SyncCursorRow, _CURSOR)
    return _progress(row, now) if row is not None else SyncProgress(SyncState.NEVER, SyncStage.DIRECTORY)


async def is_sync_due(tx: Tx, now: datetime, max_age: timedelta) -> bool:
    """Tell whether no full sync has ended within `max_age`: at the first start, after a long stop, after a crash."""
    row = await tx.get(SyncCursorRow, _CURSOR)
    return row is None or row.finished_at is None or now - row.finished_at > max_age


async def do_release_sync(tx: Tx) -> None:
    """Take the lease from whoever has it: for a start where there is one process, and the one before is dead."""
    row = await tx.get(SyncCursorRow, _CURSOR)
    if row is not None:
        row.owner, row.lease_until = "", None


async def find_part(tx: Tx, stage: SyncStage, part: str) -> SyncPartRow | None:
    """Return how far a part has been read; `None` when it is not begun."""
    return await tx.get(SyncPartRow, (stage.value, part))


async def do_reset_part(tx: Tx, stage: SyncStage, part: str, now: datetime) -> None:
    """Have a part read from its beginning."""
    row = await find_part(tx, stage, part)
    if row is None:
        row = SyncPartRow(stage=stage.value, part=part, started_at=now)
        tx.add(row)
    row.cursor, row.started_at, row.finished_at = "", now, None
    await _forget_seen(tx, stage, part)
    await tx.flush()


async def do_move_part(tx: Tx, stage: SyncStage, part: str, cursor: str) -> None:
    """Note from where the part goes on."""
    (await tx.get_one(SyncPartRow, (stage.value, part))).cursor = cursor


async def do_end_part(tx: Tx, stage: SyncStage, part: str, now: datetime) -> None:
    """Note that a part is through, and forget what was seen of it."""
    (await tx.get_one(SyncPartRow, (stage.value, part))).finished_at = now
    await _forget_seen(tx, stage, part)


async def do_note_seen(tx: Tx, stage: SyncStage, part: str, object_ids: Collection[str]) -> None:
    """Remember what the platform has shown of a part."""
    rows = [{"stage": stage.value, "part": part, "object_id": one} for one in sorted(set(object_ids))]
    await insert_ignore(tx, SyncSeenRow, rows, ("stage", "part", "object_id"))


async def list_seen(tx: Tx, stage: SyncStage, part: str, among: Collection[str]) -> set[str]:
    """Return which of some objects have been seen."""
    query = select(SyncSeenRow.object_id).where(
        SyncSeenRow.stage == stage.value, SyncSeenRow.part == part, col(SyncSeenRow.object_id).in_(among)
    )
    return set((await tx.exec(query)).all())


@dataclass(slots=True)
class Step:
    """One transaction of a run that has the lease."""

    tx: Tx
    row: SyncCursorRow

    def count(self, **more: int) -> None:
        """Add to what the run has seen and changed."""
        counts = dict(self.row.counts)
        for name, value in more.items():
            counts[name] = counts.get(name, 0) + value
        self.row.counts = counts


class SyncRun:
    """One run under its lease. `resumed` tells whether it goes on with an earlier one."""

    def __init__(self, db: Database, clock: Clock, settings: CustomersSettings) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._owner = new_id("sync")
        self._lease = timedelta(seconds=settings.sync_lease_seconds)
        self.resumed = False

    async def open(self) -> SyncStage:
        """Take the lease and return the stage to go on with.

        Raises:
            SyncBusy: another run has it.
        """
        now = self._clock.now()
        async with self._db.transaction() as tx:
            await self._make_row(tx, now)
            row = await self._lock(tx)
            if row.owner and row.lease_until is not None and row.lease_until > now:
                raise SyncBusy("a full sync is running already")
            self.resumed = self._can_resume(row, now)
            if not self.resumed:
                await self._begin(tx, row, now)
            row.owner, row.lease_until, row.updated_at = self._owner, now + self._lease, now
            return SyncStage(row.stage)

    @asynccontextmanager
    async def step(self) -> AsyncIterator[Step]:
        """Open a transaction in which the lease is ours, and renew it.

        Raises:
            SyncBusy: it is not ours any more; nothing may be written.
        """
        now = self._clock.now()
        async with self._db.transaction() as tx:
            row = await self._lock(tx)
            if row.owner != self._owner:
                raise SyncBusy("another node has taken the full sync over")
            row.lease_until, row.updated_at = now + self._lease, now
            yield Step(tx, row)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Renew the lease in the background: a page may wait long for its permit."""
        over = asyncio.Event()
        renewing = asyncio.create_task(self._renew(over))
        try:
            yield
        finally:
            # not cancelled: a transaction cut off in the middle keeps SQLite's lock for a while
            over.set()
            await renewing

    async def begin_stage(self, stage: SyncStage, parts: Sequence[str]) -> list[str]:
        """Enter a stage, or come back to it; return the parts that are not through, in order."""
        now = self._clock.now()
        async with self.step() as step:
            known = select(SyncPartRow.part, SyncPartRow.finished_at).where(SyncPartRow.stage == stage.value)
            finished = {part: at is not None for part, at in (await step.tx.exec(known)).all()}
            new = [
                {"stage": stage.value, "part": part, "cursor": "", "started_at": now, "finished_at": None}
                for part in parts
                if part not in finished
            ]
            await insert_ignore(step.tx, SyncPartRow, new, ("stage", "part"))
            left = [part for part in parts if not finished.get(part, False)]
            step.row.stage, step.row.done, step.row.total = stage.value, len(parts) - len(left), len(parts)
        return left

    async def end_part(self, stage: SyncStage, part: str) -> SyncProgress:
        """Note that a part is through; return how the run stands now."""
        now = self._clock.now()
        async with self.step() as step:
            await do_end_part(step.tx, stage, part, now)
            step.row.done += 1
            return _progress(step.row, now)

    async def finish(self) -> SyncReport:
        """End the run and give the lease back."""
        now = self._clock.now()
        async with self.step() as step:
            await _forget_parts(step.tx)
            step.row.finished_at, step.row.owner, step.row.lease_until = now, "", None
            step.row.last_error = step.row.last_error_at = None
            return _report(step.row, resumed=self.resumed)

    async def stop(self, error: BaseException) -> None:
        """Give the lease back after a failure, with its reason; the next run goes on from here."""
        async with self.step() as step:
            step.row.owner, step.row.lease_until = "", None
            if isinstance(error, BotError):
                step.row.last_error, step.row.last_error_at = _reason(error), self._clock.now()

    async def _make_row(self, tx: Tx, now: datetime) -> None:
        # `stage` empty: never begun
        first = {"name": _CURSOR, "stage": "", "started_at": now, "updated_at": now, "done": 0, "total": 0}
        await insert_ignore(tx, SyncCursorRow, [{**first, "counts": {}, "owner": ""}], ("name",))

    async def _lock(self, tx: Tx) -> SyncCursorRow:
        return (await tx.exec(select(SyncCursorRow).where(SyncCursorRow.name == _CURSOR).with_for_update())).one()

    def _can_resume(self, row: SyncCursorRow, now: datetime) -> bool:
        unfinished = bool(row.stage) and row.finished_at is None
        return unfinished and now - row.started_at <= self._settings.resume_within

    async def _begin(self, tx: Tx, row: SyncCursorRow, now: datetime) -> None:
        await _forget_parts(tx)
        row.stage, row.done, row.total, row.counts = SyncStage.DIRECTORY.value, 0, 0, {}
        row.started_at, row.finished_at = now, None
        row.last_error = row.last_error_at = None

    async def _renew(self, over: asyncio.Event) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lease.total_seconds() / 3):
                    await over.wait()
            if over.is_set():
                return
            try:
                async with self.step():
                    pass
            except Exception as error:  # the run's next step finds out for itself
                log.warning("sync_lease", action="sync_lease", error=type(error).__name__)


def _progress(row: SyncCursorRow, now: datetime) -> SyncProgress:
    return SyncProgress(
        state=_state(row, now),
        stage=SyncStage(row.stage) if row.stage else SyncStage.DIRECTORY,
        done=row.done,
        total=row.total,
        started_at=row.started_at,
        updated_at=row.updated_at,
        finished_at=row.finished_at,
        last_error=row.last_error,
        last_error_at=row.last_error_at,
        report=_report(row, resumed=False),
    )


def _state(row: SyncCursorRow, now: datetime) -> SyncState:
    if row.finished_at is not None:
        return SyncState.FINISHED
    running = bool(row.owner) and row.lease_until is not None and row.lease_until > now
    return SyncState.RUNNING if running else SyncState.STOPPED


def _report(row: SyncCursorRow, *, resumed: bool) -> SyncReport:
    known = {one.name for one in fields(SyncReport)}
    return SyncReport(**{name: value for name, value in row.counts.items() if name in known}, resumed=resumed)


def _reason(error: BotError) -> str:
    """Return what may be shown: an API with its errcode, or our code. Never the platform's free text."""
    return f"{error.api} {error.errcode}" if isinstance(error, PlatformError) else error.code


async def _forget_parts(tx: Tx) -> None:
    """Forget parts and what was seen; a run over all customers' traits that is due stays due."""
    connection = await tx.connection()
    await connection.execute(delete(SyncPartRow).where(col(SyncPartRow.stage) != SyncStage.TRAITS.value))
    await connection.execute(delete(SyncSeenRow))


async def _forget_seen(tx: Tx, stage: SyncStage, part: str) -> None:
    statement = delete(SyncSeenRow).where(col(SyncSeenRow.stage) == stage.value, col(SyncSeenRow.part) == part)
    await (await tx.connection()).execute(statement)
