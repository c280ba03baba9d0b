"""The ways of sending, against the simulator over real HTTP: what people then see."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from bot.clock import SystemClock
from bot.context import Address, Button, Card, CardUpdate, Content, StaffChat, Text
from bot.errors import PlatformError
from bot.ids import StaffId
from bot.wecom.api import messages
from bot.wecom.api.wire import RequestInvalid
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send import Courier
from tests.bot.contract.corp import CONFIG, LI, Corp, a_corp

CARD = Card(
    "请确认群发",
    "明天 10:00",
    (("范围", "2 个群"),),
    (Button("确认", "yes"), Button("取消", "no", style=2)),
    task_id="draft-1",
)


@dataclass
class Desk:
    """The product's way out, and a member who presses."""

    courier: Courier
    corp: Corp

    async def send(self, address: Address, content: Content, *, again: bool = False) -> Receipt:
        """Send as the outbox does."""
        now = SystemClock().now()
        return await self.courier.deliver(Parcel(address, content, "k1", again, now), now)

    async def press(self, key: str) -> str:
        """Press a button of the card and return the code that comes with the event."""
        pressed = await self.corp.do("app/clicks", {"userid": LI, "task_id": CARD.task_id, "key": key})
        return str(pressed["response_code"])

    async def line(self) -> dict[str, Any]:
        """Return the line of the member's chat with the app that is the card."""
        chat = await self.corp.see("conversations", kind="app", key=LI)
        return next(dict(line) for line in chat["messages"] if line.get("card"))


@asynccontextmanager
async def a_desk() -> AsyncIterator[Desk]:
    """Open a corp with the product's way out."""
    async with a_corp() as corp:
        yield Desk(Courier(corp.client, corp.http, CONFIG.agent_id), corp)


async def test_pressed_card_shows_the_outcome_and_has_no_buttons_left() -> None:
    async with a_desk() as desk:
        await desk.send(StaffChat(LI), CARD)
        code = await desk.press("yes")
        await desk.send(CardUpdate(code, LI, "draft-1"), Text("已确认"))
        line = await desk.line()
        assert line["note"] == "已确认"
        assert line["card"]["buttons"] == []


async def test_another_card_takes_the_place_of_the_pressed_one() -> None:
    async with a_desk() as desk:
        await desk.send(StaffChat(LI), CARD)
        code = await desk.press("yes")
        left = Card("还有一项", buttons=(Button("完成", "done"),), task_id="draft-1")
        await desk.send(CardUpdate(code, LI, "draft-1"), left)
        line = await desk.line()
        assert line["card"]["title"] == "还有一项"
        assert [button["key"] for button in line["card"]["buttons"]] == ["done"]


async def test_code_works_once_and_a_repeat_in_doubt_counts_as_done() -> None:
    async with a_desk() as desk:
        await desk.send(StaffChat(LI), CARD)
        address = CardUpdate(await desk.press("yes"), LI, "draft-1")
        await desk.send(address, Text("已确认"))
        receipt = await desk.send(address, Text("已确认"), again=True)
        assert receipt.result["reconciled"] is True
        with pytest.raises(PlatformError) as refused:
            await desk.send(address, Text("已确认"))
        assert refused.value.errcode == 60140


async def test_member_the_app_cannot_reach_is_named_as_such() -> None:
    async with a_desk() as desk:
        with pytest.raises(PlatformError) as refused:
            await desk.send(StaffChat(StaffId("nobody")), Text("您好"))
        assert refused.value.errcode in (81013, 60111)


async def test_what_breaks_a_limit_is_refused_as_an_error_of_the_platform_and_not_sent() -> None:
    async with a_desk() as desk:
        with pytest.raises(PlatformError) as refused:
            await desk.send(StaffChat(LI), Text("好" * 700))
        assert not refused.value.retryable
        assert "text.content is longer than 2048 bytes" in refused.value.errmsg
        with pytest.raises(RequestInvalid):
            await messages.send_message(
                desk.corp.client, messages.AppMessage(agent_id=CONFIG.agent_id, body=messages.TextBody("好"))
            )
