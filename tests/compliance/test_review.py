"""The review desk: the queue, opening a case, deciding it, and who may not."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeAlias

import pytest
from sqlmodel import col, select

from bot.audit import AuditEntry, verify
from bot.errors import Conflict, Forbidden, NotFound
from bot.storage.database import Database
from compliance import (
    ArchivedMessageIn,
    CaseState,
    Conduct,
    DismissReason,
    EscalationTarget,
    FollowUp,
    Gap,
    Reviewer,
    Severity,
    VerdictKind,
    WindowMessage,
    access_case,
    do_archive,
    review,
)
from compliance.models import CaseRow, VerdictRow
from compliance.review import CaseFilters, Decision, DecisionIncomplete, QueueTab
from tests.compliance.builders import (
    AML_OFFICER,
    NOON,
    OFFICER,
    OTHER_OFFICER,
    a_message,
    default_lexicon,
    from_customer,
)

MINUTE = timedelta(minutes=1)
HARMLESS = Decision(VerdictKind.DISMISSED, reason=DismissReason.QUOTATION)
BREACH = Decision(
    VerdictKind.CONFIRMED, severity=Severity.HIGH, conduct=Conduct.PROMISE, follow_up=FollowUp.COACH, note="已谈话"
)
ESCALATED = Decision(VerdictKind.ESCALATED, target=EscalationTarget.LEGAL, note="请法务判断")

Archive: TypeAlias = Callable[..., Awaitable[str]]


@pytest.fixture
def archive(db: Database) -> Archive:
    """Archive messages; returns the id of the newest case."""

    async def keep(*messages: ArchivedMessageIn) -> str:
        async with db.transaction() as tx:
            for message in messages:
                await do_archive(tx, message, default_lexicon(), NOON)
            query = select(CaseRow.id).order_by(col(CaseRow.first_hit_at).desc(), col(CaseRow.id).desc())
            return (await tx.exec(query)).all()[0]

    return keep


async def actions(db: Database) -> list[tuple[str, str]]:
    async with db.reading() as tx:
        rows = (await tx.exec(select(AuditEntry).order_by(col(AuditEntry.seq)))).all()
        assert (await verify(tx)).ok
    return [(row.actor, row.action) for row in rows]


async def test_the_queue_is_gravest_first_then_due_then_newest(db: Database, archive: Archive) -> None:
    await archive(
        a_message("别的银行都是骗子", msgid="1", conversation="single:a"),
        a_message("小银行不安全", msgid="2", conversation="single:b"),
        a_message("零风险", msgid="3", conversation="single:c"),
        a_message("零风险", msgid="4", conversation="single:d", sent_at=NOON + MINUTE),
    )
    async with db.reading() as tx:
        listed = await review.list_cases(tx, OFFICER, CaseFilters(), NOON)
        only_high = await review.list_cases(tx, OFFICER, CaseFilters(severity=Severity.HIGH), NOON)
    assert [case.conversation for case in listed] == ["single:d", "single:c", "single:a", "single:b"]
    assert [case.conversation for case in only_high] == ["single:a"]


async def test_tabs_and_their_counts_agree(db: Database, archive: Archive) -> None:
    first = await archive(a_message("零风险", msgid="1"))
    await archive(a_message("飞单", msgid="2", conversation="single:x", sent_at=NOON + MINUTE))
    async with db.transaction() as tx:
        await review.do_decide(tx, OFFICER, first, 1, HARMLESS, NOON)
    late = NOON + timedelta(days=30)
    async with db.reading() as tx:
        counts = await review.queue_counts(tx, OFFICER, late)
        for tab, count in counts.items():
            assert len(await review.list_cases(tx, OFFICER, CaseFilters(tab=tab), late)) == count
    assert counts == {
        QueueTab.OPEN: 1,
        QueueTab.MINE: 0,
        QueueTab.OVERDUE: 1,
        QueueTab.DECIDED: 1,
        QueueTab.CLOSED: 0,
    }


async def test_nobody_without_the_right_sees_that_an_aml_case_exists(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("帮你跑分", msgid="1"))
    async with db.transaction() as tx:
        assert await review.list_cases(tx, OFFICER, CaseFilters(), NOON) == []
        assert QueueTab.AML not in await review.queue_counts(tx, OFFICER, NOON)
        with pytest.raises(Forbidden):
            await review.list_cases(tx, OFFICER, CaseFilters(tab=QueueTab.AML), NOON)
        with pytest.raises(NotFound):
            await access_case(tx, OFFICER, case_id, NOON)
        with pytest.raises(NotFound):
            await review.do_decide(tx, OFFICER, case_id, 1, HARMLESS, NOON)
        (seen,) = await review.list_cases(tx, AML_OFFICER, CaseFilters(tab=QueueTab.AML), NOON)
        assert (await access_case(tx, AML_OFFICER, seen.id, NOON)).case.confidential


async def test_without_the_review_right_there_is_no_desk(db: Database, archive: Archive) -> None:
    manager = Reviewer("rm009", "王强", frozenset())
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        with pytest.raises(Forbidden):
            await review.list_cases(tx, manager, CaseFilters(), NOON)
        with pytest.raises(Forbidden):
            await access_case(tx, manager, case_id, NOON)
        with pytest.raises(Forbidden):
            await review.do_claim(tx, manager, case_id, 1, NOON)
    assert await actions(db) == []


async def test_a_case_opens_at_its_hits_with_context_and_gaps(db: Database, archive: Archive) -> None:
    chat = [a_message(f"闲聊{n}", msgid=f"c{n}", sent_at=NOON + n * MINUTE) for n in range(30)]
    hits = {
        10: a_message("零风险", msgid="h1", sent_at=NOON + 10 * MINUTE),
        22: from_customer("退钱", msgid="h2", sent_at=NOON + 22 * MINUTE),
    }
    case_id = await archive(*(hits.get(n, message) for n, message in enumerate(chat)))
    async with db.transaction() as tx:
        view = await access_case(tx, OFFICER, case_id, NOON)
        more = await access_case(tx, OFFICER, case_id, NOON, earlier=4)
    shown = [item.text if isinstance(item, WindowMessage) else item for item in view.items]
    assert shown == [
        Gap(7, is_leading=True),
        *(f"闲聊{n}" for n in (7, 8, 9)),
        "零风险",
        *(f"闲聊{n}" for n in (11, 12, 13)),
        Gap(5),
        *(f"闲聊{n}" for n in (19, 20, 21)),
        "退钱",
        *(f"闲聊{n}" for n in (23, 24, 25)),
    ]
    assert more.items[0] == Gap(3, is_leading=True)
    marked = [item for item in view.items if isinstance(item, WindowMessage) and item.findings]
    assert [(m.text[f.start : f.end], f.lexicon_version) for m in marked for f in m.findings] == [
        ("零风险", 1),
        ("退钱", 1),
    ]


async def test_opening_a_case_is_recorded_with_what_was_seen(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        view = await access_case(tx, OFFICER, case_id, NOON)
    async with db.reading() as tx:
        entry = await tx.get_one(AuditEntry, 1)
    assert (entry.actor, entry.action, entry.subject) == ("co001", "case.viewed", f"case:{case_id}")
    assert entry.details["messages"] == list(view.message_ids)
    assert "零风险" not in str(entry.details)


@pytest.mark.parametrize("decision", [HARMLESS, BREACH, ESCALATED], ids=lambda decision: decision.verdict.value)
async def test_a_decision_is_kept_with_its_evidence(db: Database, archive: Archive, decision: Decision) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        case = await review.do_claim(tx, OFFICER, case_id, 1, NOON)
        assert (case.state, case.assignee) == (CaseState.IN_REVIEW, "co001")
        case = await review.do_decide(tx, OFFICER, case_id, 2, decision, NOON + 2 * MINUTE)
    assert (case.state.value, case.revision) == (decision.verdict.value, 3)
    async with db.reading() as tx:
        (verdict,) = (await tx.exec(select(VerdictRow))).all()
    assert (verdict.actor, verdict.spent_seconds, len(verdict.seen)) == ("co001", 120, 1)
    assert len(verdict.seen_sha256) == 64
    assert await actions(db) == [("co001", "case.claimed"), ("co001", f"case.{decision.verdict.value}")]


@pytest.mark.parametrize(
    ("decision", "field"),
    [
        (Decision(VerdictKind.DISMISSED), "reason"),
        (Decision(VerdictKind.DISMISSED, reason=DismissReason.OTHER, note=" "), "note"),
        (Decision(VerdictKind.CONFIRMED, conduct=Conduct.PROMISE, follow_up=FollowUp.WARN), "severity"),
        (Decision(VerdictKind.CONFIRMED, severity=Severity.HIGH, follow_up=FollowUp.WARN), "conduct"),
        (Decision(VerdictKind.CONFIRMED, severity=Severity.HIGH, conduct=Conduct.PROMISE), "follow_up"),
        (Decision(VerdictKind.ESCALATED, note="见附件"), "target"),
        (Decision(VerdictKind.ESCALATED, target=EscalationTarget.AML), "note"),
        (Decision(VerdictKind.CLOSED), "verdict"),
    ],
)
async def test_an_incomplete_decision_is_refused(
    db: Database, archive: Archive, decision: Decision, field: str
) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        with pytest.raises(DecisionIncomplete) as refused:
            await review.do_decide(tx, OFFICER, case_id, 1, decision, NOON)
    assert refused.value.field == field
    assert await actions(db) == []


async def test_a_decision_on_an_old_view_is_refused(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险", msgid="1"))
    await archive(a_message("亏了我赔", msgid="2", sent_at=NOON + MINUTE))
    async with db.transaction() as tx:
        with pytest.raises(Conflict):
            await review.do_decide(tx, OFFICER, case_id, 1, HARMLESS, NOON)
        await review.do_decide(tx, OFFICER, case_id, 2, HARMLESS, NOON)
        with pytest.raises(Conflict):
            await review.do_decide(tx, OFFICER, case_id, 3, BREACH, NOON)


async def test_nobody_reviews_themselves_or_a_talk_they_took_part_in(db: Database, archive: Archive) -> None:
    subject = Reviewer("rm001", "李娜", frozenset({"review"}))
    case_id = await archive(
        a_message("零风险", msgid="1"),
        a_message("我来解释", msgid="2", sender="co001", sent_at=NOON + MINUTE),
        a_message("亏了我赔", msgid="3", sent_at=NOON + 2 * MINUTE),
    )
    for involved in (subject, OFFICER):
        async with db.transaction() as tx:
            for attempt in (
                review.do_claim(tx, involved, case_id, 2, NOON),
                review.do_decide(tx, involved, case_id, 2, HARMLESS, NOON),
                review.do_assign(tx, OTHER_OFFICER, case_id, 2, involved, NOON),
            ):
                with pytest.raises(Forbidden):
                    await attempt
            assert (await access_case(tx, involved, case_id, NOON)).is_own_conduct
    async with db.transaction() as tx:
        await review.do_decide(tx, OTHER_OFFICER, case_id, 2, HARMLESS, NOON)


async def test_a_case_with_another_officer_must_be_claimed_first(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        await review.do_assign(tx, OFFICER, case_id, 1, OTHER_OFFICER, NOON)
        with pytest.raises(Conflict):
            await review.do_decide(tx, OFFICER, case_id, 2, HARMLESS, NOON)
        await review.do_claim(tx, OFFICER, case_id, 2, NOON)
        await review.do_decide(tx, OFFICER, case_id, 3, HARMLESS, NOON)


async def test_a_decision_can_be_taken_back_at_once_as_a_new_entry(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        await review.do_decide(tx, OFFICER, case_id, 1, HARMLESS, NOON)
        with pytest.raises(Forbidden):
            await review.do_undo(tx, OTHER_OFFICER, case_id, 2, NOON + timedelta(seconds=5))
        case = await review.do_undo(tx, OFFICER, case_id, 2, NOON + timedelta(seconds=9))
        assert (case.state, case.assignee) == (CaseState.IN_REVIEW, "co001")
        with pytest.raises(Conflict):
            await review.do_undo(tx, OFFICER, case_id, 3, NOON + timedelta(seconds=9))
        await review.do_decide(tx, OFFICER, case_id, 3, BREACH, NOON + timedelta(seconds=20))
        view = await access_case(tx, OFFICER, case_id, NOON)
    first, undo, second = view.verdicts
    assert (first.kind, undo.kind, second.kind) == ("dismissed", "undone", "confirmed")
    assert undo.undoes == first.id


async def test_a_decision_cannot_be_taken_back_later(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        await review.do_decide(tx, OFFICER, case_id, 1, HARMLESS, NOON)
        with pytest.raises(Conflict):
            await review.do_undo(tx, OFFICER, case_id, 2, NOON + 2 * MINUTE)


async def test_closing_a_critical_case_takes_four_eyes(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("零风险"))
    async with db.transaction() as tx:
        with pytest.raises(Conflict):
            await review.do_close(tx, OTHER_OFFICER, case_id, 1, NOON)
        await review.do_decide(tx, OFFICER, case_id, 1, BREACH, NOON)
        with pytest.raises(Forbidden):
            await review.do_close(tx, OFFICER, case_id, 2, NOON)
        case = await review.do_close(tx, OTHER_OFFICER, case_id, 2, NOON)
    assert case.state is CaseState.CLOSED


async def test_a_closed_case_is_reopened_with_a_reason(db: Database, archive: Archive) -> None:
    case_id = await archive(a_message("小银行不安全"))
    async with db.transaction() as tx:
        await review.do_decide(tx, OFFICER, case_id, 1, HARMLESS, NOON)
        await review.do_close(tx, OFFICER, case_id, 2, NOON)
        with pytest.raises(DecisionIncomplete):
            await review.do_reopen(tx, OFFICER, case_id, 3, " ", NOON)
        case = await review.do_reopen(tx, OFFICER, case_id, 3, "客户补充了录音", NOON)
        assert (case.state, case.assignee, case.closed_at) == (CaseState.REOPENED, None, None)
        await review.do_decide(tx, OFFICER, case_id, 4, BREACH, NOON)


async def test_an_unknown_case_is_not_found(db: Database, archive: Archive) -> None:
    await archive(a_message("零风险"))
    async with db.transaction() as tx:
        with pytest.raises(NotFound):
            await review.do_claim(tx, OFFICER, "case_none", 1, NOON)
