"""How the body of each door is read: at the edge into a row, later from the row into an event."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot import events as e
from bot.errors import CallbackMalformed
from bot.events import Event, Fields, MirrorKind
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.inbox.models import InboxRow, NewInboxRow, Source
from bot.wecom.dedupe import (
    aibot_conversation,
    aibot_dedupe_key,
    app_conversation,
    app_dedupe_key,
    conversation_name,
    kf_conversation,
    kf_dedupe_key,
)
from bot.wecom.fields import parse_fields, parse_json, parse_xml, text_of
from bot.wecom.parsing import parse_aibot, parse_event, parse_kf

# The names by which the doors are known outside of bot.wecom.
read_aibot = parse_aibot
read_kf = parse_kf


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
            conversation=app_conversation(fields, event),
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
        return aibot_row(parse_json(plaintext), _as_text(plaintext), received_at)


def aibot_row(fields: Fields, body: str, received_at: datetime) -> NewInboxRow:
    """Return the row of an AI bot body or frame; `body` is the JSON it was read from.

    The question how a stream stands (`BotStreamRefresh`) is answered at the edge and needs no row.
    """
    event = parse_aibot(fields)
    return NewInboxRow(
        source=Source.AIBOT,
        dedupe_key=aibot_dedupe_key(event, fields),
        conversation=aibot_conversation(fields),
        event_type=type(event).__name__,
        body=body,
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
            return parse_aibot(parse_json(body))
        case Source.KF:
            return parse_kf(parse_json(body))
        case Source.ARCHIVE:
            return read_archived(parse_json(body))
        case Source.MIRROR:
            return read_mirror(parse_json(body))


def kf_row(item: Mapping[str, Any], open_kfid: str, received_at: datetime) -> NewInboxRow:
    """Return the row of one item pulled for the account `open_kfid`.

    Raises:
        CallbackMalformed: it is deeper or wider than any honest item; the others of its page are not concerned.
    """
    body = _as_json(item)
    fields = parse_json(body.encode())
    return NewInboxRow(
        source=Source.KF,
        dedupe_key=kf_dedupe_key(fields),
        conversation=kf_conversation(fields, open_kfid),
        event_type=type(parse_kf(fields)).__name__,
        body=body,
        received_at=received_at,
    )


def _as_json(value: Mapping[str, Any]) -> str:
    """Return JSON any database can store: readable, or escaped where it holds half a surrogate pair."""
    try:
        text = json.dumps(value, ensure_ascii=False)
        return text if text.isascii() or _is_storable(text) else json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise CallbackMalformed("the item cannot be written as JSON") from error


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def mirror_row(kind: MirrorKind, object_id: str, received_at: datetime, cause_key: str) -> NewInboxRow:
    """Return the row that says: our copy of this object is stale, read it anew.

    `cause_key` tells what made it stale (an inbox row's key, a sweep's number): of one cause there is one row.
    """
    return NewInboxRow(
        source=Source.MIRROR,
        dedupe_key=conversation_name("mirror", kind.value, object_id, cause_key),
        conversation=conversation_name("mirror", kind.value, object_id),
        event_type=e.MirrorDue.__name__,
        body=json.dumps({"kind": kind.value, "object_id": object_id, "at": received_at.astimezone(UTC).isoformat()}),
        received_at=received_at,
    )


def read_mirror(fields: Fields) -> Event:
    """Return the event that `mirror_row` put into a row.

    Raises:
        CallbackMalformed: no such row was ever made.
    """
    try:
        kind, at = MirrorKind(text_of(fields, "kind")), datetime.fromisoformat(text_of(fields, "at"))
    except ValueError as error:
        raise CallbackMalformed("the row is none of ours") from error
    return e.MirrorDue(fields=fields, occurred_at=at, kind=kind, object_id=text_of(fields, "object_id"))


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
    """Return the event that `archived_text_row` put into a row.

    Raises:
        CallbackMalformed: no such row was ever made.
    """
    chat_id, staff_id = text_of(fields, "chat_id"), text_of(fields, "staff_id")
    try:
        sent_at = datetime.fromisoformat(text_of(fields, "sent_at"))
    except ValueError as error:
        raise CallbackMalformed("the row is none of ours") from error
    return e.CustomerChatText(
        fields=fields,
        occurred_at=sent_at,
        chat_id=GroupChatId(chat_id) if chat_id else None,
        customer_id=CustomerId(text_of(fields, "customer_id")),
        staff_id=StaffId(staff_id) if staff_id else None,
        text=text_of(fields, "text"),
        msg_id=text_of(fields, "msgid"),
    )
