"""The AI bot by callback: streams that grow, what is refused and why, cards, welcomes, judgements."""

import asyncio
import base64
import hashlib
from typing import Any

import pytest

from simulator import crypto
from simulator.aibot_rules import read_msgtype, read_stream, read_update
from simulator.errors import ApiError
from tests.simulator.aibot_bench import Bench, Json, a_card, open_bench, stream


class Growing:
    """Says one word more at each question."""

    def __init__(self, *words: str, card: Json | None = None) -> None:
        self.words = list(words)
        self.card = card
        self.told = 0

    def __call__(self, body: Json) -> Json | None:
        if body["msgtype"] == "event":
            return None
        self.told = min(self.told + 1, len(self.words))
        last = self.told == len(self.words)
        reply = stream(body, "".join(self.words[: self.told]), finish=last, feedback={"id": "f1"})
        if last and self.card is not None:
            reply |= {"msgtype": "stream_with_template_card", "template_card": self.card}
        return reply


async def finished(bench: Bench, userid: str = "rm001") -> None:
    """Wait until no answer to the person is running."""
    async with asyncio.timeout(5):
        while (await bench.client.get("/_sim/aibot", params={"userid": userid})).json()["running"]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_stream_is_asked_about_until_it_is_finished_and_grows_in_its_place() -> None:
    async with open_bench(Growing("正在查询", "：三年期", " 1.9%")) as bench:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        await finished(bench)
        assert await bench.said() == ["正在查询：三年期 1.9%"]
        assert [row["stream"]["id"] for row in bench.bot.refreshes()] == ["s1", "s1"]
        first = bench.bot.received[0]
        assert (first["chattype"], first["from"], first["text"]) == (
            "single",
            {"userid": "rm001"},
            {"content": "利率多少"},
        )
        assert "chatid" not in first
        sent = (await bench.client.get("/_sim/sent", params={"kind": "aibot"})).json()
        assert len(sent) == 1, "one answer, however often it grew"


async def test_in_a_group_the_bot_is_mentioned_and_must_be_admitted() -> None:
    async with open_bench(Growing("三年期 1.9%")) as bench:
        group = next(iter(bench.platform.world.groups.rows))
        await bench.do("aibot/messages", 409, userid="rm001", chat_id=group, text="利率多少")
        await bench.do(f"groups/{group}/aibot", admitted=True)
        await bench.do("aibot/messages", userid="rm001", chat_id=group, text="利率多少")
        assert bench.bot.received[0]["text"]["content"] == "@客户经理助手 利率多少"
        assert bench.bot.received[0]["chatid"] == group
        assert await bench.said("group", group) == ["三年期 1.9%"]
        await bench.do("aibot/messages", 409, userid="rm001", chat_id=group, msgtype="file", file_base64="")


