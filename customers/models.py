"""Rows: the directory, customers, who serves them, and customer groups, as last seen at the platform.

What vanished at the platform is marked inactive and never deleted: the archive and the audit trail refer to it.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from bot.storage.types import JsonColumn, UtcDateTime, enum_text
from bot.wecom.contacts import GroupMemberKind


class RiskLevel(StrEnum):
    """A customer's assessed risk level (风险评级), C1 the most cautious."""

    C1 = "C1"
    C2 = "C2"
    C3 = "C3"
    C4 = "C4"
    C5 = "C5"


class FollowState(StrEnum):
    """The relation of a member and a customer. `ended`: one of the two has removed the other, or it was transferred."""

    ACTIVE = "active"
    ENDED = "ended"


class AibotCapability(StrEnum):
    """Whether a customer group admits the AI bot; probed per group (10-platform-boundaries.md, 10.2)."""

    UNKNOWN = "unknown"
    ADMITTED = "admitted"
    REFUSED = "refused"


class BranchRow(SQLModel, table=True):
    """A department of the directory. `parent_id` 0 is the root's."""

    __tablename__ = "branch"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    name: str
    parent_id: int = 0
    position: int = 0
    active: bool = True
    changed_at: datetime = Field(sa_type=UtcDateTime)


class StaffRow(SQLModel, table=True):
    """A member. `serves` tells whether they have the customer-contact right; `leads`, whether they lead `branch_id`."""

    __tablename__ = "staff"

    id: str = Field(primary_key=True)
    name: str = Field(index=True)
    branch_id: int | None = Field(default=None, index=True)
    position: str = ""
    serves: bool = False
    leads: bool = False
    active: bool = True
    changed_at: datetime = Field(sa_type=UtcDateTime)


class CustomerRow(SQLModel, table=True):
    """A customer. `risk_level`, `tier` and `stage` are read from corp tags, see `traits.py`.

    `gender` 0 unknown, 1 male, 2 female; `kind` 1 WeChat, 2 WeCom of another corp. `opted_out`: wants no broadcasts.
    """

    __tablename__ = "customer"

    id: str = Field(primary_key=True)
    name: str = Field(index=True)
    kind: int = 1
    gender: int = 0
    corp_name: str = ""
    unionid: str | None = None
    risk_level: RiskLevel | None = Field(default=None, sa_type=enum_text(RiskLevel))
    tier: str | None = None
    stage: str | None = None
    opted_out: bool = False
    active: bool = True
    changed_at: datetime = Field(sa_type=UtcDateTime)


class FollowRow(SQLModel, table=True):
    """One member serves one customer. Tags are on the pair; `tags` holds the ids of corp tags, names are in `corp_tag`.

    `mobiles` are masked before they are stored: nothing here needs the whole number.
    """

    __tablename__ = "follow"
    __table_args__ = (Index("ix_follow_customer", "customer_id"),)

    staff_id: str = Field(primary_key=True)
    customer_id: str = Field(primary_key=True, foreign_key="customer.id")
    remark: str = ""
    description: str = ""
    mobiles: list[str] = Field(sa_type=JsonColumn)
    tags: list[str] = Field(sa_type=JsonColumn)
    add_way: int = 0
    channel: str = ""
    state: FollowState = Field(default=FollowState.ACTIVE, sa_type=enum_text(FollowState))
    added_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_contact_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class CorpTagRow(SQLModel, table=True):
    """A corp tag and the group it belongs to."""

    __tablename__ = "corp_tag"

    id: str = Field(primary_key=True)
    name: str
    group_id: str = Field(index=True)
    group_name: str
    position: int = 0
    active: bool = True
    changed_at: datetime = Field(sa_type=UtcDateTime)


class CustomerGroupRow(SQLModel, table=True):
    """A customer group. `member_version` is the platform's: it changes whenever the members do."""

    __tablename__ = "customer_group"

    id: str = Field(primary_key=True)
    name: str
    owner_id: str = Field(index=True)
    member_count: int = 0
    member_version: str = ""
    created_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active: bool = True
    aibot: AibotCapability = Field(default=AibotCapability.UNKNOWN, sa_type=enum_text(AibotCapability))
    aibot_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    aibot_probed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime = Field(sa_type=UtcDateTime)


class GroupMemberRow(SQLModel, table=True):
    """A member of a customer group. `member_id` is a userid or an external_userid, as `kind` says."""

    __tablename__ = "group_member"
    __table_args__ = (Index("ix_group_member_member", "member_id"),)

    group_id: str = Field(primary_key=True, foreign_key="customer_group.id")
    member_id: str = Field(primary_key=True)
    kind: GroupMemberKind = Field(sa_type=enum_text(GroupMemberKind))
    name: str = ""
    joined_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    active: bool = True
    changed_at: datetime = Field(sa_type=UtcDateTime)


class DepartureRow(SQLModel, table=True):
    """A member who served customers and is no longer in the directory, or disabled there: somebody must take over.

    `customers` and `groups` count what they left when it was noticed. `settled_at`: their access has been ended and
    the branch told. `closed_at`: nothing is left to take over, or the member is back.
    """

    __tablename__ = "departure"

    staff_id: str = Field(primary_key=True)
    branch_id: int | None = Field(default=None, index=True)
    customers: int = 0
    groups: int = 0
    noticed_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncStage(StrEnum):
    """The parts of a full sync, in order."""

    DIRECTORY = "directory"
    TAGS = "tags"
    TRAITS = "traits"
    CUSTOMERS = "customers"
    GROUPS = "groups"


class SyncCursorRow(SQLModel, table=True):
    """The newest full sync: where it stands, and which node works on it until `lease_until`.

    `done` of `total` parts of `stage` are through; which ones is in `sync_part`. `counts` is what it has seen and
    changed so far. `last_error` is the platform's answer, or our error's code, that stopped it last.
    """

    __tablename__ = "sync_cursor"

    name: str = Field(primary_key=True)
    stage: str
    started_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    done: int = 0
    total: int = 0
    counts: dict[str, int] = Field(sa_type=JsonColumn)
    owner: str = ""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_error: str | None = None
    last_error_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncPartRow(SQLModel, table=True):
    """A part of a stage (a department, a member, a run over all customers): how far it has been read.

    `cursor` asks for its next page. What our rows hold and the platform did not show is judged against `started_at`:
    what changed later came by an event.
    """

    __tablename__ = "sync_part"

    stage: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    cursor: str = ""
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SyncSeenRow(SQLModel, table=True):
    """What the platform has shown of a part that is not through yet. Gone when the part is."""

    __tablename__ = "sync_seen"

    stage: str = Field(primary_key=True)
    part: str = Field(primary_key=True)
    object_id: str = Field(primary_key=True)
