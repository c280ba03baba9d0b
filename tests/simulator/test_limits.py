"""What holds for every API: frequency, bans, trusted addresses, the app's state, required fields and types."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from simulator import CallRules, SimConfig
from simulator.api.catalogue import check_request
from simulator.errors import ApiError, catalogue
from simulator.limits import CallLimits, list_objects
from tests.simulator.harness import Sim, close_sim, new_sim

MEMBER = "GET /cgi-bin/user/get"
SEND = "POST /cgi-bin/message/send"
MARK = "POST /cgi-bin/externalcontact/mark_tag"
OURS = "127.0.0.1"  # where the tests' client calls from


async def rule(sim: Sim, **rules: Any) -> dict[str, Any]:
    answer = await sim.client.put("/_sim/limits", json=rules)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def gettoken(sim: Sim, secret: str | None = None) -> dict[str, Any]:
    asked = {"corpid": sim.config.corp_id, "corpsecret": secret or sim.config.app_secret}
    return dict((await sim.client.get("/cgi-bin/gettoken", params=asked)).json())


async def test_too_many_calls_of_one_api_block_it_for_a_minute_and_no_other(sim: Sim) -> None:
    await rule(sim, calls_per_minute=3)
    codes = [await sim.refused(MEMBER, userid="rm001") for _ in range(5)]
    assert codes == [0, 0, 0, 45009, 45009]
    assert await sim.refused("GET /cgi-bin/department/list") == 0
    assert list((await sim.see("limits"))["blocked_apis"]) == [MEMBER]
    sim.clock.advance(59)
    assert await sim.refused(MEMBER, userid="rm001") == 45009
    sim.clock.advance(2)
    assert await sim.refused(MEMBER, userid="rm001") == 0


async def test_overflow_of_the_hour_blocks_for_an_hour(sim: Sim) -> None:
    await rule(sim, calls_per_hour=1)
    assert await sim.refused(MEMBER, userid="rm001") == 0
    assert await sim.refused(MEMBER, userid="rm001") == 45009
    sim.clock.advance(3500)
    assert await sim.refused(MEMBER, userid="rm001") == 45009
    sim.clock.advance(200)
    assert await sim.refused(MEMBER, userid="rm001") == 0


async def test_reset_lifts_blocks_and_keeps_the_rules(sim: Sim) -> None:
    await rule(sim, calls_per_hour=1)
    assert [await sim.refused(MEMBER, userid="rm001") for _ in range(2)] == [0, 45009]
    await sim.do("reset")
    sim.tokens.clear()
    assert [await sim.refused(MEMBER, userid="rm001") for _ in range(2)] == [0, 45009]


async def test_message_send_is_outside_the_base_limit(sim: Sim) -> None:
    await rule(sim, calls_per_minute=1)
    body = sim.message("rm001", "text", {"content": "您好"})
    assert [await sim.refused(SEND, body) for _ in range(3)] == [0, 0, 0]


async def test_frequent_gettoken_is_blocked(sim: Sim) -> None:
    await rule(sim, tokens_per_minute=2)
    assert [(await gettoken(sim))["errcode"] for _ in range(3)] == [0, 0, 45009]


async def test_wrong_secrets_ban_the_address_for_an_hour(sim: Sim) -> None:
    await rule(sim, wrong_secrets_per_hour=2)
    assert [(await gettoken(sim, "wrong"))["errcode"] for _ in range(3)] == [40001] * 3
    assert (await gettoken(sim, "wrong"))["errcode"] == 45009
    assert (await gettoken(sim))["errcode"] == 45009, "the right secret does not help any more"
    assert list((await sim.see("limits"))["banned_ips"]) == [OURS]
    sim.clock.advance(3601)
    assert (await gettoken(sim))["errcode"] == 0


async def test_untrusted_address_is_told_where_it_came_from(sim: Sim) -> None:
    await sim.token()
    await rule(sim, trusted_ips=["203.0.113.7"])
    refused = await sim.api(MEMBER, userid="rm001")
    assert refused["errcode"] == 60020
    assert f"from ip: {OURS}" in refused["errmsg"]
    assert (await gettoken(sim))["errcode"] == 60020
    await rule(sim, trusted_ip_at_gettoken=False)
    assert (await gettoken(sim))["errcode"] == 0
    await rule(sim, trusted_ips=["203.0.113.7", OURS])
    assert await sim.refused(MEMBER, userid="rm001") == 0
    await rule(sim, trusted_ips=None)
    assert await sim.refused(MEMBER, userid="rm001") == 0


async def test_archive_has_a_trusted_list_of_its_own(sim: Sim) -> None:
    permits = "POST /cgi-bin/msgaudit/get_permit_user_list"
    await rule(sim, trusted_ips=[], archive_trusted_ips=[OURS], trusted_ip_at_gettoken=False)
    assert await sim.refused(permits, {}, app="archive") == 0
    await rule(sim, archive_trusted_ips=[])
    assert await sim.refused(permits, {}, app="archive") == 301042


@pytest.mark.parametrize(("state", "errcode"), [("disabled", 50003), ("inactive", 48011)])
async def test_app_that_is_not_active_is_refused_and_other_apps_are_not(sim: Sim, state: str, errcode: int) -> None:
    await rule(sim, app_state=state)
    assert await sim.refused(MEMBER, userid="rm001") == errcode
    assert await sim.refused("POST /cgi-bin/kf/account/list", {}, app="kf") == 0
    await sim.client.delete("/_sim/limits")
    assert await sim.refused(MEMBER, userid="rm001") == 0


async def test_debug_echoes_the_request_without_its_token_five_times_a_minute(sim: Sim) -> None:
    answers = [await sim.api(MEMBER, userid="rm001", debug="1") for _ in range(6)]
    assert answers[0]["debug"] == {"api": MEMBER, "query": {"userid": "rm001", "debug": "1"}, "body": {}}
    assert [answer["errcode"] for answer in answers] == [0] * 5 + [45009]


async def slow(sim: Sim, api: str, seconds: float) -> None:
    fault = {"api": api, "kind": "latency", "seconds": seconds}
    assert (await sim.client.put("/_sim/faults", json={"faults": [fault]})).status_code == 200


async def test_too_many_calls_at_once_are_refused(sim: Sim) -> None:
    await sim.token()
    await rule(sim, concurrent_calls=2)
    await slow(sim, MEMBER, 0.05)
    codes = await asyncio.gather(*(sim.refused(MEMBER, userid="rm001") for _ in range(3)))
    assert 45033 in codes
    await sim.client.delete("/_sim/faults")
    assert await sim.refused(MEMBER, userid="rm001") == 0


async def test_two_changes_of_one_pair_at_once_conflict_and_of_two_pairs_do_not(sim: Sim) -> None:
    await sim.token()
    remark = "POST /cgi-bin/externalcontact/remark"
    first, second = sim.platform.world.list_follows_of("rm001")[:2]

    async def change(external_userid: str) -> int:
        return await sim.refused(remark, {"userid": "rm001", "external_userid": external_userid, "remark": "新"})

    await slow(sim, remark, 0.05)
    same = await asyncio.gather(*(change(first.external_userid) for _ in range(2)))
    assert sorted(same) == [0, 45035]
    assert set(await asyncio.gather(change(first.external_userid), change(second.external_userid))) == {0}
    await rule(sim, one_writer=False)
    assert set(await asyncio.gather(*(change(first.external_userid) for _ in range(2)))) == {0}


def test_objects_of_a_change_are_named_by_its_fields() -> None:
    assert list_objects(MEMBER, {}) == ()
    pair = {"userid": "a", "external_userid": "b"}
    assert list_objects(MARK, pair) == list_objects("POST /cgi-bin/externalcontact/remark", pair)
    moved = {"handover_userid": "a", "external_userid": ["b", "c"]}
    assert len(list_objects("POST /cgi-bin/externalcontact/transfer_customer", moved)) == 2


async def test_rules_are_shown_changed_one_by_one_and_put_back(config: SimConfig) -> None:
    sim = new_sim(replace(config, rules=CallRules(calls_per_minute=7)))
    assert (await rule(sim, concurrent_calls=3))["calls_per_minute"] == 7
    shown = (await sim.client.delete("/_sim/limits")).json()
    assert (shown["calls_per_minute"], shown["concurrent_calls"]) == (7, 0)
    assert (await sim.client.put("/_sim/limits", json={"calls_a_minute": 1})).status_code == 422
    assert (await sim.client.put("/_sim/limits", json={"app_state": "gone"})).status_code == 422
    await close_sim(sim)


def test_defaults_are_the_documented_numbers(sim: Sim) -> None:
    limits = CallLimits(CallRules(), sim.clock)
    assert (limits.rules.calls_per_minute, limits.rules.calls_per_hour) == (10_000, 150_000)
    assert limits.rules.debug_calls_per_minute == 5


async def test_reset_secrets_kill_all_tokens(sim: Sim) -> None:
    await sim.token("app")
    await sim.token("kf")
    assert (await sim.do("tokens/revoke"))["revoked"] == 2
    assert await sim.refused(MEMBER, userid="rm001") == 40014
    sim.tokens.clear()
    assert await sim.refused(MEMBER, userid="rm001") == 0


@pytest.mark.parametrize(
    ("api", "body", "errcode", "named"),
    [
        ("POST /cgi-bin/externalcontact/remark", {"external_userid": "x"}, 40063, "userid"),
        ("POST /cgi-bin/externalcontact/remark", {"userid": "x"}, 41035, "external_userid"),
        ("POST /cgi-bin/externalcontact/send_welcome_msg", {}, 41049, "welcome_code"),
        ("POST /cgi-bin/externalcontact/add_contact_way", {"scene": 1}, 41037, "type"),
        ("POST /cgi-bin/externalcontact/add_contact_way", {"type": 1}, 41038, "scene"),
        ("POST /cgi-bin/message/update_template_card", {"response_code": "x"}, 40056, "agentid"),
        ("POST /cgi-bin/externalcontact/add_msg_template", {"attachments": [{}]}, 40063, "attachments[].msgtype"),
        ("POST /cgi-bin/externalcontact/add_msg_template", {"attachments": {}}, 40058, "attachments"),
        ("POST /cgi-bin/externalcontact/add_msg_template", {"external_userid": ["x", 1]}, 40058, "external_userid[]"),
        ("POST /cgi-bin/externalcontact/groupchat/list", {"limit": "many"}, 40058, "limit"),
        ("POST /cgi-bin/externalcontact/groupchat/list", {"limit": True}, 40058, "limit"),
        ("POST /cgi-bin/externalcontact/groupchat/statistic", {"day_begin_time": 1}, 40063, "owner_filter"),
        ("POST /cgi-bin/message/send", {"text": {"content": 5}}, 40058, "text.content"),
        ("POST /cgi-bin/message/send", {"safe": [0]}, 40058, "safe"),
        ("POST /cgi-bin/message/send", {"text": "hi"}, 40058, "text"),
    ],
)
def test_request_is_checked_against_the_catalogue(api: str, body: dict[str, Any], errcode: int, named: str) -> None:
    with pytest.raises(ApiError) as refusal:
        check_request(api, {}, body)
    assert refusal.value.errcode == errcode
    assert f" {named}" in refusal.value.errmsg


@pytest.mark.parametrize(
    ("api", "body"),
    [
        ("POST /cgi-bin/message/send", {"safe": 1, "agentid": "1000002", "something_new": {"a": 1}, "text": None}),
        ("POST /cgi-bin/externalcontact/add_msg_template", {"text": {"content": "hi"}}),
        ("POST /cgi-bin/batch/invite", {"user": ["rm001"]}),
        ("POST /cgi-bin/no/such", {"a": 1}),
    ],
)
def test_what_the_platform_tolerates_passes(api: str, body: dict[str, Any]) -> None:
    check_request(api, {}, body)


def test_required_query_field_is_looked_for_in_the_query() -> None:
    check_request(MEMBER, {"userid": "rm001"}, {})
    with pytest.raises(ApiError, match="40063"):
        check_request(MEMBER, {}, {"userid": "rm001"})


def errcode_of(api: str, body: dict[str, Any]) -> int:
    try:
        check_request(api, {}, body)
    except ApiError as refusal:
        return refusal.errcode
    return 0


def test_every_catalogued_api_can_be_checked_with_any_body() -> None:
    values: list[Any] = [None, "", 0, True, [], {}, [{}], [[]]]
    answers = {
        errcode_of(api, {name.removesuffix("?"): value for name in row.get("body") or {}})
        for api, row in catalogue().items()
        for value in values
    }
    assert answers <= {0, 40058, 40063, 40056, 41035, 41037, 41038, 41043, 41049, 41059}
