"""Copy the directory, customers, tags and groups from the platform into our rows.

Callbacks are not guaranteed and changes made through the API are never called back (02-events.md), so a full sync is
the truth and the single-object syncs only make it fresher. Pages are stored in their own transactions; the cursor is
moved in the transaction that stores what it points past, so an interrupted run goes on where it stopped.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import PlatformError
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Database, Tx
from bot.wecom import contacts
from bot.wecom.contacts import PlatformCalls
from customers import mirror
from customers.models import CustomerGroupRow, CustomerRow, FollowRow, FollowState, SyncCursorRow
from customers.settings import CustomersSettings

log = structlog.get_logger(__name__)

# 84061 no relation, 40096 unknown customer: the member has none, or the customer is nobody's any more.
_NO_RELATION = frozenset({84061, 40096})
# 60111 no such member, 60011 outside the visible range: one member must not stop the sync of all others.
_HIDDEN_MEMBER = frozenset({60111, 60011, 40003})
# 49008 dissolved, 90501 not a customer group, 40050 unknown, 60011 no longer ours to see.
_GROUP_GONE = frozenset({49008, 90501, 40050, 86003, 60011})
# The one full sync; a second kind would have a cursor of its own.
_CURSOR = "everything"


class SyncStage(StrEnum):
    """The parts of a full sync, in order."""

    DIRECTORY = "directory"
    TAGS = "tags"
    CUSTOMERS = "customers"
    GROUPS = "groups"


@dataclass(frozen=True, slots=True)
class SyncProgress:
    """`done` of `total` parts (departments, tags, or members) of a stage."""

    stage: SyncStage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync has seen and changed. `changed` counts rows inserted, altered or made inactive.

    `skipped` counts members and groups the platform refused to show; they are left as they are.
    """

    branches: int = 0
    staff: int = 0
    tags: int = 0
    customers: int = 0
    groups: int = 0
    changed: int = 0
    skipped: int = 0
    resumed: bool = False


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
    """Bring our rows to what the platform shows. Safe to run again at any time, and from two nodes.

    Raises:
        PlatformError: the platform cannot be used now; run it again later, it resumes.
    """
    return await _FullSync(db, client, clock, on_progress, settings or CustomersSettings()).run()


async def is_sync_due(tx: Tx, now: datetime, max_age: timedelta) -> bool:
    """Tell whether no full sync has ended within `max_age`: at the first start, and after a long stop."""
    row = await tx.get(SyncCursorRow, _CURSOR)
    return row is None or row.finished_at is None or now - row.finished_at > max_age


async def sync_customer(
    db: Database,
    client: PlatformCalls,
    clock: Clock,
    customer_id: CustomerId,
    settings: CustomersSettings | None = None,
) -> bool:
    """Read one customer anew, after an event. False when nobody whom we may see serves them any more.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    settings = settings or CustomersSettings()
    try:
        found = await contacts.get_customer(client, customer_id)
    except PlatformError as error:
        if error.errcode not in _NO_RELATION:
            raise
        await _end_all_follows(db, customer_id, settings, clock.now())
        return False
    async with db.transaction() as tx:
        await mirror.do_store_customer(tx, found.profile, found.follows, settings, clock.now())
    return True


async def sync_group(db: Database, client: PlatformCalls, clock: Clock, chat_id: GroupChatId) -> bool:
    """Read one group anew, after an event. False when it is gone or no longer ours to see.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    try:
        group = await contacts.get_group(client, chat_id)
    except PlatformError as error:
        if error.errcode not in _GROUP_GONE:
            raise
        async with db.transaction() as tx:
            await mirror.do_close_group(tx, chat_id, clock.now())
        return False
    async with db.transaction() as tx:
        await mirror.do_store_group(tx, group, clock.now())
    return True


