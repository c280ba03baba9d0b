"""企业群发: create a broadcast task for a member, and learn what became of it (05-customer-contact.md, 5.6).

Nothing reaches a customer until the member confirms in the client. `add_msg_template` takes no idempotency key: whoever
calls `create_group_task` records the intent first, and after an unknown outcome asks `find_created`, and never creates
again blindly.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Annotated, ClassVar

from bot.errors import PlatformError
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.attachments import MAX_ATTACHMENTS, Attachment
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import Bytes, Items, Name, Tagged, to_body
from bot.wecom.limits import GROUP_TEXT

CREATE = "POST /cgi-bin/externalcontact/add_msg_template"
LIST = "POST /cgi-bin/externalcontact/get_groupmsg_list_v2"
MEMBER_TASKS = "POST /cgi-bin/externalcontact/get_groupmsg_task"
SEND_RESULTS = "POST /cgi-bin/externalcontact/get_groupmsg_send_result"
REMIND = "POST /cgi-bin/externalcontact/remind_groupmsg_send"
CANCEL = "POST /cgi-bin/externalcontact/cancel_groupmsg_send"

STILL_DISPATCHING = 41063
ALREADY_CANCELLED = 41093
REMINDED_TOO_OFTEN = 41094

MAX_GROUPS = 2000
MAX_CUSTOMERS = 10_000
MAX_TAGS = 100
MAX_TEXT_BYTES = GROUP_TEXT.size_bytes
LIST_PAGE = 100
# The most of `get_groupmsg_task` is 1000; that of `get_groupmsg_send_result` is documented by its default only.
TASK_PAGE = 1000
RESULT_PAGE = 500
# A month, as the shortest has it.
LONGEST_SPAN = timedelta(days=28)

# Their clock stamps the task, ours the attempt: allow for the difference.
_CLOCK_SLACK = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class TagChoice:
    """Customers with any of these tags."""

    tag_ids: Annotated[tuple[str, ...], Name("tag_list"), Items(MAX_TAGS, least=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _BroadcastParts:
    text: Annotated[str | None, Name("text.content"), Bytes(MAX_TEXT_BYTES, least=1)] = None
    attachments: Annotated[tuple[Attachment, ...], Tagged(), Items(MAX_ATTACHMENTS)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.text and not self.attachments:
            yield "text", "and attachments are both missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupBroadcast(_BroadcastParts):
    """A broadcast to groups that `sender` owns; to all of them without `chat_ids`."""

    wire_constants: ClassVar[dict[str, str]] = {"chat_type": "group"}

    sender: Annotated[StaffId, Bytes(64, least=1)]
    chat_ids: Annotated[tuple[GroupChatId, ...], Name("chat_id_list"), Items(MAX_GROUPS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerBroadcast(_BroadcastParts):
    """A broadcast to customers: named ones, or those with a tag of every choice, or all of `sender`'s.

    A customer of several members gets it from the one who talked last. With `may_deselect` the member may leave some
    out.
    """

    wire_constants: ClassVar[dict[str, str]] = {"chat_type": "single"}

    sender: Annotated[StaffId | None, Bytes(64, least=1)] = None
    customer_ids: Annotated[tuple[CustomerId, ...], Name("external_userid"), Items(MAX_CUSTOMERS)] = ()
    tags: Annotated[tuple[TagChoice, ...], Name("tag_filter.group_list")] = ()
    may_deselect: Annotated[bool | None, Name("allow_select")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        yield from _BroadcastParts.list_problems(self)
        if not self.customer_ids and self.sender is None:
            yield "sender", "is missing, and so is external_userid"
        if self.customer_ids and self.tags:
            yield "tag_filter", "has no effect beside external_userid"


class ChatKind(StrEnum):
    """To whom broadcasts went."""

    GROUP = "group"
    SINGLE = "single"


class MadeBy(IntEnum):
    """Whose broadcasts are listed."""

    CORP = 0
    PERSONAL = 1
    ALL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class BroadcastQuestion:
    """Which broadcasts to list: of at most a month."""

    kind: Annotated[ChatKind, Name("chat_type")]
    since: Annotated[datetime, Name("start_time")]
    until: Annotated[datetime, Name("end_time")]
    creator: StaffId | None = None
    made_by: Annotated[MadeBy | None, Name("filter_type")] = None
    limit: int = LIST_PAGE

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not timedelta(0) <= self.until - self.since <= LONGEST_SPAN + 2 * _CLOCK_SLACK:
            yield "end_time", f"is not within {LONGEST_SPAN.days} days after start_time"


@dataclass(frozen=True, slots=True)
class CreatedTask:
    """A task the platform has accepted. `failed_ids` will not be served (unknown or unreachable)."""

    msgid: str
    failed_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ListedTask:
    """A broadcast as `get_groupmsg_list_v2` lists it. `by_corp` is false for those a member made themselves."""

    msgid: str
    creator: StaffId
    by_corp: bool
    text: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberTask:
    """Whether a member has confirmed."""

    staff_id: StaffId
    confirmed: bool
    sent_at: datetime | None


class SendStatus(IntEnum):
    """The platform's result per recipient."""

    UNSENT = 0
    SENT = 1
    NOT_FRIEND = 2
    QUOTA_USED = 3
    UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class SendResult:
    """What became of one recipient. One of the two ids is there; a group task lists only groups it was sent to."""

    staff_id: StaffId
    chat_id: GroupChatId | None
    customer_id: CustomerId | None
    status: SendStatus
    sent_at: datetime | None


