"""The clock can be set, moved and run fast, and what the platform dates goes by it."""

import ast
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import simulator
from simulator import SimClock, SimConfig
from tests.simulator.harness import Sim, close_sim, new_sim

SEND = "POST /cgi-bin/message/send"


async def put(sim: Sim, **wanted: Any) -> dict[str, Any]:
    answer = await sim.client.put("/_sim/clock", json=wanted)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_clock_is_shown_set_and_set_back(sim: Sim) -> None:
    shown = await sim.see("clock")
    assert (abs(shown["offset_seconds"]) < 5, shown["speed"]) == (True, 1.0)
    assert (await put(sim, now="2026-02-28T23:59:00+08:00"))["now"].startswith("2026-02-28T15:59:0")
    assert sim.clock.offset_seconds < -1000
    ahead = await put(sim, offset_seconds=86400)
    assert 86390 < ahead["offset_seconds"] <= 86400.1
    assert abs((await put(sim, now=None))["offset_seconds"]) < 5


async def test_answer_of_get_can_be_put_back(sim: Sim) -> None:
    await put(sim, offset_seconds=3600)
    shown = await sim.see("clock")
    again = await put(sim, now=shown["now"], offset_seconds=shown["offset_seconds"], speed=shown["speed"])
    assert abs(again["offset_seconds"] - 3600) < 5


async def test_time_runs_at_the_speed_and_stands_still_at_zero(sim: Sim) -> None:
    await put(sim, speed=0)
    first = sim.clock.now()
    assert sim.clock.now() == first
    assert (await put(sim, speed=1000))["speed"] == 1000
    assert sim.clock.to_real_seconds(1000) == 1


async def test_advance_ages_tokens_and_codes(sim: Sim) -> None:
    assert await sim.refused("GET /cgi-bin/department/list") == 0
    added = await sim.do("customers/add", {"userid": "rm001"})
    await sim.client.post("/_sim/clock/advance", json={"seconds": 21})
    welcome = {"welcome_code": added["welcome_code"], "text": {"content": "您好"}}
    assert await sim.refused("POST /cgi-bin/externalcontact/send_welcome_msg", welcome) == 41050
    await sim.client.post("/_sim/clock/advance", json={"seconds": 7200})
    assert await sim.refused("GET /cgi-bin/department/list") == 42001


async def test_callback_is_dated_by_the_simulated_clock_and_signed_by_the_real_one(sim: Sim) -> None:
    await put(sim, now="2030-01-01T00:00:00Z")
    await sim.do("app/enter", {"userid": "rm001"})
    (got,) = sim.bot.received
    assert abs(int(got.fields["CreateTime"]) - 1893456000) < 5
    assert abs(int(got.query["timestamp"]) - time.time()) < 5


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"now": "tomorrow"}),
        ("clock", {"now": "2026-01-01T00:00:00"}),
        ("clock", {"now": "1970-01-01T00:00:00Z"}),
        ("clock", {"offset_seconds": 1e12}),
        ("clock", {"speed": -1}),
        ("clock", {"sped": 2}),
    ],
)
async def test_time_that_makes_no_sense_is_refused(sim: Sim, path: str, body: dict[str, Any]) -> None:
    assert (await sim.client.put(f"/_sim/{path}", json=body)).status_code == 422
    assert abs(sim.clock.offset_seconds) < 5


@pytest.mark.parametrize("seconds", [-1, 4e9, None])
async def test_time_cannot_be_advanced_backwards_or_out_of_range(sim: Sim, seconds: float | None) -> None:
    assert (await sim.client.post("/_sim/clock/advance", json={"seconds": seconds})).status_code == 422


async def test_moved_clock_goes_on_after_a_restart_and_a_reset(config: SimConfig, tmp_path: Path) -> None:
    kept = replace(config, state_file=str(tmp_path / "sim.db"))
    first = new_sim(kept)
    await put(first, offset_seconds=-86400, speed=2)
    await first.do("reset")
    await close_sim(first)
    second = new_sim(kept)
    shown = await second.see("clock")
    await close_sim(second)
    assert shown["speed"] == 2
    assert -86400 <= shown["offset_seconds"] < -86300


def test_clock_follows_the_system_at_its_speed() -> None:
    system = [1000.0]
    clock = SimClock(lambda: system[0])
    clock.run(60)
    system[0] += 2
    assert (clock.now(), clock.offset_seconds, clock.real()) == (1120, 118, 1002)
    clock.run(0)
    system[0] += 50
    assert clock.now() == 1120
    clock.advance(5)
    clock.run(1)
    system[0] += 1
    assert clock.now() == 1126
    clock.set(None)
    assert clock.now() == system[0]


def test_restored_clock_has_not_stopped_in_between() -> None:
    clock = SimClock(lambda: 1100.0)
    clock.restore(1000.0, 5000.0, 2.0)
    assert clock.now() == 5200


def test_no_other_module_asks_the_system_for_the_time() -> None:
    folder = Path(simulator.__file__).parent
    asking = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) in {
                "time.time",
                "time.time_ns",
                "time.monotonic",
                "datetime.now",
                "datetime.utcnow",
                "date.today",
            }:
                asking.add(file.relative_to(folder).as_posix())
    assert asking <= {"clock.py"}
