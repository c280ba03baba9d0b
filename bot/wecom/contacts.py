"""Members, departments, customers, corp tags and customer groups, as typed values (05-customer-contact.md).

Only reads. Paging is hidden behind async iterators that yield one page at a time, so that a caller can store a page
in one transaction before it asks for the next.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, next_cursor

DEPARTMENT_LIST = "GET /cgi-bin/department/list"
MEMBER_LIST = "GET /cgi-bin/user/list"
MEMBER_GET = "GET /cgi-bin/user/get"
FOLLOW_USERS = "GET /cgi-bin/externalcontact/get_follow_user_list"
CUSTOMER_BATCH = "POST /cgi-bin/externalcontact/batch/get_by_user"
CUSTOMER_GET = "GET /cgi-bin/externalcontact/get"
TAG_LIST = "POST /cgi-bin/externalcontact/get_corp_tag_list"
GROUP_LIST = "POST /cgi-bin/externalcontact/groupchat/list"
GROUP_GET = "POST /cgi-bin/externalcontact/groupchat/get"

CUSTOMER_PAGE = 100
GROUP_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Department:
    """A node of the directory. The root has `parent_id` 0."""

    id: int
    name: str
    parent_id: int
    order: int


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the corp. `main_department_id` falls back to the first department; `None` without any.

    `leads` tells whether the member leads the main department.
    """

    id: StaffId
    name: str
    position: str
    department_ids: tuple[int, ...]
    main_department_id: int | None
    active: bool
    leads: bool = False


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """An external contact. `kind` 1 is a WeChat user, 2 a WeCom user of another corp; `gender` 0, 1 m, 2 f."""

    id: CustomerId
    name: str
    kind: int
    gender: int
    corp_name: str
    unionid: str | None


@dataclass(frozen=True, slots=True)
class Follow:
    """One member's relation to one customer. `tag_ids` are corp tags; personal tags have no id and are left out."""

    staff_id: StaffId
    remark: str
    description: str
    mobiles: tuple[str, ...]
    tag_ids: tuple[str, ...]
    add_way: int
    state: str
    added_at: datetime | None


@dataclass(frozen=True, slots=True)
class FollowedCustomer:
    """A customer as one member sees them."""

    profile: CustomerProfile
    follow: Follow


@dataclass(frozen=True, slots=True)
class CustomerWithFollows:
    """A customer and everyone who serves them, in the platform's order."""

    profile: CustomerProfile
    follows: tuple[Follow, ...]


@dataclass(frozen=True, slots=True)
class CorpTag:
    """A corp tag with the name of its group."""

    id: str
    name: str
    group_id: str
    group_name: str
    order: int


class GroupMemberKind(StrEnum):
    """Who a member of a customer group is."""

    STAFF = "staff"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class GroupMember:
    """A member of a customer group. `id` is a userid or an external_userid, as `kind` says."""

    id: str
    kind: GroupMemberKind
    name: str
    group_nickname: str
    joined_at: datetime | None


@dataclass(frozen=True, slots=True)
class CustomerGroup:
    """A customer group. `name` is empty when nobody named it; `member_version` changes with the members."""

    id: GroupChatId
    name: str
    owner_id: StaffId
    member_version: str
    created_at: datetime | None
    members: tuple[GroupMember, ...]


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """A page of customers. `cursor` asks for the next one, empty at the end.

    `unlicensed` are those of the asked members whose customers the platform does not show for want of a licence: that
    they have none must not be concluded.
    """

    items: tuple[FollowedCustomer, ...]
    cursor: str
    unlicensed: tuple[StaffId, ...] = ()


@dataclass(frozen=True, slots=True)
class GroupIdPage:
    """A page of group ids. `cursor` asks for the next one, empty at the end."""

    ids: tuple[GroupChatId, ...]
    cursor: str


async def list_departments(client: PlatformCalls) -> tuple[Department, ...]:
    """List every department the app may see, in the platform's order."""
    answer = Answer(DEPARTMENT_LIST, await client.call(DEPARTMENT_LIST))
    return tuple(_read_department(item) for item in answer.children("department"))


