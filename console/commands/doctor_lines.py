"""The lines of `rmbot doctor`: what a check came to, in words of the catalogue (`console/texts`, section `doctor`)."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a check came out."""

    OK = "✓"
    WARN = "!"
    BAD = "✗"


@dataclass(frozen=True, slots=True)
class Line:
    """One check's outcome: a key of the catalogue and its values."""

    mark: Mark
    key: str
    values: dict[str, object]


def line(mark: Mark, key: str, **values: object) -> Line:
    """Return a line."""
    return Line(mark, key, values)
