"""Customers: a member's remark on them, everyone ever served, and ids of other kinds (05-customer-contact.md, 5.1)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import FILLED, Chars, Items, Name, join_params, to_body

LIST = "GET /cgi-bin/externalcontact/list"
REMARK = "POST /cgi-bin/externalcontact/remark"
CONTACT_LIST = "POST /cgi-bin/externalcontact/contact_list"
CONVERT_TEMPORARY = "POST /cgi-bin/idconvert/convert_tmp_external_userid"
OPENGID = "POST /cgi-bin/externalcontact/opengid_to_chatid"
UNIONID = "POST /cgi-bin/externalcontact/unionid_to_external_userid"
OPENID = "POST /cgi-bin/externalcontact/convert_to_openid"

CONTACT_PAGE = 1000
NO_MOBILES = ("",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """What a member notes on a customer; what is `None` or empty stays. `NO_MOBILES` clears the numbers."""

    staff_id: Annotated[StaffId, Name("userid"), FILLED]
    customer_id: Annotated[CustomerId, Name("external_userid"), FILLED]
    remark: Annotated[str | None, Chars(20)] = None
    description: Annotated[str | None, Chars(150)] = None
    company: Annotated[str | None, Name("remark_company"), Chars(20)] = None
    mobiles: Annotated[tuple[str, ...], Name("remark_mobiles")] = ()
    picture_media_id: Annotated[str | None, Name("remark_pic_mediaid")] = None


@dataclass(frozen=True, slots=True)
class ServedContact:
    """Someone a member has served, as `contact_list` tells it. `temporary_id` lives four hours."""

    customer_id: CustomerId | None
    temporary_id: str | None
    name: str
    staff_id: StaffId | None
    chat_id: GroupChatId | None
    added_at: datetime | None
    is_customer: bool


class TemporaryOrigin(IntEnum):
    """Where a temporary id comes from."""

    MEETING = 1
    FORM = 2
    SMART_SHEET = 3


class TemporaryKind(IntEnum):
    """Whom a temporary id stands for."""

    CUSTOMER = 1
    CORP_MEMBER = 2
    OTHER_CORP_MEMBER = 3
    NOT_LOGGED_IN = 4


@dataclass(frozen=True, slots=True)
class TemporaryIds:
    """Temporary ids to be converted."""

    origin: Annotated[TemporaryOrigin, Name("business_type")]
    kind: Annotated[TemporaryKind, Name("user_type")]
    ids: Annotated[tuple[str, ...], Name("tmp_external_userid_list"), Items(100, least=1)]


@dataclass(frozen=True, slots=True)
class ConvertedId:
    """Whom a temporary id stands for: a customer, or a member of a corp."""

    temporary_id: str
    customer_id: CustomerId | None
    corp_id: str | None
    staff_id: StaffId | None


async def list_customer_ids(client: PlatformCalls, staff_id: StaffId) -> tuple[CustomerId, ...]:
    """List a member's customers, in the platform's order.

    Raises:
        PlatformError: 84061 the member has none.
    """
    answer = Answer(LIST, await client.call(LIST, params=join_params(userid=staff_id)))
    return tuple(CustomerId(customer) for customer in answer.texts("external_userid"))


async def set_remark(client: PlatformCalls, remark: Remark) -> None:
    """Change what a member notes on a customer."""
    await client.call(REMARK, to_body(REMARK, remark))


async def iter_served_contacts(client: PlatformCalls) -> AsyncIterator[tuple[ServedContact, ...]]:
    """Yield everyone outside the corp who was ever served, page by page; self-built apps only."""
    async for page in iter_pages(client, CONTACT_LIST, {"limit": CONTACT_PAGE}):
        yield tuple(_read_served(item) for item in page.children("info_list"))


async def convert_temporary_ids(client: PlatformCalls, ids: TemporaryIds) -> tuple[ConvertedId, ...]:
    """Return whom at most 100 temporary ids stand for; unknown ones are left out."""
    answer = Answer(CONVERT_TEMPORARY, await client.call(CONVERT_TEMPORARY, to_body(CONVERT_TEMPORARY, ids)))
    return tuple(
        ConvertedId(
            temporary_id=item.text("tmp_external_userid"),
            customer_id=CustomerId(item.text("external_userid", "")) or None,
            corp_id=item.text("corpid", "") or None,
            staff_id=StaffId(item.text("userid", "")) or None,
        )
        for item in answer.children("results")
    )


async def find_group_by_opengid(client: PlatformCalls, opengid: str) -> GroupChatId:
    """Return the customer group that a WeChat mini program knows by `opengid`."""
    answer = Answer(OPENGID, await client.call(OPENGID, {"opengid": opengid}))
    return GroupChatId(answer.text("chat_id"))


async def find_customer_by_unionid(client: PlatformCalls, unionid: str) -> CustomerId:
    """Return the customer with a WeChat unionid, of a developer id bound to the corp."""
    answer = Answer(UNIONID, await client.call(UNIONID, {"unionid": unionid}))
    return CustomerId(answer.text("external_userid"))


async def get_openid(client: PlatformCalls, customer_id: CustomerId) -> str:
    """Return a customer's openid, for payments."""
    return Answer(OPENID, await client.call(OPENID, {"external_userid": customer_id})).text("openid")


def _read_served(item: Answer) -> ServedContact:
    return ServedContact(
        customer_id=CustomerId(item.text("external_userid", "")) or None,
        temporary_id=item.text("tmp_openid", "") or None,
        name=item.text("name", ""),
        staff_id=StaffId(item.text("follow_userid", "")) or None,
        chat_id=GroupChatId(item.text("chat_id", "")) or None,
        added_at=item.instant("add_time"),
        is_customer=item.truth("is_customer", False),
    )
