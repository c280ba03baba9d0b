"""`rmbot inbox` and `rmbot outbox`: what waits, what failed, doing it again, who is left alone, what is wrong."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from bot import audit
from bot.administrators import say_alert
from bot.alerts.store import do_resolve_by_id, list_open_alerts
from bot.clock import CHINA, SystemClock
from bot.inbox import store as inbox
from bot.inbox.models import InboxState
from bot.outbox import store as outbox
from bot.outbox import unreachable
from bot.outbox.models import OutboxState
from bot.storage.database import Database
from bot.wecom.reasons import explain, explain_error
from console.settings import Settings

# Who acted, in the audit trail: whoever may run commands on the server.
_ACTOR = "command line"


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
        f"{_why(row.state, row.error)}".rstrip()
        for row in rows
    ]


def _why(state: OutboxState, error: str | None) -> str:
    """Return what an error says and what it means; the gate's reason of a blocked row is words already."""
    if not error or state is OutboxState.BLOCKED:
        return error or ""
    return f"{error}（{explain_error(error).what}）"


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


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Database]:
    database = await Database.open(settings.storage.url)
    try:
        yield database
    finally:
        await database.close()


async def list_quarantine(settings: Settings, limit: int) -> list[str]:
    """Return a line for each recipient that is left alone, and why."""
    async with _opened(settings) as database, database.reading() as tx:
        rows = await unreachable.list_unreachable(tx, SystemClock().now(), limit)
    return [
        f"{row.recipient:<40} {row.errcode:>7} {explain(row.errcode).what}  {_time(row.since)} – {_time(row.until)}"
        for row in rows
    ]


async def lift_quarantine(settings: Settings, recipient: str) -> None:
    """Let a recipient be tried again; the audit trail keeps that it was done.

    Raises:
        NotFound: it is not in quarantine.
    """
    now = SystemClock().now()
    async with _opened(settings) as database, database.transaction() as tx:
        await unreachable.do_lift(tx, recipient)
        await audit.record(tx, actor=_ACTOR, action="outbox.quarantine_lifted", subject=recipient, details={}, now=now)


async def list_alerts(settings: Settings) -> list[str]:
    """Return the open alerts, each with its number."""
    now = SystemClock().now()
    async with _opened(settings) as database, database.reading() as tx:
        alerts = await list_open_alerts(tx)
    return [f"#{alert.id}  {say_alert(alert, now, settings.wecom.alerts.language)}" for alert in alerts]


async def resolve_alert(settings: Settings, alert_id: int) -> None:
    """Close an alert by hand; the audit trail keeps that it was done.

    Raises:
        NotFound: there is no open alert with that number.
    """
    now = SystemClock().now()
    async with _opened(settings) as database, database.transaction() as tx:
        row = await do_resolve_by_id(tx, alert_id, now, _ACTOR)
        details = {"kind": row.kind.value, "subject": row.subject}
        await audit.record(
            tx, actor=_ACTOR, action="alert.resolved", subject=f"alert:{alert_id}", details=details, now=now
        )
