"""The body of each kind of message, read field by field (06-session-archive.md, 6.5).

Where SDKs differ about a key, every spelling is read. Merged records and mixed messages carry their parts as JSON
inside strings, which nest: depth and number of parts are bounded, because each level costs a parse.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from bot.wecom.archived import bodies as b
from bot.wecom.archived.values import (
    RawBody,
    decimal,
    flag,
    is_bounded,
    milliseconds,
    number,
    seconds,
    text,
    texts,
    tree,
    trees,
)

MAX_NESTING = 5
MAX_PARTS = 2_000

# A record's message, where it does not stand under a key named like its kind.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "docmsg": ("doc", "docmsg"),
    "markdown": ("info", "markdown"),
    "news": ("info", "news"),
    "voiptext": ("info", "voiptext"),
    "qydiskfile": ("info", "qydiskfile"),
    "meeting_notification": ("info", "meeting_notification"),
    "redpacket": ("redpacket", "external_redpacket"),
    "external_redpacket": ("external_redpacket", "redpacket"),
}


class Nesting:
    """How deep the reading is, and how many parts it may still open. One for each record."""

    def __init__(self) -> None:
        self.depth = 0
        self.parts_left = MAX_PARTS


def read_body(kind: str, record: RawBody, nesting: Nesting) -> b.ArchivedBody:
    """Return the typed body of a record, or of a part of one, whose kind is `kind`."""
    body = _find_body(kind, record)
    if kind in _NESTING_READERS:
        return _NESTING_READERS[kind](body, nesting)
    reader = _READERS.get(kind)
    if reader is None:
        return b.UnknownArchived(kind, body)
    return reader(body, record)


def _find_body(kind: str, record: RawBody) -> RawBody:
    """Return the message itself: under its key, or the record where it has none (a vote at the top level)."""
    for key in _KEYS.get(kind, (kind,)):
        body = record.get(key)
        if isinstance(body, dict):
            return body
    return record


def _media(body: RawBody, size: str = "filesize") -> b.MediaRef | None:
    file_id = text(body, "sdkfileid")
    return b.MediaRef(file_id, text(body, "md5sum"), number(body, size)) if file_id else None


def _text(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedText(text(body, "content"))


def _markdown(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedMarkdown(text(body, "content"))


def _image(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedImage(_media(body))


def _voice(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedVoice(_media(body, "voice_size"), number(body, "play_length"))


def _video(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedVideo(_media(body), number(body, "play_length"))


def _emotion(body: RawBody, _: RawBody) -> b.ArchivedBody:
    form = {1: "gif", 2: "png"}.get(number(body, "type") or 0, "")
    return b.ArchivedEmotion(_media(body, "imagesize"), form, number(body, "width"), number(body, "height"))


def _file(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedFile(_media(body), text(body, "filename"), text(body, "fileext"))


def _revoke(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedRevoke(text(body, "pre_msgid"))


def _agree(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedConsent(True, text(body, "userid"), milliseconds(body, "agree_time"))


def _disagree(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedConsent(False, text(body, "userid"), milliseconds(body, "disagree_time"))


def _switch(_: RawBody, record: RawBody) -> b.ArchivedBody:
    return b.ArchivedSwitch(text(record, "user"))


def _card(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedCard(text(body, "corpname"), text(body, "userid"))


def _location(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedLocation(
        latitude=decimal(body, "latitude"),
        longitude=decimal(body, "longitude"),
        title=text(body, "title"),
        address=text(body, "address"),
        zoom=number(body, "zoom"),
    )


def _link(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedLink(
        text(body, "title"), text(body, "description"), text(body, "link_url"), text(body, "image_url")
    )


def _miniprogram(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedMiniprogram(
        text(body, "title"), text(body, "description"), text(body, "username"), text(body, "displayname")
    )


def _todo(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedTodo(text(body, "title"), text(body, "content"))


def _vote(body: RawBody, record: RawBody) -> b.ArchivedBody:
    # Some SDKs leave the id at the top level although the rest stands under `vote`.
    vote_id = text(body, "voteid") or text(record, "voteid")
    return b.ArchivedVote(text(body, "votetitle"), texts(body, "voteitem"), number(body, "votetype"), vote_id)


def _form(body: RawBody, _: RawBody) -> b.ArchivedBody:
    questions = tuple(
        b.FormQuestion(text(item, "id"), text(item, "ques"), text(item, "type")) for item in trees(body, "details")
    )
    return b.ArchivedForm(
        room_name=text(body, "room_name"),
        creator=text(body, "creator"),
        created_at=text(body, "create_time"),
        title=text(body, "title"),
        questions=questions,
    )


def _red_packet(body: RawBody, record: RawBody) -> b.ArchivedBody:
    return b.ArchivedRedPacket(
        kind=number(body, "type"),
        wish=text(body, "wish"),
        count=number(body, "totalcnt"),
        amount_fen=number(body, "totalamount"),
        external=text(record, "msgtype") == "external_redpacket" or "external_redpacket" in record,
    )


def _meeting(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedMeeting(
        topic=text(body, "topic"),
        starts_at=seconds(body, "starttime"),
        ends_at=seconds(body, "endtime"),
        address=text(body, "address"),
        remarks=text(body, "remarks"),
        kind=number(body, "meetingtype"),
        meeting_id=text(body, "meetingid"),
        status=number(body, "status"),
    )


def _meeting_notice(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedMeetingNotice(text(body, "meeting_id"), number(body, "notification_type"))


def _document(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedDocument(text(body, "title"), text(body, "doc_creator"), text(body, "link_url"))


def _news(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedNews(
        tuple(
            b.Article(text(item, "title"), text(item, "description"), text(item, "url"), text(item, "picurl"))
            for item in trees(body, "item")
        )
    )


def _calendar(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedCalendar(
        title=text(body, "title"),
        creator=text(body, "creatorname"),
        attendees=texts(body, "attendeename"),
        starts_at=seconds(body, "starttime"),
        ends_at=seconds(body, "endtime"),
        place=text(body, "place"),
        remarks=text(body, "remarks"),
    )


def _meeting_call(body: RawBody, record: RawBody) -> b.ArchivedBody:
    return b.ArchivedMeetingCall(
        voice_id=text(record, "voiceid") or text(body, "voiceid"),
        media=_media(body),
        ended_at=seconds(body, "endtime"),
        documents=trees(body, "demofiledata"),
        screens=trees(body, "sharescreendata"),
    )


def _call_document(body: RawBody, record: RawBody) -> b.ArchivedBody:
    call_id = text(record, "voipid") or text(body, "voipid")
    return b.ArchivedCallDocument(call_id, _media(body), text(body, "filename"))


def _call(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedCall(number(body, "callduration"), number(body, "invitetype"))


def _channel_post(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedChannelPost(number(body, "feed_type"), text(body, "sph_name"), text(body, "feed_desc"))


def _disk_file(body: RawBody, _: RawBody) -> b.ArchivedBody:
    return b.ArchivedDiskFile(text(body, "filename"))


_READERS: Mapping[str, Callable[[RawBody, RawBody], b.ArchivedBody]] = {
    "text": _text,
    "markdown": _markdown,
    "image": _image,
    "voice": _voice,
    "video": _video,
    "emotion": _emotion,
    "file": _file,
    "revoke": _revoke,
    "agree": _agree,
    "disagree": _disagree,
    "switch": _switch,
    "card": _card,
    "location": _location,
    "link": _link,
    "weapp": _miniprogram,
    "todo": _todo,
    "vote": _vote,
    "collect": _form,
    "redpacket": _red_packet,
    "external_redpacket": _red_packet,
    "meeting": _meeting,
    "meeting_notification": _meeting_notice,
    "docmsg": _document,
    "news": _news,
    "calendar": _calendar,
    "meeting_voice_call": _meeting_call,
    "voip_doc_share": _call_document,
    "voiptext": _call,
    "sphfeed": _channel_post,
    "qydiskfile": _disk_file,
}


# --- messages inside messages ---


def _chat_record(body: RawBody, nesting: Nesting) -> b.ArchivedBody:
    return b.ArchivedChatRecord(text(body, "title"), _parts(body, nesting))


def _mixed(body: RawBody, nesting: Nesting) -> b.ArchivedBody:
    return b.ArchivedMixed(_parts(body, nesting))


def _parts(body: RawBody, nesting: Nesting) -> tuple[b.ArchivedPart, ...]:
    if nesting.depth >= MAX_NESTING:
        return ()
    nesting.depth += 1
    found = []
    for item in trees(body, "item"):
        if nesting.parts_left <= 0:
            break
        nesting.parts_left -= 1
        found.append(_part(item, nesting))
    nesting.depth -= 1
    return tuple(found)


def _part(item: RawBody, nesting: Nesting) -> b.ArchivedPart:
    """Read one part: `type` like ChatRecordText or text, `content` JSON inside a string (or the object itself)."""
    named = text(item, "type")
    kind = (named.removeprefix("ChatRecord") or "chatrecord").lower() if named else "unknown"
    return b.ArchivedPart(
        kind=kind,
        body=_part_body(kind, item, nesting),
        sent_at=seconds(item, "msgtime"),
        from_group=flag(item, "from_chatroom"),
    )


def _part_body(kind: str, item: RawBody, nesting: Nesting) -> b.ArchivedBody:
    content = item.get("content")
    if isinstance(content, str):
        unfolded = _unfold(content)
        if unfolded is None:
            return b.ArchivedText(content)  # words after all, or cut off: a person can read them
        content = unfolded
    if not isinstance(content, dict):
        return b.UnknownArchived(kind, tree(item, "content"))
    return read_body(kind, content, nesting)


def _unfold(content: str) -> Any:
    """Return the JSON value inside a string; `None` when it is none, or one nobody should walk over."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return value if is_bounded(value) else None


_NESTING_READERS: Mapping[str, Callable[[RawBody, Nesting], b.ArchivedBody]] = {
    "chatrecord": _chat_record,
    "mixed": _mixed,
}
