"""Alerts: one open row for each thing that is wrong."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime, enum_text


class AlertKind(StrEnum):
    """What is wrong, by what has to be done about it."""

    SECRET = "secret"  # noqa: S105  a kind of alert, not a secret
    CONFIGURATION = "configuration"
    LOW_ACTIVITY = "low_activity"
    LICENCE = "licence"
    RISK = "risk"


OPEN = text("resolved_at IS NULL")


class AlertRow(SQLModel, table=True):
    """Something wrong with `subject`, first and last seen, and when it was over.

    `app` and `api` are the call it was seen with, empty when an event told of it. `told_on` is the day (China) on which
    administrators were last told.
    """

    __tablename__ = "alert"
    __table_args__ = (
        Index("uq_alert_open", "kind", "subject", unique=True, sqlite_where=OPEN, postgresql_where=OPEN),
        Index("ix_alert_last", "last_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: AlertKind = Field(sa_type=enum_text(AlertKind))
    subject: str
    app: str = ""
    api: str = ""
    errcode: int | None = None
    detail: str = ""
    count: int = 1
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_by: str | None = None
    told_on: date | None = None
