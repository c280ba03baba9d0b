"""A bank with an AI bot in either mode, whose callbacks reach its nodes in turn."""

import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.settings import AiBotSettings
from bot.webhook import AsgiApp, Receive, Scope, Send
from console.compose import Service, build_service
from simulator.app import create_app
from simulator.config import DEMO_AIBOT_SECRET, BankSize, RetryPlan, SimConfig
from tests.running import reserve_port, running
from tests.service.bank import Bank, _install, _settings


class MovedClock(SystemClock):
    """The machine's clock, moved forward as told."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        """Return the moved time."""
        return super().now() + self.ahead


class InTurn:
    """Passes requests to the nodes in turn, so that a refresh reaches another node than the message."""

    def __init__(self) -> None:
        self.apps: list[AsgiApp] = []
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        number = 0 if scope["type"] == "lifespan" else next(self._numbers)
        await self.apps[number % len(self.apps)](scope, receive, send)


class AiBotBank(Bank):
    """A bank, and what stands between the platform and its nodes."""

    clock: MovedClock
    front: InTurn

    async def said(self, key: str = "rm001", kind: str = "aibot") -> list[str]:
        """Return the bot's words in a chat."""
        return [str(line["text"]) for line in await self.chat(kind, key) if line["sender_kind"] == "bot"]

    async def errors(self) -> list[str]:
        """Return what the platform did not like about our answers."""
        log = (await self.platform.get("/_sim/callbacks")).json()
        return [attempt["error"] for row in log for attempt in row["attempts"] if attempt["error"]]

    async def sent(self) -> int:
        """Count the bot's answers as the platform does."""
        return len((await self.platform.get("/_sim/sent", params={"kind": "aibot"})).json())


@asynccontextmanager
async def open_aibot_bank(
    url: str, nodes: int = 1, mode: str = "webhook", refresh_seconds: float = 0.05, **settings: Any
) -> AsyncIterator[AiBotBank]:
    """Open a bank whose AI bot is connected in one of its two modes."""
    doorstep = reserve_port()
    port = int(doorstep.getsockname()[1])
    config = SimConfig.for_base(
        f"http://127.0.0.1:{port}",
        size=BankSize(4, 40, 8),
        aibot_mode=mode,
        aibot_refresh_seconds=refresh_seconds,
        retry=RetryPlan(timeout_seconds=5, backoff_seconds=(0.1,)),
    )
    async with AsyncExitStack() as stack:
        platform_url = await stack.enter_async_context(running(create_app(config)))
        platform = await stack.enter_async_context(httpx.AsyncClient(base_url=platform_url, timeout=20))
        bank = AiBotBank(platform, [])
        bank.clock, bank.front = MovedClock(), InTurn()
        aibot = AiBotSettings(
            mode="websocket" if mode == "websocket" else "webhook",
            bot_id=config.aibot_id,
            secret=SecretStr(DEMO_AIBOT_SECRET),
            ws_url=f"{platform_url.replace('http', 'ws')}/aibot/ws",
            lease_seconds=4,
        )
        for number in range(nodes):
            service: Service = await build_service(
                _settings(url, platform_url, port, {"aibot": aibot}, settings), bank.clock
            )
            if number == 0:
                await _install(service)
            bank.front.apps.append(service.app)
            await service.aibot.desk.prepare()
            await service.start()
            stack.push_async_callback(service.stop)
            bank.nodes.append(service)
        await stack.enter_async_context(running(bank.front, doorstep))
        people = (await platform.get("/_sim/people")).json()
        bank.wang = people["customers"][0]["external_userid"]
        bank.group = people["groups"][0]["chat_id"]
        yield bank
