"""What the console shows of 微信客服: what may still be said beside a reply, and pulls that have stopped."""

from datetime import timedelta

import pytest

from bot.doors.models import KfCursorRow
from bot.kf.items import CustomerWrote, KfFact, StateChanged
from bot.kf.ledger import KfLedger
from bot.kf.models import KfState
from tests.console.world import World, offer_a_reply


async def learn(world: World, suggestion: str, *states: KfState) -> None:
    """Let the suggestion's customer have written to an account, and the session have gone on."""
    from handlers.models import ReplySuggestionRow

    now = world.clock.now()
    async with world.db.transaction() as tx:
        row = await tx.get(ReplySuggestionRow, suggestion)
        assert row is not None
        facts: list[KfFact] = [CustomerWrote(open_kfid="wk1", customer_id=row.customer_id, at=now)]  # type: ignore[arg-type]  # the row keeps plain text
        facts += [
            StateChanged(open_kfid="wk1", customer_id=row.customer_id, at=now, state=state, servicer="rm001")  # type: ignore[arg-type]  # as above
            for state in states
        ]
        await KfLedger().apply(tx, facts, now)


async def test_the_side_bar_says_how_many_messages_are_left(world: World) -> None:
    suggestion = await offer_a_reply(world)
    client = await world.login("rm001")
    assert "kf-budget" not in (await client.get(f"/sidebar/reply/{suggestion}")).text
    await learn(world, suggestion)
    assert "还可以发 5 条" in (await client.get(f"/sidebar/reply/{suggestion}")).text


async def test_the_side_bar_says_when_a_person_has_the_session(world: World) -> None:
    suggestion = await offer_a_reply(world)
    await learn(world, suggestion, KfState.HUMAN)
    page = (await (await world.login("rm001")).get(f"/sidebar/reply/{suggestion}")).text
    assert "会话正由人工接待" in page


@pytest.mark.parametrize(("days", "error", "said"), [(0, None, ""), (0, "x", "会自动重试"), (3, None, "只保留三天")])
async def test_health_warns_before_messages_are_gone(world: World, days: int, error: str | None, said: str) -> None:
    at = world.clock.now() - timedelta(days=days)
    async with world.db.transaction() as tx:
        tx.add(KfCursorRow(open_kfid="wk1", known_at=at, pulled_at=at, error=error))
    page = (await (await world.login("ad001")).get("/health")).text
    assert "1 个账号" in page
    assert said in page
