"""Passive replies: what the bot answers directly to a callback (01, 1.8 and 08, 8.2)."""

import hmac
import json
from typing import Any

from simulator import crypto, xml
from simulator.api.aibot import MARKDOWN_BYTES, read_bot_line
from simulator.api.messages import TEXT_BYTES, apply_card_change
from simulator.api.params import cut_bytes
from simulator.callbacks import Delivery
from simulator.chats import Line, say_as_bot
from simulator.crypto import CryptoError
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import ChatKind
from simulator.xml import XmlError


def read_reply(platform: Platform, delivery: Delivery, text: str) -> None:
    """Show a passive reply; one that the platform would not understand is noted at the delivery and dropped."""
    try:
        if delivery.as_json:
            _read_bot_reply(platform, delivery, text)
        elif delivery.kind == "app":
            _read_app_reply(platform, delivery, text)
    except (CryptoError, XmlError, ApiError, ValueError, KeyError, TypeError) as error:
        delivery.attempts[-1].error = f"passive reply not understood: {type(error).__name__}"
    platform.journal.flush()


def _open(delivery: Delivery, sealed: dict[str, Any], names: tuple[str, str, str, str]) -> str:
    """Check signature and receive id of a reply envelope and return its plaintext."""
    encrypted, given, timestamp, nonce = (str(sealed[name]) for name in names)
    target = delivery.target
    if not hmac.compare_digest(given, crypto.signature(target.token, timestamp, nonce, encrypted)):
        raise CryptoError("signature mismatch")
    message, receive_id = crypto.decrypt(encrypted, target.aes_key)
    if receive_id != target.receive_id:
        raise CryptoError("receive id mismatch")
    return message


def _read_app_reply(platform: Platform, delivery: Delivery, text: str) -> None:
    fields = xml.parse(_open(delivery, xml.parse(text), ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")))
    userid = delivery.subject["userid"]
    if fields["MsgType"] == "text":
        say_as_bot(platform, ChatKind.APP, userid, Line(cut_bytes(fields["Content"], TEXT_BYTES)))
    elif fields["MsgType"] == "update_button" and "msgid" in delivery.subject:
        message = platform.world.app_messages.rows[delivery.subject["msgid"]]
        apply_card_change(platform, userid, message, {"replace_name": fields["Button"]["ReplaceName"]})


def _read_bot_reply(platform: Platform, delivery: Delivery, text: str) -> None:
    names = ("encrypt", "msgsignature", "timestamp", "nonce")
    body = json.loads(_open(delivery, json.loads(text), names))
    chat_id = delivery.subject["chat_id"]
    if body["msgtype"] == "stream":
        content = cut_bytes(body["stream"]["content"], MARKDOWN_BYTES)
        line = Line(content, "markdown")
    else:
        line = read_bot_line(body, "")
    shown = say_as_bot(platform, ChatKind.GROUP, chat_id, line)
    platform.record_sent("aibot", [chat_id], body, shown.id)
