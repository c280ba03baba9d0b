"""微信客服 from end to end: the simulated platform over HTTP, nodes that pull, and a sender with its ledger."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import SecretStr
from sqlmodel import col, select

from bot.clock import FrozenClock
from bot.context import Address, Content, KfChat, Reply, Text
from bot.doors.kf import KfPuller
from bot.doors.models import KfCursorRow
from bot.ids import CustomerId
from bot.inbox.models import InboxRow
from bot.kf.budget import KfBudget
from bot.kf.ledger import KfLedger, kf_budget
from bot.outbox import store
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.sender import Sender
from bot.settings import OutboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.client import WeComClient
from bot.wecom.http import make_http
from bot.wecom.send import Courier
from bot.wecom.tokens import TokenStore
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, DEMO_KF_SECRET, BankSize, SimConfig
from tests.bot.pipeline import WordGate
from tests.running import running

ACCOUNT = "wkDEMO0001"


class _Recorder:
    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Keep nothing."""


class Wire(httpx.AsyncHTTPTransport):
    """Counts requests; `lost` answers never come back, `between` runs before an answer is handed on."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.lost = 0
        self.between: Callable[[str], None] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass the request on."""
        path = request.url.path.rpartition("/kf/")[2]
        self.asked.append(path)
        response = await super().handle_async_request(request)
        if self.lost and path == "send_msg":
            self.lost -= 1
            await response.aclose()
            raise httpx.ReadTimeout("the answer is lost", request=request)
        if self.between is not None and path == "send_msg":
            await response.aread()
            self.between(path)
        return response


