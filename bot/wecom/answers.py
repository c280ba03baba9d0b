"""Reading the platform's JSON answers: every field is checked at the moment it is read.

`Any` stops here. What is missing or of another type raises, naming the API and the field but never its value: a
changed format must be noticed at the field that changed, and values may be personal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.errors import PlatformError

# Not one of the platform's codes: those are positive, or -1.
ANSWER_UNREADABLE = -2


class AnswerUnreadable(PlatformError):
    """The platform answered success, but not in the documented form."""

    code = "platform.answer"

    def __init__(self, api: str, field: str) -> None:
        super().__init__(api, ANSWER_UNREADABLE, f"field {field} is missing or not of the documented type")
        self.field = field


@dataclass(frozen=True, slots=True)
class Answer:
    """One JSON object of an answer, and where it stands in it, for the error message."""

    api: str
    fields: Mapping[str, Any]
    path: str = ""

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string. An absent or null field gives `default`; without one it is an error."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._unreadable(name)
        return value

    def number(self, name: str, default: int | None = None) -> int:
        """Return a whole number. An absent or null field gives `default`; without one it is an error."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._unreadable(name)
        return value

    def digits(self, name: str, default: int | None = None) -> int:
        """Return a whole number that may be written as a text: where the platform does both (`created_at`)."""
        value = self.fields.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit():
            return int(value)
        return self.number(name, default)

    def decimal(self, name: str, default: float | None = None) -> float:
        """Return a number with a fraction. An absent or null field gives `default`; without one it is an error."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self._unreadable(name)
        return float(value)

    def truth(self, name: str, default: bool | None = None) -> bool:
        """Return a yes or no, written as true and false or as 1 and 0; `default` as for `text`."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if value not in (0, 1):  # equal to False and True
            raise self._unreadable(name)
        return bool(value)

    def has(self, name: str) -> bool:
        """Tell whether the field is there and not null."""
        return self.fields.get(name) is not None

    def instant(self, name: str) -> datetime | None:
        """Return a time given in seconds since 1970; `None` when it is absent or 0, as the platform writes 'never'."""
        seconds = self.number(name, 0)
        return datetime.fromtimestamp(seconds, UTC) if seconds > 0 else None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings; absent means empty."""
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise self._unreadable(name)
        return tuple(values)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Return a list of whole numbers; absent means empty."""
        values = self._list(name)
        if not all(isinstance(value, int) and not isinstance(value, bool) for value in values):
            raise self._unreadable(name)
        return tuple(values)

    def child(self, name: str) -> "Answer":
        """Return the object under `name`; it must be there."""
        value = self.fields.get(name)
        if not isinstance(value, Mapping):
            raise self._unreadable(name)
        return Answer(self.api, value, f"{self.path}{name}.")

    def find_child(self, name: str) -> "Answer | None":
        """Return the object under `name`, `None` when it is absent or null."""
        return self.child(name) if self.has(name) else None

    def children(self, name: str) -> tuple["Answer", ...]:
        """Return the list of objects under `name`; absent means empty."""
        values = self._list(name)
        if not all(isinstance(value, Mapping) for value in values):
            raise self._unreadable(name)
        return tuple(Answer(self.api, value, f"{self.path}{name}[{index}].") for index, value in enumerate(values))

    def _list(self, name: str) -> Sequence[Any]:
        value = self.fields.get(name)
        if value is None:
            return ()
        if not isinstance(value, list):
            raise self._unreadable(name)
        return value

    def _unreadable(self, name: str) -> AnswerUnreadable:
        return AnswerUnreadable(self.api, f"{self.path}{name}")
