"""The simulator's own clock, which a test can move forward without waiting."""

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")


class SimClock:
    """The system clock plus an offset that only grows."""

    def __init__(self) -> None:
        self._offset_seconds = 0.0

    def now(self) -> float:
        """Return the simulated time as seconds since the epoch."""
        return time.time() + self._offset_seconds

    def seconds(self) -> int:
        """Return the simulated time in whole seconds, as most platform fields want it."""
        return int(self.now())

    def advance(self, seconds: float) -> None:
        """Move the clock forward; tokens, codes and quotas age at once."""
        self._offset_seconds += seconds


def iso(at: float) -> str:
    """Return an epoch time as ISO 8601 in UTC, as the control API shows it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def china_month(at: float) -> str:
    """Return `YYYY-MM` of the calendar month in China, the month that broadcast quotas count in."""
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m")
