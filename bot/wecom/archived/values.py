"""Reading the values of a record leniently: what is absent or of another type is empty, never an error.

A record that does not fit in one place still has to be kept.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bot.wecom.fields import MAX_DEPTH, MAX_ELEMENTS, parse_int

RawBody: TypeAlias = Mapping[str, Any]

# Beyond it lies the year 9999, which is no honest time.
_MAX_MILLISECONDS = 253_402_300_799_999
# The platform's numbers have 64 bits.
_MAX_NUMBER = 1 << 63


def text(body: RawBody, name: str) -> str:
    """Return a string as it was sent, or a number's digits (some SDKs turn ids into numbers)."""
    value = body.get(name)
    if isinstance(value, str):
        return value
    found = number(body, name)
    return "" if found is None else str(found)


def number(body: RawBody, name: str) -> int | None:
    """Return a whole number, also from its digits in a string."""
    value = body.get(name)
    if isinstance(value, str):
        return parse_int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value) if abs(value) < _MAX_NUMBER else None
    return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _MAX_NUMBER else None


def decimal(body: RawBody, name: str) -> float | None:
    """Return a finite number."""
    value = body.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) < _MAX_NUMBER and math.isfinite(value) else None


def flag(body: RawBody, name: str) -> bool:
    """Return whether it is true, or 1."""
    return body.get(name) in (True, 1, "true", "1")


def milliseconds(body: RawBody, name: str) -> datetime | None:
    """Return the instant of a count of milliseconds since 1970."""
    count = number(body, name)
    if count is None or not 0 <= count <= _MAX_MILLISECONDS:
        return None
    return datetime.fromtimestamp(count // 1000, UTC).replace(microsecond=count % 1000 * 1000)


def seconds(body: RawBody, name: str) -> datetime | None:
    """Return the instant of a count of seconds since 1970."""
    count = number(body, name)
    return datetime.fromtimestamp(count, UTC) if count is not None and 0 <= count <= _MAX_MILLISECONDS // 1000 else None


def tree(body: RawBody, name: str) -> RawBody:
    """Return an object; empty when there is none."""
    value = body.get(name)
    return value if isinstance(value, dict) else {}


def trees(body: RawBody, name: str) -> tuple[RawBody, ...]:
    """Return the objects of a list; a single object is a list of one."""
    value = body.get(name)
    if isinstance(value, dict):
        return (value,)
    return tuple(item for item in value if isinstance(item, dict)) if isinstance(value, list) else ()


def texts(body: RawBody, name: str) -> tuple[str, ...]:
    """Return the strings of a list."""
    value = body.get(name)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def is_bounded(value: Any) -> bool:
    """Tell whether a JSON value is no deeper and wider than an honest one: those who walk over it recurse."""
    level: list[Any] = [value]
    budget = MAX_ELEMENTS
    for _ in range(MAX_DEPTH):
        budget -= len(level)
        if budget < 0:
            return False
        level = [child for item in level for child in _children(item)]
        if not level:
            return True
    return False


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
