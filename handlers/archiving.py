"""Middleware: what a person says to us is archived and screened, in the transaction that handles it.

What customers write in chats and groups is not archived here: it came out of the archive. What we say is archived when
it has left (compliance.gate).
"""

from collections.abc import Sequence

from bot.context import Reply
from bot.dispatcher import Next
from bot.events import (
    BotMention,
    Event,
    KfOtherMessage,
    KfRecalled,
    KfServicerMessage,
    KfText,
    KfUnknownMessage,
    StaffTextMessage,
)
from compliance import (
    ArchivedMessageIn,
    ArchiveOrigin,
    ChatKind,
    SenderKind,
    app_conversation,
    bot_conversation,
    do_archive,
    kf_conversation,
)
from handlers.context import DeskContext


async def archive_inbound(following: Next[DeskContext], event: Event, ctx: DeskContext) -> Sequence[Reply]:
    """Archive the message, if the event is one, then go on."""
    message = _as_message(event, ctx)
    if message is not None:
        await do_archive(ctx.tx, message, ctx.lexicon, ctx.now)
    return await following(event, ctx)


def _as_message(event: Event, ctx: DeskContext) -> ArchivedMessageIn | None:
    sent_at = event.occurred_at or ctx.now
    match event:
        case StaffTextMessage(staff_id=staff_id, text=text, msg_id=msg_id):
            return ArchivedMessageIn(
                msgid=msg_id or str(ctx.cause),
                source=ArchiveOrigin.APP,
                chat_kind=ChatKind.BOT,
                conversation=app_conversation(staff_id),
                sender_id=staff_id,
                sender_kind=SenderKind.STAFF,
                receivers=(),
                room_id=None,
                msgtype="text",
                text=text,
                sent_at=sent_at,
            )
        case KfText(open_kfid=account, customer_id=customer_id, text=text, msg_id=msg_id):
            return _from_kf(account, customer_id, msg_id, "text", text, event, ctx)
        case (
            KfOtherMessage(open_kfid=account, customer_id=customer_id, msg_type=kind, msg_id=msg_id)
            | KfUnknownMessage(open_kfid=account, customer_id=customer_id, msg_type=kind, msg_id=msg_id)
        ):
            return _from_kf(account, customer_id, msg_id, kind, "", event, ctx)
        case KfServicerMessage():
            return _from_servicer(event, ctx)
        case KfRecalled():
            return _recall(event, ctx)
        case BotMention(speaker=speaker, chat_id=chat_id, text=text, msg_id=msg_id):
            outsider = speaker.startswith(("wm", "wo"))
            return ArchivedMessageIn(
                msgid=msg_id,
                source=ArchiveOrigin.AIBOT,
                chat_kind=ChatKind.AIBOT,
                conversation=bot_conversation(chat_id, speaker),
                sender_id=speaker,
                sender_kind=SenderKind.CUSTOMER if outsider else SenderKind.STAFF,
                receivers=(),
                room_id=chat_id,
                msgtype="text",
                text=text,
                sent_at=sent_at,
            )
        case _:
            return None


def _from_servicer(event: KfServicerMessage, ctx: DeskContext) -> ArchivedMessageIn:
    return ArchivedMessageIn(
        msgid=event.msg_id,
        source=ArchiveOrigin.KF,
        chat_kind=ChatKind.KF,
        conversation=kf_conversation(event.open_kfid, event.customer_id),
        sender_id=event.servicer_id,
        sender_kind=SenderKind.STAFF,
        receivers=(event.customer_id,),
        room_id=None,
        msgtype=event.msg_type,
        text=event.text,
        sent_at=event.occurred_at or ctx.now,
        raw=dict(event.fields),
    )


def _recall(event: KfRecalled, ctx: DeskContext) -> ArchivedMessageIn:
    """Return the record that a message was called back; the message itself stays as it was archived."""
    by_staff = event.by_servicer and event.servicer_id is not None
    return ArchivedMessageIn(
        msgid=f"recall:{event.recalled_msg_id}",
        source=ArchiveOrigin.KF,
        chat_kind=ChatKind.KF,
        conversation=kf_conversation(event.open_kfid, event.customer_id),
        sender_id=event.servicer_id or event.customer_id,
        sender_kind=SenderKind.STAFF if by_staff else SenderKind.CUSTOMER,
        receivers=(event.open_kfid,),
        room_id=None,
        msgtype="revoke",
        text="",
        sent_at=event.occurred_at or ctx.now,
        raw={**event.fields, "revoke": {"pre_msgid": event.recalled_msg_id}},
    )


def _from_kf(
    account: str, customer_id: str, msg_id: str, kind: str, text: str, event: Event, ctx: DeskContext
) -> ArchivedMessageIn:
    return ArchivedMessageIn(
        msgid=msg_id,
        source=ArchiveOrigin.KF,
        chat_kind=ChatKind.KF,
        conversation=kf_conversation(account, customer_id),
        sender_id=customer_id,
        sender_kind=SenderKind.CUSTOMER,
        receivers=(account,),
        room_id=None,
        msgtype=kind,
        text=text,
        sent_at=event.occurred_at or ctx.now,
        raw=dict(event.fields),
    )
