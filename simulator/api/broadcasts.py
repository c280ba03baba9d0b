"""Corp broadcasts (05, 5.6): create, list, results, remind, cancel. Nothing goes out before a member confirms."""

from datetime import timedelta

from simulator.api.contacts import need_serving_member
from simulator.api.contents import read_content
from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.params import (
    need_object,
    need_text,
    page,
    read_flag,
    read_number,
    read_objects,
    read_text,
    read_texts,
)
from simulator.broadcasting import SENT, TASK_DONE, choose_follow, plan_single
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Broadcast, BroadcastTarget, BroadcastTask, Follow, Json

LONGEST_LIST_SPAN = timedelta(days=31)
REMINDERS_PER_DAY = 3


def add_msg_template(platform: Platform, call: ApiCall) -> Answer:
    """Create a broadcast; the answer names recipients that cannot be reached, 41048 when that is everyone."""
    body = call.body
    chat_type = read_text(body, "chat_type") or "single"
    allow_select = read_flag(body, "allow_select", False)
    text, attachments = read_content(platform, body)
    if chat_type == "group":
        tasks, failed = _plan_groups(platform, body)
    elif chat_type == "single":
        tasks, failed = _plan_customers(platform, body)
    else:
        raise ApiError(40058, "invalid parameter: chat_type")
    if not tasks:
        raise ApiError(41048)
    broadcast = Broadcast(
        msgid=platform.new_id("msg"),
        chat_type=chat_type,
        creator=read_text(body, "sender") or tasks[0].userid,
        text=text,
        attachments=attachments,
        created_at=platform.clock.now(),
        tasks=tasks,
        allow_select=allow_select and chat_type == "single",
    )
    platform.world.broadcasts.put(broadcast)
    to = [target.chat_id or target.external_userid for task in tasks for target in task.targets]
    platform.record_sent("broadcast", to, body, broadcast.msgid)
    return ok(msgid=broadcast.msgid, fail_list=failed)


def _plan_groups(platform: Platform, body: Json) -> tuple[list[BroadcastTask], list[str]]:
    sender = need_serving_member(platform, need_text(body, "sender"))
    asked = read_texts(body, "chat_id_list", 2000)
    owned = [group.chat_id for group in platform.world.list_groups_owned_by(sender.userid)]
    chosen = [chat_id for chat_id in dict.fromkeys(asked) if chat_id in owned] if asked else owned
    failed = [chat_id for chat_id in asked if chat_id not in owned]
    if not chosen:
        return [], failed
    return [BroadcastTask(sender.userid, [BroadcastTarget("", chat_id) for chat_id in chosen])], failed


def _plan_customers(platform: Platform, body: Json) -> tuple[list[BroadcastTask], list[str]]:
    sender = read_text(body, "sender")
    if sender:
        sender = need_serving_member(platform, sender).userid
    asked = list(dict.fromkeys(read_texts(body, "external_userid", 10_000)))
    tag_filter = body.get("tag_filter")
    if not sender and not asked and not tag_filter:
        raise ApiError(40063, "sender, external_userid and tag_filter are all empty")
    if asked:
        return _plan_named(platform, sender, asked)
    follows = (
        platform.world.list_follows_of(sender)
        if sender
        else [row for row in platform.world.follows.rows.values() if row.ended_by is None]
    )
    lists = _read_tag_filter(body) if tag_filter else []
    matching = [row for row in follows if all(tags.intersection(row.tag_ids) for tags in lists)]
    by_customer: dict[str, list[Follow]] = {}
    for follow in matching:
        by_customer.setdefault(follow.external_userid, []).append(follow)
    chosen = [choose_follow(rows) for rows in by_customer.values()]
    return plan_single(row for row in chosen if row is not None), []


def _plan_named(platform: Platform, sender: str, asked: list[str]) -> tuple[list[BroadcastTask], list[str]]:
    chosen: list[Follow] = []
    failed: list[str] = []
    for external_userid in asked:
        follows = platform.world.list_followers_of(external_userid)
        follow = choose_follow(row for row in follows if not sender or row.userid == sender)
        if follow is None:
            failed.append(external_userid)
        else:
            chosen.append(follow)
    return plan_single(chosen), failed


def _read_tag_filter(body: Json) -> list[set[str]]:
    """Return the tag lists: OR inside one list, AND across them."""
    groups = read_objects(need_object(body, "tag_filter"), "group_list", 100)
    return [set(read_texts(group, "tag_list", 100)) for group in groups]


