"""What leaves by the outbox and the pulls, by every way there is: requests that are not one typed function."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from bot.clock import SystemClock
from bot.context import (
    Address,
    Button,
    Card,
    CardUpdate,
    Content,
    GroupSend,
    KfChat,
    KfHandOver,
    KfWelcome,
    Markdown,
    Menu,
    MenuItem,
    StaffChat,
    Text,
    Welcome,
)
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.client import WeComClient
from bot.wecom.credentials import Keeper, MemoryShelf
from bot.wecom.parcel import Parcel
from bot.wecom.send import Courier
from bot.wecom.tickets import TicketKind, TicketStore

LI, WANG_FANG, GROUP, KFID = StaffId("li"), CustomerId("wm1"), GroupChatId("wr1"), "wk1"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
BUTTONS = (Button("确认", "yes"), Button("取消", "no", style=2))
CARD = Card("标题", "说明", (("时间", "明天"),), BUTTONS, "https://x.example", "打开", "task1")
NOTICE = Card("标题", url="https://x.example")
BARE = Card("标题", "说明")
MENU = Menu("请选择", (MenuItem("1", "查利率"), MenuItem("2", "转人工")), "或直接打字")


@dataclass(frozen=True)
class Way:
    """One thing the product does at the platform."""

    name: str
    send: Callable[[WeComClient], Awaitable[object]]


def _parcel(address: Address, content: Content, in_doubt: bool) -> Way:
    async def send(client: WeComClient) -> None:
        parcel = Parcel(address, content, "key1", in_doubt, NOON)
        async with httpx.AsyncClient() as http:
            await Courier(client, http, 7).deliver(parcel, NOON)

    return Way(f"{type(address).__name__} {type(content).__name__}{' again' if in_doubt else ''}", send)


def _ticket(kind: TicketKind) -> Way:
    async def send(client: WeComClient) -> None:
        store = TicketStore(client, client._tokens, Keeper(MemoryShelf(), SystemClock(), "node"))
        await store.get(kind)

    return Way(f"ticket {kind.value}", send)


_SAID: tuple[tuple[Address, tuple[Content, ...]], ...] = (
    (StaffChat(LI), (Text("您好"), Markdown("**您好**"), CARD, NOTICE, BARE, MENU)),
    (CardUpdate("code", LI, "task1"), (Text("已确认"), CARD, NOTICE)),
    (KfChat(KFID, WANG_FANG), (Text("您好"), MENU)),
    (KfWelcome("code", KFID, WANG_FANG), (Text("您好"), MENU)),
    (KfHandOver(KFID, WANG_FANG, LI), (Text("请稍候"),)),
    (Welcome("code", LI, WANG_FANG), (Text("您好"),)),
    (GroupSend(LI, (GROUP,)), (Text("您好"),)),
)

_DONE = [(address, content) for address, contents in _SAID for content in contents]
WAYS: tuple[Way, ...] = (
    *(_parcel(address, content, again) for address, content in _DONE for again in (False, True)),
    *(_ticket(kind) for kind in TicketKind),
)
