"""From the library into the archive: every kind of record is kept, a broken one is set aside, nothing is in the way."""

import pytest
from sqlmodel import select

from bot.clock import FrozenClock, SystemClock
from bot.errors import PlatformUnavailable
from bot.finance.source import NativeArchiveSource
from bot.storage.database import Database
from compliance import ArchivePuller, LexiconStore
from compliance.models import ArchivedMessageRow, QuarantineRow
from simulator.archive_examples import EXAMPLES
from tests.bot.finance.conftest import Archive, private_key, public_pem


async def a_puller(db: Database, source: NativeArchiveSource) -> ArchivePuller:
    lexicons, clock = LexiconStore(), FrozenClock(SystemClock().now())
    async with db.transaction() as tx:
        await lexicons.do_install_default(tx, clock.now())
    keys = {version: private_key(version) for version in (1, 2)}
    return ArchivePuller(db, source, keys, lexicons, lambda _message: None, clock)


async def test_every_kind_of_record_is_kept(db: Database, archive: Archive, source: NativeArchiveSource) -> None:
    kinds = [*EXAMPLES, "switch", "kind_of_tomorrow"]
    for kind in kinds:
        await archive.do("records", {"msgtype": kind, "tolist": ["wmDEMO0001"]})
    report = await (await a_puller(db, source)).pull_once()
    assert (report.stored, report.quarantined) == (len(kinds), 0)
    async with db.reading() as tx:
        kept = {row.msgtype for row in (await tx.exec(select(ArchivedMessageRow))).all()}
    assert kept == set(kinds)


async def test_broken_records_are_set_aside_and_the_others_kept(
    db: Database, archive: Archive, source: NativeArchiveSource
) -> None:
    for broken in ("", "cipher", "random", "json", ""):
        await archive.say("您好", broken=broken, tolist=["wmDEMO0001"])
    await archive.do("keys", {"public_key_pem": public_pem(3), "publickey_ver": 3})
    await archive.say("没有这把钥匙")
    report = await (await a_puller(db, source)).pull_once()
    assert (report.fetched, report.stored, report.quarantined, report.cursor) == (6, 2, 4, 6)
    async with db.reading() as tx:
        reasons = {row.reason for row in (await tx.exec(select(QuarantineRow))).all()}
    assert reasons == {"undecryptable_10006", "undecryptable_10008", "not_json", "no_private_key"}


async def test_nothing_is_lost_when_the_library_fails_in_mid_page(
    db: Database, archive: Archive, source: NativeArchiveSource
) -> None:
    for number in range(3):
        await archive.say(f"第{number}条", tolist=["wmDEMO0001"])
    await archive.do("faults", [{"call": "decrypt", "ret": 10001}])
    puller = await a_puller(db, source)
    with pytest.raises(PlatformUnavailable):
        await puller.pull_once()
    report = await puller.pull_once()
    assert (report.stored, report.cursor) == (3, 3)
