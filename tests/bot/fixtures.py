"""The bodies under tests/fixtures/wecom: one file for each kind and case, and beside it what it must become.

`NAME.expected.json` was written by hand from the dossier: the class, and every attribute that is not empty. An
attribute that is not named there must be empty.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1] / "fixtures/wecom"
_EMPTY: tuple[Any, ...] = (None, "", False, [], {})


@dataclass(frozen=True)
class Fixture:
    """One body and its expectation."""

    family: str
    name: str
    body: bytes
    event: str
    attributes: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.family}/{self.name}"


def load_fixtures(family: str) -> list[Fixture]:
    """Return the fixtures of a family, in the order of their names."""
    found = []
    for path in sorted((ROOT / family).iterdir()):
        if path.name.endswith(".expected.json"):
            continue
        expected = json.loads(path.with_suffix("").with_suffix(".expected.json").read_text())
        found.append(Fixture(family, path.stem, path.read_bytes(), expected["event"], expected["attributes"]))
    return found


def as_plain(value: Any) -> Any:
    """Return a value as JSON would spell it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return attributes_of(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        return value
    if isinstance(value, Mapping):
        return {name: as_plain(item) for name, item in value.items()}
    return [as_plain(item) for item in value]


def attributes_of(value: Any, *, without: Sequence[str] = ()) -> dict[str, Any]:
    """Return the attributes of a dataclass in plain values."""
    fields = dataclasses.fields(value)
    return {field.name: as_plain(getattr(value, field.name)) for field in fields if field.name not in without}


def not_empty(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out attributes that say nothing, at every depth; a zero says something."""
    plain = {name: _shrunk(value) for name, value in attributes.items()}
    return {name: value for name, value in plain.items() if not any(value is e or value == e != 0 for e in _EMPTY)}


def _shrunk(value: Any) -> Any:
    if isinstance(value, dict):
        return not_empty(value)
    return [_shrunk(item) for item in value] if isinstance(value, list) else value
