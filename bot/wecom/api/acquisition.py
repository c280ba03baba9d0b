"""获客助手: links by which customers become contacts, and who came by them (05-customer-contact.md, 5.11).

An app sees only its own links.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated
from urllib.parse import quote, urlencode

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import FILLED, Chars, Items, Name, RequestInvalid, join_params, to_body

CREATE = "POST /cgi-bin/externalcontact/customer_acquisition/create_link"
GET = "POST /cgi-bin/externalcontact/customer_acquisition/get"
LIST = "POST /cgi-bin/externalcontact/customer_acquisition/list_link"
UPDATE = "POST /cgi-bin/externalcontact/customer_acquisition/update_link"
DELETE = "POST /cgi-bin/externalcontact/customer_acquisition/delete_link"
CUSTOMERS = "POST /cgi-bin/externalcontact/customer_acquisition/customer"
QUOTA = "POST /cgi-bin/externalcontact/customer_acquisition_quota"
STATISTIC = "GET /cgi-bin/externalcontact/customer_acquisition/statistic"
CHAT_INFO = "POST /cgi-bin/externalcontact/customer_acquisition/get_chat_info"

LINK_PAGE = 100
CUSTOMER_PAGE = 1000
LONGEST_SPAN = timedelta(days=30)
MAX_CHANNEL_BYTES = 64


class PriorityType(IntEnum):
    """Who is preferred among a link's members (some industries only); as documented, without names."""

    FIRST = 1
    SECOND = 2


