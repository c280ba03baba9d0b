"""`rmbot wecom decode` says what a body is, loses no value of it, and refuses broken ones with a reason."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

TEXT = """<xml><ToUserName><![CDATA[ww1]]></ToUserName><FromUserName>rm001</FromUserName>
<CreateTime>1767225600</CreateTime><MsgType>text</MsgType>
<Content><![CDATA[大额存单 <b> & 利率]]></Content><MsgId>1</MsgId><AgentID>2</AgentID></xml>"""
GROUP = """<xml><FromUserName>sys</FromUserName><MsgType>event</MsgType><Event>change_external_chat</Event>
<ChangeType>update</ChangeType><ChatId>wr1</ChatId><UpdateDetail>add_member</UpdateDetail>
<MemChangeList><Item>rm001</Item><Item>wm2</Item></MemChangeList><LastMemVer>a</LastMemVer></xml>"""


def _decode(body: str | bytes, family: str = "app") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "console.cli", "wecom", "decode", "--family", family],
        input=body.encode() if isinstance(body, str) else body,
        capture_output=True,
        check=False,
    )


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _leaves(item)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def test_a_message_is_typed_and_keeps_every_value() -> None:
    done = _decode(TEXT)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["event"] == "StaffTextMessage"
    assert found["fields"]["Content"] == "大额存单 <b> & 利率"
    assert set(found["fields"]) == {
        "ToUserName",
        "FromUserName",
        "CreateTime",
        "MsgType",
        "Content",
        "MsgId",
        "AgentID",
    }


def test_nested_lists_are_kept() -> None:
    found = json.loads(_decode(GROUP).stdout)
    assert found["event"] == "GroupUpdated"
    assert {"wr1", "add_member", "rm001", "wm2", "a"} <= set(_leaves(found["fields"]))


@pytest.mark.parametrize(
    "body", ["<xml><MsgType>hologram</MsgType><A>1</A></xml>", '{"MsgType": "event", "Event": "moon", "A": {"B": [1]}}']
)
def test_an_unknown_body_is_no_error(body: str) -> None:
    done = _decode(body)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["event"] == "UnknownEvent"
    assert "1" in set(_leaves(found["fields"]))


@pytest.mark.parametrize(
    "body",
    ["", "  ", "hello", "<xml>", "<xml><A></xml>", "<xml><A>1</A></xml>", "{", b"\xff\xfe<xml/>", "<!DOCTYPE a><a/>"],
)
def test_a_broken_body_exits_with_1_and_the_reason(body: str | bytes) -> None:
    done = _decode(body)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode().startswith("rmbot: ")
    assert b"Traceback" not in done.stderr


def test_other_doors_are_read_too() -> None:
    bot = '{"msgid": "1", "from": {"userid": "rm001"}, "msgtype": "text", "text": {"content": "你好"}}'
    assert json.loads(_decode(bot, "aibot").stdout)["event"] == "BotMention"
    item = '{"msgid": "1", "origin": 3, "msgtype": "text", "text": {"content": "在吗"}, "external_userid": "wm1"}'
    assert json.loads(_decode(item, "kf").stdout)["event"] == "KfText"
