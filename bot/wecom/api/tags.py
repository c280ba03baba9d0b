"""Corp tags and the marking of customers with them (05-customer-contact.md, 5.2). An app edits only what it made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import FILLED, Between, Chars, Items, Name, to_body

LIST = "POST /cgi-bin/externalcontact/get_corp_tag_list"
ADD = "POST /cgi-bin/externalcontact/add_corp_tag"
EDIT = "POST /cgi-bin/externalcontact/edit_corp_tag"
DELETE = "POST /cgi-bin/externalcontact/del_corp_tag"
MARK = "POST /cgi-bin/externalcontact/mark_tag"

_LARGEST_ORDER = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Tag:
    """A corp tag. A larger `order` stands further in front."""

    id: str
    name: str
    order: int
    deleted: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class TagGroup:
    """A group of corp tags."""

    id: str
    name: str
    order: int
    deleted: bool
    tags: tuple[Tag, ...]


@dataclass(frozen=True, slots=True)
class TagChoice:
    """Which tags to list: some by id, those of some groups, or all."""

    tag_ids: Annotated[tuple[str, ...], Name("tag_id")] = ()
    group_ids: Annotated[tuple[str, ...], Name("group_id")] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.tag_ids and self.group_ids:
            yield "tag_id", "and group_id may not both be given"


@dataclass(frozen=True, slots=True)
class NewTag:
    """A tag to be made."""

    name: Annotated[str, Chars(30, least=1)]
    order: Annotated[int | None, Between(0, _LARGEST_ORDER)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTags:
    """Tags to be made, in the group with `group_id`, or in a new or existing one with `group_name`."""

    tags: Annotated[tuple[NewTag, ...], Name("tag"), Items(10_000, least=1)]
    group_id: str | None = None
    group_name: Annotated[str | None, Chars(30, least=1)] = None
    order: Annotated[int | None, Between(0, _LARGEST_ORDER)] = None
    agent_id: Annotated[int | None, Name("agentid")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if (self.group_id is None) == (self.group_name is None):
            yield "group_id", "or group_name must be given, and only one of them"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagEdit:
    """A new name or order of a tag or a group; `id` is either's."""

    id: Annotated[str, FILLED]
    name: Annotated[str | None, Chars(30, least=1)] = None
    order: Annotated[int | None, Between(0, _LARGEST_ORDER)] = None
    agent_id: Annotated[int | None, Name("agentid")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagDeletion:
    """Tags and groups to be deleted; a group goes with all its tags."""

    tag_ids: Annotated[tuple[str, ...], Name("tag_id")] = ()
    group_ids: Annotated[tuple[str, ...], Name("group_id")] = ()
    agent_id: Annotated[int | None, Name("agentid")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.tag_ids and not self.group_ids:
            yield "tag_id", "and group_id are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMark:
    """Tags to put on, and take off, one member's relation to one customer."""

    staff_id: Annotated[StaffId, Name("userid"), FILLED]
    customer_id: Annotated[CustomerId, Name("external_userid"), FILLED]
    add: Annotated[tuple[str, ...], Name("add_tag")] = ()
    remove: Annotated[tuple[str, ...], Name("remove_tag")] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.add and not self.remove:
            yield "add_tag", "and remove_tag are both missing"


async def list_tag_groups(client: PlatformCalls, choice: TagChoice | None = None) -> tuple[TagGroup, ...]:
    """List tags in their groups, deleted ones included when asked for by id; without a choice, all."""
    answer = Answer(LIST, await client.call(LIST, to_body(LIST, choice or TagChoice())))
    return tuple(_read_group(group) for group in answer.children("tag_group"))


async def add_tags(client: PlatformCalls, tags: NewTags) -> TagGroup:
    """Make tags, and their group when it is new; returns the group with what was made."""
    return _read_group(Answer(ADD, await client.call(ADD, to_body(ADD, tags))).child("tag_group"))


async def edit_tag(client: PlatformCalls, edit: TagEdit) -> None:
    """Change a tag or a group."""
    await client.call(EDIT, to_body(EDIT, edit))


async def delete_tags(client: PlatformCalls, deletion: TagDeletion) -> None:
    """Delete tags and groups."""
    await client.call(DELETE, to_body(DELETE, deletion))


async def mark_customer(client: PlatformCalls, mark: TagMark) -> None:
    """Put tags on a customer as one member sees them. One call at a time for a pair, else 45035."""
    await client.call(MARK, to_body(MARK, mark))


def _read_group(item: Answer) -> TagGroup:
    return TagGroup(
        id=item.text("group_id"),
        name=item.text("group_name"),
        order=item.number("order", 0),
        deleted=item.truth("deleted", False),
        tags=_read_tags(item.children("tag")),
    )


def _read_tags(items: Sequence[Answer]) -> tuple[Tag, ...]:
    return tuple(
        Tag(
            id=item.text("id"),
            name=item.text("name"),
            order=item.number("order", 0),
            deleted=item.truth("deleted", False),
            created_at=item.instant("create_time"),
        )
        for item in items
    )
