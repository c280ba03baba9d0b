"""Pull the session archive: fetch a page, open its records, store them with the new cursor in one transaction.

A crash at any point loses nothing and doubles nothing: the cursor moves only together with what was stored, and a
message that comes again is known by its id. A record that cannot be opened or read is kept aside with its reason and
never holds up the others. Source: ../shared/wecom/06-session-archive.md, 6.3.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import func, or_
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import SettingsError
from bot.inbox.models import NewInboxRow
from bot.inbox.store import put_events
from bot.storage.database import Database, Tx
from bot.storage.upsert import insert_ignore
from bot.wecom.archive import ArchiveSource, EncryptedRecord, RecordUndecryptable
from compliance.archive import do_archive, storable
from compliance.errors import RecordMalformed
from compliance.lexicon import Lexicon
from compliance.messages import ArchivedMessageIn, ArchiveOrigin
from compliance.models import ArchiveCursorRow, QuarantineRow
from compliance.records import parse_record
from compliance.settings import ComplianceSettings
from compliance.store import LexiconStore

ToEvent: TypeAlias = Callable[[ArchivedMessageIn], NewInboxRow | None]

_SOURCE = ArchiveOrigin.ARCHIVE.value
_RETRY_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PullReport:
    """What one pull did. `more` says that the page was full: pull again at once."""

    fetched: int
    stored: int
    quarantined: int
    cursor: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class _Unreadable:
    record: EncryptedRecord
    reason: str


def load_keys(pems: Mapping[int, bytes | str], password: bytes | None = None) -> dict[int, RSAPrivateKey]:
    """Load the private keys of all versions, old ones too: records of before a rotation still need theirs.

    Raises:
        SettingsError: a key is not an RSA private key in PEM; says which version.
    """
    keys = {}
    for version, pem in pems.items():
        try:
            key = load_pem_private_key(pem.encode() if isinstance(pem, str) else pem, password)
        except (ValueError, TypeError) as error:
            raise SettingsError(f"archive key version {version} is not a readable PEM private key") from error
        if not isinstance(key, RSAPrivateKey):
            raise SettingsError(f"archive key version {version} is not an RSA key")
        keys[version] = key
    return keys


class ArchivePuller:
    """Reads one source into the archive. Any number of nodes may pull: only one of them stores a given page."""

    def __init__(
        self,
        db: Database,
        source: ArchiveSource,
        keys: Mapping[int, RSAPrivateKey],
        lexicons: LexiconStore,
        to_events: ToEvent,
        clock: Clock,
        settings: ComplianceSettings | None = None,
    ) -> None:
        self._db = db
        self._source = source
        self._keys = keys
        self._lexicons = lexicons
        self._to_events = to_events
        self._clock = clock
        self._settings = settings or ComplianceSettings()

    async def pull_once(self) -> PullReport:
        """Fetch the next page and store it.

        Raises:
            PlatformError: the source refuses or does not answer; nothing has changed.
        """
        async with self._db.reading() as tx:
            seq = await find_cursor(tx)
        limit = self._settings.pull_limit
        records = await self._source.fetch(seq, limit)
        opened = [await self._open(record) for record in records]
        async with self._db.transaction() as tx:
            report = await self._store(tx, seq, records, opened)
        return PullReport(report.fetched, report.stored, report.quarantined, report.cursor, more=len(records) >= limit)

    async def retry_quarantined(self, limit: int = 100) -> int:
        """Try records kept aside once more; returns how many are in the archive now.

        Each comes soon after its first failure, which may have been a passing one, then every hour, because a key may
        have been added or a parser mended.
        """
        now = self._clock.now()
        async with self._db.reading() as tx:
            rows = await list_to_retry(tx, now - _RETRY_EVERY, limit)
        recovered = 0
        for row in rows:
            opened = await self._open(_encrypted(row))
            async with self._db.transaction() as tx:
                kept = await tx.get_one(QuarantineRow, row.id)
                kept.tried_at = now
                if isinstance(opened, _Unreadable):
                    kept.reason = opened.reason
                    continue
                await self._keep(tx, [opened], await self._lexicons.current(tx), now)
                kept.resolved_at = now
            recovered += 1
        return recovered

    async def _open(self, record: EncryptedRecord) -> ArchivedMessageIn | _Unreadable:
        key = self._keys.get(record.publickey_ver)
        if key is None:
            return _Unreadable(record, "no_private_key")
        try:
            random_key = key.decrypt(base64.b64decode(record.encrypt_random_key, validate=True), padding.PKCS1v15())
            payload = await self._source.decrypt(random_key.decode("ascii"), record.encrypt_chat_msg)
            return parse_record(payload, record.seq)
        except (binascii.Error, ValueError):
            return _Unreadable(record, "bad_random_key")
        except RecordUndecryptable as error:
            return _Unreadable(record, f"undecryptable_{error.ret}")
        except RecordMalformed as error:
            return _Unreadable(record, error.reason)

    async def _store(
        self,
        tx: Tx,
        seq: int,
        records: Sequence[EncryptedRecord],
        opened: Sequence[ArchivedMessageIn | _Unreadable],
    ) -> PullReport:
        now = self._clock.now()
        cursor = await _lock_cursor(tx)
        if cursor.seq != seq:
            # Another node stored this page while we fetched it.
            return PullReport(len(records), 0, 0, cursor.seq)
        messages = [item for item in opened if isinstance(item, ArchivedMessageIn)]
        unreadable = [item for item in opened if isinstance(item, _Unreadable)]
        stored = await self._keep(tx, messages, await self._lexicons.current(tx), now)
        quarantined = await _quarantine(tx, unreadable, now)
        _advance(cursor, records, messages, now)
        return PullReport(len(records), stored, quarantined, cursor.seq)

    async def _keep(self, tx: Tx, messages: Sequence[ArchivedMessageIn], lexicon: Lexicon, now: datetime) -> int:
        """Archive messages and pass on those that are events, by conversation, so that nodes cannot deadlock."""
        ordered = sorted(messages, key=lambda item: (item.conversation, item.source_seq or 0))
        new = [item for item in ordered if await do_archive(tx, item, lexicon, now, self._settings) is not None]
        events = [event for message in new if (event := self._to_events(message)) is not None]
        await put_events(tx, events)
        return len(new)


async def find_cursor(tx: Tx) -> int:
    """Return how far the session archive has been read; 0 at the beginning."""
    row = await tx.get(ArchiveCursorRow, _SOURCE)
    return row.seq if row else 0


async def list_quarantined(tx: Tx, limit: int) -> list[QuarantineRow]:
    """List records that are still kept aside, oldest first."""
    query = (
        select(QuarantineRow)
        .where(col(QuarantineRow.resolved_at).is_(None))
        .order_by(col(QuarantineRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def list_to_retry(tx: Tx, tried_before: datetime, limit: int) -> list[QuarantineRow]:
    """List records kept aside that were not tried again yet, or not since `tried_before`; the longest waiting first."""
    query = (
        select(QuarantineRow)
        .where(
            col(QuarantineRow.resolved_at).is_(None),
            or_(col(QuarantineRow.tried_at).is_(None), col(QuarantineRow.tried_at) <= tried_before),
        )
        .order_by(func.coalesce(QuarantineRow.tried_at, QuarantineRow.at), col(QuarantineRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def count_quarantined(tx: Tx) -> int:
    """Count records that are still kept aside, for the health page."""
    query = select(func.count()).select_from(QuarantineRow).where(col(QuarantineRow.resolved_at).is_(None))
    return (await tx.exec(query)).one()


async def _lock_cursor(tx: Tx) -> ArchiveCursorRow:
    await insert_ignore(tx, ArchiveCursorRow, [{"source": _SOURCE, "seq": 0, "gap_count": 0}], conflict=("source",))
    query = select(ArchiveCursorRow).where(ArchiveCursorRow.source == _SOURCE).with_for_update()
    return (await tx.exec(query)).one()


def _advance(
    cursor: ArchiveCursorRow,
    records: Sequence[EncryptedRecord],
    messages: Sequence[ArchivedMessageIn],
    now: datetime,
) -> None:
    cursor.pulled_at = now
    for seq in sorted(record.seq for record in records):
        # The platform may leave numbers out; counted, because a gap is also what a loss would look like.
        cursor.gap_count += cursor.seq > 0 and seq > cursor.seq + 1
        cursor.seq = max(cursor.seq, seq)
    times = [message.sent_at for message in messages]
    cursor.newest_sent_at = max([*times, *([cursor.newest_sent_at] if cursor.newest_sent_at else [])], default=None)


async def _quarantine(tx: Tx, items: Sequence[_Unreadable], now: datetime) -> int:
    rows = [
        {
            "source": _SOURCE,
            "seq": item.record.seq,
            "msgid": storable(item.record.msgid),
            "publickey_ver": item.record.publickey_ver,
            "encrypt_random_key": storable(item.record.encrypt_random_key),
            "encrypt_chat_msg": storable(item.record.encrypt_chat_msg),
            "reason": item.reason,
            "at": now,
        }
        for item in items
    ]
    return await insert_ignore(tx, QuarantineRow, rows, conflict=("source", "seq"))


def _encrypted(row: QuarantineRow) -> EncryptedRecord:
    return EncryptedRecord(row.seq, row.msgid, row.publickey_ver, row.encrypt_random_key, row.encrypt_chat_msg)
