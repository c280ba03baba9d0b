"""A script's life: two people, every version kept, and nothing that is out of force can be sent."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from bot.audit import verify
from bot.errors import Conflict, Forbidden, NotFound
from bot.storage.database import Database, Tx
from knowledge_base import (
    Audience,
    ProductStatus,
    ScriptInvalid,
    ScriptNotInForce,
    ScriptState,
    do_approve,
    do_draft,
    do_put_product,
    do_withdraw,
    find_script,
    get_sendable,
    library_version,
    list_problems,
    list_versions,
    load_library,
)
from knowledge_base.approval import MOVES
from knowledge_base.models import ScriptVersionRow
from tests.knowledge_base.builders import NOW, ON, draft, product

AUTHOR, OFFICER, THIRD = "rm001", "co001", "co002"


async def _approved(tx: Tx, **changes: Any) -> int:
    version = await do_draft(tx, AUTHOR, draft(**changes), NOW)
    await do_approve(tx, OFFICER, "S-9001", version, NOW)
    return version


async def _matches(tx: Tx) -> bool:
    outcome = (await load_library(tx)).match("夜间金库怎么用", Audience.RM, ON)
    return any(candidate.script.id == "S-9001" for candidate in outcome.candidates)


def test_every_state_has_its_row_in_the_table_of_moves() -> None:
    assert set(MOVES) == set(ScriptState)
    assert not MOVES[ScriptState.WITHDRAWN]
    assert not MOVES[ScriptState.SUPERSEDED]


async def test_draft_is_neither_matched_nor_sent(db: Database) -> None:
    async with db.transaction() as tx:
        assert await do_draft(tx, AUTHOR, draft(), NOW) == 1
        assert not await _matches(tx)
        assert await find_script(tx, "S-9001") is None
        with pytest.raises(ScriptNotInForce) as refused:
            await get_sendable(tx, "S-9001", 1, ON)
    assert refused.value.reason == "draft"


async def test_second_person_puts_a_script_in_force(db: Database) -> None:
    async with db.transaction() as tx:
        before = await library_version(tx)
        await _approved(tx)
        assert await library_version(tx) > before
        assert await _matches(tx)
        sendable = await get_sendable(tx, "S-9001", 1, ON)
        assert sendable.approved_by == OFFICER
        assert (await verify(tx)).ok


async def test_author_may_not_approve_their_own_words(db: Database) -> None:
    async with db.transaction() as tx:
        await do_draft(tx, AUTHOR, draft(), NOW)
        with pytest.raises(Forbidden):
            await do_approve(tx, AUTHOR, "S-9001", 1, NOW)
        assert await find_script(tx, "S-9001") is None


async def test_new_version_supersedes_the_old_and_both_are_kept(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await _approved(tx, answer="夜间金库请走员工通道旁的窗口。")
        versions = await list_versions(tx, "S-9001")
        assert [(one.script.version, one.state) for one in versions] == [
            (2, ScriptState.APPROVED),
            (1, ScriptState.SUPERSEDED),
        ]
        assert versions[1].closed_by == OFFICER
        with pytest.raises(ScriptNotInForce) as refused:
            await get_sendable(tx, "S-9001", 1, ON)
        assert refused.value.reason == "superseded"
        assert (await get_sendable(tx, "S-9001", 2, ON)).version == 2


async def test_draft_of_a_new_version_leaves_the_old_one_in_force(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await do_draft(tx, AUTHOR, draft(title="新标题"), NOW)
        current = await find_script(tx, "S-9001")
        assert current is not None
        assert (current.version, current.title) == (1, "夜间金库")


async def test_withdrawn_script_is_neither_matched_nor_sent(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        before = await library_version(tx)
        await do_withdraw(tx, THIRD, "S-9001", 1, "业务停办", NOW)
        assert await library_version(tx) > before
        assert not await _matches(tx)
        with pytest.raises(ScriptNotInForce) as refused:
            await get_sendable(tx, "S-9001", 1, ON)
        assert refused.value.reason == "withdrawn"
        assert (await list_versions(tx, "S-9001"))[0].closed_reason == "业务停办"


async def test_withdrawn_script_cannot_come_back(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await do_withdraw(tx, THIRD, "S-9001", 1, "业务停办", NOW)
        with pytest.raises(Conflict):
            await do_approve(tx, OFFICER, "S-9001", 1, NOW)
        with pytest.raises(Conflict):
            await do_withdraw(tx, OFFICER, "S-9001", 1, "再来一次", NOW)


async def test_withdrawing_a_draft_leaves_the_version_in_force(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await do_draft(tx, AUTHOR, draft(title="不要了"), NOW)
        await do_withdraw(tx, AUTHOR, "S-9001", 2, "写错了", NOW)
        assert (await get_sendable(tx, "S-9001", 1, ON)).version == 1


async def test_withdrawal_needs_a_reason(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        with pytest.raises(ScriptInvalid) as refused:
            await do_withdraw(tx, THIRD, "S-9001", 1, "  ", NOW)
    assert refused.value.problems == ("reason",)


async def test_script_is_sendable_on_its_days_only(db: Database) -> None:
    first, last = date(2026, 3, 1), date(2026, 12, 31)
    async with db.transaction() as tx:
        await _approved(tx, effective_on=first, expires_on=last)
        for day, reason in ((first - timedelta(days=1), "not_yet"), (last + timedelta(days=1), "expired")):
            with pytest.raises(ScriptNotInForce) as refused:
                await get_sendable(tx, "S-9001", 1, day)
            assert refused.value.reason == reason
        assert await get_sendable(tx, "S-9001", 1, last)


async def test_expired_draft_cannot_be_approved(db: Database) -> None:
    async with db.transaction() as tx:
        await do_draft(tx, AUTHOR, draft(expires_on=date(2026, 2, 1)), NOW)
        with pytest.raises(Conflict):
            await do_approve(tx, OFFICER, "S-9001", 1, NOW)


async def test_replacement_that_begins_later_is_refused_because_it_would_leave_a_gap(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await do_draft(tx, AUTHOR, draft(effective_on=date(2027, 1, 1)), NOW)
        with pytest.raises(Conflict):
            await do_approve(tx, OFFICER, "S-9001", 2, NOW)


async def test_script_of_a_withdrawn_product_is_neither_matched_nor_sent(db: Database) -> None:
    async with db.transaction() as tx:
        await do_put_product(tx, OFFICER, product(), NOW)
        await _approved(tx, product_code="D900")
        assert await _matches(tx)
        await do_put_product(tx, OFFICER, product(status=ProductStatus.WITHDRAWN), NOW)
        assert not await _matches(tx)
        with pytest.raises(ScriptNotInForce) as refused:
            await get_sendable(tx, "S-9001", 1, ON)
    assert refused.value.reason == "product"


async def test_unknown_version_is_not_found(db: Database) -> None:
    async with db.transaction() as tx:
        with pytest.raises(NotFound):
            await do_approve(tx, OFFICER, "S-9001", 1, NOW)
        with pytest.raises(NotFound):
            await get_sendable(tx, "S-9001", 1, ON)


async def test_database_admits_one_version_in_force(db: Database) -> None:
    async with db.transaction() as tx:
        await _approved(tx)
        await do_draft(tx, AUTHOR, draft(), NOW)
        row = await tx.get_one(ScriptVersionRow, ("S-9001", 2))
        row.state = ScriptState.APPROVED
        tx.add(row)
        with pytest.raises(IntegrityError):
            await tx.flush()
        await tx.rollback()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"script_id": "X1"}, "id"),
        ({"category": " "}, "category"),
        ({"title": ""}, "title"),
        ({"question": "？"}, "question"),
        ({"answer": " "}, "answer_empty"),
        ({"answer": "长" * 401}, "answer_long"),
        ({"answer": "{身份证号}"}, "variable"),
        ({"answer": "目前{利率}"}, "product"),
        ({"expires_on": date(2025, 1, 1)}, "validity"),
        ({"source": ""}, "source"),
    ],
)
async def test_draft_that_breaks_a_rule_is_refused(changes: dict[str, Any], problem: str, db: Database) -> None:
    assert problem in list_problems(draft(**changes))
    async with db.transaction() as tx:
        with pytest.raises(ScriptInvalid) as refused:
            await do_draft(tx, AUTHOR, draft(**changes), NOW)
    assert problem in refused.value.problems
