"""The archive over HTTP."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable
from bot.wecom.archive import HttpArchiveSource, RecordUndecryptable

RECORD = {"seq": 4, "msgid": "m4", "publickey_ver": 1, "encrypt_random_key": "a2V5", "encrypt_chat_msg": "x"}


def a_source(answer: Callable[[str, dict[str, Any]], httpx.Response]) -> HttpArchiveSource:
    def reply(request: httpx.Request) -> httpx.Response:
        return answer(request.url.path, json.loads(request.content))

    http = httpx.AsyncClient(transport=httpx.MockTransport(reply))
    return HttpArchiveSource("http://archive.example/", "ww01", "topsecret", http)


async def test_records_are_asked_for_after_the_cursor() -> None:
    asked: list[tuple[str, dict[str, Any]]] = []

    def answer(path: str, body: dict[str, Any]) -> httpx.Response:
        asked.append((path, body))
        return httpx.Response(200, json={"errcode": 0, "errmsg": "ok", "chatdata": [RECORD]})

    (record,) = await a_source(answer).fetch(3, 5000)
    assert (record.seq, record.msgid, record.publickey_ver) == (4, "m4", 1)
    assert asked == [("/_sdk/chatdata", {"corpid": "ww01", "secret": "topsecret", "seq": 3, "limit": 1000})]


async def test_too_large_an_answer_is_asked_for_again_by_halves() -> None:
    limits: list[int] = []

    def answer(_path: str, body: dict[str, Any]) -> httpx.Response:
        limits.append(body["limit"])
        return httpx.Response(200, json={"errcode": 301058 if body["limit"] > 30 else 0, "chatdata": []})

    assert await a_source(answer).fetch(0, 100) == []
    assert limits == [100, 50, 25]


async def test_a_page_of_one_that_is_still_too_large_is_an_error_not_a_loop() -> None:
    source = a_source(lambda _path, _body: httpx.Response(200, json={"errcode": 301058}))
    with pytest.raises(PlatformUnavailable):
        await source.fetch(0, 4)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(200, json={"errcode": 301042, "errmsg": "ip"}), PlatformError),
        (httpx.Response(200, json={"errcode": 0, "chatdata": [{"seq": 1}]}), PlatformError),
        (httpx.Response(404), PlatformMisconfigured),
        (httpx.Response(502), PlatformUnavailable),
    ],
)
async def test_refusals_are_told_apart(response: httpx.Response, error: type[PlatformError]) -> None:
    with pytest.raises(error):
        await a_source(lambda _path, _body: response).fetch(0, 10)


async def test_no_connection_is_worth_another_try() -> None:
    def answer(_path: str, _body: dict[str, Any]) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(PlatformUnavailable):
        await a_source(answer).fetch(0, 10)


async def test_decryption_tells_a_bad_record_from_a_tired_library() -> None:
    returns = {"good": 0, "bad": 10006, "tired": 10003}
    source = a_source(
        lambda _path, body: httpx.Response(200, json={"ret": returns[body["encrypt_msg"]], "data": '{"msgid": "1"}'})
    )
    assert await source.decrypt("key", "good") == '{"msgid": "1"}'
    with pytest.raises(RecordUndecryptable):
        await source.decrypt("key", "bad")
    with pytest.raises(PlatformUnavailable):
        await source.decrypt("key", "tired")


def test_the_secret_is_not_shown() -> None:
    assert "topsecret" not in repr(a_source(lambda _path, _body: httpx.Response(200)))
