"""How the body of each door is read: at the edge into a row, later from the row into an event."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from bot import events as e
from bot.errors import CallbackMalformed
from bot.events import Event, Fields
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.inbox.models import InboxRow, NewInboxRow, Source
from bot.wecom.dedupe import app_conversation, app_dedupe_key
from bot.wecom.fields import parse_fields, parse_json, parse_xml, text_of, tree_of
from bot.wecom.parsing import parse_event, parse_seconds

# The mention is part of a group message's text (08-aibot.md, 8.1): "@name " at its head, with any blank after it.
_MENTION = re.compile(r"^\s*@\S+\s*")


class AppReader:
    """The callback URL of a self-built app: an XML envelope, XML bodies (a few families: JSON)."""

    def ciphertext(self, body: bytes) -> str:
        """Return the text of `Encrypt`."""
        encrypted = text_of(parse_xml(body), "Encrypt")
        if not encrypted:
            raise CallbackMalformed("the envelope has no Encrypt element")
        return encrypted

    def row(self, plaintext: bytes, received_at: datetime) -> NewInboxRow:
        """Return the row of an app callback."""
        fields = parse_fields(plaintext)
        event = parse_event(fields)
        return NewInboxRow(
            source=Source.APP,
            dedupe_key=app_dedupe_key(fields),
            conversation=app_conversation(fields),
            event_type=type(event).__name__,
            body=_as_text(plaintext),
            received_at=received_at,
        )


class AiBotReader:
    """The callback URL of an AI bot: a JSON envelope and JSON bodies."""

    def ciphertext(self, body: bytes) -> str:
        """Return the text of `encrypt`."""
        encrypted = text_of(parse_json(body), "encrypt")
        if not encrypted:
            raise CallbackMalformed("the envelope has no encrypt member")
        return encrypted

    def row(self, plaintext: bytes, received_at: datetime) -> NewInboxRow:
        """Return the row of an AI bot callback."""
        fields = parse_json(plaintext)
        msg_id = text_of(fields, "msgid")
        if not msg_id:
            raise CallbackMalformed("the AI bot's body has no msgid")
        return NewInboxRow(
            source=Source.AIBOT,
            dedupe_key=f"aibot:{msg_id}",
            conversation=f"aibot:{text_of(fields, 'chatid') or text_of(tree_of(fields, 'from'), 'userid')}",
            event_type=type(read_aibot(fields)).__name__,
            body=_as_text(plaintext),
            received_at=received_at,
        )


def _as_text(plaintext: bytes) -> str:
    try:
        return plaintext.decode()
    except UnicodeDecodeError as error:
        raise CallbackMalformed("the body is not UTF-8") from error


def read_event(row: InboxRow) -> Event:
    """Return the typed event of a stored row.

    Raises:
        CallbackMalformed: the body cannot be read (it could when it came in, so this is a defect of ours).
    """
    body = row.body.encode()
    match row.source:
        case Source.APP:
            return parse_event(parse_fields(body))
        case Source.AIBOT:
            return read_aibot(parse_json(body))
        case Source.KF:
            return read_kf(parse_json(body))
        case Source.ARCHIVE:
            return read_archived(parse_json(body))


def read_aibot(fields: Fields) -> Event:
    """Return the event of an AI bot body: words to the bot, or something else it said."""
    occurred_at = parse_seconds(text_of(fields, "create_time"))
    text = _aibot_text(fields)
    if text is None:
        return e.BotOtherCallback(fields=fields, occurred_at=occurred_at)
    chat_id = text_of(fields, "chatid")
    return e.BotMention(
        fields=fields,
        occurred_at=occurred_at,
        speaker=text_of(tree_of(fields, "from"), "userid"),
        chat_id=GroupChatId(chat_id) if chat_id else None,
        text=_MENTION.sub("", text) if chat_id else text,
        response_url=text_of(fields, "response_url"),
        msg_id=text_of(fields, "msgid"),
    )


def _aibot_text(fields: Fields) -> str | None:
    kind = text_of(fields, "msgtype")
    if kind == "text":
        return text_of(tree_of(fields, "text"), "content")
    if kind == "voice":
        return text_of(tree_of(fields, "voice"), "content")
    return None


def read_kf(fields: Fields) -> Event:
    """Return the event of one item of a 微信客服 pull (07-kf.md, 7.2). Only customers' items become messages."""
    kind = text_of(fields, "msgtype")
    occurred_at = parse_seconds(text_of(fields, "send_time"))
    if kind == "event":
        return _read_kf_event(fields, occurred_at)
    if text_of(fields, "origin") != "3":
        return e.KfOtherEvent(fields=fields, occurred_at=occurred_at)
    common: dict[str, Any] = {
        "fields": fields,
        "occurred_at": occurred_at,
        "open_kfid": text_of(fields, "open_kfid"),
        "customer_id": CustomerId(text_of(fields, "external_userid")),
        "msg_id": text_of(fields, "msgid"),
    }
    if kind != "text":
        return e.KfOtherMessage(msg_type=kind, **common)
    text = tree_of(fields, "text")
    return e.KfText(text=text_of(text, "content"), menu_id=text_of(text, "menu_id") or None, **common)


