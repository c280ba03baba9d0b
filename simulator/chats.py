"""Conversations as people see them: lines on a phone, and what of them reaches the session archive."""

import secrets
from dataclasses import dataclass

from simulator.acquiring import note_customer_message
from simulator.archive_desk import switches_of
from simulator.platform import Platform
from simulator.state import (
    ArchiveRecord,
    ChatKind,
    ChatMessage,
    Follow,
    Group,
    Json,
    SenderKind,
)
from simulator.world import pair_key

NOT_ARCHIVED = "客户未同意会话存档，本条不进入存档"
BOT_SENDER = "bot"


@dataclass(frozen=True, slots=True)
class Line:
    """What a new line shows; `form` is text, markdown, card or event."""

    text: str
    form: str = "text"
    card: Json | None = None
    note: str = ""


def post_line(
    platform: Platform,
    kind: ChatKind,
    key: str,
    sender: str,
    sender_kind: SenderKind,
    line: Line,
    msgid: str | None = None,
) -> ChatMessage:
    """Add a line to a conversation; `msgid` is the platform's id of the message when it has one."""
    seq = platform.world.next_number("line")
    return platform.world.add_line(
        ChatMessage(
            seq=seq,
            rev=seq,
            id=msgid or platform.new_id(),
            kind=kind,
            key=key,
            sender=sender,
            sender_kind=sender_kind,
            form=line.form,
            text=line.text,
            card=line.card,
            at=platform.clock.now(),
            note=line.note,
        )
    )


def record(
    platform: Platform, *, sender: str, receivers: list[str], room_id: str, msgtype: str, body: Json
) -> ArchiveRecord | None:
    """Archive one message of a customer chat and announce it; None when a customer has not agreed.

    In a single chat the customer's consent covers both directions; in a group each speaker's own counts.
    """
    asked = [sender] if room_id else [sender, *receivers]
    customers = [platform.world.customers.find(person) for person in asked]
    if any(customer is not None and not customer.agreed for customer in customers):
        return None
    seq = platform.world.next_number("archive")
    msgid = f"{secrets.randbelow(10**19):019d}_{platform.clock.seconds()}_external"
    content: Json = {
        "msgid": msgid,
        "action": "send",
        "from": sender,
        "tolist": receivers,
        "roomid": room_id,
        "msgtime": int(platform.clock.now() * 1000),
        "msgtype": msgtype,
        msgtype: body,
    }
    row = platform.world.archive.put(ArchiveRecord(seq, msgid, content, switches_of(platform).version))
    platform.archive_notifier.announce()
    return row


def say_in_single(platform: Platform, follow: Follow, sender: str, text: str, note: str = "") -> ChatMessage:
    """Put a text into the chat of a member and a customer, as one of the two, and archive it."""
    other = follow.external_userid if sender == follow.userid else follow.userid
    kept = record(platform, sender=sender, receivers=[other], room_id="", msgtype="text", body={"content": text})
    follow.last_chat_at = platform.clock.now()
    if sender == follow.external_userid:
        note_customer_message(platform, follow)
    platform.world.follows.put(follow)
    return post_line(
        platform,
        ChatKind.SINGLE,
        pair_key(follow.userid, follow.external_userid),
        sender,
        platform.world.kind_of(sender),
        Line(text, note=note if kept else NOT_ARCHIVED),
        kept.msgid if kept else None,
    )


def say_in_group(platform: Platform, group: Group, sender: str, text: str, note: str = "") -> ChatMessage:
    """Put a text into a customer group as one of its members, and archive it."""
    receivers = [member.userid for member in group.members if member.userid != sender]
    kept = record(
        platform,
        sender=sender,
        receivers=receivers,
        room_id=group.chat_id,
        msgtype="text",
        body={"content": text},
    )
    return post_line(
        platform,
        ChatKind.GROUP,
        group.chat_id,
        sender,
        platform.world.kind_of(sender),
        Line(text, note=note if kept else NOT_ARCHIVED),
        kept.msgid if kept else None,
    )


def say_as_bot(platform: Platform, kind: ChatKind, key: str, line: Line, msgid: str | None = None) -> ChatMessage:
    """Put a line of the app, the kf account or the AI bot into a conversation; it is not archived."""
    return post_line(platform, kind, key, BOT_SENDER, SenderKind.BOT, line, msgid)
