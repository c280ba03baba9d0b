"""What the control API shows: people, conversations, callbacks and accepted requests as JSON."""

import itertools
import json

from simulator import xml
from simulator.callbacks import Delivery, DeliveryState
from simulator.clock import iso
from simulator.platform import Platform
from simulator.state import (
    Broadcast,
    BroadcastTarget,
    BroadcastTask,
    ChatKind,
    ChatMessage,
    Group,
    Json,
    Member,
    SenderKind,
)

TARGET_STATES = {0: "unsent", 1: "sent", 2: "not_friend", 3: "quota_used"}


def show_people(platform: Platform, query: str, limit: int) -> Json:
    """Return staff, customers and groups whose id or name contains the query, in the order of the seed."""
    world = platform.world
    # generators: a large bank is looked through only as far as the limit
    staff = (row for row in world.members.rows.values() if query in row.name or query in row.userid)
    customers = (row for row in world.customers.rows.values() if query in row.name or query in row.external_userid)
    groups = (row for row in world.groups.rows.values() if query in row.name or query in row.chat_id)
    return {
        "staff": [_member(platform, row) for row in itertools.islice(staff, limit)],
        "customers": [
            {
                "external_userid": row.external_userid,
                "name": row.name,
                "follow": [follow.userid for follow in world.list_followers_of(row.external_userid)],
            }
            for row in itertools.islice(customers, limit)
        ],
        "groups": [_group(row) for row in itertools.islice(groups, limit)],
    }


def _member(platform: Platform, member: Member) -> Json:
    branch = platform.world.departments.rows[str(member.department)].name
    return {"userid": member.userid, "name": member.name, "branch": branch, "position": member.position}


def _group(group: Group) -> Json:
    return {
        "chat_id": group.chat_id,
        "name": group.name,
        "owner": group.owner,
        "member_count": len(group.members),
        "aibot": group.aibot,
    }


def show_conversation(platform: Platform, kind: ChatKind, key: str, after: int) -> Json:
    """Return the lines that are new or changed after a revision, oldest first."""
    lines = platform.world.list_talk(kind, key)
    shown = [_line(platform, line) for line in lines if line.rev > after]
    return {"title": _title(platform, kind, key), "messages": shown}


def _title(platform: Platform, kind: ChatKind, key: str) -> str:
    if kind is ChatKind.APP:
        return platform.config.app_name
    if kind is ChatKind.KF:
        return platform.config.kf_name
    if kind is ChatKind.GROUP:
        group = platform.world.groups.find(key)
        return f"{group.name}（{len(group.members)}）" if group is not None else key
    if kind is ChatKind.AIBOT:
        return platform.config.aibot_name
    return platform.world.name_of(key.partition("|")[2])


def _line(platform: Platform, line: ChatMessage) -> Json:
    return {
        "seq": line.seq,
        "rev": line.rev,
        "id": line.id,
        "sender": line.sender,
        "sender_name": _sender_name(platform, line),
        "sender_kind": line.sender_kind.value,
        "kind": line.form,
        "text": line.text,
        "card": line.card,
        "at": iso(line.at),
        "note": line.note,
    }


def _sender_name(platform: Platform, line: ChatMessage) -> str:
    if line.sender_kind is not SenderKind.BOT:
        return platform.world.name_of(line.sender)
    names = {ChatKind.APP: platform.config.app_name, ChatKind.KF: platform.config.kf_name}
    return names.get(line.kind, platform.config.aibot_name)


def show_broadcasts(platform: Platform, userid: str | None) -> list[Json]:
    """Return each member's part of each broadcast, newest first."""
    return [
        _task(broadcast, task)
        for broadcast in reversed(platform.world.broadcasts.rows.values())
        for task in broadcast.tasks
        if userid in {None, task.userid}
    ]


def _task(broadcast: Broadcast, task: BroadcastTask) -> Json:
    status = "sent" if task.status else "cancelled" if broadcast.cancelled else "pending"
    return {
        "msgid": broadcast.msgid,
        "userid": task.userid,
        "chat_type": broadcast.chat_type,
        "text": broadcast.text,
        "chat_ids": [target.chat_id for target in task.targets if target.chat_id],
        "external_userids": [target.external_userid for target in task.targets if target.external_userid],
        "status": status,
        "reminders": len(broadcast.reminded_at),
        "created_at": iso(broadcast.created_at),
    }


def show_target(target: BroadcastTarget) -> Json:
    """Return what became of one recipient."""
    return {"to": target.chat_id or target.external_userid, "status": TARGET_STATES[target.status]}


def show_callbacks(platform: Platform, state: DeliveryState | None, kind: str | None, limit: int) -> list[Json]:
    """Return the delivery log, newest first, of one state and kind when asked."""
    newest = (
        delivery
        for delivery in reversed(platform.callbacks.log.values())
        if state in {None, delivery.state} and kind in {None, delivery.kind}
    )
    return [show_delivery(delivery) for delivery in itertools.islice(newest, limit)]


def show_delivery(delivery: Delivery) -> Json:
    """Return one callback with its attempts and what identifies it to the bot (dossier 01, 1.7)."""
    return {
        "id": delivery.id,
        "kind": delivery.kind,
        "to": delivery.target.url,
        "at": iso(delivery.queued_at),
        "event": show_identity(delivery),
        "note": delivery.note,
        "attempts": [
            {"at": iso(attempt.at), "status": attempt.status, "error": attempt.error} for attempt in delivery.attempts
        ],
        "state": delivery.state.value,
    }


IDENTITY = (
    "MsgType",
    "Event",
    "ChangeType",
    "FromUserName",
    "CreateTime",
    "MsgId",
    "EventKey",
    "TaskId",
    "UserID",
    "ExternalUserID",
    "ChatId",
    "OpenKfId",
)


def show_identity(delivery: Delivery) -> Json:
    """Return the fields of a callback by which copies are told from other events."""
    if delivery.as_json:
        body = json.loads(delivery.plaintext)
        return {name: body[name] for name in ("msgid", "msgtype") if name in body}
    fields = xml.parse(delivery.plaintext)
    return {name: fields[name] for name in IDENTITY if name in fields}


def show_sent(platform: Platform, kind: str | None, to: str | None, after: int) -> list[Json]:
    """Return accepted sending requests after a number, oldest first."""
    return [
        {
            "seq": row.seq,
            "kind": row.kind,
            "to": row.to,
            "body": row.body,
            "msgid": row.msgid,
            "at": iso(row.at),
            "dropped": row.dropped,
        }
        for row in platform.world.sent.rows.values()
        if row.seq > after and kind in {None, row.kind} and (to is None or to in row.to)
    ]


def show_health(platform: Platform) -> Json:
    """Return the size of the bank and what is under way."""
    world = platform.world
    archived = world.counters.find("archive")
    return {
        "status": "ok",
        "corp_id": platform.config.corp_id,
        "staff": len(world.members.rows),
        "customers": len(world.customers.rows),
        "groups": len(world.groups.rows),
        "archive_seq": archived.value if archived is not None else 0,
        "pending_callbacks": platform.callbacks.count_pending(),
        "time": iso(platform.clock.now()),
    }
