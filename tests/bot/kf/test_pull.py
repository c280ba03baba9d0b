"""Every item comes in once, whatever the notices, the nodes and the platform do."""

import asyncio
from datetime import timedelta

import pytest

from bot.doors.kf import UNREADABLE, list_due_accounts, list_pull_health
from bot.errors import PlatformUnavailable
from bot.inbox.models import InboxState
from bot.storage.database import Database
from tests.bot.kf.desk import ACCOUNT, KfDesk, open_kf_desk


async def test_items_come_in_once_and_in_order_although_noticed_twice(desk: KfDesk) -> None:
    for number in range(3):
        await desk.do("messages", text=f"第{number}条")
    assert await desk.pull() == 3
    assert await desk.pull() == 0
    bodies = [row.body for row in await desk.inbox()]
    assert [f"第{number}条" in body for number, body in enumerate(bodies)] == [True] * 3


async def test_two_nodes_told_of_the_same_thing_store_it_once(desk: KfDesk) -> None:
    for number in range(5):
        await desk.do("messages", text=f"第{number}条")
    pulls = await asyncio.gather(*(desk.puller(f"node-{number}").pull(ACCOUNT) for number in range(4)))
    assert sum(pulls) == 5
    assert len(await desk.inbox()) == 5
    row = await desk.cursor()
    assert (row.lease, row.due_at) == (None, None)


async def test_a_notice_that_comes_during_a_pull_is_not_lost(desk: KfDesk) -> None:
    """The other node gives way; whoever pulls looks once more."""
    await desk.do("messages", text="第一条")
    first = desk.puller("node-1")
    position = await first._begin(ACCOUNT, None, "node-1:lease")
    assert position is not None
    page = await first._fetch(ACCOUNT, position)
    await desk.do("messages", text="在页面之后")
    assert await desk.puller("node-2").pull(ACCOUNT, "fresh-token") == 0
    stored, following = await first._store(ACCOUNT, "node-1:lease", position, page)
    assert stored == 1
    assert following is not None
    assert following.token == "fresh-token"
    assert await first._read_on(ACCOUNT, "node-1:lease", following) == 1
    assert (await desk.cursor()).due_at is None


async def test_a_node_that_dies_in_a_pull_is_followed_by_another(desk: KfDesk) -> None:
    await desk.do("messages", text="还在吗")
    dead = desk.puller("node-1")
    assert await dead._begin(ACCOUNT, None, "node-1:lease") is not None  # and then never again
    assert await desk.puller("node-2").pull_due() == 0
    await desk.advance(timedelta(seconds=61))
    assert await desk.puller("node-2").pull_due() == 1


async def test_a_slow_node_whose_lease_was_taken_over_stores_nothing(desk: KfDesk) -> None:
    await desk.do("messages", text="一条")
    slow = desk.puller("node-1")
    position = await slow._begin(ACCOUNT, None, "node-1:lease")
    assert position is not None
    await desk.advance(timedelta(seconds=61))
    assert await desk.puller("node-2").pull(ACCOUNT) == 1
    assert await slow.pull(ACCOUNT) == 0
    assert len(await desk.inbox()) == 1


async def test_an_empty_page_that_says_there_is_more_is_read_over(desk: KfDesk) -> None:
    await desk.do("messages", text="在空页之后")
    assert (await desk.platform.post("/_sim/kf/empty_pages", json={"pages": 3})).status_code == 200
    assert await desk.pull() == 1


