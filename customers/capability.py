"""Whether a customer group admits the AI bot, by what was tried and seen. Pure.

Documents contradict each other on this, so nothing is promised: an administrator starts a probe, somebody in the group
mentions the bot, and a callback from the group within the window is the proof (10-platform-boundaries.md, 10.2).
"""

from datetime import datetime, timedelta
from enum import StrEnum

from customers.models import AibotCapability

PROBE_WINDOW = timedelta(minutes=10)


class ProbeState(StrEnum):
    """unknown → waiting (a probe runs) → admitted, or silent when nothing came in time."""

    UNKNOWN = "unknown"
    WAITING = "waiting"
    ADMITTED = "admitted"
    SILENT = "silent"


def probe_state(capability: AibotCapability, probed_at: datetime | None, now: datetime) -> ProbeState:
    """Return how the group's capability stands. `probed_at` is the start of the newest probe, if there was one."""
    if capability is AibotCapability.ADMITTED:
        return ProbeState.ADMITTED
    if capability is AibotCapability.REFUSED:
        return ProbeState.SILENT
    if probed_at is None:
        return ProbeState.UNKNOWN
    return ProbeState.WAITING if now - probed_at < PROBE_WINDOW else ProbeState.SILENT
