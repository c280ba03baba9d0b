"""Copy the directory, customers, tags and groups from the platform into our rows.

Callbacks are not guaranteed and changes made through the API are never called back (02-events.md), so a full sync is
the truth and the single-object reads (`refresh.py`) only make it fresher. A run goes through stages, a stage through
parts (a department, a member), a part through pages; each page is stored in a transaction of its own, together with
the place to go on from. What the platform has shown of a part is kept beside it, so that what vanished is found even
when the run was killed in the middle of the part.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import structlog
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.clock import Clock
from bot.errors import PlatformError, PlatformMisconfigured
from bot.ids import GroupChatId, StaffId
from bot.storage.database import Database
from bot.wecom import contacts
from bot.wecom.api.calls import PagesDoNotMove, PlatformCalls
from bot.wecom.contacts import CustomerPage, GroupIdPage
from customers import mirror
from customers.departures import do_close_handed_over
from customers.models import CustomerGroupRow, FollowRow, FollowState, StaffRow, SyncStage
from customers.refresh import (
    HIDDEN_DEPARTMENT,
    HIDDEN_MEMBER,
    NO_RELATION,
    do_store_or_close_group,
    find_platform_group,
)
from customers.runs import (
    SyncProgress,
    SyncReport,
    SyncRun,
    do_move_part,
    do_note_seen,
    do_reset_part,
    find_part,
    list_seen,
)
from customers.settings import CustomersSettings
from customers.tagging import do_replace_tags, read_due_traits

log = structlog.get_logger(__name__)

# Beside members who are hidden: 84074 without the right to serve, 701008 without a licence. Whose customers or groups
# are not shown has not lost them.
_UNLICENSED = 701008
_NOT_SHOWN = HIDDEN_MEMBER | {84074, _UNLICENSED}
# The part of a stage that comes after all others and judges by what they have seen.
_REST = ""
_STAGES = tuple(SyncStage)

PageT = TypeVar("PageT", CustomerPage, GroupIdPage)
ProgressListener = Callable[[SyncProgress], None]


def ignore_progress(_progress: SyncProgress) -> None:
    """Listen to nothing."""


async def sync_everything(
    db: Database,
    client: PlatformCalls,
    clock: Clock,
    on_progress: ProgressListener = ignore_progress,
    settings: CustomersSettings | None = None,
) -> SyncReport:
    """Bring our rows to what the platform shows. Safe to run again at any time; there is one run at a time.

    Raises:
        SyncBusy: one runs already, here or on another node.
        PlatformError: the platform cannot be used now; run it again later, it goes on where it stopped.
    """
    settings = settings or CustomersSettings()
    run = SyncRun(db, clock, settings)
    stage = await run.open()
    try:
        async with run.held():
            return await _FullSync(run, db, client, clock, on_progress, settings).go_on(stage)
    except BaseException as error:
        # a lease that cannot be given back now runs out by itself
        with suppress(Exception):
            await run.stop(error)
        raise


@dataclass(frozen=True, slots=True)
class _Asked(Generic[PageT]):
    """A page, and when it was asked for."""

    at: datetime
    page: PageT


class _Stopped(Exception):
    """Another worker has failed: the run ends with its error."""


class _FullSync:
    """What one run works with."""

    def __init__(
        self,
        run: SyncRun,
        db: Database,
        client: PlatformCalls,
        clock: Clock,
        on_progress: ProgressListener,
        settings: CustomersSettings,
    ) -> None:
        self._run = run
        self._db = db
        self._client = client
        self._clock = clock
        self._on_progress = on_progress
        self._settings = settings
        self._serving: tuple[StaffId, ...] = ()
        self._failure: Exception | None = None

    async def go_on(self, stage: SyncStage) -> SyncReport:
        """Go through this stage and those after it."""
        self._serving = await self._list_serving()
        steps: dict[SyncStage, Callable[[], Awaitable[None]]] = {
            SyncStage.DIRECTORY: self._sync_directory,
            SyncStage.TAGS: self._sync_tags,
            SyncStage.TRAITS: self._read_traits,
            SyncStage.CUSTOMERS: self._sync_customers,
            SyncStage.GROUPS: self._sync_groups,
        }
        for one in _STAGES[_STAGES.index(stage) :]:
            await steps[one]()
        async with self._run.step() as step:
            await do_close_handed_over(step.tx, self._clock.now())
        report = await self._run.finish()
        log.info("customers_synced", action="customers_synced", changed=report.changed)
        return report

    async def _list_serving(self) -> tuple[StaffId, ...]:
        """Return who serves customers; refuses to believe that suddenly nobody does."""
        serving = await contacts.list_follow_users(self._client)
        if not serving and await self._knows(select(StaffRow.id).where(col(StaffRow.serves)).limit(1)):
            raise PlatformMisconfigured(
                contacts.FOLLOW_USERS, -1, "no member is shown: check 客户联系 → 可调用接口的应用"
            )
        return serving

    async def _knows(self, query: SelectOfScalar[Any]) -> bool:
        async with self._db.reading() as tx:
            return (await tx.exec(query)).first() is not None

    # the directory

    async def _sync_directory(self) -> None:
        asked_at = self._clock.now()
        departments = await contacts.list_departments(self._client)
        if not departments and await self._knows(select(StaffRow.id).limit(1)):
            raise PlatformMisconfigured(contacts.DEPARTMENT_LIST, -1, "no department is shown: check the visible range")
        async with self._run.step() as step:
            changed = await mirror.do_store_branches(step.tx, departments, self._clock.now(), asked_at)
            step.count(changed=changed)
        parts = await self._run.begin_stage(SyncStage.DIRECTORY, [*(str(one.id) for one in departments), _REST])
        await self._each(SyncStage.DIRECTORY, [part for part in parts if part != _REST], self._sync_department)
        async with self._run.step() as step:
            step.row.counts = {**step.row.counts, "branches": len(departments)}
        if _REST in parts:
            await self._retire_unseen()
            await self._end(SyncStage.DIRECTORY, _REST)

    async def _sync_department(self, part: str) -> None:
        asked_at = self._clock.now()
        try:
            members = await contacts.list_members(self._client, int(part))
        except PlatformError as error:
            if error.errcode not in HIDDEN_DEPARTMENT:
                raise
            log.warning("department_skipped", action="department_skipped", department=part, errcode=error.errcode)
            async with self._run.step() as step:
                step.count(skipped=1, hidden_departments=1)
            return
        ids = [member.id for member in members]
        async with self._run.step() as step:
            serving = set(self._serving)
            changed = await mirror.do_store_members(step.tx, members, serving, self._clock.now(), asked_at)
            known = await list_seen(step.tx, SyncStage.DIRECTORY, _REST, ids)
            await do_note_seen(step.tx, SyncStage.DIRECTORY, _REST, ids)
            step.count(staff=len(set(ids) - known), changed=changed)

    async def _retire_unseen(self) -> None:
        """Who was in no department has left; unless a department would not be shown, then nobody can say."""
        more = True
        while more:
            async with self._run.step() as step:
                part = await find_part(step.tx, SyncStage.DIRECTORY, _REST)
                if part is None or step.row.counts.get("hidden_departments"):
                    return
                gone = await mirror.list_unseen_members(step.tx, part.started_at)
                step.count(changed=await mirror.do_retire_members(step.tx, gone, self._clock.now()))
                more = bool(gone)

    # tags

    async def _sync_tags(self) -> None:
        asked_at = self._clock.now()
        tags = await contacts.list_corp_tags(self._client)
        await self._run.begin_stage(SyncStage.TAGS, [_REST])
        async with self._run.step() as step:
            changed = await do_replace_tags(step.tx, tags, self._clock.now(), asked_at)
            step.row.counts = {**step.row.counts, "tags": len(tags)}
            step.count(changed=changed)
        await self._end(SyncStage.TAGS, _REST)

    async def _read_traits(self) -> None:
        async with self._run.step() as step:
            step.row.stage, step.row.done, step.row.total = SyncStage.TRAITS.value, 0, 1
        changed = await read_due_traits(self._db, self._clock, self._settings)
        async with self._run.step() as step:
            step.row.done = 1
            step.count(changed=changed)

    # customers

    async def _sync_customers(self) -> None:
        parts = await self._run.begin_stage(SyncStage.CUSTOMERS, self._serving)
        await self._each(SyncStage.CUSTOMERS, parts, self._sync_customers_of)
        await self._end_follows_of_others()

    async def _sync_customers_of(self, part: str) -> None:
        staff_id = StaffId(part)
        try:
            more = True
            while more:
                more = await self._store_customer_page(staff_id, await self._customer_page(staff_id))
        except PlatformError as error:
            if error.errcode in _NOT_SHOWN:
                await self._skip(staff_id, error.errcode)
                return
            if error.errcode not in NO_RELATION:
                raise
        await self._end_unseen(staff_id)

    async def _customer_page(self, staff_id: StaffId) -> _Asked[CustomerPage]:
        async def ask(cursor: str) -> CustomerPage:
            return await contacts.get_customer_page(self._client, [staff_id], cursor)

        return await self._ask(SyncStage.CUSTOMERS, staff_id, ask)

    async def _store_customer_page(self, staff_id: StaffId, asked: _Asked[CustomerPage]) -> bool:
        """Store a page with the place to go on from; tells whether there is a next one."""
        page = asked.page
        if staff_id in page.unlicensed:
            raise PlatformError(contacts.CUSTOMER_BATCH, _UNLICENSED, "the member has no licence")
        async with self._run.step() as step:
            now = self._clock.now()
            changed = await mirror.do_store_followed(step.tx, page.items, self._settings, now, asked.at)
            await do_note_seen(step.tx, SyncStage.CUSTOMERS, staff_id, [item.profile.id for item in page.items])
            await do_move_part(step.tx, SyncStage.CUSTOMERS, staff_id, page.cursor)
            step.count(customers=len(page.items), changed=changed)
        return bool(page.cursor)

    async def _end_unseen(self, staff_id: StaffId) -> None:
        ended = 1
        while ended:
            async with self._run.step() as step:
                part = await find_part(step.tx, SyncStage.CUSTOMERS, staff_id)
                since = part.started_at if part is not None else step.row.started_at
                ended = await mirror.do_end_unseen_follows(step.tx, staff_id, since, self._settings, self._clock.now())
                step.count(changed=ended)

    async def _end_follows_of_others(self) -> None:
        """Those who lost the customer-contact right serve nobody any more."""
        async with self._db.reading() as tx:
            query = select(FollowRow.staff_id).where(FollowRow.state == FollowState.ACTIVE).distinct()
            others = sorted(set((await tx.exec(query)).all()) - set(self._serving))
        for staff_id in others:
            await self._end_unseen(StaffId(staff_id))

    # groups

    async def _sync_groups(self) -> None:
        parts = await self._run.begin_stage(SyncStage.GROUPS, [*self._serving, _REST])
        await self._each(SyncStage.GROUPS, [part for part in parts if part != _REST], self._sync_groups_of)
        if _REST in parts:
            await self._sync_groups_of_others()
            await self._end(SyncStage.GROUPS, _REST)

    async def _sync_groups_of(self, part: str) -> None:
        owner_id = StaffId(part)
        try:
            cursor = await self._store_group_page(part, await self._group_page(owner_id))
            while cursor:
                cursor = await self._store_group_page(part, await self._group_page(owner_id))
        except PlatformError as error:
            if error.errcode not in _NOT_SHOWN:
                raise
            await self._skip(owner_id, error.errcode)
            return
        await self._sync_unlisted_groups([owner_id], part)

    async def _group_page(self, owner_id: StaffId) -> GroupIdPage:
        async def ask(cursor: str) -> GroupIdPage:
            return await contacts.get_group_id_page(self._client, [owner_id], cursor)

        return (await self._ask(SyncStage.GROUPS, owner_id, ask)).page

    async def _store_group_page(self, part: str, page: GroupIdPage) -> str:
        async with self._db.reading() as tx:
            done = await list_seen(tx, SyncStage.GROUPS, part, page.ids)
        for chat_id in page.ids:
            if chat_id not in done:
                await self._sync_group(chat_id, part)
        async with self._run.step() as step:
            await do_move_part(step.tx, SyncStage.GROUPS, part, page.cursor)
        return page.cursor

    async def _sync_unlisted_groups(self, owners: Sequence[str], part: str) -> None:
        """Ask for groups we believe in but were not shown: they are gone, or have another owner by now."""
        last = ""
        while True:
            async with self._db.reading() as tx:
                query = (
                    select(CustomerGroupRow.id)
                    .where(
                        col(CustomerGroupRow.owner_id).in_(owners),
                        col(CustomerGroupRow.active),
                        col(CustomerGroupRow.id) > last,
                    )
                    .order_by(col(CustomerGroupRow.id))
                    .limit(200)
                )
                ids = list((await tx.exec(query)).all())
                done = await list_seen(tx, SyncStage.GROUPS, part, ids)
            for chat_id in ids:
                if chat_id not in done:
                    await self._sync_group(GroupChatId(chat_id), part)
            if not ids:
                return
            last = ids[-1]

    async def _sync_groups_of_others(self) -> None:
        """Groups whose owner left are in no owner's list, but live on: ask for each."""
        async with self._db.reading() as tx:
            query = select(CustomerGroupRow.owner_id).where(col(CustomerGroupRow.active)).distinct()
            others = sorted(set((await tx.exec(query)).all()) - set(self._serving))
        for owner in others:
            await self._sync_unlisted_groups([owner], _REST)

    async def _sync_group(self, chat_id: GroupChatId, part: str) -> None:
        self._check()
        group = await find_platform_group(self._client, chat_id)
        async with self._run.step() as step:
            changed = await do_store_or_close_group(step.tx, chat_id, group, self._clock)
            await do_note_seen(step.tx, SyncStage.GROUPS, part, [chat_id])
            step.count(groups=int(group is not None), changed=changed)

    # what all stages need

    async def _each(self, stage: SyncStage, parts: Sequence[str], work: Callable[[str], Awaitable[None]]) -> None:
        """Work on the parts, a few side by side. After a failure the others end with the page they are at.

        They are not cancelled: a transaction cut off in the middle keeps SQLite's lock for a while.
        """
        waiting = iter(parts)
        workers = [self._work(stage, waiting, work) for _ in range(min(self._settings.sync_concurrency, len(parts)))]
        await asyncio.gather(*workers)
        if self._failure is not None:
            raise self._failure

    async def _work(self, stage: SyncStage, waiting: Iterator[str], work: Callable[[str], Awaitable[None]]) -> None:
        try:
            for part in waiting:
                self._check()
                await work(part)
                await self._end(stage, part)
        except _Stopped:
            return
        except Exception as error:
            self._failure = self._failure or error

    def _check(self) -> None:
        """Ask nothing more when another worker has failed."""
        if self._failure is not None:
            raise _Stopped

    async def _end(self, stage: SyncStage, part: str) -> None:
        self._on_progress(await self._run.end_part(stage, part))

    async def _ask(self, stage: SyncStage, part: str, ask: Callable[[str], Awaitable[PageT]]) -> _Asked[PageT]:
        """Ask for the part's next page; from its beginning when the platform has forgotten the stored place."""
        self._check()
        async with self._db.reading() as tx:
            row = await find_part(tx, stage, part)
        cursor = row.cursor if row is not None else ""
        asked_at = self._clock.now()
        try:
            page = await ask(cursor)
        except PlatformError as error:
            if not cursor or not _is_stale(error):
                raise
            log.warning("sync_place_lost", action="sync_place_lost", stage=stage.value, errcode=error.errcode)
            async with self._run.step() as step:
                await do_reset_part(step.tx, stage, part, self._clock.now())
            asked_at, page = self._clock.now(), await ask("")
        if cursor and page.cursor == cursor:
            raise PagesDoNotMove(stage.value)
        return _Asked(asked_at, page)

    async def _skip(self, staff_id: StaffId, errcode: int) -> None:
        """Leave a member's customers or groups as they are: the platform does not show them."""
        log.warning("member_skipped", action="member_skipped", staff=staff_id, errcode=errcode)
        async with self._run.step() as step:
            step.count(skipped=1)


def _is_stale(error: PlatformError) -> bool:
    """Tell whether a refusal may be meant for the stored cursor: not when the platform is down or we are shut out."""
    return not error.retryable and not isinstance(error, PlatformMisconfigured) and error.errcode not in _NOT_SHOWN
