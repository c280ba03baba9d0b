"""A message on its way into the archive, and how conversations are named. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from bot.json import JSON
from compliance.findings import Direction


class ChatKind(StrEnum):
    """Where it was said. `bot` is a member's chat with our app; the others have customers in them."""

    SINGLE = "single"
    GROUP = "group"
    BOT = "bot"
    KF = "kf"
    AIBOT = "aibot"


class SenderKind(StrEnum):
    """Who said it. WeCom members of other companies count as customers: they are outsiders."""

    STAFF = "staff"
    CUSTOMER = "customer"
    BOT = "bot"

    @property
    def direction(self) -> Direction:
        """Return whose rules apply: what our bot says is the bank's word."""
        return Direction.CUSTOMER if self is SenderKind.CUSTOMER else Direction.RM


class ArchiveOrigin(StrEnum):
    """Which door a message came through; ids are unique inside one."""

    ARCHIVE = "archive"  # the platform's session archive
    OUTBOX = "outbox"  # what we sent ourselves
    APP = "app"
    KF = "kf"
    AIBOT = "aibot"


@dataclass(frozen=True, slots=True)
class ArchivedMessageIn:
    """A message to be kept.

    `msgid` is unique inside `source`; `text` holds all words a person could read in it (titles, file names, merged
    records unfolded); `raw` is the record as it came. `evidence` proves where our own words came from.
    """

    msgid: str
    source: str
    chat_kind: ChatKind
    conversation: str
    sender_id: str
    sender_kind: SenderKind
    receivers: tuple[str, ...]
    room_id: str | None
    msgtype: str
    text: str
    sent_at: datetime
    raw: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, JSON] = field(default_factory=dict)
    source_seq: int | None = None


def sender_kind_of(person_id: str) -> SenderKind:
    """Tell what an id of the session archive stands for (06-session-archive.md, 6.4)."""
    if person_id.startswith(("wm", "wo")):
        return SenderKind.CUSTOMER
    return SenderKind.BOT if person_id.startswith("wb") else SenderKind.STAFF


def app_conversation(staff_id: str) -> str:
    """Name a member's chat with our app."""
    return f"app:{staff_id}"


def kf_conversation(open_kfid: str, customer_id: str) -> str:
    """Name a customer's chat with a 微信客服 account."""
    return f"kf:{open_kfid}:{customer_id}"


def bot_conversation(chat_id: str | None, speaker: str) -> str:
    """Name a chat with the AI bot: its group, or the person."""
    return f"bot:{chat_id or speaker}"


def group_conversation(room_id: str) -> str:
    """Name a group."""
    return f"group:{room_id}"


def single_conversation(one: str, other: str) -> str:
    """Name a chat of two, whoever speaks."""
    return "single:" + ":".join(sorted((one, other)))
