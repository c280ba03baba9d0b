"""Callbacks that come twice, late, out of order or never; the log of them over a restart; the check of the URL."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator import CallbackTarget, RetryPlan, SimConfig, create_app, crypto
from simulator.callbacks import DeliveryState
from tests.simulator.harness import FakeBot, Sim, close_sim, new_sim


async def switch(sim: Sim, **callbacks: Any) -> None:
    answer = await sim.client.put("/_sim/faults", json={"callbacks": callbacks})
    assert answer.status_code == 200, answer.text


async def write(sim: Sim, *texts: str) -> None:
    """Let a member write several messages before any of them is delivered."""
    for text in texts:
        answer = await sim.client.post("/_sim/app/messages", json={"userid": "rm001", "text": text})
        assert answer.status_code == 200
    await sim.platform.callbacks.drain()


def arrived(sim: Sim) -> list[str]:
    return [got.fields["Content"] for got in sim.bot.received]


async def test_duplicate_is_the_same_message_with_a_fresh_signature(sim: Sim) -> None:
    await switch(sim, duplicate=1)
    await write(sim, "在吗")
    first, second = sim.bot.received
    assert first.fields == second.fields
    assert first.query["msg_signature"] != second.query["msg_signature"]
    copy, original = await sim.see("callbacks")
    assert copy["note"] == f"copy of {original['id']}"
    assert (await sim.see("faults"))["callbacks"]["hits"]["duplicate"] == 1


async def test_lost_callback_never_comes_and_is_seen_in_the_log(sim: Sim) -> None:
    await switch(sim, lost=1)
    await write(sim, "在吗")
    assert sim.bot.received == []
    (logged,) = await sim.see("callbacks", state="lost")
    assert (logged["attempts"], logged["note"]) == ([], "lost by a fault switch")
    assert await sim.see("callbacks", state="delivered") == []


async def test_held_callback_is_overtaken_by_the_next(sim: Sim) -> None:
    await switch(sim, reorder=1)
    await write(sim, "一", "二", "三", "四")
    assert arrived(sim) == ["二", "一", "四", "三"]


async def test_callback_that_nothing_overtakes_comes_late(sim: Sim, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.callbacks.REORDER_SECONDS", 0.01)
    await switch(sim, reorder=1)
    await write(sim, "一")
    assert arrived(sim) == ["一"]


async def test_delay_and_kinds(sim: Sim) -> None:
    await switch(sim, delay_seconds=0.01, lost=1, kinds=["contact"])
    await sim.do("customers/add", {"userid": "rm001"})
    await write(sim, "在吗")
    assert arrived(sim) == ["在吗"]
    await switch(sim, delay_seconds=0.01)
    await write(sim, "还在吗")
    assert arrived(sim) == ["在吗", "还在吗"]
    assert (await sim.see("faults"))["callbacks"]["hits"]["delayed"] == 1


async def test_callback_can_be_sent_again_by_hand_past_all_faults(sim: Sim) -> None:
    await switch(sim, lost=1)
    await write(sim, "在吗")
    (logged,) = await sim.see("callbacks")
    again = await sim.do(f"callbacks/{logged['id']}/redeliver")
    assert arrived(sim) == ["在吗"]
    shown = await sim.see(f"callbacks/{again['callback']}")
    assert shown["state"] == "delivered"
    assert "<Content><![CDATA[在吗]]></Content>" in shown["body"]
    await sim.do("callbacks/cb99999999/redeliver", status=404)


async def test_acting_tells_what_the_bot_dedupes_by(sim: Sim) -> None:
    entered = await sim.do("app/enter", {"userid": "rm001"})
    written = await sim.do("app/messages", {"userid": "rm001", "text": "在吗"})
    newest, first = await sim.see("callbacks")
    assert (first["id"], first["event"]["CreateTime"]) == (entered["callback"], str(entered["create_time"]))
    assert (first["event"]["Event"], first["event"]["FromUserName"]) == ("enter_agent", "rm001")
    assert (newest["id"], newest["event"]["MsgId"]) == (written["callback"], written["msg_id"])


async def test_log_outlives_a_restart_and_shows_what_never_arrived(config: SimConfig, tmp_path: Path) -> None:
    kept = replace(config, state_file=str(tmp_path / "sim.db"), retry=RetryPlan(backoff_seconds=(60.0,)))
    first = new_sim(kept)
    await write(first, "到了")
    first.bot.script = [httpx.ConnectError("down")]
    await first.client.post("/_sim/app/messages", json={"userid": "rm001", "text": "没到"})
    async with asyncio.timeout(10):
        while not (await first.see("callbacks"))[0]["attempts"]:  # each look lets the delivery go on
            pass
    await close_sim(first)

    second = new_sim(kept)
    newest, oldest = await second.see("callbacks")
    assert (oldest["state"], oldest["attempts"][0]["status"]) == ("delivered", 200)
    assert (newest["state"], newest["event"]["FromUserName"]) == ("interrupted", "rm001")
    await second.do(f"callbacks/{newest['id']}/redeliver")
    assert arrived(second) == ["没到"]
    assert len({row["id"] for row in await second.see("callbacks")}) == 3
    await close_sim(second)


async def test_log_keeps_the_last_five_thousand(config: SimConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulator.callbacks.LOG_SIZE", 2)
    sim = new_sim(config)
    await write(sim, "一", "二", "三")
    assert len(await sim.see("callbacks")) == 2
    assert len(sim.platform.world.deliveries.rows) == 2
    assert all(row.state is DeliveryState.DELIVERED for row in sim.platform.callbacks.log.values())
    await close_sim(sim)


# the check of the URL

Answer = Callable[[CallbackTarget, str], httpx.Response]


def opened(target: CallbackTarget, echo: str) -> str:
    return crypto.decrypt(echo, target.aes_key)[0]


ANSWERS: list[tuple[str, Answer]] = [
    ("decorated", lambda target, echo: httpx.Response(200, text=f'"{opened(target, echo)}"')),
    ("decorated", lambda target, echo: httpx.Response(200, text=opened(target, echo) + "\n")),
    ("decorated", lambda target, echo: httpx.Response(200, text="\ufeff" + opened(target, echo))),
    ("not_decrypted", lambda _, echo: httpx.Response(200, text=echo)),
    ("wrong_text", lambda _, __: httpx.Response(200, text="success")),
    ("refused", lambda _, __: httpx.Response(403)),
    ("no_such_path", lambda _, __: httpx.Response(404)),
    ("no_get", lambda _, __: httpx.Response(405)),
    ("status", lambda _, __: httpx.Response(302, headers={"Location": "/login"})),
    ("status", lambda _, __: httpx.Response(500)),
    ("signature_not_checked", lambda target, echo: httpx.Response(200, text=opened(target, echo))),
]


async def check(config: SimConfig, handle: Any, kind: str | None = "app") -> list[dict[str, Any]]:
    app = create_app(config, callback_transport=httpx.MockTransport(handle))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sim") as client:
        answer = await client.post("/_sim/callbacks/check", json={"kind": kind} if kind else {})
        assert answer.status_code == 200, answer.text
    await app.state.platform.close()
    return list(answer.json())


@pytest.mark.parametrize(("code", "answer"), ANSWERS)
async def test_check_says_what_is_wrong_with_the_answer(config: SimConfig, code: str, answer: Answer) -> None:
    (found,) = await check(config, lambda asked: answer(config.app_callback, asked.url.params["echostr"]))
    assert (found["ok"], found["code"]) == (False, code)
    assert found["zh"]
    assert found["en"]


async def test_right_answer_passes_for_every_callback_with_its_own_key(config: SimConfig) -> None:
    def handle(asked: httpx.Request) -> httpx.Response:
        target = config.aibot_callback if asked.url.path.endswith("aibot") else config.app_callback
        query = asked.url.params
        assert "+" in query["echostr"]
        expected = crypto.signature(target.token, query["timestamp"], query["nonce"], query["echostr"])
        if query["msg_signature"] != expected:
            return httpx.Response(403)
        return httpx.Response(200, text=opened(target, query["echostr"]))

    found = await check(config, handle, None)
    assert [row["kind"] for row in found] == ["app", "contact", "kf", "archive", "aibot"]
    assert {row["code"] for row in found} == {"ok"}


@pytest.mark.parametrize(
    ("error", "code"), [(httpx.ConnectError("refused"), "unreachable"), (TimeoutError(), "too_slow")]
)
async def test_silence_is_told_apart_from_slowness(config: SimConfig, error: Exception, code: str) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise error

    (found,) = await check(config, handle)
    assert (found["ok"], found["code"], found["status"]) == (False, code, None)


async def test_unknown_kind_is_refused(sim: Sim) -> None:
    assert (await sim.client.post("/_sim/callbacks/check", json={"kind": "fax"})).status_code == 422
    assert isinstance(sim.bot, FakeBot)
