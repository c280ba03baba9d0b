"""What the platform is told at once, and what is stored first."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select

from bot.aibot import desk as desk_module
from bot.aibot.feedback import do_keep_feedback, list_feedback
from bot.aibot.states import TRANSITIONS, StreamState, can_move
from bot.aibot.streams import LIFE, stream_id_of
from bot.doors.readers import read_aibot
from bot.errors import CallbackMalformed
from bot.events import BotFeedback, FeedbackKind
from bot.outbox.models import OutboxRow
from bot.storage.database import Database, Tx
from bot.wecom.fields import parse_json
from tests.bot.aibot.rig import FORBIDDEN, Rig, a_message, a_refresh, an_event

CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "选哪一个"},
    "task_id": "choice-1",
    "button_list": [{"text": "大额存单", "key": "script:S-1"}],
}


@pytest.fixture
def rig(db: Database) -> Rig:
    return Rig(db)


async def told(rig: Rig, body: bytes) -> dict[str, Any]:
    """Return the stream that another node tells of."""
    reply = await rig.desk().take(body)
    assert reply is not None
    return dict(reply["stream"])


async def test_a_message_is_stored_and_answered_that_we_think(rig: Rig) -> None:
    reply = await rig.desk().take(a_message(msg_id="m"))
    assert reply == {
        "msgtype": "stream",
        "stream": {
            "id": stream_id_of("m"),
            "finish": False,
            "content": "请稍候",
            "feedback": {"id": stream_id_of("m")},
        },
    }
    assert await rig.inbox() == ["BotMention"]


async def test_a_copy_of_a_message_is_told_the_same_stream_and_stored_once(rig: Rig) -> None:
    first = await rig.desk().take(a_message(msg_id="m"))
    assert await rig.desk().take(a_message(msg_id="m")) == first
    assert await rig.inbox() == ["BotMention"]


async def test_a_refresh_is_answered_by_any_node_and_never_stored(rig: Rig) -> None:
    first = await told(rig, a_message(msg_id="m"))
    assert await told(rig, a_refresh(first["id"])) == first
    await rig.answer("m", "三年期 1.9%")
    again = a_refresh(first["id"], "same")
    fetched = await told(rig, again)
    assert (fetched["finish"], fetched["content"]) == (True, "三年期 1.9%")
    assert await told(rig, again) == fetched, "a retry of the same refresh gets the same"
    assert (await rig.stream("m")).state is StreamState.FETCHED
    assert await rig.inbox() == ["BotMention"]


async def test_a_copy_that_comes_after_the_answer_is_told_the_answer(rig: Rig) -> None:
    await rig.desk().take(a_message(msg_id="m"))
    await rig.answer("m", "三年期 1.9%")
    assert (await told(rig, a_message(msg_id="m")))["finish"] is True


async def test_the_card_comes_with_the_last_word(rig: Rig) -> None:
    first = await told(rig, a_message(msg_id="m"))
    await rig.answer("m", "选哪一个", card=CARD)
    reply = await rig.desk().take(a_refresh(first["id"]))
    assert reply is not None
    assert (reply["msgtype"], reply["template_card"]) == ("stream_with_template_card", CARD)


async def test_the_same_answer_twice_is_one_and_another_one_goes_elsewhere(rig: Rig) -> None:
    await rig.desk().take(a_message(msg_id="m"))
    assert await rig.answer("m", "第一句", key="o1")
    assert await rig.answer("m", "第一句", key="o1"), "an answer in doubt is handed over again"
    assert not await rig.answer("m", "第二句", key="o2")
    assert (await rig.stream("m")).content == "第一句"


async def test_a_message_without_stream_leaves_the_answer_to_the_response_url(rig: Rig) -> None:
    assert not await rig.answer("unknown", "三年期 1.9%")


async def test_shortly_before_the_deadline_an_honest_line_ends_the_stream(rig: Rig) -> None:
    first = await told(rig, a_message(msg_id="m"))
    rig.later(LIFE.total_seconds() - 16)
    assert (await told(rig, a_refresh(first["id"])))["finish"] is False
    rig.later(2)
    last = await told(rig, a_refresh(first["id"]))
    assert (last["finish"], last["content"]) == (True, "稍后发到这里")
    assert not await rig.answer("m", "三年期 1.9%"), "the answer goes through the response_url now"
    assert await rig.outbox() == [("sent", "稍后发到这里")]
    assert rig.compliance.recorded == ["稍后发到这里"]


async def test_words_the_gate_holds_back_are_left_out_and_the_message_is_stored(rig: Rig) -> None:
    assert await rig.desk(thinking=f"{FORBIDDEN}查询中").take(a_message()) is None
    assert await rig.desk(welcome=f"{FORBIDDEN}您好").take(an_event("enter_chat")) is None
    assert await rig.inbox() == ["BotMention", "BotEntered"]
    assert await rig.outbox() == [("blocked", f"{FORBIDDEN}您好")]


async def test_one_who_enters_is_welcomed_and_the_welcome_is_kept(rig: Rig) -> None:
    expected = {"msgtype": "text", "text": {"content": "欢迎"}}
    assert await rig.desk().take(an_event("enter_chat", msg_id="e")) == expected
    assert await rig.desk().take(an_event("enter_chat", msg_id="e")) == expected, "a copy hears the same"
    assert await rig.outbox() == [("sent", "欢迎")]
    assert rig.compliance.recorded == ["欢迎"]


async def test_a_pressed_card_shows_what_was_chosen(rig: Rig) -> None:
    await rig.desk().take(a_message(msg_id="m"))
    await rig.answer("m", "选哪一个", card=CARD)
    click = {"card_type": "button_interaction", "event_key": "script:S-1", "task_id": "choice-1"}
    reply = await rig.desk().take(an_event("template_card_event", click))
    assert reply == {
        "response_type": "update_template_card",
        "template_card": {**CARD, "replace_text": "已选择：大额存单"},
    }
    in_group = await rig.desk().take(an_event("template_card_event", click, chatid="wr1", chattype="group"))
    assert in_group is not None
    assert in_group["userids"] == ["rm001"]
    unknown = an_event("template_card_event", {**click, "task_id": "other"})
    assert await rig.desk().take(unknown) is None


async def test_feedback_is_stored_and_finds_its_answer(rig: Rig) -> None:
    body = an_event(
        "feedback_event", {"id": "s-of-answer", "type": 2, "content": "不对", "inaccurate_reason_list": [1, 3]}
    )
    assert await rig.desk().take(body) is None
    event = read_aibot(parse_json(body))
    assert isinstance(event, BotFeedback)
    async with rig.db.transaction() as tx:
        answer = await _an_answer(tx, "s-of-answer")
        for _ in range(2):
            assert await do_keep_feedback(tx, event, rig.clock.now(), cause=1) == answer
        (kept,) = await list_feedback(tx, 10, outbox_id=answer)
    assert (kept.kind, kept.content, kept.reasons) == (FeedbackKind.INACCURATE, "不对", [1, 3])


async def _an_answer(tx: Tx, feedback_id: str) -> int:
    from bot.context import BotChat, Markdown, Reply
    from bot.outbox.store import enqueue_reply
    from tests.bot.aibot.rig import NOW, WordCompliance

    reply = Reply(BotChat(None, "rm001", ""), Markdown("三年期"), "test")
    row = await enqueue_reply(tx, reply, WordCompliance(), NOW)
    row.platform_msgid = feedback_id
    await tx.flush()
    found = (await tx.exec(select(OutboxRow.id))).one()
    assert found is not None
    return found


async def test_a_message_without_id_is_stored_without_a_stream(rig: Rig) -> None:
    body = b'{"msgtype": "text", "text": {"content": "?"}, "from": {"userid": "rm001"}}'
    assert await rig.desk().take(body) is None
    assert await rig.inbox() == ["BotMention"]


async def test_what_is_no_message_at_all_is_refused(rig: Rig) -> None:
    with pytest.raises(CallbackMalformed):
        await rig.desk().take(b"[]")


async def test_an_unknown_stream_is_told_nothing(rig: Rig) -> None:
    assert await rig.desk().take(a_refresh("nobody's")) is None


async def test_a_slow_database_does_not_delay_the_answer_to_a_refresh(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = rig.desk()
    first = await desk.take(a_message(msg_id="m"))
    assert first is not None
    monkeypatch.setattr(desk_module, "PATIENCE_SECONDS", 0.05)

    class Slow:
        """A transaction that does not begin in time."""

        async def __aenter__(self) -> None:
            await asyncio.sleep(30)

        async def __aexit__(self, *_: object) -> None: ...

    monkeypatch.setattr(rig.db, "reading", Slow)
    reply = await desk.take(a_refresh(stream_id_of("m")))
    assert reply == {
        "msgtype": "stream",
        "stream": {"id": stream_id_of("m"), "finish": False, "content": "请稍候"},
    }


async def test_a_slow_gate_costs_the_courtesy_and_never_the_event(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "COURTESY_SECONDS", 0.05)
    monkeypatch.setattr(desk_module, "PATIENCE_SECONDS", 0.05)

    async def slow(*_: object) -> None:
        await asyncio.sleep(30)

    monkeypatch.setattr(rig.compliance, "check", slow)
    assert await rig.desk().take(a_message(msg_id="m")) is None
    assert await rig.desk().take(an_event("enter_chat")) is None
    assert await rig.inbox() == ["BotMention", "BotEntered"]
    assert not await rig.answer("m", "三年期 1.9%"), "the answer goes through the response_url"


@pytest.mark.parametrize("old", StreamState)
def test_a_stream_never_leaves_its_last_states(old: StreamState) -> None:
    assert set(TRANSITIONS) == set(StreamState)
    final = {StreamState.FETCHED, StreamState.TIMED_OUT, StreamState.SAID_BY_URL, StreamState.LOST}
    assert any(can_move(old, new) for new in StreamState) == (old not in final)
