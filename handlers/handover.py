"""Handing a customer over to a person: a to-do for the manager, and for what cannot wait a card at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.context import Card, Reply, StaffChat
from bot.ids import CustomerId, StaffId
from customers import StaffRow, find_customer
from handlers.context import DeskContext
from handlers.intent_labels import Intent
from sop import TodoKind, do_create_todo

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
    urgent = reason in {intent.value for intent in URGENT}
    name = await _customer_name(ctx, customer_id)
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
    texts = ctx.texts
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
        url=f"{ctx.settings.public_url}/",
        url_text=texts["handover.open"],
    )
    return Reply(StaffChat(staff_id), card, "customer_question", {"reason": reason})


async def _customer_name(ctx: DeskContext, customer_id: CustomerId) -> str:
    customer = await find_customer(ctx.tx, customer_id)
    return customer.name if customer else ctx.texts["handover.fact_customer"]


def _due_at(now: datetime, *, urgent: bool) -> datetime:
    return now + _DUE[urgent]
