"""Several nodes of the product before one simulated platform: each with its own memory, all with one database."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr

from bot.alerts.watch import AlertWatch
from bot.clock import FrozenClock
from bot.settings import PaceSettings
from bot.storage.database import Database
from bot.wecom.client import WeComClient
from bot.wecom.credentials import DatabaseShelf, Keeper
from bot.wecom.http import make_http
from bot.wecom.pacer import Pacer
from bot.wecom.tickets import TicketStore
from bot.wecom.tokens import TokenStore
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, DEMO_KF_SECRET, BankSize, SimConfig
from tests.running import running


class _Counting(httpx.AsyncHTTPTransport):
    def __init__(self, asked: Counter[str]) -> None:
        super().__init__()
        self._asked = asked

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._asked[request.url.path.removeprefix("/cgi-bin/")] += 1
        return await super().handle_async_request(request)


@dataclass
class Node:
    """One process of ours."""

    tokens: TokenStore
    tickets: TicketStore
    pacer: Pacer
    client: WeComClient


@dataclass
class Nodes:
    """Makes nodes. `asked` counts the requests of all of them by path; `slept` lists their waits in seconds."""

    db: Database
    url: str
    platform: httpx.AsyncClient
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(datetime.now(UTC)))  # noqa: TID251  the simulator's clock runs too
    asked: Counter[str] = field(default_factory=Counter)
    slept: list[float] = field(default_factory=list)
    opened: list[httpx.AsyncClient] = field(default_factory=list)

    def add(self, name: str, app_secret: str = DEMO_APP_SECRET, pace: PaceSettings | None = None) -> Node:
        """Start a node."""
        http = make_http(self.url, 10)
        http._transport = _Counting(self.asked)
        self.opened.append(http)
        keeper = Keeper(DatabaseShelf(self.db), self.clock, name)
        secrets = {"app": SecretStr(app_secret), "contact": SecretStr(app_secret), "kf": SecretStr(DEMO_KF_SECRET)}
        tokens = TokenStore(http, self.clock, DEMO_CORP_ID, secrets, keeper)
        pacer = Pacer(self.db, self.clock, pace or PaceSettings(), name, self.sleep)
        client = WeComClient(http, tokens, pacer, AlertWatch(self.db, self.clock), self.sleep)
        return Node(tokens, TicketStore(client, tokens, keeper), pacer, client)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    async def break_it(self, **fault: Any) -> None:
        """Have the platform misbehave (docs/reference/simulator.md)."""
        answer = await self.platform.put("/_sim/faults", json={"faults": [fault]})
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def some_nodes(db: Database, config: SimConfig | None = None) -> AsyncIterator[Nodes]:
    """Run the platform; nodes are added by the test."""
    app = create_app(config or SimConfig(size=BankSize(3, 20, 6)))
    async with running(app) as url, httpx.AsyncClient(base_url=url) as platform:
        nodes = Nodes(db, url, platform)
        try:
            yield nodes
        finally:
            for http in nodes.opened:
                await http.aclose()
