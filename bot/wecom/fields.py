"""Bodies to plain field trees: XML or JSON, whatever the platform chose, bounded in every direction.

A leaf is text without surrounding blanks; an element with children a mapping; a repeated name a list, in order.
There is no DTD, hence no entity of anybody's making: a document that declares one is refused.
"""

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

from bot.errors import CallbackMalformed
from bot.events import Fields, FieldValue

MAX_DEPTH = 24
MAX_ELEMENTS = 10_000
# What separates values, counted before anything is parsed: the longest text (08-aibot.md, 8.2) might be all commas.
_MOST_SEPARATORS = MAX_ELEMENTS + 20_480
# The platform's numbers have 64 bits; a longer one is nobody's, and converting it would cost.
_MAX_DIGITS = 18
_MAX_DECIMAL = 40
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_MAX_SECONDS_DIGITS = 11


def parse_fields(body: bytes) -> Fields:
    """Return the fields of a decrypted body: an XML document (its root left out) or a JSON object.

    Which it is, its first non-blank character tells (02-events.md).

    Raises:
        CallbackMalformed: it is neither, declares a DTD, or is deeper or wider than any honest body.
    """
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]  # some senders begin with the mark of UTF-8
    if start == b"<" or body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return parse_xml(body)
    if start == b"{":
        return parse_json(body)
    raise CallbackMalformed("the body is neither XML nor a JSON object")


def parse_xml(body: bytes) -> Fields:
    """Return the fields under the root element of an XML document. Raises like `parse_fields`.

    Two readers give the same tree: ElementTree, which is native code and takes a third of the time, for a document
    that begins with its root and in which nothing looks like a DTD; and our own, which sees and refuses a real one,
    for every other (a customer may well write "<!DOCTYPE" in a message).
    """
    if body.startswith(b"<xml>") and b"<!DOCTYPE" not in body:
        return _parse_plain_xml(body)
    return _parse_any_xml(body)


def _parse_plain_xml(body: bytes) -> Fields:
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  no DTD can be in it, see parse_xml
    except ElementTree.ParseError as error:
        raise CallbackMalformed(f"the XML breaks off or is wrong at line {error.position[0]}") from error
    except ValueError as error:
        raise CallbackMalformed("the XML is not UTF-8") from error
    budget = [MAX_ELEMENTS]
    tree = _tree(root, 1, budget)
    return tree if isinstance(tree, dict) else {}


def _tree(element: ElementTree.Element, depth: int, budget: list[int]) -> FieldValue:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise CallbackMalformed("the XML is too deep or has too many elements")
    text = element.text or ""
    if not len(element) and not element.attrib:
        return text.strip()
    children: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in element:
        if len(child) or child.attrib:
            _add(children, child.tag, _tree(child, depth + 1, budget))
        else:  # the common case, without a call
            budget[0] -= 1
            if depth >= MAX_DEPTH or budget[0] < 0:
                raise CallbackMalformed("the XML is too deep or has too many elements")
            _add(children, child.tag, (child.text or "").strip())
        text += child.tail or ""
    text = text.strip()
    if text:
        children["#text"] = text
    return children


def _parse_any_xml(body: bytes) -> Fields:
    builder = _TreeBuilder()
    try:
        builder.feed(body)
    except expat.ExpatError as error:
        raise CallbackMalformed(f"the XML breaks off or is wrong at line {error.lineno}") from error
    except (LookupError, ValueError) as error:  # an encoding expat does not know, or wrong bytes in it
        raise CallbackMalformed("the XML names an unknown encoding") from error
    return builder.result()


