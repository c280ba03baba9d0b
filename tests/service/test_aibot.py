"""The AI bot from a question on the phone to the answer there, in both modes, on both databases."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select

from bot.aibot.feedback import list_feedback
from bot.aibot.models import BotStreamRow
from bot.aibot.states import StreamState
from bot.context import Reply
from bot.events import FeedbackKind
from bot.outbox.gate import GateDecision
from bot.outbox.models import OutboxRow, OutboxState
from bot.settings import OutboxSettings
from bot.storage.database import Tx
from compliance import ComplianceGate
from compliance.models import ArchivedMessageRow
from tests.postgres import PostgresServer
from tests.service.aibot_bank import AiBotBank, open_aibot_bank
from tests.service.bank import eventually

QUESTION = "零存整取怎么存"
ANSWER = "每月存入固定金额"


def words_of(
    bank: AiBotBank, part: str, key: str = "rm001", kind: str = "aibot"
) -> Callable[[], Awaitable[str | None]]:
    """Look for the bot's words with this part."""

    async def look() -> str | None:
        return next((text for text in await bank.said(key, kind) if part in text), None)

    return look


async def streams(bank: AiBotBank) -> list[BotStreamRow]:
    """Return all streams, oldest first."""
    async with bank.database.reading() as tx:
        return list((await tx.exec(select(BotStreamRow).order_by(col(BotStreamRow.started_at)))).all())


async def outbox(bank: AiBotBank) -> list[OutboxRow]:
    """Return all outbox rows, oldest first."""
    async with bank.database.reading() as tx:
        return list((await tx.exec(select(OutboxRow).order_by(col(OutboxRow.id)))).all())


async def the_state(bank: AiBotBank, state: StreamState) -> None:
    """Wait until the only stream is in a state."""

    async def look() -> bool:
        return [row.state for row in await streams(bank)] == [state]

    await eventually(look)


async def stop_refreshes(bank: AiBotBank) -> None:
    """Have every callback of the AI bot lost from now on."""
    faults = {"callbacks": {"lost": 1.0, "kinds": ["aibot"]}}
    (await bank.platform.put("/_sim/faults", json=faults)).raise_for_status()


# -- by callback


async def test_the_answer_grows_in_the_place_of_the_thinking_and_is_archived(database_url: str) -> None:
    async with open_aibot_bank(database_url) as bank:
        await bank.do("aibot/messages", userid="rm001", text=QUESTION)
        await eventually(words_of(bank, ANSWER))
        await the_state(bank, StreamState.FETCHED)
        assert len(await bank.said()) == 1, "one line, which was replaced"
        assert (await bank.sent(), await bank.errors()) == (1, [])
        await bank.all_sent(1)
        async with bank.database.reading() as tx:
            kept = (await tx.exec(select(ArchivedMessageRow).order_by(col(ArchivedMessageRow.id)))).all()
        assert [row.sender_id for row in kept] == ["rm001", "aibot"]


