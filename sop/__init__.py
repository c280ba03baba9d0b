"""SOP plans, their runs, broadcasts that members confirm, and to-dos."""

from sop.broadcasts import (
    BroadcastDraft,
    GroupAudience,
    do_cancel_broadcast,
    do_confirm_broadcast,
    do_draft_broadcast,
)
from sop.models import (
    BroadcastRow,
    BroadcastTaskRow,
    DeliveryRow,
    EnrolmentRow,
    PlanRow,
    PlanTrigger,
    RunRow,
    StepAction,
    StepRow,
    TodoKind,
    TodoRow,
)
from sop.plans import (
    NewStep,
    do_change_plan,
    do_create_plan,
    do_install_demo_plans,
    list_plans,
    list_steps,
    start_plans_for,
)
from sop.progress import (
    BroadcastProgress,
    MemberProgress,
    RecipientProgress,
    broadcast_progress,
    list_broadcasts,
)
from sop.results import RefreshReport, refresh_results, remind_members
from sop.settings import QuotaSettings, SopSettings
from sop.states import BroadcastState, DeliveryState, PlanState, RunState, TaskState, TodoState
from sop.tick import TickReport, tick
from sop.todos import access_todo, do_close_todos_about, do_complete_todo, do_create_todo, list_todos
from sop.wording import sop_texts

__all__ = [
    "BroadcastDraft",
    "BroadcastProgress",
    "BroadcastRow",
    "BroadcastState",
    "BroadcastTaskRow",
    "DeliveryRow",
    "DeliveryState",
    "EnrolmentRow",
    "GroupAudience",
    "MemberProgress",
    "NewStep",
    "PlanRow",
    "PlanState",
    "PlanTrigger",
    "QuotaSettings",
    "RecipientProgress",
    "RefreshReport",
    "RunRow",
    "RunState",
    "SopSettings",
    "StepAction",
    "StepRow",
    "TaskState",
    "TickReport",
    "TodoKind",
    "TodoRow",
    "TodoState",
    "access_todo",
    "broadcast_progress",
    "do_cancel_broadcast",
    "do_change_plan",
    "do_close_todos_about",
    "do_complete_todo",
    "do_confirm_broadcast",
    "do_create_plan",
    "do_create_todo",
    "do_draft_broadcast",
    "do_install_demo_plans",
    "list_broadcasts",
    "list_plans",
    "list_steps",
    "list_todos",
    "refresh_results",
    "remind_members",
    "sop_texts",
    "start_plans_for",
    "tick",
]
