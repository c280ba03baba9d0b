"""The outbox: one row for each thing that is to leave, and what became of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text


class OutboxState(StrEnum):
    """queued → sending → sent | failed | uncertain; uncertain → sending again, marked so. blocked never leaves."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    BLOCKED = "blocked"


# Written out, not as parameters: a planner uses a partial index only when it can see that the condition is the same.
WAITING = text("state IN ('queued', 'sending', 'uncertain')")


class OutboxRow(SQLModel, table=True):
    """A reply on its way. `recipient` is what must leave in order; `cause` the inbox row it answers, if any.

    `result` is the platform's answer. `text` are the words a person will see, as the gate saw them.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_waiting",
            "recipient",
            "id",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        # the platform's ids of what was last sent
        Index("ix_outbox_sent", "recipient", "sent_at"),
        Index("ix_outbox_cause", "cause"),
    )

    id: int | None = Field(default=None, primary_key=True)
    state: OutboxState = Field(sa_type=enum_text(OutboxState))
    recipient: str
    address_kind: str
    address: dict[str, Any] = Field(sa_type=JsonColumn)
    content_kind: str
    content: dict[str, Any] = Field(sa_type=JsonColumn)
    text: str
    purpose: str
    evidence: dict[str, Any] = Field(sa_type=JsonColumn)
    findings: list[dict[str, Any]] = Field(sa_type=JsonColumn)
    cause: int | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)
    # when it should leave if nothing holds it up: `sent_at` after that is late, and `delays` says why
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # the first row of a text that was too long for one: its parts leave in order or not at all
    part_of: int | None = None
    attempts: int = 0
    # when the attempt began that runs, or whose outcome is in doubt; None when nothing can have gone out
    attempted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    platform_msgid: str | None = Field(default=None, index=True)
    result: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn)
    error: str | None = None
    # the newest waits: {"at", "until", "why"}
    delays: list[dict[str, Any]] | None = Field(default=None, sa_type=JsonColumn)

    @property
    def key(self) -> str:
        """The id under which the platform knows it: the same at every attempt, at most 32 of `[0-9A-Za-z_-]`.

        The time keeps it unlike the keys of an earlier database that began to count at 1 as well.
        """
        return f"o{self.id}t{int(self.created_at.timestamp() * 1000)}"


class SendAttemptRow(SQLModel, table=True):
    """Our ledger of what a member was sent, one row for each try: the platform drops what is over its limit silently.

    Tries in doubt count as well. Rows older than the longest window are deleted as new ones come.
    """

    __tablename__ = "outbox_attempt"
    __table_args__ = (Index("ix_outbox_attempt_recipient", "recipient", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    recipient: str
    at: datetime = Field(sa_type=UtcDateTime)


class UnreachableRow(SQLModel, table=True):
    """A recipient the platform says cannot be reached: until `until`, or until a sign of life, nothing is tried."""

    __tablename__ = "outbox_unreachable"

    recipient: str = Field(primary_key=True)
    errcode: int
    reason: str
    since: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
