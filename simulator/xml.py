"""Write the XML of callback bodies and read the XML of passive replies; no DTD, no entities."""

from collections.abc import Mapping
from typing import Any
from xml.parsers import expat

MAX_REPLY_BYTES = 1_000_000


class XmlError(Exception):
    """A passive reply that is not the small, plain XML the platform accepts."""


def render(fields: Mapping[str, Any]) -> str:
    """Render fields under `<xml>`: text as CDATA, numbers bare, mappings nested, lists as repeated elements."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Mapping[str, Any]) -> str:
    return "".join(_element(name, value) for name, value in fields.items() if value is not None)


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        return f"<{name}>{_elements(value)}</{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    # a CDATA section cannot contain its own end: split it there
    safe = str(value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>"


def parse(text: str) -> dict[str, Any]:
    """Return the elements below the root; an element met twice becomes a list.

    Raises:
        XmlError: not well formed, too large, or with a document type.
    """
    if len(text.encode()) > MAX_REPLY_BYTES:
        raise XmlError("reply too large")
    reader = _Reader()
    try:
        reader.parser.Parse(text, True)
    except expat.ExpatError as error:
        raise XmlError("reply is not well-formed XML") from error
    return reader.root


class _Reader:
    """Build nested dictionaries from expat's events."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self._open: list[tuple[str, dict[str, Any], list[str]]] = []
        self.parser = expat.ParserCreate()
        self.parser.StartDoctypeDeclHandler = self._refuse_doctype
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._text
        self.parser.EndElementHandler = self._end

    def _refuse_doctype(self, *_: Any) -> None:
        raise XmlError("document types are not accepted")

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._open.append((name, {}, []))

    def _text(self, text: str) -> None:
        if self._open:
            self._open[-1][2].append(text)

    def _end(self, _name: str) -> None:
        name, children, texts = self._open.pop()
        value: Any = children or "".join(texts).strip()
        if not self._open:
            self.root = children
            return
        parent = self._open[-1][1]
        if name not in parent:
            parent[name] = value
        elif isinstance(parent[name], list):
            parent[name].append(value)
        else:
            parent[name] = [parent[name], value]
