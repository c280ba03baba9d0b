"""Rows of the console's own: local accounts and login sessions."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime, enum_text
from console.rights import Role


class Surface(StrEnum):
    """Where a session is good: the whole console, or only the pages opened inside WeCom's side bar."""

    CONSOLE = "console"
    SIDEBAR = "sidebar"


class AccountRow(SQLModel, table=True):
    """One who may log in, keyed by the member's userid at WeCom.

    `failures` and `locked_until` live here and not in memory, so that a lock-out holds on every node.
    """

    __tablename__ = "console_account"

    staff_id: str = Field(primary_key=True)
    name: str
    role: Role = Field(sa_type=enum_text(Role))
    position: str
    password_hash: str
    failures: int = 0
    locked_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    language: str = "zh"
    theme: str = "auto"
    created_at: datetime = Field(sa_type=UtcDateTime)


class LoginSessionRow(SQLModel, table=True):
    """One login. Only the SHA-256 of the cookie's token is kept: a copy of the table logs nobody in."""

    __tablename__ = "console_session"

    token_sha256: str = Field(primary_key=True)
    staff_id: str = Field(index=True)
    name: str
    role: Role = Field(sa_type=enum_text(Role))
    position: str
    surface: Surface = Field(sa_type=enum_text(Surface))
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(index=True, sa_type=UtcDateTime)
