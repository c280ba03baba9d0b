"""Read a decrypted record of the session archive: what was said, by whom, where. Pure.

Nothing is dropped: an unknown kind of message keeps its raw form and gets the text `[kind]`. Bodies are read leniently,
field by field, because a record that does not fit in one place still has to be kept.
Source: ../shared/wecom/06-session-archive.md, 6.4 and 6.5.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from compliance.errors import RecordMalformed
from compliance.messages import (
    ArchivedMessageIn,
    ArchiveOrigin,
    ChatKind,
    group_conversation,
    sender_kind_of,
    single_conversation,
)

_MAX_DEPTH = 5

# 中文文案：没有文字的消息在会话里显示成什么。
LABELS = {
    "image": "图片",
    "voice": "语音",
    "video": "视频",
    "emotion": "表情",
    "file": "文件",
    "card": "名片",
    "location": "位置",
    "link": "链接",
    "weapp": "小程序",
    "chatrecord": "聊天记录",
    "todo": "待办",
    "vote": "投票",
    "collect": "收集表",
    "redpacket": "红包",
    "external_redpacket": "红包",
    "meeting": "会议",
    "docmsg": "文档",
    "news": "图文",
    "calendar": "日程",
    "mixed": "混合消息",
    "meeting_voice_call": "会议录音",
    "voip_doc_share": "共享文档",
    "sphfeed": "视频号",
    "voiptext": "通话",
    "qydiskfile": "微盘文件",
    "meeting_notification": "会议通知",
    "revoke": "撤回了一条消息",
    "agree": "同意会话存档",
    "disagree": "不同意会话存档",
    "switch": "切换企业",
}

# 字段：某类消息里人能看到的文字，按先后。
_VISIBLE: Mapping[str, tuple[str, ...]] = {
    "text": ("content",),
    "markdown": ("content",),
    "file": ("filename",),
    "qydiskfile": ("filename",),
    "voip_doc_share": ("filename",),
    "card": ("corpname", "userid"),
    "location": ("title", "address"),
    "link": ("title", "description", "link_url"),
    "weapp": ("title", "description", "displayname"),
    "todo": ("title", "content"),
    "redpacket": ("wish",),
    "external_redpacket": ("wish",),
    "meeting": ("topic", "address", "remarks"),
    "docmsg": ("title", "link_url"),
    "calendar": ("title", "creatorname", "place", "remarks"),
    "sphfeed": ("sph_name", "feed_desc"),
}
# 消息体不在与 msgtype 同名的字段里的那些。
_BODY_KEYS: Mapping[str, tuple[str, ...]] = {
    "docmsg": ("doc", "docmsg"),
    "markdown": ("info", "markdown"),
    "news": ("info", "news"),
    "voiptext": ("info", "voiptext"),
    "qydiskfile": ("info", "qydiskfile"),
    "meeting_notification": ("info", "meeting_notification"),
    "external_redpacket": ("redpacket", "external_redpacket"),
}


def parse_record(payload: str, seq: int | None = None) -> ArchivedMessageIn:
    """Read one decrypted record.

    Raises:
        RecordMalformed: it is no JSON object, or lacks what every record has (id, sender, time).
    """
    record = _load(payload)
    msgtype = _kind_of(record)
    sender = _required_text(record, "user" if msgtype == "switch" else "from")
    receivers = _texts(record.get("tolist"))
    room_id = _text(record, "roomid") or None
    return ArchivedMessageIn(
        msgid=_required_text(record, "msgid"),
        source=ArchiveOrigin.ARCHIVE,
        chat_kind=ChatKind.GROUP if room_id else ChatKind.SINGLE,
        conversation=_conversation(sender, receivers, room_id),
        sender_id=sender,
        sender_kind=sender_kind_of(sender),
        receivers=receivers,
        room_id=room_id,
        msgtype=msgtype,
        text=_visible_text(msgtype, record),
        sent_at=_instant(record, "time" if msgtype == "switch" else "msgtime"),
        raw=record,
        source_seq=seq,
    )


def revoked_msgid(message: ArchivedMessageIn) -> str | None:
    """Return the id of the message that this one recalls, if it is a recall."""
    if message.msgtype != "revoke":
        return None
    return _text(_body(message.raw, "revoke"), "pre_msgid") or None


def _load(payload: str) -> dict[str, Any]:
    try:
        record = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise RecordMalformed("not_json") from error
    if not isinstance(record, dict):
        raise RecordMalformed("not_an_object")
    return record


def _kind_of(record: Mapping[str, Any]) -> str:
    action = _text(record, "action")
    if action == "switch":
        return "switch"
    if action == "recall":
        return "revoke"
    return _text(record, "msgtype") or "unknown"


def _conversation(sender: str, receivers: Sequence[str], room_id: str | None) -> str:
    if room_id:
        return group_conversation(room_id)
    return single_conversation(sender, receivers[0] if receivers else sender)


def _instant(record: Mapping[str, Any], name: str) -> datetime:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RecordMalformed(f"no_{name}")
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise RecordMalformed(f"bad_{name}") from error


def _required_text(record: Mapping[str, Any], name: str) -> str:
    value = _text(record, name)
    if not value:
        raise RecordMalformed(f"no_{name}")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _body(record: Mapping[str, Any], msgtype: str) -> Mapping[str, Any]:
    for key in _BODY_KEYS.get(msgtype, (msgtype,)):
        body = record.get(key)
        if isinstance(body, Mapping):
            return body
    return record


def _visible_text(msgtype: str, record: Mapping[str, Any], depth: int = 0) -> str:
    """Return every word a person can read in the message, lines joined; a label when there is none."""
    body = _body(record, msgtype)
    reader = _READERS.get(msgtype)
    lines = reader(body, depth) if reader else [_text(body, name) for name in _VISIBLE.get(msgtype, ())]
    words = "\n".join(line for line in lines if line)
    if msgtype in ("text", "markdown"):
        return words
    label = f"[{LABELS.get(msgtype, msgtype)}]"
    return f"{label}{words}" if words else label


def _vote(body: Mapping[str, Any], _depth: int) -> list[str]:
    return [_text(body, "votetitle"), *_texts(body.get("voteitem"))]


def _collect(body: Mapping[str, Any], _depth: int) -> list[str]:
    return [_text(body, "title"), *(_text(item, "ques") for item in _objects(body.get("details")))]


def _news(body: Mapping[str, Any], _depth: int) -> list[str]:
    return [_text(item, name) for item in _objects(body.get("item")) for name in ("title", "description", "url")]


def _calendar(body: Mapping[str, Any], _depth: int) -> list[str]:
    return [_text(body, "title"), *_texts(body.get("attendeename")), _text(body, "place"), _text(body, "remarks")]


def _chat_record(body: Mapping[str, Any], depth: int) -> list[str]:
    return [_text(body, "title"), *(_nested(item, depth) for item in _objects(body.get("item")))]


def _mixed(body: Mapping[str, Any], depth: int) -> list[str]:
    return [_nested(item, depth) for item in _objects(body.get("item"))]


def _nested(item: Mapping[str, Any], depth: int) -> str:
    """Unfold a part of a merged record: `type` like ChatRecordText or text, `content` JSON inside a string."""
    kind = _text(item, "type").removeprefix("ChatRecord").lower()
    if depth >= _MAX_DEPTH:
        return f"[{LABELS.get(kind, kind)}]"
    content = item.get("content")
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return str(item["content"])
    return _visible_text(kind, content, depth + 1) if isinstance(content, Mapping) else ""


_READERS: Mapping[str, Callable[[Mapping[str, Any], int], list[str]]] = {
    "vote": _vote,
    "collect": _collect,
    "news": _news,
    "calendar": _calendar,
    "chatrecord": _chat_record,
    "mixed": _mixed,
}
