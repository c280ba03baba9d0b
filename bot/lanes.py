"""Lanes: which keys of a queue are worked off by whom, so that what is urgent overtakes what can wait.

A WelcomeCode lives 20 seconds (05-customer-contact.md, 5.4). With one queue it would wait behind every conversation
that came in before it, and behind pulls that talk to the platform for minutes. A lane has workers of its own.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, not_, or_
from sqlalchemy.orm.attributes import InstrumentedAttribute

EXPRESS_PREFIX = "welcome:"
PULL_PREFIX = "pull:"


@dataclass(frozen=True, slots=True)
class Lane:
    """The keys that begin with one of `only` (all keys, when it is empty) and with none of `but`."""

    only: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def takes(self, key: str) -> bool:
        """Say whether a key belongs here."""
        return (not self.only or key.startswith(self.only)) and not key.startswith(self.but)

    def condition(self, column: "InstrumentedAttribute[str] | Any") -> ColumnElement[bool]:
        """Return the same as a condition on a column."""
        parts: list[ColumnElement[bool]] = []
        if self.only:
            parts.append(or_(*(column.startswith(prefix, autoescape=True) for prefix in self.only)))
        parts += [not_(column.startswith(prefix, autoescape=True)) for prefix in self.but]
        return and_(True, *parts)


EVERYTHING = Lane()
EXPRESS = Lane(only=(EXPRESS_PREFIX,))
PULLS = Lane(only=(PULL_PREFIX,))
REST = Lane(but=(EXPRESS_PREFIX, PULL_PREFIX))
