"""The long connection against the simulated platform: subscription, heartbeat, reconnection, being replaced, doubt."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.aibot.connection import AiBotConnection, Ending, Take, command_for, pause_seconds
from bot.aibot.frames import CHUNK_BYTES, Command, dump_frame, parse_frame
from bot.aibot.streams import stream_id_of
from bot.aibot.upload import MOST_BYTES, upload_media
from bot.aibot.ways import ConnectionWay, InDoubt
from bot.alerts.store import list_open_alerts
from bot.alerts.watch import AlertWatch
from bot.clock import SystemClock
from bot.context import BotChat
from bot.errors import CallbackMalformed, PlatformError, PlatformUnavailable, RateLimited
from bot.settings import AiBotSettings
from bot.storage.database import Database
from bot.wecom.bot_message import BotMessage
from simulator.app import create_app
from simulator.config import DEMO_AIBOT_SECRET, BankSize, SimConfig
from tests.bot.aibot.rig import Rig
from tests.running import running

T = TypeVar("T")


@dataclass
class Far:
    """The simulated platform and its people."""

    url: str
    http: httpx.AsyncClient

    async def do(self, path: str, **body: Any) -> dict[str, Any]:
        """Let somebody do something."""
        answer = await self.http.post(f"/_sim/{path}", json=body)
        answer.raise_for_status()
        return dict(answer.json())

    async def fault(self, kind: str, **more: Any) -> None:
        """Have the next frame go wrong."""
        rule = {"api": "WS aibot", "kind": kind, "count": 1, **more}
        (await self.http.put("/_sim/faults", json={"faults": [rule]})).raise_for_status()

    async def said(self, key: str = "rm001") -> list[str]:
        """Return the bot's words to somebody."""
        answer = await self.http.get("/_sim/conversations", params={"kind": "aibot", "key": key})
        return [line["text"] for line in answer.json()["messages"] if line["sender_kind"] == "bot"]

    async def subscribed(self, times: int) -> None:
        """Wait until so many subscriptions were accepted."""

        async def look() -> bool:
            return bool((await self.http.get("/_sim/aibot")).json()["subscriptions"] >= times)

        await eventually(look)

    def settings(self, **changes: Any) -> AiBotSettings:
        """Return the settings of a bot that lives here."""
        values: dict[str, Any] = {
            "mode": "websocket",
            "bot_id": "aib0000000000000001",
            "secret": SecretStr(DEMO_AIBOT_SECRET),
            "ws_url": f"{self.url.replace('http', 'ws')}/aibot/ws",
        }
        return AiBotSettings(**(values | changes))


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    app = create_app(SimConfig(size=BankSize(4, 20, 2), aibot_mode="websocket"))
    async with running(app) as url, httpx.AsyncClient(base_url=url) as http:
        yield Far(url, http)


def a_connection(settings: AiBotSettings, take: Take) -> AiBotConnection:
    """Return a connection that does not wait long."""
    return AiBotConnection(settings, take, answer_seconds=0.5, pause=lambda failures: 0.02)


