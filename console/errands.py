"""What is fetched from the platform before an event's handler runs: notices only announce, events only name.

Errands talk to the platform, so they run outside of any transaction. A WelcomeCode must not wait for that: its customer
is put down to be read soon after (bot/lanes.py).
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import structlog

from bot.clock import Clock
from bot.doors.readers import mirror_row
from bot.errors import PlatformError
from bot.events import (
    ArchiveConsentGiven,
    ArchiveNotice,
    Change,
    CorpTagChanged,
    CustomerAdded,
    CustomerEdited,
    CustomerEvent,
    CustomerHalfAdded,
    CustomerRemoved,
    CustomerTransferFailed,
    DepartmentChanged,
    Event,
    GroupCreated,
    GroupDismissed,
    GroupEvent,
    GroupUpdated,
    KfNotice,
    MemberChanged,
    MirrorDue,
    MirrorKind,
    StaffRemovedByCustomer,
)
from bot.inbox.store import put_events
from bot.inbox.worker import Errand
from bot.storage.database import Database
from bot.wecom.client import WeComClient
from console.departures import settle_departures
from customers import (
    apply_group_update,
    do_delete_tags,
    do_end_follow,
    do_rename_member,
    do_retire_members,
    refresh_object,
)
from customers.settings import CustomersSettings

log = structlog.get_logger("console.errands")


@dataclass(frozen=True, slots=True)
class Errands:
    """The errands of a service: what they work with, and which event sets which of them off."""

    database: Database
    client: WeComClient
    clock: Clock
    customers: CustomersSettings
    pull_kf: Callable[[str, str | None], Awaitable[object]]
    pull_archive: Callable[[], Awaitable[object]]

    def by_event(self) -> Mapping[type[Event], Errand]:
        """Return the errand of each event that has one."""
        of_customer = (CustomerAdded, CustomerHalfAdded, CustomerEdited, ArchiveConsentGiven)
        return {
            KfNotice: self._pull_kf,
            ArchiveNotice: self._pull_archive,
            MirrorDue: self._mirror,
            **dict.fromkeys(of_customer, self._copy_customer),
            **dict.fromkeys((CustomerRemoved, StaffRemovedByCustomer), self._end_relation),
            CustomerTransferFailed: self._copy_customer,
            **dict.fromkeys((GroupCreated, GroupDismissed), self._copy_group),
            GroupUpdated: self._follow_group,
            MemberChanged: self._copy_member,
            DepartmentChanged: self._copy_department,
            CorpTagChanged: self._copy_tags,
        }

    async def _pull_kf(self, event: Event) -> None:
        assert isinstance(event, KfNotice)
        await self.pull_kf(event.open_kfid, event.token or None)

    async def _pull_archive(self, _: Event) -> None:
        await self.pull_archive()

    async def _copy_customer(self, event: Event) -> None:
        assert isinstance(event, CustomerEvent)
        if getattr(event, "welcome_code", None):
            await self._copy_soon(event)
        else:
            await self._try(MirrorKind.CUSTOMER, event.customer_id)

    async def _copy_soon(self, event: CustomerEvent) -> None:
        """Put it down durably; the same event tried again puts down nothing new."""
        cause = f"{event.staff_id}:{event.occurred_at.isoformat() if event.occurred_at else ''}"
        row = mirror_row(MirrorKind.CUSTOMER, event.customer_id, self.clock.now(), cause)
        async with self.database.transaction() as tx:
            await put_events(tx, [row])

    async def _mirror(self, event: Event) -> None:
        assert isinstance(event, MirrorDue)
        await self._read(event.kind, event.object_id)

    async def _end_relation(self, event: Event) -> None:
        assert isinstance(event, CustomerEvent)
        async with self.database.transaction() as tx:
            await do_end_follow(tx, event.staff_id, event.customer_id, self.customers, self.clock.now())
        if isinstance(event, CustomerRemoved) and event.by_transfer:
            await self._try(MirrorKind.CUSTOMER, event.customer_id)

    async def _copy_group(self, event: Event) -> None:
        assert isinstance(event, GroupEvent)
        await self._try(MirrorKind.GROUP, event.chat_id)

    async def _follow_group(self, event: Event) -> None:
        assert isinstance(event, GroupUpdated)
        work = apply_group_update(self.database, self.client, self.clock, event, self.customers)
        await self._try(MirrorKind.GROUP, event.chat_id, work)

    async def _copy_member(self, event: Event) -> None:
        assert isinstance(event, MemberChanged)
        now = self.clock.now()
        async with self.database.transaction() as tx:
            if event.change is Change.DELETED:
                await do_retire_members(tx, [event.staff_id], now)
            elif event.new_staff_id is not None:
                await do_rename_member(tx, event.staff_id, event.new_staff_id, now)
        if event.change is not Change.DELETED:
            await self._try(MirrorKind.MEMBER, event.new_staff_id or event.staff_id)
        await settle_departures(self.database, self.clock)

    async def _copy_department(self, event: Event) -> None:
        assert isinstance(event, DepartmentChanged)
        await self._try(MirrorKind.DEPARTMENT, str(event.department_id or ""))

    async def _copy_tags(self, event: Event) -> None:
        assert isinstance(event, CorpTagChanged)
        if event.change is Change.DELETED and event.tag_id:
            async with self.database.transaction() as tx:
                await do_delete_tags(tx, event.tag_id, self.clock.now(), is_group=event.is_group)
        await self._try(MirrorKind.TAGS, "")

    async def _read(self, kind: MirrorKind, object_id: str) -> None:
        await refresh_object(self.database, self.client, self.clock, kind, object_id, self.customers)

    async def _try(self, kind: MirrorKind, object_id: str, work: Awaitable[object] | None = None) -> None:
        """Do what is only a copy of the platform's state; what fails here is put down to be tried again by itself."""
        try:
            await (work or self._read(kind, object_id))
        except PlatformError as error:
            log.warning("sync.postponed", what=kind.value, errcode=error.errcode)
            now = self.clock.now()
            async with self.database.transaction() as tx:
                await put_events(tx, [mirror_row(kind, object_id, now, f"failed:{now.isoformat()}")])
