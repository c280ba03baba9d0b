"""Change a row's state by the tables of `states.py`, and in no other way."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from bot.errors import Conflict
from sop.models import BroadcastRow, BroadcastTaskRow, DeliveryRow, PlanRow, TodoRow
from sop.states import (
    BROADCAST_MOVES,
    DELIVERY_MOVES,
    PLAN_MOVES,
    TASK_MOVES,
    TODO_MOVES,
    BroadcastState,
    DeliveryState,
    PlanState,
    TaskState,
    TodoState,
    can_move,
    final_states,
)

StateT = TypeVar("StateT", bound=StrEnum)


def check_move(what: str, moves: Mapping[StateT, frozenset[StateT]], old: StateT, new: StateT) -> None:
    """Refuse a step that is not in the table.

    Raises:
        Conflict: the row's state has changed since the actor looked, or never allowed the step.
    """
    if not can_move(moves, old, new):
        raise Conflict(f"{what} is {old.value} and cannot become {new.value}")


def move_plan(row: PlanRow, new: PlanState, now: datetime) -> None:
    """Move a plan; becoming active opens a new span in which it fires."""
    check_move(f"plan {row.id}", PLAN_MOVES, row.state, new)
    row.state = new
    if new is PlanState.ACTIVE:
        row.active_since = now
    if new is PlanState.ENDED:
        row.ended_at = now


def move_broadcast(row: BroadcastRow, new: BroadcastState, now: datetime, reason: str | None = None) -> None:
    """Move a broadcast, with the reason when it ends for one."""
    check_move(f"broadcast {row.id}", BROADCAST_MOVES, row.state, new)
    row.state = new
    row.reason = reason or row.reason
    if new in final_states(BROADCAST_MOVES):
        row.ended_at = now


def move_task(row: BroadcastTaskRow, new: TaskState, now: datetime, reason: str | None = None) -> None:
    """Move one member's part."""
    check_move(f"broadcast task {row.id}", TASK_MOVES, row.state, new)
    row.state = new
    row.reason = reason or row.reason
    if new in final_states(TASK_MOVES):
        row.ended_at = now


def move_delivery(row: DeliveryRow, new: DeliveryState, now: datetime, reason: str | None = None) -> None:
    """Move one recipient."""
    check_move(f"delivery {row.id}", DELIVERY_MOVES, row.state, new)
    row.state = new
    row.reason = reason or row.reason
    row.changed_at = now


def move_todo(row: TodoRow, new: TodoState, now: datetime) -> None:
    """Close a to-do."""
    check_move(f"todo {row.id}", TODO_MOVES, row.state, new)
    row.state = new
    row.ended_at = now
