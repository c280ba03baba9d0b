"""Write what the platform answered into our rows. Every function works in the caller's transaction.

Nothing is deleted: what the platform no longer shows becomes inactive.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Tx
from bot.wecom.contacts import (
    CorpTag,
    CustomerGroup,
    CustomerProfile,
    Department,
    Follow,
    FollowedCustomer,
    Member,
)
from customers.batches import iter_batches, upsert_rows
from customers.cards import mask_mobile
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
)
from customers.settings import CustomersSettings
from customers.traits import TaggedFollow, TagName, TraitGroups, Traits, read_traits


async def do_store_branches(tx: Tx, departments: Sequence[Department], now: datetime) -> int:
    """Store all departments; those that are missing become inactive. Returns how many rows changed."""
    rows = [
        {"id": one.id, "name": one.name, "parent_id": one.parent_id, "position": one.order, "active": True}
        for one in departments
    ]
    changed = await upsert_rows(tx, BranchRow, rows, now)
    gone = await tx.exec(select(BranchRow).where(col(BranchRow.active)))
    return changed + _retire(gone.all(), {one.id for one in departments}, now)


async def do_store_members(tx: Tx, members: Sequence[Member], serving: Collection[StaffId], now: datetime) -> int:
    """Store members; `serving` are those with the customer-contact right. Returns how many rows changed."""
    rows = [
        {
            "id": one.id,
            "name": one.name,
            "branch_id": one.main_department_id,
            "position": one.position,
            "serves": one.id in serving,
            "active": one.active,
        }
        for one in members
    ]
    return await upsert_rows(tx, StaffRow, rows, now)


async def do_retire_members(tx: Tx, present: Collection[str], now: datetime) -> int:
    """Mark the members that are not `present` inactive and without the right to serve."""
    rows = (await tx.exec(select(StaffRow).where(col(StaffRow.active)))).all()
    for row in rows:
        if row.id not in present:
            row.serves = False
    return _retire(rows, present, now)


async def do_store_tags(tx: Tx, tags: Sequence[CorpTag], now: datetime) -> int:
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
    changed = await upsert_rows(tx, CorpTagRow, rows, now)
    gone = await tx.exec(select(CorpTagRow).where(col(CorpTagRow.active)))
    return changed + _retire(gone.all(), {tag.id for tag in tags}, now)


async def do_store_followed(
    tx: Tx, page: Sequence[FollowedCustomer], settings: CustomersSettings, now: datetime
) -> int:
    """Store a page of customers with one relation each, and read their traits anew. Returns how many rows changed."""
    profiles = {item.profile.id: item.profile for item in page}
    changed = await _store_profiles(tx, list(profiles.values()), now)
    rows = [_follow_row(item.profile.id, item.follow) for item in page]
    changed += await upsert_rows(tx, FollowRow, rows, now, {"last_contact_at": None})
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


async def do_end_other_follows(
    tx: Tx, staff_id: StaffId, present: Collection[str], settings: CustomersSettings, now: datetime
) -> int:
    """End the member's relations to customers that are not `present`. Returns how many were ended."""
    query = select(FollowRow).where(FollowRow.staff_id == staff_id, FollowRow.state == FollowState.ACTIVE)
    gone = [row.customer_id for row in (await tx.exec(query)).all() if row.customer_id not in present]
    for batch in iter_batches(gone):
        for customer_id in batch:
            row = await tx.get(FollowRow, (staff_id, customer_id))
            if row is not None:
                _end_follow(row, now)
        await do_refresh_traits(tx, batch, settings, now)
    return len(gone)


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


def _retire(
    rows: Sequence[BranchRow] | Sequence[StaffRow] | Sequence[CorpTagRow],
    present: Collection[str] | Collection[int],
    now: datetime,
) -> int:
    gone = [row for row in rows if row.id not in present]
    for row in gone:
        row.active = False
        row.changed_at = now
    return len(gone)
