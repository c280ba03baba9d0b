"""The edge: a raw ASGI application for the callback URLs, in front of everything else.

The order of checks is fixed: size, signature, timestamp, decrypt, parse. Then the event is stored, and only when it is
durable is "success" said. A refusal is logged with its reason and without content, and reveals nothing but 400 or 403.
It is raw ASGI because this is the path that must hold under load (bench/ingest).
Source: ../shared/wecom/01-callback.md, 08-aibot.md.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes

import structlog

from bot.clock import Clock
from bot.errors import CallbackError, CallbackMalformed, CallbackStale, CallbackTooLarge
from bot.inbox.models import NewInboxRow
from bot.wecom.crypto import CallbackCrypto

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger("bot.webhook")

_TEXT = [(b"content-type", b"text/plain; charset=utf-8")]
_SIGNED = ("msg_signature", "timestamp", "nonce")


class CallbackReader(Protocol):
    """Knows one kind of callback URL: how its envelope looks, and how its messages become rows."""

    def ciphertext(self, body: bytes) -> str:
        """Return the encrypted part of a request body, or raise CallbackMalformed."""
        ...

    def row(self, plaintext: bytes, received_at: datetime) -> NewInboxRow:
        """Return what is to be stored, or raise CallbackMalformed."""
        ...


class Desk(Protocol):
    """Takes the callbacks of a URL whose answers carry words of ours (the AI bot's: bot/aibot/desk.py)."""

    async def take(self, plaintext: bytes) -> Mapping[str, Any] | None:
        """Store the event durably, then return what is to be said at once, or nothing.

        Raises:
            CallbackMalformed: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """One callback URL: its secrets, who reads its bodies, and, where events are answered with words, who does that."""

    crypto: CallbackCrypto
    reader: CallbackReader
    desk: Desk | None = None


class InboxWriter(Protocol):
    """Stores one event durably."""

    async def put(self, row: NewInboxRow) -> None:
        """Return when the row, or an earlier copy of it, is on the disk."""
        ...


class CallbackEdge:
    """Answers the callback URLs itself and passes every other request on to `inner`.

    `max_skew_seconds` is generous: a retry may come hours late, and replays are harmless because copies are known.
    `silence_seconds`: the platform judges only whether an answer arrived within 5 s (1.6), whatever its status. What
    could not be stored is therefore answered later than that, so that it is sent again.
    """

    def __init__(
        self,
        urls: Mapping[str, CallbackUrl],
        writer: InboxWriter,
        clock: Clock,
        inner: AsgiApp,
        *,
        max_bytes: int,
        max_skew_seconds: int,
        silence_seconds: float = 6.0,
    ) -> None:
        self._urls = urls
        self._writer = writer
        self._clock = clock
        self._inner = inner
        self._max_bytes = max_bytes
        self._max_skew_seconds = max_skew_seconds
        self._silence_seconds = silence_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, request or lifespan."""
        url = self._urls.get(scope["path"]) if scope["type"] == "http" else None
        if url is None:
            await self._inner(scope, receive, send)
            return
        try:
            answer = await self._answer(url, scope, receive)
        except CallbackError as error:
            log.warning("callback.refused", path=scope["path"], code=error.code, reason=str(error))
            await _respond(send, error.status, b"")
        except Exception as error:  # whatever went wrong in storing, the event must come again
            log.error("callback.not_stored", path=scope["path"], error=type(error).__name__)
            await asyncio.sleep(self._silence_seconds)
            await _respond(send, 503, b"")
        else:
            await _respond(send, 200, answer)

    async def _answer(self, url: CallbackUrl, scope: Scope, receive: Receive) -> bytes:
        query = parse_query(scope["query_string"])
        if scope["method"] == "POST":
            return await self._take(url, query, await self._body(receive))
        if scope["method"] == "GET":
            return self._prove(url, query)
        raise CallbackMalformed(f"a callback URL does not take {scope['method']}")

    def _prove(self, url: CallbackUrl, query: Mapping[str, str]) -> bytes:
        """Answer the URL check with the plaintext and nothing else (1.2)."""
        # A proxy that decoded "+" as a form would has left a blank; base64 has none, so it can be put right.
        ciphertext = query.get("echostr", "").replace(" ", "+")
        self._check(url, query, ciphertext)
        return url.crypto.decrypt(ciphertext)

    async def _take(self, url: CallbackUrl, query: Mapping[str, str], body: bytes) -> bytes:
        ciphertext = url.reader.ciphertext(body)
        self._check(url, query, ciphertext)
        plaintext = url.crypto.decrypt(ciphertext)
        if url.desk is not None:
            return self._seal(url.crypto, await url.desk.take(plaintext), query["nonce"])
        await self._writer.put(url.reader.row(plaintext, self._clock.now()))
        return b"success"

    def _seal(self, crypto: CallbackCrypto, reply: Mapping[str, Any] | None, nonce: str) -> bytes:
        """Return an encrypted JSON answer under the request's nonce (08-aibot.md, 8.1); no words: an empty body."""
        if reply is None:
            return b""
        encrypted = crypto.encrypt(json.dumps(reply, ensure_ascii=False).encode())
        timestamp = int(self._clock.now().timestamp())
        signature = crypto.sign(str(timestamp), nonce, encrypted)
        envelope = {"encrypt": encrypted, "msgsignature": signature, "timestamp": timestamp, "nonce": nonce}
        return json.dumps(envelope).encode()

    def _check(self, url: CallbackUrl, query: Mapping[str, str], ciphertext: str) -> None:
        if not ciphertext or any(not query.get(name) for name in _SIGNED):
            raise CallbackMalformed("msg_signature, timestamp, nonce or the encrypted part is missing")
        url.crypto.verify(query["msg_signature"], query["timestamp"], query["nonce"], ciphertext)
        timestamp = query["timestamp"]
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise CallbackMalformed("the timestamp is not a number")
        skew = abs(self._clock.now().timestamp() - int(timestamp))
        if skew > self._max_skew_seconds:
            raise CallbackStale(f"the timestamp is {int(skew)} s from now: check the clock, or edge.max_skew_seconds")

    async def _body(self, receive: Receive) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise CallbackMalformed("the sender went away")
            part: bytes = message.get("body", b"")
            size += len(part)
            if size > self._max_bytes:
                raise CallbackTooLarge(f"the body is larger than {self._max_bytes} bytes")
            parts.append(part)
            if not message.get("more_body", False):
                return b"".join(parts)


def parse_query(raw: bytes) -> dict[str, str]:
    """Return the parameters of a raw query string, percent-decoded once; "+" stays "+" (1.2). The first one wins.

    Raises:
        CallbackMalformed: a value is not UTF-8.
    """
    found: dict[str, str] = {}
    for pair in raw.split(b"&"):
        name, _, value = pair.partition(b"=")
        try:
            found.setdefault(name.decode("ascii"), (unquote_to_bytes(value) if b"%" in value else value).decode())
        except UnicodeDecodeError as error:
            raise CallbackMalformed("the query string is not UTF-8") from error
    return found


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [*_TEXT, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
