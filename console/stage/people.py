"""Who can be played: people and groups as our own copy of the platform knows them."""

from dataclasses import dataclass, replace

from sqlmodel import col, select

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.storage.database import Tx
from console.stage.seats import Seat, SeatKind
from customers import (
    CustomerGroupRow,
    CustomerRow,
    StaffRow,
    find_group,
    list_customers_of,
    list_follows_of,
    list_group_members,
    list_groups_of,
)

DEMO_STAFF = "rm001"
DEMO_CUSTOMER = "王芳"
_FOUND = 12


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody found: what to call them, what tells them apart, and the seat they would take."""

    name: str
    detail: str
    seat: Seat


async def fill_seat(tx: Tx, seat: Seat) -> Seat:
    """Fill in what is not chosen: the demo's first manager, her first customer, her first group with that customer."""
    staff_id = seat.staff_id or DEMO_STAFF
    chat_id = seat.chat_id
    if not chat_id:
        groups = sorted(await list_groups_of(tx, StaffId(staff_id)), key=lambda group: group.name)
        chat_id = groups[0].id if groups else ""
    elif not seat.staff_id:
        group = await find_group(tx, GroupChatId(chat_id))
        staff_id = group.owner_id if group else staff_id
    customer_id = seat.customer_id or await _pick_customer(tx, staff_id, chat_id)
    if seat.kind is SeatKind.GROUP and chat_id:
        customer_id = await _member_or_first(tx, chat_id, customer_id)
    if seat.kind is SeatKind.SINGLE and customer_id:
        served_by = [row.staff_id for row in await list_follows_of(tx, CustomerId(customer_id))]
        staff_id = staff_id if staff_id in served_by or not served_by else served_by[0]
    return replace(seat, staff_id=staff_id, chat_id=chat_id, customer_id=customer_id)


async def _pick_customer(tx: Tx, staff_id: str, chat_id: str) -> str:
    rows = await list_customers_of(tx, StaffId(staff_id))
    own = [row.id for row in sorted(rows, key=lambda row: row.name != DEMO_CUSTOMER)]
    members = await _customer_members(tx, chat_id) if chat_id else []
    return next((item for item in own if item in members), own[0] if own else "")


async def _member_or_first(tx: Tx, chat_id: str, customer_id: str) -> str:
    members = await _customer_members(tx, chat_id)
    return customer_id if customer_id in members or not members else members[0]


async def _customer_members(tx: Tx, chat_id: str) -> list[str]:
    members = await list_group_members(tx, GroupChatId(chat_id))
    return [member.member_id for member in members if member.member_id.startswith(("wm", "wo"))]


async def name_seat(tx: Tx, seat: Seat) -> tuple[str, str]:
    """Return what to call the person of a seat, and the place they are in (a group, another person, or "")."""
    staff = await tx.get(StaffRow, seat.staff_id)
    customer = await tx.get(CustomerRow, seat.customer_id)
    group = await tx.get(CustomerGroupRow, seat.chat_id)
    staff_name = staff.name if staff else seat.staff_id
    customer_name = customer.name if customer else seat.customer_id
    match seat.kind:
        case SeatKind.RM | SeatKind.OWNER:
            return staff_name, ""
        case SeatKind.KF:
            return customer_name, ""
        case SeatKind.GROUP:
            return customer_name, group.name if group else ""
        case SeatKind.SINGLE:
            return customer_name, staff_name


async def find_people(tx: Tx, seat: Seat, wanted: str) -> list[Person]:
    """Search those who can take this kind of seat; for a group's seat its name, else the person's."""
    match seat.kind:
        case SeatKind.RM | SeatKind.OWNER:
            return await _find_staff(tx, seat, wanted)
        case SeatKind.GROUP:
            return await _find_groups(tx, seat, wanted)
        case SeatKind.KF | SeatKind.SINGLE:
            return await _find_customers(tx, seat, wanted)


async def _find_staff(tx: Tx, seat: Seat, wanted: str) -> list[Person]:
    query = (
        select(StaffRow)
        .where(col(StaffRow.active), col(StaffRow.name).contains(wanted) | col(StaffRow.id).contains(wanted))
        .order_by(col(StaffRow.id))
        .limit(_FOUND)
    )
    return [
        Person(row.name, row.id, replace(seat, staff_id=row.id, customer_id="", chat_id=""))
        for row in (await tx.exec(query)).all()
    ]


async def _find_groups(tx: Tx, seat: Seat, wanted: str) -> list[Person]:
    query = (
        select(CustomerGroupRow)
        .where(col(CustomerGroupRow.active), col(CustomerGroupRow.name).contains(wanted))
        .order_by(col(CustomerGroupRow.id))
        .limit(_FOUND)
    )
    return [
        Person(row.name, row.owner_id, replace(seat, chat_id=row.id, staff_id=row.owner_id, customer_id=""))
        for row in (await tx.exec(query)).all()
    ]


async def _find_customers(tx: Tx, seat: Seat, wanted: str) -> list[Person]:
    query = (
        select(CustomerRow)
        .where(col(CustomerRow.active), col(CustomerRow.name).contains(wanted))
        .order_by(col(CustomerRow.id))
        .limit(_FOUND)
    )
    return [
        Person(row.name, row.risk_level or row.id[-6:], replace(seat, customer_id=row.id, chat_id=""))
        for row in (await tx.exec(query)).all()
    ]
