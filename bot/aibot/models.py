"""The AI bot's tables: running answers, cards that can be pressed, what people think of answers, who leads."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.aibot.states import StreamState
from bot.events import FeedbackKind
from bot.storage.types import JsonColumn, UtcDateTime, enum_text

# Written out, not as parameters: a planner uses a partial index only when it can see that the condition is the same.
UNFETCHED = text("state IN ('answered', 'by_url')")


class BotStreamRow(SQLModel, table=True):
    """One answer on its way to one message, as any node can go on with it.

    `content` is the whole text so far: it replaces what the person sees. `answer_key` is the parcel whose words it
    holds. `req_id` is the message's frame on the long connection; without it the message came by callback.
    """

    __tablename__ = "bot_stream"
    __table_args__ = (
        Index("ix_bot_stream_unfetched", "deadline_at", sqlite_where=UNFETCHED, postgresql_where=UNFETCHED),
    )

    id: str = Field(primary_key=True)
    msg_id: str = Field(unique=True)
    chat_id: str | None = None
    speaker: str
    response_url: str
    req_id: str | None = None
    state: StreamState = Field(sa_type=enum_text(StreamState))
    content: str
    card: dict[str, Any] | None = Field(default=None, sa_type=JsonColumn)
    answer_key: str | None = None
    started_at: datetime = Field(sa_type=UtcDateTime)
    deadline_at: datetime = Field(sa_type=UtcDateTime)
    fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class BotCardRow(SQLModel, table=True):
    """A card that was handed to the platform, in its form there, so that a pressed one can be shown as pressed."""

    __tablename__ = "bot_card"

    task_id: str = Field(primary_key=True)
    card: dict[str, Any] = Field(sa_type=JsonColumn)
    sent_at: datetime = Field(sa_type=UtcDateTime)


class BotFeedbackRow(SQLModel, table=True):
    """What a person said about an answer. `outbox_id` is that answer, `None` when it is not known.

    `reasons` are the platform's numbers for an inaccurate one (08-aibot.md, 8.4: 1 to 4).
    """

    __tablename__ = "bot_feedback"
    __table_args__ = (Index("ix_bot_feedback_outbox", "outbox_id"),)

    id: int | None = Field(default=None, primary_key=True)
    msg_id: str = Field(unique=True)
    feedback_id: str
    outbox_id: int | None = None
    chat_id: str | None = None
    speaker: str
    kind: FeedbackKind = Field(sa_type=enum_text(FeedbackKind))
    content: str
    reasons: list[int] = Field(sa_type=JsonColumn)
    said_at: datetime = Field(sa_type=UtcDateTime)


class LeaseRow(SQLModel, table=True):
    """Who may do what only one node may do, and until when.

    `resting_until`: nobody takes it before; after `kicks` times in a row in which a stranger took the connection over.
    """

    __tablename__ = "bot_lease"

    name: str = Field(primary_key=True)
    owner: str
    until_at: datetime = Field(sa_type=UtcDateTime)
    resting_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    kicks: int = 0