def _read_kf_event(fields: Fields, occurred_at: datetime | None) -> Event:
    data = tree_of(fields, "event")
    common: dict[str, Any] = {
        "fields": fields,
        "occurred_at": occurred_at,
        "open_kfid": text_of(data, "open_kfid"),
        "customer_id": CustomerId(text_of(data, "external_userid")),
    }
    match text_of(data, "event_type"):
        case "enter_session":
            return e.KfSessionEntered(welcome_code=text_of(data, "welcome_code") or None, **common)
        case "msg_send_fail":
            return e.KfSendFailed(
                fail_msg_id=text_of(data, "fail_msgid"), fail_type=text_of(data, "fail_type"), **common
            )
        case _:
            return e.KfOtherEvent(fields=fields, occurred_at=occurred_at)


def kf_row(item: dict[str, Any], open_kfid: str, received_at: datetime) -> NewInboxRow:
    """Return the row of one pulled 微信客服 item."""
    body = json.dumps(item, ensure_ascii=False)
    event = read_kf(parse_json(body.encode()))
    customer = item.get("external_userid") or item.get("event", {}).get("external_userid", "")
    return NewInboxRow(
        source=Source.KF,
        dedupe_key=f"kf:{item['msgid']}",
        conversation=f"kf:{open_kfid}:{customer}",
        event_type=type(event).__name__,
        body=body,
        received_at=received_at,
    )


def archived_text_row(
    *,
    msg_id: str,
    chat_id: str | None,
    customer_id: str,
    staff_id: str | None,
    text: str,
    sent_at: datetime,
    received_at: datetime,
) -> NewInboxRow:
    """Return the row of a customer's words that were found in the session archive."""
    body = {
        "msgid": msg_id,
        "chat_id": chat_id or "",
        "customer_id": customer_id,
        "staff_id": staff_id or "",
        "text": text,
        "sent_at": sent_at.astimezone(UTC).isoformat(),
    }
    return NewInboxRow(
        source=Source.ARCHIVE,
        dedupe_key=f"archive:{msg_id}",
        conversation=f"archive:{chat_id or f'{staff_id}:{customer_id}'}",
        event_type=e.CustomerChatText.__name__,
        body=json.dumps(body, ensure_ascii=False),
        received_at=received_at,
    )


def read_archived(fields: Fields) -> Event:
    """Return the event that `archived_text_row` put into a row."""
    chat_id, staff_id = text_of(fields, "chat_id"), text_of(fields, "staff_id")
    return e.CustomerChatText(
        fields=fields,
        occurred_at=datetime.fromisoformat(text_of(fields, "sent_at")),
        chat_id=GroupChatId(chat_id) if chat_id else None,
        customer_id=CustomerId(text_of(fields, "customer_id")),
        staff_id=StaffId(staff_id) if staff_id else None,
        text=text_of(fields, "text"),
        msg_id=text_of(fields, "msgid"),
    )