@dataclass
class Taken:
    """What came in; `reply` is said at once."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    reply: Mapping[str, Any] | None = None
    failures: int = 0

    async def take(self, body: bytes, req_id: str | None) -> Mapping[str, Any] | None:
        """Store one callback; fail as often as planned."""
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the database is away")
        self.bodies.append(json.loads(body))
        return self.reply


@asynccontextmanager
async def held(connection: AiBotConnection) -> AsyncIterator["asyncio.Task[Ending]"]:
    """Hold a connection for the length of a block."""
    task = asyncio.create_task(connection.run())
    try:
        yield task
    finally:
        connection.close()
        await asyncio.wait_for(task, 5)


async def eventually(look: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(5):
        while not (found := await look()):  # noqa: ASYNC110  nobody signals what is awaited
            await asyncio.sleep(0.01)
    return found


async def ready(connection: AiBotConnection) -> None:
    await asyncio.wait_for(connection.wait_ready(), 5)


async def test_a_message_is_stored_before_it_is_answered_however_long_that_takes(far: Far) -> None:
    taken = Taken(failures=3, reply={"msgtype": "stream", "stream": {"id": "s", "finish": False, "content": "请稍候"}})
    connection = a_connection(far.settings(), taken.take)
    async with held(connection):
        await ready(connection)
        await far.do("aibot/messages", userid="rm001", text="利率多少")
        assert await eventually(far.said) == ["请稍候"]
        assert [body["text"]["content"] for body in taken.bodies] == ["利率多少"]


async def test_the_heartbeat_notices_a_dead_connection(far: Far) -> None:
    connection = a_connection(far.settings(ping_seconds=0.05), Taken().take)
    async with held(connection):
        await ready(connection)
        await far.fault("timeout", count=2)

        await far.subscribed(2)
        await ready(connection)


async def test_a_broken_connection_is_opened_again(far: Far) -> None:
    taken = Taken()
    connection = a_connection(far.settings(), taken.take)
    async with held(connection):
        for number in range(3):
            await far.subscribed(number + 1)
            await ready(connection)
            await far.do("aibot/messages", userid="rm001", text=f"第{number}问")

            async def stored(count: int = number + 1) -> bool:
                return len(taken.bodies) == count

            await eventually(stored)
            await far.do("aibot/drop")


async def test_one_who_is_replaced_steps_down_and_does_not_come_back(far: Far) -> None:
    taken = Taken()
    connection = a_connection(far.settings(), taken.take)
    async with held(connection) as task:
        await ready(connection)
        await far.do("aibot/takeover")
        assert await asyncio.wait_for(task, 5) is Ending.REPLACED
    assert taken.bodies[0]["event"]["eventtype"] == "disconnected_event"


async def test_a_wrong_secret_is_not_tried_again_and_again_but_told(far: Far, db: Database) -> None:
    watch = AlertWatch(db, SystemClock())
    wrong = AiBotConnection(far.settings(secret=SecretStr("wrong")), Taken().take, watch=watch)
    assert await asyncio.wait_for(wrong.run(), 5) is Ending.REFUSED
    async with db.reading() as tx:
        (alert,) = await list_open_alerts(tx, limit=10)
    assert (alert.app, alert.errcode) == ("aibot", 853000)
    right = AiBotConnection(far.settings(), Taken().take, watch=watch)
    async with held(right):
        await ready(right)
        async with db.reading() as tx:
            assert await list_open_alerts(tx, limit=10) == []


async def test_nothing_goes_out_without_a_connection(far: Far) -> None:
    connection = a_connection(far.settings(), Taken().take)
    with pytest.raises(PlatformUnavailable) as error:
        await connection.request(Command.SEND, {}, "o1")
    assert not error.value.maybe_done


# -- what the sender hands over


@dataclass
class Sending:
    """A connection with a database, and messages on their way."""

    far: Far
    rig: Rig
    connection: AiBotConnection
    way: ConnectionWay

    async def ask(self, text: str = "利率多少") -> BotChat:
        """Let rm001 ask; return where the answer goes, once the question is stored and thinking is shown."""
        before = len(await self.far.said())
        msg_id = (await self.far.do("aibot/messages", userid="rm001", text=text))["msgid"]

        async def thinking() -> bool:
            return len(await self.far.said()) > before

        await eventually(thinking)
        return BotChat(None, "rm001", "", msg_id)

    async def answer(self, chat: BotChat, text: str, *, key: str = "o1", in_doubt: bool = False) -> str | None:
        """Hand an answer over; returns the platform's id of it."""
        message = BotMessage(text, None, key, in_doubt)
        receipt = await self.way.hand_over(chat, message, self.rig.clock.now())
        assert receipt is not None
        return receipt.msgid


@pytest.fixture
async def sending(far: Far, db: Database) -> AsyncIterator[Sending]:
    rig = Rig(db)
    connection = a_connection(far.settings(), rig.desk().take)
    async with held(connection):
        await ready(connection)
        yield Sending(far, rig, connection, ConnectionWay(db, connection))


async def test_an_answer_replaces_the_thinking_in_its_place(sending: Sending) -> None:
    chat = await sending.ask()
    assert await sending.far.said() == ["请稍候"]
    assert await sending.answer(chat, "三年期 1.9%") == stream_id_of(chat.msg_id)
    assert await sending.far.said() == ["三年期 1.9%"]


@pytest.mark.parametrize("kind", ["no_answer_but_done", "http_5xx", "timeout"])
async def test_an_answer_whose_outcome_is_unknown_is_said_again_and_seen_once(sending: Sending, kind: str) -> None:
    chat = await sending.ask()
    await sending.far.fault(kind)
    with pytest.raises(PlatformUnavailable) as error:
        await sending.answer(chat, "三年期 1.9%")
    assert error.value.maybe_done
    await ready(sending.connection)
    await sending.answer(chat, "三年期 1.9%", in_doubt=True)
    assert await sending.far.said() == ["三年期 1.9%"]
    sent = (await sending.far.http.get("/_sim/sent", params={"kind": "aibot"})).json()
    assert len(sent) == 1


async def test_a_second_answer_is_sent_unasked(sending: Sending) -> None:
    chat = await sending.ask()
    await sending.answer(chat, "第一句", key="o1")
    assert await sending.answer(chat, "第二句", key="o2") == "o2"
    assert await sending.far.said() == ["第一句", "第二句"]


