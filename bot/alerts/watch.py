"""Turns what the platform answers into alerts, and ends them when the same call works again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert, do_resolve_alert, list_open_alerts
from bot.clock import Clock
from bot.errors import PlatformError, PlatformMisconfigured
from bot.storage.database import Database
from bot.wecom.tokens import API as TOKEN_API

log = structlog.get_logger("bot.alerts")

# A storm of refusals is one row and one write in ten seconds.
_WRITE_EVERY = timedelta(seconds=10)
_LOOK_EVERY = timedelta(seconds=60)
_LOW_ACTIVITY, _RISK, _LICENCE = 48011, 45036, 701008


def trouble_of(api: str, app: str, error: PlatformError) -> Trouble | None:
    """Return what administrators must know of a refusal; `None` when it is nothing for them."""
    if not isinstance(error, PlatformMisconfigured):
        return None
    kind, subject = AlertKind.CONFIGURATION, f"{app} {api}"
    if error.errcode == _LOW_ACTIVITY:
        kind, subject = AlertKind.LOW_ACTIVITY, app
    elif error.errcode == _RISK:
        kind, subject = AlertKind.RISK, app
    elif error.errcode == _LICENCE:
        kind, subject = AlertKind.LICENCE, app
    elif error.api == TOKEN_API:
        kind, subject, api = AlertKind.SECRET, app, TOKEN_API
    return Trouble(kind, subject, app, api, error.errcode, _place_in(error.errmsg))


def _place_in(errmsg: str) -> str:
    """Return the part of the platform's words that helps and is ours: the address it saw (60020)."""
    _, found, rest = errmsg.partition("from ip: ")
    return f"ip {rest.split(',')[0].strip()}" if found else ""


@dataclass(slots=True)
class _Storm:
    written_at: datetime
    unwritten: int = 0


class AlertWatch:
    """Is told of every call's end by the client. What it cannot write it logs: the call itself is not to suffer."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._storms: dict[tuple[AlertKind, str], _Storm] = {}
        # calls with an open alert, as this node last saw it
        self._open: dict[tuple[str, str], list[tuple[AlertKind, str]]] = {}
        self._looked_at: datetime | None = None

    async def failed(self, api: str, app: str, error: PlatformError) -> None:
        """Raise the alert a refusal calls for."""
        trouble = trouble_of(api, app, error)
        if trouble is None:
            return
        now, key = self._clock.now(), (trouble.kind, trouble.subject)
        storm = self._storms.get(key)
        if storm is not None and now - storm.written_at < _WRITE_EVERY:
            storm.unwritten += 1
            return
        count = 1 + (storm.unwritten if storm else 0)
        self._storms[key] = _Storm(now)
        try:
            async with self._database.transaction() as tx:
                await do_raise_alert(tx, trouble, now, count)
        except SQLAlchemyError as problem:
            log.error("alert.not_written", kind=trouble.kind.value, error=type(problem).__name__)
            return
        self._looked_at = None  # to see it as soon as it works again
        log.warning("alert.raised", kind=trouble.kind.value, subject=trouble.subject, errcode=error.errcode)

    async def worked(self, api: str, app: str) -> None:
        """End the alerts that this success shows to be over: of the same call, and of the application's secret.

        An anomaly (45036) is over when a person has looked, not when the next call happens to work.
        """
        now = self._clock.now()
        try:
            if self._looked_at is None or now - self._looked_at > _LOOK_EVERY:
                await self._look(now)
            settled = [*self._open.pop((app, api), ()), *self._open.pop((app, TOKEN_API), ())]
            if settled:
                await self._resolve(settled, now)
        except SQLAlchemyError as problem:
            log.error("alert.not_written", error=type(problem).__name__)

    async def _look(self, now: datetime) -> None:
        async with self._database.reading() as tx:
            rows = await list_open_alerts(tx, limit=500)
        self._open = {}
        for row in rows:
            if row.api and row.kind is not AlertKind.RISK:
                self._open.setdefault((row.app, row.api), []).append((row.kind, row.subject))
        self._looked_at = now

    async def _resolve(self, settled: list[tuple[AlertKind, str]], now: datetime) -> None:
        async with self._database.transaction() as tx:
            for kind, subject in settled:
                await do_resolve_alert(tx, kind, subject, now, "success")
        for key in settled:
            self._storms.pop(key, None)
            log.info("alert.resolved", kind=key[0].value, subject=key[1])
