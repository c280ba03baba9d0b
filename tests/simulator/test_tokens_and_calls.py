"""gettoken and the checks that every API shares."""

import pytest

from simulator.api.dispatch import ENDPOINTS
from simulator.errors import catalogued_apis
from tests.simulator.harness import Sim


async def gettoken(sim: Sim, **changes: str) -> dict[str, object]:
    params = {"corpid": sim.config.corp_id, "corpsecret": sim.config.app_secret, **changes}
    return dict((await sim.client.get("/cgi-bin/gettoken", params=params)).json())


async def test_token_stays_the_same_inside_its_lifetime_and_changes_after(sim: Sim) -> None:
    first = await gettoken(sim)
    assert first["errcode"] == 0
    assert 7190 <= int(str(first["expires_in"])) <= 7200
    assert (await gettoken(sim))["access_token"] == first["access_token"]
    sim.clock.advance(7201)
    assert (await gettoken(sim))["access_token"] != first["access_token"]


async def test_each_secret_has_its_own_token(sim: Sim) -> None:
    tokens = {await sim.token(app) for app in ("app", "kf", "archive")}
    assert len(tokens) == 3


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [({"corpid": "ww9"}, 40013), ({"corpsecret": "wrong"}, 40001), ({"corpsecret": ""}, 40063)],
)
async def test_wrong_credentials_get_no_token(sim: Sim, changes: dict[str, str], errcode: int) -> None:
    answer = await gettoken(sim, **changes)
    assert answer["errcode"] == errcode
    assert "access_token" not in answer


async def test_call_needs_a_known_living_token_of_the_right_app(sim: Sim) -> None:
    path = "/cgi-bin/externalcontact/get_follow_user_list"
    assert (await sim.client.get(path)).json()["errcode"] == 41001
    assert (await sim.client.get(path, params={"access_token": "x"})).json()["errcode"] == 40014
    assert await sim.refused(f"GET {path}", app="archive") == 48002
    assert await sim.refused(f"GET {path}") == 0
    sim.clock.advance(7201)
    assert await sim.refused(f"GET {path}") == 42001


async def test_unknown_path_is_not_found_and_an_unoffered_api_says_so(sim: Sim) -> None:
    answer = await sim.client.post("/cgi-bin/no/such")
    assert answer.status_code == 404
    assert answer.json()["errcode"] == 404
    assert await sim.refused("POST /cgi-bin/menu/create", {}) == 48002
    assert await sim.refused("GET /cgi-bin/message/send") == 43002
    assert await sim.refused("POST /cgi-bin/user/get", {}) == 43001


@pytest.mark.parametrize(
    ("body", "errcode"),
    [
        ("{", 47001),
        ("[]", 47001),
        ('{"text": "\\u4f60"}', 40033),
        ('{"note": "a \\\\u4f60"}', 40056),  # an escaped backslash is only text
    ],
)
async def test_body_must_be_raw_utf8_json(sim: Sim, body: str, errcode: int) -> None:
    answer = await sim.client.post(
        "/cgi-bin/message/send", params={"access_token": await sim.token()}, content=body.encode()
    )
    assert answer.json()["errcode"] == errcode


async def test_callback_addresses_are_told(sim: Sim) -> None:
    assert (await sim.api("GET /cgi-bin/getcallbackip"))["ip_list"] == ["127.0.0.1"]


def test_every_offered_api_is_in_the_catalogue() -> None:
    assert set(ENDPOINTS) <= catalogued_apis()
