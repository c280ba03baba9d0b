"""What happens to a corp broadcast (企业群发): planning its tasks, the members' confirmation, quota and archive."""

import calendar
from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from simulator.chats import Line, post_line, record, say_in_group, say_in_single
from simulator.clock import CHINA
from simulator.platform import Platform
from simulator.state import (
    Broadcast,
    BroadcastTarget,
    BroadcastTask,
    ChatKind,
    Follow,
    Json,
    QuotaUse,
    SenderKind,
)
from simulator.world import pair_key

UNSENT, SENT, NO_FRIEND, QUOTA_USED = 0, 1, 2, 3
TASK_DONE = 2
NOTE = "企业群发，成员已确认"


def choose_follow(follows: Iterable[Follow]) -> Follow | None:
    """Return the relation through which a customer of several members is reached: who talked last."""
    return max(follows, key=lambda follow: (follow.last_chat_at, follow.createtime), default=None)


def plan_single(follows: Iterable[Follow]) -> list[BroadcastTask]:
    """Group chosen relations into one task per member."""
    tasks: dict[str, BroadcastTask] = {}
    for follow in follows:
        task = tasks.setdefault(follow.userid, BroadcastTask(follow.userid, []))
        task.targets.append(BroadcastTarget(follow.external_userid, ""))
    return list(tasks.values())


def quota_of_month(at: float) -> int:
    """Return how many broadcasts one customer or group may get in this month: as many as it has days."""
    day = datetime.fromtimestamp(at, CHINA)
    return calendar.monthrange(day.year, day.month)[1]


def confirm(
    platform: Platform, broadcast: Broadcast, task: BroadcastTask, deselected: Collection[str] = frozenset()
) -> None:
    """Send one member's part: each target gets it or the reason why not; what is sent is archived.

    Customers the member has deselected stay unsent; that is for broadcasts with `allow_select` only.
    """
    now = platform.clock.seconds()
    for target in task.targets:
        if target.external_userid in deselected:
            continue
        target.status = _send_to(platform, broadcast, task.userid, target)
        target.send_time = now if target.status == SENT else 0
    task.status, task.send_time = TASK_DONE, now
    platform.world.broadcasts.put(broadcast)


def _send_to(platform: Platform, broadcast: Broadcast, userid: str, target: BroadcastTarget) -> int:
    name = target.chat_id or target.external_userid
    group = platform.world.groups.find(target.chat_id) if target.chat_id else None
    follow = None if target.chat_id else platform.world.find_follow(userid, target.external_userid)
    if group is None and follow is None:
        return NO_FRIEND
    if not _take_quota(platform, name):
        return QUOTA_USED
    if group is not None:
        if broadcast.text:
            say_in_group(platform, group, userid, broadcast.text, NOTE)
        receivers = [member.userid for member in group.members if member.userid != userid]
        _show_attachments(platform, broadcast, userid, ChatKind.GROUP, group.chat_id, receivers)
    elif follow is not None:
        if broadcast.text:
            say_in_single(platform, follow, userid, broadcast.text, NOTE)
        key = pair_key(userid, target.external_userid)
        _show_attachments(platform, broadcast, userid, ChatKind.SINGLE, key, [target.external_userid])
    return SENT


def _take_quota(platform: Platform, target: str) -> bool:
    """Count one broadcast to a customer or group; False when the corp's quota of the period is used up."""
    today = datetime.fromtimestamp(platform.clock.now(), CHINA).date()
    first, most = _quota_period(platform, today)
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    uses = [platform.world.quota.find(f"{target}|{day.isoformat()}") for day in days]
    if sum(use.count for use in uses if use is not None) >= most:
        return False
    use = uses[-1] or QuotaUse(target, today.isoformat(), 0)
    use.count += 1
    platform.world.quota.put(use)
    return True


def _quota_period(platform: Platform, today: date) -> tuple[date, int]:
    """Return (first day, most broadcasts) of the period that holds today; weeks begin on Monday."""
    if platform.config.broadcast_quota == "day":
        return today, 1
    if platform.config.broadcast_quota == "week":
        return today - timedelta(days=today.weekday()), 7
    return today.replace(day=1), quota_of_month(platform.clock.now())


def send_own(
    platform: Platform, userid: str, chat_type: str, names: Iterable[str], text: str
) -> tuple[Broadcast, BroadcastTask]:
    """Let a member broadcast by hand (群发助手): it is sent at once and counts against the same quota."""
    grouped = chat_type == "group"
    task = BroadcastTask(userid, [BroadcastTarget("" if grouped else name, name if grouped else "") for name in names])
    now = platform.clock.now()
    broadcast = Broadcast(platform.new_id("msg"), chat_type, userid, text, [], now, [task], create_type=1)
    confirm(platform, broadcast, task)
    return broadcast, task


def _show_attachments(
    platform: Platform, broadcast: Broadcast, userid: str, kind: ChatKind, key: str, receivers: list[str]
) -> None:
    room_id = key if kind is ChatKind.GROUP else ""
    for attachment in broadcast.attachments:
        msgtype, body, title = _archived_form(platform, attachment)
        kept = record(platform, sender=userid, receivers=receivers, room_id=room_id, msgtype=msgtype, body=body)
        line = Line(f"[{attachment['msgtype']}] {title}".strip(), note=NOTE)
        post_line(platform, kind, key, userid, SenderKind.STAFF, line, kept.msgid if kept else None)


def _archived_form(platform: Platform, attachment: Json) -> tuple[str, Json, str]:
    """Return (msgtype, body, title) of an attachment as the archive has it (06, 6.5)."""
    msgtype = attachment["msgtype"]
    content = attachment[msgtype]
    if msgtype == "link":
        body = {
            "title": content["title"],
            "description": content.get("desc", ""),
            "link_url": content["url"],
            "image_url": content.get("picurl", ""),
        }
        return "link", body, content["title"]
    if msgtype == "miniprogram":
        body = {"title": content["title"], "description": "", "username": content["appid"], "displayname": ""}
        return "weapp", body, content["title"]
    media = platform.world.media.find(content.get("media_id", ""))
    if media is None:
        return msgtype, {"md5sum": "", "filesize": 0, "sdkfileid": ""}, ""
    body = {"md5sum": media.md5sum, "filesize": media.size_bytes, "sdkfileid": media.sdkfileid}
    if msgtype == "file":
        body |= {"filename": media.filename, "fileext": media.filename.rpartition(".")[2]}
    return msgtype, body, media.filename
