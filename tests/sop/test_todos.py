"""To-dos: made once for each cause, listed by urgency, closed by the right person or by what happened."""

from datetime import timedelta

import pytest

from bot.errors import Conflict, Forbidden, NotFound
from bot.storage.database import Database
from sop import (
    TodoKind,
    TodoState,
    access_todo,
    do_close_todos_about,
    do_complete_todo,
    do_create_todo,
    list_todos,
)
from tests.sop.world import LI, NOW, ZHANG, later

TODAY = NOW.date()


async def a_todo(db: Database, title: str = "回访王芳", **changes: object) -> str:
    values: dict[str, object] = {"due_at": NOW, **changes}
    due_at, once_key = values["due_at"], values.get("once_key")
    async with db.transaction() as tx:
        row = await do_create_todo(
            tx,
            LI,
            TodoKind.FOLLOW_UP,
            title,
            "问问存单到期安排",
            "customer:wm1",
            NOW,
            due_at,  # type: ignore[arg-type]  # a datetime or None
            once_key=once_key,  # type: ignore[arg-type]  # a text or None
        )
        return row.id


async def test_today_lists_what_is_due_most_urgent_first(db: Database) -> None:
    await a_todo(db, "无期限", due_at=None)
    await a_todo(db, "今天晚上", due_at=later(hours=10))
    await a_todo(db, "昨天", due_at=later(days=-1))
    await a_todo(db, "明天", due_at=later(days=1))
    async with db.reading() as tx:
        assert [one.title for one in await list_todos(tx, LI, TODAY)] == ["昨天", "今天晚上", "无期限"]
        assert await list_todos(tx, ZHANG, TODAY) == []
        assert len(await list_todos(tx, LI, TODAY + timedelta(days=1))) == 4


async def test_same_cause_makes_one_todo_even_after_it_is_done(db: Database) -> None:
    first = await a_todo(db, once_key="cause")
    async with db.transaction() as tx:
        await do_complete_todo(tx, first, NOW)
    assert await a_todo(db, once_key="cause") == first
    async with db.reading() as tx:
        assert await list_todos(tx, LI, TODAY) == []
    assert await a_todo(db) != await a_todo(db)


async def test_completing_twice_is_no_error_but_an_expired_one_cannot_be_done(db: Database) -> None:
    done, expired = await a_todo(db), await a_todo(db)
    async with db.transaction() as tx:
        await do_complete_todo(tx, done, NOW)
        assert (await do_complete_todo(tx, done, later(hours=1))).ended_at == NOW
        assert await do_close_todos_about(tx, "customer:wm1", TodoState.EXPIRED, NOW) == 1
        with pytest.raises(Conflict):
            await do_complete_todo(tx, expired, NOW)
        with pytest.raises(NotFound):
            await do_complete_todo(tx, "todo_none", NOW)


async def test_only_the_member_may_open_a_todo(db: Database) -> None:
    todo = await a_todo(db)
    async with db.transaction() as tx:
        assert (await access_todo(tx, LI, todo)).id == todo
        with pytest.raises(Forbidden):
            await access_todo(tx, ZHANG, todo)
        with pytest.raises(NotFound):
            await access_todo(tx, LI, "todo_none")