async def test_what_was_sent_unasked_and_may_have_arrived_is_not_sent_again(sending: Sending) -> None:
    chat = await sending.ask()
    await sending.answer(chat, "第一句", key="o1")
    await sending.far.fault("no_answer_but_done")
    with pytest.raises(PlatformUnavailable):
        await sending.answer(chat, "第二句", key="o2")
    await ready(sending.connection)
    with pytest.raises(InDoubt):
        await sending.answer(chat, "第二句", key="o2", in_doubt=True)
    assert await sending.far.said() == ["第一句", "第二句"]


async def test_a_stream_past_its_time_is_left_for_an_unasked_message(sending: Sending) -> None:
    chat = await sending.ask()
    sending.rig.later(400)
    assert await sending.answer(chat, "三年期 1.9%", key="o1") == "o1"
    assert await sending.far.said() == ["请稍候", "三年期 1.9%"]


async def test_the_platform_may_close_a_stream_before_we_do(sending: Sending) -> None:
    chat = await sending.ask()
    await sending.far.fault("errcode", errcode=846608)
    assert await sending.answer(chat, "三年期 1.9%", key="o1") == "o1"
    other = await sending.ask("还有吗")
    await sending.far.fault("errcode", errcode=846605)
    with pytest.raises(InDoubt):
        await sending.answer(other, "没有了", key="o2", in_doubt=True)


async def test_we_slow_down_before_the_platform_has_to(sending: Sending) -> None:
    await sending.ask()
    chat = BotChat(None, "rm001", "")
    for number in range(30):
        await sending.answer(chat, f"第{number}句", key=f"o{number}")
    with pytest.raises(RateLimited) as error:
        await sending.answer(chat, "多了", key="o30")
    assert error.value.retry_after_seconds == 60
    sending.rig.later(60)
    with pytest.raises(RateLimited):
        await sending.answer(chat, "平台还没有忘记", key="o31")


async def test_a_welcome_goes_out_at_once(sending: Sending) -> None:
    await sending.far.do("aibot/enter", userid="rm002")

    async def welcomed() -> list[str]:
        return await sending.far.said("rm002")

    assert await eventually(welcomed) == ["欢迎"]


# -- frames


@pytest.mark.parametrize(
    "raw",
    ["", "[]", "1", '{"headers": 1}', '{"cmd": "x", "body": []}', '{"errcode": "0"}', '{"cmd": 7}', "[" * 100_000],
)
def test_a_broken_frame_is_refused(raw: str) -> None:
    with pytest.raises(CallbackMalformed):
        parse_frame(raw)


def test_values_of_an_answer_are_read_beside_the_code_and_in_a_body() -> None:
    beside = parse_frame('{"headers": {"req_id": "q"}, "errcode": 0, "errmsg": "ok", "upload_id": "u"}')
    inside = parse_frame('{"headers": {"req_id": "q"}, "errcode": 0, "errmsg": "ok", "body": {"upload_id": "u"}}')
    assert beside == inside
    assert (beside.command, beside.req_id, beside.body) == ("", "q", {"upload_id": "u"})


def test_a_frame_is_written_as_documented() -> None:
    frame = json.loads(dump_frame(Command.RESPOND, "q", {"msgtype": "stream"}))
    assert frame == {"cmd": "aibot_respond_msg", "headers": {"req_id": "q"}, "body": {"msgtype": "stream"}}


def test_pauses_grow_and_end() -> None:
    assert 0.5 <= pause_seconds(1) <= 1
    assert 15 <= pause_seconds(1000) <= 30


def test_each_reply_has_its_command() -> None:
    assert command_for({"msgtype": "text"}) is Command.WELCOME
    assert command_for({"msgtype": "stream"}) is Command.RESPOND
    assert command_for({"response_type": "update_template_card"}) is Command.UPDATE


# -- files


async def test_a_file_goes_up_in_chunks(sending: Sending) -> None:
    media_id = await upload_media(sending.connection, "file", "利率表.pdf", b"x" * (CHUNK_BYTES + 1))
    await sending.ask()
    body = {"chatid": "rm001", "msgtype": "file", "file": {"media_id": media_id}}
    await sending.connection.request(Command.SEND, body, "q")
    assert (await sending.far.said())[-1] == "[file] 利率表.pdf"


@pytest.mark.parametrize("size", [0, MOST_BYTES + 1])
async def test_a_file_the_platform_would_refuse_is_not_sent(far: Far, size: int) -> None:
    with pytest.raises(PlatformError):
        await upload_media(a_connection(far.settings(), Taken().take), "file", "a.pdf", bytes(size))


@given(st.text() | st.binary() | st.builds(json.dumps, st.recursive(st.none() | st.text(), st.lists)))
def test_no_frame_does_more_than_be_refused(raw: str | bytes) -> None:
    with contextlib.suppress(CallbackMalformed):
        parse_frame(raw)
