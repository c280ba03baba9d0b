"""Inheritance: a customer has 24 h to refuse, may be handed on twice in 90 days, and a full receiver fails."""

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise

from simulator import SimConfig
from tests.simulator.harness import Json, Sim, close_sim, new_sim

EXTERNAL = "POST /cgi-bin/externalcontact"
DAY = 86_400


async def hand_over(sim: Sim, customers: Iterable[str], takeover: str = "rm003", handover: str = "rm001") -> list[int]:
    """Hand customers over and return the errcode of each."""
    body = {"handover_userid": handover, "takeover_userid": takeover, "external_userid": list(customers)}
    answer = await sim.api(f"{EXTERNAL}/transfer_customer", body)
    return [row["errcode"] for row in answer["customer"]]


async def results(sim: Sim, takeover: str = "rm003", handover: str = "rm001") -> dict[str, int]:
    """Return the status of each customer between two members."""
    pair = {"handover_userid": handover, "takeover_userid": takeover}
    answer = await sim.api(f"{EXTERNAL}/transfer_result", pair)
    return {row["external_userid"]: row["status"] for row in answer["customer"]}


def later(sim: Sim, seconds: float) -> None:
    """Let simulated time pass; tokens die with it."""
    sim.clock.advance(seconds)
    sim.tokens.clear()


def changes(sim: Sim) -> list[Json]:
    """Return what was told of customers."""
    return sim.bot.events("change_external_contact")


async def test_customer_changes_hands_after_a_day(sim: Sim) -> None:
    assert await hand_over(sim, [sim.wang_fang]) == [0]
    assert await results(sim) == {sim.wang_fang: 2}
    assert changes(sim) == []
    later(sim, DAY)
    assert await results(sim) == {sim.wang_fang: 1}
    await sim.platform.callbacks.drain()
    gone, come = changes(sim)
    assert (gone["ChangeType"], gone["UserID"], gone["Source"]) == (
        "del_external_contact",
        "rm001",
        "DELETE_BY_TRANSFER",
    )
    assert (come["ChangeType"], come["UserID"], "WelcomeCode" in come) == ("add_external_contact", "rm003", False)
    got = await sim.api("GET /cgi-bin/externalcontact/get", external_userid=sim.wang_fang)
    (follow,) = got["follow_user"]
    assert (follow["userid"], follow["add_way"], follow["remark"]) == ("rm003", 202, "王芳")
    assert [tag["tag_name"] for tag in follow["tags"]] == ["C3 稳健型", "20–50万", "存量"]


async def test_receiver_who_is_a_friend_gets_no_second_add_event(sim: Sim) -> None:
    await sim.do("customers/add", {"userid": "rm003", "external_userid": sim.wang_fang})
    sim.bot.received.clear()
    await hand_over(sim, [sim.wang_fang])
    later(sim, DAY)
    await results(sim)
    await sim.platform.callbacks.drain()
    assert [row["ChangeType"] for row in changes(sim)] == ["del_external_contact"]


async def test_refused_transfer_leaves_everything_as_it_was(sim: Sim) -> None:
    await hand_over(sim, [sim.wang_fang])
    assert (await sim.do("transfers/refuse", {"external_userid": sim.wang_fang}))["userid"] == "rm003"
    later(sim, DAY)
    assert await results(sim) == {sim.wang_fang: 3}
    (event,) = changes(sim)
    assert (event["ChangeType"], event["UserID"], event["FailReason"]) == ("transfer_fail", "rm003", "customer_refused")
    assert sim.platform.world.find_follow("rm001", sim.wang_fang) is not None
    await sim.do("transfers/refuse", {"external_userid": sim.wang_fang}, status=404)


async def test_full_receiver_fails(config: SimConfig) -> None:
    sim = new_sim(replace(config, customers_per_member=1))
    await hand_over(sim, [sim.wang_fang])
    later(sim, DAY)
    assert await results(sim) == {sim.wang_fang: 4}
    await sim.platform.callbacks.drain()
    assert [row["FailReason"] for row in changes(sim)] == ["customer_limit_exceed"]
    await close_sim(sim)


async def test_customer_is_handed_on_twice_in_ninety_days(sim: Sim) -> None:
    path = ["rm001", "rm003", "rm004", "rm005"]
    codes = []
    for handover, takeover in pairwise(path):
        codes += await hand_over(sim, [sim.wang_fang], takeover, handover)
        later(sim, DAY)
    assert codes == [0, 0, 40128]
    later(sim, 90 * DAY)
    assert await hand_over(sim, [sim.wang_fang], "rm005", "rm004") == [0]


async def test_clock_of_the_control_api_finishes_transfers(sim: Sim) -> None:
    await hand_over(sim, [sim.wang_fang])
    await sim.do("clock/advance", {"seconds": DAY})
    assert [row["ChangeType"] for row in changes(sim)] == ["del_external_contact", "add_external_contact"]


async def test_customers_of_who_left_wait_and_are_taken_over(sim: Sim) -> None:
    world = sim.platform.world
    customers = [row.external_userid for row in world.list_follows_of("rm002")]
    (group,) = [row.chat_id for row in world.list_groups_owned_by("rm002")]
    assert (await sim.do("members/rm002/leave"))["customers"] == len(customers)
    listing = f"{EXTERNAL}/groupchat/list"
    assert (await sim.api(listing, {"limit": 9, "status_filter": 1}))["group_chat_list"] == [
        {"chat_id": group, "status": 1}
    ]
    left = {"handover_userid": "rm002", "takeover_userid": "rm003", "external_userid": customers[:2]}
    assert await sim.refused(f"{EXTERNAL}/transfer_customer", left) == 60111
    answer = await sim.api(f"{EXTERNAL}/resigned/transfer_customer", left)
    assert {row["errcode"] for row in answer["customer"]} == {0}
    later(sim, DAY)
    page = await sim.api(f"{EXTERNAL}/get_unassigned_list", {})
    assert [row["external_userid"] for row in page["info"]] == customers[2:]
    assert page["is_last"] is True
    taken = {row.external_userid for row in world.list_follows_of("rm003")}
    assert taken.issuperset(customers[:2])
    again = await sim.api(f"{EXTERNAL}/resigned/transfer_customer", left)
    assert {row["errcode"] for row in again["customer"]} == {40131}
    await sim.api(f"{EXTERNAL}/groupchat/transfer", {"chat_id_list": [group], "new_owner": "rm003"})
    assert (await sim.api(listing, {"limit": 9, "status_filter": 3}))["group_chat_list"] == [
        {"chat_id": group, "status": 3}
    ]


async def test_groups_say_why_they_stay(sim: Sim) -> None:
    group = f"{EXTERNAL}/groupchat"
    mine = {"chat_id_list": [sim.first_group], "new_owner": "rm001"}
    for api, code in (("onjob_transfer", 90504), ("transfer", 90500)):
        answer = await sim.api(f"{group}/{api}", mine)
        assert [row["errcode"] for row in answer["failed_chat_list"]] == [code]
    await sim.do("members/rm001/leave")
    answer = await sim.api(f"{group}/onjob_transfer", {**mine, "new_owner": "rm002"})
    assert [row["errcode"] for row in answer["failed_chat_list"]] == [90502]
