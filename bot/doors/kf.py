"""Pulls 微信客服 messages: the callback only says that there is something (07-kf.md, 7.2).

One pull per account at a time, over all nodes: the account's row is the lease. Items, cursor, session account and lease
are committed together, page by page, so that a pull may die at any moment and the next one goes on.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_, update
from sqlmodel import col, select

from bot.clock import Clock
from bot.doors.models import KfCursorRow
from bot.doors.readers import kf_row
from bot.errors import PlatformError, RateLimited
from bot.ids import new_id
from bot.inbox.models import InboxRow, InboxState, NewInboxRow, Source
from bot.inbox.store import put_events
from bot.kf.items import KfFact, read_fact
from bot.kf.ledger import KfLedger
from bot.storage.database import Database, Tx
from bot.storage.upsert import insert_ignore
from bot.wecom.client import WeComClient

log = structlog.get_logger("bot.doors.kf")

_API = "POST /cgi-bin/kf/sync_msg"
_LIMIT = 1000
# After so many a pull gives way, and `pull_due` goes on: a backlog of days must not hold up whoever asked.
_PAGES_AT_ONCE = 20
_BAD_TOKEN = 95007
_TOKEN_LIFE = timedelta(minutes=10)
# Longer than any one page can take; each stored page begins it anew.
_LEASE = timedelta(seconds=60)
_FIRST_WAIT = timedelta(seconds=5)
_LONGEST_WAIT = timedelta(minutes=5)
# The platform keeps items for three days: after two without a pull there is one left to mend it.
STALE_AFTER = timedelta(days=2)
UNREADABLE = "kf.item_unreadable"


class _LeaseLost(Exception):
    """The pull took so long that another one has begun; nothing of the last page is stored by this one."""


@dataclass(frozen=True, slots=True)
class _Position:
    """Where the next page begins, and the notice's token if it still lives."""

    cursor: str
    token: str | None


