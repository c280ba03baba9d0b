"""Pulls 微信客服 messages: the callback only says that there is something (07-kf.md, 7.2)."""

import asyncio
from typing import Any

import structlog

from bot.clock import Clock
from bot.doors.models import KfCursorRow
from bot.doors.readers import kf_row
from bot.inbox.models import NewInboxRow
from bot.inbox.store import put_events
from bot.storage.database import Database
from bot.wecom.client import WeComClient

log = structlog.get_logger("bot.doors.kf")

_API = "POST /cgi-bin/kf/sync_msg"
_LIMIT = 1000
# Whole pages for ever would mean that the platform never says it is done: that is a fault of its, not work.
_MAX_PAGES = 1000


class KfPuller:
    """Brings the items of an account into the inbox; one pull per account at a time in this process.

    Two nodes pulling the same account at once store the same items once: the inbox knows copies.
    """

    def __init__(self, database: Database, client: WeComClient, clock: Clock) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._locks: dict[str, asyncio.Lock] = {}

    async def pull(self, open_kfid: str, token: str | None = None) -> int:
        """Read on from the stored cursor until nothing is left; returns how many items were new.

        Items and cursor are committed together, page by page. `token` is the callback's, good for ten minutes.
        """
        async with self._locks.setdefault(open_kfid, asyncio.Lock()):
            new = 0
            for _ in range(_MAX_PAGES):
                page = await self._fetch(open_kfid, token)
                new += await self._store(open_kfid, page)
                if not int(page.get("has_more") or 0):
                    break
            log.info("kf.pulled", account=open_kfid, new=new)
            return new

    async def _fetch(self, open_kfid: str, token: str | None) -> dict[str, Any]:
        async with self._database.reading() as tx:
            row = await tx.get(KfCursorRow, open_kfid)
        body: dict[str, Any] = {"open_kfid": open_kfid, "limit": _LIMIT}
        if row is not None and row.cursor:
            body["cursor"] = row.cursor
        if token:
            body["token"] = token
        return await self._client.call(_API, body, app="kf")

    async def _store(self, open_kfid: str, page: dict[str, Any]) -> int:
        now = self._clock.now()
        rows: list[NewInboxRow] = [kf_row(item, open_kfid, now) for item in page.get("msg_list", [])]
        async with self._database.transaction() as tx:
            new = await put_events(tx, rows)
            cursor = await tx.get(KfCursorRow, open_kfid) or KfCursorRow(open_kfid=open_kfid, cursor="", pulled_at=now)
            cursor.cursor = str(page.get("next_cursor") or cursor.cursor)
            cursor.pulled_at = now
            tx.add(cursor)
        return new
