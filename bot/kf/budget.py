"""How much may still be said in a 微信客服 session. Pure.

At most five messages within 48 hours after each message of the customer, and only while no person has the session
(07-kf.md, 7.3 and 7.4).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.kf.models import BOT_STATES, HUMAN_STATES, KfClosed, KfSessionRow, KfState

MESSAGES = 5
WINDOW = timedelta(hours=48)


class Barrier(StrEnum):
    """Why nothing may be sent. The values are the stable codes that stand in the outbox and in the texts."""

    WINDOW = "kf.window"
    BUDGET = "kf.budget"
    SESSION = "kf.session"
    REJECTED = "kf.rejected"
    UNDELIVERED = "kf.undelivered"


@dataclass(frozen=True, slots=True)
class KfBudget:
    """What is left: messages, until when, and whose turn it is. `window_ends_at` is `None` before the first message."""

    left: int
    window_ends_at: datetime | None
    state: KfState
    servicer: str | None = None
    barrier: Barrier | None = None
    queued: int = 0
    quiet_until: int = 0

    @property
    def with_human(self) -> bool:
        """Say whether a person has the session, or it waits for one: then the bot keeps quiet."""
        return self.state in HUMAN_STATES

    @property
    def free(self) -> int:
        """Return how many messages may still be added to what is queued already."""
        return max(0, self.left - self.queued)


def budget_of(session: KfSessionRow | None, spent: int, now: datetime, queued: int = 0) -> KfBudget:
    """Judge a session of which `spent` messages count since the customer's last one."""
    if session is None or session.last_customer_at is None:
        state = session.state if session is not None else KfState.ENDED
        return KfBudget(0, None, state, barrier=Barrier.WINDOW, queued=queued)
    ends_at = session.last_customer_at + WINDOW
    state = state_now(session, now)
    barrier = _barrier(session, state, spent, ends_at <= now)
    left = 0 if barrier is not None else MESSAGES - spent
    servicer = session.servicer if state is KfState.HUMAN else None
    return KfBudget(left, ends_at, state, servicer, barrier, queued, session.quiet_until)


def state_now(session: KfSessionRow, now: datetime) -> KfState:
    """Return the state, ended when the customer has been silent for 48 hours: the platform tells nobody of that."""
    last = session.last_customer_at
    return KfState.ENDED if last is None or last + WINDOW <= now else session.state


def _barrier(session: KfSessionRow, state: KfState, spent: int, over: bool) -> Barrier | None:
    if session.rejects:
        return Barrier.REJECTED
    if over or session.closed is KfClosed.WINDOW:
        return Barrier.WINDOW
    if state not in BOT_STATES:
        return Barrier.SESSION
    if spent >= MESSAGES or session.closed is KfClosed.BUDGET:
        return Barrier.BUDGET
    return None
