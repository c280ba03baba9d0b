"""Figures of members and customer groups by day (05, 5.9), counted from what happened in the simulated corp."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from simulator.api.contacts import need_serving_member
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import need_object, read_number, read_numbers, read_texts
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import ChatKind, ChatMessage, Group, Json, SenderKind
from simulator.world import pair_key

LONGEST_SPAN_DAYS = 30
OLDEST_DAYS = 180
DAY = timedelta(days=1)
ORDERS: tuple[str, ...] = ("", "new_chat_cnt", "chat_total", "new_member_cnt", "member_total")


def midnight(at: float) -> datetime:
    """Return the beginning of the day in China that holds a time."""
    return datetime.fromtimestamp(at, CHINA).replace(hour=0, minute=0, second=0, microsecond=0)


def read_days(platform: Platform, fields: Json, first: str, last: str) -> list[datetime]:
    """Return the days of a closed span, at most 30 and none older than 180 days; `last` may be left out.

    Raises:
        ApiError: 40063 without a beginning, 40058 for a span the platform does not answer.
    """
    start = midnight(read_number(fields, first, None, 0, 2**40))
    end = midnight(read_number(fields, last, int(start.timestamp()), 0, 2**40))
    count = (end - start).days + 1
    if count < 1 or count > LONGEST_SPAN_DAYS:
        raise ApiError(40058, f"invalid parameter: the span may be at most {LONGEST_SPAN_DAYS} days")
    if start < midnight(platform.clock.now()) - OLDEST_DAYS * DAY:
        raise ApiError(40058, f"invalid parameter: only the last {OLDEST_DAYS} days can be asked for")
    return [start + number * DAY for number in range(count)]


def get_user_behavior_data(platform: Platform, call: ApiCall) -> Answer:
    """Return the summed work of members per day; two figures only where there was a chat."""
    users = read_texts(call.body, "userid", 100)
    parties = read_numbers(call.body, "partyid", 100)
    if not users and not parties:
        raise ApiError(40063, "userid or partyid is required")
    days = read_days(platform, call.body, "start_time", "end_time")
    if call.body.get("end_time") is None:
        raise ApiError(40063, "missing: end_time")
    members = {need_serving_member(platform, user).userid for user in users}
    for party in parties:
        if str(party) not in platform.world.departments.rows:
            raise ApiError(60123)
        below = platform.world.list_departments_below(party)
        members |= {row.userid for row in platform.world.members.rows.values() if row.department in below}
    return ok(behavior_data=[_behaviour(platform, sorted(members), day) for day in days])


def _behaviour(platform: Platform, members: Sequence[str], day: datetime) -> Json:
    start, end = day.timestamp(), (day + DAY).timestamp()
    follows = [row for userid in members for row in platform.world.follows_ever_of(userid)]
    new = sum(1 for row in follows if start <= row.createtime < end)
    lost = sum(1 for row in follows if row.ended_by == "customer" and start <= row.ended_at < end)
    keys = [pair_key(row.userid, row.external_userid) for row in follows]
    talks = [_lines_between(platform, ChatKind.SINGLE, key, start, end) for key in keys]
    chats = [talk for talk in talks if any(line.sender_kind is SenderKind.STAFF for line in talk)]
    waits = [wait for talk in talks if (wait := _first_answer(talk)) is not None]
    asked = sum(1 for talk in talks if any(line.sender_kind is SenderKind.CUSTOMER for line in talk))
    row: Json = {
        "stat_time": int(start),
        "chat_cnt": len(chats),
        "message_cnt": sum(1 for talk in talks for line in talk if line.sender_kind is SenderKind.STAFF),
        "negative_feedback_cnt": lost,
        "new_apply_cnt": new,
        "new_contact_cnt": new,
    }
    if asked:
        row["reply_percentage"] = round(100 * len(waits) / asked, 2)
    if waits:
        row["avg_reply_time"] = round(sum(waits) / len(waits) / 60)
    return row


def _first_answer(talk: Sequence[ChatMessage]) -> float | None:
    """Return the seconds from the customer's first line to the member's next, None without an answer."""
    asked_at = next((line.at for line in talk if line.sender_kind is SenderKind.CUSTOMER), None)
    if asked_at is None:
        return None
    later = (line.at for line in talk if line.sender_kind is SenderKind.STAFF and line.at >= asked_at)
    answered_at = next(later, None)
    return answered_at - asked_at if answered_at is not None else None


def _lines_between(platform: Platform, kind: ChatKind, key: str, start: float, end: float) -> list[ChatMessage]:
    return [line for line in platform.world.list_talk(kind, key) if start <= line.at < end]


def groupchat_statistic(platform: Platform, call: ApiCall) -> Answer:
    """Return the figures of a span per owner, ordered and paged by offset."""
    body = call.body
    days = read_days(platform, body, "day_begin_time", "day_end_time")
    owners = _read_owners(platform, body)
    order_by = read_number(body, "order_by", 1, 1, 4)
    rising = read_number(body, "order_asc", 0, 0, 1) == 1
    offset = read_number(body, "offset", 0, 0, 2**31)
    limit = read_number(body, "limit", 500, 1, 1000)
    rows = [{"owner": owner, "data": _figures(platform, groups, days)} for owner, groups in owners.items()]
    name = ORDERS[order_by]
    key: Callable[[Json], int] = lambda row: int(row["data"][name])  # noqa: E731 - a key with a type
    rows.sort(key=key, reverse=not rising)
    shown = rows[offset : offset + limit]
    return ok(total=len(rows), next_offset=offset + len(shown), items=shown)


def groupchat_statistic_by_day(platform: Platform, call: ApiCall) -> Answer:
    """Return the figures of all asked owners together per day."""
    days = read_days(platform, call.body, "day_begin_time", "day_end_time")
    owners = _read_owners(platform, call.body)
    groups = [group for owned in owners.values() for group in owned]
    items = [{"stat_time": int(day.timestamp()), "data": _figures(platform, groups, [day])} for day in days]
    return ok(items=items)


def _read_owners(platform: Platform, body: Json) -> dict[str, list[Group]]:
    users = read_texts(need_object(body, "owner_filter"), "userid_list", 100)
    if not users:
        raise ApiError(40063, "missing or empty: owner_filter.userid_list")
    owners = [need_serving_member(platform, user).userid for user in users]
    return {owner: platform.world.list_groups_owned_by(owner) for owner in owners}


def _figures(platform: Platform, groups: Sequence[Group], days: Sequence[datetime]) -> Json:
    start, end = days[0].timestamp(), (days[-1] + DAY).timestamp()
    existing = [group for group in groups if group.create_time < end]
    joined = [member.join_time for group in existing for member in group.members]
    talks = [_lines_between(platform, ChatKind.GROUP, group.chat_id, start, end) for group in existing]
    written = [[line for line in talk if line.sender_kind is not SenderKind.BOT] for talk in talks]
    return {
        "new_chat_cnt": sum(1 for group in existing if group.create_time >= start),
        "chat_total": len(existing),
        "chat_has_msg": sum(1 for talk in written if talk),
        "new_member_cnt": sum(1 for at in joined if start <= at < end),
        "member_total": sum(1 for at in joined if at < end),
        "member_has_msg": sum(len({line.sender for line in talk}) for talk in written),
        "msg_total": sum(len(talk) for talk in written),
        "migrate_trainee_chat_cnt": 0,
    }


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/get_user_behavior_data": Endpoint(get_user_behavior_data, APP),
    "POST /cgi-bin/externalcontact/groupchat/statistic": Endpoint(groupchat_statistic, APP),
    "POST /cgi-bin/externalcontact/groupchat/statistic_group_by_day": Endpoint(groupchat_statistic_by_day, APP),
}
