"""Keeps tokens and tickets for all nodes: fetched by one of them at a time, ahead of their end, and never in a loop.

The row is the truth; each node keeps a copy in memory and looks again when the copy runs out or is refused. What is
stored is sealed with AES-GCM under a key made (HKDF) from the secret it was fetched with: a node can read it, because
it has that secret in its settings; a reader of the database cannot.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

import structlog
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.clock import Clock
from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable
from bot.storage.database import Database
from bot.storage.upsert import insert_ignore
from bot.wecom.models import CredentialRow

log = structlog.get_logger("bot.wecom.credentials")

# Asked for a new one so long before the end, when somebody needs it; by the timer earlier still.
_EARLY = timedelta(minutes=5)
_AHEAD = timedelta(minutes=15)
# How long one node may take to fetch, before another one tries.
_FETCH_LEASE = timedelta(seconds=15)
_LOOK_AGAIN_SECONDS = 0.1
_LOOKS = 200
# A new one that was called bad as well is not replaced again at once.
_AT_MOST_EVERY = timedelta(seconds=60)
# Wrong secret or corp: asked again and again, the platform bans our address for an hour (03, 3.1).
FATAL_CODES = frozenset({40001, 40013, 40091, 41004})
# Refused for another reason an administrator must mend (trusted IP, disabled app): asked again, but seldom.
_REFUSED_PAUSE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the platform gave, and for how long it is good."""

    value: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class Source:
    """Where a credential comes from. `secret` seals it in the store, and tells when a refusal is out of date."""

    name: str
    api: str
    secret: str
    fetch: Callable[[], Awaitable[Fetched]]


class Shelf(Protocol):
    """Where the rows are kept."""

    def edit(self, name: str) -> AbstractAsyncContextManager[CredentialRow]:
        """Open the row for change, made if it is not there; nobody else changes it until the block ends."""
        ...


class MemoryShelf:
    """Rows of one process: for tools and tests."""

    def __init__(self) -> None:
        self._rows: dict[str, CredentialRow] = {}

    @asynccontextmanager
    async def edit(self, name: str) -> AsyncIterator[CredentialRow]:
        """Open the row; there is no await inside the blocks that use it, so nobody comes between."""
        yield self._rows.setdefault(name, CredentialRow(name=name))


