"""Where the time comes from. Nothing outside this file asks the system for it, so that tests can set it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the machine's present instant in UTC."""
        return datetime.now(UTC)  # noqa: TID251  the one place that may


class FrozenClock:
    """A clock that stands still until it is told to move; for tests and for the demo's time control."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a clock needs a time with a zone")
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._at

    def advance(self, step: timedelta) -> None:
        """Move forward (or back, for a negative step)."""
        self._at += step
