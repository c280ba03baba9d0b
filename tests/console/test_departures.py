"""When a member is gone their login ends at once, and the head of their branch is told who must be handed over."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import select

from bot.audit import AuditEntry
from bot.clock import FrozenClock
from bot.ids import StaffId
from bot.storage.database import Database
from console.auth.models import AccountRow
from console.auth.sessions import do_open_session, find_principal
from console.departures import settle_departures
from console.rights import Role
from customers import do_retire_members, list_open_departures, sync_everything
from customers.models import StaffRow
from sop.todos import list_todos
from tests.customers.bank import a_bank

LI = StaffId("rm001")
NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


async def an_account(db: Database, staff_id: str, role: Role) -> str:
    """Make an account with an open session; return the session."""
    async with db.transaction() as tx:
        tx.add(AccountRow(staff_id=staff_id, name=staff_id, role=role, position="", password_hash="x", created_at=NOW))
        await tx.flush()
        return await do_open_session(tx, staff_id=staff_id, name=staff_id, role=role, position="", now=NOW)


async def depart(db: Database, clock: FrozenClock, staff_id: StaffId = LI) -> None:
    async with db.transaction() as tx:
        await do_retire_members(tx, [staff_id], clock.now())


async def todos_of(db: Database, staff_id: str) -> list[str]:
    async with db.reading() as tx:
        return [row.title for row in await list_todos(tx, StaffId(staff_id), date(2026, 11, 20))]


async def test_login_ends_and_the_head_of_the_branch_is_told_once(db: Database, clock: FrozenClock) -> None:
    bank = a_bank()
    bank.members[1]["is_leader_in_dept"] = [1]
    await sync_everything(db, bank, clock)
    await an_account(db, "admin", Role.ADMIN)
    session = await an_account(db, LI, Role.RM)
    await depart(db, clock)
    assert await settle_departures(db, clock) == 1
    assert await settle_departures(db, clock) == 0
    assert await find_principal(db, session, NOW) is None
    assert await todos_of(db, "rm002") == ["安排客户继承：李娜"]
    assert await todos_of(db, "admin") == []
    async with db.reading() as tx:
        assert await tx.get(AccountRow, LI) is None
        entries = (await tx.exec(select(AuditEntry).where(AuditEntry.action == "console.access_ended"))).all()
        assert [one.staff_id for one in await list_open_departures(tx)] == [LI]
    assert [entry.subject for entry in entries] == [f"account:{LI}"]


async def test_without_a_head_the_administrators_are_told(db: Database, clock: FrozenClock) -> None:
    await sync_everything(db, a_bank(), clock)
    await an_account(db, "admin", Role.ADMIN)
    await depart(db, clock)
    await settle_departures(db, clock, "en")
    assert await todos_of(db, "admin") == ["Hand over the customers of 李娜"]


async def test_who_leaves_nobody_behind_makes_no_work(db: Database, clock: FrozenClock) -> None:
    await sync_everything(db, a_bank(), clock)
    await an_account(db, "admin", Role.ADMIN)
    await depart(db, clock, StaffId("co001"))
    assert await settle_departures(db, clock) == 1
    assert await todos_of(db, "admin") == []
    async with db.reading() as tx:
        assert await list_open_departures(tx) == []


async def test_the_last_administrator_keeps_the_account(db: Database, clock: FrozenClock) -> None:
    await sync_everything(db, a_bank(), clock)
    await an_account(db, LI, Role.ADMIN)
    await depart(db, clock)
    await settle_departures(db, clock)
    async with db.reading() as tx:
        assert await tx.get(AccountRow, LI) is not None


async def test_who_left_came_back_and_left_again_departs_again(db: Database, clock: FrozenClock) -> None:
    bank = a_bank()
    await sync_everything(db, bank, clock)
    await an_account(db, "admin", Role.ADMIN)
    for _ in range(2):
        await depart(db, clock)
        assert await settle_departures(db, clock) == 1
        clock.advance(timedelta(seconds=1))
        await sync_everything(db, bank, clock)
        clock.advance(timedelta(seconds=1))
    async with db.reading() as tx:
        back = await tx.get_one(StaffRow, LI)
        assert await list_open_departures(tx) == []
    assert back.active
    assert len(await todos_of(db, "admin")) == 2
