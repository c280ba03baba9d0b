"""The tables of this package: lexicon versions, the archive, findings, cases and verdicts."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text
from compliance.cases import CaseState, VerdictKind
from compliance.findings import Action, Category, Direction, Severity, Technique
from compliance.messages import ChatKind, SenderKind


class LexiconVersionRow(SQLModel, table=True):
    """One version of the lexicon. The newest is in force; older ones explain old findings."""

    __tablename__ = "lexicon_version"

    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    created_at: datetime = Field(sa_type=UtcDateTime)
    author: str
    approver: str
    reason: str
    term_count: int
    sha256: str


class TermRow(SQLModel, table=True):
    """One term of one version."""

    __tablename__ = "lexicon_term"
    __table_args__ = (UniqueConstraint("version", "rule_id"),)

    id: int | None = Field(default=None, primary_key=True)
    version: int = Field(foreign_key="lexicon_version.version", index=True)
    rule_id: str
    word: str
    category: Category = Field(sa_type=enum_text(Category))
    severity: Severity = Field(sa_type=enum_text(Severity))
    action: Action = Field(sa_type=enum_text(Action))
    direction: Direction = Field(sa_type=enum_text(Direction))


class ConversationRow(SQLModel, table=True):
    """A conversation that has been heard of. Locked while one of its messages is archived: cases form in order."""

    __tablename__ = "archive_conversation"

    conversation: str = Field(primary_key=True)
    chat_kind: ChatKind = Field(sa_type=enum_text(ChatKind))
    first_at: datetime = Field(sa_type=UtcDateTime)
    last_at: datetime = Field(sa_type=UtcDateTime, index=True)
    message_count: int = 0


class ArchivedMessageRow(SQLModel, table=True):
    """A message the bank keeps (会话存档).

    `scanned_version` is the lexicon that has seen it; `None` is "unscanned", never "clean". `text_sha256` is over the
    stored text. A recalled message stays, with `revoked_at`.
    """

    __tablename__ = "archived_message"
    __table_args__ = (
        UniqueConstraint("source", "msgid"),
        Index("ix_archived_message_place", "conversation", "sent_at", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    source: str
    msgid: str = Field(index=True)
    source_seq: int | None = Field(default=None, sa_type=BigInteger)
    chat_kind: ChatKind = Field(sa_type=enum_text(ChatKind))
    conversation: str
    sender_id: str = Field(index=True)
    sender_kind: SenderKind = Field(sa_type=enum_text(SenderKind))
    receivers: list[str] = Field(sa_type=JsonColumn)
    room_id: str | None = None
    msgtype: str
    text: str
    text_sha256: str
    raw: dict[str, Any] = Field(sa_type=JsonColumn)
    evidence: dict[str, Any] = Field(sa_type=JsonColumn)
    sent_at: datetime = Field(sa_type=UtcDateTime, index=True)
    archived_at: datetime = Field(sa_type=UtcDateTime)
    scanned_version: int | None = Field(default=None, index=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class CaseRow(SQLModel, table=True):
    """A review case (复核单): one window of one conversation.

    `subjects` are the members whose conduct it is about. `confidential` cases (AML) exist only for those with the
    right. Every change raises `revision`, so that nobody decides on what they have not seen.
    """

    __tablename__ = "review_case"
    __table_args__ = (
        Index("ix_review_case_window", "conversation", "confidential", "last_hit_at"),
        Index("ix_review_case_queue", "state", "severity", "due_at"),
    )

    id: str = Field(primary_key=True)
    conversation: str
    chat_kind: ChatKind = Field(sa_type=enum_text(ChatKind))
    category: Category = Field(sa_type=enum_text(Category))
    severity: Severity = Field(sa_type=enum_text(Severity))
    state: CaseState = Field(sa_type=enum_text(CaseState))
    confidential: bool = False
    revision: int = 1
    assignee: str | None = Field(default=None, index=True)
    subjects: list[str] = Field(sa_type=JsonColumn)
    finding_count: int = 0
    first_hit_at: datetime = Field(sa_type=UtcDateTime)
    last_hit_at: datetime = Field(sa_type=UtcDateTime)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class FindingRow(SQLModel, table=True):
    """A finding (命中) in an archived message. Suppressed ones are kept with their reason, outside any case."""

    __tablename__ = "finding"

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = Field(foreign_key="archived_message.id", index=True)
    case_id: str | None = Field(default=None, foreign_key="review_case.id", index=True)
    rule_id: str = Field(index=True)
    term: str
    category: Category = Field(sa_type=enum_text(Category))
    severity: Severity = Field(sa_type=enum_text(Severity))
    action: Action = Field(sa_type=enum_text(Action))
    technique: Technique = Field(sa_type=enum_text(Technique))
    start: int
    end: int
    lexicon_version: int
    suppressed_by: str | None = None
    found_at: datetime = Field(sa_type=UtcDateTime)


class VerdictRow(SQLModel, table=True):
    """A decision on a case, never changed: a correction is a new row that names the one it undoes.

    `seen` lists the messages that were before the officer, `seen_sha256` is over their texts' hashes.
    """

    __tablename__ = "verdict"
    __table_args__ = (UniqueConstraint("case_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    case_id: str = Field(foreign_key="review_case.id", index=True)
    revision: int
    kind: VerdictKind = Field(sa_type=enum_text(VerdictKind))
    actor: str
    decided_at: datetime = Field(sa_type=UtcDateTime, index=True)
    reason_code: str | None = None
    note: str = ""
    severity: Severity | None = Field(default=None, sa_type=enum_text(Severity))
    conduct: str | None = None
    follow_up: str | None = None
    target: str | None = None
    seen: list[int] = Field(sa_type=JsonColumn)
    seen_sha256: str
    spent_seconds: int | None = None
    undoes: int | None = Field(default=None, foreign_key="verdict.id")


class ArchiveCursorRow(SQLModel, table=True):
    """How far a source has been read, and what was noticed on the way."""

    __tablename__ = "archive_cursor"

    source: str = Field(primary_key=True)
    seq: int = Field(default=0, sa_type=BigInteger)
    gap_count: int = 0
    pulled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    newest_sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class QuarantineRow(SQLModel, table=True):
    """A record that could not be decrypted or read: kept whole, with the reason, until it can be.

    `tried_at` is the last try after the first.
    """

    __tablename__ = "archive_quarantine"
    __table_args__ = (UniqueConstraint("source", "seq"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
    seq: int = Field(sa_type=BigInteger)
    msgid: str
    publickey_ver: int
    encrypt_random_key: str
    encrypt_chat_msg: str
    reason: str
    at: datetime = Field(sa_type=UtcDateTime)
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    resolved_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
