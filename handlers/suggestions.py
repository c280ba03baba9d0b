"""Approved replies offered to a manager: made once for each message, seen by that manager only, sent once."""

from datetime import datetime

from sqlmodel import select

from bot import audit
from bot.errors import Conflict, Forbidden, NotFound
from bot.ids import CustomerId, GroupChatId, StaffId, new_id
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from customers import do_record_contact
from handlers.answers import Answer
from handlers.models import ReplySuggestionRow, SuggestionState


async def do_offer_reply(
    tx: Tx,
    staff_id: StaffId,
    chat_id: GroupChatId | None,
    customer_id: CustomerId,
    question: str,
    msg_id: str,
    answer: Answer,
    now: datetime,
) -> ReplySuggestionRow:
    """Keep a reply for the manager to send; the same message and script make one row, whatever the state it is in."""
    cause_key = f"{msg_id}:{answer.script.id}"
    row = {
        "id": new_id("rs"),
        "cause_key": cause_key,
        "staff_id": staff_id,
        "chat_id": chat_id,
        "customer_id": customer_id,
        "question": question,
        "script_id": answer.script.id,
        "script_version": answer.script.version,
        "text": answer.text,
        "state": SuggestionState.OFFERED,
        "created_at": now,
        "sent_at": None,
    }
    await insert_ignore(tx, ReplySuggestionRow, [row], ("cause_key",))
    return (await tx.exec(select(ReplySuggestionRow).where(ReplySuggestionRow.cause_key == cause_key))).one()


async def access_suggestion(tx: Tx, staff_id: StaffId, suggestion_id: str) -> ReplySuggestionRow:
    """Return a suggestion that was offered to this member.

    Raises:
        NotFound: there is none with that id.
        Forbidden: it was offered to somebody else.
    """
    row = await tx.get(ReplySuggestionRow, suggestion_id)
    if row is None:
        raise NotFound(f"no reply suggestion {suggestion_id}")
    if row.staff_id != staff_id:
        raise Forbidden(f"reply suggestion {suggestion_id} is not {staff_id}'s")
    return row


async def do_mark_suggestion_sent(
    tx: Tx, staff_id: StaffId, suggestion_id: str, text: str, now: datetime
) -> ReplySuggestionRow:
    """Record that the member sent `text` in the customer's chat. Saying so twice with the same words changes nothing.

    Words other than the approved ones are kept in the audit entry as a flag, never as text: the archive has them.

    Raises:
        NotFound, Forbidden: as `access_suggestion`.
        Conflict: it was dismissed, or sent with other words.
    """
    row = await access_suggestion(tx, staff_id, suggestion_id)
    await tx.refresh(row, with_for_update=True)
    if row.state is SuggestionState.SENT and row.text == text:
        return row
    if row.state is not SuggestionState.OFFERED:
        raise Conflict(f"reply suggestion {suggestion_id} is {row.state.value}")
    unchanged = row.text == text
    row.state, row.sent_at, row.text = SuggestionState.SENT, now, text
    await do_record_contact(tx, staff_id, CustomerId(row.customer_id), now)
    await audit.record(
        tx,
        actor=staff_id,
        action="suggestion.send",
        subject=f"suggestion:{row.id}",
        details={"script": row.script_id, "version": row.script_version, "unchanged": unchanged},
        now=now,
    )
    return row


async def do_dismiss_suggestion(tx: Tx, staff_id: StaffId, suggestion_id: str) -> ReplySuggestionRow:
    """Put an offered reply aside. Dismissing again changes nothing.

    Raises:
        NotFound, Forbidden: as `access_suggestion`.
        Conflict: it was sent.
    """
    row = await access_suggestion(tx, staff_id, suggestion_id)
    if row.state is SuggestionState.SENT:
        raise Conflict(f"reply suggestion {suggestion_id} was sent")
    row.state = SuggestionState.DISMISSED
    return row
