"""Ways to spoil a body: what a broken sender, a broken network or an enemy could send instead.

Every mutation takes a source of chance and bytes, and gives bytes. The same chance gives the same bytes.
"""

import json
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from random import Random
from typing import Any, TypeAlias

Mutation: TypeAlias = Callable[[Random, bytes], bytes]

# Places are looked for in the beginning only, and what has grown large is not spoilt again: the searches below take
# quadratic time on a body that an earlier mutation has filled with one character.
_HEAD = 4_096
_LARGE = 600_000

_ODD_BYTES = (b"\x00", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xef\xbb\xbf", b"<", b">", b"&", b'"', b"\\", b"]]>")
_ODD_TEXTS = (
    *("", " ", "\u0000", "\u2028", "\ufeff", "＠小助手 x", "@", "@ ", "١٢", "²", "\U0001f600" * 3, "א\u202e"),
    *("0", "-0", "-1", "1e999", "NaN", "Infinity", "null", "true", "{}", "[", "{", "text", "event", "ChangeType"),
    *("9" * 19, "9" * 30, "9" * 5000, "253402300800", "99999999999", "-99999999999"),
)
_ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1 << 31, 1 << 63, -(1 << 63), 1 << 70, 1e308, -0.0, 1.5, "", [], {}),
    *([[]], {"": ""}, ["x"], [None], {"text": {"content": "x"}}, "\ud800", "x\udfff", "\x00"),
)
_BOMB = (
    b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;">]>'
)


def flip_bytes(chance: Random, body: bytes) -> bytes:
    """Change one to eight bytes."""
    changed = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut_off(chance: Random, body: bytes) -> bytes:
    """Break off somewhere, at the end or at the beginning."""
    place = chance.randint(0, len(body))
    return body[:place] if chance.random() < 0.8 else body[place:]


def take_out(chance: Random, body: bytes) -> bytes:
    """Leave out a piece."""
    start, end = sorted((chance.randint(0, len(body)), chance.randint(0, len(body))))
    return body[:start] + body[end:]


def repeat(chance: Random, body: bytes) -> bytes:
    """Say a piece again, up to a thousand times."""
    start = chance.randint(0, len(body))
    piece = body[start : start + chance.randint(1, 60)]
    return body[:start] + piece * chance.choice((2, 3, 10, 1000)) + body[start:]


def put_in(chance: Random, body: bytes) -> bytes:
    """Put odd bytes somewhere: NUL, half of a surrogate pair, marks of the markup."""
    place = chance.randint(0, len(body))
    return body[:place] + chance.choice(_ODD_BYTES) * chance.choice((1, 1, 1, 50)) + body[place:]


def blow_up_numbers(chance: Random, body: bytes) -> bytes:
    """Make a number absurd."""
    numbers = list(re.finditer(rb"[0-9]+", body[:_HEAD]))
    if not numbers:
        return body
    found = chance.choice(numbers)
    absurd = chance.choice(
        (b"9" * 19, b"9" * 40, b"9" * 5000, b"-1", b"1e999", b"0", b"1" + b"0" * 400, b"0x1", b"NaN")
    )
    return body[: found.start()] + absurd + body[found.end() :]


def nest_deeply(chance: Random, body: bytes) -> bytes:
    """Put a bottomless element, list or object in a place where a value may stand."""
    depth = chance.choice((10, 30, 200, 900, 1100, 20_000))
    opening, closing = chance.choice(((b"<a>", b"</a>"), (b"[", b"]"), (b'{"a":', b"}")))
    deep = opening * depth + b"1" + closing * depth
    values = list(re.finditer(rb"(?<=:)\s*(\"[^\"]*\"|[0-9]+)|(?<=>)[^<]*(?=<)", body[:_HEAD]))
    if not values:
        return deep
    found = chance.choice(values)
    return body[: found.start()] + deep + body[found.end() :]


def widen(chance: Random, body: bytes) -> bytes:
    """Put very many small things in."""
    many = chance.choice((100, 5_000, 40_000))
    inside = chance.choice((b"<a/>", b"<Item>x</Item>", b'"a",', b"[],", b'{"a":1},', b"&amp;", b"]]>"))
    place = chance.randint(0, len(body))
    return body[:place] + inside * many + body[place:]


