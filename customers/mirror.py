"""Write what the platform answered into our rows. Every function works in the caller's transaction.

Nothing is deleted: what the platform no longer shows becomes inactive.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import update
from sqlmodel import SQLModel, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Tx
from bot.wecom.contacts import (
    CorpTag,
    CustomerGroup,
    CustomerProfile,
    Department,
    Follow,
    FollowedCustomer,
    GroupMemberKind,
    Member,
)
from customers.batches import BATCH, iter_batches, upsert_rows
from customers.cards import mask_mobile
from customers.departures import do_close_departures, do_note_departure
from customers.models import (
    AibotCapability,
    BranchRow,
    CorpTagRow,
    CustomerGroupRow,
    CustomerRow,
    FollowRow,
    FollowState,
    GroupMemberRow,
    RiskLevel,
    StaffRow,
    SyncSeenRow,
    SyncStage,
)
from customers.settings import CustomersSettings
from customers.traits import TaggedFollow, TagName, TraitGroups, Traits, read_traits

RowT = TypeVar("RowT", bound=SQLModel)


@dataclass(frozen=True, slots=True)
class GroupChange:
    """Who joined or left a group, by an event: it leads from one version of the members to the next."""

    chat_id: GroupChatId
    joined: tuple[str, ...]
    left: tuple[str, ...]
    last_version: str
    current_version: str


async def do_store_branches(
    tx: Tx, departments: Sequence[Department], now: datetime, asked_at: datetime | None = None
) -> int:
    """Store all departments; those that are missing become inactive. Returns how many rows changed.

    Here and below: what changed after `asked_at`, when the platform was asked, is left as it is.
    """
    rows = [
        {"id": one.id, "name": one.name, "parent_id": one.parent_id, "position": one.order, "active": True}
        for one in departments
    ]
    changed = await upsert_rows(tx, BranchRow, rows, now, asked_at=asked_at)
    gone = await tx.exec(_unchanged_since(select(BranchRow).where(col(BranchRow.active)), BranchRow, asked_at))
    return changed + _retire(gone.all(), {one.id for one in departments}, now)


async def do_store_members(
    tx: Tx,
    members: Sequence[Member],
    serving: Collection[StaffId],
    now: datetime,
    asked_at: datetime | None = None,
) -> int:
    """Store members; `serving` are those with the customer-contact right. Returns how many rows changed.

    Who was active and is not any more has departed; who is back has not.
    """
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "branch_id": one.main_department_id,
            "position": one.position,
            "serves": one.id in serving,
            "leads": one.leads,
            "active": one.active,
        }
        for one in members
    ]
    stopped = [one.id for one in members if not one.active]
    left = [row for row in await _list_staff(tx, stopped) if row.active]
    changed = await upsert_rows(tx, StaffRow, rows, now, asked_at=asked_at)
    for row in left:
        if not row.active:
            await do_note_departure(tx, row, now)
    await do_close_departures(tx, [one.id for one in members if one.active], now)
    return changed


async def do_retire_members(tx: Tx, staff_ids: Sequence[str], now: datetime) -> int:
    """Mark members as gone and without the right to serve. Returns how many were active."""
    rows = [row for row in await _list_staff(tx, staff_ids) if row.active]
    for row in rows:
        row.active = row.serves = False
        row.changed_at = now
        await do_note_departure(tx, row, now)
    await tx.flush()
    return len(rows)


async def do_rename_member(tx: Tx, old_id: StaffId, new_id: StaffId, now: datetime) -> bool:
    """Give all that is a member's to their new userid. False when the old one is unknown or the new one known.

    The old row stays, inactive: the archive and the audit trail refer to it. It is no departure.
    """
    old = await tx.get(StaffRow, old_id)
    if old is None or old_id == new_id or await tx.get(StaffRow, new_id) is not None:
        return False
    tx.add(StaffRow(**{**old.model_dump(), "id": new_id, "changed_at": now}))
    old.active = old.serves = False
    old.changed_at = now
    await tx.flush()
    connection = await tx.connection()
    for model, name in ((FollowRow, "staff_id"), (CustomerGroupRow, "owner_id"), (GroupMemberRow, "member_id")):
        await connection.execute(update(model).where(getattr(model, name) == old_id).values({name: new_id}))
    return True


async def list_unseen_members(tx: Tx, asked_at: datetime, limit: int = BATCH) -> list[str]:
    """List active members whom a directory sweep begun at `asked_at` has not seen."""
    query = (
        select(StaffRow.id)
        .where(
            col(StaffRow.active),
            col(StaffRow.changed_at) <= asked_at,
            col(StaffRow.id).not_in(_seen(SyncStage.DIRECTORY, "")),
        )
        .order_by(col(StaffRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def do_store_tags(tx: Tx, tags: Sequence[CorpTag], now: datetime, asked_at: datetime | None = None) -> int:
    """Store all corp tags; those that are missing become inactive. Returns how many rows changed."""
    rows = [
        {
            "id": tag.id,
            "name": tag.name,
            "group_id": tag.group_id,
            "group_name": tag.group_name,
            "position": tag.order,
            "active": True,
        }
        for tag in tags
    ]
    changed = await upsert_rows(tx, CorpTagRow, rows, now, asked_at=asked_at)
    gone = await tx.exec(_unchanged_since(select(CorpTagRow).where(col(CorpTagRow.active)), CorpTagRow, asked_at))
    return changed + _retire(gone.all(), {tag.id for tag in tags}, now)


async def do_forget_tags(tx: Tx, tag_or_group_id: str, now: datetime, *, is_group: bool) -> int:
    """Mark a deleted tag, or all tags of a deleted group, inactive: for those no event follows (02-events.md, 2.6)."""
    key = CorpTagRow.group_id if is_group else CorpTagRow.id
    rows = (await tx.exec(select(CorpTagRow).where(key == tag_or_group_id, col(CorpTagRow.active)))).all()
    return _retire(rows, (), now)


async def do_store_followed(
    tx: Tx,
    page: Sequence[FollowedCustomer],
    settings: CustomersSettings,
    now: datetime,
    asked_at: datetime | None = None,
) -> int:
    """Store a page of customers with one relation each, and read their traits anew. Returns how many rows changed."""
    profiles = {item.profile.id: item.profile for item in page}
    changed = await _store_profiles(tx, list(profiles.values()), now)
    rows = [_follow_row(item.profile.id, item.follow) for item in page]
    changed += await upsert_rows(tx, FollowRow, rows, now, {"last_contact_at": None}, asked_at)
    return changed + await do_refresh_traits(tx, list(profiles), settings, now)


async def do_store_customer(
    tx: Tx, profile: CustomerProfile, follows: Sequence[Follow], settings: CustomersSettings, now: datetime
) -> int:
    """Store one customer with all relations; relations that are missing have ended. Returns how many rows changed."""
    changed = await _store_profiles(tx, [profile], now)
    rows = [_follow_row(profile.id, follow) for follow in follows]
    changed += await upsert_rows(tx, FollowRow, rows, now, {"last_contact_at": None})
    present = {follow.staff_id for follow in follows}
    for row in (await tx.exec(select(FollowRow).where(FollowRow.customer_id == profile.id))).all():
        changed += row.staff_id not in present and _end_follow(row, now)
    return changed + await do_refresh_traits(tx, [profile.id], settings, now)


async def do_end_follow(
    tx: Tx, staff_id: StaffId, customer_id: CustomerId, settings: CustomersSettings, now: datetime
) -> bool:
    """End one relation: one of the two has removed the other. False when there was none."""
    row = await tx.get(FollowRow, (staff_id, customer_id))
    if row is None or not _end_follow(row, now):
        return False
    await do_refresh_traits(tx, [customer_id], settings, now)
    return True


async def do_end_unseen_follows(
    tx: Tx, staff_id: StaffId, asked_at: datetime, settings: CustomersSettings, now: datetime, limit: int = BATCH
) -> int:
    """End at most `limit` relations of a member that a sweep begun at `asked_at` has not seen. Returns how many.

    A relation that changed later came by an event, and is left alone.
    """
    query = (
        select(FollowRow)
        .where(
            FollowRow.staff_id == staff_id,
            FollowRow.state == FollowState.ACTIVE,
            col(FollowRow.changed_at) <= asked_at,
            col(FollowRow.customer_id).not_in(_seen(SyncStage.CUSTOMERS, staff_id)),
        )
        .order_by(col(FollowRow.customer_id))
        .limit(limit)
    )
    rows = (await tx.exec(query)).all()
    for row in rows:
        _end_follow(row, now)
    await do_refresh_traits(tx, [row.customer_id for row in rows], settings, now)
    return len(rows)


async def do_refresh_traits(tx: Tx, customer_ids: Sequence[str], settings: CustomersSettings, now: datetime) -> int:
    """Read risk level, tier, stage and activity of the customers from their relations. Returns how many changed."""
    await tx.flush()
    groups = TraitGroups(settings.risk_tag_group, settings.tier_tag_group, settings.stage_tag_group)
    names = await _tag_names(tx, groups)
    changed = 0
    for batch in iter_batches(customer_ids):
        follows = await _active_follows(tx, batch)
        query = select(CustomerRow).where(col(CustomerRow.id).in_(batch)).order_by(col(CustomerRow.id))
        for row in (await tx.exec(query)).all():
            tagged = [TaggedFollow(one.tags, one.added_at) for one in follows.get(row.id, [])]
            changed += _set_traits(row, read_traits(tagged, names, groups), bool(tagged), now)
    await tx.flush()
    return changed


async def do_store_group(tx: Tx, group: CustomerGroup, now: datetime) -> int:
    """Store a group and its members; members who left become inactive. Returns how many rows changed."""
    row = {
        "id": group.id,
        "name": group.name,
        "owner_id": group.owner_id,
        "member_count": len(group.members),
        "member_version": group.member_version,
        "created_at": group.created_at,
        "active": True,
    }
    unprobed = {"aibot": AibotCapability.UNKNOWN, "aibot_seen_at": None}
    changed = await upsert_rows(tx, CustomerGroupRow, [row], now, unprobed)
    members = [
        {
            "group_id": group.id,
            "member_id": member.id,
            "kind": member.kind,
            "name": member.group_nickname or member.name,
            "joined_at": member.joined_at,
            "active": True,
        }
        for member in group.members
    ]
    changed += await upsert_rows(tx, GroupMemberRow, members, now)
    present = {member.id for member in group.members}
    query = select(GroupMemberRow).where(GroupMemberRow.group_id == group.id, col(GroupMemberRow.active))
    for member_row in (await tx.exec(query)).all():
        if member_row.member_id not in present:
            member_row.active = False
            member_row.changed_at = now
            changed += 1
    return changed


async def do_apply_group_change(tx: Tx, change: GroupChange, now: datetime) -> bool:
    """Apply who came or went to a copy of the version the change builds on. False: read the group anew instead.

    That is so for any other version, and when somebody came whom we do not know: their name would be missing.
    Source: 02-events.md, 2.5.
    """
    query = select(CustomerGroupRow).where(CustomerGroupRow.id == change.chat_id).with_for_update()
    group = (await tx.exec(query)).first()
    if group is None or not group.active or not change.last_version or group.member_version != change.last_version:
        return False
    names = await _names_of(tx, change.joined)
    if not change.current_version or set(names) != set(change.joined):
        return False
    rows = [
        {
            "group_id": change.chat_id,
            "member_id": person,
            "kind": kind,
            "name": name,
            "joined_at": now,
            "active": True,
        }
        for person, (kind, name) in names.items()
    ]
    await upsert_rows(tx, GroupMemberRow, rows, now)
    for person in change.left:
        member = await tx.get(GroupMemberRow, (change.chat_id, person))
        if member is not None and member.active:
            member.active, member.changed_at = False, now
    await tx.flush()
    counted = select(func.count()).where(
        col(GroupMemberRow.group_id) == change.chat_id, col(GroupMemberRow.active).is_(True)
    )
    group.member_count = (await tx.exec(counted)).one()
    group.member_version, group.changed_at = change.current_version, now
    return True


async def do_close_group(tx: Tx, chat_id: GroupChatId, now: datetime) -> bool:
    """Mark a group as gone (dismissed, or no longer ours to see). False when it was not there or gone already."""
    row = await tx.get(CustomerGroupRow, chat_id)
    if row is None or not row.active:
        return False
    row.active = False
    row.changed_at = now
    return True


async def _store_profiles(tx: Tx, profiles: Sequence[CustomerProfile], now: datetime) -> int:
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "kind": one.kind,
            "gender": one.gender,
            "corp_name": one.corp_name,
            "unionid": one.unionid,
        }
        for one in profiles
    ]
    initial = {"risk_level": None, "tier": None, "stage": None, "opted_out": False, "active": True}
    return await upsert_rows(tx, CustomerRow, rows, now, initial)


def _follow_row(customer_id: CustomerId, follow: Follow) -> dict[str, Any]:
    return {
        "staff_id": follow.staff_id,
        "customer_id": customer_id,
        "remark": follow.remark,
        "description": follow.description,
        "mobiles": [mask_mobile(mobile) for mobile in follow.mobiles],
        "tags": list(follow.tag_ids),
        "add_way": follow.add_way,
        "channel": follow.state,
        "state": FollowState.ACTIVE,
        "added_at": follow.added_at,
    }


def _end_follow(row: FollowRow, now: datetime) -> bool:
    if row.state is FollowState.ENDED:
        return False
    row.state = FollowState.ENDED
    row.changed_at = now
    return True


async def _tag_names(tx: Tx, groups: TraitGroups) -> dict[str, TagName]:
    wanted = (groups.risk, groups.tier, groups.stage)
    query = select(CorpTagRow).where(col(CorpTagRow.active), col(CorpTagRow.group_name).in_(wanted))
    return {row.id: TagName(row.group_name, row.name) for row in (await tx.exec(query)).all()}


async def _active_follows(tx: Tx, customer_ids: Sequence[str]) -> dict[str, list[FollowRow]]:
    query = select(FollowRow).where(col(FollowRow.customer_id).in_(customer_ids), FollowRow.state == FollowState.ACTIVE)
    follows: dict[str, list[FollowRow]] = {}
    for row in (await tx.exec(query)).all():
        follows.setdefault(row.customer_id, []).append(row)
    return follows


def _set_traits(row: CustomerRow, traits: Traits, active: bool, now: datetime) -> bool:
    level = RiskLevel(traits.risk_level) if traits.risk_level else None
    if (row.risk_level, row.tier, row.stage, row.active) == (level, traits.tier, traits.stage, active):
        return False
    row.risk_level, row.tier, row.stage, row.active = level, traits.tier, traits.stage, active
    row.changed_at = now
    return True


async def _list_staff(tx: Tx, staff_ids: Sequence[str]) -> list[StaffRow]:
    return [
        row
        for batch in iter_batches(staff_ids)
        for row in (await tx.exec(select(StaffRow).where(col(StaffRow.id).in_(batch)))).all()
    ]


async def _names_of(tx: Tx, people: Sequence[str]) -> dict[str, tuple[GroupMemberKind, str]]:
    """Return kind and name of the members and customers among `people`; who is neither is missing."""
    customers = (await tx.exec(select(CustomerRow.id, CustomerRow.name).where(col(CustomerRow.id).in_(people)))).all()
    staff = (await tx.exec(select(StaffRow.id, StaffRow.name).where(col(StaffRow.id).in_(people)))).all()
    found = {one: (GroupMemberKind.CUSTOMER, name) for one, name in customers}
    return found | {one: (GroupMemberKind.STAFF, name) for one, name in staff}


def _seen(stage: SyncStage, part: str) -> SelectOfScalar[str]:
    return select(SyncSeenRow.object_id).where(SyncSeenRow.stage == stage, SyncSeenRow.part == part)


def _unchanged_since(
    query: SelectOfScalar[RowT], model: type[BranchRow] | type[CorpTagRow], asked_at: datetime | None
) -> SelectOfScalar[RowT]:
    return query if asked_at is None else query.where(col(model.changed_at) <= asked_at)


def _retire(
    rows: Sequence[BranchRow] | Sequence[CorpTagRow],
    present: Collection[str] | Collection[int],
    now: datetime,
) -> int:
    gone = [row for row in rows if row.id not in present]
    for row in gone:
        row.active = False
        row.changed_at = now
    return len(gone)
