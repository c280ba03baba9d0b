"""One token for all nodes: fetched once, ahead of its end, replaced once when it is refused, and never in a loop."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlmodel import select

from bot.alerts.models import AlertKind
from bot.alerts.store import list_open_alerts
from bot.errors import PlatformMisconfigured, PlatformUnavailable, TokenExpired
from bot.storage.database import Database
from bot.wecom.models import CredentialRow
from bot.wecom.tickets import TicketKind
from tests.bot.nodes import Nodes, some_nodes

AGENTS = "GET /cgi-bin/agent/list"
WRONG = "a-wrong-secret-of-this-app"


@pytest.fixture
async def nodes(db: Database) -> AsyncIterator[Nodes]:
    """A platform and no node yet."""
    async with some_nodes(db) as made:
        yield made


async def _row(db: Database, name: str = "token:app") -> CredentialRow:
    async with db.reading() as tx:
        return (await tx.exec(select(CredentialRow).where(CredentialRow.name == name))).one()


async def test_many_calls_of_many_nodes_fetch_one_token(nodes: Nodes) -> None:
    made = [nodes.add(f"node-{number}") for number in range(4)]
    values = await asyncio.gather(*(node.tokens.get("app") for node in made for _ in range(5)))
    assert len(set(values)) == 1
    assert nodes.asked["gettoken"] == 1


async def test_a_node_that_starts_later_uses_the_stored_token(nodes: Nodes) -> None:
    value = await nodes.add("first").tokens.get("app")
    assert await nodes.add("second").tokens.get("app") == value
    assert nodes.asked["gettoken"] == 1


async def test_the_stored_token_is_of_no_use_without_the_secret(nodes: Nodes) -> None:
    value = await nodes.add("first").tokens.get("app")
    row = await _row(nodes.db)
    assert value not in str(row.model_dump())


async def test_applications_with_the_same_secret_share_a_token_and_others_do_not(nodes: Nodes) -> None:
    tokens = nodes.add("first").tokens
    assert await tokens.get("contact") == await tokens.get("app")
    assert await tokens.get("kf") != await tokens.get("app")
    assert nodes.asked["gettoken"] == 2


async def test_a_refused_token_is_replaced_once_for_all_nodes(nodes: Nodes) -> None:
    made = [nodes.add(f"node-{number}") for number in range(3)]
    before = await asyncio.gather(*(node.tokens.get("app") for node in made))
    await nodes.break_it(api=AGENTS, kind="token_revoked", count=1)
    await asyncio.gather(*(node.client.call(AGENTS) for node in made))
    after = await asyncio.gather(*(node.tokens.get("app") for node in made))
    assert set(before).isdisjoint(after)
    assert len(set(after)) == 1
    assert nodes.asked["gettoken"] == 2


@pytest.mark.parametrize("errcode", [40014, 42001])
async def test_a_token_refused_again_and_again_does_not_loop(nodes: Nodes, errcode: int) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=errcode)
    for _ in range(4):
        with pytest.raises(TokenExpired):
            await node.client.call(AGENTS)
    assert nodes.asked["agent/list"] == 8, "twice for each call"
    assert nodes.asked["gettoken"] == 2, "the platform gives the same again: not asked for each call"


async def test_a_fresh_token_that_belongs_elsewhere_is_a_matter_of_configuration(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api=AGENTS, kind="errcode", errcode=40001)
    with pytest.raises(PlatformMisconfigured):
        await node.client.call(AGENTS)


async def test_a_wrong_secret_is_tried_once_by_all_nodes_together(nodes: Nodes) -> None:
    for name in ("first", "second"):
        node = nodes.add(name, app_secret=WRONG)
        for _ in range(3):
            with pytest.raises(PlatformMisconfigured):
                await node.client.call(AGENTS)
    assert nodes.asked["gettoken"] == 1
    assert (await _row(nodes.db)).refused_errcode == 40001
    async with nodes.db.reading() as tx:
        (alert,) = await list_open_alerts(tx)
    assert (alert.kind, alert.subject, alert.errcode) == (AlertKind.SECRET, "app", 40001)


async def test_a_corrected_secret_is_tried_at_once_and_ends_the_alert(nodes: Nodes) -> None:
    with pytest.raises(PlatformMisconfigured):
        await nodes.add("first", app_secret=WRONG).client.call(AGENTS)
    await nodes.add("second").client.call(AGENTS)
    async with nodes.db.reading() as tx:
        assert await list_open_alerts(tx) == []


async def test_an_administrator_can_have_the_same_secret_tried_again(nodes: Nodes) -> None:
    node = nodes.add("first", app_secret=WRONG)
    for _ in range(2):
        with pytest.raises(PlatformMisconfigured):
            await node.tokens.get("app")
        await node.tokens.allow_again("app")
    assert nodes.asked["gettoken"] == 2


async def test_an_unanswered_request_is_no_refusal(nodes: Nodes) -> None:
    node = nodes.add("first")
    await nodes.break_it(api="GET /cgi-bin/gettoken", kind="http_5xx", count=1)
    with pytest.raises(PlatformUnavailable):
        await node.tokens.get("app")
    assert await node.tokens.get("app")


async def test_an_application_without_a_secret_is_named(nodes: Nodes) -> None:
    with pytest.raises(PlatformMisconfigured, match="meeting"):
        await nodes.add("first").tokens.get("meeting")


async def test_another_nodes_new_token_is_noticed_when_the_old_one_is_refused(nodes: Nodes) -> None:
    first, second = nodes.add("first"), nodes.add("second")
    old = await first.tokens.get("app")
    assert await second.tokens.get("app") == old
    await nodes.break_it(api=AGENTS, kind="token_revoked", count=1)
    await second.client.call(AGENTS)
    assert await first.tokens.get("app") == old, "its own copy, still"
    assert await first.tokens.renew("app", old) == await second.tokens.get("app")
    assert nodes.asked["gettoken"] == 2


async def test_a_dead_nodes_fetching_is_taken_over(nodes: Nodes) -> None:
    node = nodes.add("first")
    async with nodes.db.transaction() as tx:
        now = nodes.clock.now()
        tx.add(CredentialRow(name="token:app", refreshing_by="dead", refreshing_until=now + timedelta(seconds=15)))
    waiting = asyncio.create_task(node.tokens.get("app"))
    await asyncio.sleep(0.3)
    assert nodes.asked["gettoken"] == 0
    nodes.clock.advance(timedelta(seconds=16))
    assert await waiting


async def test_the_timer_renews_before_the_end_and_only_then(nodes: Nodes) -> None:
    node = nodes.add("first")
    await node.tokens.get("app")
    await node.tokens.get("kf")
    await node.tokens.refresh_ahead()
    assert nodes.asked["gettoken"] == 2
    nodes.clock.advance(timedelta(minutes=110))
    await node.tokens.refresh_ahead()
    assert nodes.asked["gettoken"] == 4


async def test_tickets_are_shared_like_tokens(nodes: Nodes) -> None:
    made = [nodes.add(f"node-{number}") for number in range(3)]
    values = await asyncio.gather(*(node.tickets.get(TicketKind.AGENT_CONFIG) for node in made))
    assert len(set(values)) == 1
    assert nodes.asked["ticket/get"] == 1
    assert await made[0].tickets.get(TicketKind.CORP) != values[0]
    assert nodes.asked["get_jsapi_ticket"] == 1
