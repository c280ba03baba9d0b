"""Bodies become plain trees; what could bite is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import CallbackMalformed
from bot.wecom.fields import MAX_DEPTH, list_of, parse_fields, parse_xml, text_of, tree_of


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
