"""What may leave, and what is kept once it has."""

from typing import Any

import pytest
from sqlmodel import select

from bot.context import Address, BotChat, Card, GroupSend, KfChat, Reply, StaffChat, Text, Welcome
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.json import JSON
from bot.outbox.gate import GateDecision
from bot.outbox.models import OutboxState
from bot.outbox.store import enqueue_reply
from bot.storage.database import Database, Tx
from compliance import ComplianceGate, LexiconMissing, LexiconStore
from compliance.models import ArchivedMessageRow
from tests.compliance.builders import NOON

CUSTOMER = KfChat("wkDEMO0001", CustomerId("wm0001"))
STAFF = StaffChat(StaffId("rm001"))


class OneProductShelf:
    """A shelf that sells P001 only."""

    async def is_on_sale(self, tx: Tx, product_code: str) -> bool:
        return product_code == "P001"


@pytest.fixture
async def gate(db: Database) -> ComplianceGate:
    lexicons = LexiconStore()
    async with db.transaction() as tx:
        await lexicons.do_install_default(tx, NOON)
    return ComplianceGate(lexicons, OneProductShelf())


async def decided(
    db: Database,
    gate: ComplianceGate,
    text: str,
    to: Address = CUSTOMER,
    purpose: str = "script_answer",
    **evidence: JSON,
) -> GateDecision:
    async with db.reading() as tx:
        return await gate.check(tx, Reply(to, Text(text), purpose, evidence), NOON)


async def test_clean_text_leaves(db: Database, gate: ComplianceGate) -> None:
    assert await decided(db, gate, "您好，网点九点开门") == GateDecision(allowed=True)


async def test_a_forbidden_promise_is_stopped_with_the_word_and_the_reason(db: Database, gate: ComplianceGate) -> None:
    decision = await decided(db, gate, "放心，保*本*保*息")
    assert not decision.allowed
    assert "保本保息" in (decision.reason or "")
    assert "承诺" in (decision.reason or "")
    assert decision.findings[0]["technique"] == "inserted"


async def test_words_on_buttons_and_facts_of_a_card_are_screened(db: Database, gate: ComplianceGate) -> None:
    card = Card(title="推荐", facts=(("特点", "零风险"),))
    async with db.reading() as tx:
        assert not (await gate.check(tx, Reply(CUSTOMER, card, "script_answer"), NOON)).allowed


async def test_a_critical_finding_stops_whatever_its_row_asks_for(db: Database, gate: ComplianceGate) -> None:
    assert not (await decided(db, gate, "内幕消息先告诉您")).allowed


async def test_lesser_findings_leave_and_are_kept(db: Database, gate: ComplianceGate) -> None:
    decision = await decided(db, gate, "这款收益最高")
    assert decision.allowed
    assert [finding["category"] for finding in decision.findings] == ["absolute_terms"]


async def test_a_member_may_be_shown_forbidden_words_but_a_customer_never(db: Database, gate: ComplianceGate) -> None:
    quoted = "“保本保息”不能发"
    assert (await decided(db, gate, quoted, STAFF, "draft_check")).allowed
    assert not (await decided(db, gate, quoted, CUSTOMER, "draft_check")).allowed
    assert not (await decided(db, gate, quoted, STAFF, "script_answer")).allowed


async def test_an_investment_product_needs_its_risk_sentence(db: Database, gate: ComplianceGate) -> None:
    text = "安心理财近期开放申购"
    assert not (await decided(db, gate, text, risk_note_required=True)).allowed
    assert (await decided(db, gate, f"{text}。理财非存款，产品有风险，投资须谨慎", risk_note_required=True)).allowed
    named: dict[str, Any] = {"risk_note_required": True, "risk_note": "净值有波动，可能亏损本金。"}
    assert not (await decided(db, gate, f"{text}。投资须谨慎", **named)).allowed
    assert (await decided(db, gate, f"{text}。净值有波动，可能亏损本金", **named)).allowed


async def test_a_product_off_the_shelf_is_stopped(db: Database, gate: ComplianceGate) -> None:
    assert (await decided(db, gate, "您关注的产品开放了", product_code="P001")).allowed
    stopped = await decided(db, gate, "您关注的产品开放了", product_code="X9")
    assert not stopped.allowed
    assert "X9" in (stopped.reason or "")


async def test_without_a_lexicon_nothing_leaves(db: Database) -> None:
    with pytest.raises(LexiconMissing):
        await decided(db, ComplianceGate(LexiconStore()), "您好")


async def test_a_blocked_reply_becomes_a_blocked_row(db: Database, gate: ComplianceGate) -> None:
    async with db.transaction() as tx:
        row = await enqueue_reply(tx, Reply(CUSTOMER, Text("保本保息"), "script_answer"), gate, NOON)
    assert row.state is OutboxState.BLOCKED
    assert row.findings
    assert row.error


@pytest.mark.parametrize(
    ("to", "conversation"),
    [
        (STAFF, "app:rm001"),
        (CUSTOMER, "kf:wkDEMO0001:wm0001"),
        (BotChat(GroupChatId("wr01"), "wm0001", "https://example.com/r"), "bot:wr01"),
        (BotChat(None, "rm001", "https://example.com/r"), "bot:rm001"),
        (Welcome("code", StaffId("rm001"), CustomerId("wm0001")), "single:rm001:wm0001"),
    ],
)
async def test_what_was_sent_is_archived_with_its_evidence(
    db: Database, gate: ComplianceGate, to: Address, conversation: str
) -> None:
    evidence: dict[str, JSON] = {"script": "S-0007", "version": 2}
    async with db.transaction() as tx:
        row = await enqueue_reply(tx, Reply(to, Text("您好"), "script_answer", evidence), gate, NOON)
        await gate.record_sent(tx, row, NOON)
        await gate.record_sent(tx, row, NOON)  # told twice, kept once
    async with db.reading() as tx:
        (kept,) = (await tx.exec(select(ArchivedMessageRow))).all()
    assert (kept.conversation, kept.text, kept.evidence) == (conversation, "您好", evidence)
    assert kept.raw["purpose"] == "script_answer"


async def test_a_broadcast_task_is_screened_but_not_archived(db: Database, gate: ComplianceGate) -> None:
    to = GroupSend(StaffId("rm001"), (GroupChatId("wr01"),))
    async with db.transaction() as tx:
        row = await enqueue_reply(tx, Reply(to, Text("周末沙龙欢迎参加"), "broadcast"), gate, NOON)
        await gate.record_sent(tx, row, NOON)
        blocked = await enqueue_reply(tx, Reply(to, Text("本周理财零风险"), "broadcast"), gate, NOON)
    async with db.reading() as tx:
        assert (await tx.exec(select(ArchivedMessageRow))).all() == []
    assert blocked.state is OutboxState.BLOCKED