def declare_entities(chance: Random, body: bytes) -> bytes:
    """Make it an entity bomb, or name a file."""
    head = chance.choice((_BOMB, b'<!DOCTYPE x SYSTEM "file:///x">', b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///x">]>'))
    use = chance.choice((b"&d;", b"&a;", b"&x;", b"%a;", b"&#0;", b"&#xD800;", b"&#1114112;"))
    place = body.find(b">") + 1
    prolog = b"<?xml version='1.0' encoding='%b'?>" % chance.choice((b"utf-8", b"utf-16", b"gb2312", b"no-such"))
    return chance.choice((b"", prolog)) + head + body[:place] + use + body[place:]


def swap_encoding(chance: Random, body: bytes) -> bytes:
    """Say it in another encoding."""
    try:
        return body.decode().encode(chance.choice(("utf-16", "utf-32", "utf-16-le", "gb18030", "utf-8-sig")))
    except UnicodeError:
        return body


def retext(chance: Random, body: bytes) -> bytes:
    """Put an odd text into an XML element."""
    texts = list(re.finditer(rb"(?<=>)[^<>]+(?=<)|(?<=CDATA\[)[^\]]*", body[:_HEAD]))
    if not texts:
        return body
    found = chance.choice(texts)
    odd = chance.choice(_ODD_TEXTS).encode("utf-8", "surrogatepass")
    return body[: found.start()] + odd + body[found.end() :]


def rename(chance: Random, body: bytes) -> bytes:
    """Swap two names of the body, whatever they mean."""
    names = list(re.finditer(rb"(?<=[<\"])[A-Za-z_]{2,}(?=[>\"])", body[:_HEAD]))
    if len(names) < 2:
        return body
    one, other = chance.sample(names, 2)
    return body.replace(one.group(), other.group(), 1)


def swap_types(chance: Random, body: bytes) -> bytes:
    """Put a value of another type somewhere in a JSON document; in an XML one, elements where text was."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        head = re.sub(rb">([^<>]+)<", rb"><a>\1</a><", body[:_HEAD], count=chance.randint(1, 3))
        return head + body[_HEAD:]
    for _ in range(chance.randint(1, 3)):
        _replace_one(chance, document)
    try:
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    except RecursionError:  # as deep as the reader takes, and a little deeper than the writer does
        return body


def _replace_one(chance: Random, document: Any) -> None:
    value = document
    while isinstance(value, dict | list) and value:
        key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        inner = value[key]
        if isinstance(inner, str) and inner[:1] == "{" and chance.random() < 0.5:
            value[key] = swap_types(chance, inner.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")
            return
        if not isinstance(inner, dict | list) or not inner or chance.random() < 0.3:
            value[key] = deepcopy(chance.choice((*_ODD_VALUES, *_ODD_TEXTS)))  # it may be changed by the next round
            return
        value = inner


def nest_strings(chance: Random, body: bytes) -> bytes:
    """Wrap JSON into JSON inside strings, as merged records are."""
    inner = body.decode("utf-8", "replace")
    for _ in range(chance.randint(1, 9)):
        kind = chance.choice(("chatrecord", "ChatRecordMixed", "mixed", "ChatRecordText"))
        inner = json.dumps({"title": "t", "item": [{"type": kind, "content": inner}] * chance.choice((1, 1, 2))})
        if len(inner) > 60_000:
            break
    record = '{"msgid":"1","action":"send","msgtype":"chatrecord","msgtime":1,"from":"a","chatrecord":%s}'
    return (record % inner).encode()


MUTATIONS: Sequence[Mutation] = (
    flip_bytes,
    cut_off,
    take_out,
    repeat,
    put_in,
    blow_up_numbers,
    nest_deeply,
    widen,
    declare_entities,
    swap_encoding,
    retext,
    rename,
    swap_types,
    swap_types,
    nest_strings,
)


def mutate(chance: Random, body: bytes, others: Sequence[bytes]) -> bytes:
    """Return a spoilt copy of a body: one to three mutations, sometimes crossed with another body first."""
    if others and chance.random() < 0.1:
        other = chance.choice(others)
        body = body[: chance.randint(0, len(body))] + other[chance.randint(0, len(other)) :]
    for _ in range(chance.choice((1, 1, 1, 2, 3))):
        if len(body) > _LARGE:
            break
        body = chance.choice(MUTATIONS)(chance, body)
    return body
