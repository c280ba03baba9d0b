"""What the bot says, in the platform's form, and the response_url."""

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from bot.context import BotChat, Button, Card, Content, Markdown, Text
from bot.errors import PlatformError, PlatformUnavailable, RecipientUnavailable
from bot.texts import load_texts
from bot.wecom.bot_message import BotMessage
from bot.wecom.parcel import Parcel, Receipt
from bot.wecom.send_aibot import bot_message, send_to_bot

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CHAT = BotChat(None, "rm001", "https://example.com/r", "m1")


def a_parcel(content: Content, *, in_doubt: bool = False) -> Parcel:
    return Parcel(address=CHAT, content=content, key="o1", in_doubt=in_doubt, attempted_at=NOW)


def answering(*answers: httpx.Response | Exception) -> tuple[httpx.AsyncClient, list[Any]]:
    """Return a client whose platform answers so, and what it was asked."""
    asked: list[Any] = []
    plan = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        step = plan.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return httpx.AsyncClient(transport=httpx.MockTransport(answer)), asked


OK = {"errcode": 0, "errmsg": "ok"}


class Way:
    """A way that takes everything, or nothing."""

    def __init__(self, *, is_open: bool) -> None:
        self.is_open = is_open

    async def hand_over(self, chat: BotChat, message: BotMessage, now: datetime) -> Receipt | None:
        """Take the message, if open."""
        return Receipt("stream-1", {}) if self.is_open else None


@pytest.mark.parametrize("is_open", [True, False])
async def test_the_response_url_is_left_alone_while_another_way_is_open(is_open: bool) -> None:
    http, asked = answering(httpx.Response(200, json=OK))
    receipt = await send_to_bot(http, Way(is_open=is_open), CHAT, a_parcel(Markdown("三年期 1.9%")), NOW)
    assert (receipt.msgid, len(asked)) == (("stream-1", 0) if is_open else ("o1", 1))
    await http.aclose()


def test_words_are_markdown_that_can_be_judged() -> None:
    body = bot_message(a_parcel(Text("三年期"))).body("f1")
    assert body == {"msgtype": "markdown", "markdown": {"content": "三年期", "feedback": {"id": "f1"}}}


def test_a_card_is_a_card_where_something_can_be_pressed_or_opened() -> None:
    buttons = Card("选哪一个", buttons=(Button("1", "script:S-1"),), task_id="t1")
    card = bot_message(a_parcel(buttons)).body()["template_card"]
    assert (card["card_type"], card["task_id"]) == ("button_interaction", "t1")
    link = bot_message(a_parcel(Card("公告", url="https://example.com"))).body()["template_card"]
    assert link["card_type"] == "text_notice"
    plain = bot_message(a_parcel(Card("公告", description="三年期 1.9%"))).body()
    assert plain["markdown"]["content"] == "公告\n三年期 1.9%"


def test_what_is_too_long_is_refused_before_it_goes_out() -> None:
    bot_message(a_parcel(Text("字" * 6826)))
    with pytest.raises(PlatformError):
        bot_message(a_parcel(Text("字" * 6827)))


async def test_a_message_without_an_address_cannot_be_answered() -> None:
    http, asked = answering()
    with pytest.raises(RecipientUnavailable):
        await send_to_bot(http, None, BotChat(None, "rm001", ""), a_parcel(Text("三年期")), NOW)
    assert asked == []
    await http.aclose()


@pytest.mark.parametrize(
    ("failure", "maybe_done"), [(httpx.ConnectError("no"), False), (httpx.ReadTimeout("late"), True)]
)
async def test_a_lost_answer_is_in_doubt_and_a_refused_connection_is_not(failure: Exception, maybe_done: bool) -> None:
    http, _ = answering(failure)
    with pytest.raises(PlatformUnavailable) as error:
        await send_to_bot(http, None, CHAT, a_parcel(Text("三年期")), NOW)
    assert error.value.maybe_done is maybe_done
    await http.aclose()


@pytest.mark.parametrize("in_doubt", [True, False])
async def test_a_used_address_means_after_a_doubt_that_it_had_arrived(in_doubt: bool) -> None:
    http, _ = answering(httpx.Response(200, json={"errcode": 846606, "errmsg": "answered"}))
    parcel = a_parcel(Text("三年期"), in_doubt=in_doubt)
    if in_doubt:
        assert (await send_to_bot(http, None, CHAT, parcel, NOW)).msgid == "o1"
    else:
        with pytest.raises(RecipientUnavailable):
            await send_to_bot(http, None, CHAT, parcel, NOW)
    await http.aclose()


def test_the_bot_speaks_both_languages() -> None:
    assert load_texts("bot.aibot", "zh").keys() == load_texts("bot.aibot", "en").keys()
