"""What the platform's answers mean for a member's part of a broadcast, and for the broadcast. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from bot.wecom.groupsend import MemberTask, SendResult, SendStatus
from sop.states import FINAL_TASKS, BroadcastState, DeliveryState, TaskState

_RESULTS: Mapping[SendStatus, DeliveryState] = {
    SendStatus.SENT: DeliveryState.DELIVERED,
    SendStatus.NOT_FRIEND: DeliveryState.NOT_FRIEND,
    SendStatus.QUOTA_USED: DeliveryState.QUOTA_USED,
}


class Verdict(StrEnum):
    """What to do with a member's part now."""

    WAIT = "wait"
    WITHDRAW_CANCELLED = "withdraw_cancelled"
    WITHDRAW_EXPIRED = "withdraw_expired"
    CONFIRMED = "confirmed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class RecipientResult:
    """The final state of one recipient."""

    recipient_id: str
    state: DeliveryState
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the platform: the member's confirmation (`None`: not listed yet) and the results so far."""

    member: MemberTask | None
    results: Sequence[SendResult]


@dataclass(frozen=True, slots=True)
class TaskOutcome:
    """What follows from a reading: the verdict, and the recipients that have become final by it."""

    verdict: Verdict
    recipients: tuple[RecipientResult, ...] = ()


def decide_task(
    reading: Reading,
    waiting: Collection[str],
    *,
    now: datetime,
    confirmed_at: datetime | None,
    deadline: datetime,
    settle_after: timedelta,
    cancelling: bool,
) -> TaskOutcome:
    """Decide about a member's part with the recipients still `waiting` for a result.

    A group task lists only the groups it was sent to, so a group that is missing is given `settle_after` from the
    confirmation and then counts as not sent. A confirmation wins over a cancellation and over the deadline: what
    has been sent cannot be withdrawn.
    """
    if reading.member is None or not reading.member.confirmed:
        return TaskOutcome(_unconfirmed(now, deadline, cancelling=cancelling))
    since = confirmed_at or reading.member.sent_at or now
    found = _read_results(reading.results, waiting)
    missing = sorted(set(waiting) - {result.recipient_id for result in found})
    if missing and now < since + settle_after:
        return TaskOutcome(Verdict.CONFIRMED, found)
    unsent = tuple(RecipientResult(one, DeliveryState.UNSENT, None) for one in missing)
    return TaskOutcome(Verdict.DONE, found + unsent)


def decide_broadcast(current: BroadcastState, tasks: Sequence[TaskState]) -> BroadcastState:
    """Return the broadcast's state that follows from those of its tasks (at least one)."""
    if not FINAL_TASKS.issuperset(tasks):
        if current is BroadcastState.CANCELLING:
            return current
        creating = {TaskState.QUEUED, TaskState.UNCERTAIN}.intersection(tasks)
        return BroadcastState.CREATING if creating else BroadcastState.AWAITING_MEMBERS
    if TaskState.DONE in tasks:
        return BroadcastState.FINISHED
    if current is BroadcastState.CANCELLING:
        return BroadcastState.CANCELLED
    return BroadcastState.FAILED


def next_look(now: datetime, created_at: datetime, fast: timedelta, slow: timedelta) -> datetime:
    """Return when to look again: after a tenth of the age, within [fast, slow]; most members confirm early."""
    return now + min(max((now - created_at) / 10, fast), slow)


def _unconfirmed(now: datetime, deadline: datetime, *, cancelling: bool) -> Verdict:
    if cancelling:
        return Verdict.WITHDRAW_CANCELLED
    return Verdict.WITHDRAW_EXPIRED if now > deadline else Verdict.WAIT


def _read_results(results: Sequence[SendResult], waiting: Collection[str]) -> tuple[RecipientResult, ...]:
    final: dict[str, RecipientResult] = {}
    for result in results:
        recipient = result.chat_id or result.customer_id
        if recipient is not None and recipient in waiting and result.status in _RESULTS:
            final[recipient] = RecipientResult(recipient, _RESULTS[result.status], result.sent_at)
    return tuple(final.values())
