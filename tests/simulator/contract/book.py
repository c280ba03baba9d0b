"""Calls APIs for the contract tests and remembers which were seen to succeed and to refuse."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.contracts.catalogue import check_answer
from tests.simulator.harness import Json, Sim

EXTERNAL = "/cgi-bin/externalcontact"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x02\x00\x00\x00\x01\x00" + bytes(32)
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(24)
VOICE = b"#!AMR\n" + (b"\x3c" + bytes(31)) * 50


@dataclass
class Book:
    """One simulator and what has been seen of it."""

    sim: Sim
    succeeded: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    async def ok(self, api: str, body: Mapping[str, Any] | None = None, app: str = "app", **params: str) -> Json:
        """Call with success; the answer must be the catalogue's."""
        if api.startswith("POST") and body is None:
            body = {}
        answer = await self.sim.api(api, body, app, **params)
        return self._judge(api, answer)

    def _judge(self, api: str, answer: Json) -> Json:
        assert answer["errcode"] == 0, (api, answer)
        assert check_answer(api, answer) == [], api
        self.succeeded.add(api)
        return answer

    async def no(
        self, api: str, errcode: int, body: Mapping[str, Any] | None = None, app: str = "app", **params: str
    ) -> None:
        """Call and be refused with this code."""
        if api.startswith("POST") and body is None:
            body = {}
        answer = await self.sim.api(api, body, app, **params)
        assert answer["errcode"] == errcode, (api, body, params, answer)
        self.refused.add(api)

    async def no_token(self, api: str) -> None:
        """Call an API that takes no further argument without a token."""
        method, path = api.split()
        answer = (await self.sim.client.request(method, path)).json()
        assert answer["errcode"] == 41001
        self.refused.add(api)

    async def upload(self, api: str, content: bytes, name: str = "x.bin", app: str = "app", **params: str) -> Json:
        """Upload with success."""
        return self._judge(api, await self._post(api, content, name, app, params))

    async def upload_refused(
        self, api: str, errcode: int, content: bytes, name: str = "x.bin", app: str = "app", **params: str
    ) -> None:
        """Upload and be refused with this code."""
        answer = await self._post(api, content, name, app, params)
        assert answer["errcode"] == errcode, (api, params, answer)
        self.refused.add(api)

    async def _post(self, api: str, content: bytes, name: str, app: str, params: Mapping[str, str]) -> Json:
        query = {"access_token": await self.sim.token(app), **params}
        files = {"media": (name, content, "application/octet-stream")}
        answer = await self.sim.client.post(api.split()[1], params=query, files=files)
        return dict(answer.json())

    async def media(self, kind: str = "image") -> str:
        """Return the media_id of an ordinary upload."""
        content = {"image": PNG, "voice": VOICE, "video": FILM, "file": b"%PDF-1.4 sheet"}[kind]
        up = await self.upload("POST /cgi-bin/media/upload", content, f"a.{kind}", type=kind)
        return str(up["media_id"])

    async def attachment(self, use: int, kind: str = "image") -> str:
        """Return the media_id of a picture or film for moments (1) or the album (2)."""
        content = PNG if kind == "image" else FILM
        query = {"media_type": kind, "attachment_type": str(use)}
        up = await self.upload("POST /cgi-bin/media/upload_attachment", content, f"a.{kind}", **query)
        return str(up["media_id"])


Scenario = Callable[[Book], Awaitable[None]]
SCENARIOS: list[Scenario] = []


def scenario(function: Scenario) -> Scenario:
    """Add a scenario to those the contract tests play."""
    SCENARIOS.append(function)
    return function
