"""Every query on customers, staff and groups. A member sees their own customers only."""

from datetime import datetime

from sqlmodel import col, func, select

from bot.errors import NotFound
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Tx
from customers.cards import CustomerCard, mask_numbers
from customers.models import (
    AibotCapability,
    BranchRow,
    CorpTagRow,
    CustomerGroupRow,
    CustomerRow,
    FollowRow,
    FollowState,
    GroupMemberRow,
    StaffRow,
)
from customers.names import Named, rank_names

# How many candidates a name may give: more than a person can tell apart on a card is of no use.
MAX_CANDIDATES = 20


async def find_staff(tx: Tx, staff_id: StaffId) -> StaffRow | None:
    """Return the member, also an inactive one."""
    return await tx.get(StaffRow, staff_id)


async def list_staff(tx: Tx, limit: int = 5000) -> list[StaffRow]:
    """List active members by id, at most `limit`."""
    query = select(StaffRow).where(col(StaffRow.active)).order_by(col(StaffRow.id)).limit(limit)
    return list((await tx.exec(query)).all())


async def list_branches(tx: Tx) -> list[BranchRow]:
    """List active departments in the platform's order."""
    query = (
        select(BranchRow)
        .where(col(BranchRow.active))
        .order_by(col(BranchRow.position).desc(), col(BranchRow.id))
        .limit(5000)
    )
    return list((await tx.exec(query)).all())


async def find_customers_by_name(tx: Tx, staff_id: StaffId, name: str) -> list[CustomerCard]:
    """List the member's own customers who may be meant by `name`, the best fit first, at most 20.

    When a name or remark is exactly `name`, only those are returned; see `names.py` for the forms of address.
    """
    query = (
        select(CustomerRow.id, CustomerRow.name, FollowRow.remark, CustomerRow.gender)
        .join(FollowRow, col(FollowRow.customer_id) == col(CustomerRow.id))
        .where(FollowRow.staff_id == staff_id, FollowRow.state == FollowState.ACTIVE)
    )
    people = [Named(*row) for row in (await tx.exec(query)).all()]
    matches = rank_names(name, people, MAX_CANDIDATES)
    return [await get_customer_card(tx, staff_id, CustomerId(match.id)) for match in matches]


async def get_customer_card(tx: Tx, staff_id: StaffId, customer_id: CustomerId) -> CustomerCard:
    """Return the customer as this member may see them.

    Raises:
        NotFound: no such customer, or not this member's: the answer does not tell which.
    """
    follow = await _get_own_follow(tx, staff_id, customer_id)
    customer = await tx.get_one(CustomerRow, customer_id)
    return CustomerCard(
        customer_id=customer.id,
        staff_id=follow.staff_id,
        name=customer.name,
        remark=mask_numbers(follow.remark),
        tags=await _tag_names(tx, follow.tags),
        risk_level=customer.risk_level,
        tier=customer.tier,
        stage=customer.stage,
        mobiles=tuple(follow.mobiles),
        added_at=follow.added_at,
        groups=await _shared_groups(tx, staff_id, customer_id),
        last_contact_at=follow.last_contact_at,
        opted_out=customer.opted_out,
    )


