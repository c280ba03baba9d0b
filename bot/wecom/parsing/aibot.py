"""AI bot bodies to typed events (08-aibot.md), the same on the webhook and on the long connection."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bot import events as e
from bot.events import Event, Fields
from bot.ids import GroupChatId
from bot.wecom.fields import int_of, items_of, list_of, parse_int, parse_seconds, text_of, texts_in, tree_of, trees_in

# The mention is part of a group message's text (8.1): "@name " at its head, with any blank after it.
_MENTION = re.compile(r"^\s*@\S+\s*")
_FILES = ("image", "file", "video")


def parse_aibot(fields: Fields) -> Event:
    """Return the event of an AI bot body: words, a file, an event, or the question how a stream stands.

    A frame of the long connection may be given whole: its `body` is what counts.
    """
    body = aibot_body(fields)
    occurred_at = parse_seconds(text_of(body, "create_time"))
    kind = text_of(body, "msgtype").lower()
    common: dict[str, Any] = {"fields": fields, "occurred_at": occurred_at, **_who(body)}
    match kind:
        case "text" | "voice" | "mixed":
            return _mention(body, kind, common)
        case "image" | "file" | "video":
            return _media(body, kind, common)
        case "stream":
            return e.BotStreamRefresh(stream_id=text_of(tree_of(body, "stream"), "id"), **common)
        case "event":
            return _event(body, common)
    return _unknown(f"aibot.{kind}", fields, occurred_at)


def aibot_body(fields: Fields) -> Fields:
    """Return the body of an AI bot callback: itself, or what a frame of the long connection holds."""
    return fields if "msgtype" in fields else tree_of(fields, "body") or fields


def _who(body: Fields) -> dict[str, Any]:
    return {
        "speaker": text_of(tree_of(body, "from"), "userid"),
        "chat_id": GroupChatId(text_of(body, "chatid")) or None,
        "msg_id": text_of(body, "msgid"),
    }


def _unknown(kind: str, fields: Fields, occurred_at: datetime | None) -> Event:
    return e.UnknownEvent(fields=fields, occurred_at=occurred_at, kind=kind)


def _mention(body: Fields, kind: str, common: Mapping[str, Any]) -> Event:
    text = _words(body, kind)
    quote = tree_of(body, "quote")
    quote_kind = text_of(quote, "msgtype").lower()
    return e.BotMention(
        text=_MENTION.sub("", text, count=1) if common["chat_id"] else text,
        response_url=text_of(body, "response_url"),
        kind=kind,
        quote_text=_words(quote, quote_kind),
        quote_kind=quote_kind,
        attachments=_attachments(body) if kind == "mixed" else (),
        **common,
    )


def _words(body: Fields, kind: str) -> str:
    """Return the words of a message or of a quoted one, in their order; a picture among them has none."""
    if kind in ("text", "voice"):
        return text_of(tree_of(body, kind), "content")
    if kind == "mixed":
        return "\n".join(texts_in(_words(item, text_of(item, "msgtype").lower()) for item in _parts(body)))
    return ""


def _parts(body: Fields) -> list[Fields]:
    """Return the parts of a mixed message; a mixed one among them would be none of the platform's and is left out."""
    parts = trees_in(list_of(tree_of(body, "mixed"), "msg_item"))
    return [part for part in parts if text_of(part, "msgtype").lower() != "mixed"]


def _attachments(body: Fields) -> tuple[e.BotAttachment, ...]:
    found = []
    for part in _parts(body):
        kind = text_of(part, "msgtype").lower()
        file = tree_of(part, kind)
        if kind in _FILES and text_of(file, "url"):
            found.append(e.BotAttachment(kind, text_of(file, "url"), text_of(file, "aeskey")))
    return tuple(found)


def _media(body: Fields, kind: str, common: Mapping[str, Any]) -> Event:
    file, quote = tree_of(body, kind), tree_of(body, "quote")
    return e.BotMedia(
        kind=kind,
        url=text_of(file, "url"),
        aes_key=text_of(file, "aeskey"),
        response_url=text_of(body, "response_url"),
        quote_text=_words(quote, text_of(quote, "msgtype").lower()),
        **common,
    )


def _event(body: Fields, common: Mapping[str, Any]) -> Event:
    event = tree_of(body, "event")
    kind = text_of(event, "eventtype").lower()
    build = _EVENTS.get(kind)
    if build is None:
        return _unknown(f"aibot.event.{kind}", common["fields"], common["occurred_at"])
    # The page puts the data into a member named like the type; the official SDK reads them from the event itself.
    return build(tree_of(event, text_of(event, "eventtype")) or event, body, common)


def _entered(_: Fields, body: Fields, common: Mapping[str, Any]) -> Event:
    return e.BotEntered(response_url=text_of(body, "response_url"), **common)


def _card(data: Fields, body: Fields, common: Mapping[str, Any]) -> Event:
    return e.BotCardClicked(
        card_type=text_of(data, "card_type"),
        key=text_of(data, "event_key"),
        task_id=text_of(data, "task_id"),
        selected=tuple(_selected(item) for item in trees_in(items_of(data, "selected_items", "selected_item"))),
        response_url=text_of(body, "response_url"),
        **common,
    )


def _selected(item: Fields) -> e.SelectedItem:
    return e.SelectedItem(text_of(item, "question_key"), texts_in(items_of(item, "option_ids", "option_id")))


_FEEDBACK = {1: e.FeedbackKind.ACCURATE, 2: e.FeedbackKind.INACCURATE, 3: e.FeedbackKind.CANCELLED}


def _feedback(data: Fields, _: Fields, common: Mapping[str, Any]) -> Event:
    reasons = texts_in(list_of(data, "inaccurate_reason_list"))
    return e.BotFeedback(
        feedback_id=text_of(data, "id"),
        kind=_FEEDBACK.get(int_of(data, "type") or 0, e.FeedbackKind.UNKNOWN),
        content=text_of(data, "content"),
        reasons=tuple(number for reason in reasons if (number := parse_int(reason)) is not None),
        **common,
    )


def _disconnected(_: Fields, __: Fields, common: Mapping[str, Any]) -> Event:
    return e.BotDisconnected(fields=common["fields"], occurred_at=common["occurred_at"])


_EVENTS: Mapping[str, Callable[[Fields, Fields, Mapping[str, Any]], Event]] = {
    "enter_chat": _entered,
    "template_card_event": _card,
    "feedback_event": _feedback,
    "disconnected_event": _disconnected,
}