@dataclass(frozen=True, slots=True)
class LinkRange:
    """Who takes a link's customers: 500 people at most, departments counted by their people."""

    staff_ids: Annotated[tuple[StaffId, ...], Name("user_list"), Items(500)] = ()
    department_ids: Annotated[tuple[int, ...], Name("department_list"), Items(500)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.staff_ids and not self.department_ids:
            yield "user_list", "and department_list are both missing"


@dataclass(frozen=True, slots=True)
class LinkPriority:
    """Whom customers are given to first."""

    kind: Annotated[PriorityType, Name("priority_type")]
    staff_ids: Annotated[tuple[StaffId, ...], Name("priority_userid_list"), Items(1000)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink:
    """A link to be made."""

    name: Annotated[str, Name("link_name"), Chars(30, least=1)]
    range: LinkRange
    priority: Annotated[LinkPriority | None, Name("priority_option")] = None
    skip_verify: bool | None = None
    mark_source: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEdit:
    """What is to change; what is `None` stays."""

    link_id: Annotated[str, FILLED]
    name: Annotated[str | None, Name("link_name"), Chars(30, least=1)] = None
    range: LinkRange | None = None
    priority: Annotated[LinkPriority | None, Name("priority_option")] = None
    skip_verify: bool | None = None
    mark_source: bool | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """A link."""

    id: str
    name: str
    url: str
    skip_verify: bool
    mark_source: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class LinkDetail:
    """A link and who takes its customers."""

    link: Link
    staff_ids: tuple[StaffId, ...]
    department_ids: tuple[int, ...]
    priority_type: int | None
    priority_staff_ids: tuple[StaffId, ...]


@dataclass(frozen=True, slots=True)
class LinkCustomer:
    """A customer who came by a link. `has_written` is `None` for a status that is not documented."""

    customer_id: CustomerId
    staff_id: StaffId | None
    has_written: bool | None
    state: str


@dataclass(frozen=True, slots=True)
class QuotaPart:
    """A part of the quota that ends on a day."""

    balance: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class AcquisitionQuota:
    """How many customers may still come by links."""

    total: int
    balance: int
    parts: tuple[QuotaPart, ...]


@dataclass(frozen=True, slots=True)
class LinkFigures:
    """How many opened a link, and how many became customers by it."""

    clicks: int
    customers: int


@dataclass(frozen=True, slots=True)
class AcquiredChat:
    """What an event's ChatKey (good for 30 minutes) stands for."""

    staff_id: StaffId
    customer_id: CustomerId
    link_id: str
    state: str
    messages: int


async def create_link(client: PlatformCalls, link: NewLink) -> Link:
    """Make a link."""
    return _read_link(Answer(CREATE, await client.call(CREATE, to_body(CREATE, link))).child("link"))


async def get_link(client: PlatformCalls, link_id: str) -> LinkDetail:
    """Return a link and who takes its customers."""
    answer = Answer(GET, await client.call(GET, {"link_id": link_id}))
    takers = answer.find_child("range") or Answer(GET, {})
    priority = answer.find_child("priority_option")
    return LinkDetail(
        link=_read_link(answer.child("link")),
        staff_ids=tuple(StaffId(staff_id) for staff_id in takers.texts("user_list")),
        department_ids=takers.numbers("department_list"),
        priority_type=priority.number("priority_type") if priority else None,
        priority_staff_ids=tuple(StaffId(key) for key in priority.texts("priority_userid_list")) if priority else (),
    )


async def iter_link_ids(client: PlatformCalls) -> AsyncIterator[str]:
    """Yield the ids of this app's links."""
    async for page in iter_pages(client, LIST, {"limit": LINK_PAGE}):
        for link_id in page.texts("link_id_list"):
            yield link_id


async def update_link(client: PlatformCalls, edit: LinkEdit) -> None:
    """Change a link."""
    await client.call(UPDATE, to_body(UPDATE, edit))


async def delete_link(client: PlatformCalls, link_id: str) -> None:
    """Delete a link."""
    await client.call(DELETE, {"link_id": link_id})


async def iter_link_customers(client: PlatformCalls, link_id: str) -> AsyncIterator[LinkCustomer]:
    """Yield the customers who came by a link."""
    async for page in iter_pages(client, CUSTOMERS, {"link_id": link_id, "limit": CUSTOMER_PAGE}):
        for item in page.children("customer_list"):
            yield LinkCustomer(
                customer_id=CustomerId(item.text("external_userid")),
                staff_id=StaffId(item.text("userid", "")) or None,
                has_written={0: False, 1: True}.get(item.number("chat_status")),
                state=item.text("state", ""),
            )


async def get_quota(client: PlatformCalls) -> AcquisitionQuota:
    """Return how many customers may still come by links."""
    answer = Answer(QUOTA, await client.call(QUOTA, {}))
    parts = (QuotaPart(item.number("balance"), item.instant("expire_date")) for item in answer.children("quota_list"))
    return AcquisitionQuota(answer.number("total"), answer.number("balance"), tuple(parts))


async def get_link_figures(client: PlatformCalls, link_id: str, since: datetime, until: datetime) -> LinkFigures:
    """Return a link's figures over at most 30 days of the last 180.

    Raises:
        RequestInvalid: the span is too long.
    """
    if until - since > LONGEST_SPAN:
        raise RequestInvalid(STATISTIC, "end_time", f"is more than {LONGEST_SPAN.days} days after start_time")
    params = join_params(link_id=link_id, start_time=int(since.timestamp()), end_time=int(until.timestamp()))
    answer = Answer(STATISTIC, await client.call(STATISTIC, params=params))
    return LinkFigures(answer.number("click_link_customer_cnt"), answer.number("new_customer_cnt"))


async def get_acquired_chat(client: PlatformCalls, chat_key: str) -> AcquiredChat:
    """Return what an event's ChatKey stands for."""
    answer = Answer(CHAT_INFO, await client.call(CHAT_INFO, {"chat_key": chat_key}))
    chat = answer.child("chat_info")
    return AcquiredChat(
        staff_id=StaffId(answer.text("userid")),
        customer_id=CustomerId(answer.text("external_userid")),
        link_id=chat.text("link_id"),
        state=chat.text("state", ""),
        messages=chat.number("recv_msg_cnt"),
    )


def link_for_channel(url: str, channel: str) -> str:
    """Return a link's address with a channel of ours, which comes back as `state` (at most 64 bytes).

    Raises:
        RequestInvalid: the channel is longer.
    """
    if len(channel.encode()) > MAX_CHANNEL_BYTES:
        raise RequestInvalid(CREATE, "customer_channel", f"is longer than {MAX_CHANNEL_BYTES} bytes")
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}{urlencode({'customer_channel': channel})}"


def scheme_of(url: str) -> str:
    """Return the form of a link's address that opens WeChat from a page or another app."""
    return f"weixin://biz/ww/profile/{quote(url, safe='')}"


def _read_link(item: Answer) -> Link:
    return Link(
        id=item.text("link_id"),
        name=item.text("link_name", ""),
        url=item.text("url"),
        skip_verify=item.truth("skip_verify", True),
        mark_source=item.truth("mark_source", True),
        created_at=item.instant("create_time"),
    )