async def list_customers_of(tx: Tx, staff_id: StaffId, after: str = "", limit: int = 100) -> list[CustomerRow]:
    """List the member's own customers by id, from the one behind `after`, at most `limit`."""
    query = (
        select(CustomerRow)
        .join(FollowRow, col(FollowRow.customer_id) == col(CustomerRow.id))
        .where(
            FollowRow.staff_id == staff_id,
            FollowRow.state == FollowState.ACTIVE,
            col(CustomerRow.id) > after,
        )
        .order_by(col(CustomerRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def find_customer(tx: Tx, customer_id: CustomerId) -> CustomerRow | None:
    """Return the customer without asking who wants to know: for the machinery, not for people's eyes."""
    return await tx.get(CustomerRow, customer_id)


async def list_follows_of(tx: Tx, customer_id: CustomerId) -> list[FollowRow]:
    """List who serves the customer now, the longest relation first."""
    query = (
        select(FollowRow)
        .where(FollowRow.customer_id == customer_id, FollowRow.state == FollowState.ACTIVE)
        .order_by(col(FollowRow.added_at), col(FollowRow.staff_id))
    )
    return list((await tx.exec(query)).all())


async def list_groups_of(tx: Tx, staff_id: StaffId) -> list[CustomerGroupRow]:
    """List the active groups the member owns, by id."""
    query = (
        select(CustomerGroupRow)
        .where(CustomerGroupRow.owner_id == staff_id, col(CustomerGroupRow.active))
        .order_by(col(CustomerGroupRow.id))
    )
    return list((await tx.exec(query)).all())


async def list_groups(tx: Tx, name: str, limit: int, offset: int = 0) -> list[CustomerGroupRow]:
    """List active groups whose name contains `name`, by name; all of them when it is empty."""
    query = select(CustomerGroupRow).where(col(CustomerGroupRow.active))
    if name:
        query = query.where(col(CustomerGroupRow.name).contains(name, autoescape=True))
    query = query.order_by(col(CustomerGroupRow.name), col(CustomerGroupRow.id)).limit(limit).offset(offset)
    return list((await tx.exec(query)).all())


async def find_group(tx: Tx, chat_id: GroupChatId) -> CustomerGroupRow | None:
    """Return the group, also an inactive one."""
    return await tx.get(CustomerGroupRow, chat_id)


async def list_group_members(tx: Tx, chat_id: GroupChatId) -> list[GroupMemberRow]:
    """List the group's present members by id."""
    query = (
        select(GroupMemberRow)
        .where(GroupMemberRow.group_id == chat_id, col(GroupMemberRow.active))
        .order_by(col(GroupMemberRow.member_id))
    )
    return list((await tx.exec(query)).all())


async def count_customers(tx: Tx) -> int:
    """Count the customers somebody serves."""
    query = select(func.count()).select_from(CustomerRow).where(col(CustomerRow.active))
    return (await tx.exec(query)).one()


async def do_mark_aibot(tx: Tx, chat_id: GroupChatId, capability: AibotCapability, now: datetime) -> None:
    """Record whether the group admits the AI bot, as just seen or probed.

    Raises:
        NotFound: we do not know the group.
    """
    row = await tx.get(CustomerGroupRow, chat_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no customer group {chat_id}")
    row.aibot = capability
    row.aibot_seen_at = now


async def do_start_probe(tx: Tx, chat_id: GroupChatId, now: datetime) -> None:
    """Begin to find out whether the group admits the AI bot; until it is seen there, it counts as not admitted.

    Raises:
        NotFound: we do not know the group.
    """
    row = await tx.get(CustomerGroupRow, chat_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no customer group {chat_id}")
    row.aibot = AibotCapability.UNKNOWN
    row.aibot_seen_at = None
    row.aibot_probed_at = now


async def do_record_contact(tx: Tx, staff_id: StaffId, customer_id: CustomerId, at: datetime) -> None:
    """Remember when the two last were in contact. Earlier times and unknown pairs change nothing."""
    row = await tx.get(FollowRow, (staff_id, customer_id), with_for_update=True)
    if row is not None and (row.last_contact_at is None or row.last_contact_at < at):
        row.last_contact_at = at


async def do_set_opted_out(tx: Tx, customer_id: CustomerId, opted_out: bool, now: datetime) -> None:
    """Record that the customer wants no broadcasts (or wants them again).

    Raises:
        NotFound: we do not know the customer.
    """
    row = await tx.get(CustomerRow, customer_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no customer {customer_id}")
    row.opted_out = opted_out
    row.changed_at = now


async def _get_own_follow(tx: Tx, staff_id: StaffId, customer_id: CustomerId) -> FollowRow:
    row = await tx.get(FollowRow, (staff_id, customer_id))
    if row is None or row.state is not FollowState.ACTIVE:
        raise NotFound(f"member {staff_id} serves no customer {customer_id}")
    return row


async def _tag_names(tx: Tx, tag_ids: list[str]) -> tuple[str, ...]:
    if not tag_ids:
        return ()
    query = (
        select(CorpTagRow.name)
        .where(col(CorpTagRow.id).in_(tag_ids), col(CorpTagRow.active))
        .order_by(col(CorpTagRow.group_name), col(CorpTagRow.position).desc(), col(CorpTagRow.id))
    )
    return tuple((await tx.exec(query)).all())


async def _shared_groups(tx: Tx, staff_id: StaffId, customer_id: CustomerId) -> tuple[str, ...]:
    """Name the groups that both are in; a group of other people's is none of this member's business."""
    with_staff = select(GroupMemberRow.group_id).where(GroupMemberRow.member_id == staff_id, col(GroupMemberRow.active))
    query = (
        select(CustomerGroupRow.name)
        .join(GroupMemberRow, col(GroupMemberRow.group_id) == col(CustomerGroupRow.id))
        .where(
            GroupMemberRow.member_id == customer_id,
            col(GroupMemberRow.active),
            col(CustomerGroupRow.active),
            (col(CustomerGroupRow.owner_id) == staff_id) | col(CustomerGroupRow.id).in_(with_staff),
        )
        .order_by(col(CustomerGroupRow.id))
        .limit(20)
    )
    return tuple((await tx.exec(query)).all())
