"""The question asked before anything is queued to leave, and who is told when it has left.

Declared here, answered in `compliance`, joined in `console/compose.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
