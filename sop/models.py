"""Rows of plans, runs, broadcasts and to-dos. What must happen once has a unique key that says so."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text
from sop.states import (
    BroadcastState,
    DeliveryState,
    EnrolmentState,
    PlanState,
    RunState,
    TaskState,
    TodoState,
)
from sop.workdays import WorkdayRule


class PlanTrigger(StrEnum):
    """What puts somebody into a plan. `none`: its steps have fixed times of their own."""

    NONE = "none"
    CUSTOMER_ADDED = "customer_added"


class TargetKind(StrEnum):
    """Whom a plan's enrolment is about."""

    CUSTOMER = "customer"
    GROUP = "group"


class StepTiming(StrEnum):
    """How a step's time is given."""

    DAY_OFFSET = "day_offset"
    CRON = "cron"


class StepAction(StrEnum):
    """What a step does: a to-do with words to copy and send, or a broadcast to the groups of the plan's owners."""

    TODO = "todo"
    GROUP_BROADCAST = "group_broadcast"


class TodoKind(StrEnum):
    """What is to be done, which decides how it is shown and what closes it."""

    FOLLOW_UP = "follow_up"
    COPY_AND_SEND = "copy_and_send"
    CONFIRM_BROADCAST = "confirm_broadcast"
    BROADCAST_PROBLEM = "broadcast_problem"
    ANSWER_CUSTOMER = "answer_customer"


class RecipientKind(StrEnum):
    """Who receives a delivery."""

    GROUP = "group"
    CUSTOMER = "customer"


class PlanRow(SQLModel, table=True):
    """An SOP plan. `key` names a plan that we ship; `owner_ids` are the members a fixed-time plan serves."""

    __tablename__ = "sop_plan"

    id: str = Field(primary_key=True)
    key: str | None = Field(default=None, unique=True)
    name: str
    state: PlanState = Field(sa_type=enum_text(PlanState))
    trigger: PlanTrigger = Field(sa_type=enum_text(PlanTrigger))
    zone: str = "Asia/Shanghai"
    owner_ids: list[str] = Field(sa_type=JsonColumn)
    created_by: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    active_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class StepRow(SQLModel, table=True):
    """A step. `at_time` "09:30" goes with `day_offset`, `cron` alone. `body` and `copy_text` hold {places}.

    `copy_text` are approved words for the customer; of a broadcast step the `body` is what is sent.
    """

    __tablename__ = "sop_step"
    __table_args__ = (UniqueConstraint("plan_id", "position"),)

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="sop_plan.id", index=True)
    position: int
    timing: StepTiming = Field(sa_type=enum_text(StepTiming))
    day_offset: int | None = None
    at_time: str | None = None
    cron: str | None = None
    workdays: WorkdayRule = Field(default=WorkdayRule.ANY_DAY, sa_type=enum_text(WorkdayRule))
    grace_minutes: int = 240
    action: StepAction = Field(sa_type=enum_text(StepAction))
    title: str
    body: str
    copy_text: str = ""
    script_id: str | None = None
    script_version: int | None = None


class EnrolmentRow(SQLModel, table=True):
    """A customer or group is in a plan, on behalf of a member; once per plan, member and target."""

    __tablename__ = "sop_enrolment"
    __table_args__ = (
        UniqueConstraint("plan_id", "staff_id", "target_kind", "target_id"),
        Index("ix_sop_enrolment_due", "plan_id", "state", "anchored_at"),
    )

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="sop_plan.id")
    staff_id: str
    target_kind: TargetKind = Field(sa_type=enum_text(TargetKind))
    target_id: str
    anchored_at: datetime = Field(sa_type=UtcDateTime)
    state: EnrolmentState = Field(sa_type=enum_text(EnrolmentState))


class RunRow(SQLModel, table=True):
    """One firing. The unique key makes it happen once, whoever ticks. `target` is an enrolment's id or a member's."""

    __tablename__ = "sop_run"
    __table_args__ = (UniqueConstraint("plan_id", "step_id", "target", "due_at"),)

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="sop_plan.id")
    step_id: str = Field(foreign_key="sop_step.id")
    target: str
    due_at: datetime = Field(sa_type=UtcDateTime)
    state: RunState = Field(sa_type=enum_text(RunState))
    fired_at: datetime = Field(sa_type=UtcDateTime)
    calendar_known: bool = True
    outcome: str | None = None
    reason: str | None = None


class BroadcastRow(SQLModel, table=True):
    """A broadcast. From the draft on, `text_hash` fixes words, script, time and recipients; `run_id` is unique, too."""

    __tablename__ = "broadcast"
    __table_args__ = (Index("ix_broadcast_due", "state", "send_at"),)

    id: str = Field(primary_key=True)
    creator_id: str = Field(index=True)
    run_id: str | None = Field(default=None, unique=True)
    script_id: str | None = None
    script_version: int | None = None
    text: str
    text_hash: str
    audience: dict[str, Any] = Field(sa_type=JsonColumn)
    send_at: datetime = Field(sa_type=UtcDateTime)
    state: BroadcastState = Field(sa_type=enum_text(BroadcastState))
    allowed: bool
    findings: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    reason: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    confirmed_by: str | None = None
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BroadcastTaskRow(SQLModel, table=True):
    """One member's part: one outbox row, one msgid, one confirmation."""

    __tablename__ = "broadcast_task"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "owner_id"),
        Index("ix_broadcast_task_poll", "state", "next_poll_at"),
    )

    id: str = Field(primary_key=True)
    broadcast_id: str = Field(foreign_key="broadcast.id")
    owner_id: str = Field(index=True)
    outbox_id: int = Field(unique=True)
    msgid: str | None = Field(default=None, unique=True)
    state: TaskState = Field(sa_type=enum_text(TaskState))
    created_at: datetime = Field(sa_type=UtcDateTime)
    next_poll_at: datetime = Field(sa_type=UtcDateTime)
    reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    reason: str | None = None


class DeliveryRow(SQLModel, table=True):
    """One recipient of a broadcast, from the plan to the platform's result. `name` as it was when it was planned."""

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("broadcast_id", "recipient_id"),
        Index("ix_delivery_recipient", "recipient_id", "send_at"),
    )

    id: str = Field(primary_key=True)
    broadcast_id: str = Field(foreign_key="broadcast.id")
    owner_id: str
    recipient_kind: RecipientKind = Field(sa_type=enum_text(RecipientKind))
    recipient_id: str
    name: str
    state: DeliveryState = Field(sa_type=enum_text(DeliveryState))
    reason: str | None = None
    send_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class TodoRow(SQLModel, table=True):
    """Something a member must do. `once_key` is unique: what causes it twice makes it once.

    `subject` names what it is about, e.g. `customer:wm…` or `broadcast_task:…`. `copy_text` are approved words the
    member may send as they are.
    """

    __tablename__ = "todo"
    __table_args__ = (Index("ix_todo_open", "staff_id", "state", "due_at"), Index("ix_todo_subject", "subject"))

    id: str = Field(primary_key=True)
    once_key: str = Field(unique=True)
    staff_id: str
    kind: TodoKind = Field(sa_type=enum_text(TodoKind))
    title: str
    body: str
    subject: str
    copy_text: str | None = None
    evidence: dict[str, Any] = Field(sa_type=JsonColumn)
    state: TodoState = Field(sa_type=enum_text(TodoState))
    created_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