async def test_any_node_goes_on_with_a_stream(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        async with open_aibot_bank(url, nodes=2) as bank:
            for number in range(1, 5):
                await bank.do("aibot/messages", userid=f"rm00{number}", text=QUESTION)
            for number in range(1, 5):
                await eventually(words_of(bank, ANSWER, f"rm00{number}"))
            await bank.all_sent(4)

            async def all_finished() -> bool:
                return await bank.sent() == 4

            await eventually(all_finished)
            assert await bank.errors() == []


async def test_in_a_group_the_bot_answers_in_its_stream(database_url: str) -> None:
    async with open_aibot_bank(database_url) as bank:
        await bank.do(f"groups/{bank.group}/aibot", admitted=True)
        await bank.write_in_group(bank.wang, QUESTION, mention_bot=True)
        await eventually(words_of(bank, ANSWER, bank.group, "group"))
        assert (await streams(bank))[0].chat_id == bank.group


async def test_a_blocked_answer_is_replaced_by_an_apology_in_the_same_stream(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = ComplianceGate.check

    async def strict(gate: ComplianceGate, tx: Tx, outgoing: Reply, now: Any) -> GateDecision:
        if outgoing.purpose == "script_answer":
            return GateDecision(allowed=False, reason="blocked for the test")
        return await check(gate, tx, outgoing, now)

    monkeypatch.setattr(ComplianceGate, "check", strict)
    async with open_aibot_bank(database_url) as bank:
        await bank.do("aibot/messages", userid="rm001", text=QUESTION)
        await the_state(bank, StreamState.FETCHED)
        (said,) = await bank.said()
        assert ANSWER not in said
        assert [row.state for row in await outbox(bank)] == [OutboxState.BLOCKED, OutboxState.SENT]
        assert said == (await outbox(bank))[1].text


async def test_a_node_that_dies_after_the_handover_leaves_the_answer_to_the_others(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        async with open_aibot_bank(url, nodes=2, refresh_seconds=1.5) as bank:
            await bank.do("aibot/messages", userid="rm001", text=QUESTION)
            await the_state(bank, StreamState.ANSWERED)
            assert not await words_of(bank, ANSWER)()
            bank.front.apps.pop(0)
            await bank.nodes[0].workforce.stop()
            await eventually(words_of(bank, ANSWER))
            assert (await bank.sent(), len(await bank.said())) == (1, 1)


async def test_an_answer_nobody_fetches_is_said_once_through_the_response_url(database_url: str) -> None:
    async with open_aibot_bank(database_url, refresh_seconds=0.5) as bank:
        await bank.do("aibot/messages", userid="rm001", text=QUESTION)
        await stop_refreshes(bank)
        await the_state(bank, StreamState.ANSWERED)
        assert await bank.nodes[0].aibot.keeper.run_once() == 0
        bank.clock.ahead += timedelta(minutes=7)
        await bank.nodes[0].aibot.keeper.run_once()
        await eventually(words_of(bank, ANSWER))
        await bank.nodes[0].aibot.keeper.run_once()
        await the_state(bank, StreamState.SAID_BY_URL)
        assert await bank.sent() == 1


async def test_a_member_who_enters_is_welcomed_and_may_choose_on_a_card(database_url: str) -> None:
    async with open_aibot_bank(database_url) as bank:
        await bank.do("aibot/enter", userid="rm001")
        await eventually(words_of(bank, "已审批的话术"))
        await bank.do("aibot/messages", userid="rm001", text="信用卡")

        async def find_card() -> dict[str, Any] | None:
            return next((line["card"] for line in await bank.chat("aibot", "rm001") if line["card"]), None)

        card = await eventually(find_card)
        assert "信用卡" in card["description"]
        await bank.do("aibot/clicks", userid="rm001", task_id=card["task_id"], key=card["buttons"][0]["key"])

        async def closed() -> bool:
            return bool((await eventually(find_card))["buttons"] == [])

        await eventually(closed)
        await eventually(lambda: _said_after_the_card(bank))
        assert await bank.errors() == []


async def _said_after_the_card(bank: AiBotBank) -> bool:
    lines = await bank.chat("aibot", "rm001")
    return lines[-1]["sender_kind"] == "bot" and not lines[-1]["card"] and lines[-1]["kind"] == "markdown"


@pytest.mark.parametrize("mode", ["webhook", "websocket"])
async def test_what_people_think_of_an_answer_is_kept_with_it(database_url: str, mode: str) -> None:
    async with open_aibot_bank(database_url, mode=mode) as bank:
        await connected(bank)
        await bank.do("aibot/messages", userid="rm001", text=QUESTION)
        await eventually(words_of(bank, ANSWER))
        await bank.all_sent(1)
        await bank.do("aibot/feedback", userid="rm001", type=2, content="太短", reasons=[2])

        async def kept() -> bool:
            async with bank.database.reading() as tx:
                return bool(await list_feedback(tx, 10))

        await eventually(kept)
        async with bank.database.reading() as tx:
            (judgement,) = await list_feedback(tx, 10)
        assert (judgement.kind, judgement.content, judgement.reasons) == (FeedbackKind.INACCURATE, "太短", [2])
        assert judgement.outbox_id == (await outbox(bank))[0].id


async def test_a_picture_is_answered_that_only_words_are_understood(database_url: str) -> None:
    async with open_aibot_bank(database_url) as bank:
        await bank.do("aibot/messages", userid="rm001", msgtype="image", file_base64="eA==")
        await eventually(words_of(bank, "只能看懂文字"))


# -- by long connection


async def connected(bank: AiBotBank) -> None:
    """Wait until a node holds the connection; in callback mode there is none to wait for."""

    async def look() -> bool:
        return any(node.aibot_node is None or node.aibot_node.is_connected for node in bank.nodes)

    await eventually(look)


async def test_over_the_connection_a_question_is_answered_in_its_place(database_url: str) -> None:
    async with open_aibot_bank(database_url, mode="websocket") as bank:
        await connected(bank)
        await bank.do("aibot/enter", userid="rm001")
        await eventually(words_of(bank, "已审批的话术"))
        await bank.do("aibot/messages", userid="rm001", text=QUESTION)
        await eventually(words_of(bank, ANSWER))
        assert len(await bank.said()) == 2, "the welcome and the answer"
        await bank.all_sent(2)
        await the_state(bank, StreamState.FETCHED)


async def test_an_answer_waits_for_a_broken_connection_and_is_said_once(database_url: str) -> None:
    quick = OutboxSettings(retry_seconds=(1,) * 10)
    async with open_aibot_bank(database_url, mode="websocket", outbox=quick) as bank:
        await connected(bank)
        rule = {"api": "WS aibot", "kind": "no_answer_but_done", "probability": 0.3}
        (await bank.platform.put("/_sim/faults", json={"faults": [rule]})).raise_for_status()
        for number in range(1, 5):
            await connected(bank)
            await bank.do("aibot/messages", userid=f"rm00{number}", text=QUESTION)
            await asyncio.sleep(0.2)
        stored = len(await streams(bank))
        (await bank.platform.delete("/_sim/faults")).raise_for_status()
        assert stored >= 1

        async def settled() -> bool:
            rows = await outbox(bank)
            return len(rows) == len(await streams(bank)) and all(row.state is OutboxState.SENT for row in rows)

        await eventually(settled, 40)
        for row in await streams(bank):
            said = [text for text in await bank.said(row.speaker) if ANSWER in text]
            assert len(said) == 1, row.speaker


async def test_when_the_leading_node_ends_another_goes_on(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        async with open_aibot_bank(url, nodes=2, mode="websocket") as bank:
            await connected(bank)
            await bank.do("aibot/messages", userid="rm001", text=QUESTION)
            await eventually(words_of(bank, ANSWER))
            leader = next(node for node in bank.nodes if node.aibot_node is not None and node.aibot_node.is_connected)
            assert leader.aibot_node is not None
            await leader.aibot_node.stop()
            bank.nodes.remove(leader)
            await connected(bank)
            await bank.do("aibot/messages", userid="rm002", text=QUESTION)
            await eventually(words_of(bank, ANSWER, "rm002"))
            bank.nodes.append(leader)