async def create_broadcast(client: PlatformCalls, broadcast: GroupBroadcast | CustomerBroadcast) -> CreatedTask:
    """Create a task: one for each member who is to confirm it.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: refused. `PlatformUnavailable.maybe_done` says that it may exist all the same.
    """
    answer = Answer(CREATE, await client.call(CREATE, to_body(CREATE, broadcast)))
    return CreatedTask(msgid=answer.text("msgid"), failed_ids=answer.texts("fail_list"))


async def create_group_task(
    client: PlatformCalls, sender: StaffId, chat_ids: Sequence[GroupChatId], text: str
) -> CreatedTask:
    """Create a task for `sender` to send `text` to groups they own; see `create_broadcast`."""
    return await create_broadcast(client, GroupBroadcast(sender=sender, chat_ids=tuple(chat_ids), text=text))


async def iter_broadcasts(client: PlatformCalls, question: BroadcastQuestion) -> AsyncIterator[ListedTask]:
    """Yield the broadcasts of a span.

    Raises:
        RequestInvalid: the span is longer than a month.
    """
    async for answer in iter_pages(client, LIST, to_body(LIST, question)):
        for item in answer.children("group_msg_list"):
            yield _read_listed(item)


def iter_created(client: PlatformCalls, since: datetime, until: datetime) -> AsyncIterator[ListedTask]:
    """Yield the group broadcasts the corp made in the span.

    Not filtered by `creator`: for tasks made through the API the platform leaves that field out, so that a filter on
    it could hide the very task that is looked for [K].
    """
    # The platform lists a month at a time; what an attempt has made was made when it was tried, so the first month.
    latest = min(until, since + LONGEST_SPAN)
    return iter_broadcasts(
        client,
        BroadcastQuestion(
            kind=ChatKind.GROUP,
            since=since - _CLOCK_SLACK,
            until=latest + _CLOCK_SLACK,
            made_by=MadeBy.CORP,
        ),
    )


async def list_member_tasks(client: PlatformCalls, msgid: str) -> tuple[MemberTask, ...]:
    """List who has confirmed.

    Raises:
        PlatformError: 41063 the platform is still dispatching; ask again later.
    """
    return tuple(
        [
            MemberTask(
                staff_id=StaffId(item.text("userid")),
                confirmed=item.number("status") == 2,
                sent_at=item.instant("send_time"),
            )
            async for answer in iter_pages(client, MEMBER_TASKS, {"msgid": msgid, "limit": TASK_PAGE})
            for item in answer.children("task_list")
        ]
    )


