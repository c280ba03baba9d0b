"""What is queued reaches the platform once, in order and paced; every kind of failure has its own end.

The platform is the simulator over HTTP; where it must misbehave, a small server stands in front of it.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bot.alerts.models import AlertKind
from bot.alerts.store import list_open_alerts
from bot.clock import FrozenClock
from bot.context import (
    Address,
    BotChat,
    Button,
    Card,
    Content,
    GroupSend,
    KfChat,
    KfWelcome,
    Reply,
    StaffChat,
    Text,
    Welcome,
)
from bot.errors import ContentTooLong, RecipientUnavailable
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.lanes import EXPRESS, REST
from bot.outbox import ledger, store, unreachable
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.sender import Sender
from bot.settings import OutboxSettings
from bot.storage.database import Database, Tx
from bot.wecom.client import WeComClient
from bot.wecom.http import make_http
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send import Courier
from bot.wecom.tokens import TokenStore
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, DEMO_KF_SECRET, BankSize, SimConfig
from tests.bot.pipeline import WordGate
from tests.running import running

LI = StaffId("rm001")


@dataclass
class Recorder:
    """Remembers what it was told of."""

    texts: list[str] = field(default_factory=list)

    async def record_sent(self, tx: Tx, row: OutboxRow, now: datetime) -> None:
        """Remember the words."""
        self.texts.append(row.text)


@dataclass
class Wire:
    """What happens to the next requests on their way: one function for each, then nothing."""

    steps: list[Callable[[httpx.Request], None]] = field(default_factory=list)
    lost_answers: int = 0


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self._wire = wire

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "gettoken" not in request.url.path and self._wire.steps:
            self._wire.steps.pop(0)(request)
        response = await super().handle_async_request(request)
        if self._wire.lost_answers and "gettoken" not in request.url.path:
            self._wire.lost_answers -= 1
            await response.aclose()
            raise httpx.ReadTimeout("the answer is lost", request=request)
        return response


@dataclass
class Desk:
    """A sender, the database before it and the platform behind it."""

    db: Database
    clock: FrozenClock
    platform: httpx.AsyncClient
    wire: Wire
    sender: Sender
    recorder: Recorder

    async def queue(
        self,
        text: str = "你好",
        to: Address | None = None,
        content: Content | None = None,
        expires_in: timedelta | None = None,
    ) -> int:
        """Queue a reply."""
        expires_at = None if expires_in is None else self.clock.now() + expires_in
        reply = Reply(to or StaffChat(LI), content or Text(text), "test", expires_at=expires_at)
        async with self.db.transaction() as tx:
            row = await store.enqueue_reply(tx, reply, WordGate(), self.clock.now())
        return row.id or 0

    async def drain(self, recipient: str = "app:rm001") -> None:
        """Send what may be sent now."""
        await self.sender.drain(recipient)

    async def state(self, row_id: int) -> OutboxState:
        """Return where a row stands."""
        async with self.db.reading() as tx:
            return (await store.get_row(tx, row_id)).state

    async def row(self, row_id: int) -> OutboxRow:
        """Return a row."""
        async with self.db.reading() as tx:
            return await store.get_row(tx, row_id)

    async def break_it(self, **fault: Any) -> None:
        """Have the platform misbehave."""
        answer = await self.platform.put("/_sim/faults", json={"faults": [fault]})
        assert answer.status_code == 200, answer.text

    async def accepted(self, kind: str = "message") -> list[dict[str, Any]]:
        """List the requests the platform accepted."""
        answer = (await self.platform.get("/_sim/sent", params={"kind": kind})).json()
        assert isinstance(answer, list)
        return answer

    async def heard(self, staff_id: str = "rm001") -> list[str]:
        """List what a member sees in the chat with the app."""
        params = {"kind": "app", "key": staff_id}
        answer = (await self.platform.get("/_sim/conversations", params=params)).json()
        return [message["text"] for message in answer["messages"]]


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[Desk]:
    """A desk in front of a small simulated bank."""
    config = SimConfig(size=BankSize(3, 20, 6), broadcast_settle_seconds=0)
    async with running(create_app(config)) as url, httpx.AsyncClient(base_url=url) as platform:
        clock, wire, recorder = FrozenClock(datetime.now(UTC)), Wire(), Recorder()  # noqa: TID251  the simulator's clock runs too
        http = make_http(url, 10)
        http._transport = _Transport(wire)
        secrets = {"app": SecretStr(DEMO_APP_SECRET), "kf": SecretStr(DEMO_KF_SECRET)}
        client = WeComClient(http, TokenStore(http, clock, DEMO_CORP_ID, secrets))
        courier = Courier(client, http, agent_id=1000002)
        settings = OutboxSettings(retry_seconds=(1, 5), per_member_per_minute=5)
        sender = Sender(db, clock, settings, courier, recorder, "node-1")
        yield Desk(db, clock, platform, wire, sender, recorder)
        await http.aclose()


def _refuse(error: type[httpx.TransportError]) -> Callable[[httpx.Request], None]:
    def raise_it(request: httpx.Request) -> None:
        raise error("no connection", request=request)

    return raise_it


async def test_replies_to_one_member_arrive_in_order_and_are_recorded(desk: Desk) -> None:
    for text in ("一", "二", "三"):
        await desk.queue(text)
    await desk.drain()
    assert await desk.heard() == ["一", "二", "三"]
    assert desk.recorder.texts == ["一", "二", "三"]


async def test_a_card_with_buttons_arrives_as_an_interaction(desk: Desk) -> None:
    card = Card("客户提问", "有客户在群里提问", (("客户", "王芳"),), (Button("发送", "send"),), task_id="t1")
    assert await desk.state(row := await desk.queue(content=card)) is OutboxState.QUEUED
    await desk.drain()
    assert await desk.state(row) is OutboxState.SENT
    ((sent,)) = await desk.accepted()
    assert "button_interaction" in str(sent)


async def test_a_blocked_reply_never_leaves(desk: Desk) -> None:
    row = await desk.queue("这款保本")
    await desk.drain()
    assert await desk.state(row) is OutboxState.BLOCKED
    assert await desk.accepted() == []


async def test_the_same_words_twice_are_sent_twice(desk: Desk) -> None:
    await desk.queue("好的")
    await desk.queue("好的")
    await desk.drain()
    assert await desk.heard() == ["好的", "好的"]


async def test_a_refused_connection_is_tried_again_later(desk: Desk) -> None:
    desk.wire.steps.append(_refuse(httpx.ConnectError))
    row = await desk.queue()
    await desk.drain()
    assert await desk.state(row) is OutboxState.QUEUED
    await desk.drain()
    assert await desk.heard() == [], "not before its time"
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.heard() == ["你好"]


async def test_a_lost_answer_leads_to_one_message_not_two(desk: Desk) -> None:
    desk.wire.lost_answers = 1
    row = await desk.queue()
    await desk.drain()
    assert await desk.state(row) is OutboxState.UNCERTAIN
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.state(row) is OutboxState.SENT
    assert await desk.heard() == ["你好"]


async def test_a_sender_that_died_while_sending_does_not_lead_to_a_second_message(desk: Desk) -> None:
    row_id = await desk.queue()
    await desk.drain()
    async with desk.db.transaction() as tx:
        row = await store.get_row(tx, row_id)  # as if it had died before writing down that it was sent
        row.state, row.sent_at, row.claimed_until = OutboxState.SENDING, None, desk.clock.now()
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.state(row_id) is OutboxState.SENT
    assert await desk.heard() == ["你好"]


async def test_the_same_words_said_before_do_not_swallow_a_reply_in_doubt(desk: Desk) -> None:
    await desk.queue("好的")
    await desk.drain()
    await asyncio.sleep(2.1)  # the platform's clock is the machine's
    desk.clock.advance(timedelta(seconds=2))
    desk.wire.steps.append(_refuse(httpx.ReadTimeout))  # on its way, nobody knows how far
    await desk.queue("好的")
    await desk.drain()
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.heard() == ["好的", "好的"]


async def test_the_same_words_said_a_moment_before_do_not_swallow_a_reply_in_doubt(desk: Desk) -> None:
    await desk.queue("好的")
    await desk.drain()
    desk.clock.advance(timedelta(seconds=1))
    desk.wire.steps.append(_refuse(httpx.ReadTimeout))  # it never reached the platform, but nobody knows
    await desk.queue("好的")
    await desk.drain()
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.heard() == ["好的", "好的"], "the window reaches back to the first one, which has another id"


async def test_a_reply_in_doubt_is_not_doubled_by_what_is_waited_for_before_it_leaves(desk: Desk) -> None:
    desk.wire.lost_answers = 1
    await desk.queue("好的")
    await desk.drain()
    slow_token = [
        {"api": "POST /cgi-bin/message/send", "kind": "token_revoked", "count": 1},
        {"api": "GET /cgi-bin/gettoken", "kind": "latency", "seconds": 2.5},
    ]
    (await desk.platform.put("/_sim/faults", json={"faults": slow_token})).raise_for_status()
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    assert await desk.heard() == ["好的"]


async def test_what_never_gets_through_has_failed_and_can_be_queued_again(desk: Desk) -> None:
    desk.wire.steps += [_refuse(httpx.ConnectError)] * 3
    row_id = await desk.queue()
    for seconds in (0, 1, 5):
        desk.clock.advance(timedelta(seconds=seconds))
        await desk.drain()
    assert await desk.state(row_id) is OutboxState.FAILED
    async with desk.db.transaction() as tx:
        await store.do_requeue(tx, row_id)
    await desk.drain()
    assert await desk.heard() == ["你好"]


async def test_what_failed_in_doubt_and_is_queued_again_arrives_once(desk: Desk) -> None:
    desk.wire.lost_answers = 3
    row_id = await desk.queue()
    for seconds in (0, 1, 5):
        desk.clock.advance(timedelta(seconds=seconds))
        await desk.drain()
    assert await desk.state(row_id) is OutboxState.FAILED
    async with desk.db.transaction() as tx:
        await store.do_requeue(tx, row_id)
    await desk.drain()
    assert await desk.state(row_id) is OutboxState.SENT
    assert await desk.heard() == ["你好"]


async def test_a_member_the_platform_does_not_know_has_failed_at_once(desk: Desk) -> None:
    row = await desk.queue(to=StaffChat(StaffId("nobody")))
    await desk.drain("app:nobody")
    assert await desk.state(row) is OutboxState.FAILED


async def test_one_member_gets_no_more_than_the_platform_lets_through(desk: Desk) -> None:
    rows = [await desk.queue(str(number)) for number in range(7)]
    await desk.drain()
    assert await desk.heard() == [str(number) for number in range(5)]
    desk.clock.advance(timedelta(minutes=1, seconds=1))
    await desk.drain()
    assert await desk.heard() == [str(number) for number in range(7)]
    assert await desk.state(rows[-1]) is OutboxState.SENT


async def test_a_token_taken_back_early_is_fetched_once_more(desk: Desk) -> None:
    await desk.queue("一")
    await desk.drain()

    def spoil(request: httpx.Request) -> None:
        request.url = request.url.copy_set_param("access_token", "taken-back")

    desk.wire.steps.append(spoil)
    await desk.queue("二")
    await desk.drain()
    assert await desk.heard() == ["一", "二"]


async def _kf_customer(desk: Desk) -> CustomerId:
    people = (await desk.platform.get("/_sim/people")).json()
    customer = str(people["customers"][0]["external_userid"])
    body = {"external_userid": customer, "text": "在吗"}
    assert (await desk.platform.post("/_sim/kf/messages", json=body)).status_code == 200
    return CustomerId(customer)


async def test_a_lost_answer_to_a_customer_leads_to_one_message_not_two(desk: Desk) -> None:
    customer = await _kf_customer(desk)
    desk.wire.lost_answers = 1
    row = await desk.queue(to=KfChat("wkDEMO0001", customer))
    for _ in range(2):
        await desk.drain(f"kf:wkDEMO0001:{customer}")
        desk.clock.advance(timedelta(seconds=1))
    assert await desk.state(row) is OutboxState.SENT
    answer = (await desk.platform.get("/_sim/conversations", params={"kind": "kf", "key": customer})).json()
    assert [message["text"] for message in answer["messages"]].count("你好") == 1


async def test_a_lost_answer_to_a_broadcast_makes_one_task_not_two(desk: Desk) -> None:
    people = (await desk.platform.get("/_sim/people")).json()
    mine: Sequence[str] = [group["chat_id"] for group in people["groups"] if group["owner"] == "rm001"]
    desk.wire.lost_answers = 1
    row_id = await desk.queue("早安", to=GroupSend(LI, tuple(GroupChatId(chat) for chat in mine)))
    for _ in range(2):
        await desk.drain("groupsend:rm001")
        desk.clock.advance(timedelta(seconds=1))
    assert await desk.state(row_id) is OutboxState.SENT
    tasks = (await desk.platform.get("/_sim/groupmsgs", params={"userid": "rm001"})).json()
    assert len(tasks) == 1
    async with desk.db.reading() as tx:
        assert (await store.get_row(tx, row_id)).platform_msgid == tasks[0]["msgid"]


async def test_a_doubt_outlives_a_refused_connection(desk: Desk) -> None:
    people = (await desk.platform.get("/_sim/people")).json()
    mine = tuple(GroupChatId(group["chat_id"]) for group in people["groups"] if group["owner"] == "rm001")
    desk.wire.lost_answers = 1
    row_id = await desk.queue("早安", to=GroupSend(LI, mine))
    await desk.drain("groupsend:rm001")
    desk.wire.steps.append(_refuse(httpx.ConnectError))
    for seconds in (1, 5):
        desk.clock.advance(timedelta(seconds=seconds))
        await desk.drain("groupsend:rm001")
    assert await desk.state(row_id) is OutboxState.SENT
    assert len((await desk.platform.get("/_sim/groupmsgs", params={"userid": "rm001"})).json()) == 1


async def test_a_doubt_is_not_settled_with_another_broadcast_of_the_same_words(desk: Desk) -> None:
    people = (await desk.platform.get("/_sim/people")).json()
    first, second = [GroupChatId(group["chat_id"]) for group in people["groups"] if group["owner"] == "rm001"][:2]
    earlier = await desk.queue("早安", to=GroupSend(LI, (first,)))
    await desk.drain("groupsend:rm001")
    desk.wire.steps.append(_refuse(httpx.ReadTimeout))
    later = await desk.queue("早安", to=GroupSend(LI, (second,)))
    for _ in range(2):
        await desk.drain("groupsend:rm001")
        desk.clock.advance(timedelta(seconds=1))
    async with desk.db.reading() as tx:
        msgids = {(await store.get_row(tx, row)).platform_msgid for row in (earlier, later)}
    assert len(msgids) == 2


async def test_a_bot_chat_whose_address_is_used_up_has_failed(desk: Desk) -> None:
    address = BotChat(None, "rm001", f"{desk.platform.base_url}/cgi-bin/aibot/response?response_code=none")
    row = await desk.queue(to=address)
    await desk.drain("aibot:rm001")
    assert await desk.state(row) is OutboxState.FAILED


SEND = "POST /cgi-bin/message/send"


async def test_what_comes_too_late_is_given_up_before_it_is_sent(desk: Desk) -> None:
    row_id = await desk.queue(expires_in=timedelta(seconds=20))
    desk.clock.advance(timedelta(seconds=20))
    await desk.drain()
    row = await desk.row(row_id)
    assert (row.state, row.error) == (OutboxState.FAILED, "expired")
    assert await desk.heard() == []


async def test_what_would_be_too_late_after_the_wait_is_given_up_at_once(desk: Desk) -> None:
    await desk.break_it(api=SEND, kind="errcode", errcode=45009, count=1)
    row_id = await desk.queue(expires_in=timedelta(seconds=20))
    await desk.drain()
    row = await desk.row(row_id)
    assert (row.state, row.error) == (OutboxState.FAILED, "expired")
    assert row.delays is not None
    assert row.delays[-1]["why"] == "platform.rate 45009"


async def test_a_late_reply_says_why(desk: Desk) -> None:
    desk.wire.steps.append(_refuse(httpx.ConnectError))
    row_id = await desk.queue()
    await desk.drain()
    desk.clock.advance(timedelta(seconds=1))
    await desk.drain()
    row = await desk.row(row_id)
    assert row.sent_at is not None
    assert row.due_at is not None
    assert row.sent_at - row.due_at == timedelta(seconds=1)
    assert [delay["why"] for delay in row.delays or ()] == ["platform.unavailable -1"]


@pytest.mark.parametrize("errcode", [45009, 45033])
async def test_too_many_calls_lose_nothing_however_often(desk: Desk, errcode: int) -> None:
    await desk.break_it(api=SEND, kind="errcode", errcode=errcode, count=8)
    row_id = await desk.queue()
    for _ in range(9):
        await desk.drain()
        desk.clock.advance(timedelta(minutes=1))
    row = await desk.row(row_id)
    assert (row.state, row.attempts) == (OutboxState.SENT, 1)
    assert await desk.heard() == ["你好"]


async def test_a_member_nobody_can_reach_is_not_tried_again_until_a_sign_of_life(desk: Desk) -> None:
    gone = StaffChat(StaffId("nobody"))
    await desk.queue(to=gone)
    await desk.drain("app:nobody")
    second = await desk.queue(to=gone)
    calls = len(await desk.accepted())
    await desk.drain("app:nobody")
    assert (await desk.row(second)).error == "unreachable 81013"
    assert len(await desk.accepted()) == calls
    async with desk.db.transaction() as tx:
        assert await unreachable.do_note_alive(tx, "app:nobody")
    third = await desk.queue(to=gone)
    await desk.drain("app:nobody")
    assert (await desk.row(third)).error == "platform.recipient 81013", "it was tried"


async def test_a_quarantine_ends_with_time(desk: Desk) -> None:
    await desk.queue(to=StaffChat(StaffId("nobody")))
    await desk.drain("app:nobody")
    desk.clock.advance(timedelta(days=7))
    async with desk.db.reading() as tx:
        assert await unreachable.list_unreachable(tx, desk.clock.now(), 10) == []


async def test_one_refused_welcome_puts_nobody_into_quarantine(desk: Desk) -> None:
    row = await desk.queue(to=Welcome("gone", LI, CustomerId("wm1")))
    await desk.drain("welcome:rm001:wm1")
    assert (await desk.row(row)).state is OutboxState.FAILED
    async with desk.db.reading() as tx:
        assert await unreachable.list_unreachable(tx, desk.clock.now(), 10) == []


async def test_a_long_text_arrives_in_parts_in_order(desk: Desk) -> None:
    text = "".join(f"第{number}句话，说得很长很长很长很长。" for number in range(200))
    first = await desk.row(await desk.queue(text))
    assert first.evidence["part"] == 1
    assert first.evidence["parts"] > 1
    await desk.drain()
    heard = await desk.heard()
    assert "".join(heard) == text
    assert len(heard) == first.evidence["parts"]


async def test_parts_do_not_overtake_one_another_and_none_follows_a_failed_one(desk: Desk) -> None:
    first = await desk.queue("第一句。" * 200)
    desk.wire.steps += [_refuse(httpx.ConnectError)] * 3
    await desk.drain()
    assert await desk.heard() == [], "the second part waits for the first"
    for seconds in (1, 5):
        desk.clock.advance(timedelta(seconds=seconds))
        await desk.drain()
    async with desk.db.reading() as tx:
        rows = await store.list_rows(tx, OutboxState.FAILED, 10)
    assert {row.part_of for row in rows} == {first}
    assert [row.error for row in rows] == ["part_failed", "platform.unavailable -1"]


async def test_the_gate_sees_a_long_text_whole(desk: Desk) -> None:
    text = "说明。" * 340 + "这款保" + "本" + "说明。" * 300
    row = await desk.row(await desk.queue(text))
    assert row.state is OutboxState.BLOCKED
    assert row.text == text


async def test_what_cannot_be_divided_is_refused_before_it_is_queued(desk: Desk) -> None:
    with pytest.raises(ContentTooLong):
        await desk.queue("好" * 2000, to=GroupSend(LI, ()))
    async with desk.db.reading() as tx:
        assert await store.list_rows(tx, None, 10) == []


async def test_an_hours_limit_is_kept_too_and_counts_tries_in_doubt(desk: Desk) -> None:
    allowances = (ledger.Allowance(timedelta(minutes=1), 2), ledger.Allowance(timedelta(hours=1), 3))
    start = desk.clock.now()
    async with desk.db.transaction() as tx:
        for minute in range(3):
            assert await ledger.free_at(tx, "app:x", start + timedelta(minutes=minute), allowances) is None
            await ledger.record_attempt(tx, "app:x", start + timedelta(minutes=minute), timedelta(hours=1))
        now = start + timedelta(minutes=5)
        assert await ledger.free_at(tx, "app:x", now, allowances) == start + timedelta(hours=1)
        assert await ledger.free_at(tx, "app:y", now, allowances) is None


async def test_lanes_part_the_waiting_recipients(desk: Desk) -> None:
    await desk.queue()
    await desk.queue(to=Welcome("c", LI, CustomerId("wm1")))
    await desk.queue(to=KfWelcome("c", "wk1", CustomerId("wm1")))
    async with desk.db.reading() as tx:
        now = desk.clock.now()
        express = await store.list_waiting_recipients(tx, now, 10, EXPRESS)
        rest = await store.list_waiting_recipients(tx, now, 10, REST)
    assert express == ["welcome:rm001:wm1", "welcome:kf:wk1:wm1"]
    assert rest == ["app:rm001"]


class _NobodyLicensed(Courier):
    """The platform's answer is a success that names the member as unlicensed (04-sending.md)."""

    async def deliver(self, parcel: Parcel, now: datetime) -> Receipt:
        """Refuse as send_app does."""
        raise RecipientUnavailable(SEND, 81013, "unlicenseduser")


async def test_a_member_without_a_licence_is_a_matter_for_the_administrators(desk: Desk) -> None:
    row = await desk.queue()
    desk.sender._courier = _NobodyLicensed.__new__(_NobodyLicensed)
    await desk.drain()
    assert await desk.state(row) is OutboxState.FAILED
    async with desk.db.reading() as tx:
        (alert,) = await list_open_alerts(tx)
    assert (alert.kind, alert.detail) == (AlertKind.LICENCE, "app:rm001")
