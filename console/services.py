"""What the console is given by `compose.py`. It makes none of these itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import httpx

from bot.clock import Clock
from bot.storage.database import Database
from compliance import ComplianceGate, LexiconStore
from console.health import HealthReport
from knowledge_base import ScriptLibrary


@dataclass(frozen=True, slots=True)
class SdkTicket:
    """A signature for one page address (09-oauth-jssdk.md, 9.2)."""

    timestamp: int
    nonce: str
    signature: str


class SidebarSdk(Protocol):
    """WeCom's JS-SDK, when the operator has configured one. It is never part of our repository."""

    script_url: str
    corp_id: str
    agent_id: str

    async def sign(self, page_url: str, kind: str) -> SdkTicket:
        """Sign one of our own addresses; `kind` is "config" or "agent_config"."""
        ...


@dataclass(frozen=True, slots=True)
class ConsoleServices:
    """The parts the pages use. `simulator_url` is the base of the simulator's control API, `None` outside the demo."""

    db: Database
    clock: Clock
    secret_key: str
    public_url: str
    demo: bool
    simulator_url: str | None
    lexicons: LexiconStore
    library: Callable[[], Awaitable[ScriptLibrary]]
    gate: ComplianceGate
    http: httpx.AsyncClient
    health: Callable[[], Awaitable[HealthReport]]
    sdk: SidebarSdk | None = None

    @property
    def has_simulator(self) -> bool:
        """Tell whether the simulator's pages exist: only in the demo, and only when one was started."""
        return self.demo and self.simulator_url is not None
