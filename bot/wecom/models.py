"""What all nodes must know of the platform together: tokens, used-up limits, and whose turn it is on an object."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime


class CredentialRow(SQLModel, table=True):
    """An access token or a JS ticket: one for each secret and kind, refreshed by one node for all.

    `sealed` is encrypted under a key made from the secret: of no use to who reads the database alone. `secret_print`
    tells whether the secret is still the one it was fetched with. `refreshing_by` is the node that fetches a new one,
    until `refreshing_until`; until `same_until` none is asked for, because the last answer was the refused one again.
    `refused_errcode` opens the circuit: nobody asks again before `refused_until`, or ever,
    when that is empty, until the secret changes or an administrator says so.
    """

    __tablename__ = "wecom_credential"

    name: str = Field(primary_key=True)
    sealed: str | None = None
    secret_print: str = ""
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refreshed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refreshing_by: str | None = None
    refreshing_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    same_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refused_errcode: int | None = None
    refused_reason: str | None = None
    refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class PaceWindowRow(SQLModel, table=True):
    """How many calls a budget has used in the window of `seconds` that began at `starts_at`, and in the one before."""

    __tablename__ = "wecom_pace_window"

    budget: str = Field(primary_key=True)
    seconds: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    starts_at: datetime = Field(sa_type=UtcDateTime)
    taken: int = 0
    before: int = 0


class PaceStateRow(SQLModel, table=True):
    """What the platform said about the calls of one application to one API: stop (45009), or not so many (45033)."""

    __tablename__ = "wecom_pace_state"

    api: str = Field(primary_key=True)
    app: str = Field(primary_key=True)
    closed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    strikes: int = 0
    slots: int | None = None
    slots_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class TurnRow(SQLModel, table=True):
    """Whose turn it is to write on one object of the platform (45035)."""

    __tablename__ = "wecom_turn"

    subject: str = Field(primary_key=True)
    owner: str
    until: datetime = Field(sa_type=UtcDateTime, index=True)