async def list_members(client: PlatformCalls, department_id: int) -> tuple[Member, ...]:
    """List the members directly in one department; the platform does not page this."""
    params = {"department_id": str(department_id), "fetch_child": "0"}
    answer = Answer(MEMBER_LIST, await client.call(MEMBER_LIST, params=params))
    return tuple(_read_member(item) for item in answer.children("userlist"))


async def get_member(client: PlatformCalls, staff_id: StaffId) -> Member:
    """Return one member.

    Raises:
        PlatformError: 60111 there is none, 60011 the app may not see them.
    """
    return _read_member(Answer(MEMBER_GET, await client.call(MEMBER_GET, params={"userid": staff_id})))


async def list_follow_users(client: PlatformCalls) -> tuple[StaffId, ...]:
    """List the members with the customer-contact right, sorted by id."""
    answer = Answer(FOLLOW_USERS, await client.call(FOLLOW_USERS))
    return tuple(sorted(StaffId(user) for user in answer.texts("follow_user")))


async def get_customer_page(client: PlatformCalls, staff_ids: Sequence[StaffId], cursor: str = "") -> CustomerPage:
    """Return a page of the customers of at most 100 members.

    Raises:
        PlatformError: 84061 from some platform versions when a member has no customer at all.
    """
    body: dict[str, Any] = {"userid_list": list(staff_ids), "limit": CUSTOMER_PAGE}
    if cursor:
        body["cursor"] = cursor
    answer = Answer(CUSTOMER_BATCH, await client.call(CUSTOMER_BATCH, body))
    refused = answer.child("fail_info") if answer.fields.get("fail_info") else None
    return CustomerPage(
        items=tuple(_read_followed(item) for item in answer.children("external_contact_list")),
        cursor=next_cursor(answer, cursor),
        unlicensed=tuple(StaffId(one) for one in refused.texts("unlicensed_userid_list")) if refused else (),
    )


async def iter_customer_pages(
    client: PlatformCalls, staff_ids: Sequence[StaffId]
) -> AsyncIterator[tuple[FollowedCustomer, ...]]:
    """Yield the customers of at most 100 members, page by page. No page when they have none.

    Raises:
        PlatformError: 84061 from some platform versions when a member has no customer at all.
    """
    cursor = ""
    while True:
        page = await get_customer_page(client, staff_ids, cursor)
        if page.items:
            yield page.items
        cursor = page.cursor
        if not cursor:
            return


async def get_customer(client: PlatformCalls, customer_id: CustomerId) -> CustomerWithFollows:
    """Return a customer and all who serve them; more than 500 followers are read in pages.

    Raises:
        PlatformError: 84061 or 40096 when nobody whom the app may see serves this customer.
    """
    follows: list[Follow] = []
    cursor = ""
    while True:
        params = {"external_userid": customer_id} | ({"cursor": cursor} if cursor else {})
        answer = Answer(CUSTOMER_GET, await client.call(CUSTOMER_GET, params=params))
        follows += [_read_follow(item) for item in answer.children("follow_user")]
        cursor = next_cursor(answer, cursor)
        if not cursor:
            return CustomerWithFollows(_read_profile(answer.child("external_contact")), tuple(follows))


async def list_corp_tags(client: PlatformCalls) -> tuple[CorpTag, ...]:
    """List all corp tags that are not deleted, in the platform's order (at most 10,000 exist)."""
    answer = Answer(TAG_LIST, await client.call(TAG_LIST, {}))
    return tuple(
        CorpTag(
            id=tag.text("id"),
            name=tag.text("name"),
            group_id=group.text("group_id"),
            group_name=group.text("group_name"),
            order=tag.number("order", 0),
        )
        for group in answer.children("tag_group")
        for tag in group.children("tag")
        if not tag.fields.get("deleted") and not group.fields.get("deleted")
    )


async def get_group_id_page(client: PlatformCalls, owner_ids: Sequence[StaffId], cursor: str = "") -> GroupIdPage:
    """Return a page of the ids of the groups owned by at most 100 members. The filter avoids 81017 in large corps."""
    body: dict[str, Any] = {"status_filter": 0, "owner_filter": {"userid_list": list(owner_ids)}, "limit": GROUP_PAGE}
    if cursor:
        body["cursor"] = cursor
    answer = Answer(GROUP_LIST, await client.call(GROUP_LIST, body))
    ids = tuple(GroupChatId(item.text("chat_id")) for item in answer.children("group_chat_list"))
    return GroupIdPage(ids, next_cursor(answer, cursor))


