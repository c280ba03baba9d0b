"""The states of everything that runs, and which steps between them are allowed. Pure; a test walks the tables.

Every change of state goes through `sop.moves`, which asks these tables, so they are the whole truth
(docs/reference/states.md).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar


class PlanState(StrEnum):
    """A plan. Only an active one fires."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"
    ENDED = "ended"


class EnrolmentState(StrEnum):
    """A customer's or a group's place in a plan."""

    ACTIVE = "active"
    FINISHED = "finished"
    STOPPED = "stopped"


class RunState(StrEnum):
    """One firing of one step, written once and never changed.

    done: its action was carried out. missed: found later than the step's grace. skipped: the target is gone.
    refused: compliance, quota or the state of things did not allow it; the row says why.
    """

    DONE = "done"
    MISSED = "missed"
    SKIPPED = "skipped"
    REFUSED = "refused"


class BroadcastState(StrEnum):
    """A broadcast (群发). `cancelling`: tasks exist at the platform and are being withdrawn."""

    DRAFT = "draft"
    CONFIRMED = "confirmed"
    SCHEDULED = "scheduled"
    CREATING = "creating"
    AWAITING_MEMBERS = "awaiting_members"
    CANCELLING = "cancelling"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TaskState(StrEnum):
    """One member's part of a broadcast: one creation at the platform, one confirmation by the member.

    uncertain: the creation may or may not have happened; the outbox asks the platform before it tries again.
    confirmed: the member has sent it, results are still coming in.
    """

    QUEUED = "queued"
    UNCERTAIN = "uncertain"
    AWAITING_MEMBER = "awaiting_member"
    CONFIRMED = "confirmed"
    DONE = "done"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"


class DeliveryState(StrEnum):
    """One recipient of a broadcast. excluded, and the last seven, are final; the row says why."""

    PLANNED = "planned"
    EXCLUDED = "excluded"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    AWAITING_MEMBER = "awaiting_member"
    DELIVERED = "delivered"
    NOT_FRIEND = "not_friend"
    QUOTA_USED = "quota_used"
    UNSENT = "unsent"
    CANCELLED = "cancelled"
    FAILED = "failed"


class TodoState(StrEnum):
    """A to-do of a member. `expired`: its time is over and nothing can be done any more."""

    OPEN = "open"
    DONE = "done"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


PLAN_MOVES: Mapping[PlanState, frozenset[PlanState]] = {
    PlanState.DRAFT: frozenset({PlanState.ACTIVE, PlanState.ENDED}),
    PlanState.ACTIVE: frozenset({PlanState.PAUSED, PlanState.ENDED}),
    PlanState.PAUSED: frozenset({PlanState.ACTIVE, PlanState.ENDED}),
    PlanState.ENDED: frozenset(),
}

ENROLMENT_MOVES: Mapping[EnrolmentState, frozenset[EnrolmentState]] = {
    EnrolmentState.ACTIVE: frozenset({EnrolmentState.FINISHED, EnrolmentState.STOPPED}),
    EnrolmentState.FINISHED: frozenset(),
    EnrolmentState.STOPPED: frozenset(),
}

BROADCAST_MOVES: Mapping[BroadcastState, frozenset[BroadcastState]] = {
    BroadcastState.DRAFT: frozenset({BroadcastState.CONFIRMED, BroadcastState.CANCELLED}),
    BroadcastState.CONFIRMED: frozenset({BroadcastState.SCHEDULED, BroadcastState.CANCELLED}),
    BroadcastState.SCHEDULED: frozenset({BroadcastState.CREATING, BroadcastState.CANCELLED, BroadcastState.FAILED}),
    BroadcastState.CREATING: frozenset(
        {
            BroadcastState.AWAITING_MEMBERS,
            BroadcastState.CANCELLING,
            BroadcastState.FINISHED,
            BroadcastState.FAILED,
        }
    ),
    BroadcastState.AWAITING_MEMBERS: frozenset(
        {BroadcastState.CANCELLING, BroadcastState.FINISHED, BroadcastState.FAILED}
    ),
    # A member may confirm while we withdraw: what was delivered is told as finished.
    BroadcastState.CANCELLING: frozenset({BroadcastState.CANCELLED, BroadcastState.FINISHED}),
    BroadcastState.FINISHED: frozenset(),
    BroadcastState.CANCELLED: frozenset(),
    BroadcastState.FAILED: frozenset(),
}

TASK_MOVES: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.QUEUED: frozenset({TaskState.UNCERTAIN, TaskState.AWAITING_MEMBER, TaskState.FAILED}),
    TaskState.UNCERTAIN: frozenset({TaskState.AWAITING_MEMBER, TaskState.FAILED}),
    TaskState.AWAITING_MEMBER: frozenset({TaskState.CONFIRMED, TaskState.EXPIRED, TaskState.CANCELLED}),
    TaskState.CONFIRMED: frozenset({TaskState.DONE}),
    TaskState.DONE: frozenset(),
    TaskState.EXPIRED: frozenset(),
    TaskState.CANCELLED: frozenset(),
    TaskState.FAILED: frozenset(),
}

_RESULTS = frozenset(
    {
        DeliveryState.DELIVERED,
        DeliveryState.NOT_FRIEND,
        DeliveryState.QUOTA_USED,
        DeliveryState.UNSENT,
        DeliveryState.CANCELLED,
        DeliveryState.FAILED,
    }
)

DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.PLANNED: frozenset(
        {DeliveryState.EXCLUDED, DeliveryState.SENDING, DeliveryState.CANCELLED, DeliveryState.FAILED}
    ),
    DeliveryState.EXCLUDED: frozenset(),
    DeliveryState.SENDING: frozenset(
        {DeliveryState.UNCERTAIN, DeliveryState.AWAITING_MEMBER, DeliveryState.UNSENT, DeliveryState.FAILED}
    ),
    DeliveryState.UNCERTAIN: frozenset({DeliveryState.AWAITING_MEMBER, DeliveryState.UNSENT, DeliveryState.FAILED}),
    DeliveryState.AWAITING_MEMBER: _RESULTS,
    **{state: frozenset() for state in _RESULTS},
}

TODO_MOVES: Mapping[TodoState, frozenset[TodoState]] = {
    TodoState.OPEN: frozenset({TodoState.DONE, TodoState.EXPIRED, TodoState.CANCELLED}),
    TodoState.DONE: frozenset(),
    TodoState.EXPIRED: frozenset(),
    TodoState.CANCELLED: frozenset(),
}

StateT = TypeVar("StateT", bound=StrEnum)


def can_move(moves: Mapping[StateT, frozenset[StateT]], old: StateT, new: StateT) -> bool:
    """Tell whether the step is in the table. Staying is no step."""
    return new in moves[old]


def final_states(moves: Mapping[StateT, frozenset[StateT]]) -> frozenset[StateT]:
    """Return the states nothing leads out of."""
    return frozenset(state for state, following in moves.items() if not following)


FINAL_TASKS = final_states(TASK_MOVES)
FINAL_DELIVERIES = final_states(DELIVERY_MOVES)
# What counts against a recipient's quota: sent, or still able to be.
SPENDING_DELIVERIES = frozenset(
    {
        DeliveryState.PLANNED,
        DeliveryState.SENDING,
        DeliveryState.UNCERTAIN,
        DeliveryState.AWAITING_MEMBER,
        DeliveryState.DELIVERED,
    }
)
