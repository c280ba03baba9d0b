"""Requests as values: the name of each field on the wire and its documented limit stand beside the field.

    class LinkAttachment:
        title: Annotated[str, Bytes(128)]
        picture_url: Annotated[str | None, Name("picurl")] = None

`to_body` checks every limit and returns the JSON object. `None` and the empty tuple are left out; what is left out is
not checked. A limit that several fields share is a method `list_problems`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from re import Pattern
from typing import Any, Protocol, get_type_hints, runtime_checkable

from bot.errors import RequestRefused


class RequestInvalid(RequestRefused):
    """A request breaks a documented limit, so it was not sent. The message names field and limit, never a value."""

    code = "refused.request"

    def __init__(self, api: str, field: str, problem: str) -> None:
        super().__init__(f"{api}: {field} {problem}")
        self.api = api
        self.field = field
        self.problem = problem


class Limit(Protocol):
    """A documented limit of one value."""

    def problem(self, value: Any) -> str | None:
        """Say what is wrong with the value; `None` when nothing is."""
        ...


@dataclass(frozen=True, slots=True)
class Bytes:
    """A text of `least` to `most` bytes of UTF-8."""

    most: int
    least: int = 0

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return _outside(len(value.encode()), self.least, self.most, "bytes")


@dataclass(frozen=True, slots=True)
class Chars:
    """A text of `least` to `most` characters."""

    most: int
    least: int = 0

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return _outside(len(value), self.least, self.most, "characters")


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `least` to `most` entries. A list of none is left out, so `least` asks for the field itself."""

    most: int
    least: int = 0

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return _outside(len(value), self.least, self.most, "entries")


@dataclass(frozen=True, slots=True)
class Between:
    """A number of `low` to `high`, both allowed."""

    low: int
    high: int

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return None if self.low <= value <= self.high else f"is not between {self.low} and {self.high}"


@dataclass(frozen=True, slots=True)
class Shape:
    """A text that `pattern` matches from end to end; `said` tells a person what it allows."""

    pattern: Pattern[str]
    said: str

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return None if self.pattern.fullmatch(value) else f"is not {self.said}"


@dataclass(frozen=True, slots=True)
class Filled:
    """A text, or a list, that may not be empty."""

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return None if value else "is empty"


@dataclass(frozen=True, slots=True)
class Each:
    """A limit of every entry of a list."""

    limit: Limit

    def problem(self, value: Any) -> str | None:
        """See `Limit`."""
        return next((found for item in value if (found := self.limit.problem(item))), None)


@dataclass(frozen=True, slots=True)
class Name:
    """The name on the wire; dots put the value into objects (`text.content`)."""

    path: str


@dataclass(frozen=True, slots=True)
class Tagged:
    """A value whose class says its kind: sent as `{key: kind, kind: {…}}`, or without a key as `{kind: {…}}`.

    In a list each entry is such an object; otherwise its keys go into the object around it.
    """

    key: str | None = "msgtype"


class Mark(Enum):
    """How a value is written."""

    FLAG = "true and false as 1 and 0"
    PIPED = "a list as one text, joined with |"
    KEPT = "sent even when empty"


FLAG, PIPED, KEPT = Mark.FLAG, Mark.PIPED, Mark.KEPT
FILLED = Filled()
_LIMITS = (Filled, Bytes, Chars, Items, Between, Shape, Each)


@runtime_checkable
class CrossChecked(Protocol):
    """A request with limits that concern several of its fields."""

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """Yield (field, problem)."""
        ...


@dataclass(frozen=True, slots=True)
class _Field:
    attribute: str
    path: tuple[str, ...]
    limits: tuple[Limit, ...]
    marks: frozenset[Mark]
    tagged: Tagged | None


def to_body(api: str, request: Any) -> dict[str, Any]:
    """Return a request's JSON object.

    Raises:
        RequestInvalid: a limit is broken; nothing may be sent.
    """
    return _object(api, request, "")


def _object(api: str, value: Any, at: str) -> dict[str, Any]:
    body: dict[str, Any] = dict(getattr(value, "wire_constants", {}))
    kind: Any = type(value)  # mypy does not take a class of unknown kind for hashable
    for field in _fields_of(kind):
        content = getattr(value, field.attribute)
        empty = content is None or content == ()
        path = f"{at}{'.'.join(field.path)}"
        for limit in () if content is None else field.limits:
            if (problem := limit.problem(content)) is not None:
                raise RequestInvalid(api, path, problem)
        if empty and Mark.KEPT not in field.marks:
            continue
        if field.tagged is not None and not isinstance(content, tuple):
            body |= _tagged(api, content, field.tagged, at)
        else:
            _put(body, field.path, _value(api, content, field, path))
    if isinstance(value, CrossChecked):
        for name, problem in value.list_problems():
            raise RequestInvalid(api, f"{at}{name}", problem)
    return body


def _value(api: str, value: Any, field: _Field, path: str) -> Any:
    if Mark.FLAG in field.marks:
        return int(value)
    if Mark.PIPED in field.marks:
        return _joined(api, value, path)
    if isinstance(value, tuple):
        return [_value(api, item, field, f"{path}[{index}]") for index, item in enumerate(value)]
    if field.tagged is not None:
        return _tagged(api, value, field.tagged, f"{path}.")
    if is_dataclass(value):
        return _object(api, value, f"{path}.")
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value.value if isinstance(value, Enum) else value


def _tagged(api: str, value: Any, tagged: Tagged, at: str) -> dict[str, Any]:
    kind: str = value.kind
    body = {kind: _object(api, value, f"{at}{kind}.")}
    return body if tagged.key is None else {tagged.key: kind, **body}


def _joined(api: str, values: Sequence[Any], path: str) -> str:
    texts = [str(value) for value in values]
    if any("|" in text or not text for text in texts):
        raise RequestInvalid(api, path, "has an entry that is empty or holds a |")
    return "|".join(texts)


def _put(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    *parents, last = path
    for name in parents:
        body = body.setdefault(name, {})
    body[last] = value


def _outside(size: int, least: int, most: int, unit: str) -> str | None:
    if size > most:
        return f"is longer than {most} {unit}"
    return f"is shorter than {least} {unit}" if size < least else None


@cache
def _fields_of(kind: type[Any]) -> tuple[_Field, ...]:
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_read_field(field.name, getattr(hints[field.name], "__metadata__", ())) for field in fields(kind))


def _read_field(attribute: str, marks: Sequence[Any]) -> _Field:
    name = next((mark.path for mark in marks if isinstance(mark, Name)), attribute)
    return _Field(
        attribute=attribute,
        path=tuple(name.split(".")),
        limits=tuple(mark for mark in marks if isinstance(mark, _LIMITS)),
        marks=frozenset(mark for mark in marks if isinstance(mark, Mark)),
        tagged=next((mark for mark in marks if isinstance(mark, Tagged)), None),
    )


def join_params(**params: str | int | bool | None) -> Mapping[str, str]:
    """Return query parameters as texts, those that are `None` left out, truth as 1 and 0."""
    given = {name: int(value) if isinstance(value, bool) else value for name, value in params.items()}
    return {name: str(value) for name, value in given.items() if value is not None}
