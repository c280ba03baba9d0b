"""企业发表到客户朋友圈: a moment is made as a task; members publish it by hand (05-customer-contact.md, 5.7)."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated, Any, ClassVar

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import Bytes, Chars, Items, Name, RequestInvalid, Tagged, to_body

ADD = "POST /cgi-bin/externalcontact/add_moment_task"
RESULT = "POST /cgi-bin/externalcontact/get_moment_task_result"
CANCEL = "POST /cgi-bin/externalcontact/cancel_moment_task"
LIST = "POST /cgi-bin/externalcontact/get_moment_list"
TASKS = "POST /cgi-bin/externalcontact/get_moment_task"
VISIBLE_TO = "POST /cgi-bin/externalcontact/get_moment_customer_list"
SENT_TO = "POST /cgi-bin/externalcontact/get_moment_send_result"
COMMENTS = "POST /cgi-bin/externalcontact/get_moment_comments"

MAX_IMAGES = 9
LIST_PAGE = 20
LONGEST_SPAN = timedelta(days=30)
SENT_PAGE = 5000
# The dossier gives no most for these two lists: the documented default of their neighbours is taken [I].
TASK_PAGE = 500
VISIBLE_PAGE = 500


@dataclass(frozen=True, slots=True)
class MomentImage:
    """A picture, by `upload_attachment`."""

    kind: ClassVar[str] = "image"

    media_id: str


@dataclass(frozen=True, slots=True)
class MomentVideo:
    """A video of at most 30 seconds and 10 MB, by `upload_attachment`."""

    kind: ClassVar[str] = "video"

    media_id: str


@dataclass(frozen=True, slots=True)
class MomentLink:
    """A web page with a picture, by `upload_attachment`."""

    kind: ClassVar[str] = "link"

    url: str
    cover_media_id: Annotated[str, Name("media_id")]
    title: Annotated[str, Chars(64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMoment:
    """A moment to be published: words, and up to nine pictures, or one video, or one link.

    `staff_ids` and `department_ids` are who is to publish it (all, when empty), `tag_ids` whose customers may see it.
    """

    text: Annotated[str | None, Name("text.content"), Chars(2000, least=1), Bytes(4000)] = None
    attachments: Annotated[tuple[MomentImage | MomentVideo | MomentLink, ...], Tagged(), Items(MAX_IMAGES)] = ()
    staff_ids: Annotated[tuple[StaffId, ...], Name("visible_range.sender_list.user_list"), Items(100_000)] = ()
    department_ids: Annotated[tuple[int, ...], Name("visible_range.sender_list.department_list")] = ()
    tag_ids: Annotated[tuple[str, ...], Name("visible_range.external_contact_list.tag_list")] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.text and not self.attachments:
            yield "text", "and attachments are both missing"
        others = [item for item in self.attachments if not isinstance(item, MomentImage)]
        if others and len(self.attachments) > 1:
            yield "attachments", "may hold several pictures, or one video, or one link"


class MomentJobStatus(IntEnum):
    """How far the making of a moment is."""

    STARTED = 1
    RUNNING = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class MomentJob:
    """How far the making of a moment is; the rest is known once it is done."""

    status: int
    errcode: int
    moment_id: str | None
    invalid_staff: tuple[str, ...]
    invalid_departments: tuple[int, ...]
    invalid_tags: tuple[str, ...]


class MomentMaker(IntEnum):
    """Whose moments are listed."""

    CORP = 0
    PERSONAL = 1
    ALL = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as the platform lists it; deleted ones are missing. `visible_type` 0 some customers, 1 all."""

    id: str
    creator: StaffId
    by_corp: bool
    visible_type: int
    text: str
    created_at: datetime | None


@dataclass(frozen=True, slots=True)
class MomentTask:
    """Whether a member has published."""

    staff_id: StaffId
    published: bool


@dataclass(frozen=True, slots=True)
class MomentViewer:
    """A customer who may see a member's moment."""

    staff_id: StaffId
    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class Reaction:
    """A comment or a like, of a member or a customer; the words of a comment are not told."""

    staff_id: StaffId | None
    customer_id: CustomerId | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Reactions:
    """What came back to one member's moment."""

    comments: tuple[Reaction, ...]
    likes: tuple[Reaction, ...]


async def add_moment(client: PlatformCalls, moment: NewMoment) -> str:
    """Begin to make a moment and return the job's id, good for 24 hours; 10 a minute, 100,000 a month."""
    return Answer(ADD, await client.call(ADD, to_body(ADD, moment))).text("jobid")


