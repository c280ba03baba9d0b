"""The words of a record: what a person could read in it, for search and for screening."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from bot.wecom.archived import bodies as b
from bot.wecom.archived.records import ArchiveRecord

# Under these keys messages of unknown kinds carry words rather than ids.
_WORD_KEYS = ("title", "content", "text", "desc", "description", "name", "filename", "remarks", "url", "link_url")


def plain_text(record: ArchiveRecord, labels: Mapping[str, str] | None = None) -> str:
    """Return every word a person can read in a record, lines joined.

    `labels` names kinds: with it each message that is not just words begins with `[its name]`, also inside merged
    records, and with the kind itself where the table has none. Without it there are words only, perhaps none.
    """
    return _labelled(record.msgtype, record.body, labels)


def _labelled(kind: str, body: b.ArchivedBody, labels: Mapping[str, str] | None) -> str:
    words = "\n".join(line for line in _lines(body, labels) if line)
    if labels is None or isinstance(body, b.ArchivedText | b.ArchivedMarkdown):
        return words
    return f"[{labels.get(kind, kind)}]{words}"


def _lines(body: b.ArchivedBody, labels: Mapping[str, str] | None) -> tuple[str, ...]:
    match body:
        case b.ArchivedText() | b.ArchivedMarkdown():
            return (body.content,)
        case b.ArchivedChatRecord():
            return (body.title, *_part_lines(body.items, labels))
        case b.ArchivedMixed():
            return _part_lines(body.items, labels)
        case b.ArchivedFile() | b.ArchivedCallDocument() | b.ArchivedDiskFile():
            return (body.name,)
        case b.ArchivedCard():
            return (body.corp_name, body.user_id)
        case b.ArchivedLocation():
            return (body.title, body.address)
        case b.ArchivedLink():
            return (body.title, body.description, body.url)
        case b.ArchivedMiniprogram():
            return (body.title, body.description, body.display_name)
        case b.ArchivedTodo():
            return (body.title, body.content)
        case b.ArchivedVote():
            return (body.title, *body.options)
        case b.ArchivedForm():
            return (body.title, *(item.question for item in body.questions))
        case b.ArchivedRedPacket():
            return (body.wish,)
        case b.ArchivedMeeting():
            return (body.topic, body.address, body.remarks)
        case b.ArchivedDocument():
            return (body.title, body.url)
        case b.ArchivedNews():
            return tuple(word for item in body.articles for word in (item.title, item.description, item.url))
        case b.ArchivedCalendar():
            return (body.title, *body.attendees, body.place, body.remarks)
        case b.ArchivedChannelPost():
            return (body.channel, body.description)
        case b.ArchivedMeetingCall():
            return tuple(name for item in body.documents if isinstance(name := item.get("filename"), str))
        case b.UnknownArchived():
            return tuple(_words_of(body.content))
        case (
            b.ArchivedImage()
            | b.ArchivedVoice()
            | b.ArchivedVideo()
            | b.ArchivedEmotion()
            | b.ArchivedRevoke()
            | b.ArchivedConsent()
            | b.ArchivedSwitch()
            | b.ArchivedMeetingNotice()
            | b.ArchivedCall()
        ):
            return ()
    assert_never(body)


def _part_lines(parts: tuple[b.ArchivedPart, ...], labels: Mapping[str, str] | None) -> tuple[str, ...]:
    return tuple(_labelled(part.kind, part.body, labels) for part in parts)


def _words_of(value: Any) -> Iterator[str]:
    """Find words in a body nobody has described; depth is bounded where the record was read."""
    if isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, str) and key in _WORD_KEYS:
                yield item
            else:
                yield from _words_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words_of(item)


def media_of(record: ArchiveRecord) -> tuple[b.MediaRef, ...]:
    """List the files of a record in their order, those inside merged records and mixed messages too."""
    return tuple(_media(record.body))


def _media(body: b.ArchivedBody) -> Iterator[b.MediaRef]:
    match body:
        case b.ArchivedChatRecord() | b.ArchivedMixed():
            for part in body.items:
                yield from _media(part.body)
        case (
            b.ArchivedImage()
            | b.ArchivedVoice()
            | b.ArchivedVideo()
            | b.ArchivedEmotion()
            | b.ArchivedFile()
            | b.ArchivedMeetingCall()
            | b.ArchivedCallDocument()
        ) if body.media is not None:
            yield body.media