class KfPuller:
    """Brings the items of accounts into the inbox, each once, and enters them into the sessions' account.

    Args:
        ledger: is told of every new item in the transaction that stores it.
        owner: names this node in leases.
    """

    def __init__(self, database: Database, client: WeComClient, clock: Clock, ledger: KfLedger, owner: str) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._ledger = ledger
        self._owner = owner

    async def pull(self, open_kfid: str, token: str | None = None) -> int:
        """Read on from the stored cursor until nothing is left; returns how many items were new.

        While another pull of the account runs, here or on another node, it is told to look once more, and 0 comes
        back at once. What the platform refuses is not raised: the account stays due, and `pull_due` makes up for it.
        `token` is the callback's; without it the platform allows few calls.
        """
        lease = f"{self._owner}:{new_id('pull')}"
        position = await self._begin(open_kfid, token, lease)
        if position is None:
            log.info("kf.pull_runs_already", account=open_kfid)
            return 0
        try:
            return await self._read_on(open_kfid, lease, position)
        except _LeaseLost:
            log.warning("kf.pull_taken_over", account=open_kfid)
        except PlatformError as error:
            await self._postpone(open_kfid, lease, error)
        except BaseException:
            await self._let_go(open_kfid, lease)
            raise
        return 0

    async def pull_due(self, accounts: Collection[str] = (), every: timedelta = timedelta(minutes=5)) -> int:
        """Pull the accounts that are due, and those (of `accounts` and all known ones) nobody pulled for `every`.

        Callbacks can be lost: this is how their messages come in all the same. Returns how many items were new.
        """
        now = self._clock.now()
        async with self._database.reading() as tx:
            due = await list_due_accounts(tx, now, every)
            known = set((await tx.exec(select(KfCursorRow.open_kfid))).all())
        return sum([await self.pull(account) for account in [*due, *sorted(set(accounts) - known)]])

    async def _begin(self, open_kfid: str, token: str | None, lease: str) -> _Position | None:
        """Take the lease; `None` when somebody has it, who then will look once more."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            first = {"open_kfid": open_kfid, "cursor": "", "known_at": now, "again": False, "failures": 0}
            await insert_ignore(tx, KfCursorRow, [first], ("open_kfid",))
            row = await _lock(tx, open_kfid)
            if token:
                row.token, row.token_until = token, now + _TOKEN_LIFE
            row.due_at = min(row.due_at, now) if row.due_at else now
            if row.leased_until is not None and row.leased_until > now:
                row.again = True
                return None
            row.lease, row.leased_until, row.again = lease, now + _LEASE, False
            return _position(row, now)

    async def _read_on(self, open_kfid: str, lease: str, position: _Position) -> int:
        new = 0
        for _ in range(_PAGES_AT_ONCE):
            page = await self._fetch(open_kfid, position)
            stored, following = await self._store(open_kfid, lease, position, page)
            new += stored
            if following is None:
                log.info("kf.pulled", account=open_kfid, new=new)
                return new
            position = following
        await self._let_go(open_kfid, lease)
        log.info("kf.pull_goes_on", account=open_kfid, new=new)
        return new

    async def _fetch(self, open_kfid: str, position: _Position) -> dict[str, Any]:
        body: dict[str, Any] = {"open_kfid": open_kfid, "limit": _LIMIT}
        if position.cursor:
            body["cursor"] = position.cursor
        if not position.token:
            return await self._client.call(_API, body, app="kf")
        try:
            return await self._client.call(_API, {**body, "token": position.token}, app="kf")
        except PlatformError as error:
            if error.errcode != _BAD_TOKEN:
                raise
        await self._forget_token(open_kfid, position.token)
        return await self._client.call(_API, body, app="kf")

    async def _forget_token(self, open_kfid: str, token: str) -> None:
        async with self._database.transaction() as tx:
            row = await _lock(tx, open_kfid)
            if row.token == token:
                row.token = row.token_until = None

    async def _store(
        self, open_kfid: str, lease: str, position: _Position, page: Mapping[str, Any]
    ) -> tuple[int, _Position | None]:
        """Store a page; returns how many items were new, and where to go on (`None`: nothing is left)."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await _lock(tx, open_kfid)
            if row.lease != lease:
                raise _LeaseLost
            items = page.get("msg_list")
            new = await self._put(tx, items if isinstance(items, list) else [], open_kfid, now)
            row.cursor = str(page.get("next_cursor") or row.cursor)
            row.pulled_at, row.failures, row.error = now, 0, None
            more = bool(int(page.get("has_more") or 0))
            if more and row.cursor == position.cursor:
                # asked again at once it would answer the same; the list may be empty, but the cursor has to move
                _release(row, due_at=now + _FIRST_WAIT)
            elif more or row.again:
                row.again = row.again and more
                row.leased_until = now + _LEASE
                return new, _position(row, now)
            else:
                _release(row, due_at=None)
        return new, None

    async def _put(self, tx: Tx, items: Sequence[object], open_kfid: str, now: datetime) -> int:
        """Store what is new of the items, in their order; one that cannot be read is parked with the reason."""
        rows: dict[str, tuple[NewInboxRow, KfFact | None]] = {}
        for item in items:
            try:
                row, fact = _read(item, open_kfid, now)
            except Exception as error:  # whatever is wrong with one item, the others must get through
                log.error("kf.item_unreadable", account=open_kfid, error=type(error).__name__)
                await _park(tx, item, open_kfid, now)
            else:
                rows.setdefault(row.dedupe_key, (row, fact))
        known = await _list_known(tx, rows)
        fresh = [pair for key, pair in rows.items() if key not in known]
        await put_events(tx, [row for row, _ in fresh])
        to_people = await self._ledger.apply(tx, [fact for _, fact in fresh if fact is not None], now)
        if to_people:
            # told apart by identity: two messages of one second are equal. Of one session the newest stands last.
            theirs = {id(fact) for fact in to_people}
            keys = {
                (fact.open_kfid, str(fact.customer_id)): row.dedupe_key
                for row, fact in fresh
                if fact is not None and id(fact) in theirs
            }
            ids = await _list_known(tx, keys.values())
            await self._ledger.keep_quiet(tx, {session: ids[key] for session, key in keys.items()})
        return len(fresh)

    async def _postpone(self, open_kfid: str, lease: str, error: PlatformError) -> None:
        """Give the lease back and say when to try again."""
        now = self._clock.now()
        async with self._database.transaction() as tx:
            row = await _lock(tx, open_kfid)
            if row.lease != lease:
                return
            wait = min(_FIRST_WAIT * 2 ** min(row.failures, 10), _LONGEST_WAIT)
            if isinstance(error, RateLimited):
                wait = timedelta(seconds=error.retry_after_seconds)
            elif not error.retryable:
                wait = _LONGEST_WAIT
            row.failures += 1
            row.error = f"{error.code} {error.errcode}"
            _release(row, due_at=now + wait)
        log.warning("kf.pull_postponed", account=open_kfid, code=error.code, errcode=error.errcode)

    async def _let_go(self, open_kfid: str, lease: str) -> None:
        async with self._database.transaction() as tx:
            row = await _lock(tx, open_kfid)
            if row.lease == lease:
                _release(row, due_at=self._clock.now())


