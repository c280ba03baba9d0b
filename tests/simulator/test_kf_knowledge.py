"""The knowledge base of kf's native bot: groups, questions, limits."""

import pytest

from tests.simulator.harness import Json, Sim

BASE = "POST /cgi-bin/kf/knowledge"


def intent(group: str, /, **changes: object) -> Json:
    """Return a correct question with its answer."""
    body: Json = {
        "group_id": group,
        "question": {"text": {"content": "怎么开卡"}},
        "similar_questions": {"items": [{"text": {"content": "开卡要带什么"}}]},
        "answers": [
            {
                "text": {"content": "请带身份证到网点。"},
                "attachments": [{"msgtype": "link", "link": {"title": "指南", "url": "https://bank.example/card"}}],
            }
        ],
    }
    return {**body, **changes}


async def a_group(sim: Sim, name: str = "开户") -> str:
    return str((await sim.api(f"{BASE}/add_group", {"name": name}))["group_id"])


async def test_a_question_is_added_shown_changed_and_removed(sim: Sim) -> None:
    group = await a_group(sim)
    made = await sim.api(f"{BASE}/add_intent", intent(group))
    (shown,) = (await sim.api(f"{BASE}/list_intent", {"group_id": group}))["intent_list"]
    assert shown["intent_id"] == made["intent_id"]
    assert shown["answers"][0]["attachments"][0]["link"]["title"] == "指南"
    change = {"intent_id": made["intent_id"], "question": {"text": {"content": "怎么办卡"}}}
    assert await sim.refused(f"{BASE}/mod_intent", change) == 0
    (shown,) = (await sim.api(f"{BASE}/list_intent", {"intent_id": made["intent_id"]}))["intent_list"]
    assert shown["question"]["text"]["content"] == "怎么办卡"
    assert shown["similar_questions"]["items"][0]["text"]["content"] == "开卡要带什么"
    assert await sim.refused(f"{BASE}/del_intent", {"intent_id": made["intent_id"]}) == 0
    assert (await sim.api(f"{BASE}/list_intent", {}))["intent_list"] == []


async def test_groups_are_paged_and_the_default_one_stays(sim: Sim) -> None:
    for number in range(3):
        await a_group(sim, f"第{number}组")
    first = await sim.api(f"{BASE}/list_group", {"limit": 2})
    assert (len(first["group_list"]), first["has_more"]) == (2, 1)
    rest = await sim.api(f"{BASE}/list_group", {"limit": 2, "cursor": first["next_cursor"]})
    assert (len(rest["group_list"]), rest["has_more"]) == (2, 0)
    default = first["group_list"][0]
    assert default["is_default"] == 1
    assert await sim.refused(f"{BASE}/del_group", {"group_id": default["group_id"]}) == 40058
    assert await sim.refused(f"{BASE}/mod_group", {"group_id": default["group_id"], "name": "x"}) == 40058


async def test_a_group_goes_with_its_questions(sim: Sim) -> None:
    group = await a_group(sim)
    await sim.api(f"{BASE}/add_intent", intent(group))
    assert await sim.refused(f"{BASE}/mod_group", {"group_id": group, "name": "办卡"}) == 0
    assert await sim.refused(f"{BASE}/del_group", {"group_id": group}) == 0
    assert (await sim.api(f"{BASE}/list_intent", {}))["intent_list"] == []
    assert await sim.refused(f"{BASE}/list_intent", {"group_id": group}) == 40058


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"question": {"text": {"content": "长" * 201}}}, 40058),
        ({"question": {}}, 40063),
        ({"similar_questions": {"items": [{"text": {"content": "x"}}] * 101}}, 40058),
        ({"answers": []}, 40063),
        ({"answers": [{"text": {"content": "长" * 501}}]}, 40058),
        ({"answers": [{"text": {"content": "x"}}] * 2}, 40058),
        ({"answers": [{"text": {"content": "x"}, "attachments": [{"msgtype": "voice", "voice": {}}]}]}, 40008),
        (
            {
                "answers": [
                    {"text": {"content": "x"}, "attachments": [{"msgtype": "image", "image": {"media_id": "none"}}]}
                ]
            },
            40007,
        ),
        ({"group_id": "none"}, 40058),
    ],
)
async def test_a_question_beyond_the_limits_is_refused(sim: Sim, changes: Json, errcode: int) -> None:
    group = await a_group(sim)
    assert await sim.refused(f"{BASE}/add_intent", intent(group, **changes)) == errcode
    assert await sim.refused(f"{BASE}/add_intent", intent(group)) == 0


async def test_a_group_holds_200_questions(sim: Sim) -> None:
    group = await a_group(sim)
    codes = [await sim.refused(f"{BASE}/add_intent", intent(group)) for _ in range(201)]
    assert codes == [0] * 200 + [40058]


async def test_only_the_app_may_change_it(sim: Sim) -> None:
    assert await sim.refused(f"{BASE}/list_group", {}, app="kf") == 48002
