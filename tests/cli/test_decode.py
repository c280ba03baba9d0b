"""`rmbot wecom decode` says what a body is, loses no value of it, and refuses broken ones with a reason."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from bot.errors import CallbackMalformed
from bot.wecom.fields import parse_fields, parse_json
from console.commands.wecom import Family, decode
from tests.bot.fixtures import load_fixtures

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
    record = '{"msgid": "1", "action": "send", "msgtype": "vote", "votetitle": "去哪", "voteitem": ["东"]}'
    found = json.loads(_decode(record, "archive").stdout)
    assert found["event"] == "ArchivedVote"
    assert {"去哪", "东"} <= set(_leaves(found["fields"]))


@pytest.mark.parametrize(
    ("family", "body"),
    [
        ("aibot", '{"msgid": "1", "msgtype": "hologram", "x": {"y": [1]}}'),
        ("aibot", '{"msgid": "1", "msgtype": "event", "event": {"eventtype": "moon", "x": 1}}'),
        ("kf", '{"msgid": "1", "origin": 3, "msgtype": "hologram", "hologram": {"x": 1}}'),
        ("kf", '{"msgid": "1", "origin": 4, "msgtype": "event", "event": {"event_type": "moon", "x": 1}}'),
        ("archive", '{"msgid": "1", "action": "send", "msgtype": "hologram", "hologram": {"x": 1}}'),
    ],
)
def test_what_no_door_knows_is_an_unknown_event_everywhere(family: str, body: str) -> None:
    done = _decode(body, family)
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["event"] == "UnknownEvent"
    assert "1" in set(_leaves(found["fields"]))


@pytest.mark.parametrize("family", ["app", "aibot", "kf", "archive"])
def test_every_fixture_is_told_as_what_it_is(family: str) -> None:
    for fixture in load_fixtures(family):
        found = json.loads(decode(Family(family), fixture.body))
        unknown = fixture.event in ("UnknownEvent", "UnknownArchived", "KfUnknownMessage")
        assert found["event"] == ("UnknownEvent" if unknown else fixture.event), fixture
        parse = parse_fields if family == "app" else parse_json
        assert found["fields"] == parse(fixture.body)


@pytest.mark.parametrize("family", ["aibot", "kf", "archive"])
@pytest.mark.parametrize("body", ["", "{", "[]", "hello", "<xml/>", b"\xff", '{"a": NaN}'])
def test_every_door_refuses_what_is_broken(family: str, body: str | bytes) -> None:
    with pytest.raises(CallbackMalformed):
        decode(Family(family), body.encode() if isinstance(body, str) else body)


def test_half_a_surrogate_pair_can_be_printed() -> None:
    done = _decode(r'{"MsgType": "event", "Event": "x", "\ud800": "\udfff"}')
    assert done.returncode == 0
    assert json.loads(done.stdout)["event"] == "UnknownEvent"
