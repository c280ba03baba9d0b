"""Says through the response_url what the platform never came for: its deadline passed first (08-aibot.md, 8.2, 8.3).

The words are in the outbox as sent already, with their stream's id as the platform's; only when this way is closed too
does that row become failed, so that it is seen.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog
from sqlmodel import select

from bot.aibot import streams
from bot.aibot.models import BotStreamRow
from bot.aibot.states import StreamState
from bot.clock import Clock
from bot.errors import PlatformError, PlatformUnavailable
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Database
from bot.wecom.bot_message import BotMessage

log = structlog.get_logger("bot.aibot")

_LEASE = timedelta(minutes=1)
_PAUSE = timedelta(seconds=10)
_URL_LIFE = timedelta(hours=1)
_STREAMS_KEPT = timedelta(days=2)
# A card can be pressed for 72 h after it was sent (02-events.md, 2.2).
_CARDS_KEPT = timedelta(days=4)

# Posts to a response_url (`bot.wecom.send_aibot.answer_by_url`, joined in console/compose.py).
PostAnswer = Callable[[str, BotMessage], Awaitable[object]]


class StreamKeeper:
    """Any node may run it at any time: a claim decides who says what."""

    def __init__(self, database: Database, clock: Clock, post_answer: PostAnswer) -> None:
        self._database = database
        self._clock = clock
        self._post_answer = post_answer

    async def run_once(self) -> int:
        """Say what is overdue; returns how many answers were looked at."""
        async with self._database.transaction() as tx:
            claimed = await streams.claim_unfetched(tx, self._clock.now(), _LEASE)
        for row, tried in claimed:
            await self._say(row, tried)
        return len(claimed)

    async def forget_old(self) -> int:
        """Delete streams and cards that nobody can ask for any more; returns how many. What was said is archived."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            return await streams.do_forget(tx, started_before=now - _STREAMS_KEPT, sent_before=now - _CARDS_KEPT)

    async def _say(self, row: BotStreamRow, tried: bool) -> None:
        message = BotMessage(row.content, row.card, row.id, in_doubt=tried)
        try:
            await self._post_answer(row.response_url, message)
        except PlatformUnavailable as error:
            log.warning("aibot.fallback_postponed", stream=row.id, errcode=error.errcode)
            if self._clock.now() > row.started_at + _URL_LIFE:
                await self._settle(row.id, StreamState.LOST, error)
            elif not tried and not error.maybe_done:
                await self._settle(row.id, StreamState.ANSWERED, None)
        except PlatformError as error:
            await self._settle(row.id, StreamState.LOST, error)
        else:
            await self._settle(row.id, StreamState.SAID_BY_URL, None)

    async def _settle(self, stream_id: str, state: StreamState, error: PlatformError | None) -> None:
        async with self._database.transaction() as tx:
            row = await streams.lock_stream(tx, stream_id)
            if row is None or row.state is not StreamState.BY_URL:
                return
            streams.move(row, state)
            row.claimed_until = self._clock.now() + _PAUSE if state is StreamState.ANSWERED else None
            if error is not None:
                query = select(OutboxRow).where(OutboxRow.platform_msgid == stream_id).with_for_update()
                for outgoing in (await tx.exec(query)).all():
                    outgoing.state = OutboxState.FAILED
                    outgoing.error = f"aibot.not_fetched {error.errcode}"
        log.info("aibot.fallback", stream=stream_id, state=state.value)
