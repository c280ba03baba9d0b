"""Corp tags change what they say about customers whose relations did not change: then all traits are read anew.

That this is due is a row, written with the tags themselves, so that a crash in between forgets nobody.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from bot.clock import Clock
from bot.storage.database import Database, Tx
from bot.wecom import contacts
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.contacts import CorpTag
from customers import mirror
from customers.models import CustomerRow, SyncPartRow, SyncStage
from customers.runs import do_reset_part, find_part
from customers.settings import CustomersSettings

_BATCH = 500
_ALL = ""


async def do_replace_tags(tx: Tx, tags: Sequence[CorpTag], now: datetime, asked_at: datetime | None = None) -> int:
    """Store all corp tags, and have the traits read anew when anything changed. Returns how many rows did."""
    changed = await mirror.do_store_tags(tx, tags, now, asked_at)
    if changed:
        await do_reset_part(tx, SyncStage.TRAITS, _ALL, now)
    return changed


async def do_delete_tags(tx: Tx, tag_or_group_id: str, now: datetime, *, is_group: bool) -> int:
    """Take a deleted tag, or a deleted group with its tags, off our copy at once. Returns how many tags went."""
    gone = await mirror.do_forget_tags(tx, tag_or_group_id, now, is_group=is_group)
    if gone:
        await do_reset_part(tx, SyncStage.TRAITS, _ALL, now)
    return gone


async def refresh_tags(db: Database, client: PlatformCalls, clock: Clock, settings: CustomersSettings) -> None:
    """Read all corp tags anew, after an event, and the traits of all customers when that changed anything.

    Raises:
        PlatformError: the platform cannot be used now.
    """
    asked_at = clock.now()
    tags = await contacts.list_corp_tags(client)
    async with db.transaction() as tx:
        await do_replace_tags(tx, tags, clock.now(), asked_at)
    await read_due_traits(db, clock, settings)


async def read_due_traits(db: Database, clock: Clock, settings: CustomersSettings) -> int:
    """Read the traits of all customers anew if that is due, or go on with it. Returns how many changed."""
    changed = 0
    while True:
        async with db.transaction() as tx:
            part = await find_part(tx, SyncStage.TRAITS, _ALL)
            if part is None or part.finished_at is not None:
                return changed
            changed += await _read_some(tx, part, settings, clock.now())


async def _read_some(tx: Tx, part: SyncPartRow, settings: CustomersSettings, now: datetime) -> int:
    query = select(CustomerRow.id).where(col(CustomerRow.id) > part.cursor).order_by(col(CustomerRow.id)).limit(_BATCH)
    ids = list((await tx.exec(query)).all())
    if not ids:
        part.finished_at = now
        return 0
    part.cursor = ids[-1]
    return await mirror.do_refresh_traits(tx, ids, settings, now)
