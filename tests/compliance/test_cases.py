"""States of a case, and deadlines."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import CHINA
from compliance import CaseState, Category, ComplianceSettings, Severity
from compliance.cases import (
    DECIDED,
    TRANSITIONS,
    can_move,
    due_at,
)
from tests.compliance.builders import NOON

SETTINGS = ComplianceSettings()


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(CaseState)


def test_a_closed_case_can_only_be_reopened() -> None:
    assert [state for state in CaseState if can_move(CaseState.CLOSED, state)] == [CaseState.REOPENED]
    assert not any(can_move(decided, other) for decided in DECIDED for other in DECIDED)
    assert not can_move(CaseState.OPEN, CaseState.CLOSED)


def test_an_urgent_signal_waits_minutes() -> None:
    assert due_at(Severity.CRITICAL, Category.URGENT_SIGNAL, NOON, SETTINGS) == NOON + timedelta(minutes=15)


def test_a_complaint_waits_calendar_days() -> None:
    assert due_at(Severity.HIGH, Category.COMPLAINT_SIGNAL, NOON, SETTINGS) == NOON + timedelta(days=15)


@pytest.mark.parametrize(
    ("severity", "due"), [(Severity.CRITICAL, (11, 23)), (Severity.HIGH, (11, 25)), (Severity.MEDIUM, (12, 4))]
)
def test_other_cases_wait_working_days(severity: Severity, due: tuple[int, int]) -> None:
    expected = datetime(2026, *due, 18, tzinfo=CHINA)  # opened on a Friday
    assert due_at(severity, Category.PROMISE_RETURN, NOON, SETTINGS) == expected


def test_national_day_is_no_working_day_and_unknown_years_count_weekdays() -> None:
    eve = datetime(2026, 9, 30, 4, tzinfo=UTC)
    assert due_at(Severity.CRITICAL, Category.INSULT, eve, SETTINGS) > eve + timedelta(days=7)
    far = datetime(2040, 1, 6, 4, tzinfo=UTC)  # a Friday
    assert due_at(Severity.CRITICAL, Category.INSULT, far, SETTINGS) == datetime(2040, 1, 9, 18, tzinfo=CHINA)
