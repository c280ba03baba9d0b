"""A small bank: one simulated platform, and nodes of the composed service on one database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import SecretStr
from sqlmodel import select

from bot.outbox.models import OutboxRow, OutboxState
from bot.settings import AppSettings, ArchiveSettings, CallbackSettings, InboxSettings, StorageSettings, WeComSettings
from bot.storage.database import Database
from bot.storage.migrate import migrate
from console.compose import Service, build_service
from console.settings import ConsoleSettings, Settings
from knowledge_base import do_install_starter
from simulator.app import create_app
from simulator.config import (
    DEMO_AES_KEY,
    DEMO_AIBOT_AES_KEY,
    DEMO_AIBOT_TOKEN,
    DEMO_APP_SECRET,
    DEMO_ARCHIVE_SECRET,
    DEMO_CORP_ID,
    DEMO_TOKEN,
    BankSize,
    SimConfig,
)
from tests.running import reserve_port, running

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PRIVATE = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
_PUBLIC = (
    _KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
)


@dataclass
class Bank:
    """The platform's people, and the nodes that serve them."""

    platform: httpx.AsyncClient
    nodes: list[Service]
    wang: str = ""
    group: str = ""
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Return the first node's database."""
        return self.nodes[0].database

    async def do(self, path: str, **body: Any) -> Any:
        """Let somebody at the platform do something."""
        response = await self.platform.post(f"/_sim/{path}", json=body)
        response.raise_for_status()
        return response.json()

    async def chat(self, kind: str, key: str) -> list[dict[str, Any]]:
        """Return what stands in a chat."""
        answer = (await self.platform.get("/_sim/conversations", params={"kind": kind, "key": key})).json()
        messages: list[dict[str, Any]] = answer["messages"]
        return messages

    async def last(self, kind: str, key: str, words: str) -> str:
        """Wait for the bank's side to have said something with these words; return all of it."""

        async def find() -> str | None:
            for message in reversed(await self.chat(kind, key)):
                text = str(message["text"] or "") + str(message["card"] or "")
                if message["sender_kind"] == "bot" and words in text:
                    return text
            return None

        return await eventually(find)

    async def all_sent(self, count: int) -> None:
        """Wait until the outbox holds so many rows, all recorded as sent."""

        async def look() -> bool:
            async with self.database.reading() as tx:
                states = (await tx.exec(select(OutboxRow.state))).all()
            return len(states) == count and set(states) == {OutboxState.SENT}

        await eventually(look, 40)

    async def write_in_group(self, sender: str, text: str, *, mention_bot: bool = False) -> None:
        """Write in 王芳's group with 李娜."""
        await self.do(f"groups/{self.group}/messages", sender=sender, text=text, mention_bot=mention_bot)


T = TypeVar("T")


async def eventually(look: Callable[[], Awaitable[T | None]], seconds: float = 20) -> T:
    """Look again and again until there is something."""
    async with asyncio.timeout(seconds):
        while not (found := await look()):  # noqa: ASYNC110  nobody signals what is awaited
            await asyncio.sleep(0.05)
    return found


def _settings(url: str, platform: str, port: int, wecom: Mapping[str, Any], extra: Mapping[str, Any]) -> Settings:
    secret = SecretStr
    sections: dict[str, Any] = {"inbox": InboxSettings(retry_seconds=(1,)), **extra}
    return Settings(
        _env_file=None,
        storage=StorageSettings(url=url),
        wecom=WeComSettings(
            corp_id=DEMO_CORP_ID,
            api_base=platform,
            app=AppSettings(agent_id=1000002, secret=secret(DEMO_APP_SECRET)),
            callback=CallbackSettings(token=secret(DEMO_TOKEN), aes_key=secret(DEMO_AES_KEY)),
            aibot_callback=CallbackSettings(token=secret(DEMO_AIBOT_TOKEN), aes_key=secret(DEMO_AIBOT_AES_KEY)),
            archive=ArchiveSettings(
                secret=secret(DEMO_ARCHIVE_SECRET),
                relay_url=platform,
                private_keys={1: secret(_PRIVATE)},
                poll_seconds=1,
            ),
            **wecom,
        ),
        console=ConsoleSettings(public_url=f"http://127.0.0.1:{port}", secret_key=secret("k" * 40)),
        **sections,
    )


_SIZE = BankSize(4, 40, 8)


@asynccontextmanager
async def open_bank(
    url: str, nodes: int = 1, size: BankSize = _SIZE, wecom: Mapping[str, Any] | None = None, **extra: Any
) -> AsyncIterator[Bank]:
    """Open a bank whose callbacks go to the first node. `wecom` and `extra` replace values of the settings."""
    doorstep = reserve_port()
    port = int(doorstep.getsockname()[1])
    config = SimConfig.for_base(
        f"http://127.0.0.1:{port}",
        size=size,
        archive_public_key_pem=_PUBLIC,
        archive_notify_gap_seconds=0.1,
        broadcast_settle_seconds=0,
    )
    async with AsyncExitStack() as stack:
        platform_url = await stack.enter_async_context(running(create_app(config)))
        platform = await stack.enter_async_context(httpx.AsyncClient(base_url=platform_url, timeout=20))
        bank = Bank(platform, [])
        for number in range(nodes):
            service = await build_service(_settings(url, platform_url, port, wecom or {}, extra))
            if number == 0:
                await _install(service)
                await stack.enter_async_context(running(service.app, doorstep))
            await service.start()
            stack.push_async_callback(service.stop)
            bank.nodes.append(service)
        people = (await platform.get("/_sim/people")).json()
        bank.wang = people["customers"][0]["external_userid"]
        bank.group = people["groups"][0]["chat_id"]
        yield bank


async def _install(service: Service) -> None:
    await migrate(service.database)
    async with service.database.transaction() as tx:
        await service.lexicons.do_install_default(tx, service.clock.now())
        await do_install_starter(tx, service.clock.now())
    await service.sync()
