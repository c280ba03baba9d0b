"""The tables of the reply library: scripts, their versions, the product shelf, and the library's version number."""

from datetime import date, datetime

from sqlalchemy import JSON, Index, text
from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime, enum_text
from knowledge_base.values import Audience, ProductStatus, RiskLevel, ScriptState

# Versions are unique states of wording, so at most one of a script's may be in force: the database keeps the promise.
_ONE_IN_FORCE = Index(
    "uq_script_version_in_force",
    "script_id",
    unique=True,
    sqlite_where=text("state = 'approved'"),
    postgresql_where=text("state = 'approved'"),
)


class ScriptRow(SQLModel, table=True):
    """A script (话术). Its wording lives in the versions; here stands what lists are filtered and searched by.

    `current_version` is the one in force, `None` while there is none. `search_text` is the folded wording of the newest
    version. `state` is that of the version in force, or else of the newest one.
    """

    __tablename__ = "script"

    id: str = Field(primary_key=True)
    category: str = Field(index=True)
    title: str
    state: ScriptState = Field(sa_type=enum_text(ScriptState), index=True)
    current_version: int | None = None
    latest_version: int
    search_text: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ScriptVersionRow(SQLModel, table=True):
    """One version of a script's wording. Never edited once written; only its state moves (`approval.py`)."""

    __tablename__ = "script_version"
    __table_args__ = (_ONE_IN_FORCE,)

    script_id: str = Field(primary_key=True, foreign_key="script.id")
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    state: ScriptState = Field(sa_type=enum_text(ScriptState), index=True)
    category: str
    title: str
    question: str
    variants: list[str] = Field(sa_type=JSON)
    answer: str
    audience: Audience = Field(sa_type=enum_text(Audience))
    product_code: str | None = Field(default=None, index=True)
    source: str
    risk_note: str | None = None
    effective_on: date
    expires_on: date | None = None
    author: str
    created_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: str | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_by: str | None = None
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_reason: str | None = None


class ProductRow(SQLModel, table=True):
    """One product on the shelf (货架)."""

    __tablename__ = "product"

    code: str = Field(primary_key=True)
    name: str = Field(unique=True)
    kind: str = Field(index=True)
    risk_level: RiskLevel | None = Field(default=None, sa_type=enum_text(RiskLevel))
    term: str
    rate_text: str
    min_amount_fen: int | None = None
    status: ProductStatus = Field(sa_type=enum_text(ProductStatus))
    updated_at: datetime = Field(sa_type=UtcDateTime)


class LibraryVersionRow(SQLModel, table=True):
    """One row: a number that grows with every change, so that each node notices that its index is old."""

    __tablename__ = "library_version"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    version: int
    changed_at: datetime = Field(sa_type=UtcDateTime)
