"""Reading lexicon files, and versions in the database."""

import pytest

from bot.audit import AuditEntry
from bot.errors import Forbidden
from bot.storage.database import Database
from compliance import Direction, LexiconMissing, LexiconRefused, LexiconStore, counting, do_import_lexicon, screen
from compliance.lexicon import RowProblem, default_terms_csv, parse_terms
from tests.compliance.builders import NOON

HEAD = "word,category,severity,action,direction\n"
ONE = HEAD + "天天分红,promise_return,high,review,rm\n"


def test_the_shipped_lexicon_has_no_errors() -> None:
    parsed = parse_terms(default_terms_csv())
    assert parsed.errors == ()
    assert len(parsed.terms) > 440


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (",promise_return,high,review,rm", RowProblem.EMPTY),
        ("***,promise_return,high,review,rm", RowProblem.EMPTY),
        ("稳,promise_return,high,review,rm", RowProblem.TOO_SHORT),
        ("稳" + "赚" * 40 + ",promise_return,high,review,rm", RowProblem.TOO_LONG),
        ("天 天＊分紅,promise_return,high,review,rm", RowProblem.DUPLICATE),
        ("每天分红,promises,high,review,rm", RowProblem.UNKNOWN_CATEGORY),
        ("每天分红,pii_mobile,high,review,rm", RowProblem.UNKNOWN_CATEGORY),
        ("每天分红,promise_return,huge,review,rm", RowProblem.UNKNOWN_SEVERITY),
        ("每天分红,promise_return,high,delete,rm", RowProblem.UNKNOWN_ACTION),
        ("每天分红,promise_return,high,review,all", RowProblem.UNKNOWN_DIRECTION),
        ("每天分红,promise_return,high,allow,rm", RowProblem.SEVERITY_MISFIT),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_reason(row: str, problem: RowProblem) -> None:
    (error,) = parse_terms(f"{ONE}{row}\n").errors
    assert (error.line, error.problem) == (3, problem)
    assert "第 3 行" in error.describe()
    assert "Line 3" in error.describe("en")


def test_a_file_without_a_column_is_refused_whole() -> None:
    parsed = parse_terms("word,category\n天天分红,promise_return\n")
    assert parsed.terms == ()
    assert {error.value for error in parsed.errors} == {"severity", "action", "direction"}


async def test_without_a_lexicon_nothing_can_be_screened(db: Database) -> None:
    async with db.reading() as tx:
        with pytest.raises(LexiconMissing):
            await LexiconStore().current(tx)


async def test_installing_the_default_twice_changes_nothing(db: Database) -> None:
    store = LexiconStore()
    for _ in range(2):
        async with db.transaction() as tx:
            assert await store.do_install_default(tx, NOON) == 1
    async with db.reading() as tx:
        lexicon = await store.current(tx)
        assert lexicon is await store.current(tx)
    assert lexicon.terms == parse_terms(default_terms_csv()).terms


async def test_an_import_takes_effect_at_once_and_is_in_the_audit_log(db: Database) -> None:
    store = LexiconStore()
    async with db.transaction() as tx:
        await store.do_install_default(tx, NOON)
        before = await store.current(tx)
        version = await do_import_lexicon(tx, ONE, author="co001", approver="co002", reason="季度更新", now=NOON)
        after = await store.current(tx)
        entry = await tx.get_one(AuditEntry, 2)
    assert (before.version, version, after.version) == (1, 2, 2)
    assert [f.lexicon_version for f in counting(screen("天天分红", after, Direction.RM))] == [2]
    assert (entry.actor, entry.action, entry.details["approver"]) == ("co001", "lexicon.published", "co002")


async def test_a_bad_or_self_approved_import_changes_nothing(db: Database) -> None:
    store = LexiconStore()
    async with db.transaction() as tx:
        await store.do_install_default(tx, NOON)
        with pytest.raises(LexiconRefused) as refused:
            await do_import_lexicon(tx, HEAD + "稳,x,y,z,w\n", author="co001", approver="co002", reason="r", now=NOON)
        with pytest.raises(Forbidden):
            await do_import_lexicon(tx, ONE, author="co001", approver="co001", reason="r", now=NOON)
        assert (await store.current(tx)).version == 1
    assert len(refused.value.errors) == 1
