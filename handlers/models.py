"""Rows of the conversation: replies offered to a manager, and questions that wait for their answer."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text


class SuggestionState(StrEnum):
    """offered → sent or dismissed; nothing leads back."""

    OFFERED = "offered"
    SENT = "sent"
    DISMISSED = "dismissed"


class ReplySuggestionRow(SQLModel, table=True):
    """An approved reply prepared for one customer's question, for the manager to send with one tap.

    `chat_id` is `None` for a single chat. `text` is the script as rendered when it was offered; `cause_key` is the
    customer's message and the script, so that the same message read twice makes one suggestion.
    """

    __tablename__ = "reply_suggestion"
    __table_args__ = (Index("ix_reply_suggestion_staff", "staff_id", "state", "created_at"),)

    id: str = Field(primary_key=True)
    cause_key: str = Field(unique=True)
    staff_id: str
    chat_id: str | None = None
    customer_id: str
    question: str
    script_id: str
    script_version: int
    text: str
    state: SuggestionState = Field(default=SuggestionState.OFFERED, sa_type=enum_text(SuggestionState))
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class GreetedStaffRow(SQLModel, table=True):
    """A member who has been shown what the assistant can do, once, when they first opened the app."""

    __tablename__ = "greeted_staff"

    staff_id: str = Field(primary_key=True)
    greeted_at: datetime = Field(sa_type=UtcDateTime)


class PendingQuestionRow(SQLModel, table=True):
    """What the assistant has asked in a conversation and not yet been told; at most one per conversation.

    `kind` names the dialogue, `known` what it knows so far.
    """

    __tablename__ = "pending_question"

    conversation: str = Field(primary_key=True)
    kind: str
    known: dict[str, Any] = Field(sa_type=JsonColumn)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