class DatabaseShelf:
    """Rows all nodes share."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def edit(self, name: str) -> AsyncIterator[CredentialRow]:
        """Open the row under its lock."""
        async with self._database.transaction() as tx:
            row = await tx.get(CredentialRow, name, with_for_update=True)
            if row is None:
                await insert_ignore(tx, CredentialRow, [{"name": name, "secret_print": ""}], ["name"])
                row = await tx.get_one(CredentialRow, name, with_for_update=True)
            yield row


class _Step(Enum):
    """What a look at the row leads to."""

    USE = auto()
    FETCH = auto()
    WAIT = auto()


@dataclass(frozen=True, slots=True)
class _Copy:
    value: str
    good_until: datetime


class Keeper:
    """Gives credentials. `owner` names this node in the rows."""

    def __init__(
        self,
        shelf: Shelf,
        clock: Clock,
        owner: str,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._shelf = shelf
        self._clock = clock
        self._owner = f"{owner}/{os.getpid()}/{id(self):x}"
        self._sleep = sleep
        self._copies: dict[str, _Copy] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def get(self, source: Source) -> str:
        """Return one that is good for some minutes yet.

        Raises:
            PlatformMisconfigured: the platform refuses to give one; nobody asks again before that is mended.
            PlatformUnavailable: it does not answer.
        """
        copy = self._copies.get(source.name)
        if copy is not None and copy.good_until > self._clock.now():
            return copy.value
        return await self._ensure(source, _EARLY, bad=None)

    async def renew(self, source: Source, bad: str) -> str:
        """Return another one than `bad`, which the platform has refused: another node's, or a new one.

        The same is given back when it is all there is, so that a caller that tries once more fails and stops.

        Raises:
            PlatformMisconfigured, PlatformUnavailable: as for `get`.
        """
        copy = self._copies.get(source.name)
        if copy is not None and copy.value != bad and copy.good_until > self._clock.now():
            return copy.value
        return await self._ensure(source, _EARLY, bad=bad)

    async def refresh_ahead(self, source: Source) -> None:
        """Fetch a new one while the present one is still good, when its end is near.

        Raises:
            PlatformMisconfigured, PlatformUnavailable: as for `get`.
        """
        await self._ensure(source, _AHEAD, bad=None)

    async def allow_again(self, name: str) -> None:
        """Close the circuit that a refusal opened: an administrator has mended the cause."""
        async with self._shelf.edit(name) as row:
            _forget_refusal(row)

    async def _ensure(self, source: Source, early: timedelta, bad: str | None) -> str:
        async with self._locks.setdefault(source.name, asyncio.Lock()):
            for _ in range(_LOOKS):
                async with self._shelf.edit(source.name) as row:
                    step, value = self._look(row, source, early, bad)
                if step is _Step.USE:
                    return value
                if step is _Step.FETCH:
                    return await self._fetch(source, bad)
                await self._sleep(_LOOK_AGAIN_SECONDS)
            raise PlatformUnavailable(source.api, errmsg="another node fetches it and does not finish")

    def _look(self, row: CredentialRow, source: Source, early: timedelta, bad: str | None) -> tuple[_Step, str]:
        """Decide under the row's lock; claims the fetching for this node when it is to be done."""
        now = self._clock.now()
        printed = _print_of(source)
        if row.secret_print != printed:
            row.secret_print, row.sealed, row.expires_at = printed, None, None
            _forget_refusal(row)
        value = _open(row.sealed, source)
        if value is not None and _good_until(row, early) > now:
            is_all_there_is = row.same_until is not None and row.same_until > now
            if value != bad or is_all_there_is:
                self._copies[source.name] = _Copy(value, _good_until(row, _EARLY))
                return _Step.USE, value
        _check_circuit(row, source, now)
        if row.refreshing_until is not None and row.refreshing_until > now and row.refreshing_by != self._owner:
            return _Step.WAIT, ""
        row.refreshing_by, row.refreshing_until = self._owner, now + _FETCH_LEASE
        return _Step.FETCH, ""

    async def _fetch(self, source: Source, bad: str | None) -> str:
        try:
            fetched = await source.fetch()
        except PlatformError as error:
            await self._note_refusal(source, error)
            raise
        now = self._clock.now()
        async with self._shelf.edit(source.name) as row:
            row.sealed = _seal(fetched.value, source)
            row.secret_print = _print_of(source)
            row.refreshed_at, row.expires_at = now, now + fetched.lifetime
            row.same_until = now + _AT_MOST_EVERY if fetched.value == bad else None
            row.refreshing_by = row.refreshing_until = None
            _forget_refusal(row)
            self._copies[source.name] = _Copy(fetched.value, _good_until(row, _EARLY))
        log.info("credential.fetched", name=source.name, seconds=int(fetched.lifetime.total_seconds()))
        return fetched.value

    async def _note_refusal(self, source: Source, error: PlatformError) -> None:
        now = self._clock.now()
        async with self._shelf.edit(source.name) as row:
            row.refreshing_by = row.refreshing_until = None
            if isinstance(error, PlatformMisconfigured):
                row.refused_errcode, row.refused_reason, row.refused_at = error.errcode, error.errmsg[:200], now
                row.refused_until = None if error.errcode in FATAL_CODES else now + _REFUSED_PAUSE
        log.warning("credential.refused", name=source.name, errcode=error.errcode)


def _good_until(row: CredentialRow, early: timedelta) -> datetime:
    """Return until when to use it: not to its very end, but at least half of the time it had when it came."""
    assert row.expires_at is not None
    assert row.refreshed_at is not None
    return row.expires_at - min(early, (row.expires_at - row.refreshed_at) / 2)


def _check_circuit(row: CredentialRow, source: Source, now: datetime) -> None:
    if row.refused_errcode is not None and (row.refused_until is None or row.refused_until > now):
        raise PlatformMisconfigured(source.api, row.refused_errcode, row.refused_reason or "")


def _forget_refusal(row: CredentialRow) -> None:
    row.refused_errcode = row.refused_reason = row.refused_at = row.refused_until = None


def _derive(source: Source, purpose: str, length: int) -> bytes:
    info = f"rmbot {purpose} {source.name}".encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(source.secret.encode())


def _print_of(source: Source) -> str:
    """Return what tells one secret from another and nothing about either."""
    return _derive(source, "print", 16).hex()


def _seal(value: str, source: Source) -> str:
    nonce = os.urandom(12)
    return base64.b64encode(nonce + AESGCM(_derive(source, "seal", 32)).encrypt(nonce, value.encode(), None)).decode()


def _open(sealed: str | None, source: Source) -> str | None:
    """Return what was sealed; `None` for nothing, or for what this secret does not open."""
    if sealed is None:
        return None
    raw = base64.b64decode(sealed)
    try:
        return AESGCM(_derive(source, "seal", 32)).decrypt(raw[:12], raw[12:], None).decode()
    except InvalidTag:
        return None
