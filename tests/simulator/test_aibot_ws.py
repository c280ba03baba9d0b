"""The AI bot's long connection: subscription, one live connection, answers, limits, uploads, and faults."""

import asyncio
import base64
import hashlib
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from simulator import SimClock, create_app
from simulator.config import DEMO_AIBOT_SECRET, BankSize, SimConfig
from simulator.platform import Platform
from tests.running import running
from tests.simulator.aibot_bench import a_card

Json = dict[str, Any]
_numbers = itertools.count(1)


@dataclass
class Client:
    """One bot's end of a connection; `callbacks` are the frames nobody asked for."""

    socket: ClientConnection
    callbacks: list[Json] = field(default_factory=list)

    async def ask(self, cmd: str, body: Json | None = None, req_id: str | None = None) -> Json:
        """Send a frame and wait for its answer."""
        req_id = req_id or f"q{next(_numbers)}"
        await self.socket.send(json.dumps({"cmd": cmd, "headers": {"req_id": req_id}, "body": body or {}}))
        while True:
            frame: Json = await self.next()
            if "cmd" in frame:
                self.callbacks.append(frame)
            elif frame["headers"]["req_id"] == req_id:
                return frame

    async def next(self) -> Json:
        """Return the next frame."""
        return dict(json.loads(await asyncio.wait_for(self.socket.recv(), 5)))

    async def callback(self) -> Json:
        """Return the next callback frame."""
        return self.callbacks.pop(0) if self.callbacks else await self.next()

    async def code(self, cmd: str, body: Json | None = None, req_id: str | None = None) -> int:
        """Send a frame and return its errcode."""
        return int((await self.ask(cmd, body, req_id))["errcode"])


@dataclass
class Bench:
    """A simulator over real sockets, and its people."""

    url: str
    platform: Platform
    http: httpx.AsyncClient
    clock: SimClock

    async def do(self, path: str, **body: Any) -> Json:
        """Let somebody do something."""
        answer = await self.http.post(f"/_sim/{path}", json=body)
        answer.raise_for_status()
        return dict(answer.json())

    async def said(self) -> list[str]:
        """Return the bot's words to rm001."""
        answer = await self.http.get("/_sim/conversations", params={"kind": "aibot", "key": "rm001"})
        return [line["text"] for line in answer.json()["messages"] if line["sender_kind"] == "bot"]

    @asynccontextmanager
    async def connected(self, *, subscribed: bool = True) -> AsyncIterator[Client]:
        """Open a connection."""
        async with connect(f"{self.url.replace('http', 'ws')}/aibot/ws", proxy=None) as socket:
            client = Client(socket)
            if subscribed:
                assert await client.code("aibot_subscribe", SUBSCRIPTION) == 0
            yield client


SUBSCRIPTION = {"bot_id": "aib0000000000000001", "secret": DEMO_AIBOT_SECRET}


