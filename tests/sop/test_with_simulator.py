"""The whole way over real HTTP against the simulated platform: copy the bank, send a broadcast, confirm, results."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest
import uvicorn
from pydantic import SecretStr
from sqlmodel import select

from bot.clock import SystemClock
from bot.ids import CustomerId, GroupChatId
from bot.outbox.models import OutboxRow
from bot.outbox.sender import Sender
from bot.settings import OutboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.client import WeComClient
from bot.wecom.http import make_http
from bot.wecom.send import Courier
from bot.wecom.tokens import TokenStore
from customers import (
    count_customers,
    find_customers_by_name,
    list_groups_of,
    list_staff,
    sync_customer,
    sync_everything,
    sync_group,
)
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, BankSize, SimConfig
from sop import (
    BroadcastState,
    DeliveryState,
    GroupAudience,
    SopSettings,
    TodoKind,
    broadcast_progress,
    do_cancel_broadcast,
    do_confirm_broadcast,
    do_draft_broadcast,
    list_todos,
    refresh_results,
    remind_members,
    tick,
)
from tests.sop.world import LI, Gate

SIZE = BankSize(staff=6, customers=250, groups=12)
FAST = SopSettings(poll_fast=timedelta(), poll_slow=timedelta(), settle_after=timedelta(seconds=5))


class NoRecorder:
    """Keeps nothing: the archive is another package's."""

    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Do nothing."""


@pytest.fixture
async def base_url() -> AsyncIterator[str]:
    """A simulated corp on a port of its own; its callbacks are swallowed."""
    swallow = httpx.MockTransport(lambda _request: httpx.Response(200, text="success"))
    app = create_app(SimConfig(size=SIZE, broadcast_settle_seconds=0.2), callback_transport=swallow)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="on"))
    running = asyncio.create_task(server.serve())
    for _ in range(500):
        if server.started:
            break
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await running


@pytest.fixture
async def http(base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with make_http(base_url, 10) as client:
        yield client


@pytest.fixture
def client(http: httpx.AsyncClient) -> WeComClient:
    tokens = TokenStore(http, SystemClock(), DEMO_CORP_ID, {"app": SecretStr(DEMO_APP_SECRET)})
    return WeComClient(http, tokens)


async def drain(db: Database, http: httpx.AsyncClient, client: WeComClient) -> None:
    courier = Courier(client, http, 1000002)
    sender = Sender(db, SystemClock(), OutboxSettings(), courier, NoRecorder(), "node")
    async with db.reading() as tx:
        recipients = set((await tx.exec(select(OutboxRow.recipient))).all())
    for recipient in sorted(recipients):
        await sender.drain(recipient)


async def schedule_and_create(db: Database, http: httpx.AsyncClient, client: WeComClient) -> str:
    now = SystemClock().now()
    async with db.transaction() as tx:
        draft = await do_draft_broadcast(
            tx, LI, ("S-0007", 1), "大额存单本周开放认购。", GroupAudience((LI,)), now, now, gate=Gate(), settings=FAST
        )
        assert draft.allowed, draft.problems
        await do_confirm_broadcast(tx, draft.id, LI, now)
    assert (await tick(db, SystemClock().now(), Gate(), FAST)).broadcasts_started == 1
    await drain(db, http, client)
    assert (await refresh_results(db, client, SystemClock(), FAST)).created == 1
    return draft.id


async def refresh_until(db: Database, client: WeComClient, broadcast_id: str, state: BroadcastState) -> None:
    for _ in range(100):
        await refresh_results(db, client, SystemClock(), FAST)
        async with db.reading() as tx:
            if (await broadcast_progress(tx, broadcast_id)).state is state:
                return
        await asyncio.sleep(0.05)
    raise AssertionError(f"never became {state}")


async def test_bank_is_copied_and_a_broadcast_is_confirmed_and_accounted_for(
    db: Database, http: httpx.AsyncClient, client: WeComClient
) -> None:
    report = await sync_everything(db, client, SystemClock())
    assert (report.groups, report.skipped) == (SIZE.groups, 0)
    assert (await sync_everything(db, client, SystemClock())).changed == 0
    async with db.reading() as tx:
        assert await count_customers(tx) == SIZE.customers
        staff = {row.id: row.name for row in await list_staff(tx)}
        groups = await list_groups_of(tx, LI)
        cards = await find_customers_by_name(tx, LI, "王芳")
    assert staff["rm001"] == "李娜"
    assert "城东理财交流1群" in {group.name for group in groups}
    assert any("城东理财交流1群" in card.groups and card.risk_level for card in cards)

    broadcast_id = await schedule_and_create(db, http, client)
    async with db.reading() as tx:
        todos = await list_todos(tx, LI, SystemClock().now().date() + timedelta(days=1))
    assert [todo.kind for todo in todos] == [TodoKind.CONFIRM_BROADCAST]
    assert await wait_remind(db, client, broadcast_id) == 1

    waiting = (await http.get("/_sim/groupmsgs", params={"userid": "rm001"})).json()
    answer = await http.post(f"/_sim/groupmsgs/{waiting[0]['msgid']}/confirm", json={"userid": "rm001"})
    assert answer.status_code == 200
    await refresh_until(db, client, broadcast_id, BroadcastState.FINISHED)
    async with db.reading() as tx:
        view = await broadcast_progress(tx, broadcast_id)
        assert await list_todos(tx, LI, SystemClock().now().date() + timedelta(days=1)) == []
    assert view.counts == {DeliveryState.DELIVERED: len(groups)}
    assert all(recipient.sent_at is not None for recipient in view.recipients)


async def wait_remind(db: Database, client: WeComClient, broadcast_id: str) -> int:
    # the platform first dispatches (41063)
    await refresh_until(db, client, broadcast_id, BroadcastState.AWAITING_MEMBERS)
    await asyncio.sleep(0.3)
    return await remind_members(db, client, SystemClock(), broadcast_id, LI)


async def test_cancelled_broadcast_is_withdrawn_at_the_platform(
    db: Database, http: httpx.AsyncClient, client: WeComClient
) -> None:
    await sync_everything(db, client, SystemClock())
    broadcast_id = await schedule_and_create(db, http, client)
    async with db.transaction() as tx:
        await do_cancel_broadcast(tx, broadcast_id, LI, SystemClock().now())
    await refresh_until(db, client, broadcast_id, BroadcastState.CANCELLED)
    waiting = (await http.get("/_sim/groupmsgs", params={"userid": "rm001"})).json()
    answer = await http.post(f"/_sim/groupmsgs/{waiting[0]['msgid']}/confirm", json={"userid": "rm001"})
    assert answer.status_code == 409


async def test_single_objects_are_read_anew(db: Database, client: WeComClient) -> None:
    await sync_everything(db, client, SystemClock())
    async with db.reading() as tx:
        (card, *_) = await find_customers_by_name(tx, LI, "王芳")
        group = (await list_groups_of(tx, LI))[0]
    assert await sync_customer(db, client, SystemClock(), CustomerId(card.customer_id))
    assert not await sync_customer(db, client, SystemClock(), CustomerId("wmNOBODY"))
    assert await sync_group(db, client, SystemClock(), GroupChatId(group.id))
