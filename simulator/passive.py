"""Passive replies: what the bot answers directly to a callback (01, 1.8 and 08, 8.2)."""

import hmac
import json
from typing import Any

from simulator import crypto, xml
from simulator.aibot import take_reply
from simulator.callbacks import Delivery
from simulator.crypto import CryptoError
from simulator.errors import ApiError
from simulator.passive_app import take_app_reply
from simulator.platform import Platform
from simulator.xml import XmlError


def read_reply(platform: Platform, delivery: Delivery, text: str) -> None:
    """Show a passive reply; one that the platform would not understand is noted at the delivery and dropped."""
    try:
        if delivery.as_json:
            _read_bot_reply(platform, delivery, text)
        elif delivery.kind == "app":
            _read_app_reply(platform, delivery, text)
    except ApiError as error:
        delivery.attempts[-1].error = f"passive reply not understood: {error.errcode} {error.errmsg}"
    except (CryptoError, XmlError, ValueError, KeyError, TypeError) as error:
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
    take_app_reply(platform, delivery, fields)


def _read_bot_reply(platform: Platform, delivery: Delivery, text: str) -> None:
    names = ("encrypt", "msgsignature", "timestamp", "nonce")
    body = json.loads(_open(delivery, json.loads(text), names))
    if not isinstance(body, dict):
        raise ApiError(40063, "the answer is not an object")
    try:
        take_reply(platform, delivery.subject, body)
    except ApiError as error:
        delivery.attempts[-1].error = f"passive reply refused: {error.errcode} {error.errmsg}"
