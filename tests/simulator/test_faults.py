"""Fault switches: each does what it says, only where and as often as it says."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from simulator import SimConfig, create_app
from simulator.faults import CallbackFaults, FaultDesk, FaultKind, FaultRule, nearest_name
from tests.running import running
from tests.simulator.harness import Sim

SEND = "POST /cgi-bin/message/send"
MEMBER = "GET /cgi-bin/user/get"


async def switch(sim: Sim, *faults: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = await sim.client.put("/_sim/faults", json={"faults": list(faults), **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def hits(sim: Sim) -> list[int]:
    return [fault["hits"] for fault in (await sim.see("faults"))["faults"]]


async def sent(sim: Sim) -> int:
    return len(await sim.see("sent", kind="message"))


def text(sim: Sim, content: str = "您好") -> dict[str, Any]:
    return sim.message("rm001", "text", {"content": content})


async def post_text(sim: Sim) -> httpx.Response:
    content = json.dumps(text(sim), ensure_ascii=False).encode()
    return await sim.client.post(SEND.split()[1], params={"access_token": await sim.token()}, content=content)


async def test_errcode_is_answered_without_doing_anything_for_the_next_n_calls(sim: Sim) -> None:
    await switch(sim, {"api": SEND, "kind": "errcode", "errcode": 45009, "count": 2})
    answers = [await sim.api(SEND, text(sim)) for _ in range(2)]
    assert [answer["errcode"] for answer in answers] == [45009, 45009]
    assert "msgid" not in answers[0]
    assert await sent(sim) == 0
    assert (await sim.api(SEND, text(sim)))["errcode"] == 0
    assert await hits(sim) == [2]


async def test_5xx_is_a_proxys_page(sim: Sim) -> None:
    await switch(sim, {"api": SEND, "kind": "http_5xx", "status": 503, "count": 1})
    answer = await post_text(sim)
    assert answer.status_code == 503
    assert answer.headers["content-type"].startswith("text/html")
    assert await sent(sim) == 0


@pytest.mark.parametrize(("kind", "effects"), [("truncated", 1), ("truncated_undone", 0)])
async def test_half_an_answer_is_no_json(sim: Sim, kind: str, effects: int) -> None:
    await switch(sim, {"api": SEND, "kind": kind, "count": 1})
    answer = await post_text(sim)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        answer.json()
    assert await sent(sim) == effects


async def test_revoked_token_stays_dead_until_a_new_one_is_fetched(sim: Sim) -> None:
    await sim.token()
    await switch(sim, {"api": SEND, "kind": "token_revoked", "count": 1})
    assert await sim.refused(SEND, text(sim)) == 40014
    assert await sim.refused(MEMBER, userid="rm001") == 40014
    old = sim.tokens.pop("app")
    assert await sim.token() != old
    assert await sim.refused(SEND, text(sim)) == 0
    assert await hits(sim) == [1]


async def test_call_without_a_token_does_not_use_up_the_revocation(sim: Sim) -> None:
    await switch(sim, {"api": "*", "kind": "token_revoked", "count": 1})
    await sim.token()
    assert await hits(sim) == [0]


async def test_latency_adds_to_another_fault_and_prefix_covers_its_apis(sim: Sim) -> None:
    await sim.token()
    await switch(
        sim,
        {"api": "*", "kind": "latency", "seconds": 0.0},
        {"api": "GET /cgi-bin/user/*", "kind": "errcode", "errcode": -1},
        {"api": "GET /cgi-bin/user/get", "kind": "errcode", "errcode": 6000},
    )
    assert await sim.refused(MEMBER, userid="rm001") == -1
    assert await sim.refused("GET /cgi-bin/user/list", department_id="3") == -1
    assert await sim.refused("GET /cgi-bin/department/list") == 0
    assert await hits(sim) == [3, 2, 0]


async def test_control_calls_never_fail(sim: Sim) -> None:
    await switch(sim, {"kind": "http_5xx"})
    assert (await sim.see("health"))["status"] == "ok"


async def test_archive_library_calls_have_switches_too(sim: Sim) -> None:
    await switch(sim, {"api": "POST /_sdk/chatdata", "kind": "errcode", "errcode": 301058})
    pull = {"corpid": sim.config.corp_id, "secret": sim.config.archive_secret, "seq": 0, "limit": 10}
    answer = await sim.sdk("chatdata", pull)
    assert (answer["errcode"], answer["ret"]) == (301058, 301058)
    await switch(sim, {"api": "POST /_sdk/*", "kind": "errcode", "errcode": 10001})
    answered = await sim.client.post("/_sdk/native/chatdata", json=pull)
    assert answered.headers["X-Sdk-Ret"] == "10001"


@pytest.fixture
async def over_http(config: SimConfig) -> AsyncIterator[tuple[httpx.AsyncClient, SimConfig]]:
    """A client with 0.3 s of patience, of a simulator behind a real socket, whose callbacks nobody takes."""
    app = create_app(replace(config, public_base_url="http://sim.example"))
    async with running(app) as base, httpx.AsyncClient(base_url=base, timeout=0.3, trust_env=False) as client:
        yield client, config


async def token_of(client: httpx.AsyncClient, config: SimConfig) -> str:
    asked = {"corpid": config.corp_id, "corpsecret": config.app_secret}
    return str((await client.get("/cgi-bin/gettoken", params=asked)).json()["access_token"])


@pytest.mark.parametrize(
    ("kind", "error", "effects"),
    [("timeout", httpx.ReadTimeout, 0), ("no_answer_but_done", httpx.RemoteProtocolError, 1)],
)
async def test_silence_over_a_real_socket(
    over_http: tuple[httpx.AsyncClient, SimConfig], kind: str, error: type[Exception], effects: int
) -> None:
    client, config = over_http
    token = await token_of(client, config)
    fault = {"api": SEND, "kind": kind, "count": 1}
    assert (await client.put("/_sim/faults", json={"faults": [fault]})).status_code == 200
    body = {"touser": "rm001", "msgtype": "text", "agentid": config.agent_id, "text": {"content": "hi"}}
    with pytest.raises((error, httpx.ReadError)):
        await client.post(SEND.split()[1], params={"access_token": token}, json=body)
    assert len((await client.get("/_sim/sent")).json()) == effects
    assert (await client.post(SEND.split()[1], params={"access_token": token}, json=body)).json()["errcode"] == 0


async def test_held_request_ends_by_a_closed_connection(over_http: tuple[httpx.AsyncClient, SimConfig]) -> None:
    client, config = over_http
    token = await token_of(client, config)
    fault = {"api": MEMBER, "kind": "timeout", "seconds": 0.01}
    await client.put("/_sim/faults", json={"faults": [fault]})
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await client.get(MEMBER.split()[1], params={"access_token": token, "userid": "rm001"})


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"api": "POST /cgi-bin/mesage/send", "kind": "timeout"}, SEND),
        ({"api": "GET /cgi-bin/message/send", "kind": "timeout"}, SEND),
        ({"api": "POST /cgi-bin/nothing/*", "kind": "timeout"}, "POST /cgi-bin/"),
        ({"api": SEND, "kind": "errcode"}, "errcode"),
        ({"api": SEND, "kind": "slow"}, "latency"),
        ({"api": SEND, "kind": "latency", "probability": 2}, "probability"),
        ({"api": SEND, "kind": "latency", "second": 2}, "second"),
    ],
)
async def test_switch_that_could_hit_nothing_is_refused_with_a_hint(sim: Sim, fault: dict[str, Any], told: str) -> None:
    await switch(sim, {"api": SEND, "kind": "latency", "seconds": 0})
    answer = await sim.client.put("/_sim/faults", json={"faults": [fault]})
    assert answer.status_code == 422
    assert told in answer.text
    (kept,) = (await sim.see("faults"))["faults"]
    assert kept["kind"] == "latency"


async def test_switches_are_shown_and_cleared(sim: Sim) -> None:
    shown = await switch(sim, {"api": "WS aibot", "kind": "latency", "probability": 0.5}, callbacks={"lost": 0.25})
    (fault,) = shown["faults"]
    assert (fault["api"], fault["probability"], fault["seconds"], fault["hits"]) == ("WS aibot", 0.5, 0.5, 0)
    assert shown["callbacks"]["lost"] == 0.25
    cleared = (await sim.client.delete("/_sim/faults")).json()
    assert cleared["faults"] == []
    assert cleared["callbacks"]["lost"] == 0


def test_same_seed_makes_the_same_faults() -> None:
    def drawn(seed: int) -> list[FaultKind | None]:
        desk = FaultDesk()
        rule = FaultRule("*", FaultKind.HTTP_5XX, probability=0.3)
        desk.replace([rule], CallbackFaults(lost=0.5), seed)
        kinds = [desk.draw(SEND).kind for _ in range(200)]
        assert rule.hits == sum(kind is not None for kind in kinds)
        return kinds

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)
    assert 30 < sum(kind is not None for kind in drawn(1)) < 90


def test_nearest_name_is_asked_for_unknown_names_only() -> None:
    known = [SEND, MEMBER]
    assert nearest_name("*", known) is None
    assert nearest_name("POST /cgi-bin/message/*", known) is None
    assert nearest_name(SEND, known) is None
    assert nearest_name("message/send", known) == SEND
