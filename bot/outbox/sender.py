"""Lets queued replies out, in order for each recipient, paced, and keeps what became of them.

Sent is written in the transaction after the platform's answer. Dead in between, the row is found in `sending` with its
lease run out: then the attempt may have arrived, and the next one says so to the courier, which has the platform leave
out a repeat or asks what it has (bot/wecom/send.py). What is recorded as sent is never sent again.

Nothing is tried that cannot succeed: a reply past its time, or to a recipient the platform called unreachable, is given
up at once with the reason. Being over a limit is no failed attempt: the reply waits for as long as the limit says.
"""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert
from bot.clock import Clock
from bot.errors import PlatformError, PlatformUnavailable, RateLimited, RecipientUnavailable
from bot.outbox import ledger, store, unreachable
from bot.outbox.codec import load_address, load_content
from bot.outbox.gate import OutboundRecorder, SendOutcome, SendPermit
from bot.outbox.models import OutboxRow, OutboxState
from bot.settings import OutboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.pace import patience
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send import Courier

log = structlog.get_logger("bot.outbox")

_HOUR = timedelta(hours=1)
# The field of message/send's answer that names the member (bot/wecom/send_app.py).
_UNLICENSED = "unlicenseduser"


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
        permit: SendPermit | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._courier = courier
        self._recorder = recorder
        self._owner = owner
        self._permit = permit
        self._lease = timedelta(seconds=settings.lease_seconds)
        self._allowances = (
            ledger.Allowance(timedelta(minutes=1), settings.per_member_per_minute),
            ledger.Allowance(_HOUR, settings.per_member_per_hour),
        )

    async def drain(self, recipient: str) -> None:
        """Send what the recipient has waiting, until nothing may be sent now."""
        while (claimed := await self._claim(recipient)) is not None:
            row_id, parcel = claimed
            await self._send(row_id, parcel)

    async def _claim(self, recipient: str) -> tuple[int, Parcel] | None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            while (row := await store.find_next(tx, recipient, now)) is not None:
                free_at = await self._free_at(tx, row, now)
                hopeless = await self._why_hopeless(tx, row, free_at or now)
                if hopeless is not None:
                    log.warning("outbox.given_up", row=row.id, reason=hopeless)
                    await store.do_fail(tx, row, hopeless)
                elif free_at is not None:
                    log.info("outbox.paced", row=row.id, recipient=recipient)
                    store.delay(row, now, free_at, "member_limit")
                    return None
                elif self._permit is not None and (refusal := await self._permit.claim(tx, row, now)) is not None:
                    await store.do_fail(tx, row, refusal.code)
                else:
                    return await self._take(tx, row, now)
        return None

    async def _take(self, tx: Tx, row: OutboxRow, now: datetime) -> tuple[int, Parcel]:
        in_doubt = store.claim(row, self._owner, now, self._lease)
        if _is_counted(row):
            await ledger.record_attempt(tx, row.recipient, now, keep=_HOUR)
        # of a member's messages, what was sent before the doubt cannot be what is in doubt; of tasks, nothing known can
        before = row.attempted_at if _is_counted(row) else None
        known = await store.list_platform_msgids(tx, row.recipient, before) if in_doubt else ()
        return row.id or 0, _parcel(row, in_doubt, known)

    async def _free_at(self, tx: Tx, row: OutboxRow, now: datetime) -> datetime | None:
        """Return when the member may get another message, if not now."""
        return await ledger.free_at(tx, row.recipient, now, self._allowances) if _is_counted(row) else None

    async def _why_hopeless(self, tx: Tx, row: OutboxRow, at: datetime) -> str | None:
        """Return why the row could not arrive if it were sent at that time."""
        if row.expires_at is not None and at >= row.expires_at:
            return store.EXPIRED
        quarantine = await unreachable.find_unreachable(tx, row.recipient, at)
        return None if quarantine is None else f"unreachable {quarantine.errcode}"

    async def _send(self, row_id: int, parcel: Parcel) -> None:
        try:
            # a call that waited for its turn would outlast the claim on the row: the row waits instead
            with patience(0):
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
            if self._permit is not None:
                await self._permit.settle(tx, row, SendOutcome.SENT, 0, now)
        late = (now - (row.due_at or row.created_at)).total_seconds()
        log.info("outbox.sent", row=row_id, attempts=row.attempts, late_seconds=round(late, 3))

    async def _record_failure(self, row_id: int, error: PlatformError, parcel: Parcel) -> None:
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await store.get_row(tx, row_id)
            row.claimed_by = row.claimed_until = None
            # a doubt stays until the platform has answered it, whatever this attempt came to
            in_doubt = parcel.in_doubt or _may_have_arrived(error)
            if not in_doubt:
                row.attempted_at = None
            if isinstance(error, RateLimited):
                row.attempts -= 1
            await self._plan(tx, row, error, in_doubt, now)
            if self._permit is not None:
                await self._permit.settle(tx, row, _outcome(row, in_doubt), error.errcode, now)
        log.warning("outbox.not_sent", row=row_id, code=error.code, errcode=error.errcode, state=row.state.value)

    async def _plan(self, tx: Tx, row: OutboxRow, error: PlatformError, in_doubt: bool, now: datetime) -> None:
        """Have the row wait for its next attempt, or give it up."""
        why = f"{error.code} {error.errcode}"
        wait = self._wait(row, error)
        if wait is None:
            await store.do_fail(tx, row, why)
            if isinstance(error, RecipientUnavailable):
                await self._leave_alone(tx, row.recipient, error, now)
            return
        row.state = OutboxState.UNCERTAIN if in_doubt else OutboxState.QUEUED
        row.error = why
        store.delay(row, now, now + wait, why)
        if row.expires_at is not None and now + wait >= row.expires_at:
            await store.do_fail(tx, row, store.EXPIRED)

    async def _leave_alone(self, tx: Tx, recipient: str, error: RecipientUnavailable, now: datetime) -> None:
        """Try nobody again whom the next message would not reach either; a missing licence an administrator can buy."""
        if unreachable.is_lasting(recipient, error):
            await unreachable.do_mark_unreachable(tx, recipient, error, now, self._settings.unreachable_days)
        if error.errmsg == _UNLICENSED:
            await do_raise_alert(tx, Trouble(AlertKind.LICENCE, "app", "app", errcode=701008, detail=recipient), now)

    def _wait(self, row: OutboxRow, error: PlatformError) -> timedelta | None:
        """Return how long to wait before the next attempt; `None` when there is to be none."""
        if isinstance(error, RateLimited):
            return timedelta(seconds=error.retry_after_seconds)
        waits = self._settings.retry_seconds
        if not error.retryable or row.attempts > len(waits):
            return None
        # never longer than said: many rows that failed together should not all come back together
        return timedelta(seconds=waits[row.attempts - 1] * random.uniform(0.8, 1.0))  # noqa: S311  only to spread


def _is_counted(row: OutboxRow) -> bool:
    return row.address_kind == "StaffChat"


def _parcel(row: OutboxRow, in_doubt: bool, known_msgids: Sequence[str]) -> Parcel:
    return Parcel(
        address=load_address(row.address_kind, row.address),
        content=load_content(row.content_kind, row.content),
        key=row.key,
        in_doubt=in_doubt,
        known_msgids=tuple(known_msgids),
        attempted_at=row.attempted_at or row.created_at,
    )


def _outcome(row: OutboxRow, in_doubt: bool) -> SendOutcome:
    if row.state is OutboxState.FAILED:
        return SendOutcome.LOST_IN_DOUBT if in_doubt else SendOutcome.REFUSED
    return SendOutcome.IN_DOUBT if in_doubt else SendOutcome.LATER


def _may_have_arrived(error: PlatformError) -> bool:
    return isinstance(error, PlatformUnavailable) and error.maybe_done
