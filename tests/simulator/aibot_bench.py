"""A bot of the test's own behind the simulated AI bot: decrypts callbacks and answers as a function says."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator import SimClock, create_app, crypto
from simulator.config import BankSize, RetryPlan, SimConfig
from simulator.platform import Platform

Json = dict[str, Any]
Answer = Callable[[Json], Json | None]


@dataclass
class Bot:
    """Keeps every callback; `answer` returns the passive reply, `None` for an empty one."""

    config: SimConfig
    answer: Answer = lambda body: None
    received: list[Json] = field(default_factory=list)

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Take one callback."""
        target, query = self.config.aibot_callback, dict(request.url.params)
        encrypted = json.loads(request.content)["encrypt"]
        message, receive_id = crypto.decrypt(encrypted, target.aes_key)
        assert receive_id == ""
        body = json.loads(message)
        self.received.append(body)
        reply = self.answer(body)
        if reply is None:
            return httpx.Response(200, text="")
        sealed = crypto.encrypt(json.dumps(reply, ensure_ascii=False), target.aes_key, "")
        stamp, nonce = query["timestamp"], query["nonce"]
        signature = crypto.signature(target.token, stamp, nonce, sealed)
        envelope = {"encrypt": sealed, "msgsignature": signature, "timestamp": int(stamp), "nonce": nonce}
        return httpx.Response(200, json=envelope)

    def refreshes(self) -> list[Json]:
        """Return the questions about streams."""
        return [body for body in self.received if body["msgtype"] == "stream"]


@dataclass
class Bench:
    """A running simulator and its people."""

    client: httpx.AsyncClient
    platform: Platform
    clock: SimClock
    bot: Bot

    async def do(self, path: str, status: int = 200, **body: Any) -> Json:
        """Let somebody do something, and wait until its callback is delivered."""
        answer = await self.client.post(f"/_sim/{path}", json=body)
        assert answer.status_code == status, answer.text
        await self.platform.callbacks.drain()
        return dict(answer.json())

    async def lines(self, kind: str = "aibot", key: str = "rm001") -> list[Json]:
        """Return what stands in a chat."""
        answer = await self.client.get("/_sim/conversations", params={"kind": kind, "key": key})
        return list(answer.json()["messages"])

    async def said(self, kind: str = "aibot", key: str = "rm001") -> list[str]:
        """Return the bot's words in a chat."""
        return [line["text"] for line in await self.lines(kind, key) if line["sender_kind"] == "bot"]

    async def errors(self) -> list[str]:
        """Return why answers were refused, newest first."""
        log = (await self.client.get("/_sim/callbacks")).json()
        return [attempt["error"] for row in log for attempt in row["attempts"] if attempt["error"]]


@asynccontextmanager
async def open_bench(answer: Answer = lambda body: None, **config: Any) -> AsyncIterator[Bench]:
    """Run a simulator of a small bank without sockets."""
    settings = SimConfig(
        size=BankSize(4, 20, 2),
        retry=RetryPlan(timeout_seconds=1, backoff_seconds=(0.0,)),
        **{"aibot_refresh_seconds": 0.02, **config},
    )
    bot, clock = Bot(settings, answer), SimClock()
    app = create_app(settings, clock, httpx.MockTransport(bot.handle))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sim.example") as client:
        yield Bench(client, app.state.platform, clock, bot)
    await app.state.platform.close()


def stream(body: Json, content: str, *, finish: bool = False, **more: Any) -> Json:
    """Return a stream's word as answer to a message or a refresh."""
    asked = body.get("stream") or {}
    return {"msgtype": "stream", "stream": {"id": asked.get("id", "s1"), "finish": finish, "content": content, **more}}


def a_card(task_id: str = "t1", **changes: Any) -> Json:
    """Return a card with two buttons."""
    card: Json = {
        "card_type": "button_interaction",
        "main_title": {"title": "选哪一个"},
        "task_id": task_id,
        "button_list": [{"text": "大额存单", "key": "a"}, {"text": "零存整取", "key": "b"}],
    }
    return card | changes
