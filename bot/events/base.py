"""What all events have in common, and the two kinds of surprise: a body nobody knows, and a change with its kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

FieldValue: TypeAlias = str | Sequence["FieldValue"] | Mapping[str, "FieldValue"]
Fields: TypeAlias = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. `occurred_at` is the platform's time, to the second, when it gave one."""

    fields: Fields
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Well formed, but of a kind this version does not know. `kind` is what the body calls itself."""

    kind: str


class Change(StrEnum):
    """What happened to an object of the directory or to a tag. `moved`: only the order changed."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class SelectedItem:
    """What was chosen under one question of a template card; empty when nothing was."""

    question_key: str
    option_ids: tuple[str, ...]
