"""The edge: what is genuine is stored before it is acknowledged, everything else is refused and reveals nothing."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import structlog

from bot.clock import FrozenClock
from bot.doors.readers import AiBotReader, AppReader
from bot.inbox import store
from bot.inbox.appenders import make_appender
from bot.inbox.models import InboxRow, NewInboxRow
from bot.inbox.writer import GroupCommitWriter
from bot.storage.database import Database
from bot.webhook import CallbackEdge, CallbackUrl, Receive, Scope, Send
from bot.wecom.crypto import CallbackCrypto
from tests.bot.edge import CRYPTO, KEY, TOKEN, SignedRequest, a_callback, a_text_body

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
BOT_CRYPTO = CallbackCrypto(TOKEN, KEY, "")


async def _inner(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@dataclass
class Edge:
    """A running edge and the database behind it."""

    http: httpx.AsyncClient
    db: Database
    clock: FrozenClock

    async def post(self, request: SignedRequest, path: str = "/wecom/app") -> httpx.Response:
        return await self.http.post(path, params=request.params, content=request.body)

    async def rows(self) -> list[InboxRow]:
        async with self.db.reading() as tx:
            return await store.list_rows(tx, None, 100)


@pytest.fixture
async def edge(db: Database) -> AsyncIterator[Edge]:
    """An edge with an app URL and an AI bot URL, at 2026-11-21 10:00 in China."""
    clock = FrozenClock(NOW)
    writer = GroupCommitWriter(db, make_appender(db))
    urls = {
        "/wecom/app": CallbackUrl(CRYPTO, AppReader()),
        "/wecom/aibot": CallbackUrl(BOT_CRYPTO, AiBotReader()),
    }
    app = CallbackEdge(urls, writer, clock, _inner, max_bytes=4096, max_skew_seconds=172_800)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as http:
        yield Edge(http, db, clock)
    await writer.close()


async def test_the_url_check_is_answered_with_the_plaintext_alone(edge: Edge) -> None:
    echo = CRYPTO.encrypt(b"1616140317555161061")
    params = {"msg_signature": CRYPTO.sign("1", "n", echo), "timestamp": "1", "nonce": "n", "echostr": echo}
    edge.clock.advance(datetime.fromtimestamp(1, UTC) - NOW)
    response = await edge.http.get("/wecom/app", params=params)
    assert (response.status_code, response.content) == (200, b"1616140317555161061")


async def test_an_echo_string_whose_plus_became_a_blank_is_still_answered(edge: Edge) -> None:
    echo = next(text for text in iter(lambda: CRYPTO.encrypt(b"42"), "") if "+" in text)
    stamp = str(int(NOW.timestamp()))
    query = (
        f"msg_signature={CRYPTO.sign(stamp, 'n', echo)}&timestamp={stamp}&nonce=n&echostr={echo.replace('+', '%20')}"
    )
    assert (await edge.http.get(f"/wecom/app?{query}")).content == b"42"


async def test_a_message_is_stored_and_then_acknowledged(edge: Edge) -> None:
    response = await edge.post(a_callback(a_text_body(text="大额存单利率", msg_id="555"), NOW))
    assert (response.status_code, response.text) == (200, "success")
    (row,) = await edge.rows()
    assert (row.dedupe_key, row.conversation, row.event_type) == ("app:555", "app:rm001", "StaffTextMessage")
    assert "大额存单利率" in row.body
    assert row.received_at == NOW


async def test_a_second_copy_changes_nothing_even_hours_later(edge: Edge) -> None:
    body = a_text_body(msg_id="556")
    await edge.post(a_callback(body, NOW))
    edge.clock.advance(timedelta(hours=5))
    response = await edge.post(a_callback(body, edge.clock.now()))
    assert response.text == "success"
    assert len(await edge.rows()) == 1


async def test_the_platforms_own_late_retry_is_accepted(edge: Edge) -> None:
    request = a_callback(a_text_body(), NOW)
    edge.clock.advance(timedelta(hours=20))
    assert (await edge.post(request)).status_code == 200


async def test_an_ai_bot_message_is_stored_under_its_own_number(edge: Edge) -> None:
    body = {"msgid": "m1", "chatid": "wr1", "from": {"userid": "x"}, "msgtype": "text", "text": {"content": "@b 你好"}}
    signed = a_callback(json.dumps(body).encode(), NOW, BOT_CRYPTO)
    encrypted = signed.body.decode().split("CDATA[")[1].split("]]")[0]
    response = await edge.post(replace(signed, body=json.dumps({"encrypt": encrypted}).encode()), "/wecom/aibot")
    assert response.status_code == 200
    (row,) = await edge.rows()
    assert (row.dedupe_key, row.conversation, row.event_type) == ("aibot:m1", "aibot:wr1", "BotMention")


async def _status(edge: Edge, request: SignedRequest) -> int:
    response = await edge.post(request)
    assert response.content == b"", "a refusal reveals nothing"
    assert await edge.rows() == []
    return response.status_code


async def test_a_forged_signature_is_refused(edge: Edge) -> None:
    request = a_callback(a_text_body(), NOW)
    assert await _status(edge, replace(request, params={**request.params, "msg_signature": "0" * 40})) == 403


async def test_a_missing_parameter_is_refused(edge: Edge) -> None:
    request = a_callback(a_text_body(), NOW)
    assert await _status(edge, replace(request, params={"timestamp": "1"})) == 400


async def test_a_signature_from_another_week_is_refused(edge: Edge) -> None:
    assert await _status(edge, a_callback(a_text_body(), NOW - timedelta(days=7))) == 403


async def test_a_message_for_another_corp_is_refused(edge: Edge) -> None:
    other = CallbackCrypto(TOKEN, KEY, "ww9999999999999999")
    assert await _status(edge, a_callback(a_text_body(), NOW, other)) == 403


@pytest.mark.parametrize("plaintext", [b"", b"no xml", b"<xml><A/></xml>", b"<!DOCTYPE a><xml/>", b"<xml>\xff</xml>"])
async def test_a_body_nobody_can_read_is_refused(edge: Edge, plaintext: bytes) -> None:
    assert await _status(edge, a_callback(plaintext, NOW)) == 400


@pytest.mark.parametrize("body", [b"", b"<xml/>", b"<xml><Encrypt>%%</Encrypt></xml>", b"x" * 5000])
async def test_an_envelope_nobody_can_read_is_refused(edge: Edge, body: bytes) -> None:
    request = a_callback(a_text_body(), NOW)
    assert await _status(edge, replace(request, body=body)) in (400, 403)


async def test_other_methods_are_refused_and_other_paths_passed_on(edge: Edge) -> None:
    assert (await edge.http.put("/wecom/app")).status_code == 400
    assert (await edge.http.get("/elsewhere")).status_code == 418


async def test_refusals_are_logged_with_their_reason_and_without_content(edge: Edge) -> None:
    request = a_callback(a_text_body(text="绝密内容"), NOW - timedelta(days=7))
    with structlog.testing.capture_logs() as logs:
        await edge.post(request)
    assert logs[0]["code"] == "callback.stale"
    assert "绝密" not in str(logs)


class _FullDisk:
    async def put(self, row: NewInboxRow) -> None:
        raise OSError("no space left on device")


async def test_what_cannot_be_stored_is_not_acknowledged() -> None:
    urls = {"/wecom/app": CallbackUrl(CRYPTO, AppReader())}
    app = CallbackEdge(
        urls, _FullDisk(), FrozenClock(NOW), _inner, max_bytes=4096, max_skew_seconds=60, silence_seconds=0.05
    )
    request = a_callback(a_text_body(), NOW)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://edge") as http:
        response = await http.post("/wecom/app", params=request.params, content=request.body)
    assert response.status_code == 503
