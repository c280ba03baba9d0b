"""Every member of a closed set that a page can show has words."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from bot.inbox.models import InboxState
from bot.outbox.models import OutboxState
from compliance import (
    Action,
    CaseState,
    Category,
    Conduct,
    DismissReason,
    EscalationTarget,
    FollowUp,
    Severity,
    Technique,
    VerdictKind,
)
from console import words
from handlers.intent_labels import Intent
from knowledge_base import Audience, ScriptState
from sop import BroadcastState, DeliveryState, PlanState, StepAction, TaskState, TodoKind


@pytest.mark.parametrize(
    ("said", "members"),
    [
        (words.INBOX_STATES, InboxState),
        (words.OUTBOX_STATES, OutboxState),
        (words.CASE_STATES, CaseState),
        (words.CATEGORIES, Category),
        (words.ACTIONS, Action),
        (words.SEVERITIES, Severity),
        (words.TECHNIQUES, Technique),
        (words.DISMISS_REASONS, DismissReason),
        (words.CONDUCTS, Conduct),
        (words.FOLLOW_UPS, FollowUp),
        (words.TARGETS, EscalationTarget),
        (words.VERDICTS, VerdictKind),
        (words.AUDIENCES, Audience),
        (words.SCRIPT_STATES, ScriptState),
        (words.BROADCAST_STATES, BroadcastState),
        (words.TASK_STATES, TaskState),
        (words.DELIVERY_STATES, DeliveryState),
        (words.PLAN_STATES, PlanState),
        (words.TODO_KINDS, TodoKind),
        (words.STEP_ACTIONS, StepAction),
        (words.INTENTS, Intent),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_every_member_has_words(said: Mapping[str, object], members: type[StrEnum]) -> None:
    assert {member.value for member in members} - set(said) == set()
