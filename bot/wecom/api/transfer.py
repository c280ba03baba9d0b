"""继承: customers and groups go from one member to another (05-customer-contact.md, 5.8)."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import Chars, Items, Name, to_body

TRANSFER = "POST /cgi-bin/externalcontact/transfer_customer"
RESULT = "POST /cgi-bin/externalcontact/transfer_result"
RESIGNED_TRANSFER = "POST /cgi-bin/externalcontact/resigned/transfer_customer"
RESIGNED_RESULT = "POST /cgi-bin/externalcontact/resigned/transfer_result"
UNASSIGNED = "POST /cgi-bin/externalcontact/get_unassigned_list"
GROUP_TRANSFER = "POST /cgi-bin/externalcontact/groupchat/transfer"
GROUP_ONJOB_TRANSFER = "POST /cgi-bin/externalcontact/groupchat/onjob_transfer"

MAX_CUSTOMERS = 100
MAX_GROUPS = 100
UNASSIGNED_PAGE = 1000
# The customer may refuse until then.
TAKES_EFFECT_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Customers of a member who has left, for another member."""

    giver: Annotated[StaffId, Name("handover_userid")]
    taker: Annotated[StaffId, Name("takeover_userid")]
    customer_ids: Annotated[tuple[CustomerId, ...], Name("external_userid"), Items(MAX_CUSTOMERS, least=1)]

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.giver == self.taker:
            yield "takeover_userid", "is the same as handover_userid"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnJobHandover(Handover):
    """Customers of a member who stays. `message` is what the customer is told; the platform has one of its own."""

    message: Annotated[str | None, Name("transfer_success_msg"), Chars(200)] = None


@dataclass(frozen=True, slots=True)
class HandoverStart:
    """Whether one customer's transfer has begun: `errcode` 0 means only that."""

    customer_id: CustomerId
    errcode: int


class TransferStatus(IntEnum):
    """What became of one customer's transfer."""

    DONE = 1
    WAITING = 2
    REFUSED = 3
    TAKER_FULL = 4
    UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class TransferResult:
    """What became of one customer's transfer, and when."""

    customer_id: CustomerId
    status: TransferStatus
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class UnassignedCustomer:
    """A customer whose member has left and who has no other yet."""

    giver: StaffId
    customer_id: CustomerId
    left_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupHandover:
    """Groups for a new owner: at most 300 a day for one person."""

    chat_ids: Annotated[tuple[GroupChatId, ...], Name("chat_id_list"), Items(MAX_GROUPS, least=1)]
    new_owner: StaffId


@dataclass(frozen=True, slots=True)
class FailedGroup:
    """A group that did not change hands, and why."""

    chat_id: GroupChatId
    errcode: int
    errmsg: str


async def transfer_customers(client: PlatformCalls, handover: OnJobHandover) -> tuple[HandoverStart, ...]:
    """Offer customers to another member: twice in 90 days for each, and each may refuse for a day."""
    return _read_starts(Answer(TRANSFER, await client.call(TRANSFER, to_body(TRANSFER, handover))))


async def transfer_resigned_customers(client: PlatformCalls, handover: Handover) -> tuple[HandoverStart, ...]:
    """Give a departed member's customers to another. No message can be given here."""
    body = to_body(RESIGNED_TRANSFER, handover)
    return _read_starts(Answer(RESIGNED_TRANSFER, await client.call(RESIGNED_TRANSFER, body)))


def iter_transfer_results(client: PlatformCalls, giver: StaffId, taker: StaffId) -> AsyncIterator[TransferResult]:
    """Yield what became of all transfers between two members who are both there."""
    return _iter_results(client, RESULT, giver, taker)


def iter_resigned_transfer_results(
    client: PlatformCalls, giver: StaffId, taker: StaffId
) -> AsyncIterator[TransferResult]:
    """Yield what became of all transfers from a member who has left."""
    return _iter_results(client, RESIGNED_RESULT, giver, taker)


async def iter_unassigned(client: PlatformCalls) -> AsyncIterator[UnassignedCustomer]:
    """Yield the customers of departed members, the latest departure first."""
    async for page in iter_pages(client, UNASSIGNED, {"page_size": UNASSIGNED_PAGE}):
        for item in page.children("info"):
            yield UnassignedCustomer(
                giver=StaffId(item.text("handover_userid")),
                customer_id=CustomerId(item.text("external_userid")),
                left_at=item.instant("dimission_time"),
            )


async def transfer_groups(client: PlatformCalls, handover: GroupHandover) -> tuple[FailedGroup, ...]:
    """Give a departed owner's groups to another member; returns those that failed."""
    return await _transfer_groups(client, GROUP_TRANSFER, handover)


async def transfer_groups_on_job(client: PlatformCalls, handover: GroupHandover) -> tuple[FailedGroup, ...]:
    """Give a present owner's groups to another member, twice in 90 days for each; returns those that failed."""
    return await _transfer_groups(client, GROUP_ONJOB_TRANSFER, handover)


async def _transfer_groups(client: PlatformCalls, api: str, handover: GroupHandover) -> tuple[FailedGroup, ...]:
    answer = Answer(api, await client.call(api, to_body(api, handover)))
    return tuple(
        FailedGroup(GroupChatId(item.text("chat_id")), item.number("errcode"), item.text("errmsg", ""))
        for item in answer.children("failed_chat_list")
    )


async def _iter_results(
    client: PlatformCalls, api: str, giver: StaffId, taker: StaffId
) -> AsyncIterator[TransferResult]:
    async for page in iter_pages(client, api, {"handover_userid": giver, "takeover_userid": taker}):
        for item in page.children("customer"):
            yield TransferResult(
                customer_id=CustomerId(item.text("external_userid")),
                status=_read_status(item.number("status")),
                taken_at=item.instant("takeover_time"),
            )


def _read_starts(answer: Answer) -> tuple[HandoverStart, ...]:
    return tuple(
        HandoverStart(CustomerId(item.text("external_userid")), item.number("errcode"))
        for item in answer.children("customer")
    )


def _read_status(code: int) -> TransferStatus:
    # One code that is not documented must not keep the other customers' results from being read.
    try:
        return TransferStatus(code)
    except ValueError:
        return TransferStatus.UNKNOWN