def get_groupmsg_list_v2(platform: Platform, call: ApiCall) -> Answer:
    """Return the broadcasts created in a span of at most a month."""
    body = call.body
    chat_type = need_text(body, "chat_type")
    if chat_type not in {"single", "group"}:
        raise ApiError(40058, "invalid parameter: chat_type")
    start = read_number(body, "start_time", None, 0, 2**53)
    end = read_number(body, "end_time", None, 0, 2**53)
    if end < start or end - start > LONGEST_LIST_SPAN.total_seconds():
        raise ApiError(40058, "invalid parameter: the span may be at most one month")
    creator = read_text(body, "creator")
    limit = read_number(body, "limit", 50, 1, 100)
    filter_type = read_number(body, "filter_type", 2, 0, 2)
    found = [
        row
        for row in platform.world.broadcasts.rows.values()
        if row.chat_type == chat_type
        and start <= row.created_at <= end + 1
        and creator in {"", row.creator}
        and filter_type in {2, row.create_type}
    ]
    shown, following = page(found, read_text(body, "cursor"), limit)
    return ok(group_msg_list=[_summary(row) for row in shown], next_cursor=following)


def _summary(row: Broadcast) -> Json:
    return {
        "msgid": row.msgid,
        "creator": row.creator,
        "create_time": int(row.created_at),
        "create_type": row.create_type,
        "text": {"content": row.text},
        "attachments": row.attachments,
    }


def get_groupmsg_task(platform: Platform, call: ApiCall) -> Answer:
    """Return per member whether the broadcast was confirmed."""
    broadcast = _need_settled(platform, call.body)
    limit = read_number(call.body, "limit", 500, 1, 1000)
    shown, following = page(broadcast.tasks, read_text(call.body, "cursor"), limit)
    tasks = []
    for task in shown:
        row: Json = {"userid": task.userid, "status": task.status}
        if task.status == TASK_DONE:
            row["send_time"] = task.send_time
        tasks.append(row)
    return ok(task_list=tasks, next_cursor=following)


def get_groupmsg_send_result(platform: Platform, call: ApiCall) -> Answer:
    """Return per recipient what became of one member's part; group broadcasts list only what was sent."""
    body = call.body
    userid = need_text(body, "userid")
    broadcast = _need_settled(platform, body)
    limit = read_number(body, "limit", 500, 1, 1000)
    task = find_task(broadcast, userid)
    if task is None:
        raise ApiError(40058, "invalid parameter: userid has no part in this broadcast")
    targets = [row for row in task.targets if broadcast.chat_type == "single" or row.status == SENT]
    shown, following = page(targets, read_text(body, "cursor"), limit)
    return ok(send_list=[_result(userid, row) for row in shown], next_cursor=following)


def _result(userid: str, target: BroadcastTarget) -> Json:
    row: Json = {"userid": userid, "status": target.status}
    if target.external_userid:
        row["external_userid"] = target.external_userid
    if target.chat_id:
        row["chat_id"] = target.chat_id
    if target.status == SENT:
        row["send_time"] = target.send_time
    return row


def find_task(broadcast: Broadcast, userid: str) -> BroadcastTask | None:
    """Return a member's part of a broadcast, or None."""
    return next((task for task in broadcast.tasks if task.userid == userid), None)


def _need_broadcast(platform: Platform, body: Json) -> Broadcast:
    broadcast = platform.world.broadcasts.find(need_text(body, "msgid", 41046))
    if broadcast is None:
        raise ApiError(41047)
    return broadcast


def _need_settled(platform: Platform, body: Json) -> Broadcast:
    broadcast = _need_broadcast(platform, body)
    if platform.clock.now() < broadcast.created_at + platform.config.broadcast_settle_seconds:
        raise ApiError(41063)
    return broadcast


def remind_groupmsg_send(platform: Platform, call: ApiCall) -> Answer:
    """Nudge the members who have not confirmed, at most three times in 24 h."""
    broadcast = _need_broadcast(platform, call.body)
    if broadcast.cancelled:
        raise ApiError(41093)
    now = platform.clock.now()
    recent = [at for at in broadcast.reminded_at if at > now - timedelta(days=1).total_seconds()]
    if len(recent) >= REMINDERS_PER_DAY:
        raise ApiError(41094)
    broadcast.reminded_at = [*recent, now]
    platform.world.broadcasts.put(broadcast)
    return ok()


def cancel_groupmsg_send(platform: Platform, call: ApiCall) -> Answer:
    """Withdraw what has not been confirmed; a second time answers 41093."""
    broadcast = _need_broadcast(platform, call.body)
    if broadcast.cancelled:
        raise ApiError(41093)
    broadcast.cancelled = True
    platform.world.broadcasts.put(broadcast)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/add_msg_template": Endpoint(add_msg_template, APP),
    "POST /cgi-bin/externalcontact/get_groupmsg_list_v2": Endpoint(get_groupmsg_list_v2, APP),
    "POST /cgi-bin/externalcontact/get_groupmsg_task": Endpoint(get_groupmsg_task, APP),
    "POST /cgi-bin/externalcontact/get_groupmsg_send_result": Endpoint(get_groupmsg_send_result, APP),
    "POST /cgi-bin/externalcontact/remind_groupmsg_send": Endpoint(remind_groupmsg_send, APP),
    "POST /cgi-bin/externalcontact/cancel_groupmsg_send": Endpoint(cancel_groupmsg_send, APP),
}