async def test_after_six_minutes_nobody_asks_any_more() -> None:
    async with open_bench(lambda body: stream(body, "还在查")) as bench:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        bench.clock.advance(361)
        async with asyncio.timeout(5):
            while not any("六分钟" in line["note"] for line in await bench.lines()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        asked = len(bench.bot.refreshes())
        await asyncio.sleep(0.1)
        assert len(bench.bot.refreshes()) == asked


async def test_a_fourth_question_at_once_is_refused() -> None:
    async with open_bench(lambda body: stream(body, "还在查", id=body["msgid"])) as bench:
        for _ in range(3):
            await bench.do("aibot/messages", userid="rm001", text="利率多少")
        await bench.do("aibot/messages", 409, userid="rm001", text="利率多少")
        await bench.do("aibot/messages", userid="rm002", text="利率多少")


async def test_an_answer_beyond_the_limits_is_refused_and_the_log_says_why() -> None:
    async with open_bench(lambda body: stream(body, "字" * 6827)) as bench:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        assert await bench.said() == []
        assert await bench.errors() == ["passive reply refused: 45002 stream.content is longer than 20480 bytes"]


async def test_a_card_comes_once_with_the_stream_and_can_be_pressed() -> None:
    growing = Growing("正在查询", "，请选择", card=a_card())
    async with open_bench(growing) as bench:
        await bench.do("aibot/messages", userid="rm001", text="存单")
        await finished(bench)
        bench.bot.answer = lambda body: {
            "response_type": "update_template_card",
            "template_card": a_card(replace_text="已选择"),
        }
        await bench.do("aibot/clicks", userid="rm001", task_id="t1", key="a")
        event = bench.bot.received[-1]["event"]
        assert event["template_card_event"]["event_key"] == "a"
        (card,) = [line for line in await bench.lines() if line["card"]]
        assert (card["card"]["buttons"], card["note"]) == ([], "已选择")
        await bench.do("aibot/clicks", 409, userid="rm001", task_id="t1", key="a")


async def test_an_update_of_another_card_is_refused() -> None:
    async with open_bench(Growing("请选择", card=a_card())) as bench:
        await bench.do("aibot/messages", userid="rm001", text="存单")
        bench.bot.answer = lambda body: {"response_type": "update_template_card", "template_card": a_card("t2")}
        await bench.do("aibot/clicks", userid="rm001", task_id="t1", key="a")
        assert "42014" in (await bench.errors())[0]


async def test_entering_is_told_at_the_first_time_of_the_day_and_welcomed() -> None:
    async with open_bench(lambda body: {"msgtype": "text", "text": {"content": "欢迎"}}) as bench:
        assert (await bench.do("aibot/enter", userid="rm001"))["msgid"]
        assert (await bench.do("aibot/enter", userid="rm001"))["msgid"] is None
        assert await bench.said() == ["欢迎"]
        assert bench.bot.received[0]["event"] == {"eventtype": "enter_chat", "enter_chat": {}}
        bench.clock.advance(86_400)
        assert (await bench.do("aibot/enter", userid="rm001"))["msgid"]


async def test_an_answer_can_be_judged_and_gets_no_words_back() -> None:
    async with open_bench(Growing("三年期 1.9%")) as bench:
        await bench.do("aibot/feedback", 409, userid="rm001", type=1)
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        bench.bot.answer = lambda body: {"msgtype": "text", "text": {"content": "谢谢"}}
        await bench.do("aibot/feedback", userid="rm001", type=2, content="不对", reasons=[1, 4])
        event = bench.bot.received[-1]["event"]["feedback_event"]
        assert event == {"id": "f1", "type": 2, "content": "不对", "inaccurate_reason_list": [1, 4]}
        assert "empty answer" in (await bench.errors())[0]


async def test_an_immediate_ack_leaves_the_response_url() -> None:
    async with open_bench() as bench:
        await bench.do("aibot/messages", userid="rm001", text="利率多少")
        url = bench.bot.received[0]["response_url"]
        body = {"msgtype": "markdown", "markdown": {"content": "三年期 1.9%", "feedback": {"id": "f9"}}}
        codes = [(await bench.client.post(url, json=body)).json()["errcode"] for _ in range(2)]
        assert (codes, await bench.said()) == ([0, 846606], ["三年期 1.9%"])
        await bench.do("aibot/feedback", userid="rm001", type=1)
        assert bench.bot.received[-1]["event"]["feedback_event"] == {"id": "f9", "type": 1}


@pytest.mark.parametrize(
    ("msgtype", "member"), [("voice", "voice"), ("image", "image"), ("file", "file"), ("video", "video")]
)
async def test_other_messages_come_in_a_chat_of_two(msgtype: str, member: str) -> None:
    async with open_bench() as bench:
        content = "测试附件".encode()
        asked: dict[str, Any] = (
            {"text": "零存整取"} if msgtype == "voice" else {"file_base64": base64.b64encode(content).decode()}
        )
        await bench.do("aibot/messages", userid="rm001", msgtype=msgtype, quote="昨天的问题", **asked)
        (got,) = bench.bot.received
        assert got["quote"] == {"msgtype": "text", "text": {"content": "昨天的问题"}}
        if msgtype == "voice":
            assert got["voice"] == {"content": "零存整取"}
            return
        sealed = (await bench.client.get(got[member]["url"])).content
        assert crypto.decrypt_media(sealed, bench.platform.config.aibot_callback.aes_key) == content
        bench.clock.advance(301)
        assert (await bench.client.get(got[member]["url"])).status_code == 404


PNG = b"\x89PNG not really"
GOOD_IMAGE = {
    "msgtype": "image",
    "image": {"base64": base64.b64encode(PNG).decode(), "md5": hashlib.md5(PNG, usedforsecurity=False).hexdigest()},
}


@pytest.mark.parametrize(
    ("changes", "errcode"),
    [
        ({"id": ""}, 40063),
        ({"id": "other"}, 40058),
        ({"finish": "yes"}, 40058),
        ({"feedback": {"id": "x" * 257}}, 40058),
        ({"msg_item": [GOOD_IMAGE]}, 40058),
        ({"finish": True, "msg_item": [GOOD_IMAGE] * 11}, 40058),
        ({"finish": True, "msg_item": [{"msgtype": "text"}]}, 846697),
        ({"finish": True, "msg_item": [{"msgtype": "image", "image": {"base64": "YQ==", "md5": "0" * 32}}]}, 40058),
        ({"finish": True, "msg_item": [{"msgtype": "image", "image": {"base64": "%", "md5": "0"}}]}, 40058),
    ],
)
def test_a_wrong_stream_is_refused(changes: Json, errcode: int) -> None:
    good: Json = {"id": "s1", "finish": False, "content": "字"}
    assert read_stream({"stream": {**good, "finish": True, "msg_item": [GOOD_IMAGE]}}, "s1").images == 1
    with pytest.raises(ApiError) as refused:
        read_stream({"stream": good | changes}, "s1")
    assert refused.value.errcode == errcode


@pytest.mark.parametrize(
    ("cause", "msgtype"), [("message", "text"), ("refresh", "template_card"), ("enter", "stream"), ("feedback", "text")]
)
def test_an_answer_of_the_wrong_type_is_refused(cause: str, msgtype: str) -> None:
    with pytest.raises(ApiError):
        read_msgtype({"msgtype": msgtype}, cause)


def test_userids_of_an_update_are_for_groups() -> None:
    body: Json = {"response_type": "update_template_card", "userids": ["rm001"], "template_card": a_card()}
    assert read_update(body, "t1", True)[1] == ["rm001"]
    with pytest.raises(ApiError):
        read_update(body, "t1", False)
    with pytest.raises(ApiError):
        read_update({**body, "response_type": "other"}, "t1", True)
