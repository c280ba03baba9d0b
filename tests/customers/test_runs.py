"""One run at a time, taken up wherever it was killed, and what vanished is found by what was not shown."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from bot.clock import FrozenClock
from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable
from bot.ids import CustomerId, StaffId
from bot.storage.database import Database
from bot.wecom.api.calls import PagesDoNotMove
from customers import (
    CustomersSettings,
    FollowRow,
    FollowState,
    SyncBusy,
    SyncStage,
    SyncState,
    do_release_sync,
    find_customer,
    find_staff,
    is_sync_due,
    list_customers_of,
    sync_customer,
    sync_everything,
    sync_progress,
)
from customers.models import SyncPartRow, SyncSeenRow
from customers.runs import SyncRun
from tests.customers.bank import Bank, a_bank

BATCH = "POST /cgi-bin/externalcontact/batch/get_by_user"
ONE_BY_ONE = CustomersSettings(sync_concurrency=1)


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime(2026, 11, 20, 2, tzinfo=UTC))


class Killed(BaseException):
    """As good as signal 9: nothing of ours runs after it."""


class Line:
    """The way to a bank. It can be cut at a call, and shows what was asked."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.before: dict[int, Any] = {}

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        self.asked.append((api, dict(body or {})))
        event = self.before.get(len(self.asked))
        if event is not None:
            await event()
        return await self.bank.call(api, body, params=params, app=app)


