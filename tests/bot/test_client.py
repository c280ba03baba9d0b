"""Files go up and come down; what is no answer is said to be none; a code that means done is success."""

import json
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from pydantic import SecretStr

from bot.clock import FrozenClock
from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited, RecipientUnavailable
from bot.storage.database import Database
from bot.wecom.client import NO_TOKEN, WeComClient
from bot.wecom.http import make_http
from bot.wecom.tokens import TokenStore
from tests.bot.nodes import Nodes, some_nodes
from tests.bot.pipeline import NOW

PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 100


@pytest.fixture
async def nodes(db: Database) -> AsyncIterator[Nodes]:
    """A platform and no node yet."""
    async with some_nodes(db) as made:
        yield made


async def test_a_file_comes_back_as_it_went_up(nodes: Nodes) -> None:
    client = nodes.add("first").client
    answer = await client.upload(
        "POST /cgi-bin/media/upload",
        params={"type": "image"},
        filename="海报.png",
        content=PICTURE,
        content_type="image/png",
    )
    got = await client.download("GET /cgi-bin/media/get", params={"media_id": answer["media_id"]})
    assert got.content == PICTURE


async def test_a_file_that_is_not_there_is_an_error_and_no_file(nodes: Nodes) -> None:
    with pytest.raises(PlatformError) as refused:
        await nodes.add("first").client.download("GET /cgi-bin/media/get", params={"media_id": "gone"})
    assert refused.value.errcode == 40007


def _client(answer: Callable[[httpx.Request], httpx.Response]) -> WeComClient:
    def respond(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("gettoken"):
            return httpx.Response(200, json={"access_token": "t", "expires_in": 7200})
        return answer(request)

    http = httpx.AsyncClient(base_url="https://platform.example", transport=httpx.MockTransport(respond))
    return WeComClient(http, TokenStore(http, FrozenClock(NOW), "ww1", {"app": SecretStr("s")}))


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(502, text="<html>bad gateway</html>"),
        httpx.Response(200, text='{"errcode": 0, "msgid": "12'),
        httpx.Response(200, json=["no object"]),
    ],
    ids=["5xx", "truncated", "list"],
)
async def test_what_is_no_answer_may_have_been_carried_out(response: httpx.Response) -> None:
    with pytest.raises(PlatformUnavailable) as refused:
        await _client(lambda _: response).call("POST /cgi-bin/message/send", {})
    assert refused.value.maybe_done


@pytest.mark.parametrize(
    ("errcode", "error"),
    [
        (-1, PlatformUnavailable),
        (45009, RateLimited),
        (45033, RateLimited),
        (41094, RateLimited),
        (48002, PlatformMisconfigured),
        (84061, RecipientUnavailable),
        (40058, PlatformError),
        (99999999, PlatformError),
    ],
)
async def test_a_code_becomes_its_error(errcode: int, error: type[PlatformError]) -> None:
    client = _client(lambda _: httpx.Response(200, json={"errcode": errcode, "errmsg": "x"}))
    with pytest.raises(PlatformError) as refused:
        await client.call("POST /cgi-bin/message/send", {})
    assert type(refused.value) is error


@pytest.mark.parametrize("errcode", [41051, 41093, 90508, 95033])
async def test_done_before_is_done(errcode: int) -> None:
    client = _client(lambda _: httpx.Response(200, json={"errcode": errcode}))
    assert await client.call("POST /cgi-bin/kf/send_msg", {}) == {"errcode": errcode}


async def test_an_answer_without_a_code_is_success() -> None:
    assert await _client(lambda _: httpx.Response(200, json={"a": 1})).call("GET /cgi-bin/x") == {"a": 1}


async def test_a_group_webhook_gets_its_key_and_no_token() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"errcode": 0})

    body = {"msgtype": "text", "text": {"content": "早安"}}
    await _client(answer).call("POST /cgi-bin/webhook/send", body, params={"key": "k"}, app=NO_TOKEN)
    assert dict(seen[0].url.params) == {"key": "k"}
    assert "早安" in seen[0].content.decode(), "raw UTF-8 (40033)"
    assert json.loads(seen[0].content) == body


async def test_neither_token_nor_secret_is_in_an_error() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout(f"no answer from {request.url}", request=request)

    with pytest.raises(PlatformUnavailable) as refused:
        await _client(refuse).call("GET /cgi-bin/x")
    assert "access_token" not in str(refused.value)
    assert refused.value.__suppress_context__


async def test_an_explicit_proxy_is_used() -> None:
    async with make_http("http://platform.example", 1, proxy="http://127.0.0.1:9") as http:
        with pytest.raises(httpx.ConnectError):
            await http.get("/")
