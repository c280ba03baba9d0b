"""企业群发: create a broadcast task for a member, and learn what became of it (05-customer-contact.md, 5.6).

Nothing reaches a customer until the member confirms in the client. `add_msg_template` takes no idempotency key: whoever
calls `create_group_task` records the intent first, and after an unknown outcome asks `find_created`, and never creates
again blindly.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from bot.errors import PlatformError
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.contacts import PlatformCalls

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
MAX_TEXT_BYTES = 4000

# Their clock stamps the task, ours the attempt: allow for the difference.
_CLOCK_SLACK = timedelta(minutes=2)


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


async def create_group_task(
    client: PlatformCalls, sender: StaffId, chat_ids: Sequence[GroupChatId], text: str
) -> CreatedTask:
    """Create a task for `sender` to send `text` to groups they own. At most 2,000 groups and 4,000 bytes of text.

    Raises:
        PlatformError: refused. `PlatformUnavailable.maybe_done` says that it may exist all the same.
    """
    body = {
        "chat_type": "group",
        "sender": sender,
        "chat_id_list": list(chat_ids),
        "text": {"content": text},
    }
    answer = Answer(CREATE, await client.call(CREATE, body))
    return CreatedTask(msgid=answer.text("msgid"), failed_ids=answer.texts("fail_list"))


async def iter_created(client: PlatformCalls, since: datetime, until: datetime) -> AsyncIterator[ListedTask]:
    """Yield the group broadcasts the corp made in the span (at most a month).

    Not filtered by `creator`: for tasks made through the API the platform leaves that field out, so that a filter on
    it could hide the very task that is looked for [K].
    """
    body: dict[str, Any] = {
        "chat_type": "group",
        "start_time": int((since - _CLOCK_SLACK).timestamp()),
        "end_time": int((until + _CLOCK_SLACK).timestamp()),
        "filter_type": 0,
        "limit": 100,
    }
    async for answer in _pages(client, LIST, body):
        for item in answer.children("group_msg_list"):
            yield _read_listed(item)


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
            async for answer in _pages(client, MEMBER_TASKS, {"msgid": msgid, "limit": 500})
            for item in answer.children("task_list")
        ]
    )


async def list_send_results(client: PlatformCalls, msgid: str, staff_id: StaffId) -> tuple[SendResult, ...]:
    """List the result per recipient of one member's part.

    Raises:
        PlatformError: 41063 the platform is still dispatching; ask again later.
    """
    body = {"msgid": msgid, "userid": staff_id, "limit": 500}
    return tuple(
        [
            _read_result(item)
            async for answer in _pages(client, SEND_RESULTS, body)
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


async def _pages(client: PlatformCalls, api: str, body: dict[str, Any]) -> AsyncIterator[Answer]:
    cursor = ""
    while True:
        answer = Answer(api, await client.call(api, body | ({"cursor": cursor} if cursor else {})))
        yield answer
        cursor = answer.text("next_cursor", "")
        if not cursor:
            return


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
