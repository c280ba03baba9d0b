"""Lets queued replies out, in order for each recipient, paced, and keeps what became of them.

Sent is written in the transaction after the platform's answer. Dead in between, the row is found in `sending` with its
lease run out: then the attempt may have arrived, and the next one says so to the courier, which has the platform leave
out a repeat or asks what it has (bot/wecom/send.py). What is recorded as sent is never sent again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import PlatformError, PlatformUnavailable, RateLimited
from bot.outbox import store
from bot.outbox.codec import load_address, load_content
from bot.outbox.gate import OutboundRecorder
from bot.outbox.models import OutboxRow, OutboxState
from bot.settings import OutboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send import Courier

log = structlog.get_logger("bot.outbox")

_MINUTE = timedelta(minutes=1)


class Sender:
    """Drains recipients. `owner` names this node in the claims it makes."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        settings: OutboxSettings,
        courier: Courier,
        recorder: OutboundRecorder,
        owner: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._courier = courier
        self._recorder = recorder
        self._owner = owner
        self._lease = timedelta(seconds=settings.lease_seconds)

    async def drain(self, recipient: str) -> None:
        """Send what the recipient has waiting, until nothing may be sent now."""
        while (parcel := await self._claim(recipient)) is not None:
            row_id, content = parcel
            await self._send(row_id, content)

    async def _claim(self, recipient: str) -> tuple[int, Parcel] | None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.find_next(tx, recipient, now)
            if row is None:
                return None
            free_at = await self._free_at(tx, row, now)
            if free_at is not None:
                row.not_before = free_at
                return None
            in_doubt = store.claim(row, self._owner, now, self._lease)
            known = await store.list_platform_msgids(tx, recipient) if in_doubt else ()
            return row.id or 0, _parcel(row, in_doubt, known)

    async def _free_at(self, tx: Tx, row: OutboxRow, now: datetime) -> datetime | None:
        """Return when the member may get another message: over 30 a minute the platform drops them silently."""
        if row.address_kind != "StaffChat":
            return None
        query = select(func.count(), func.min(OutboxRow.sent_at)).where(
            OutboxRow.recipient == row.recipient,
            OutboxRow.state == OutboxState.SENT,
            col(OutboxRow.sent_at) > now - _MINUTE,
        )
        count, oldest = (await tx.exec(query)).one()
        if count < self._settings.per_member_per_minute or oldest is None:
            return None
        log.info("outbox.paced", recipient=row.recipient, recent=count)
        return now + timedelta(seconds=2)

    async def _send(self, row_id: int, parcel: Parcel) -> None:
        try:
            receipt = await self._courier.deliver(parcel, self._clock.now())
        except PlatformError as error:
            await self._record_failure(row_id, error, parcel)
        else:
            await self._record_sent(row_id, receipt)

    async def _record_sent(self, row_id: int, receipt: Receipt) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.get_row(tx, row_id)
            row.state = OutboxState.SENT
            row.sent_at = now
            row.platform_msgid = receipt.msgid
            row.result = receipt.result
            row.claimed_by = row.claimed_until = row.error = None
            await self._recorder.record_sent(tx, row, now)
        log.info("outbox.sent", row=row_id, attempts=row.attempts)

    async def _record_failure(self, row_id: int, error: PlatformError, parcel: Parcel) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.get_row(tx, row_id)
            row.claimed_by = row.claimed_until = None
            row.error = f"{error.code} {error.errcode}"
            # a doubt stays until the platform has answered it, whatever this attempt came to
            in_doubt = parcel.in_doubt or _may_have_arrived(error)
            if not in_doubt:
                row.attempted_at = None
            wait = self._wait(row, error)
            if wait is None:
                row.state = OutboxState.FAILED
            else:
                row.not_before = now + wait
                row.state = OutboxState.UNCERTAIN if in_doubt else OutboxState.QUEUED
        log.warning("outbox.not_sent", row=row_id, code=error.code, errcode=error.errcode, state=row.state.value)

    def _wait(self, row: OutboxRow, error: PlatformError) -> timedelta | None:
        """Return how long to wait before the next attempt; `None` when there is to be none."""
        if isinstance(error, RateLimited):
            return timedelta(seconds=error.retry_after_seconds)
        waits = self._settings.retry_seconds
        if not error.retryable or row.attempts > len(waits):
            return None
        return timedelta(seconds=waits[row.attempts - 1])


def _parcel(row: OutboxRow, in_doubt: bool, known_msgids: Sequence[str]) -> Parcel:
    return Parcel(
        address=load_address(row.address_kind, row.address),
        content=load_content(row.content_kind, row.content),
        # the time keeps it unlike the keys of an earlier database that began to count at 1 as well
        key=f"o{row.id}t{int(row.created_at.timestamp() * 1000)}",
        in_doubt=in_doubt,
        known_msgids=tuple(known_msgids),
        attempted_at=row.attempted_at or row.created_at,
    )


def _may_have_arrived(error: PlatformError) -> bool:
    return isinstance(error, PlatformUnavailable) and error.maybe_done
