"""Review cases as decisions: which step is allowed from which state, and until when a case must be decided. Pure.

Source: ../shared/compliance/facts.md section 5.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum

import chinese_calendar

from bot.clock import CHINA
from compliance.findings import Category, Severity
from compliance.settings import ComplianceSettings


class CaseState(StrEnum):
    """open → assigned → in_review → dismissed | confirmed | escalated → closed; reopened leads back to a review."""

    OPEN = "open"
    ASSIGNED = "assigned"
    IN_REVIEW = "in_review"
    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    ESCALATED = "escalated"
    CLOSED = "closed"
    REOPENED = "reopened"


WAITING = frozenset({CaseState.OPEN, CaseState.ASSIGNED, CaseState.IN_REVIEW, CaseState.REOPENED})
DECIDED = frozenset({CaseState.DISMISSED, CaseState.CONFIRMED, CaseState.ESCALATED})

TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.ASSIGNED, CaseState.IN_REVIEW}) | DECIDED,
    CaseState.ASSIGNED: frozenset({CaseState.ASSIGNED, CaseState.IN_REVIEW}) | DECIDED,
    CaseState.IN_REVIEW: frozenset({CaseState.ASSIGNED, CaseState.IN_REVIEW}) | DECIDED,
    CaseState.REOPENED: frozenset({CaseState.ASSIGNED, CaseState.IN_REVIEW}) | DECIDED,
    CaseState.DISMISSED: frozenset({CaseState.IN_REVIEW, CaseState.CLOSED}),
    CaseState.CONFIRMED: frozenset({CaseState.IN_REVIEW, CaseState.CLOSED}),
    CaseState.ESCALATED: frozenset({CaseState.IN_REVIEW, CaseState.CLOSED}),
    CaseState.CLOSED: frozenset({CaseState.REOPENED}),
}


class VerdictKind(StrEnum):
    """What an officer decided (复核结论), or did about an earlier decision."""

    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    ESCALATED = "escalated"
    UNDONE = "undone"
    CLOSED = "closed"
    REOPENED = "reopened"


class DismissReason(StrEnum):
    """Why a finding is no breach; feeds the per-word precision report."""

    NEGATION = "negation"
    QUOTATION = "quotation"
    TERM = "term"
    WRONG_SEGMENTATION = "wrong_segmentation"
    CUSTOMER_QUESTION = "customer_question"
    TEST = "test"
    OTHER = "other"


class Conduct(StrEnum):
    """What kind of conduct was confirmed."""

    MISSELLING = "misselling"
    PROMISE = "promise"
    OFF_BOOK = "off_book"
    DATA_LEAK = "data_leak"
    ABUSE = "abuse"
    MARKET_ABUSE = "market_abuse"
    FRAUD = "fraud"
    COMPLAINT = "complaint"
    OTHER = "other"


class FollowUp(StrEnum):
    """What is done about a confirmed breach."""

    COACH = "coach"
    WARN = "warn"
    CORRECT_WITH_CUSTOMER = "correct_with_customer"
    SUSPEND = "suspend"
    REPORT = "report"


class EscalationTarget(StrEnum):
    """Who gets an escalated case."""

    COMPLIANCE_LEAD = "compliance_lead"
    AML = "aml"
    LEGAL = "legal"
    SECURITY = "security"


def can_move(state: CaseState, to: CaseState) -> bool:
    """Tell whether a case may go from one state to another."""
    return to in TRANSITIONS[state]


def due_at(severity: Severity, category: Category, opened_at: datetime, settings: ComplianceSettings) -> datetime:
    """Return until when a case must be decided.

    Working days end at 18:00 in China; urgent signals count minutes, complaints calendar days.
    """
    if category is Category.URGENT_SIGNAL:
        return opened_at + timedelta(minutes=settings.urgent_minutes)
    if category is Category.COMPLAINT_SIGNAL:
        return opened_at + timedelta(days=settings.complaint_days)
    workdays = {Severity.CRITICAL: settings.critical_workdays, Severity.HIGH: settings.high_workdays}
    return _after_workdays(opened_at, workdays.get(severity, settings.medium_workdays))


def _after_workdays(start: datetime, workdays: int) -> datetime:
    day = start.astimezone(CHINA).date()
    while workdays:
        day += timedelta(days=1)
        workdays -= _is_workday(day)
    return datetime(day.year, day.month, day.day, 18, tzinfo=CHINA)


def _is_workday(day: date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        # The holidays of that year are not published yet: weekdays are the best guess.
        return day.weekday() < 5
