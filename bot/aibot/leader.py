"""Which of several nodes holds the AI bot's connection: a lease in a database row.

The platform keeps one connection for a bot; a second one throws the first out (08-aibot.md, 8.5). So one node leads. It
renews its lease; when it cannot, it lets go before the lease ends, and another takes over. The nodes' clocks must agree
to within `SAFETY`.
"""

from datetime import datetime, timedelta

from sqlalchemy import or_, update
from sqlmodel import col

from bot.aibot.models import LeaseRow
from bot.clock import Clock
from bot.storage.database import Database, Tx
from bot.storage.upsert import insert_ignore

SAFETY = timedelta(seconds=2)
_FIRST_REST = timedelta(minutes=1)
_LONGEST_REST = timedelta(minutes=15)


class Leadership:
    """One node's part in the election. `safe_until` is when it must have let go, unless it renews before."""

    def __init__(self, database: Database, clock: Clock, owner: str, lease_seconds: float, name: str = "aibot") -> None:
        self._database = database
        self._clock = clock
        self._owner = owner
        self._lease = timedelta(seconds=lease_seconds)
        self._name = name
        self.safe_until: datetime | None = None

    async def try_take(self) -> bool:
        """Take the lease if it is free and nobody is to rest; or renew our own."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            fresh = {"name": self._name, "owner": "", "until_at": now, "kicks": 0}
            await insert_ignore(tx, LeaseRow, [fresh], conflict=("name",))
            mine = or_(col(LeaseRow.owner) == self._owner, col(LeaseRow.until_at) <= now)
            rested = or_(col(LeaseRow.resting_until).is_(None), col(LeaseRow.resting_until) <= now)
            return await self._set(tx, now, mine, rested)

    async def renew(self) -> bool:
        """Hold the lease on; `False` when somebody else has it."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            return await self._set(tx, now, col(LeaseRow.owner) == self._owner)

    async def _set(self, tx: Tx, now: datetime, *conditions: object) -> bool:
        statement = (
            update(LeaseRow)
            .where(col(LeaseRow.name) == self._name, *conditions)  # type: ignore[arg-type]  # SQL conditions of any form
            .values(owner=self._owner, until_at=now + self._lease)
        )
        taken = (await (await tx.connection()).execute(statement)).rowcount == 1
        self.safe_until = now + self._lease - min(SAFETY, self._lease / 4) if taken else None
        return taken

    def seconds_safe(self) -> float:
        """Return how long nobody else can have the lease; 0 when it must be let go now."""
        return max(0.0, (self.safe_until - self._clock.now()).total_seconds()) if self.safe_until else 0.0

    async def give_up(self) -> None:
        """Let another node take over at once."""
        await self._release(resting_until=None)

    async def rest(self, *, steady: bool = False) -> None:
        """Let go because the connection was taken by a stranger, or refused: no node of ours fights for it.

        Each rest is longer than the one before, unless the connection had been `steady` in between.
        """
        now = self._clock.now()
        async with self._database.reading() as tx:
            row = await tx.get(LeaseRow, self._name)
        kicks = row.kicks if row is not None and not steady else 0
        rest = min(_FIRST_REST * 2 ** min(kicks, 10), _LONGEST_REST)
        await self._release(resting_until=now + rest, kicks=kicks + 1)

    async def _release(self, *, resting_until: datetime | None, kicks: int | None = None) -> None:
        self.safe_until = None
        values = {"owner": "", "until_at": self._clock.now(), "resting_until": resting_until}
        if kicks is not None:
            values["kicks"] = kicks
        async with self._database.transaction() as tx:
            statement = (
                update(LeaseRow)
                .where(col(LeaseRow.name) == self._name, col(LeaseRow.owner) == self._owner)
                .values(**values)
            )
            await (await tx.connection()).execute(statement)


async def find_leader(tx: Tx, now: datetime, name: str = "aibot") -> str | None:
    """Return the node that leads now; `None` when none does."""
    row = await tx.get(LeaseRow, name)
    return row.owner if row is not None and row.owner and row.until_at > now else None