async def list_send_results(client: PlatformCalls, msgid: str, staff_id: StaffId) -> tuple[SendResult, ...]:
    """List the result per recipient of one member's part.

    Raises:
        PlatformError: 41063 the platform is still dispatching; ask again later.
    """
    body = {"msgid": msgid, "userid": staff_id, "limit": RESULT_PAGE}
    return tuple(
        [
            _read_result(item)
            async for answer in iter_pages(client, SEND_RESULTS, body)
            for item in answer.children("send_list")
        ]
    )


async def remind_members(client: PlatformCalls, msgid: str) -> bool:
    """Nudge the members who have not confirmed. False when the platform says it was done too often (41094)."""
    return await _call_unless(client, REMIND, msgid, REMINDED_TOO_OFTEN)


async def cancel_task(client: PlatformCalls, msgid: str) -> None:
    """Withdraw a task from the members who have not confirmed yet. Cancelling again is no error (41093)."""
    await _call_unless(client, CANCEL, msgid, ALREADY_CANCELLED)


def match_created(
    listed: Iterable[ListedTask], *, text: str, attempted_at: datetime, known: Collection[str] = ()
) -> list[ListedTask]:
    """List the tasks an attempt with unknown outcome may have made, the earliest first.

    They have the same words, were made by the corp, not before the attempt, and are not `known` to belong to another
    attempt. Whose they are is not decided here: the creator is often not told.
    """
    fits = [
        (task.created_at, task)
        for task in listed
        if task.by_corp
        and task.text == text
        and task.msgid not in known
        and task.created_at is not None
        and task.created_at >= attempted_at - _CLOCK_SLACK
    ]
    return [task for _, task in sorted(fits, key=lambda fit: (fit[0], fit[1].msgid))]


async def find_created(
    client: PlatformCalls,
    sender: StaffId,
    text: str,
    *,
    attempted_at: datetime,
    now: datetime,
    known: Collection[str] = (),
) -> str | None:
    """Return the msgid of the task that an attempt with unknown outcome has made for `sender`, or `None`.

    Should there be several, the earliest is taken: adopting one of two equal tasks is right, making a third never is.

    Raises:
        PlatformError: 41063 a task that may be it is still being dispatched; ask again later.
    """
    listed = [task async for task in iter_created(client, attempted_at, now)]
    for task in match_created(listed, text=text, attempted_at=attempted_at, known=known):
        members = await list_member_tasks(client, task.msgid)
        if any(member.staff_id.casefold() == sender.casefold() for member in members):
            return task.msgid
    return None


async def _call_unless(client: PlatformCalls, api: str, msgid: str, tolerated: int) -> bool:
    try:
        await client.call(api, {"msgid": msgid})
    except PlatformError as error:
        if error.errcode != tolerated:
            raise
        return False
    return True


def _read_listed(item: Answer) -> ListedTask:
    text = item.child("text").text("content", "") if item.fields.get("text") else ""
    return ListedTask(
        msgid=item.text("msgid"),
        creator=StaffId(item.text("creator", "")),
        by_corp=item.number("create_type", 0) == 0,
        text=text,
        created_at=item.instant("create_time"),
    )


def _read_result(item: Answer) -> SendResult:
    chat_id = item.text("chat_id", "")
    customer_id = item.text("external_userid", "")
    return SendResult(
        staff_id=StaffId(item.text("userid")),
        chat_id=GroupChatId(chat_id) if chat_id else None,
        customer_id=CustomerId(customer_id) if customer_id else None,
        status=_read_status(item.number("status")),
        sent_at=item.instant("send_time"),
    )


def _read_status(code: int) -> SendStatus:
    # A code the documentation does not know must not stop the other recipients' results from being read.
    try:
        return SendStatus(code)
    except ValueError:
        return SendStatus.UNKNOWN
