"""A small corp in the simulator over real HTTP, with the product's client inside and people outside."""

import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import SecretStr

from bot.clock import SystemClock
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.api.media import LocalFile
from bot.wecom.client import WeComClient
from bot.wecom.tokens import TokenStore
from simulator import BankSize, SimConfig, create_app
from tests.running import running

CONFIG = SimConfig(size=BankSize(3, 12, 2), broadcast_settle_seconds=0)
LI, WANG = StaffId("rm001"), StaffId("rm002")
# The beginning of a PNG of 640 by 480 pixels.
_PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\x08\2\0\0\0"
PICTURE = LocalFile("a.png", _PNG, "image/png")
VOICE = LocalFile("a.amr", b"#!AMR\n and the rest of a voice", "audio/amr")


@dataclass
class Corp:
    """The client, and `do` and `see` for what people do and see."""

    client: WeComClient
    http: httpx.AsyncClient
    customer: CustomerId
    group: GroupChatId

    async def do(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Act through the control API."""
        answer = await self.http.post(f"/_sim/{path}", json=body or {})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def see(self, path: str, **params: str) -> dict[str, Any]:
        """Look through the control API."""
        answer = await self.http.get(f"/_sim/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@asynccontextmanager
async def a_corp(config: SimConfig = CONFIG) -> AsyncIterator[Corp]:
    """Serve a new corp; `customer` and `group` are the first of the first manager."""
    async with running(create_app(config)) as url, httpx.AsyncClient(base_url=url) as http:
        secrets = {"app": SecretStr(config.app_secret), "kf": SecretStr(config.kf_secret)}
        client = WeComClient(http, TokenStore(http, SystemClock(), config.corp_id, secrets), sleep=_at_once)
        mine = await client.call("GET /cgi-bin/externalcontact/list", params={"userid": LI})
        groups = await client.call(
            "POST /cgi-bin/externalcontact/groupchat/list", {"limit": 1, "owner_filter": {"userid_list": [LI]}}
        )
        customer = CustomerId(mine["external_userid"][0])
        yield Corp(client, http, customer, GroupChatId(groups["group_chat_list"][0]["chat_id"]))


async def _at_once(_seconds: float) -> None:
    """Wait for nothing: a repeat comes at once."""
