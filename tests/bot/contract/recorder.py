"""A platform that keeps every request and answers it as the catalogue says: with all keys, or with the required ones.

The requests come from the real client through real HTTP parsing; only the network is left out.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.clock import SystemClock
from bot.wecom.client import WeComClient
from bot.wecom.tokens import TokenStore
from tests.contracts.catalogue import get_contract

# What would make a list go on for ever, or be no date, if it were filled in blindly.
_FIXED: Mapping[str, Any] = {
    "next_cursor": "",
    "has_more": 0,
    "is_last": True,
    "created_at": "1700000000",
    "expires_in": 7200,
}
_FILES = ("GET /cgi-bin/media/get", "GET /cgi-bin/media/get/jssdk")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came: for an upload, `body` has the names of the multipart fields as keys."""

    api: str
    params: dict[str, str]
    body: dict[str, Any] | None


@dataclass
class Recorder:
    """The platform. `full` answers with every key of the catalogue, else with the required ones only."""

    full: bool
    requests: list[Recorded] = field(default_factory=list)
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = Starlette(routes=[Route("/{path:path}", self._take, methods=["GET", "POST"])])

    async def _take(self, request: Request) -> Response:
        api = f"{request.method} {request.url.path}"
        self.requests.append(Recorded(api, dict(request.query_params), await _read_body(request)))
        if api in _FILES:
            return Response(b"\xff\xd8 a picture", media_type="image/jpeg")
        return JSONResponse({"errcode": 0, "errmsg": "ok", **fill(get_contract(api).answer, self.full)})

    @property
    def calls(self) -> list[Recorded]:
        """The requests but for those that fetch tokens."""
        return [request for request in self.requests if request.api != "GET /cgi-bin/gettoken"]


@asynccontextmanager
async def connect(recorder: Recorder) -> AsyncIterator[WeComClient]:
    """Yield the product's client, connected to the recorder."""
    transport = httpx.ASGITransport(app=recorder.app)
    async with httpx.AsyncClient(base_url="https://qyapi.example", transport=transport) as http:
        secrets = {app: SecretStr(f"secret of {app}") for app in ("app", "kf", "contact", "archive")}
        yield WeComClient(http, TokenStore(http, SystemClock(), "ww1", secrets))


def fill(tree: Any, full: bool, name: str = "") -> Any:
    """Return an example of a tree: all its keys, or the required ones."""
    match tree:
        case dict():
            return {
                key.removesuffix("?"): fill(below, full, key.removesuffix("?"))
                for key, below in tree.items()
                if full or not key.endswith("?")
            }
        case [below]:
            return [fill(below, full, name)]
        case kind:
            value = {"str": "x", "pipe-list": "x", "int": 1, "num": 0.5, "0/1": 1, "bool": True}.get(str(kind), {})
            return _FIXED.get(name, value)


async def _read_body(request: Request) -> dict[str, Any] | None:
    if request.method == "GET":
        return None
    if request.headers.get("content-type", "").startswith("multipart/form-data"):
        async with request.form() as form:
            assert all(isinstance(part, UploadFile) and part.filename and part.size for part in form.values())
            return dict.fromkeys(form)
    body = json.loads(await request.body())
    assert isinstance(body, dict)
    return body