async def kill_at(db: Database, line: Line, clock: FrozenClock, call: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run until the given call, and die there without giving the lease back."""

    async def die() -> None:
        raise Killed

    async def nothing(_self: SyncRun, _error: BaseException) -> None:
        """A dead process gives nothing back."""

    line.before[call] = die
    with monkeypatch.context() as patch:
        patch.setattr(SyncRun, "stop", nothing)
        with pytest.raises(Killed):
            await sync_everything(db, line, clock, settings=ONE_BY_ONE)


def a_large_bank() -> Bank:
    """Li serves nine customers: five pages."""
    bank = a_bank()
    for number in range(10, 16):
        bank.add_customer("rm001", f"wm{number}", f"客户{number}")
    return bank


async def test_killed_in_the_middle_of_a_member_it_goes_on_with_the_next_page(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_large_bank()
    first = Line(bank)
    # follow users, departments, members twice, tags, and two pages of Li's: dead when asking for the third
    await kill_at(db, first, clock, 8, monkeypatch)
    clock.advance(timedelta(minutes=2))
    again = Line(bank)
    report = await sync_everything(db, again, clock)
    assert report.resumed
    pages = [body.get("cursor") for api, body in again.asked if api == BATCH and body["userid_list"] == ["rm001"]]
    assert pages == ["4", "6", "8"]
    async with db.reading() as tx:
        assert len(await list_customers_of(tx, StaffId("rm001"))) == 9
        assert (await tx.exec(select(SyncSeenRow))).all() == []


async def test_killed_anywhere_nothing_is_missing_and_nobody_ended(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Line(a_large_bank())
    await sync_everything(db, whole, clock, settings=ONE_BY_ONE)
    for call in range(1, len(whole.asked) + 1):
        clock.advance(timedelta(days=1))
        await kill_at(db, Line(a_large_bank()), clock, call, monkeypatch)
        clock.advance(timedelta(minutes=2))
        report = await sync_everything(db, Line(a_large_bank()), clock)
        assert (report.changed, report.resumed) == (0, True), call


async def test_what_vanished_is_found_by_a_run_that_was_killed_in_between(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_large_bank()
    await sync_everything(db, Line(bank), clock)
    clock.advance(timedelta(days=1))
    del bank.follows[("rm001", "wm15")]
    await kill_at(db, Line(bank), clock, 8, monkeypatch)
    clock.advance(timedelta(minutes=2))
    await sync_everything(db, Line(bank), clock)
    async with db.reading() as tx:
        assert (await tx.get_one(FollowRow, ("rm001", "wm15"))).state is FollowState.ENDED
        assert len(await list_customers_of(tx, StaffId("rm001"))) == 8


async def test_a_customer_added_by_an_event_during_the_sweep_stays(db: Database, clock: FrozenClock) -> None:
    bank = a_large_bank()
    line = Line(bank)

    async def add() -> None:
        clock.advance(timedelta(seconds=1))
        bank.add_customer("rm001", "wm00", "新客户")
        await sync_customer(db, bank, clock, CustomerId("wm00"))
        clock.advance(timedelta(seconds=1))

    line.before[8] = add  # its page has been read: in the order of ids it is the first
    await sync_everything(db, line, clock, settings=ONE_BY_ONE)
    async with db.reading() as tx:
        assert (await tx.get_one(FollowRow, ("rm001", "wm00"))).state is FollowState.ACTIVE


async def test_an_old_page_does_not_undo_what_an_event_brought(db: Database, clock: FrozenClock) -> None:
    bank = a_large_bank()
    await sync_everything(db, Line(bank), clock)
    clock.advance(timedelta(days=1))
    line = Line(bank)

    async def remove_after_reading() -> None:
        clock.advance(timedelta(seconds=1))
        gone = bank.follows.pop(("rm001", "wm1"))
        await sync_customer(db, bank, clock, CustomerId("wm1"))
        clock.advance(timedelta(seconds=1))
        bank.follows[("rm001", "wm1")] = gone  # the page was made before that

    line.before[6] = remove_after_reading
    await sync_everything(db, line, clock, settings=ONE_BY_ONE)
    async with db.reading() as tx:
        assert (await tx.get_one(FollowRow, ("rm001", "wm1"))).state is FollowState.ENDED


async def test_a_place_the_platform_forgot_is_read_from_the_beginning(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_large_bank()
    await kill_at(db, Line(bank), clock, 8, monkeypatch)
    clock.advance(timedelta(minutes=2))
    real = bank._externalcontact_batch_get_by_user

    def refuse_old(body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
        if body.get("cursor") == "4" and not any(api == BATCH and "cursor" not in sent for api, sent in line.asked):
            raise PlatformError("batch/get_by_user", 40058)
        return real(body, params)

    line = Line(bank)
    monkeypatch.setattr(bank, "_externalcontact_batch_get_by_user", refuse_old)
    await sync_everything(db, line, clock)
    async with db.reading() as tx:
        assert len(await list_customers_of(tx, StaffId("rm001"))) == 9


async def test_a_platform_that_goes_round_in_circles_is_given_up(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_large_bank()
    real = bank._externalcontact_batch_get_by_user
    monkeypatch.setattr(
        bank, "_externalcontact_batch_get_by_user", lambda body, params: {**real(body, params), "next_cursor": "2"}
    )
    with pytest.raises(PagesDoNotMove):
        await sync_everything(db, bank, clock)


async def test_second_run_is_refused_while_one_runs(db: Database, clock: FrozenClock) -> None:
    bank, line = a_bank(), Line(a_bank())
    refused: list[BaseException] = []

    async def try_a_second() -> None:
        try:
            await sync_everything(db, bank, clock)
        except SyncBusy as error:
            refused.append(error)

    line.before[5] = try_a_second
    await sync_everything(db, line, clock)
    assert len(refused) == 1
    assert bank.calls == []


async def test_a_silent_node_is_taken_over_and_writes_nothing_more(db: Database, clock: FrozenClock) -> None:
    bank, line = a_bank(), Line(a_bank())

    async def sleep_long_and_be_taken_over() -> None:
        clock.advance(timedelta(minutes=5))
        await sync_everything(db, bank, clock)

    line.before[5] = sleep_long_and_be_taken_over
    with pytest.raises(SyncBusy):
        await sync_everything(db, line, clock, settings=ONE_BY_ONE)
    async with db.reading() as tx:
        assert (await sync_progress(tx, clock.now())).state is SyncState.FINISHED


async def test_where_there_is_one_process_a_new_start_need_not_wait_for_the_dead_ones_lease(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    await kill_at(db, Line(a_bank()), clock, 6, monkeypatch)
    with pytest.raises(SyncBusy):
        await sync_everything(db, a_bank(), clock)
    async with db.transaction() as tx:
        await do_release_sync(tx)
    assert (await sync_everything(db, a_bank(), clock)).resumed


async def test_progress_is_told_while_it_runs_and_after_it_failed(db: Database, clock: FrozenClock) -> None:
    line = Line(a_bank())
    seen: list[tuple[SyncState, SyncStage, int, int]] = []

    async def look() -> None:
        async with db.reading() as tx:
            now = await sync_progress(tx, clock.now())
        seen.append((now.state, now.stage, now.done, now.total))
        raise PlatformUnavailable("batch/get_by_user", 6000)

    async with db.reading() as tx:
        assert (await sync_progress(tx, clock.now())).state is SyncState.NEVER
        assert await is_sync_due(tx, clock.now(), timedelta(days=1))
    line.before[8] = look
    with pytest.raises(PlatformUnavailable):
        await sync_everything(db, line, clock, settings=ONE_BY_ONE)
    assert seen == [(SyncState.RUNNING, SyncStage.CUSTOMERS, 1, 2)]
    async with db.reading() as tx:
        stopped = await sync_progress(tx, clock.now())
        assert await is_sync_due(tx, clock.now(), timedelta(days=1))
    assert (stopped.state, stopped.last_error) == (SyncState.STOPPED, "batch/get_by_user 6000")
    assert stopped.report.customers == 3
    await sync_everything(db, Line(a_bank()), clock)
    async with db.reading() as tx:
        done = await sync_progress(tx, clock.now())
        assert not await is_sync_due(tx, clock.now(), timedelta(days=1))
    assert (done.state, done.last_error, done.report.customers) == (SyncState.FINISHED, None, 5)


async def test_members_are_read_side_by_side_but_not_more_than_set(db: Database, clock: FrozenClock) -> None:
    bank = a_bank()
    for number in range(10):
        bank.serving.append(f"rm1{number:02}")
    together, waiting = asyncio.Event(), 0

    class Slow(Line):
        async def call(self, api: str, *args: Any, **more: Any) -> dict[str, Any]:
            nonlocal waiting
            if api == BATCH and not together.is_set():
                waiting += 1
                assert waiting <= 3
                if waiting == 3:
                    asyncio.get_running_loop().call_soon(together.set)
                async with asyncio.timeout(30):
                    await together.wait()
            return await super().call(api, *args, **more)

    await sync_everything(db, Slow(bank), clock, settings=CustomersSettings(sync_concurrency=3))
    assert waiting == 3


async def test_customers_hidden_for_want_of_a_licence_are_not_taken_for_gone(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_bank()
    await sync_everything(db, bank, clock)
    clock.advance(timedelta(days=1))
    nothing = {
        "external_contact_list": [],
        "next_cursor": "",
        "fail_info": {"unlicensed_userid_list": ["rm001", "rm002"]},
    }
    monkeypatch.setattr(bank, "_externalcontact_batch_get_by_user", lambda _body, _params: nothing)
    report = await sync_everything(db, bank, clock)
    assert (report.skipped, report.changed) == (2, 0)


@pytest.mark.parametrize("emptied", ["serving", "departments"])
async def test_a_platform_that_suddenly_shows_nobody_is_not_believed(
    db: Database, clock: FrozenClock, emptied: str
) -> None:
    bank = a_bank()
    await sync_everything(db, bank, clock)
    clock.advance(timedelta(days=1))
    setattr(bank, emptied, [])
    with pytest.raises(PlatformMisconfigured):
        await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        assert len(await list_customers_of(tx, StaffId("rm001"))) == 3


async def test_nobody_has_left_when_a_department_would_not_be_shown(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_bank()
    await sync_everything(db, bank, clock)
    clock.advance(timedelta(days=1))
    real = bank._user_list

    def refuse_branch(body: dict[str, Any], params: dict[str, str]) -> dict[str, Any]:
        if params["department_id"] == "2":
            raise PlatformError("user/list", 60011)
        return real(body, params)

    monkeypatch.setattr(bank, "_user_list", refuse_branch)
    assert (await sync_everything(db, bank, clock)).skipped == 1
    async with db.reading() as tx:
        member = await find_staff(tx, StaffId("rm001"))
    assert member is not None
    assert member.active


async def test_traits_are_read_anew_also_when_killed_between_tags_and_customers(
    db: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank = a_bank()
    await sync_everything(db, bank, clock)
    clock.advance(timedelta(days=1))
    bank.tag_groups["风险评级"] = [("t-c2", "C1 保守型"), ("t-c4", "C4 成长型")]
    with monkeypatch.context() as patch:

        async def die(*_args: object) -> int:
            raise Killed

        patch.setattr("customers.sync.read_due_traits", die)
        with pytest.raises(Killed):
            await sync_everything(db, bank, clock)
    await sync_everything(db, bank, clock)
    async with db.reading() as tx:
        customer = await find_customer(tx, CustomerId("wm1"))
        parts = (await tx.exec(select(SyncPartRow.stage).distinct())).all()
    assert customer is not None
    assert customer.risk_level == "C1"
    assert list(parts) == [SyncStage.TRAITS]
