"""A decrypted record of the session archive as a message to be kept: what was said, by whom, where. Pure.

The reading itself is `bot.wecom.archived`; here is decided what a record needs in order to be kept, and what a message
without words is called. Nothing is dropped: an unknown kind keeps its raw form and gets the text `[kind]`.
Source: ../shared/wecom/06-session-archive.md, 6.4 and 6.5.
"""

from collections.abc import Mapping
from datetime import datetime

from bot.wecom.archived import ArchivedMalformed, ArchivedSwitch, ArchiveRecord, parse_archived, plain_text
from compliance.errors import RecordMalformed
from compliance.messages import (
    ArchivedMessageIn,
    ArchiveOrigin,
    ChatKind,
    group_conversation,
    sender_kind_of,
    single_conversation,
)

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


def parse_record(payload: str, seq: int | None = None) -> ArchivedMessageIn:
    """Read one decrypted record.

    Raises:
        RecordMalformed: it is no JSON object, or lacks what every record has (id, sender, time).
    """
    record = _read(payload)
    is_switch = isinstance(record.body, ArchivedSwitch)
    if not record.sender:
        raise RecordMalformed("no_user" if is_switch else "no_from")
    if not record.msgid:
        raise RecordMalformed("no_msgid")
    return ArchivedMessageIn(
        msgid=record.msgid,
        source=ArchiveOrigin.ARCHIVE,
        chat_kind=ChatKind.GROUP if record.room_id else ChatKind.SINGLE,
        conversation=_conversation(record),
        sender_id=record.sender,
        sender_kind=sender_kind_of(record.sender),
        receivers=record.receivers,
        room_id=record.room_id,
        msgtype=record.msgtype,
        text=plain_text(record, LABELS),
        sent_at=_sent_at(record, "time" if is_switch else "msgtime"),
        raw=record.raw,
        source_seq=seq,
    )


def revoked_msgid(message: ArchivedMessageIn) -> str | None:
    """Return the id of the message that this one recalls, if it is a recall."""
    if message.msgtype != "revoke":
        return None
    recalled = message.raw.get("revoke")
    found = recalled.get("pre_msgid") if isinstance(recalled, Mapping) else None
    return found if isinstance(found, str) and found else None


def _read(payload: str) -> ArchiveRecord:
    try:
        return parse_archived(payload)
    except ArchivedMalformed as error:
        raise RecordMalformed(error.reason) from error


def _conversation(record: ArchiveRecord) -> str:
    if record.room_id:
        return group_conversation(record.room_id)
    return single_conversation(record.sender, record.receivers[0] if record.receivers else record.sender)


def _sent_at(record: ArchiveRecord, name: str) -> datetime:
    if record.sent_at is None:
        is_number = isinstance(record.raw.get(name), int | float)
        raise RecordMalformed(f"bad_{name}" if is_number else f"no_{name}")
    return record.sent_at