@pytest.fixture
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    mode: Any = getattr(request, "param", "websocket")
    clock = SimClock()
    app = create_app(SimConfig(size=BankSize(4, 20, 2), aibot_mode=mode), clock)
    async with running(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Bench(url, app.state.platform, http, clock)


def words(content: str, *, finish: bool = True, stream_id: str = "s1") -> Json:
    """Return a stream's word."""
    return {"msgtype": "stream", "stream": {"id": stream_id, "finish": finish, "content": content}}


async def test_nothing_goes_before_the_subscription(bench: Bench) -> None:
    async with bench.connected(subscribed=False) as client:
        assert await client.code("ping") == 846609
        assert await client.code("aibot_subscribe", {**SUBSCRIPTION, "secret": "wrong"}) == 853000
        assert await client.code("aibot_subscribe", SUBSCRIPTION) == 0
        assert await client.code("ping") == 0
        assert await client.code("no_such_command") == 40058


@pytest.mark.parametrize("bench", ["webhook"], indirect=True)
async def test_a_bot_in_callback_mode_has_no_connection(bench: Bench) -> None:
    async with bench.connected(subscribed=False) as client:
        assert await client.code("aibot_subscribe", SUBSCRIPTION) == 846601


async def test_a_second_connection_throws_the_first_out(bench: Bench) -> None:
    async with bench.connected() as first:
        async with bench.connected() as second:
            frame = await first.callback()
            assert frame["body"]["event"]["eventtype"] == "disconnected_event"
            with pytest.raises(ConnectionClosed):
                await first.next()
            assert await second.code("ping") == 0
        assert (await bench.http.get("/_sim/aibot")).json()["subscriptions"] == 2


async def test_a_message_is_answered_under_its_req_id(bench: Bench) -> None:
    async with bench.connected() as client:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        frame = await client.callback()
        assert (frame["cmd"], frame["body"]["text"]["content"]) == ("aibot_msg_callback", "利率多少")
        assert "response_url" not in frame["body"]
        req_id = frame["headers"]["req_id"]
        assert await client.code("aibot_respond_msg", words("查询中", finish=False), req_id) == 0
        assert await client.code("aibot_respond_msg", words("x" * 20481), req_id) == 45002
        assert await client.code("aibot_respond_msg", words("三年期", stream_id="s2"), req_id) == 40058
        assert await client.code("aibot_respond_msg", {"msgtype": "text"}, req_id) == 846697
        assert await client.code("aibot_respond_msg", words("三年期 1.9%"), req_id) == 0
        assert await client.code("aibot_respond_msg", words("三年期 1.9%"), req_id) == 846606
        assert await client.code("aibot_respond_msg", words("三年期 1.9%"), "unknown") == 846605
        assert await bench.said() == ["三年期 1.9%"]


async def test_streams_and_req_ids_run_out(bench: Bench) -> None:
    async with bench.connected() as client:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        req_id = (await client.callback())["headers"]["req_id"]
        bench.clock.advance(361)
        assert await client.code("aibot_respond_msg", words("三年期"), req_id) == 846608
        bench.clock.advance(3600)
        assert await client.code("aibot_respond_msg", words("三年期"), req_id) == 846604


async def test_welcome_and_card_update_must_come_within_five_seconds_and_once(bench: Bench) -> None:
    async with bench.connected() as client:
        await bench.do("aibot/enter", userid="rm001")
        welcome = {"msgtype": "text", "text": {"content": "欢迎"}}
        req_id = (await client.callback())["headers"]["req_id"]
        assert await client.code("aibot_respond_welcome_msg", welcome, req_id) == 0
        assert await client.code("aibot_respond_welcome_msg", welcome, req_id) == 846606
        await bench.do("aibot/messages", userid="rm001", text="存单")
        asked = (await client.callback())["headers"]["req_id"]
        shown = {"msgtype": "template_card", "template_card": a_card()}
        assert await client.code("aibot_respond_msg", shown, asked) == 0
        await bench.do("aibot/clicks", userid="rm001", task_id="t1", key="a")
        pressed = (await client.callback())["headers"]["req_id"]
        bench.clock.advance(6)
        update = {"response_type": "update_template_card", "template_card": a_card(replace_text="已选择")}
        assert await client.code("aibot_respond_update_msg", update, pressed) == 846604


async def test_one_may_write_unasked_where_somebody_has_written_and_not_too_much(bench: Bench) -> None:
    async with bench.connected() as client:
        message = {"chatid": "rm001", "msgtype": "markdown", "markdown": {"content": "早安"}}
        assert await client.code("aibot_send_msg", message) == 40050
        await bench.do("aibot/messages", userid="rm001", text="你好")
        codes = [await client.code("aibot_send_msg", message) for _ in range(31)]
        assert codes == [0] * 30 + [846607]
        bench.clock.advance(61)
        assert await client.code("aibot_send_msg", message) == 0
        assert await client.code("aibot_send_msg", {**message, "msgtype": "news"}) == 846697


async def test_a_file_goes_up_in_chunks_and_can_be_sent(bench: Bench) -> None:
    content = b"x" * 600_000
    chunks = [content[: 512 * 1024], content[512 * 1024 :]]
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    init = {"type": "file", "filename": "a.pdf", "total_size": len(content), "total_chunks": 2, "md5": digest}
    async with bench.connected() as client:
        await bench.do("aibot/messages", userid="rm001", text="你好")
        assert await client.code("aibot_upload_media_init", {**init, "total_chunks": 101}) == 846614
        assert await client.code("aibot_upload_media_init", {**init, "type": "news"}) == 846697
        upload = (await client.ask("aibot_upload_media_init", init))["body"]["upload_id"]
        assert await client.code("aibot_upload_media_finish", {"upload_id": upload}) == 846615
        for index, chunk in reversed(list(enumerate(chunks))):
            body = {"upload_id": upload, "chunk_index": index, "base64_data": base64.b64encode(chunk).decode()}
            assert await client.code("aibot_upload_media_chunk", body) == 0
        wrong = {"upload_id": upload, "chunk_index": 2, "base64_data": ""}
        assert await client.code("aibot_upload_media_chunk", wrong) == 846612
        assert await client.code("aibot_upload_media_finish", {"upload_id": "unknown"}) == 846611
        done = (await client.ask("aibot_upload_media_finish", {"upload_id": upload}))["body"]
        message = {"chatid": "rm001", "msgtype": "file", "file": {"media_id": done["media_id"]}}
        assert await client.code("aibot_send_msg", message) == 0
        assert await bench.said() == ["[file] a.pdf"]


async def fault(bench: Bench, kind: str, **more: Any) -> None:
    rule = {"api": "WS aibot", "kind": kind, "count": 1, **more}
    (await bench.http.put("/_sim/faults", json={"faults": [rule]})).raise_for_status()


@pytest.mark.parametrize(("kind", "done"), [("no_answer_but_done", True), ("http_5xx", False)])
async def test_a_connection_can_be_dropped_before_or_after_the_work(bench: Bench, kind: str, done: bool) -> None:
    async with bench.connected() as client:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        req_id = (await client.callback())["headers"]["req_id"]
        await fault(bench, kind)
        with pytest.raises(ConnectionClosed):
            await client.ask("aibot_respond_msg", words("三年期 1.9%"), req_id)
    assert await bench.said() == (["三年期 1.9%"] if done else [])


async def test_answers_can_be_late_wrong_or_missing(bench: Bench) -> None:
    async with bench.connected() as client:
        await fault(bench, "errcode", errcode=846607)
        assert await client.code("ping") == 846607
        await fault(bench, "latency", seconds=0.01)
        assert await client.code("ping") == 0
        await fault(bench, "timeout")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.ask("ping"), 0.2)
        assert await client.code("ping") == 0


async def test_without_a_connection_a_callback_is_lost(bench: Bench) -> None:
    await bench.do("aibot/messages", userid="rm001", text="利率多少")
    async with bench.connected() as client:
        await bench.do("aibot/messages", userid="rm001", text="还在吗")
        assert (await client.callback())["body"]["text"]["content"] == "还在吗"
        assert (await bench.do("aibot/drop"))["dropped"] is True
        with pytest.raises(ConnectionClosed):
            await client.next()
