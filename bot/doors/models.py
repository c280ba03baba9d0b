"""Rows the platform edge needs for itself."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime


class KfCursorRow(SQLModel, table=True):
    """How far a 微信客服 account has been read; written with the items it covers."""

    __tablename__ = "kf_cursor"

    open_kfid: str = Field(primary_key=True)
    cursor: str
    pulled_at: datetime = Field(sa_type=UtcDateTime)