async def test_a_backlog_gives_way_and_goes_on(desk: KfDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.doors.kf._LIMIT", 2)
    monkeypatch.setattr("bot.doors.kf._PAGES_AT_ONCE", 3)
    for number in range(10):
        await desk.do("messages", text=f"第{number}条")
    assert await desk.pull() == 6
    assert await desk.puller().pull_due() == 4
    assert len(await desk.inbox()) == 10


async def test_an_expired_token_is_left_away_once(desk: KfDesk) -> None:
    await desk.do("messages", text="迟到的通知")
    assert await desk.puller().pull(ACCOUNT, "expired") == 1
    assert desk.wire.asked.count("sync_msg") == 2


async def test_too_many_pulls_without_token_are_made_up_for_later(db: Database) -> None:
    async with open_kf_desk(db, kf_pulls_without_token_per_minute=2) as desk:
        for _ in range(2):
            await desk.pull()
        await desk.do("messages", text="限流时写的")
        assert await desk.pull() == 0
        row = await desk.cursor()
        assert row.error is not None
        assert "45009" in row.error
        asked = len(desk.wire.asked)
        assert await desk.puller().pull_due() == 0
        assert len(desk.wire.asked) == asked, "not before the window is over"
        await desk.advance(timedelta(seconds=61))
        assert await desk.puller().pull_due() == 1
        assert (await desk.cursor()).error is None


async def test_a_platform_that_is_away_leaves_the_account_due(desk: KfDesk) -> None:
    await desk.do("messages", text="断线时写的")
    await desk.break_it("sync_msg", kind="http_5xx")
    assert await desk.pull() == 0
    await desk.mend_it()
    await desk.advance(timedelta(seconds=6))
    assert await desk.puller().pull_due() == 1


async def test_an_account_nobody_told_us_of_is_pulled_from_time_to_time(desk: KfDesk) -> None:
    """Callbacks can be lost: the configured accounts are looked at all the same."""
    await desk.do("messages", text="通知丢了")
    assert await desk.puller().pull_due([ACCOUNT]) == 1
    await desk.do("messages", text="又丢了")
    assert await desk.puller().pull_due([ACCOUNT]) == 0
    await desk.advance(timedelta(minutes=5))
    assert await desk.puller().pull_due() == 1


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "text",
        {"msgtype": "text"},
        {"msgid": "", "msgtype": "text"},
    ],
)
async def test_an_unreadable_item_is_parked_and_holds_up_no_other(desk: KfDesk, bad: object) -> None:
    await desk.do("messages", text="前一条")
    puller = desk.puller()
    assert await puller.pull(ACCOUNT) == 1
    page = {"next_cursor": "c99", "has_more": 0, "msg_list": [bad, _item("good-1"), bad, _item("good-2")]}
    position = await puller._begin(ACCOUNT, None, "lease")
    assert position is not None
    stored, _ = await puller._store(ACCOUNT, "lease", position, page)
    assert stored == 2
    rows = await desk.inbox()
    parked = [row for row in rows if row.state is InboxState.FAILED]
    assert [row.error for row in parked] == [UNREADABLE]
    assert len(rows) == 4


def _item(msgid: str) -> dict[str, object]:
    about = {"open_kfid": ACCOUNT, "external_userid": "wm-somebody"}
    return {"msgid": msgid, "send_time": 1, "origin": 3, "msgtype": "text", "text": {"content": msgid}, **about}


async def test_items_of_unknown_kinds_are_kept(desk: KfDesk) -> None:
    unknown = {"msgid": "u1", "send_time": 1, "origin": 3, "msgtype": "hologram", "hologram": {"x": 1}}
    event = {"msgid": "u2", "send_time": 1, "origin": 4, "msgtype": "event", "event": {"event_type": "eclipse"}}
    for item in (unknown, event):
        assert (await desk.platform.post("/_sim/kf/items", json={"item": item})).status_code == 200
    assert await desk.pull() == 2
    assert ["hologram" in row.body or "eclipse" in row.body for row in await desk.inbox()] == [True, True]


async def test_an_account_silent_for_two_days_is_reported_before_its_messages_are_gone(desk: KfDesk) -> None:
    await desk.pull()
    for days, stale in ((1, False), (2, True)):
        await desk.advance(timedelta(days=1, seconds=days))
        async with desk.db.reading() as tx:
            (health,) = await list_pull_health(tx, desk.clock.now())
        assert health.stale is stale
    async with desk.db.reading() as tx:
        assert await list_due_accounts(tx, desk.clock.now(), timedelta(minutes=5)) == [ACCOUNT]


async def test_a_pull_that_is_broken_off_lets_others_go_on(desk: KfDesk) -> None:
    await desk.do("messages", text="打断之后")
    puller = desk.puller()

    async def break_off(*_: object) -> None:
        raise asyncio.CancelledError

    puller._fetch = break_off  # type: ignore[assignment, method-assign]  # as a worker's timeout would
    with pytest.raises(asyncio.CancelledError):
        await puller.pull(ACCOUNT)
    assert await desk.puller("node-2").pull_due() == 1


async def test_what_is_not_the_tokens_fault_is_not_asked_again_at_once(desk: KfDesk) -> None:
    await desk.break_it("sync_msg", kind="errcode", errcode=-1)
    position = await desk.puller()._begin(ACCOUNT, "token", "lease")
    assert position is not None
    with pytest.raises(PlatformUnavailable):
        await desk.puller()._fetch(ACCOUNT, position)
