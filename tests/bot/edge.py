"""Builders for callbacks as the platform posts them; its own arithmetic is bot.wecom.crypto, checked by vectors."""

import itertools
from dataclasses import dataclass
from datetime import datetime

from bot.wecom.crypto import CallbackCrypto

TOKEN = "QDG6eK"
KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
CORP = "ww0000000000000001"
CRYPTO = CallbackCrypto(TOKEN, KEY, CORP)
_numbers = itertools.count(1)


@dataclass(frozen=True)
class SignedRequest:
    """Query parameters and body of one callback."""

    params: dict[str, str]
    body: bytes


def a_text_body(*, sender: str = "rm001", text: str = "你好", msg_id: str | None = None, created: int = 1) -> bytes:
    """Return the plaintext XML of a member's message."""
    number = msg_id or str(next(_numbers))
    return (
        f"<xml><ToUserName>{CORP}</ToUserName><FromUserName>{sender}</FromUserName><CreateTime>{created}</CreateTime>"
        f"<MsgType>text</MsgType><Content><![CDATA[{text}]]></Content><MsgId>{number}</MsgId>"
        "<AgentID>1000002</AgentID></xml>"
    ).encode()


def a_callback(plaintext: bytes, now: datetime, crypto: CallbackCrypto = CRYPTO) -> SignedRequest:
    """Return the signed and encrypted request for a plaintext."""
    timestamp, nonce = str(int(now.timestamp())), f"n{next(_numbers)}"
    ciphertext = crypto.encrypt(plaintext)
    return SignedRequest(
        {"msg_signature": crypto.sign(timestamp, nonce, ciphertext), "timestamp": timestamp, "nonce": nonce},
        f"<xml><ToUserName>{CORP}</ToUserName><Encrypt><![CDATA[{ciphertext}]]></Encrypt></xml>".encode(),
    )
