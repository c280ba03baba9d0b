"""The inbox: one row for each distinct event that came in, whatever the number of copies."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text


class InboxState(StrEnum):
    """received → processing → done; an error leads back to received until the attempts are used up: failed."""

    RECEIVED = "received"
    PROCESSING = "processing"
    DONE = "done"
    FAILED = "failed"


# Written out, not as parameters: a planner uses a partial index only when it can see that the condition is the same.
WAITING = text("state IN ('received', 'processing')")
FAILED = text("state = 'failed'")


class Source(StrEnum):
    """Which door an event came through; each has its own way to be read and to be told apart."""

    APP = "app"
    KF = "kf"
    AIBOT = "aibot"
    ARCHIVE = "archive"
    MIRROR = "mirror"  # we ourselves: a copy of ours may be stale


@dataclass(frozen=True, slots=True)
class NewInboxRow:
    """An event about to be stored.

    `dedupe_key` is `source:` and what tells this event from every other of its source (01-callback.md, 1.7).
    `conversation` is what must be handled in order. `body` is the decrypted plaintext, as it came.
    """

    source: Source
    dedupe_key: str
    conversation: str
    event_type: str
    body: str
    received_at: datetime


class InboxRow(SQLModel, table=True):
    """A stored event, and what became of it. `trace` lists the steps taken, for the page that shows them."""

    __tablename__ = "inbox"
    __table_args__ = (
        # What waits, in the order of arrival inside a conversation; done rows stay out of it.
        Index(
            "ix_inbox_waiting",
            "conversation",
            "id",
            sqlite_where=WAITING,
            postgresql_where=WAITING,
        ),
        Index(
            "ix_inbox_failed", "id", sqlite_where=text("state = 'failed'"), postgresql_where=text("state = 'failed'")
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: Source = Field(sa_type=enum_text(Source))
    dedupe_key: str = Field(unique=True)
    conversation: str
    event_type: str
    body: str
    state: InboxState = Field(
        default=InboxState.RECEIVED, sa_type=enum_text(InboxState), sa_column_kwargs={"server_default": "received"}
    )
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    received_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str | None = None
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    error: str | None = None
    trace: list[dict[str, Any]] | None = Field(default=None, sa_type=JsonColumn)
