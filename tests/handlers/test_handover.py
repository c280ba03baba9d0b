"""What a customer of 微信客服 did not get becomes the manager's matter, once."""

import pytest
from sqlmodel import select

from bot.context import Address, KfChat, KfHandOver, Reply, StaffChat, Text
from bot.ids import CustomerId, StaffId
from bot.outbox.models import OutboxRow
from bot.outbox.store import enqueue_reply
from bot.storage.database import Database
from handlers import HandlersSettings
from handlers.handover import do_follow_up
from sop import TodoRow
from tests.scenarios.desk import KF, LI_NA, WANG_FANG, Desk, open_desk

SETTINGS = HandlersSettings(duty_staff="rm002")


@pytest.fixture
async def desk(db: Database) -> Desk:
    """The desk of a small bank."""
    return await open_desk(db, SETTINGS)


async def follow_up(desk: Desk, to: Address, code: str, times: int = 1, reason: str = "human_agent") -> None:
    """Queue something for the customer, and let it come to nothing."""
    evidence = {"reason": reason, "question": "转人工"}
    async with desk.db.transaction() as tx:
        reply = Reply(to, Text("您好，这是回复"), "kf_dialogue", evidence)
        row = await enqueue_reply(tx, reply, desk.services.gate, desk.clock.now())
        for _ in range(times):
            await do_follow_up(tx, row, code, desk.clock.now(), SETTINGS, desk.services.gate)


async def todos(desk: Desk) -> list[TodoRow]:
    async with desk.db.reading() as tx:
        return list((await tx.exec(select(TodoRow))).all())


async def cards(desk: Desk) -> list[OutboxRow]:
    async with desk.db.reading() as tx:
        return [row for row in (await tx.exec(select(OutboxRow))).all() if row.content_kind == "Card"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("kf.window", "48小时"),
        ("kf.budget", "5条"),
        ("kf.session", "人工接待"),
        ("kf.rejected", "拒收"),
        ("kf.undelivered", "发送失败"),
        ("platform.40058", "没有接收"),
    ],
)
async def test_a_message_that_did_not_arrive_is_the_managers_task_with_the_reason(
    desk: Desk, code: str, why: str
) -> None:
    await follow_up(desk, KfChat(KF, WANG_FANG), code, times=2)
    (todo,) = await todos(desk)
    assert todo.staff_id == LI_NA
    assert "王芳" in todo.body
    assert why in todo.body
    assert "您好，这是回复" in todo.body


async def test_a_session_nobody_could_take_shows_the_manager_a_card(desk: Desk) -> None:
    await follow_up(desk, KfHandOver(KF, WANG_FANG, LI_NA), "kf.hand_over")
    (card,) = await cards(desk)
    assert card.recipient == f"app:{LI_NA}"
    assert "客户要求人工" in card.text
    assert await todos(desk) == []


async def test_an_urgent_matter_has_its_card_already(desk: Desk) -> None:
    await follow_up(desk, KfHandOver(KF, WANG_FANG, LI_NA), "kf.hand_over", reason="lost_card")
    assert await cards(desk) == []


async def test_a_stranger_goes_to_the_one_on_duty(desk: Desk) -> None:
    await follow_up(desk, KfChat(KF, CustomerId("wmSTRANGER")), "kf.budget")
    (todo,) = await todos(desk)
    assert todo.staff_id == "rm002"


async def test_other_rows_and_customers_without_anybody_are_left_alone(desk: Desk) -> None:
    await follow_up(desk, StaffChat(StaffId("rm001")), "kf.budget")
    nobody = HandlersSettings()
    async with desk.db.transaction() as tx:
        reply = Reply(KfChat(KF, CustomerId("wmSTRANGER")), Text("您好"), "kf_dialogue")
        row = await enqueue_reply(tx, reply, desk.services.gate, desk.clock.now())
        await do_follow_up(tx, row, "kf.budget", desk.clock.now(), nobody, desk.services.gate)
    assert await todos(desk) == []
