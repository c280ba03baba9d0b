"""The simulator's own clock: it can be set, moved and run fast, and everything the platform dates goes by it.

Two clocks are kept apart on purpose. *Simulated* time ages what the platform knows: tokens, codes, quotas, retention,
`CreateTime`. *Real* time is used where two processes must agree about the same second: the `timestamp` that a
callback is signed with (a receiver compares it with its own clock), waits on the wire (timeouts, pauses between
attempts, the latency of a fault switch). No other module of the simulator asks the system for the time.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

CHINA = ZoneInfo("Asia/Shanghai")
EARLIEST = 946_684_800.0  # 2000-01-01: whoever sets an earlier time has mistaken seconds for something else
LATEST = 4_102_444_800.0  # 2100-01-01
FASTEST = 1_000_000.0


class SimClock:
    """The system clock, moved by an offset and running at a speed: 1 as usual, 60 a minute a second, 0 stopped."""

    def __init__(self, system: Callable[[], float] = time.time) -> None:
        self._system = system
        self._real = self._simulated = system()
        self._speed = 1.0

    def now(self) -> float:
        """Return the simulated time as seconds since the epoch."""
        return self._simulated + (self._system() - self._real) * self._speed

    def seconds(self) -> int:
        """Return the simulated time in whole seconds, as most platform fields want it."""
        return int(self.now())

    def real(self) -> float:
        """Return the system's time as seconds since the epoch, whatever was simulated."""
        return self._system()

    def real_seconds(self) -> int:
        """Return the system's time in whole seconds."""
        return int(self._system())

    @property
    def speed(self) -> float:
        """How many simulated seconds pass in a real one."""
        return self._speed

    @property
    def offset_seconds(self) -> float:
        """How far the simulated time is ahead of the system's just now; negative when it is behind."""
        return self.now() - self._system()

    def advance(self, seconds: float) -> None:
        """Move the clock forward; tokens, codes and quotas age at once."""
        self._simulated += seconds

    def set(self, at: float | None) -> None:
        """Go to a time in seconds since the epoch, also backwards; None goes back to the system's time."""
        self._real = self._system()
        self._simulated = self._real if at is None else at

    def run(self, speed: float) -> None:
        """Go on from now at another speed."""
        self._simulated, self._real = self.now(), self._system()
        self._speed = speed

    def to_real_seconds(self, seconds: float) -> float:
        """Return how many real seconds a simulated span takes; a stopped clock counts as one at speed 1."""
        return seconds / self._speed if self._speed else seconds

    def mark(self) -> tuple[float, float, float]:
        """Return (real, simulated, speed), from which `restore` goes on after a restart."""
        return self._real, self._simulated, self._speed

    def restore(self, real: float, simulated: float, speed: float) -> None:
        """Go on as if the clock had never stopped since its `mark`."""
        self._real, self._simulated, self._speed = real, simulated, speed


def iso(at: float) -> str:
    """Return an epoch time as ISO 8601 in UTC, as the control API shows it."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def china_month(at: float) -> str:
    """Return `YYYY-MM` of the calendar month in China, the month that broadcast quotas count in."""
    return datetime.fromtimestamp(at, CHINA).strftime("%Y-%m")
