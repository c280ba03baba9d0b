"""Archive records: odd ones are kept, impossible ones refused, and what is nested in them is bounded."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wecom.archived import (
    ArchivedChatRecord,
    ArchivedMalformed,
    ArchivedMixed,
    ArchivedText,
    UnknownArchived,
    media_of,
    parse_archived,
    plain_text,
)
from bot.wecom.archived.readers import MAX_NESTING, MAX_PARTS
from bot.wecom.fields import MAX_DEPTH
from tests.bot.fixtures import load_fixtures

SENT = datetime(2026, 1, 1, 0, 0, 0, 123000, tzinfo=UTC)


def payload(**values: Any) -> str:
    record = {"msgid": "1", "action": "send", "from": "rm001", "tolist": ["wm1"], "msgtime": 1767225600123, **values}
    return json.dumps(record)


def a_part(kind: str, body: Any) -> dict[str, Any]:
    return {"type": kind, "content": json.dumps(body)}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not_json"),
        ("{", "not_json"),
        ("[" * 200_000, "not_json"),
        (b"\xff\xfe", "not_json"),
        ('{"msgtime": ' + "9" * 5000 + "}", "not_json"),
        ("[]", "not_an_object"),
        ('"text"', "not_an_object"),
        ('{"a":' * (MAX_DEPTH + 2) + "1" + "}" * (MAX_DEPTH + 2), "too_deep"),
        (json.dumps({"a": [0] * 30_000}), "too_deep"),
    ],
)
def test_what_is_no_record_is_refused_with_a_reason(body: str | bytes, reason: str) -> None:
    with pytest.raises(ArchivedMalformed) as refused:
        parse_archived(body)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    "times", [None, "soon", True, -1, 1e30, 10**18, float("inf"), float("nan"), {}, 253_402_300_800_000]
)
def test_an_impossible_time_is_no_time(times: Any) -> None:
    assert parse_archived(payload(msgtype="text", msgtime=times)).sent_at is None


@pytest.mark.parametrize("times", [1767225600123, "1767225600123", 1767225600123.0])
def test_a_time_is_exact_to_the_millisecond(times: Any) -> None:
    assert parse_archived(payload(msgtype="text", msgtime=times)).sent_at == SENT


def test_a_record_without_ids_is_still_read() -> None:
    record = parse_archived('{"msgtype": "text", "text": {"content": "x"}}')
    assert (record.msgid, record.sender, record.receivers, record.room_id) == ("", "", (), None)
    assert record.body == ArchivedText("x")


def test_fields_of_another_type_are_empty_and_nothing_is_lost() -> None:
    body = payload(msgtype="file", file={"filename": ["x"], "filesize": "big", "sdkfileid": None}, tolist="wm1")
    record = parse_archived(body)
    assert record.raw == json.loads(body)
    assert plain_text(record) == ""
    assert media_of(record) == ()


def test_a_kind_in_capitals_is_the_same_kind() -> None:
    assert parse_archived(payload(msgtype="TEXT", text={"content": "x"})).body == ArchivedText("x")


def test_a_record_says_whether_outsiders_take_part() -> None:
    assert parse_archived(payload(msgid="1_external")).is_external
    assert not parse_archived(payload(msgid="1")).is_external


def test_nesting_ends_and_says_what_it_has_seen() -> None:
    body: dict[str, Any] = {"title": "bottom", "item": [a_part("ChatRecordText", {"content": "deep"})]}
    for level in range(MAX_NESTING + 3):
        body = {"title": f"level{level}", "item": [a_part("chatrecord", body)]}
    record = parse_archived(payload(msgtype="chatrecord", chatrecord=body))
    words = plain_text(record)
    assert f"level{MAX_NESTING + 2}" in words
    assert "deep" not in words


def test_no_more_parts_are_opened_than_a_person_could_send() -> None:
    many = [{"type": "text", "content": "{}"}] * 3000
    record = parse_archived(payload(msgtype="mixed", mixed={"item": many}))
    assert isinstance(record.body, ArchivedMixed)
    assert len(record.body.items) == MAX_PARTS


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("just words", "just words"),
        ("{broken", "{broken"),
        ("[" * 5000, "[" * 5000),
        ("3", ""),
        ({"content": "x"}, "x"),
    ],
)
def test_a_part_that_is_no_json_keeps_its_words(content: Any, words: str) -> None:
    part = {"type": "ChatRecordText", "content": content}
    record = parse_archived(payload(msgtype="chatrecord", chatrecord={"item": [part]}))
    assert isinstance(record.body, ArchivedChatRecord)
    assert plain_text(record) == words


def test_a_part_too_deep_to_walk_over_is_kept_as_it_stands() -> None:
    deep = '{"title":' * 500 + "1" + "}" * 500
    record = parse_archived(payload(msgtype="mixed", mixed={"item": [{"type": "hologram", "content": deep}]}))
    assert plain_text(record) == deep


def test_words_carry_the_name_of_their_kind_when_asked() -> None:
    parts = [a_part("text", {"content": "看图"}), a_part("image", {"sdkfileid": "f"}), a_part("hologram", {})]
    record = parse_archived(payload(msgtype="mixed", mixed={"item": parts}))
    assert plain_text(record, {"mixed": "混合", "image": "图片"}) == "[混合]看图\n[图片]\n[hologram]"
    assert plain_text(record) == "看图"


def test_files_inside_merged_records_are_found() -> None:
    record = next(parse_archived(fixture.body) for fixture in load_fixtures("archive") if fixture.name == "chatrecord")
    assert [media.size_bytes for media in media_of(record)] == [1, 2, 3, 7]


def test_words_of_an_unknown_kind_are_not_lost() -> None:
    record = parse_archived(payload(msgtype="novel", novel={"title": "甲", "parts": [{"text": "乙", "id": "x1"}]}))
    assert isinstance(record.body, UnknownArchived)
    assert plain_text(record) == "甲\n乙"


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_kinds = st.sampled_from(sorted({json.loads(fixture.body).get("msgtype", "x") for fixture in load_fixtures("archive")}))


@given(_kinds, st.dictionaries(st.sampled_from(["content", "item", "title", "voteitem", "details", "x"]), _json), _json)
def test_any_body_of_any_kind_is_read(kind: str, body: dict[str, Any], other: Any) -> None:
    for key in (kind, "info", "doc"):
        record = parse_archived(payload(**{"msgtype": kind, key: body, "tolist": other}))
        plain_text(record, {})
        media_of(record)
