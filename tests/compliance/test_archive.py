"""Archiving: kept once, screened, and gathered into cases."""

from dataclasses import replace
from datetime import timedelta

from sqlmodel import col, select

from bot.storage.database import Database
from compliance import ArchivedMessageIn, CaseState, ChatKind, SenderKind, Severity, do_archive
from compliance.models import ArchivedMessageRow, CaseRow, ConversationRow, FindingRow
from tests.compliance.builders import NOON, a_message, default_lexicon, from_customer

MINUTE = timedelta(minutes=1)


async def archived(db: Database, *messages: ArchivedMessageIn) -> list[int | None]:
    async with db.transaction() as tx:
        return [await do_archive(tx, message, default_lexicon(), NOON) for message in messages]


async def cases_of(db: Database) -> list[CaseRow]:
    async with db.reading() as tx:
        return list((await tx.exec(select(CaseRow).order_by(col(CaseRow.opened_at), col(CaseRow.id)))).all())


async def test_a_message_is_kept_once_with_its_hash_and_lexicon(db: Database) -> None:
    first, second = await archived(db, a_message("您好"), a_message("您好"))
    assert first is not None
    assert second is None
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(ArchivedMessageRow))).all()
        conversation = await tx.get_one(ConversationRow, row.conversation)
    assert (row.text, row.scanned_version, len(row.text_sha256)) == ("您好", 1, 64)
    assert conversation.message_count == 1
    assert await cases_of(db) == []


async def test_the_same_id_from_another_source_is_another_message(db: Database) -> None:
    ours = replace(a_message("您好"), source="outbox")
    assert None not in await archived(db, a_message("您好"), ours)


async def test_text_that_databases_refuse_is_kept_readable(db: Database) -> None:
    await archived(db, a_message("稳\x00赚\ud800不赔", raw={"a\x00": ["\ud800", {"n": 1}]}))
    async with db.reading() as tx:
        (row,) = (await tx.exec(select(ArchivedMessageRow))).all()
    assert "\x00" not in row.text
    assert list(row.raw.values()) == [["?", {"n": 1}]]


async def test_several_hits_close_together_are_one_case(db: Database) -> None:
    await archived(
        db,
        a_message("这款稳稳拿", msgid="1"),
        a_message("放心买，零风险", msgid="2", sent_at=NOON + 10 * MINUTE),
        a_message("亏了我赔", msgid="3", sent_at=NOON + 39 * MINUTE),
    )
    (case,) = await cases_of(db)
    assert (case.severity, case.finding_count, case.revision) == (Severity.CRITICAL, 3, 3)
    assert (case.first_hit_at, case.last_hit_at) == (NOON, NOON + 39 * MINUTE)
    assert case.subjects == ["rm001"]


async def test_hits_far_apart_or_in_other_conversations_are_other_cases(db: Database) -> None:
    await archived(
        db,
        a_message("零风险", msgid="1"),
        a_message("零风险", msgid="2", sent_at=NOON + 31 * MINUTE),
        a_message("零风险", msgid="3", conversation="single:rm001:wm0002"),
    )
    assert len(await cases_of(db)) == 3


async def test_a_decided_case_is_not_extended(db: Database) -> None:
    await archived(db, a_message("零风险", msgid="1"))
    async with db.transaction() as tx:
        (case,) = (await tx.exec(select(CaseRow))).all()
        case.state = CaseState.DISMISSED
        tx.add(case)
    await archived(db, a_message("零风险", msgid="2", sent_at=NOON + MINUTE))
    assert len(await cases_of(db)) == 2


async def test_suppressed_and_flagged_findings_are_kept_without_a_case(db: Database) -> None:
    await archived(db, a_message("本产品不保本，收益最高，电话13900001111"))
    async with db.reading() as tx:
        rows = (await tx.exec(select(FindingRow).order_by(col(FindingRow.start)))).all()
    assert [row.suppressed_by is None for row in rows] == [False, True, True]
    assert {row.case_id for row in rows} == {None}


async def test_money_laundering_findings_are_a_hidden_case_apart(db: Database) -> None:
    await archived(db, a_message("稳赚不赔，顺便帮你跑分"))
    by_confidence = {case.confidential: case for case in await cases_of(db)}
    assert by_confidence[True].category == "aml_redflag"
    assert by_confidence[False].category == "promise_return"


async def test_asking_our_own_app_about_a_word_is_no_case(db: Database) -> None:
    await archived(db, a_message("能说保本保息吗", msgid="1", chat_kind=ChatKind.BOT, conversation="app:rm001"))
    assert await cases_of(db) == []
    await archived(db, a_message("我不想活了", msgid="2", chat_kind=ChatKind.BOT, conversation="app:rm001"))
    (case,) = await cases_of(db)
    assert case.due_at == NOON + 15 * MINUTE


async def test_a_complaint_names_the_manager_as_subject_and_has_its_deadline(db: Database) -> None:
    await archived(db, from_customer("我要投诉"))
    (case,) = await cases_of(db)
    assert (case.subjects, case.due_at) == (["rm001"], NOON + timedelta(days=15))


async def test_in_a_group_only_the_speaker_is_a_subject(db: Database) -> None:
    group = {"chat_kind": ChatKind.GROUP, "conversation": "group:wr01", "receivers": ("rm002", "co001", "wm0001")}
    await archived(db, a_message("零风险", **group))  # type: ignore[arg-type]  # fields of the builder
    (case,) = await cases_of(db)
    assert case.subjects == ["rm001"]


async def test_a_recalled_message_stays_and_is_marked(db: Database) -> None:
    recall = a_message(
        "[撤回了一条消息]", msgid="2", msgtype="revoke", raw={"revoke": {"pre_msgid": "1"}}, sent_at=NOON + MINUTE
    )
    await archived(db, a_message("零风险", msgid="1"), recall)
    async with db.reading() as tx:
        rows = (await tx.exec(select(ArchivedMessageRow).order_by(col(ArchivedMessageRow.id)))).all()
    assert [row.revoked_at for row in rows] == [NOON + MINUTE, None]
    assert rows[0].text == "零风险"


async def test_what_our_bot_says_counts_as_the_banks_word(db: Database) -> None:
    said = a_message("零风险", sender="wkDEMO0001", kind=SenderKind.BOT, chat_kind=ChatKind.KF, conversation="kf:a:b")
    await archived(db, said)
    (case,) = await cases_of(db)
    assert case.subjects == []
