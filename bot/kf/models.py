"""What we know of each 微信客服 session, and one ledger entry for each message sent in it."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index
from sqlmodel import Field, SQLModel

from bot.storage.types import UtcDateTime, enum_text


class KfState(StrEnum):
    """Whose turn a session is: the platform's states 0 to 4 (07-kf.md, 7.4), in words. `NUMBERS` has the numbers."""

    NEW = "new"
    BOT = "bot"
    POOL = "pool"
    HUMAN = "human"
    ENDED = "ended"


NUMBERS = {KfState.NEW: 0, KfState.BOT: 1, KfState.POOL: 2, KfState.HUMAN: 3, KfState.ENDED: 4}
STATES = {number: state for state, number in NUMBERS.items()}
# Only in these does the platform let a program write (95018), so only in these the bot answers.
BOT_STATES = frozenset({KfState.NEW, KfState.BOT})
HUMAN_STATES = frozenset({KfState.POOL, KfState.HUMAN})


class KfClosed(StrEnum):
    """Why the platform said that the window is shut although our ledger has some left; until the customer writes."""

    BUDGET = "budget"
    WINDOW = "window"


class EntryState(StrEnum):
    """held → sent, given back, doubtful or undelivered. All but given back count against the budget."""

    HELD = "held"
    SENT = "sent"
    DOUBTFUL = "doubtful"
    GIVEN_BACK = "given_back"
    UNDELIVERED = "undelivered"


class KfSessionRow(SQLModel, table=True):
    """One customer's session with one account, as far as pulled items and our own calls have shown it.

    `last_customer_at` is the platform's time of the customer's newest message: from it 48 hours and five messages
    count. `servicer` is the member who serves in state human. `scene` and `scene_param` are those of the last entry.
    """

    __tablename__ = "kf_session"

    open_kfid: str = Field(primary_key=True)
    customer_id: str = Field(primary_key=True, index=True)
    state: KfState = Field(default=KfState.ENDED, sa_type=enum_text(KfState))
    servicer: str | None = None
    state_seen_at: datetime = Field(sa_type=UtcDateTime)
    last_customer_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    closed: KfClosed | None = Field(default=None, sa_type=enum_text(KfClosed))
    rejects: bool = False
    scene: str = ""
    scene_param: str = ""
    entered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    # the inbox row of the newest message that was written to a person: up to it nothing is ours to answer
    quiet_until: int = 0


class KfLedgerRow(SQLModel, table=True):
    """One message of ours, from the moment its sending begins. `fail_type`: the platform's, when it got lost later."""

    __tablename__ = "kf_ledger"
    __table_args__ = (Index("ix_kf_ledger_session", "open_kfid", "customer_id", "spent_at"),)

    outbox_id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    open_kfid: str
    customer_id: str
    state: EntryState = Field(sa_type=enum_text(EntryState))
    spent_at: datetime = Field(sa_type=UtcDateTime)
    fail_type: str | None = None
