"""Bodies become plain trees; what could bite is refused."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CallbackMalformed
from bot.wecom.fields import (
    MAX_DEPTH,
    float_of,
    int_of,
    items_of,
    list_of,
    optional_text,
    parse_fields,
    parse_int,
    parse_json,
    parse_xml,
    split_text,
    text_of,
    texts_in,
    tree_of,
    trees_in,
)


def test_leaves_lists_and_trees_are_read() -> None:
    fields = parse_fields(
        b"<xml><A> x </A><L><Item>1</Item><Item><![CDATA[2<]]></Item></L><E/><T>&#20320;&amp;</T></xml>"
    )
    assert fields == {"A": "x", "L": {"Item": ["1", "2<"]}, "E": "", "T": "你&"}
    assert list_of(tree_of(fields, "L"), "Item") == ["1", "2<"]


def test_a_list_with_one_entry_is_a_list_of_one() -> None:
    assert list_of(parse_fields(b"<xml><Item>1</Item></xml>"), "Item") == ["1"]


def test_a_json_body_reads_like_an_xml_one() -> None:
    body = b'{"MsgType": "event", "Id": 12345678901234567890, "L": [1, {"a": null}], "ok": true}'
    assert parse_fields(body) == {"MsgType": "event", "Id": "12345678901234567890", "L": ["1", {"a": ""}], "ok": "true"}


def test_half_a_surrogate_pair_and_nul_become_storable() -> None:
    assert text_of(parse_fields(rb'{"a": "x\ud800y\u0000z"}'), "a") == "x?yz"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"hello",
        b"[1]",
        b"<xml><A></xml>",
        b"<xml>",
        b"{",
        b'{"a": NaN}',
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml>&a;</xml>',
        b'<!DOCTYPE x SYSTEM "file:///etc/hostname"><xml/>',
        b"<xml>&undeclared;</xml>",
        b'<?xml version="1.0" encoding="no-such"?><xml/>',
        b"<xml>\xff\xfe</xml>",
        b"<a>" * (MAX_DEPTH + 2) + b"</a>" * (MAX_DEPTH + 2),
        b"<x>" + b"<a/>" * 30_000 + b"</x>",
        b'{"a":' * 100 + b"1" + b"}" * 100,
        b"[" * 200_000,
        b'{"a":' * 200_000,
    ],
)
def test_what_is_broken_or_could_bite_is_malformed(body: bytes) -> None:
    with pytest.raises(CallbackMalformed):
        parse_fields(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for start in (b"", b"<xml>", b'{"a":'):
        with suppress(CallbackMalformed):
            parse_fields(start + body)


_names = st.sampled_from(["A", "B", "Item"])
_texts = st.text(st.characters(codec="utf-8", exclude_characters="<&>\r", exclude_categories=["Cc", "Cs"]), max_size=5)
_elements = st.recursive(
    st.builds(lambda name, text: f"<{name}>{text}</{name}>", _names, _texts),
    lambda inner: st.builds(
        lambda name, parts, text: f"<{name} k='v'>{text}{''.join(parts)}</{name}>", _names, st.lists(inner), _texts
    ),
    max_leaves=12,
)


@given(_elements)
def test_both_readers_give_the_same_tree(inner: str) -> None:
    document = f"<xml> {inner} tail</xml>"
    assert parse_xml(document.encode()) == parse_xml(f"<?xml version='1.0'?>{document}".encode())


def test_words_that_look_like_a_dtd_are_just_words() -> None:
    assert parse_xml(b"<xml><Content><![CDATA[<!DOCTYPE html> ok?]]></Content></xml>") == {
        "Content": "<!DOCTYPE html> ok?"
    }


@pytest.mark.parametrize("start", [b"<xml>", b"<?xml version='1.0'?><xml>"])
@pytest.mark.parametrize("inner", [b"<a>" * 40 + b"</a>" * 40, b"<a/>" * 30_000, b"<a>", b"&x;", b"\xff"])
def test_both_readers_refuse_the_same(start: bytes, inner: bytes) -> None:
    with pytest.raises(CallbackMalformed):
        parse_xml(start + inner + b"</xml>")


def test_half_a_surrogate_pair_in_a_name_becomes_storable() -> None:
    assert parse_fields(rb'{"a\ud800": {"b\u0000": 1}}') == {"a?": {"b": "1"}}


def test_a_wrapped_list_is_read_in_every_spelling() -> None:
    fields = parse_fields(b'{"A": {"Item": ["1", "2"]}, "B": {"item": "1"}, "C": ["1"], "D": {"Other": "1"}, "E": "1"}')
    assert [items_of(fields, name, "Item", "item") for name in "ABCDEF"] == [["1", "2"], ["1"], ["1"], [], [], []]
    assert trees_in([{"a": "1"}, "x"]) == [{"a": "1"}]
    assert texts_in(["a", "", {"b": "c"}]) == ("a",)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("-7", -7),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("9" * 100_000, None),
        ("", None),
        ("-", None),
        ("--1", None),
        ("1.0", None),
        ("٣", None),
        ("1e3", None),
        ("²", None),
    ],
)
def test_a_whole_number_is_read_or_absent(text: str, number: int | None) -> None:
    assert parse_int(text) == number
    assert int_of({"n": text}, "n") == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("23.134", 23.134), ("-1", -1.0), ("", None), ("nan", None), ("inf", None), ("1e999", None), ("1" * 50, None)],
)
def test_a_decimal_number_is_finite_or_absent(text: str, number: float | None) -> None:
    assert float_of({"n": text}, "n") == number


def test_absent_is_not_empty() -> None:
    assert optional_text({"a": ""}, "a") == ""
    assert optional_text({}, "a") is None
    assert split_text(" a, ,b ") == ("a", "b")


@pytest.mark.parametrize("body", [b"<xml><A>1</A></xml>", b'{"A": "1"}', b"\n <xml><A>1</A></xml>"])
def test_the_mark_of_utf_8_before_a_body_changes_nothing(body: bytes) -> None:
    mark = b"\xef\xbb\xbf"
    assert parse_fields(mark + body.strip()) == parse_fields(body) == {"A": "1"}


def test_a_long_text_of_nothing_but_commas_is_read_and_a_swarm_of_values_is_not() -> None:
    text = "," * 20_480
    assert parse_json(json.dumps({"text": {"content": text}}).encode()) == {"text": {"content": text}}
    with pytest.raises(CallbackMalformed, match="too many values"):
        parse_json(b'{"a": [' + b"[]," * 40_000 + b"1]}")
