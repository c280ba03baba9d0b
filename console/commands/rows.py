"""`rmbot inbox` and `rmbot outbox`: what waits, what failed, and doing it again."""

import json
from datetime import datetime

from bot.clock import CHINA
from bot.inbox import store as inbox
from bot.inbox.models import InboxState
from bot.outbox import store as outbox
from bot.outbox.models import OutboxState
from bot.storage.database import Database
from console.settings import Settings


def _time(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%m-%d %H:%M:%S")


async def list_inbox(settings: Settings, state: InboxState | None, limit: int, as_json: bool) -> list[str]:
    """Return a line for each of the newest rows: no content, only what it is and how it stands."""
    database = await Database.open(settings.storage.url)
    try:
        async with database.reading() as tx:
            rows = await inbox.list_rows(tx, state, limit)
    finally:
        await database.close()
    if as_json:
        return [
            json.dumps({"id": row.id, "state": row.state, "event": row.event_type, "error": row.error}) for row in rows
        ]
    return [
        f"{row.id:>8}  {row.state.value:<10} {_time(row.received_at)}  {row.event_type:<22} "
        f"attempts {row.attempts}  {row.error or ''}".rstrip()
        for row in rows
    ]


async def replay_inbox(settings: Settings, row_id: int) -> None:
    """Put a failed event back in line.

    Raises:
        NotFound, Conflict: there is no such row, or it has not failed.
    """
    database = await Database.open(settings.storage.url)
    try:
        async with database.transaction() as tx:
            await inbox.do_replay(tx, row_id)
    finally:
        await database.close()


async def list_outbox(settings: Settings, state: OutboxState | None, limit: int) -> list[str]:
    """Return a line for each of the newest rows: no content, only where it goes and how it stands."""
    database = await Database.open(settings.storage.url)
    try:
        async with database.reading() as tx:
            rows = await outbox.list_rows(tx, state, limit)
    finally:
        await database.close()
    return [
        f"{row.id:>8}  {row.state.value:<10} {_time(row.created_at)}  {row.purpose:<20} {row.recipient}  "
        f"{row.error or ''}".rstrip()
        for row in rows
    ]


async def resend_outbox(settings: Settings, row_id: int) -> None:
    """Queue a failed reply again.

    Raises:
        NotFound, Conflict: there is no such row, or it has not failed.
    """
    database = await Database.open(settings.storage.url)
    try:
        async with database.transaction() as tx:
            await outbox.do_requeue(tx, row_id)
    finally:
        await database.close()