def _position(row: KfCursorRow, now: datetime) -> _Position:
    lives = row.token_until is not None and row.token_until > now
    return _Position(row.cursor, row.token if lives else None)


def _release(row: KfCursorRow, due_at: datetime | None) -> None:
    row.lease = row.leased_until = None
    row.again = False
    row.due_at = due_at


async def _lock(tx: Tx, open_kfid: str) -> KfCursorRow:
    return (await tx.exec(select(KfCursorRow).where(KfCursorRow.open_kfid == open_kfid).with_for_update())).one()


def _read(item: object, open_kfid: str, now: datetime) -> tuple[NewInboxRow, KfFact | None]:
    if not isinstance(item, dict) or not item.get("msgid"):
        raise ValueError("an item has no msgid")
    row = kf_row(item, open_kfid, now)
    row.body.encode()  # a lone surrogate would break the whole batch at the database
    return row, read_fact(item, open_kfid, now)


async def _park(tx: Tx, item: object, open_kfid: str, now: datetime) -> None:
    """Keep an unreadable item as a failed inbox row: seen in the list of failures, replayed once we can read it."""
    body = json.dumps(item)  # escaped to ASCII: storable whatever it holds
    parked = {
        "source": Source.KF,
        "dedupe_key": f"kf:unreadable:{hashlib.sha256(body.encode()).hexdigest()}",
        "conversation": f"kf:{open_kfid}:",
        "event_type": "Unreadable",
        "body": body,
        "state": InboxState.FAILED,
        "received_at": now,
        "error": UNREADABLE,
    }
    await insert_ignore(tx, InboxRow, [parked], ("dedupe_key",))


async def _list_known(tx: Tx, keys: Iterable[str]) -> dict[str, int]:
    """Return the ids of the rows that are stored already, by key."""
    query = select(InboxRow.dedupe_key, InboxRow.id).where(col(InboxRow.dedupe_key).in_(list(keys)))
    return {key: row_id or 0 for key, row_id in (await tx.exec(query)).all()}


async def list_due_accounts(tx: Tx, now: datetime, every: timedelta) -> list[str]:
    """List accounts that want a pull: due, or not pulled for `every`; never those that are being pulled."""
    query = (
        select(KfCursorRow.open_kfid)
        .where(
            or_(col(KfCursorRow.leased_until).is_(None), col(KfCursorRow.leased_until) <= now),
            or_(
                col(KfCursorRow.due_at) <= now,
                col(KfCursorRow.due_at).is_(None)
                & or_(col(KfCursorRow.pulled_at).is_(None), col(KfCursorRow.pulled_at) <= now - every),
            ),
        )
        .order_by(KfCursorRow.open_kfid)
        .limit(500)
    )
    return list((await tx.exec(query)).all())


@dataclass(frozen=True, slots=True)
class KfPullHealth:
    """How an account's pulls go: `since` is the last good one, or when we first heard of the account."""

    open_kfid: str
    since: datetime
    stale: bool
    error: str | None


async def list_pull_health(tx: Tx, now: datetime) -> list[KfPullHealth]:
    """List the known accounts; a `stale` one loses messages for good within a day (07-kf.md: kept for three days)."""
    rows = (await tx.exec(select(KfCursorRow).order_by(KfCursorRow.open_kfid).limit(5000))).all()
    return [
        KfPullHealth(row.open_kfid, since, now - since > STALE_AFTER, row.error)
        for row in rows
        for since in (row.pulled_at or row.known_at,)
    ]


async def release_leases(tx: Tx) -> None:
    """Let go of every lease: only where one process is all there is, at its start, when a dead one had them."""
    statement = update(KfCursorRow).values(lease=None, leased_until=None)
    await (await tx.connection()).execute(statement)
