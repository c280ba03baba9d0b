"""Pulling the session archive: nothing lost, nothing doubled, nothing in the way."""

import base64
import json
from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlmodel import col, select

from bot.clock import FrozenClock
from bot.errors import PlatformUnavailable, SettingsError
from bot.inbox.models import InboxRow, NewInboxRow, Source
from bot.storage.database import Database
from bot.wecom.archive import EncryptedRecord, RecordUndecryptable
from compliance import ArchivedMessageIn, ArchivePuller, ComplianceSettings, LexiconStore, SenderKind, load_keys
from compliance.models import ArchivedMessageRow, CaseRow, QuarantineRow
from compliance.puller import find_cursor, list_quarantined, list_to_retry
from tests.compliance.builders import NOON

CLEAR_KEY = "random-key-of-one-record"


@cache
def private_key(version: int) -> rsa.RSAPrivateKey:
    assert version
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def a_record(
    seq: int, text: str = "您好", *, version: int = 1, sender: str = "wm0001", **fields: Any
) -> EncryptedRecord:
    body = {
        "msgid": f"m{seq}",
        "action": "send",
        "from": sender,
        "tolist": ["rm001"],
        "msgtime": 1_795_000_000_000 + seq,
        "msgtype": "text",
        "text": {"content": text},
        **fields,
    }
    locked = private_key(version).public_key().encrypt(CLEAR_KEY.encode(), padding.PKCS1v15())
    message = base64.b64encode(json.dumps(body).encode()).decode()
    return EncryptedRecord(seq, f"m{seq}", version, base64.b64encode(locked).decode(), message)


class ListedSource:
    """A source that holds records in memory; its cipher is base64, opened only with the right random key."""

    def __init__(self, records: Sequence[EncryptedRecord]) -> None:
        self.records = list(records)
        self.down = False

    async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
        return [record for record in self.records if record.seq > seq][:limit]

    async def decrypt(self, key: str, msg: str) -> str:
        if self.down:
            raise PlatformUnavailable("decrypt")
        if key != CLEAR_KEY or msg.startswith("!"):
            raise RecordUndecryptable(10006)
        return base64.b64decode(msg).decode()


def customer_words(message: ArchivedMessageIn) -> NewInboxRow | None:
    if message.sender_kind is not SenderKind.CUSTOMER:
        return None
    key = f"archive:{message.msgid}"
    return NewInboxRow(Source.ARCHIVE, key, message.conversation, "chat_text", message.text, NOON)


async def a_puller(
    db: Database,
    source: ListedSource,
    versions: Sequence[int] = (1,),
    limit: int = 500,
    clock: FrozenClock | None = None,
) -> ArchivePuller:
    lexicons = LexiconStore()
    async with db.transaction() as tx:
        await lexicons.do_install_default(tx, NOON)
    keys = {version: private_key(version) for version in versions}
    settings = ComplianceSettings(pull_limit=limit)
    return ArchivePuller(db, source, keys, lexicons, customer_words, clock or FrozenClock(NOON), settings)


async def texts(db: Database) -> list[str]:
    async with db.reading() as tx:
        return list((await tx.exec(select(ArchivedMessageRow.text).order_by(col(ArchivedMessageRow.source_seq)))).all())


async def test_a_page_is_archived_screened_passed_on_and_remembered(db: Database) -> None:
    source = ListedSource([a_record(5), a_record(6, "我要投诉"), a_record(7, "收到", sender="rm001")])
    report = await (await a_puller(db, source)).pull_once()
    assert (report.fetched, report.stored, report.quarantined, report.cursor) == (3, 3, 0, 7)
    assert await texts(db) == ["您好", "我要投诉", "收到"]
    async with db.reading() as tx:
        events = (await tx.exec(select(InboxRow.dedupe_key).order_by(col(InboxRow.id)))).all()
        cases = (await tx.exec(select(CaseRow))).all()
    assert list(events) == ["archive:m5", "archive:m6"]
    assert [case.category for case in cases] == ["complaint_signal"]


async def test_pages_follow_each_other_until_there_is_nothing_new(db: Database) -> None:
    source = ListedSource([a_record(seq) for seq in (1, 2, 3)])
    puller = await a_puller(db, source, limit=2)
    reports = [await puller.pull_once() for _ in range(3)]
    assert [(r.stored, r.cursor, r.more) for r in reports] == [(2, 2, True), (1, 3, False), (0, 3, False)]


