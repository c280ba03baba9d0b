"""Transition tables, quota arithmetic, and what the platform's answers mean."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest

from bot.clock import CHINA
from bot.errors import Conflict
from bot.ids import GroupChatId, StaffId
from bot.wecom.groupsend import ListedTask, MemberTask, SendResult, SendStatus, match_created
from sop import states
from sop.moves import check_move
from sop.outcomes import Reading, Verdict, decide_broadcast, decide_task, next_look
from sop.quota import QuotaMode, forecast_quota, quota_span
from sop.states import BroadcastState, DeliveryState, TaskState
from sop.wording import sop_texts

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
LI = StaffId("rm001")
TABLES: dict[str, tuple[type[StrEnum], Mapping[Any, frozenset[Any]], StrEnum]] = {
    "plan": (states.PlanState, states.PLAN_MOVES, states.PlanState.DRAFT),
    "enrolment": (states.EnrolmentState, states.ENROLMENT_MOVES, states.EnrolmentState.ACTIVE),
    "broadcast": (states.BroadcastState, states.BROADCAST_MOVES, states.BroadcastState.DRAFT),
    "task": (states.TaskState, states.TASK_MOVES, states.TaskState.QUEUED),
    "delivery": (states.DeliveryState, states.DELIVERY_MOVES, states.DeliveryState.PLANNED),
    "todo": (states.TodoState, states.TODO_MOVES, states.TodoState.OPEN),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_state_is_in_its_table_and_can_be_reached(name: str) -> None:
    enum, moves, first = TABLES[name]
    assert set(moves) == set(enum)
    reached, frontier = {first}, [first]
    while frontier:
        for state in moves[frontier.pop()] - reached:
            reached.add(state)
            frontier.append(state)
    assert reached == set(enum)


@pytest.mark.parametrize("name", TABLES)
def test_from_every_state_an_end_can_be_reached(name: str) -> None:
    _, moves, _ = TABLES[name]
    ending = set(states.final_states(moves))
    for _ in moves:
        ending |= {state for state, following in moves.items() if following & ending}
    assert ending == set(moves)


@pytest.mark.parametrize("name", TABLES)
def test_every_step_outside_the_table_is_refused(name: str) -> None:
    enum, moves, _ = TABLES[name]
    for old in enum:
        for new in enum:
            if new in moves[old]:
                check_move(name, moves, old, new)
            else:
                with pytest.raises(Conflict):
                    check_move(name, moves, old, new)


@pytest.mark.parametrize(
    ("prefix", "enum"),
    [
        ("broadcast.state", states.BroadcastState),
        ("delivery.state", states.DeliveryState),
        ("task.state", states.TaskState),
    ],
)
def test_every_state_has_words(prefix: str, enum: type[StrEnum]) -> None:
    assert all(sop_texts()[f"{prefix}.{state.value}"] for state in enum)


def test_month_is_counted_in_the_banks_zone() -> None:
    span = quota_span(QuotaMode.MONTHLY, datetime(2026, 1, 31, 17, tzinfo=UTC), CHINA)
    assert span.since == datetime(2026, 2, 1, tzinfo=CHINA)
    assert span.until == datetime(2026, 3, 1, tzinfo=CHINA)
    assert span.limit == 28


def test_week_begins_on_monday_and_day_allows_one() -> None:
    week = quota_span(QuotaMode.WEEKLY, datetime(2026, 11, 22, 3, tzinfo=UTC), CHINA)
    assert (week.since, week.limit) == (datetime(2026, 11, 16, tzinfo=CHINA), 7)
    day = quota_span(QuotaMode.DAILY, datetime(2026, 11, 22, 3, tzinfo=UTC), CHINA)
    assert (day.since, day.limit) == (datetime(2026, 11, 22, tzinfo=CHINA), 1)


def test_forecast_keeps_the_reserve_but_never_the_last_one() -> None:
    forecast = forecast_quota(["a", "b", "c"], {"a": 28, "b": 27}, 30, 2)
    assert (forecast.fitting, forecast.used_up, forecast.tightest) == (("b", "c"), ("a",), 0)
    assert forecast_quota(["a"], {}, 1, 2).fitting == ("a",)


def look(
    *results: tuple[str, int], confirmed: bool = True, listed: bool = True, **changes: Any
) -> tuple[Verdict, dict[str, DeliveryState]]:
    member = MemberTask(LI, confirmed, NOW if confirmed else None) if listed else None
    reading = Reading(
        member,
        [SendResult(LI, GroupChatId(chat), None, SendStatus(code), NOW) for chat, code in results],
    )
    values: dict[str, Any] = {
        "now": NOW,
        "confirmed_at": None,
        "deadline": NOW + timedelta(hours=1),
        "settle_after": timedelta(minutes=10),
        "cancelling": False,
    }
    outcome = decide_task(reading, {"wr1", "wr2"}, **{**values, **changes})
    return outcome.verdict, {one.recipient_id: one.state for one in outcome.recipients}


def test_unconfirmed_task_waits_until_its_deadline() -> None:
    assert look(confirmed=False) == (Verdict.WAIT, {})
    assert look(listed=False) == (Verdict.WAIT, {})
    assert look(confirmed=False, now=NOW + timedelta(hours=2))[0] is Verdict.WITHDRAW_EXPIRED
    assert look(confirmed=False, cancelling=True)[0] is Verdict.WITHDRAW_CANCELLED


def test_results_are_told_per_recipient() -> None:
    verdict, states_ = look(("wr1", 1), ("wr2", 3))
    assert verdict is Verdict.DONE
    assert states_ == {"wr1": DeliveryState.DELIVERED, "wr2": DeliveryState.QUOTA_USED}


def test_missing_recipient_is_given_time_and_then_counts_as_not_sent() -> None:
    assert look(("wr1", 1)) == (Verdict.CONFIRMED, {"wr1": DeliveryState.DELIVERED})
    verdict, states_ = look(("wr1", 2), now=NOW + timedelta(minutes=11), confirmed_at=NOW)
    assert verdict is Verdict.DONE
    assert states_ == {"wr1": DeliveryState.NOT_FRIEND, "wr2": DeliveryState.UNSENT}


def test_confirmation_wins_over_cancelling() -> None:
    assert look(("wr1", 1), ("wr2", 1), cancelling=True)[0] is Verdict.DONE


def test_unknown_status_and_foreign_recipients_change_nothing() -> None:
    assert look(("wr9", 1), ("wr1", -1), ("wr2", 0)) == (Verdict.CONFIRMED, {})


@pytest.mark.parametrize(
    ("current", "tasks", "expected"),
    [
        (BroadcastState.CREATING, ["queued", "awaiting_member"], BroadcastState.CREATING),
        (BroadcastState.CREATING, ["awaiting_member", "failed"], BroadcastState.AWAITING_MEMBERS),
        (BroadcastState.AWAITING_MEMBERS, ["done", "expired"], BroadcastState.FINISHED),
        (BroadcastState.AWAITING_MEMBERS, ["expired", "failed"], BroadcastState.FAILED),
        (BroadcastState.CANCELLING, ["queued", "cancelled"], BroadcastState.CANCELLING),
        (BroadcastState.CANCELLING, ["cancelled", "failed"], BroadcastState.CANCELLED),
        (BroadcastState.CANCELLING, ["cancelled", "done"], BroadcastState.FINISHED),
    ],
)
def test_broadcast_follows_its_tasks(current: BroadcastState, tasks: list[str], expected: BroadcastState) -> None:
    assert decide_broadcast(current, [TaskState(task) for task in tasks]) is expected


def test_looks_become_rarer_within_bounds() -> None:
    fast, slow = timedelta(seconds=5), timedelta(minutes=10)
    assert next_look(NOW, NOW, fast, slow) == NOW + fast
    assert next_look(NOW + timedelta(minutes=10), NOW, fast, slow) == NOW + timedelta(minutes=11)
    assert next_look(NOW + timedelta(days=1), NOW, fast, slow) == NOW + timedelta(days=1) + slow


def listed(msgid: str, minutes: int, text: str = "早安", by_corp: bool = True) -> ListedTask:
    return ListedTask(msgid, StaffId(""), by_corp, text, NOW + timedelta(minutes=minutes))


def test_uncertain_creation_is_matched_by_words_time_and_not_being_anothers() -> None:
    tasks = [
        listed("later", 5),
        listed("mine", 1),
        listed("old", -30),
        listed("other words", 1, "晚安"),
        listed("personal", 1, by_corp=False),
        listed("known", 0),
    ]
    found = match_created(tasks, text="早安", attempted_at=NOW, known={"known"})
    assert [task.msgid for task in found] == ["mine", "later"]