async def iter_group_id_pages(
    client: PlatformCalls, owner_ids: Sequence[StaffId]
) -> AsyncIterator[tuple[GroupChatId, ...]]:
    """Yield the ids of the groups owned by at most 100 members, page by page."""
    cursor = ""
    while True:
        page = await get_group_id_page(client, owner_ids, cursor)
        if page.ids:
            yield page.ids
        cursor = page.cursor
        if not cursor:
            return


async def get_group(client: PlatformCalls, chat_id: GroupChatId) -> CustomerGroup:
    """Return a group with its members and their names.

    Raises:
        PlatformError: 49008 (or another business code) when the group is gone or is not ours to see.
    """
    answer = Answer(GROUP_GET, await client.call(GROUP_GET, {"chat_id": chat_id, "need_name": 1}))
    group = answer.child("group_chat")
    return CustomerGroup(
        id=GroupChatId(group.text("chat_id")),
        name=group.text("name", "").strip(),
        owner_id=StaffId(group.text("owner")),
        member_version=group.text("member_version", ""),
        created_at=group.instant("create_time"),
        members=tuple(_read_group_member(item) for item in group.children("member_list")),
    )


def _read_department(item: Answer) -> Department:
    return Department(
        id=item.number("id"),
        name=item.text("name", ""),
        parent_id=item.number("parentid", 0),
        order=item.number("order", 0),
    )


def _read_member(item: Answer) -> Member:
    departments = item.numbers("department")
    main = item.number("main_department", 0) or (departments[0] if departments else None)
    return Member(
        id=StaffId(item.text("userid")),
        # New apps may see no name (02-events.md, 2.3): the id is then the only thing to show.
        name=item.text("name", "") or item.text("userid"),
        position=item.text("position", ""),
        department_ids=departments,
        main_department_id=main,
        active=item.number("status", 1) in (1, 4),
        leads=_leads(item, departments, main),
    )


def _leads(item: Answer, departments: Sequence[int], main: int | None) -> bool:
    """Read `is_leader_in_dept`, which answers for each department in the order of `department`."""
    answers = item.numbers("is_leader_in_dept")
    return any(answer and one == main for one, answer in zip(departments, answers, strict=False))


def _read_profile(item: Answer) -> CustomerProfile:
    return CustomerProfile(
        id=CustomerId(item.text("external_userid")),
        name=item.text("name", "").strip(),
        kind=item.number("type", 1),
        gender=item.number("gender", 0),
        corp_name=item.text("corp_name", ""),
        unionid=item.text("unionid", "") or None,
    )


def _read_follow(item: Answer) -> Follow:
    return Follow(
        staff_id=StaffId(item.text("userid")),
        remark=item.text("remark", "").strip(),
        description=item.text("description", "").strip(),
        mobiles=tuple(mobile for mobile in item.texts("remark_mobiles") if mobile),
        tag_ids=_read_tag_ids(item),
        add_way=item.number("add_way", 0),
        state=item.text("state", ""),
        added_at=item.instant("createtime"),
    )


def _read_tag_ids(item: Answer) -> tuple[str, ...]:
    # batch/get_by_user gives `tag_id`, externalcontact/get gives `tags` objects (05-customer-contact.md, 5.1).
    listed = [tag.text("tag_id", "") for tag in item.children("tags")]
    return tuple(dict.fromkeys([*item.texts("tag_id"), *(tag for tag in listed if tag)]))


def _read_followed(item: Answer) -> FollowedCustomer:
    return FollowedCustomer(
        profile=_read_profile(item.child("external_contact")), follow=_read_follow(item.child("follow_info"))
    )


def _read_group_member(item: Answer) -> GroupMember:
    return GroupMember(
        id=item.text("userid"),
        kind=GroupMemberKind.STAFF if item.number("type") == 1 else GroupMemberKind.CUSTOMER,
        name=item.text("name", "").strip(),
        group_nickname=item.text("group_nickname", "").strip(),
        joined_at=item.instant("join_time"),
    )