async def get_moment_job(client: PlatformCalls, job_id: str) -> MomentJob:
    """Return how far a job is."""
    answer = Answer(RESULT, await client.call(RESULT, {"jobid": job_id}))
    result = answer.find_child("result") or Answer(RESULT, {})
    senders = result.find_child("invalid_sender_list") or Answer(RESULT, {})
    customers = result.find_child("invalid_external_contact_list") or Answer(RESULT, {})
    return MomentJob(
        status=answer.number("status"),
        errcode=result.number("errcode", 0),
        moment_id=result.text("moment_id", "") or None,
        invalid_staff=senders.texts("user_list"),
        invalid_departments=senders.numbers("department_list"),
        invalid_tags=customers.texts("tag_list"),
    )


async def cancel_moment(client: PlatformCalls, moment_id: str) -> None:
    """Withdraw a moment from the members who have not published it yet."""
    await client.call(CANCEL, {"moment_id": moment_id})


async def iter_moments(
    client: PlatformCalls,
    since: datetime,
    until: datetime,
    *,
    made_by: MomentMaker = MomentMaker.CORP,
    creator: StaffId | None = None,
) -> AsyncIterator[Moment]:
    """Yield the moments of a span of at most 30 days.

    Raises:
        RequestInvalid: the span is too long.
    """
    if until - since > LONGEST_SPAN:
        raise RequestInvalid(LIST, "end_time", f"is more than {LONGEST_SPAN.days} days after start_time")
    body: dict[str, Any] = {
        "start_time": int(since.timestamp()),
        "end_time": int(until.timestamp()),
        "filter_type": made_by.value,
        "limit": LIST_PAGE,
    }
    if creator is not None:
        body["creator"] = creator
    async for page in iter_pages(client, LIST, body):
        for item in page.children("moment_list"):
            yield _read_moment(item)


async def iter_moment_tasks(client: PlatformCalls, moment_id: str) -> AsyncIterator[MomentTask]:
    """Yield who has published a moment and who has not."""
    async for page in iter_pages(client, TASKS, {"moment_id": moment_id, "limit": TASK_PAGE}):
        for item in page.children("task_list"):
            yield MomentTask(StaffId(item.text("userid")), item.number("publish_status") == 1)


async def iter_moment_viewers(client: PlatformCalls, moment_id: str, staff_id: StaffId) -> AsyncIterator[MomentViewer]:
    """Yield the customers who were meant to see one member's moment."""
    body = {"moment_id": moment_id, "userid": staff_id, "limit": VISIBLE_PAGE}
    async for page in iter_pages(client, VISIBLE_TO, body):
        for item in page.children("customer_list"):
            yield MomentViewer(StaffId(item.text("userid")), CustomerId(item.text("external_userid")))


async def iter_moment_receivers(client: PlatformCalls, moment_id: str, staff_id: StaffId) -> AsyncIterator[CustomerId]:
    """Yield the customers who see one member's moment now."""
    body = {"moment_id": moment_id, "userid": staff_id, "limit": SENT_PAGE}
    async for page in iter_pages(client, SENT_TO, body):
        for item in page.children("customer_list"):
            yield CustomerId(item.text("external_userid"))


async def get_moment_reactions(client: PlatformCalls, moment_id: str, staff_id: StaffId) -> Reactions:
    """Return who commented on and who liked one member's moment."""
    answer = Answer(COMMENTS, await client.call(COMMENTS, {"moment_id": moment_id, "userid": staff_id}))
    return Reactions(_read_reactions(answer, "comment_list"), _read_reactions(answer, "like_list"))


def _read_moment(item: Answer) -> Moment:
    text = item.find_child("text")
    return Moment(
        id=item.text("moment_id"),
        creator=StaffId(item.text("creator", "")),
        by_corp=item.number("create_type", 0) == 0,
        visible_type=item.number("visible_type", 1),
        text=text.text("content", "") if text else "",
        created_at=item.instant("create_time"),
    )


def _read_reactions(answer: Answer, name: str) -> tuple[Reaction, ...]:
    return tuple(
        Reaction(
            staff_id=StaffId(item.text("userid", "")) or None,
            customer_id=CustomerId(item.text("external_userid", "")) or None,
            at=item.instant("create_time"),
        )
        for item in answer.children(name)
    )
