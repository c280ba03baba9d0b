"""What members did with customers and in groups, in the platform's own figures (05-customer-contact.md, 5.9)."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Annotated

from bot.ids import StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PagesDoNotMove, PlatformCalls
from bot.wecom.api.wire import FLAG, Items, Name, to_body

BEHAVIOUR = "POST /cgi-bin/externalcontact/get_user_behavior_data"
GROUPS_BY_OWNER = "POST /cgi-bin/externalcontact/groupchat/statistic"
GROUPS_BY_DAY = "POST /cgi-bin/externalcontact/groupchat/statistic_group_by_day"

LONGEST_SPAN = timedelta(days=30)
FURTHEST_BACK = timedelta(days=180)
GROUP_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class BehaviourQuestion:
    """Whose work with customers, in which days. The figures of several are added up [K]: ask one by one."""

    since: Annotated[datetime, Name("start_time")]
    until: Annotated[datetime, Name("end_time")]
    staff_ids: Annotated[tuple[StaffId, ...], Name("userid"), Items(100)] = ()
    department_ids: Annotated[tuple[int, ...], Name("partyid"), Items(100)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.staff_ids and not self.department_ids:
            yield "userid", "and partyid are both missing"
        if not timedelta(0) <= self.until - self.since <= LONGEST_SPAN:
            yield "end_time", f"is not within {LONGEST_SPAN.days} days after start_time"


@dataclass(frozen=True, slots=True)
class BehaviourDay:
    """One day. Percentage and minutes to the first reply are there on days with a chat only."""

    day: datetime | None
    requests: int
    contacts: int
    chats: int
    messages: int
    reply_percentage: float | None
    reply_minutes: int | None
    lost_customers: int


class GroupOrder(IntEnum):
    """By what owners are ordered."""

    NEW_GROUPS = 1
    GROUPS = 2
    NEW_MEMBERS = 3
    MEMBERS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuestion:
    """Whose groups, in which days, both included; without `until` it is the first day alone."""

    since: Annotated[datetime, Name("day_begin_time")]
    owners: Annotated[tuple[StaffId, ...], Name("owner_filter.userid_list"), Items(100, least=1)]
    until: Annotated[datetime | None, Name("day_end_time")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.until is not None and not timedelta(0) <= self.until - self.since <= LONGEST_SPAN:
            yield "day_end_time", f"is not within {LONGEST_SPAN.days} days after day_begin_time"


@dataclass(frozen=True, slots=True, kw_only=True)
class _OrderedGroupQuestion(GroupQuestion):
    order: Annotated[GroupOrder, Name("order_by")]
    ascending: Annotated[bool, Name("order_asc"), FLAG]
    offset: int
    limit: int = GROUP_PAGE


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """What groups came to: groups and members new and in all, those with a message, and the messages."""

    new_groups: int
    groups: int
    groups_with_message: int
    new_members: int
    members: int
    members_with_message: int
    messages: int


@dataclass(frozen=True, slots=True)
class OwnerFigures:
    """One owner's groups over the days asked about."""

    owner: StaffId
    figures: GroupFigures


@dataclass(frozen=True, slots=True)
class DayFigures:
    """All owners' groups on one day."""

    day: datetime | None
    figures: GroupFigures


async def list_behaviour(client: PlatformCalls, question: BehaviourQuestion) -> tuple[BehaviourDay, ...]:
    """List a figure for each day; at most 30 days, none further back than 180."""
    answer = Answer(BEHAVIOUR, await client.call(BEHAVIOUR, to_body(BEHAVIOUR, question)))
    return tuple(_read_behaviour(item) for item in answer.children("behavior_data"))


async def iter_group_figures_by_owner(
    client: PlatformCalls,
    question: GroupQuestion,
    *,
    order: GroupOrder = GroupOrder.NEW_GROUPS,
    ascending: bool = False,
) -> AsyncIterator[OwnerFigures]:
    """Yield a figure for each owner over all the days together.

    Raises:
        PagesDoNotMove: the platform's next offset is not further on.
    """
    offset = 0
    while True:
        page = _OrderedGroupQuestion(
            since=question.since,
            until=question.until,
            owners=question.owners,
            order=order,
            ascending=ascending,
            offset=offset,
        )
        answer = Answer(GROUPS_BY_OWNER, await client.call(GROUPS_BY_OWNER, to_body(GROUPS_BY_OWNER, page)))
        for item in answer.children("items"):
            yield OwnerFigures(StaffId(item.text("owner")), _read_figures(item.child("data")))
        following = answer.number("next_offset", 0)
        if following == 0 or following >= answer.number("total"):
            return
        if following <= offset:
            raise PagesDoNotMove(GROUPS_BY_OWNER)
        offset = following


async def list_group_figures_by_day(client: PlatformCalls, question: GroupQuestion) -> tuple[DayFigures, ...]:
    """List a figure for each day over all the owners together."""
    answer = Answer(GROUPS_BY_DAY, await client.call(GROUPS_BY_DAY, to_body(GROUPS_BY_DAY, question)))
    return tuple(
        DayFigures(item.instant("stat_time"), _read_figures(item.child("data"))) for item in answer.children("items")
    )


def _read_behaviour(item: Answer) -> BehaviourDay:
    return BehaviourDay(
        day=item.instant("stat_time"),
        requests=item.number("new_apply_cnt", 0),
        contacts=item.number("new_contact_cnt", 0),
        chats=item.number("chat_cnt", 0),
        messages=item.number("message_cnt", 0),
        reply_percentage=item.decimal("reply_percentage") if item.has("reply_percentage") else None,
        reply_minutes=item.number("avg_reply_time") if item.has("avg_reply_time") else None,
        lost_customers=item.number("negative_feedback_cnt", 0),
    )


def _read_figures(data: Answer) -> GroupFigures:
    return GroupFigures(
        new_groups=data.number("new_chat_cnt", 0),
        groups=data.number("chat_total", 0),
        groups_with_message=data.number("chat_has_msg", 0),
        new_members=data.number("new_member_cnt", 0),
        members=data.number("member_total", 0),
        members_with_message=data.number("member_has_msg", 0),
        messages=data.number("msg_total", 0),
    )