async def test_a_message_that_comes_again_under_a_new_number_changes_nothing(db: Database) -> None:
    source = ListedSource([a_record(1)])
    puller = await a_puller(db, source)
    await puller.pull_once()
    source.records.append(a_record(9, msgid="m1"))
    report = await puller.pull_once()
    assert (report.stored, report.cursor) == (0, 9)
    assert len(await texts(db)) == 1


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (EncryptedRecord(2, "m2", 9, "AAAA", "x"), "no_private_key"),
        (EncryptedRecord(2, "m2", 1, "not base64!", "x"), "bad_random_key"),
        (EncryptedRecord(2, "m2", 1, a_record(2).encrypt_random_key, "!x"), "undecryptable_10006"),
        (a_record(2, msgtime="yesterday"), "no_msgtime"),
    ],
)
async def test_an_unreadable_record_is_kept_aside_and_blocks_nothing(
    db: Database, broken: EncryptedRecord, reason: str
) -> None:
    source = ListedSource([a_record(1), broken, a_record(3)])
    report = await (await a_puller(db, source)).pull_once()
    assert (report.stored, report.quarantined, report.cursor) == (2, 1, 3)
    async with db.reading() as tx:
        (kept,) = await list_quarantined(tx, 10)
    assert (kept.seq, kept.reason, kept.encrypt_chat_msg) == (2, reason, broken.encrypt_chat_msg)


async def test_a_record_kept_aside_is_archived_once_its_key_is_there(db: Database) -> None:
    source = ListedSource([a_record(1, "旧消息", version=7)])
    assert (await (await a_puller(db, source)).pull_once()).quarantined == 1
    with_key = await a_puller(db, source, versions=(1, 7))
    assert await with_key.retry_quarantined() == 1
    assert await with_key.retry_quarantined() == 0
    assert await texts(db) == ["旧消息"]
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(QuarantineRow))).all()
    assert row.resolved_at == NOON


async def test_old_and_new_keys_open_their_own_records(db: Database) -> None:
    source = ListedSource([a_record(1, "旧", version=1), a_record(2, "新", version=2)])
    await (await a_puller(db, source, versions=(1, 2))).pull_once()
    assert await texts(db) == ["旧", "新"]


async def test_a_source_that_does_not_answer_changes_nothing(db: Database) -> None:
    source = ListedSource([a_record(1)])
    puller = await a_puller(db, source)
    source.down = True
    with pytest.raises(PlatformUnavailable):
        await puller.pull_once()
    async with db.reading() as tx:
        assert await find_cursor(tx) == 0
    source.down = False
    assert (await puller.pull_once()).stored == 1


async def test_a_crash_while_storing_leaves_neither_messages_nor_cursor(db: Database) -> None:
    source = ListedSource([a_record(1), a_record(2)])
    puller = await a_puller(db, source)

    def crash(message: ArchivedMessageIn) -> NewInboxRow | None:
        raise RuntimeError(message.msgid)

    broken = ArchivePuller(db, source, {1: private_key(1)}, LexiconStore(), crash, FrozenClock(NOON))
    with pytest.raises(RuntimeError):
        await broken.pull_once()
    assert await texts(db) == []
    assert (await puller.pull_once()).stored == 2


async def test_of_two_nodes_with_the_same_page_one_stores_it(db: Database) -> None:
    source = ListedSource([a_record(1), a_record(2)])
    winner, loser = await a_puller(db, source), await a_puller(db, source)

    class Overtaken(ListedSource):
        async def fetch(self, seq: int, limit: int) -> list[EncryptedRecord]:
            page = await super().fetch(seq, limit)
            await winner.pull_once()
            return page

    loser._source = Overtaken(source.records)
    report = await loser.pull_once()
    assert (report.fetched, report.stored, report.cursor) == (2, 0, 2)
    assert len(await texts(db)) == 2


def test_keys_are_read_from_pem_and_a_bad_one_is_named() -> None:
    pem = private_key(1).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert load_keys({1: pem})[1].key_size == 2048
    with pytest.raises(SettingsError, match="version 3"):
        load_keys({3: b"no key"})


async def test_a_record_kept_aside_is_tried_again_soon_and_then_every_hour(db: Database) -> None:
    source = ListedSource([a_record(1, "旧消息", version=7)])
    clock = FrozenClock(NOON)
    puller = await a_puller(db, source, clock=clock)
    assert (await puller.pull_once()).quarantined == 1
    tries = []
    for minutes in (0, 30, 31):
        clock.advance(timedelta(minutes=minutes))
        async with db.reading() as tx:
            tries.append(len(await list_to_retry(tx, clock.now() - timedelta(hours=1), 10)))
        await puller.retry_quarantined()
    assert tries == [1, 0, 1]