@dataclass
class KfDesk:
    """The platform's people on one side, our nodes on the other. `told` lists (row, code) of what went undelivered."""

    db: Database
    clock: FrozenClock
    platform: httpx.AsyncClient
    wire: Wire
    client: WeComClient
    http: httpx.AsyncClient
    wang: CustomerId
    told: list[tuple[int, str]] = field(default_factory=list)

    @property
    def chat(self) -> KfChat:
        """王芳's chat with the account."""
        return KfChat(ACCOUNT, self.wang)

    def ledger(self) -> KfLedger:
        """Return a ledger that notes who is told."""

        async def note(tx: Tx, row: OutboxRow, code: str, now: datetime) -> None:
            self.told.append((row.id or 0, code))

        return KfLedger(note)

    def puller(self, node: str = "node-1") -> KfPuller:
        """Return a node's puller."""
        return KfPuller(self.db, self.client, self.clock, self.ledger(), node)

    def sender(self, node: str = "node-1") -> Sender:
        """Return a node's sender."""
        settings = OutboxSettings(retry_seconds=(1, 5))
        courier = Courier(self.client, self.http, 1000002)
        return Sender(self.db, self.clock, settings, courier, _Recorder(), node, self.ledger())

    # the platform's people

    async def do(self, path: str, **body: Any) -> Any:
        """Let somebody do something at the platform; the clocks keep together."""
        response = await self.platform.post(f"/_sim/kf/{path}", json={"external_userid": self.wang, **body})
        assert response.status_code == 200, response.text
        return response.json()

    async def write(self, text: str = "在吗", **more: Any) -> str:
        """Let 王芳 write, and pull it."""
        msgid = str((await self.do("messages", text=text, **more))["msgid"])
        await self.pull()
        return msgid

    async def heard(self) -> list[str]:
        """List what the account has said to 王芳."""
        params = {"kind": "kf", "key": self.wang}
        lines = (await self.platform.get("/_sim/conversations", params=params)).json()["messages"]
        return [line["text"] for line in lines if line["sender_kind"] == "bot"]

    async def session(self) -> dict[str, Any]:
        """Return 王芳's session as the platform has it."""
        rows = (await self.platform.get("/_sim/kf/sessions")).json()
        return next(row for row in rows if row["external_userid"] == self.wang)

    async def add_servicer(self, userid: str = "rm001", places: int | None = None) -> None:
        """Make a member a servicer of the account."""
        body = {"open_kfid": ACCOUNT, "userid_list": [userid]}
        answer = await self.client.call("POST /cgi-bin/kf/servicer/add", body, app="kf")
        assert answer["result_list"][0]["errcode"] == 0
        if places is not None:
            status = {"userid": userid, "status": 0, "places": places}
            assert (await self.platform.post("/_sim/kf/servicers/status", json=status)).status_code == 200

    # our side

    async def pull(self, node: str = "node-1") -> int:
        """Pull what is there."""
        self.catch_up()
        return await self.puller(node).pull(ACCOUNT)

    def catch_up(self) -> None:
        """Bring our clock to the machine's, by which the platform goes."""
        now = datetime.now(UTC)  # noqa: TID251  the simulator's clock runs
        if now > self.clock.now():
            self.clock.advance(now - self.clock.now())

    async def queue(self, text: str = "您好", to: Address | None = None, content: Content | None = None) -> int:
        """Queue a reply to 王芳."""
        reply = Reply(to or self.chat, content or Text(text), "test")
        async with self.db.transaction() as tx:
            row = await store.enqueue_reply(tx, reply, WordGate(), self.clock.now())
        return row.id or 0

    async def drain(self, node: str = "node-1") -> None:
        """Send what may be sent now."""
        self.catch_up()
        await self.sender(node).drain(f"kf:{ACCOUNT}:{self.wang}")

    async def say(self, text: str = "您好", **more: Any) -> OutboxRow:
        """Queue and send; return the row afterwards."""
        row_id = await self.queue(text, **more)
        await self.drain()
        return await self.row(row_id)

    async def row(self, row_id: int) -> OutboxRow:
        """Return an outbox row."""
        async with self.db.reading() as tx:
            return await store.get_row(tx, row_id)

    async def state(self, row_id: int) -> OutboxState:
        """Return where an outbox row stands."""
        return (await self.row(row_id)).state

    async def budget(self) -> KfBudget:
        """Return what is left for 王芳."""
        async with self.db.reading() as tx:
            return await kf_budget(tx, ACCOUNT, self.wang, self.clock.now())

    async def inbox(self) -> list[InboxRow]:
        """List the stored items, oldest first."""
        async with self.db.reading() as tx:
            return list((await tx.exec(select(InboxRow).order_by(col(InboxRow.id)))).all())

    async def cursor(self) -> KfCursorRow:
        """Return the account's row."""
        async with self.db.reading() as tx:
            row = await tx.get(KfCursorRow, ACCOUNT)
        assert row is not None
        return row

    async def break_it(self, api: str, **fault: Any) -> None:
        """Have the platform misbehave until `mend_it`."""
        body = {"faults": [{"api": f"POST /cgi-bin/kf/{api}", **fault}]}
        assert (await self.platform.put("/_sim/faults", json=body)).status_code == 200

    async def mend_it(self) -> None:
        """Have it behave."""
        assert (await self.platform.delete("/_sim/faults")).status_code == 200

    async def advance(self, step: timedelta) -> None:
        """Let time pass on both sides."""
        self.clock.advance(step)
        body = {"seconds": step.total_seconds()}
        assert (await self.platform.post("/_sim/clock/advance", json=body)).status_code == 200


async def _at_once(_: float) -> None:
    """Let no time pass between the client's own attempts."""


@asynccontextmanager
async def open_kf_desk(db: Database, **config: Any) -> AsyncIterator[KfDesk]:
    """Run the platform and stand before it."""
    app = create_app(SimConfig(size=BankSize(4, 20, 4), **config))
    async with running(app) as url, httpx.AsyncClient(base_url=url) as platform:
        clock, wire = FrozenClock(datetime.now(UTC)), Wire()  # noqa: TID251  the simulator's clock runs too
        http = make_http(url, 10)
        http._transport = wire
        secrets = {"app": SecretStr(DEMO_APP_SECRET), "kf": SecretStr(DEMO_KF_SECRET)}
        client = WeComClient(http, TokenStore(http, clock, DEMO_CORP_ID, secrets), sleep=_at_once)
        wang = (await platform.get("/_sim/people")).json()["customers"][0]["external_userid"]
        yield KfDesk(db, clock, platform, wire, client, http, CustomerId(wang))
        await http.aclose()
