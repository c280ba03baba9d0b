"""The simulator page: who one is, what is said, and the story of what happened."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx

from simulator.state import ChatKind
from tests.console.world import World, handle_message, offer_a_reply, send_card


async def _say(client: httpx.AsyncClient, seat: str, text: str, **more: str) -> str:
    answer = await client.post("/simulator/say", data={"seat": seat, "text": text, **more})
    assert answer.status_code == 303, answer.text
    return parse_qs(urlsplit(answer.headers["location"]).query)["msg"][0]


async def test_page_offers_five_people_and_seven_things_to_try(world: World) -> None:
    client = await world.login("rm001")
    page = (await client.get("/simulator")).text
    for kind in ("rm", "kf", "group", "single", "owner"):
        assert f'data-testid="seat-{kind}"' in page
    for number in range(1, 8):
        assert f'data-testid="try-{number}"' in page
    assert "李娜" in page


async def test_words_of_each_person_reach_the_platform(world: World) -> None:
    client = await world.login("rm001")
    customer, group = world.customer_id, world.group_id
    assert (await _say(client, "as=rm&staff=rm001", "你好")).startswith("app:")
    assert (await _say(client, f"as=kf&customer={customer}", "丢卡了")).startswith("kf:")
    assert (await _say(client, f"as=single&staff=rm001&customer={customer}", "在吗")).startswith("archive:")
    assert (await _say(client, f"as=group&chat={group}&customer={customer}", "请问")).startswith("archive:")
    bank = world.platform.world
    assert [line.text for line in bank.list_talk(ChatKind.APP, "rm001")] == ["你好"]
    assert [line.text for line in bank.list_talk(ChatKind.GROUP, group)] == ["请问"]
    page = (await client.get("/simulator?as=rm", headers={"X-Fragment": "chat"})).text
    assert "你好" in page
    assert "<html" not in page


async def test_cards_show_their_buttons_and_pressing_one_reaches_the_platform(world: World) -> None:
    client = await world.login("rm001")
    await send_card(world)
    page = (await client.get("/simulator?as=rm", headers={"X-Fragment": "chat"})).text
    assert "选一条话术" in page
    assert "大额存单起存" in page
    answer = await client.post(
        "/simulator/press", data={"seat": "as=rm&staff=rm001", "task_id": "task-1", "key": "script:S-0012"}
    )
    assert answer.status_code == 303
    assert "since" in answer.headers["location"]
    lines = world.platform.world.list_talk(ChatKind.APP, "rm001")
    assert lines[-1].text == "点击了「大额存单起存」"
    again = await client.post("/simulator/press", data={"seat": "as=rm&staff=rm001", "task_id": "none", "key": "x"})
    assert again.status_code == 404


async def test_mentioning_the_admitted_bot_gives_two_events(world: World) -> None:
    client = await world.login("rm001")
    seat = f"as=group&chat={world.group_id}&customer={world.customer_id}"
    await client.post("/simulator/aibot", data={"seat": seat, "admitted": "1"})
    assert "已允许进群" in (await client.get(f"/simulator?{seat}")).text
    keys = (await _say(client, seat, "请问限额", mention_bot="1")).split(",")
    assert [key.partition(":")[0] for key in keys] == ["aibot", "archive"]


async def test_story_tells_intent_script_gate_outbox_and_delivery(world: World) -> None:
    client = await world.login("rm001")
    await handle_message(world, "app:1")
    panel = (await client.get("/simulator?msg=app:1", headers={"X-Fragment": "did"})).text
    for step in ("event", "intent", "script", "gate", "outbox", "delivery"):
        assert f'data-testid="step-{step}"' in panel
    assert "93%" in panel
    assert 'href="/scripts/S-0001"' in panel
    assert "没有命中敏感词" in panel
    assert "data-done" in panel
    assert "180" in panel


async def test_story_of_a_blocked_reply_names_the_words_and_ends_there(world: World) -> None:
    client = await world.login("rm001")
    await handle_message(world, "app:2", blocked=True)
    panel = (await client.get("/simulator?msg=app:2", headers={"X-Fragment": "did"})).text
    assert "保本保息" in panel
    assert "拦截" in panel
    assert "词库 v1" in panel
    assert 'data-testid="step-delivery"' not in panel


async def test_story_of_what_has_not_come_in_yet_waits(world: World) -> None:
    client = await world.login("rm001")
    panel = (await client.get("/simulator?msg=archive:unknown", headers={"X-Fragment": "did"})).text
    assert 'data-testid="waiting"' in panel
    assert "data-done" not in panel


async def test_side_bar_opens_as_the_member_played_and_as_nobody_more(world: World) -> None:
    suggestion = await offer_a_reply(world, "rm002")
    client = await world.login("co001")
    assert (await client.get(f"/sidebar/reply/{suggestion}")).status_code == 403
    answer = await client.post("/simulator/open", data={"staff": "rm002", "path": f"/sidebar/reply/{suggestion}"})
    assert answer.status_code == 303
    assert (await client.get(f"/sidebar/reply/{suggestion}")).status_code == 200
    assert "周敏" in (await client.get("/")).text
    for path in ("/review", "//elsewhere.example/", "/sidebar\\x"):
        answer = await client.post("/simulator/open", data={"staff": "rm002", "path": path})
        assert answer.status_code == 403


async def test_a_silent_simulator_is_a_note_on_the_page(world: World) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("nobody there")

    world.services = replace(world.services, http=httpx.AsyncClient(transport=httpx.MockTransport(refuse)))
    client = await world.login("rm001")
    answer = await client.get("/simulator")
    assert answer.status_code == 200
    assert "模拟器没有回应" in answer.text
    answer = await client.post("/simulator/say", data={"seat": "as=rm&staff=rm001", "text": "你好"})
    assert answer.status_code == 502


async def test_there_is_no_simulator_page_outside_the_demo(world: World) -> None:
    client = await world.login("rm001")
    world.services = replace(world.services, simulator_url=None)
    other = await world.login("rm001")
    assert (await other.get("/simulator")).status_code == 404
    assert "/simulator" not in (await other.get("/")).text
    assert "/simulator" in (await client.get("/")).text


async def test_people_are_found_by_name(world: World) -> None:
    client = await world.login("rm001")
    page = (await client.get("/simulator", params={"as": "rm", "find": "李娜"})).text
    assert 'data-testid="found-people"' in page
    page = (await client.get("/simulator", params={"as": "kf", "find": "没有这个人"})).text
    assert "没有找到" in page
