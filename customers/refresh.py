"""Read one thing anew, after an event or because a copy is known to be stale. The full sync mends what fails here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import assert_never

from sqlmodel import select

from bot.clock import Clock
from bot.errors import PlatformError
from bot.events import GroupUpdated, MirrorKind
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Database, Tx
from bot.wecom import contacts
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.contacts import CustomerGroup
from customers import mirror
from customers.mirror import GroupChange
from customers.models import FollowRow, StaffRow
from customers.settings import CustomersSettings
from customers.tagging import refresh_tags

# 84061 no relation, 40096 unknown customer: the member has none, or the customer is nobody's any more.
NO_RELATION = frozenset({84061, 40096})
# 60111 no such member, 60011 outside the visible range, 40003 not a userid.
HIDDEN_MEMBER = frozenset({60111, 60011, 40003})
# 49008 dissolved, 90501 not a customer group, 40050 unknown, 60011 no longer ours to see.
GROUP_GONE = frozenset({49008, 90501, 40050, 86003, 60011})
# 60003 no such department, 60123 not a department id, 60011 outside the visible range.
HIDDEN_DEPARTMENT = frozenset({60003, 60123, 60011})

_ADDED, _LEFT = "add_member", "del_member"


async def refresh_object(
    db: Database,
    client: PlatformCalls,
    clock: Clock,
    kind: MirrorKind,
    object_id: str,
    settings: CustomersSettings | None = None,
) -> None:
    """Bring our copy of one object to what the platform shows now.

    `object_id` is a customer's, group's, member's or department's id; of tags all are read, whatever it says.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    settings = settings or CustomersSettings()
    match kind:
        case MirrorKind.CUSTOMER:
            await sync_customer(db, client, clock, CustomerId(object_id), settings)
        case MirrorKind.GROUP:
            await sync_group(db, client, clock, GroupChatId(object_id))
        case MirrorKind.MEMBER:
            await sync_member(db, client, clock, StaffId(object_id))
        case MirrorKind.DEPARTMENT:
            await sync_department(db, client, clock, object_id)
        case MirrorKind.TAGS:
            await refresh_tags(db, client, clock, settings)
        case _:
            assert_never(kind)


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
        if error.errcode not in NO_RELATION:
            raise
        await _end_all_follows(db, clock, customer_id, settings)
        return False
    async with db.transaction() as tx:
        await mirror.do_store_customer(tx, found.profile, found.follows, settings, clock.now())
    return True


async def sync_group(db: Database, client: PlatformCalls, clock: Clock, chat_id: GroupChatId) -> bool:
    """Read one group anew, after an event. False when it is gone or no longer ours to see.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    group = await find_platform_group(client, chat_id)
    async with db.transaction() as tx:
        await do_store_or_close_group(tx, chat_id, group, clock)
    return group is not None


async def find_platform_group(client: PlatformCalls, chat_id: GroupChatId) -> CustomerGroup | None:
    """Return the group as the platform shows it; `None` when it is gone or no longer ours to see.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    try:
        return await contacts.get_group(client, chat_id)
    except PlatformError as error:
        if error.errcode not in GROUP_GONE:
            raise
        return None


async def do_store_or_close_group(tx: Tx, chat_id: GroupChatId, group: CustomerGroup | None, clock: Clock) -> int:
    """Store what `find_platform_group` has found. Returns how many rows changed."""
    if group is None:
        return int(await mirror.do_close_group(tx, chat_id, clock.now()))
    return await mirror.do_store_group(tx, group, clock.now())


async def apply_group_update(
    db: Database,
    client: PlatformCalls,
    clock: Clock,
    event: GroupUpdated,
    settings: CustomersSettings | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> bool:
    """Follow a group's update: apply who came or went when our copy is the one it builds on, else read it anew.

    Details settle late at the platform, so reading waits a little (02-events.md, 2.5). Returns whether it was applied
    without asking the platform.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    settings = settings or CustomersSettings()
    if event.detail in (_ADDED, _LEFT) and event.members:
        change = GroupChange(
            chat_id=event.chat_id,
            joined=event.members if event.detail == _ADDED else (),
            left=event.members if event.detail == _LEFT else (),
            last_version=event.last_version,
            current_version=event.current_version,
        )
        async with db.transaction() as tx:
            if await mirror.do_apply_group_change(tx, change, clock.now()):
                return True
    await sleep(settings.group_settle_seconds)
    await sync_group(db, client, clock, event.chat_id)
    return False


async def sync_member(db: Database, client: PlatformCalls, clock: Clock, staff_id: StaffId) -> bool:
    """Read one member anew, after an event. False when they are gone, or no longer ours to see: they have departed.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    try:
        member = await contacts.get_member(client, staff_id)
    except PlatformError as error:
        if error.errcode not in HIDDEN_MEMBER:
            raise
        async with db.transaction() as tx:
            await mirror.do_retire_members(tx, [staff_id], clock.now())
        return False
    async with db.reading() as tx:
        known = await tx.get(StaffRow, staff_id)
    # who is known keeps the right until a full sync, or an event about customers, says otherwise
    serving = {staff_id} if known is not None and known.serves else set(await contacts.list_follow_users(client))
    async with db.transaction() as tx:
        await mirror.do_store_members(tx, [member], serving, clock.now())
    return True


async def sync_department(db: Database, client: PlatformCalls, clock: Clock, department_id: str = "") -> None:
    """Read all departments anew, after an event about one of them, and the members of that one.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    asked_at = clock.now()
    departments = await contacts.list_departments(client)
    async with db.transaction() as tx:
        await mirror.do_store_branches(tx, departments, clock.now(), asked_at)
    if department_id not in {str(one.id) for one in departments}:
        return
    members = await contacts.list_members(client, int(department_id))
    serving = set(await contacts.list_follow_users(client))
    async with db.transaction() as tx:
        await mirror.do_store_members(tx, members, serving, clock.now(), asked_at)


async def _end_all_follows(db: Database, clock: Clock, customer_id: CustomerId, settings: CustomersSettings) -> None:
    async with db.transaction() as tx:
        query = select(FollowRow.staff_id).where(FollowRow.customer_id == customer_id)
        for staff_id in (await tx.exec(query)).all():
            await mirror.do_end_follow(tx, StaffId(staff_id), customer_id, settings, clock.now())
