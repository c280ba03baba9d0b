"""The question asked before anything is queued to leave, and who is told when it has left.

Declared here, answered in `compliance`, joined in `console/compose.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bot.context import Reply
from bot.json import JSON
from bot.outbox.models import OutboxRow
from bot.storage.database import Tx


@dataclass(frozen=True, slots=True)
class GateDecision:
    """May it leave? `findings` are kept with the row either way; `reason` is for people, when it may not."""

    allowed: bool
    findings: tuple[Mapping[str, JSON], ...] = ()
    reason: str | None = None


class OutboundGate(Protocol):
    """Decides whether a reply may leave."""

    async def check(self, tx: Tx, outgoing: Reply, now: datetime) -> GateDecision:
        """Decide; may read in `tx`, writes nothing."""
        ...


class OutboundRecorder(Protocol):
    """Is told of what has left, in the transaction that marks it sent."""

    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Keep what the bank must keep of it."""
        ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a queued row may not leave any more. `code` is stable (`kf.budget`); it becomes the row's error."""

    code: str


class SendOutcome(StrEnum):
    """What became of an attempt.

    SENT: the platform took it. REFUSED: it did not and will not. LATER: it did not, there is another attempt.
    IN_DOUBT: it may have arrived, there is another attempt. LOST_IN_DOUBT: it may have arrived, there is none.
    """

    SENT = "sent"
    REFUSED = "refused"
    LATER = "later"
    IN_DOUBT = "in_doubt"
    LOST_IN_DOUBT = "lost_in_doubt"


class SendPermit(Protocol):
    """Keeps account of what the platform lets us say: asked before a row leaves, told of what became of it.

    Both run in the sender's own transactions: `claim` in the one that marks the row as being sent, before the call;
    `settle` in the one that writes down the outcome. So the account is right after a crash at any moment.
    """

    async def claim(self, tx: Tx, row: OutboxRow, now: datetime) -> Refusal | None:
        """Take what the row needs from the account, or say why it may not leave; then it has failed for good.

        Called again for the same row before each attempt; a row in doubt has its share already.
        """
        ...

    async def settle(self, tx: Tx, row: OutboxRow, outcome: SendOutcome, errcode: int, now: datetime) -> None:
        """Write down what became of the attempt; `errcode` is the platform's, 0 when there was none.

        `row.state` and `row.result` are set already; a SENT row that was reported undelivered meanwhile is failed here.
        """
        ...
