"""Handing a customer over to a person: a to-do for the manager, and for what cannot wait a card at once.

In 微信客服 the session itself can go to a servicer; and what a customer there did not get becomes a person's matter.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.context import Card, KfChat, KfHandOver, Reply, StaffChat, Text
from bot.events import KfText
from bot.ids import CustomerId, StaffId
from bot.outbox.codec import load_address
from bot.outbox.gate import OutboundGate
from bot.outbox.models import OutboxRow
from bot.outbox.store import enqueue_reply
from bot.storage.database import Tx
from bot.texts import Texts, load_texts
from customers import StaffRow, find_customer
from handlers.answers import find_manager_of
from handlers.context import DeskContext
from handlers.intent_labels import Intent
from handlers.settings import HandlersSettings
from sop import TodoKind, do_create_todo

# Who says this wants a person now, in the same chat; in the other cases the manager comes back to the customer.
_WANT_A_PERSON = frozenset({Intent.LOST_CARD, Intent.FRAUD_REPORT, Intent.COMPLAINT, Intent.HUMAN_AGENT})
_QUOTED_CHARS = 200
URGENT = frozenset({Intent.LOST_CARD, Intent.FRAUD_REPORT, Intent.COMPLAINT})
_DUE = {True: timedelta(minutes=30), False: timedelta(hours=4)}


async def hand_over(
    ctx: DeskContext,
    manager: StaffRow | None,
    customer_id: CustomerId,
    question: str,
    reason: str,
    channel: str,
    msg_id: str,
) -> Sequence[Reply]:
    """Give the matter to the manager; returns the card to show at once when it is urgent, else nothing.

    Args:
        manager: who takes it; `None` is noted and leaves the matter to the hotline named to the customer.
        reason: an intent's name or `no_script`.
        channel: where the customer wrote: kf, chat, group or bot.
        msg_id: the customer's message; the same one makes one to-do.
    """
    ctx.trace.note("handover", to=manager.id if manager else None, reason=reason)
    if manager is None:
        return ()
    urgent = _is_urgent(reason)
    name = await _customer_name(ctx.tx, customer_id, ctx.texts)
    await do_create_todo(
        ctx.tx,
        StaffId(manager.id),
        TodoKind.ANSWER_CUSTOMER,
        ctx.texts.render("handover.title", reason=ctx.texts[f"reason.{reason}"]),
        ctx.texts.render("handover.body", name=name, question=question),
        f"customer:{customer_id}",
        ctx.now,
        _due_at(ctx.now, urgent=urgent),
        once_key=f"handover:{msg_id}",
    )
    return [alert(ctx, StaffId(manager.id), name, question, reason, channel)] if urgent else ()


def alert(
    ctx: DeskContext,
    staff_id: StaffId,
    customer: str,
    question: str,
    reason: str,
    channel: str,
    group: str | None = None,
) -> Reply:
    """Return the card that tells a manager of an urgent matter; it quotes the customer, and its purpose says so."""
    return _card(ctx.texts, ctx.settings, staff_id, customer, question, reason, channel, group)


def _card(
    texts: Texts,
    settings: HandlersSettings,
    staff_id: StaffId,
    customer: str,
    question: str,
    reason: str,
    channel: str,
    group: str | None = None,
) -> Reply:
    facts = [
        (texts["handover.fact_reason"], texts[f"reason.{reason}"]),
        (texts["handover.fact_customer"], customer),
        (texts["handover.fact_channel"], texts[f"handover.channel_{channel}"]),
    ]
    if group:
        facts.append((texts["handover.fact_group"], group))
    card = Card(
        title=texts["handover.alert_title"],
        description=question,
        facts=tuple(facts),
        url=f"{settings.public_url}/",
        url_text=texts["handover.open"],
    )
    return Reply(StaffChat(staff_id), card, "customer_question", {"reason": reason})


def transfer_session(ctx: DeskContext, event: KfText, manager: StaffRow | None, reason: str) -> Sequence[Reply]:
    """Return the order to give the 微信客服 session to a person, where the reason calls for one and settings allow it.

    The manager comes first if servicer of the account; else whoever takes it from the waiting pool. Where nobody can,
    `do_follow_up` shows the manager a card.
    """
    if not ctx.settings.kf_transfer or reason not in {intent.value for intent in _WANT_A_PERSON}:
        return ()
    ctx.trace.note("transfer", to=manager.id if manager else None, reason=reason)
    address = KfHandOver(event.open_kfid, event.customer_id, StaffId(manager.id) if manager else None)
    evidence = {"reason": reason, "question": event.text[:_QUOTED_CHARS]}
    return [Reply(address, Text(ctx.texts["handover.kf_notice"]), "handover", evidence)]


async def do_follow_up(
    tx: Tx, row: OutboxRow, code: str, now: datetime, settings: HandlersSettings, gate: OutboundGate
) -> None:
    """Make what a customer of 微信客服 did not get the manager's matter; implements `bot.kf.ledger.OnUndelivered`.

    A message that may not leave or did not arrive becomes a to-do, once. A session nobody could take becomes a card,
    unless the matter was urgent: then the manager has one already.
    """
    address = load_address(row.address_kind, row.address)
    if not isinstance(address, KfChat | KfHandOver):
        return
    manager = await find_manager_of(tx, address.customer_id, settings)
    if manager is None:
        return
    texts = load_texts("handlers", settings.language)
    name = await _customer_name(tx, address.customer_id, texts)
    if isinstance(address, KfHandOver):
        reason = str(row.evidence.get("reason", Intent.HUMAN_AGENT.value))
        if not _is_urgent(reason):
            question = str(row.evidence.get("question", ""))
            card = _card(texts, settings, StaffId(manager.id), name, question, reason, "kf")
            await enqueue_reply(tx, card, gate, now, cause=row.cause)
        return
    await do_create_todo(
        tx,
        StaffId(manager.id),
        TodoKind.ANSWER_CUSTOMER,
        texts.render("handover.title", reason=texts["reason.kf_undelivered"]),
        texts.render("handover.undelivered", name=name, why=texts[_why(code)], text=row.text),
        f"customer:{address.customer_id}",
        now,
        _due_at(now, urgent=False),
        once_key=f"undelivered:{row.id}",
    )


def _why(code: str) -> str:
    """Return the catalogue's key for the reason of a refusal; what has none of its own is the platform's."""
    known = {"kf.window", "kf.budget", "kf.session", "kf.rejected", "kf.undelivered"}
    return f"undelivered.{code.removeprefix('kf.')}" if code in known else "undelivered.platform"


def _is_urgent(reason: str) -> bool:
    return reason in {intent.value for intent in URGENT}


async def _customer_name(tx: Tx, customer_id: CustomerId, texts: Texts) -> str:
    customer = await find_customer(tx, customer_id)
    return customer.name if customer else texts["handover.fact_customer"]


def _due_at(now: datetime, *, urgent: bool) -> datetime:
    return now + _DUE[urgent]