class _TreeBuilder:
    """Builds the tree from expat's calls. One for each document."""

    def __init__(self) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        self._parser = parser
        self._children: list[dict[str, Any]] = []
        self._texts: list[list[str]] = []
        self._elements = 0
        self._root: FieldValue = ""

    def feed(self, body: bytes) -> None:
        self._parser.Parse(body, True)

    def result(self) -> Fields:
        return self._root if isinstance(self._root, dict) else {}

    def _refuse(self, *_: object) -> None:
        raise CallbackMalformed("a document type declaration is not accepted")

    def _start(self, _name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if len(self._children) >= MAX_DEPTH or self._elements > MAX_ELEMENTS:
            raise CallbackMalformed("the XML is too deep or has too many elements")
        self._children.append({f"@{name}": value for name, value in attributes.items()})
        self._texts.append([])

    def _text(self, data: str) -> None:
        self._texts[-1].append(data)

    def _end(self, name: str) -> None:
        children = self._children.pop()
        text = "".join(self._texts.pop()).strip()
        if children and text:
            children["#text"] = text
        value: FieldValue = children or text
        if not self._children:
            self._root = value
            return
        _add(self._children[-1], name, value)


def _add(parent: dict[str, Any], name: str, value: FieldValue) -> None:
    if name not in parent:
        parent[name] = value
    elif isinstance(parent[name], list):
        parent[name].append(value)
    else:
        parent[name] = [parent[name], value]


def refuse_swarm(body: bytes) -> None:
    """Refuse JSON of more values than anybody means, at the price of counting: making them all takes far longer.

    Raises:
        CallbackMalformed: it has too many.
    """
    if body.count(b",") + body.count(b"[") > _MOST_SEPARATORS:
        raise CallbackMalformed("the JSON has too many values")


def parse_json(body: bytes) -> Fields:
    """Return the fields of a JSON object; numbers keep their spelling. Raises like `parse_fields`."""
    refuse_swarm(body)
    try:
        document = json.loads(body, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except CallbackMalformed:
        raise
    except (ValueError, RecursionError) as error:
        raise CallbackMalformed("the JSON breaks off or is wrong") from error
    if not isinstance(document, dict):
        raise CallbackMalformed("the JSON is not an object")
    budget = [MAX_ELEMENTS]
    return {_storable(name): _plain(value, 1, budget) for name, value in document.items()}


def _refuse_constant(name: str) -> None:
    raise CallbackMalformed(f"{name} is not JSON")


def _plain(value: Any, depth: int, budget: list[int]) -> FieldValue:
    budget[0] -= 1
    if depth > MAX_DEPTH or budget[0] < 0:
        raise CallbackMalformed("the JSON is too deep or has too many values")
    if isinstance(value, dict):
        return {_storable(name): _plain(item, depth + 1, budget) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth + 1, budget) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else _storable(str(value)).strip()


def _storable(text: str) -> str:
    """Replace what JSON can spell but no database stores: NUL, and halves of surrogate pairs."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def text_of(fields: Fields, name: str) -> str:
    """Return a leaf's text; empty when it is absent or not a leaf."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def tree_of(fields: Fields, name: str) -> Fields:
    """Return an element's children; empty when it is absent or a leaf."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def list_of(fields: Fields, name: str) -> list[FieldValue]:
    """Return a repeated element as a list; an element that stands alone is a list of one."""
    value = fields.get(name)
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def items_of(fields: Fields, name: str, *item_names: str) -> list[FieldValue]:
    """Return the entries of a wrapped list, `<name><item/><item/></name>`; under the first of `item_names` there is.

    In a JSON body the list may stand under `name` itself, without the wrapper.
    """
    value = fields.get(name)
    if isinstance(value, dict):
        for item_name in item_names:
            if item_name in value:
                return list_of(value, item_name)
        return []
    return list_of(fields, name) if isinstance(value, list) else []


def trees_in(values: Iterable[FieldValue]) -> list[Fields]:
    """Return the entries that have children; what is text among them is left out."""
    return [value for value in values if isinstance(value, dict)]


def texts_in(values: Iterable[FieldValue]) -> tuple[str, ...]:
    """Return the entries that are text and not empty."""
    return tuple(value for value in values if isinstance(value, str) and value)


def optional_text(fields: Fields, name: str) -> str | None:
    """Return a leaf's text; `None` when it was not sent, which is not the same as empty."""
    value = fields.get(name)
    return value if isinstance(value, str) else None


def split_text(text: str) -> tuple[str, ...]:
    """Return the parts of a comma list, without blanks and empty ones."""
    return tuple(part for part in (piece.strip() for piece in text.split(",")) if part)


def parse_int(text: str) -> int | None:
    """Return a whole number of at most 18 digits; `None` for everything else."""
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _MAX_DIGITS:
        return None
    return int(text)


def int_of(fields: Fields, name: str) -> int | None:
    """Return a leaf that is a whole number; `None` when it is absent or anything else."""
    return parse_int(text_of(fields, name))


def float_of(fields: Fields, name: str) -> float | None:
    """Return a leaf that is a finite decimal number; `None` when it is absent or anything else."""
    text = text_of(fields, name)
    if len(text) > _MAX_DECIMAL or not _DECIMAL.fullmatch(text):
        return None
    return float(text)


def parse_seconds(text: str) -> datetime | None:
    """Return the instant of a count of seconds since 1970; `None` for what is not one, or beyond the year 5138."""
    if not text.isascii() or not text.isdigit() or len(text) > _MAX_SECONDS_DIGITS:
        return None
    return datetime.fromtimestamp(int(text), UTC)
