"""Calls keep within the limits of all nodes together; a limit the platform names stops them without losing anything."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import PlatformError, PlatformMisconfigured, PlatformUnavailable, RateLimited
from bot.settings import ApiLimit, PaceSettings
from bot.storage.database import Database
from bot.wecom.pace import (
    DAY,
    HOUR,
    MINUTE,
    MONTH,
    Demand,
    Window,
    closed_for,
    describe,
    is_reading,
    limit_for,
    patience,
    retry_wait,
    window_start,
    windows_of,
)
from tests.bot.nodes import Node, Nodes, some_nodes

NOW = datetime(2026, 11, 22, 2, 0, 30, tzinfo=UTC)
AGENTS = "GET /cgi-bin/agent/list"
SEND = "POST /cgi-bin/message/send"


@pytest.mark.parametrize(
    ("api", "params", "body", "rule", "per_window"),
    [
        (SEND, {}, {"touser": "a|b|c"}, SEND, {DAY: 14_000}),
        ("POST /cgi-bin/kf/sync_msg", {}, {"token": ""}, "POST /cgi-bin/kf/sync_msg#no-token", {MINUTE: 7}),
        ("POST /cgi-bin/kf/sync_msg", {}, {"token": "t"}, "*", {MINUTE: 7_000, HOUR: 105_000}),
        ("POST /cgi-bin/webhook/send", {"key": "k"}, {}, "POST /cgi-bin/webhook/*", {MINUTE: 14}),
        ("POST /cgi-bin/media/uploadimg", {}, {}, "POST /cgi-bin/media/uploadimg", {DAY: 700, MONTH: 2_100}),
        ("POST /cgi-bin/externalcontact/list", {}, {}, "*", {MINUTE: 7_000, HOUR: 105_000}),
    ],
)
def test_each_api_has_its_row(
    api: str, params: Mapping[str, str], body: Mapping[str, Any], rule: str, per_window: dict[int, int]
) -> None:
    settings = PaceSettings()
    limit = limit_for(settings, describe(api, "app", params, body))
    assert limit.api == rule
    assert windows_of(limit, settings) == per_window


def test_a_row_of_the_settings_comes_before_the_documented_ones() -> None:
    settings = PaceSettings(limits=(ApiLimit(api="POST /cgi-bin/message/*", per_minute=100),))
    assert windows_of(limit_for(settings, Demand(SEND, "app")), settings) == {MINUTE: 70}


def test_a_message_counts_every_member_it_names_and_a_webhooks_key_is_not_kept() -> None:
    assert describe(SEND, "app", {}, {"touser": "a|b|c"}).cost == 3
    assert "secret-key" not in str(describe("POST /cgi-bin/webhook/send", "", {"key": "secret-key"}, {}))


@given(
    before=st.integers(0, 100),
    taken=st.integers(0, 100),
    cost=st.integers(1, 20),
    seconds=st.sampled_from([MINUTE, HOUR, DAY]),
    into=st.floats(0, 0.99),
)
def test_after_the_wait_there_is_room(before: int, taken: int, cost: int, seconds: int, into: float) -> None:
    now = window_start(NOW, seconds) + timedelta(seconds=into * seconds)
    window = Window(seconds, window_start(now, seconds), taken, before)
    for _ in range(3):  # into the next window, where what was taken now slides out
        wait = window.wait_seconds(100, cost, now)
        if wait == 0:
            break
        now += timedelta(seconds=wait)
        window = window.at(now)
    assert window.room(100, now) >= cost


def test_days_and_months_begin_at_midnight_in_china() -> None:
    assert window_start(NOW, DAY) == datetime(2026, 11, 21, 16, tzinfo=UTC)
    assert window_start(NOW, MONTH) == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_a_stop_lasts_as_long_as_the_window_that_may_have_overflowed() -> None:
    base = {MINUTE: 7_000, HOUR: 105_000}
    assert [closed_for(base, strikes, NOW) for strikes in (1, 2, 3)] == [60, 3600, 3600]
    assert closed_for({DAY: 700, MONTH: 2_100}, 1, NOW) == 60
    assert closed_for({DAY: 700, MONTH: 2_100}, 2, NOW) == 14 * 3600 - 30, "to the end of the day in China"


@pytest.mark.parametrize(
    ("api", "error", "again"),
    [
        (AGENTS, PlatformUnavailable(AGENTS, -1), True),
        ("POST /cgi-bin/externalcontact/groupchat/list", PlatformUnavailable("", -1), True),
        ("POST /cgi-bin/externalcontact/mark_tag", PlatformUnavailable("", -1), False),
        ("POST /cgi-bin/externalcontact/mark_tag", PlatformUnavailable("", 45035), True),
        ("POST /cgi-bin/externalcontact/remark", PlatformUnavailable("", 6000), True),
        (SEND, PlatformUnavailable(SEND, -1), False),
        (SEND, RateLimited(SEND, 45033), False),
        (AGENTS, RateLimited(AGENTS, 45009), False),
        (AGENTS, PlatformMisconfigured(AGENTS, 48002), False),
        ("GET /cgi-bin/externalcontact/get_groupmsg_task", PlatformUnavailable("", 41063), False),
    ],
)
def test_only_what_does_no_harm_is_repeated(api: str, error: PlatformError, again: bool) -> None:
    assert (retry_wait(api, error, 1) is not None) is again
    assert retry_wait(api, error, 3) is None


def test_waits_grow_and_are_spread() -> None:
    error = PlatformUnavailable(AGENTS, -1)
    assert [retry_wait(AGENTS, error, attempt, 0.0) for attempt in (1, 2)] == [0.5, 1.0]
    assert retry_wait(AGENTS, error, 1, 0.99) == pytest.approx(0.995)


@pytest.mark.parametrize(
    ("api", "reads"),
    [
        ("POST /cgi-bin/externalcontact/batch/get_by_user", True),
        ("POST /cgi-bin/kf/sync_msg", True),
        ("POST /cgi-bin/externalcontact/add_contact_way", False),
        ("POST /cgi-bin/message/recall", False),
    ],
)
def test_reading_calls_are_known_by_their_name(api: str, reads: bool) -> None:
    assert is_reading(api) is reads


@pytest.fixture
async def nodes(db: Database) -> AsyncIterator[Nodes]:
    """A platform and no node yet."""
    async with some_nodes(db) as made:
        yield made


def _tight(**limit: Any) -> PaceSettings:
    return PaceSettings(share=1.0, limits=(ApiLimit(api=AGENTS, **limit), ApiLimit(api=SEND, per="app", per_minute=3)))


async def _use(node: Node, times: int, api: str = AGENTS) -> None:
    for _ in range(times):
        async with node.pacer.permit(describe(api, "app", {}, {})):
            pass


async def test_two_nodes_together_keep_within_one_limit(nodes: Nodes) -> None:
    first, second = (nodes.add(name, pace=_tight(per_minute=6)) for name in ("first", "second"))
    await _use(first, 3)
    await _use(second, 3)
    assert nodes.slept == []
    await _use(second, 1)
    assert sum(nodes.slept) > 0, "the seventh waited"


async def test_what_says_something_does_not_wait_but_is_told_when(nodes: Nodes) -> None:
    node = nodes.add("first", pace=_tight(per_minute=6))
    await _use(node, 3, SEND)
    with pytest.raises(RateLimited) as refused:
        await _use(node, 1, SEND)
    assert 0 < refused.value.retry_after_seconds <= 120
    assert nodes.slept == []
    nodes.clock.advance(timedelta(seconds=refused.value.retry_after_seconds))
    await _use(node, 1, SEND)


async def test_a_wait_longer_than_the_setting_is_refused(nodes: Nodes) -> None:
    node = nodes.add("first", pace=_tight(per_hour=1))
    await _use(node, 1)
    with pytest.raises(RateLimited):
        await _use(node, 1)


async def test_not_every_call_is_written_down(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    node = nodes.add("first")
    taken: list[int] = []
    reserve = node.pacer._reserve

    async def counting(*arguments: Any) -> Any:
        taken.append(1)
        return await reserve(*arguments)

    monkeypatch.setattr(node.pacer, "_reserve", counting)
    await _use(node, 1000)
    assert len(taken) < 20


async def test_45009_stops_the_api_on_all_nodes_and_only_it(nodes: Nodes) -> None:
    first, second = nodes.add("first"), nodes.add("second")
    await nodes.break_it(api=SEND, kind="errcode", errcode=45009, count=1)
    with pytest.raises(RateLimited) as refused:
        await first.client.call(SEND, {"touser": "rm001"})
    assert refused.value.retry_after_seconds == 60
    asked = nodes.asked["message/send"]
    for node in (first, second):
        with pytest.raises(RateLimited):
            await node.client.call(SEND, {"touser": "rm001"})
        await node.client.call(AGENTS)
    assert nodes.asked["message/send"] == asked, "nobody asked again"


async def test_a_reading_call_outwaits_45009(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=45009, count=1)
    with pytest.raises(RateLimited):
        await node.client.call(AGENTS)
    assert await node.client.call(AGENTS)
    assert sum(nodes.slept) == pytest.approx(60, abs=1)


async def test_a_second_stop_soon_after_the_first_takes_the_longer_window(nodes: Nodes) -> None:
    node = nodes.add("first")
    demand = describe(AGENTS, "app", {}, {})
    assert await node.pacer.refused(demand, 45009) == 60
    assert await node.pacer.refused(demand, 45009) == 60, "another answer of the same moment"
    nodes.clock.advance(timedelta(seconds=61))
    assert await node.pacer.refused(demand, 45009) == 3600
    nodes.clock.advance(timedelta(hours=2))
    assert await node.pacer.refused(demand, 45009) == 60


async def test_a_success_between_two_stops_makes_the_second_a_first(nodes: Nodes) -> None:
    node = nodes.add("first")
    demand = describe(AGENTS, "app", {}, {})
    await node.pacer.refused(demand, 45009)
    await node.pacer.worked(demand)  # its answer had been on the way
    nodes.clock.advance(timedelta(seconds=61))
    assert await node.client.call(AGENTS)
    assert await node.pacer.refused(demand, 45009) == 60


async def test_who_holds_a_lease_does_not_wait_longer_than_it_says(nodes: Nodes) -> None:
    node = nodes.add("first", pace=_tight(per_minute=6))
    await _use(node, 6)
    with patience(0.01), pytest.raises(RateLimited):
        await _use(node, 1)
    assert nodes.slept == []
    await _use(node, 1)


async def _most_at_once(node: Node) -> int:
    busy = most = 0

    async def one() -> None:
        nonlocal busy, most
        async with node.pacer.permit(describe(AGENTS, "app", {}, {})):
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.001)
            busy -= 1

    await asyncio.gather(*(one() for _ in range(30)))
    return most


async def test_45033_halves_the_calls_at_a_time_until_it_has_been_quiet(nodes: Nodes) -> None:
    first, second = (nodes.add(name, pace=_tight(per_minute=1000, concurrency=8)) for name in ("first", "second"))
    assert await _most_at_once(first) == 8
    await first.pacer.refused(describe(AGENTS, "app", {}, {}), 45033)
    assert await _most_at_once(first) == 4
    assert await _most_at_once(second) == 4
    nodes.clock.advance(timedelta(minutes=5))
    assert await _most_at_once(first) == 8


async def test_writes_on_one_customer_take_turns_between_nodes(nodes: Nodes) -> None:
    first, second = nodes.add("first"), nodes.add("second")
    tag = describe("POST /cgi-bin/externalcontact/mark_tag", "app", {}, {"userid": "rm001", "external_userid": "wm1"})
    other = describe("POST /cgi-bin/externalcontact/mark_tag", "app", {}, {"userid": "rm001", "external_userid": "wm2"})
    async with first.pacer.permit(tag):
        async with second.pacer.permit(other):
            pass
        assert nodes.slept == []
        waiting = asyncio.create_task(_enter(second, tag))
        await asyncio.sleep(0.05)
        assert nodes.slept, "it waits for its turn"
    await waiting


async def _enter(node: Node, demand: Demand) -> None:
    async with node.pacer.permit(demand):
        await asyncio.sleep(0)


async def test_a_busy_platform_is_asked_again_where_it_does_no_harm(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=-1, count=2)
    assert await node.client.call(AGENTS)
    assert len(nodes.slept) == 2
