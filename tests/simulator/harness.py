"""A bot made of a recording transport, and a client that plays the product's and the people's side."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi import FastAPI

from simulator import SimClock, SimConfig, create_app, crypto, xml
from simulator.platform import Platform

Json = dict[str, Any]


@dataclass
class Received:
    """One callback as the bot understood it."""

    path: str
    query: dict[str, str]
    envelope: Json
    fields: Json
    receive_id: str


@dataclass
class FakeBot:
    """Decrypts and keeps every callback; answers from `script`, then always with `answer`."""

    config: SimConfig
    received: list[Received] = field(default_factory=list)
    script: list[int | Exception] = field(default_factory=list)
    answer: str = "success"

    async def handle(self, request: httpx.Request) -> httpx.Response:
        """Take one callback."""
        query = dict(request.url.params)
        raw = request.content.decode()
        path = request.url.path
        aibot = path.endswith("/aibot")
        target = self.config.aibot_callback if aibot else self.config.app_callback
        envelope = json.loads(raw) if aibot else xml.parse(raw)
        encrypted = envelope["encrypt" if aibot else "Encrypt"]
        expected = crypto.signature(target.token, query["timestamp"], query["nonce"], encrypted)
        assert query["msg_signature"] == expected
        message, receive_id = crypto.decrypt(encrypted, target.aes_key)
        fields = json.loads(message) if aibot else xml.parse(message)
        self.received.append(Received(path, query, envelope, fields, receive_id))
        step = self.script.pop(0) if self.script else 200
        if isinstance(step, Exception):
            raise step
        return httpx.Response(step, text=self.answer if step == 200 else "")

    def events(self, name: str) -> list[Json]:
        """Return the bodies of the XML events with this name."""
        return [got.fields for got in self.received if got.fields.get("Event") == name]


@dataclass
class Sim:
    """A running simulator: platform APIs by `api`, people by `do` and `see`."""

    app: FastAPI
    client: httpx.AsyncClient
    bot: FakeBot
    clock: SimClock
    config: SimConfig
    tokens: dict[str, str] = field(default_factory=dict)

    @property
    def platform(self) -> Platform:
        """The platform behind the app."""
        platform = self.app.state.platform
        assert isinstance(platform, Platform)
        return platform

    async def token(self, app: str = "app") -> str:
        """Return the access token of one of the three secrets."""
        if app not in self.tokens:
            secret = getattr(self.config, f"{app}_secret")
            answer = await self.client.get(
                "/cgi-bin/gettoken", params={"corpid": self.config.corp_id, "corpsecret": secret}
            )
            self.tokens[app] = answer.json()["access_token"]
        return self.tokens[app]

    async def api(self, name: str, body: Mapping[str, Any] | None = None, app: str = "app", **params: str) -> Json:
        """Call an API like "POST /cgi-bin/message/send" with the right token."""
        method, path = name.split()
        query = {"access_token": await self.token(app), **params}
        content = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        answer = await self.client.request(method, path, params=query, content=content)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def refused(self, name: str, body: Mapping[str, Any] | None = None, app: str = "app", **params: str) -> int:
        """Call an API and return its errcode."""
        return int((await self.api(name, body, app, **params))["errcode"])

    async def do(self, path: str, body: Mapping[str, Any] | None = None, status: int = 200) -> Json:
        """Act through the control API, and wait until all callbacks are delivered."""
        answer = await self.client.post(f"/_sim/{path}", json=body or {})
        assert answer.status_code == status, answer.text
        await self.platform.callbacks.drain()
        return dict(answer.json())

    async def see(self, path: str, **params: str) -> Any:
        """Look through the control API."""
        answer = await self.client.get(f"/_sim/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def lines(self, kind: str, key: str) -> list[Json]:
        """Return the lines of a conversation."""
        return list((await self.see("conversations", kind=kind, key=key))["messages"])

    async def sdk(self, path: str, body: Mapping[str, Any]) -> Json:
        """Ask the SDK stand-in."""
        return dict((await self.client.post(f"/_sdk/{path}", json=body)).json())

    async def pull(self, key: rsa.RSAPrivateKey, seq: int = 0, limit: int = 100) -> list[Json]:
        """Return archive records as the product would read them: pulled, unwrapped and decrypted."""
        asked = {"corpid": self.config.corp_id, "secret": self.config.archive_secret, "seq": seq, "limit": limit}
        answer = await self.sdk("chatdata", asked)
        assert answer["errcode"] == 0, answer
        records = []
        for row in answer["chatdata"]:
            wrapped = base64.b64decode(row["encrypt_random_key"])
            random_string = key.decrypt(wrapped, padding.PKCS1v15()).decode()
            opened = await self.sdk("decrypt", {"encrypt_key": random_string, "encrypt_msg": row["encrypt_chat_msg"]})
            assert opened["ret"] == 0
            records.append({**json.loads(opened["data"]), "seq": row["seq"]})
        return records

    @property
    def wang_fang(self) -> str:
        """The id of 王芳, rm001's first customer."""
        return next(iter(self.platform.world.customers.rows))

    @property
    def first_group(self) -> str:
        """The id of rm001's first group."""
        return next(iter(self.platform.world.groups.rows))

    def button_card(self, **changes: Any) -> Json:
        """Return a correct message/send body with a card of two buttons, changed as asked."""
        card: Json = {
            "card_type": "button_interaction",
            "main_title": {"title": "群发待确认", "desc": "城东理财交流1群"},
            "horizontal_content_list": [{"keyname": "人数", "value": "32"}],
            "task_id": "task-1",
            "button_list": [{"text": "确认", "key": "yes"}, {"text": "取消", "key": "no", "style": 2}],
        }
        card |= changes
        return self.message("rm001", "template_card", card)

    def message(self, touser: str, msgtype: str, content: Json, **more: Any) -> Json:
        """Return a message/send body."""
        return {
            "touser": touser,
            "msgtype": msgtype,
            "agentid": self.config.agent_id,
            msgtype: content,
            **more,
        }


def new_sim(config: SimConfig, script: Sequence[int | Exception] = ()) -> Sim:
    """Start a simulator whose callbacks go to a fake bot; close it with `close_sim`."""
    bot = FakeBot(config, script=list(script))
    clock = SimClock()
    app = create_app(config, clock, httpx.MockTransport(bot.handle))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sim.example")
    return Sim(app, client, bot, clock, config)


async def close_sim(sim: Sim) -> None:
    """Stop a simulator as its server would."""
    await sim.client.aclose()
    await sim.platform.close()


def public_pem(key: rsa.RSAPrivateKey) -> str:
    """Return the public half as the bank gives it to the platform."""
    pem = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return pem.decode()
