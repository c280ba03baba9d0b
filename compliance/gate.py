"""The answer to `bot.outbox.gate`: may this leave, and what is kept of it once it has.

Everything the bank's side says through us passes here. What an employee types in WeCom does not: that is seen
afterwards, in the archive (facts.md, "What can be stopped and what can only be seen").
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, assert_never

from bot.context import (
    Address,
    BotChat,
    CardUpdate,
    GroupSend,
    KfChat,
    KfHandOver,
    KfWelcome,
    Reply,
    StaffChat,
    Welcome,
)
from bot.outbox.codec import load_address
from bot.outbox.gate import GateDecision
from bot.outbox.models import OutboxRow
from bot.storage.database import Tx
from bot.texts import load_texts
from compliance.archive import do_archive
from compliance.explanations import load_catalogue
from compliance.findings import Direction, Finding
from compliance.messages import (
    ArchivedMessageIn,
    ArchiveOrigin,
    ChatKind,
    SenderKind,
    app_conversation,
    bot_conversation,
    kf_conversation,
    single_conversation,
)
from compliance.policy import gravest, has_risk_sentence, is_blocking
from compliance.screening import screen
from compliance.settings import ComplianceSettings
from compliance.store import LexiconStore

# Purposes whose very point is to repeat words that may not be said: to a member of the bank, never to a customer.
QUOTING_PURPOSES = frozenset({"draft_check", "customer_question", "blocked_notice"})

# What the app's own side is called in the archive.
APP_SENDER = "assistant"
BOT_SENDER = "aibot"


class ShelfLookup(Protocol):
    """Knows which products the bank sells; answered by the knowledge base."""

    async def is_on_sale(self, tx: Tx, product_code: str) -> bool:
        """Tell whether the product is on the approved shelf today."""
        ...


class ComplianceGate:
    """Implements `OutboundGate` and `OutboundRecorder`."""

    def __init__(
        self,
        lexicons: LexiconStore,
        shelf: ShelfLookup | None = None,
        settings: ComplianceSettings | None = None,
        language: str = "zh",
    ) -> None:
        self._lexicons = lexicons
        self._shelf = shelf
        self._settings = settings or ComplianceSettings()
        self._texts = load_texts("compliance", language)

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Decide whether a reply may leave.

        Blocked are: a blocking finding (`compliance.policy.is_blocking`), a missing risk sentence where the evidence
        says `risk_note_required` (`risk_note` names the sentence; any usual one otherwise), and a `product_code` that
        is not on the shelf. Quotations to members (`QUOTING_PURPOSES`) leave with their findings recorded.

        Raises:
            LexiconMissing: there is nothing to screen with, so nothing may leave.
        """
        text = outgoing.content.plain_text()
        findings = screen(text, await self._lexicons.current(tx), Direction.RM)
        reason = None if _is_quotation(outgoing) else self._finding_reason(findings)
        reason = reason or self._risk_reason(outgoing, text) or await self._shelf_reason(tx, outgoing)
        return GateDecision(
            allowed=reason is None,
            findings=tuple(finding.as_json() for finding in findings),
            reason=reason,
        )

    def _finding_reason(self, findings: Sequence[Finding]) -> str | None:
        blocking = [finding for finding in findings if is_blocking(finding)]
        if not blocking:
            return None
        worst = gravest(blocking)
        category = load_catalogue().categories[worst.category]
        return self._texts.render("gate.blocked", matched=worst.term, category=category.name, why=category.why)

    def _risk_reason(self, outgoing: Reply, text: str) -> str | None:
        if outgoing.evidence.get("risk_note_required") is not True:
            return None
        required = outgoing.evidence.get("risk_note")
        carried = has_risk_sentence(text, required if isinstance(required, str) else None)
        return None if carried else self._texts["gate.risk_note"]

    async def _shelf_reason(self, tx: Tx, outgoing: Reply) -> str | None:
        product = outgoing.evidence.get("product_code")
        if self._shelf is None or not isinstance(product, str):
            return None
        on_sale = await self._shelf.is_on_sale(tx, product)
        return None if on_sale else self._texts.render("gate.not_on_shelf", product=product)

    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Archive what was sent, with its evidence.

        A broadcast task is left out: it is only an order to a member, whose real messages come through the session
        archive once the member has confirmed it. Its outbox row stays as evidence.
        """
        message = sent_message(row, now)
        if message is not None:
            await do_archive(tx, message, await self._lexicons.current(tx), now, self._settings)


def _is_quotation(outgoing: Reply) -> bool:
    return isinstance(outgoing.to, StaffChat) and outgoing.purpose in QUOTING_PURPOSES


def sent_message(row: OutboxRow, now: datetime) -> ArchivedMessageIn | None:
    """Return a sent outbox row as a message for the archive; `None` for what is not archived when queued."""
    place = _place_of(load_address(row.address_kind, row.address))
    if place is None or not _was_said(row):
        return None
    return ArchivedMessageIn(
        msgid=f"out:{row.id}",
        source=ArchiveOrigin.OUTBOX,
        chat_kind=place.chat_kind,
        conversation=place.conversation,
        sender_id=place.sender_id,
        sender_kind=place.sender_kind,
        receivers=(place.receiver,),
        room_id=place.room_id,
        msgtype=row.content_kind.lower(),
        text=row.text,
        sent_at=row.sent_at or now,
        raw={"outbox_id": row.id, "purpose": row.purpose, "content": row.content, "platform_msgid": row.platform_msgid},
        evidence=row.evidence,
    )


def _was_said(row: OutboxRow) -> bool:
    """Tell whether the words reached the customer: a hand-over (转人工) can work without its notice, or not at all."""
    return row.address_kind != KfHandOver.__name__ or bool((row.result or {}).get("said"))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something was said, and between whom."""

    chat_kind: ChatKind
    conversation: str
    sender_id: str
    sender_kind: SenderKind
    receiver: str
    room_id: str | None = None


def _place_of(address: Address) -> _Place | None:
    match address:
        case StaffChat(staff_id):
            return _Place(ChatKind.BOT, app_conversation(staff_id), APP_SENDER, SenderKind.BOT, staff_id)
        case KfChat(open_kfid, customer_id) | KfWelcome(_, open_kfid, customer_id) | KfHandOver(open_kfid, customer_id):
            conversation = kf_conversation(open_kfid, customer_id)
            return _Place(ChatKind.KF, conversation, open_kfid, SenderKind.BOT, customer_id)
        case Welcome(_, staff_id, customer_id):
            conversation = single_conversation(staff_id, customer_id)
            return _Place(ChatKind.SINGLE, conversation, staff_id, SenderKind.STAFF, customer_id)
        case BotChat(chat_id, speaker, _):
            conversation = bot_conversation(chat_id, speaker)
            return _Place(ChatKind.AIBOT, conversation, BOT_SENDER, SenderKind.BOT, speaker, chat_id)
        case CardUpdate() | GroupSend():  # the first says nothing new: the answer to the press is a message of its own
            return None
        case _:
            assert_never(address)
