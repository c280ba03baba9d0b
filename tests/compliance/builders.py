"""Builders with defaults for everything a compliance test needs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bot.json import JSON
from compliance import (
    AML,
    REVIEW,
    ArchivedMessageIn,
    ChatKind,
    Lexicon,
    Reviewer,
    SenderKind,
    build_lexicon,
    default_terms_csv,
    parse_terms,
)

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # Friday noon in China

OFFICER = Reviewer("co001", "周敏", frozenset({REVIEW}))
OTHER_OFFICER = Reviewer("co002", "何川", frozenset({REVIEW}))
AML_OFFICER = Reviewer("co003", "钱进", frozenset({REVIEW, AML}))


@cache
def default_lexicon() -> Lexicon:
    """The shipped lexicon, compiled once."""
    return build_lexicon(1, parse_terms(default_terms_csv()).terms)


def a_message(
    text: str,
    *,
    msgid: str = "m1",
    sent_at: datetime = NOON,
    sender: str = "rm001",
    kind: SenderKind = SenderKind.STAFF,
    chat_kind: ChatKind = ChatKind.SINGLE,
    conversation: str = "single:rm001:wm0001",
    receivers: tuple[str, ...] = ("wm0001",),
    msgtype: str = "text",
    raw: Mapping[str, Any] | None = None,
    evidence: Mapping[str, JSON] | None = None,
) -> ArchivedMessageIn:
    """A message of rm001 to the customer wm0001."""
    return ArchivedMessageIn(
        msgid=msgid,
        source="archive",
        chat_kind=chat_kind,
        conversation=conversation,
        sender_id=sender,
        sender_kind=kind,
        receivers=receivers,
        room_id=None,
        msgtype=msgtype,
        text=text,
        sent_at=sent_at,
        raw=raw or {},
        evidence=evidence or {},
    )


def from_customer(text: str, **fields: Any) -> ArchivedMessageIn:
    """A message of the customer wm0001 to rm001."""
    return a_message(text, sender="wm0001", kind=SenderKind.CUSTOMER, receivers=("rm001",), **fields)
