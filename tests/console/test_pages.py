"""Scripts, broadcasts, to-dos, health, audit trail and the side bar."""

from datetime import timedelta

from sqlmodel import select

from bot.audit import AuditEntry
from bot.inbox.models import InboxRow, InboxState, Source
from handlers.models import ReplySuggestionRow, SuggestionState
from simulator.state import ChatKind
from tests.console.world import World, give_a_todo, offer_a_reply, plan_a_broadcast


async def test_scripts_are_found_and_a_script_shows_wording_versions_and_approver(world: World) -> None:
    client = await world.login("rm001")
    found = await client.get("/scripts", params={"q": "大额存单"}, headers={"X-Fragment": "results"})
    assert "大额存单" in found.text
    assert "<html" not in found.text
    nothing = await client.get("/scripts", params={"q": "没有这样的话术"})
    assert "没有找到话术" in nothing.text
    page = (await client.get("/scripts/S-0001")).text
    assert 'data-testid="answer"' in page
    assert "审批人" in page
    assert 'data-testid="preview"' in (await client.get("/scripts/S-0012")).text
    assert (await client.get("/scripts/S-9999")).status_code == 404


async def test_broadcast_shows_each_recipient_and_stops_asking_when_it_is_over(world: World) -> None:
    broadcast_id = await plan_a_broadcast(world)
    client = await world.login("rm001")
    page = (await client.get(f"/broadcasts/{broadcast_id}")).text
    assert "已排期" in page
    assert "待发送" in page
    assert "data-poll" in page
    assert "data-done" not in page
    assert "保护好个人信息" in (await client.get("/broadcasts")).text
    assert "新客户七天关怀" in (await client.get("/broadcasts")).text


async def test_manager_ticks_off_her_own_to_do_only(world: World) -> None:
    todo_id = await give_a_todo(world)
    client = await world.login("rm001")
    page = (await client.get("/")).text
    assert "回访王芳" in page
    assert "138****2210" in page
    assert "13800002210" not in page
    assert (await (await world.login("co001")).post("/todos/done", data={"todo_id": todo_id})).status_code == 403
    answer = await client.post("/todos/done", data={"todo_id": todo_id})
    assert answer.status_code == 303
    after = (await client.get("/")).text
    assert "今天没有待办" in after
    assert "已完成一条待办" in after
    assert "已完成一条待办" not in (await client.get("/")).text


async def test_health_says_what_is_wrong_and_what_to_do(world: World) -> None:
    client = await world.login("ad001")
    assert "还没有收到过回调" in (await client.get("/health")).text
    async with world.db.transaction() as tx:
        tx.add(
            InboxRow(
                source=Source.APP,
                dedupe_key="app:x",
                conversation="app:rm001",
                event_type="text",
                body="",
                state=InboxState.FAILED,
                received_at=world.clock.now() - timedelta(minutes=5),
            )
        )
    page = (await client.get("/health", headers={"X-Fragment": "checks"})).text
    assert "处理失败 1 条" in page
    assert "rmbot inbox replay" in page


async def test_health_warns_when_something_waits_too_long(world: World) -> None:
    client = await world.login("ad001")
    async with world.db.transaction() as tx:
        tx.add(
            InboxRow(
                source=Source.APP,
                dedupe_key="app:y",
                conversation="app:rm001",
                event_type="text",
                body="",
                received_at=world.clock.now() - timedelta(minutes=5),
            )
        )
    page = (await client.get("/health", headers={"X-Fragment": "checks"})).text
    assert "等待处理 1 条" in page
    assert "最早的一条已等了两分钟以上" in page
    assert (await world.client().get("/healthz")).json()["status"] == "warn"


async def test_healthz_answers_200_while_callbacks_can_be_taken(world: World) -> None:
    answer = await world.client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json()["can_take_callbacks"] is True


async def test_audit_trail_is_told_in_sentences_and_verified(world: World) -> None:
    client = await world.login("co001")
    page = (await client.get("/audit?verify=true")).text
    assert "登录了管理台" in page
    assert "哈希链完整" in page
    only = (await client.get("/audit?actor=nobody")).text
    assert "没有记录" in only
    async with world.db.transaction() as tx:
        entry = (await tx.exec(select(AuditEntry).where(AuditEntry.seq == 1))).one()
        entry.actor = "somebody"
        tx.add(entry)
    assert "从第 1 条起对不上" in (await client.get("/audit?verify=true")).text


async def test_suggested_reply_is_sent_into_the_group_in_the_members_name(world: World) -> None:
    suggestion = await offer_a_reply(world)
    client = await world.login("rm001")
    page = (await client.get(f"/sidebar/reply/{suggestion}")).text
    assert "请问大额存单多少钱起存" in page
    assert "发送到群" in page
    assert 'data-adapter="simulator"' in page
    answer = await client.post(f"/sidebar/reply/{suggestion}/send", data={"text": "您好，大额存单20万元起存。"})
    assert answer.status_code == 303
    [line] = world.platform.world.list_talk(ChatKind.GROUP, world.group_id)
    assert (line.sender, line.text) == ("rm001", "您好，大额存单20万元起存。")
    assert 'data-testid="done"' in (await client.get(f"/sidebar/reply/{suggestion}")).text
    await client.post(f"/sidebar/reply/{suggestion}/send", data={"text": "您好，大额存单20万元起存。"})
    assert len(world.platform.world.list_talk(ChatKind.GROUP, world.group_id)) == 1


async def test_words_that_may_not_be_said_are_not_sent_and_an_alternative_is_offered(world: World) -> None:
    suggestion = await offer_a_reply(world)
    client = await world.login("rm001")
    words = {"text": "这款理财保本保息，您放心买"}
    check = await client.post(f"/sidebar/reply/{suggestion}/check", data=words, headers={"X-Fragment": "check"})
    assert "还不能发" in check.text
    assert 'data-testid="use-rewritten"' in check.text
    answer = await client.post(f"/sidebar/reply/{suggestion}/send", data=words)
    assert answer.status_code == 422
    assert "这段话还不能发" in answer.text
    assert world.platform.world.list_talk(ChatKind.GROUP, world.group_id) == []
    async with world.db.reading() as tx:
        row = await tx.get(ReplySuggestionRow, suggestion)
    assert row is not None
    assert row.state is SuggestionState.OFFERED


async def test_suggested_reply_of_somebody_else_is_refused(world: World) -> None:
    suggestion = await offer_a_reply(world, "rm002")
    client = await world.login("rm001")
    assert (await client.get(f"/sidebar/reply/{suggestion}")).status_code == 403
    answer = await client.post(f"/sidebar/reply/{suggestion}/send", data={"text": "您好"})
    assert answer.status_code == 403
    assert (await client.get("/sidebar/reply/none")).status_code == 404


async def test_only_our_own_side_bar_pages_are_signed(world: World) -> None:
    client = await world.login("rm001")
    assert (await client.get("/sidebar/sdk", params={"page": "https://elsewhere.example/"})).status_code == 404
