"""From a callback at the edge to words on somebody's phone, and what stays in the database."""

import asyncio
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select

from bot import audit
from bot.inbox.models import InboxRow, InboxState
from compliance.models import ArchivedMessageRow, CaseRow
from sop import TodoRow
from tests.postgres import PostgresServer
from tests.service.bank import Bank, eventually, open_bank


async def test_a_manager_is_answered_and_everything_is_archived(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.do("app/messages", userid="rm001", text="大额存单起存多少")
        assert "来源：话术 S-0012" in await bank.last("app", "rm001", "大额存单")
        await bank.all_sent(1)  # the words are on the phone before it is written down that they are
        async with bank.database.reading() as tx:
            kept = (await tx.exec(select(ArchivedMessageRow).order_by(col(ArchivedMessageRow.id)))).all()
        assert [(row.sender_id, row.text[:6]) for row in kept] == [
            ("rm001", "大额存单起存"),
            ("assistant", "目前在售的2"),
        ]
        assert kept[1].evidence["script"] == "S-0012"


async def test_a_customer_in_kf_is_answered_and_urgent_words_reach_the_manager(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.do("kf/messages", external_userid=bank.wang, text="大额存单起存多少")
        await bank.last("kf", bank.wang, "20万元起")
        await bank.do("kf/messages", external_userid=bank.wang, text="我的卡丢了怎么办")
        await bank.last("kf", bank.wang, "挂失")
        await bank.last("app", "rm001", "客户需要您尽快联系")
        async with bank.database.reading() as tx:
            assert (await tx.exec(select(TodoRow).where(TodoRow.staff_id == "rm001"))).first() is not None


async def test_a_group_question_becomes_a_card_and_a_promise_becomes_a_case(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.write_in_group(bank.wang, "请问零存整取怎么存")
        await bank.last("app", "rm001", "/sidebar/reply/")
        await bank.do(
            f"groups/{bank.group}/messages", sender="rm001", text="这款保本保息，跌了算我的", mention_bot=False
        )

        async def find_case() -> CaseRow | None:
            async with bank.database.reading() as tx:
                return (await tx.exec(select(CaseRow))).first()

        case = await eventually(find_case)
        assert case.conversation == f"group:{bank.group}"


async def test_the_bot_answers_itself_where_the_group_admits_it(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.do(f"groups/{bank.group}/aibot", admitted=True)
        await bank.write_in_group(bank.wang, "零存整取怎么存", mention_bot=True)
        await bank.last("group", bank.group, "每月存入固定金额")


async def test_what_compliance_forbids_never_reaches_the_platform(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        await bank.do("app/messages", userid="rm001", text="帮我看看这段话能不能发：加我个人微信，保本保息")
        assert "不能发" in await bank.last("app", "rm001", "命中")
        await bank.all_sent(1)
        await bank.do("kf/messages", external_userid=bank.wang, text="理财保本吗")
        said = await eventually(lambda: _bot_words(bank))
        assert "保本保息" not in said


async def _bot_words(bank: Bank) -> str:
    messages = await bank.chat("kf", bank.wang)
    return "".join(str(message["text"]) for message in messages if message["sender_kind"] == "bot")


async def test_a_new_customer_is_read_from_the_platform_at_once(database_url: str) -> None:
    async with open_bank(database_url) as bank:
        added = await bank.do("customers/add", userid="rm002", name="赵新朋")
        await asyncio.sleep(0)

        async def known() -> bool:
            async with bank.database.reading() as tx:
                rows = (await tx.exec(select(InboxRow).where(InboxRow.event_type == "CustomerAdded"))).all()
                return bool(rows) and all(row.state is InboxState.DONE for row in rows)

        assert await eventually(known)
        await bank.do("app/messages", userid="rm002", text="赵新朋的资料")
        assert "赵新朋" in await bank.last("app", "rm002", "客户卡片")
        assert added["external_userid"].startswith("wm")


async def test_two_nodes_answer_every_message_once(postgres: PostgresServer) -> None:
    with postgres.empty_database() as url:
        async with open_bank(url, nodes=2) as bank:
            for number in range(24):
                await bank.do("app/messages", userid=f"rm00{1 + number % 4}", text="你好")
            await bank.all_sent(24)
            for staff in ("rm001", "rm002", "rm003", "rm004"):
                said = [message["sender_kind"] for message in await bank.chat("app", staff)]
                assert said.count("bot") == 6


async def test_no_words_of_people_reach_the_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    marked = "暗号乌鸦七三"
    async with open_bank(f"sqlite+aiosqlite:///{tmp_path / 'quiet.db'}") as bank:
        await bank.do("app/messages", userid="rm001", text=f"大额存单起存多少 {marked}")
        await bank.do("app/messages", userid="rm001", text=f"帮我看看这段话能不能发：保本保息 {marked}")
        await bank.do("kf/messages", external_userid=bank.wang, text=f"我的卡丢了 {marked}")
        await bank.do(
            f"groups/{bank.group}/messages", sender=bank.wang, text=f"请问怎么挂失 {marked}", mention_bot=False
        )
        await bank.last("kf", bank.wang, "挂失")
        await bank.last("app", "rm001", "客户需要您尽快联系")
        async with httpx.AsyncClient(base_url=bank.nodes[0].settings.console.public_url) as http:
            await http.post("/wecom/app", params={"msg_signature": "x", "timestamp": "1", "nonce": "n"}, content=marked)
        async with bank.database.transaction() as tx:
            await audit.record(tx, actor="t", action="t", subject="t", details={}, now=bank.nodes[0].clock.now())
    out, err = capfd.readouterr()
    assert "event.done" in out + err, "the log is being looked at"
    assert marked not in out + err
    assert "王芳" not in out + err