class _FullSync:
    """One run: what it works with, and what it has counted so far."""

    def __init__(
        self,
        db: Database,
        client: PlatformCalls,
        clock: Clock,
        on_progress: ProgressListener,
        settings: CustomersSettings,
    ) -> None:
        self.db = db
        self.client = client
        self.clock = clock
        self.on_progress = on_progress
        self.settings = settings
        self.report = SyncReport()

    async def run(self) -> SyncReport:
        """Go through all stages. The directory and the tags are few and are read again on resuming, too."""
        stage, done_through = await self._open_cursor()
        serving = await contacts.list_follow_users(self.client)
        await self._sync_directory(serving)
        await self._sync_tags()
        if stage is SyncStage.CUSTOMERS:
            await self._sync_each(SyncStage.CUSTOMERS, serving, done_through, self._sync_customers_of)
            await self._end_follows_of_others(serving)
            done_through = ""
        await self._sync_each(SyncStage.GROUPS, serving, done_through, self._sync_groups_of)
        await self._sync_groups_of_others(serving)
        await self._move_cursor(SyncStage.GROUPS, "", finished=True)
        log.info("customers_synced", action="customers_synced", changed=self.report.changed)
        return self.report

    async def _open_cursor(self) -> tuple[SyncStage, str]:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            row = await tx.get(SyncCursorRow, _CURSOR)
            if row and row.finished_at is None and now - row.started_at <= self.settings.resume_within:
                self.report = replace(self.report, resumed=True)
                return SyncStage(row.stage), row.done_through
            row = row or SyncCursorRow(name=_CURSOR, stage="", started_at=now, updated_at=now)
            row.stage, row.done_through = SyncStage.CUSTOMERS, ""
            row.started_at = row.updated_at = now
            row.finished_at = None
            tx.add(row)
        return SyncStage.CUSTOMERS, ""

    async def _move_cursor(self, stage: SyncStage, done_through: str, *, finished: bool = False) -> None:
        now = self.clock.now()
        async with self.db.transaction() as tx:
            row = await tx.get_one(SyncCursorRow, _CURSOR)
            row.stage, row.done_through, row.updated_at = stage, done_through, now
            row.finished_at = now if finished else None

    async def _sync_directory(self, serving: Sequence[StaffId]) -> None:
        departments = await contacts.list_departments(self.client)
        async with self.db.transaction() as tx:
            changed = await mirror.do_store_branches(tx, departments, self.clock.now())
        present: set[str] = set()
        for index, department in enumerate(departments):
            members = await contacts.list_members(self.client, department.id)
            present.update(member.id for member in members)
            async with self.db.transaction() as tx:
                changed += await mirror.do_store_members(tx, members, set(serving), self.clock.now())
            self.on_progress(SyncProgress(SyncStage.DIRECTORY, index + 1, len(departments)))
        async with self.db.transaction() as tx:
            changed += await mirror.do_retire_members(tx, present, self.clock.now())
        self._count(branches=len(departments), staff=len(present), changed=changed)

    async def _sync_tags(self) -> None:
        tags = await contacts.list_corp_tags(self.client)
        async with self.db.transaction() as tx:
            changed = await mirror.do_store_tags(tx, tags, self.clock.now())
        if changed:
            # A tag renamed or moved changes what it says about customers whose relations have not changed.
            await self._refresh_all_traits()
        self._count(tags=len(tags), changed=changed)
        self.on_progress(SyncProgress(SyncStage.TAGS, len(tags), len(tags)))

    async def _refresh_all_traits(self) -> None:
        last = ""
        while True:
            async with self.db.transaction() as tx:
                query = (
                    select(CustomerRow.id).where(col(CustomerRow.id) > last).order_by(col(CustomerRow.id)).limit(1000)
                )
                ids = list((await tx.exec(query)).all())
                await mirror.do_refresh_traits(tx, ids, self.settings, self.clock.now())
            if not ids:
                return
            last = ids[-1]

    async def _sync_each(
        self,
        stage: SyncStage,
        serving: Sequence[StaffId],
        done_through: str,
        sync_one: Callable[[StaffId], Awaitable[None]],
    ) -> None:
        for index, staff_id in enumerate(serving):
            if staff_id <= done_through:
                continue
            try:
                await sync_one(staff_id)
            except PlatformError as error:
                if error.errcode not in _HIDDEN_MEMBER:
                    raise
                log.warning("member_skipped", action="member_skipped", staff=staff_id, errcode=error.errcode)
                self._count(skipped=1)
            await self._move_cursor(stage, staff_id)
            self.on_progress(SyncProgress(stage, index + 1, len(serving)))

    async def _sync_customers_of(self, staff_id: StaffId) -> None:
        seen: set[str] = set()
        try:
            async for page in contacts.iter_customer_pages(self.client, [staff_id]):
                async with self.db.transaction() as tx:
                    changed = await mirror.do_store_followed(tx, page, self.settings, self.clock.now())
                seen.update(item.profile.id for item in page)
                self._count(customers=len(page), changed=changed)
        except PlatformError as error:
            if error.errcode not in _NO_RELATION:
                raise
        async with self.db.transaction() as tx:
            ended = await mirror.do_end_other_follows(tx, staff_id, seen, self.settings, self.clock.now())
        self._count(changed=ended)

    async def _end_follows_of_others(self, serving: Sequence[StaffId]) -> None:
        """Those who lost the customer-contact right serve nobody any more."""
        async with self.db.reading() as tx:
            query = select(FollowRow.staff_id).where(FollowRow.state == FollowState.ACTIVE).distinct()
            others = sorted(set((await tx.exec(query)).all()) - set(serving))
        for staff_id in others:
            async with self.db.transaction() as tx:
                ended = await mirror.do_end_other_follows(tx, StaffId(staff_id), (), self.settings, self.clock.now())
            self._count(changed=ended)

    async def _sync_groups_of(self, owner_id: StaffId) -> None:
        seen: set[str] = set()
        async for page in contacts.iter_group_id_pages(self.client, [owner_id]):
            for chat_id in page:
                await self._sync_one_group(chat_id)
            seen.update(page)
        async with self.db.reading() as tx:
            query = select(CustomerGroupRow.id).where(
                CustomerGroupRow.owner_id == owner_id, col(CustomerGroupRow.active)
            )
            missing = sorted(set((await tx.exec(query)).all()) - seen)
        for unlisted in missing:
            await self._sync_one_group(GroupChatId(unlisted))

    async def _sync_groups_of_others(self, serving: Sequence[StaffId]) -> None:
        """Groups whose owner left are in no owner's list, but live on: ask for each."""
        async with self.db.reading() as tx:
            query = select(CustomerGroupRow.id, CustomerGroupRow.owner_id).where(col(CustomerGroupRow.active))
            orphans = sorted(group_id for group_id, owner in (await tx.exec(query)).all() if owner not in set(serving))
        for orphan in orphans:
            await self._sync_one_group(GroupChatId(orphan))

    async def _sync_one_group(self, chat_id: GroupChatId) -> None:
        found = await sync_group(self.db, self.client, self.clock, chat_id)
        self._count(groups=int(found))

    def _count(self, **more: int) -> None:
        self.report = replace(self.report, **{name: getattr(self.report, name) + value for name, value in more.items()})


async def _end_all_follows(db: Database, customer_id: CustomerId, settings: CustomersSettings, now: datetime) -> None:
    async with db.transaction() as tx:
        query = select(FollowRow.staff_id).where(FollowRow.customer_id == customer_id)
        for staff_id in (await tx.exec(query)).all():
            await mirror.do_end_follow(tx, StaffId(staff_id), customer_id, settings, now)
