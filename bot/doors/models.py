"""Rows the platform edge needs for itself."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime


class KfCursorRow(SQLModel, table=True):
    """How far a 微信客服 account has been read (written with the items it covers), and who is reading it now.

    `lease` names one pull; until `leased_until` nobody else pulls the account, but a notice that comes meanwhile sets
    `again`. `due_at` is when to pull without being told: set by every notice, cleared when nothing was left, so that
    a pull that failed or died is made up for. `token` is the newest notice's, good until `token_until`.
    """

    __tablename__ = "kf_cursor"

    open_kfid: str = Field(primary_key=True)
    cursor: str = ""
    known_at: datetime = Field(sa_type=UtcDateTime)
    pulled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lease: str | None = None
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    again: bool = False
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    token: str | None = None
    token_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failures: int = 0
    error: str | None = None
