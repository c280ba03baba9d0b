"""The AI bot as the platform runs it (08): what people say to it, how its answers grow, cards, welcomes and judgements.

A callback goes by URL or over the long connection, as `aibot_mode` says. In callback mode a stream is asked about again
and again until its last word or for six minutes; over the connection its words are pushed. Both end up here.
"""

import asyncio
import base64
import json
import os
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from simulator import crypto
from simulator.aibot_rules import (
    PASSIVE_SECONDS,
    STREAM_SECONDS,
    StreamPart,
    read_card,
    read_msgtype,
    read_stream,
    read_update,
)
from simulator.api.aibot import card_line, keep_card, mark_feedback, show_answer
from simulator.api.cards import show_template_card
from simulator.api.params import need_object, need_text
from simulator.callbacks import DeliveryState
from simulator.chats import Line, post_line, say_as_bot, say_in_group
from simulator.clock import CHINA
from simulator.errors import ApiError
from simulator.platform import Platform
from simulator.state import BotAnswer, ChatKind, ChatMessage, Group, Json
from simulator.state_aibot import BotFile, BotTalk, FeedbackMark

ANSWER_LIFE = timedelta(hours=1)
AT_ONCE = 3
FILE_SECONDS = 300.0
UNFINISHED = "（六分钟内没有说完）"
LOOK_SECONDS = 0.02
# 846608: the stream is over its time; 846606: answered already
STREAM_OVER, ANSWERED = 846608, 846606


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody talks with the bot: a group, or alone."""

    kind: ChatKind
    key: str
    userid: str

    @property
    def fields(self) -> Json:
        """Return what every callback says about the place."""
        group = self.kind is ChatKind.GROUP
        about: Json = {"chattype": "group" if group else "single", "from": {"userid": self.userid}}
        return {"chatid": self.key, **about} if group else about


class TooManyError(Exception):
    """The person has three interactions running with the bot."""


def mention_bot(platform: Platform, group: Group, sender: str, text: str, base_url: str) -> str:
    """Post the callback of a mention in a group; return its msgid (08, 8.1)."""
    place = Place(ChatKind.GROUP, group.chat_id, sender)
    return ask(platform, place, {"msgtype": "text", "text": {"content": text}}, text, base_url)


def ask(platform: Platform, place: Place, content: Json, quoted: str, base_url: str) -> str:
    """Post a message to the bot; return its msgid.

    Raises:
        TooManyError: three of this person's are running.
    """
    if count_running(platform, place.userid) >= AT_ONCE:
        raise TooManyError
    return _call(platform, "message", place, content, quoted, base_url).msgid


def count_running(platform: Platform, userid: str) -> int:
    """Return how many streams of a person are not finished."""
    start = platform.clock.now() - STREAM_SECONDS
    talks = platform.world.bot_talks.rows.values()
    return sum(
        1 for talk in talks if talk.userid == userid and talk.stream_id and not talk.answered and talk.at > start
    )


def enter(platform: Platform, place: Place) -> str | None:
    """Let a person open the chat with the bot: an event at the first time of the day only (8.4)."""
    today = _china_day(platform.clock.now())
    for talk in platform.world.bot_talks.rows.values():
        if talk.cause == "enter" and talk.userid == place.userid and _china_day(talk.at) == today:
            return None
    event = {"eventtype": "enter_chat", "enter_chat": {}}
    return _call_event(platform, "enter", place, event).msgid


def press(platform: Platform, place: Place, task_id: str, key: str, base_url: str) -> str:
    """Let a person press a button of a card.

    Raises:
        LookupError: there is no such card, or it has no such button (any more).
    """
    card = platform.world.bot_cards.find(task_id)
    if card is None or (card.kind, card.key) != (place.kind, place.key):
        raise LookupError("no such card here")
    line = find_line(platform, card.kind, card.key, card.line)
    buttons = line.card["buttons"] if line is not None and line.card is not None else []
    label = next((button["text"] for button in buttons if button["key"] == key), None)
    if label is None:
        raise LookupError("the card has no such button (any more)")
    _note_press(platform, place, label)
    data = {"card_type": card.card["card_type"], "event_key": key, "task_id": task_id, "selected_items": {}}
    event = {"eventtype": "template_card_event", "template_card_event": data}
    return _call_event(platform, "card", place, event, task_id=task_id, base_url=base_url).msgid


def _note_press(platform: Platform, place: Place, label: str) -> None:
    kind = platform.world.kind_of(place.userid)
    post_line(platform, place.kind, place.key, place.userid, kind, Line(f"点击了「{label}」", "event"))


def judge(platform: Platform, place: Place, verdict: Json, feedback_id: str | None) -> str:
    """Let a person judge an answer, the newest one when none is named.

    Raises:
        LookupError: there is nothing to judge here.
    """
    mark = find_mark(platform, place, feedback_id)
    if mark is None:
        raise LookupError("no answer here can be judged")
    event = {"eventtype": "feedback_event", "feedback_event": {"id": mark.feedback_id, **verdict}}
    return _call_event(platform, "feedback", place, event).msgid


def find_mark(platform: Platform, place: Place, feedback_id: str | None) -> FeedbackMark | None:
    """Return the answer that is meant."""
    marks = [mark for mark in platform.world.bot_feedback_marks.rows.values() if mark.key == place.key]
    if feedback_id is not None:
        marks = [mark for mark in marks if mark.feedback_id == feedback_id]
    return max(marks, key=lambda mark: mark.line, default=None)


def _call_event(
    platform: Platform, cause: str, place: Place, event: Json, task_id: str = "", base_url: str = ""
) -> BotTalk:
    content = {"create_time": platform.clock.seconds(), "msgtype": "event", "event": event}
    return _call(platform, cause, place, content, "", base_url, task_id)


def _call(
    platform: Platform, cause: str, place: Place, content: Json, quoted: str, base_url: str, task_id: str = ""
) -> BotTalk:
    """Post one callback, by URL or over the connection."""
    msgid = platform.new_id()
    talk = BotTalk(msgid, cause, place.kind, place.key, place.userid, platform.clock.now(), task_id=task_id)
    body: Json = {"msgid": msgid, "aibotid": platform.config.aibot_id, **place.fields}
    by_url = platform.config.aibot_mode == "webhook"
    if base_url and by_url:
        body["response_url"] = _new_answer(platform, place, quoted, base_url)
    body |= content
    if by_url:
        about = {"cause": cause, "msgid": msgid}
        platform.callbacks.send_json("aibot", platform.config.aibot_callback, body, subject=about)
    else:
        talk.req_id = platform.new_id("req_")
        push(platform, "aibot_event_callback" if "event" in body else "aibot_msg_callback", talk.req_id, body)
    platform.world.bot_talks.put(talk)
    return talk


def _new_answer(platform: Platform, place: Place, quoted: str, base_url: str) -> str:
    code = platform.new_id()
    expires_at = platform.clock.now() + ANSWER_LIFE.total_seconds()
    platform.world.bot_answers.put(BotAnswer(code, place.key, place.userid, quoted, expires_at, kind=place.kind))
    base = platform.config.public_base_url or base_url
    return f"{base.rstrip('/')}/cgi-bin/aibot/response?response_code={code}"


def push(platform: Platform, command: str, req_id: str, body: Json) -> None:
    """Send a callback frame over the live connection; without one it is lost, as nobody sends it again."""
    link = platform.aibot.link
    plan = platform.faults.draw_callback("aibot")
    if link is None or plan.lost:
        return
    frame = json.dumps({"cmd": command, "headers": {"req_id": req_id}, "body": body}, ensure_ascii=False)

    async def send() -> None:
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        for _ in range(2 if plan.duplicate else 1):
            await link.send(frame)

    platform.aibot.start(send())


# what the bot answers


def take_reply(platform: Platform, subject: dict[str, str], body: Json) -> None:
    """Apply an answer given directly to a callback.

    Raises:
        ApiError: the platform would not accept it; the reason says why.
    """
    cause = subject["cause"]
    talk = platform.world.bot_talks.rows[subject["msgid"]]
    if cause in {"message", "refresh"}:
        fresh = not talk.stream_id
        answer_message(platform, talk, body, cause)
        if fresh and talk.stream_id and not talk.answered:
            platform.aibot.start(_ask_until_finished(platform, talk))
    elif cause == "enter":
        answer_entry(platform, talk, body)
    elif cause == "card":
        answer_press(platform, talk, body)
    else:
        raise ApiError(40058, "this callback takes an empty answer only")


def answer_message(platform: Platform, talk: BotTalk, body: Json, cause: str = "message") -> None:
    """Let the bot answer a message, or go on answering it."""
    msgtype = read_msgtype(body, cause)
    if talk.answered:
        raise ApiError(ANSWERED)
    if msgtype == "template_card":
        card = read_card(body)
        show_answer(platform, talk.kind, talk.key, card_line(card), body)
        talk.answered = True
    else:
        part = read_stream(body, talk.stream_id)
        if platform.clock.now() - talk.at > STREAM_SECONDS:
            raise ApiError(STREAM_OVER, "six minutes have passed since the message")
        card_part = read_card(body) if msgtype == "stream_with_template_card" else None
        if card_part is not None and talk.card_shown:
            raise ApiError(40058, "the card of a stream may be sent once")
        _grow(platform, talk, part)
        if card_part is not None:
            shown = say_as_bot(platform, talk.kind, talk.key, card_line(card_part))
            keep_card(platform, card_part, talk.kind, talk.key, shown)
            talk.card_shown = True
        if part.finish:
            talk.answered = True
            line = find_line(platform, talk.kind, talk.key, talk.line)
            platform.record_sent("aibot", [talk.key], body, line.id if line is not None else "")
    platform.world.bot_talks.put(talk)


def _grow(platform: Platform, talk: BotTalk, part: StreamPart) -> None:
    """Show the whole text so far in the place of what stood there."""
    talk.stream_id = part.id
    line = find_line(platform, talk.kind, talk.key, talk.line) if talk.line else None
    note = f"［图片×{part.images}］" if part.images else ""
    if line is None:
        line = say_as_bot(platform, talk.kind, talk.key, Line(part.content, "markdown", note=note))
        talk.line = line.seq
    elif (line.text, line.note) != (part.content, note):
        line.text, line.note = part.content, note
        platform.world.change_line(line)
    mark_feedback(platform, part.feedback_id, talk.kind, talk.key, line)


def answer_entry(platform: Platform, talk: BotTalk, body: Json) -> None:
    """Let the bot welcome a person, within 5 s and once."""
    msgtype = read_msgtype(body, "enter")
    _check_prompt(platform, talk)
    words = Line(need_text(need_object(body, "text"), "content")) if msgtype == "text" else None
    show_answer(platform, talk.kind, talk.key, words or card_line(read_card(body)), body)
    _close(platform, talk)


def answer_press(platform: Platform, talk: BotTalk, body: Json) -> None:
    """Let the bot change a pressed card, within 5 s and once."""
    card, _ = read_update(body, talk.task_id, talk.kind is ChatKind.GROUP)
    _check_prompt(platform, talk)
    kept = platform.world.bot_cards.rows[talk.task_id]
    line = find_line(platform, kept.kind, kept.key, kept.line)
    if line is not None:
        view = show_template_card(card)
        if card.get("replace_text"):
            view = {**view, "buttons": []}
        line.card, line.text, line.note = view, view["title"], str(card.get("replace_text", ""))
        platform.world.change_line(line)
    platform.world.bot_cards.put(replace(kept, card=card))
    platform.record_sent("aibot", [talk.key], body, talk.msgid)
    _close(platform, talk)


def _check_prompt(platform: Platform, talk: BotTalk) -> None:
    if talk.answered:
        raise ApiError(ANSWERED)
    if platform.clock.now() - talk.at > PASSIVE_SECONDS:
        raise ApiError(846604, "more than 5 s have passed")


def _close(platform: Platform, talk: BotTalk) -> None:
    talk.answered = True
    platform.world.bot_talks.put(talk)


async def _ask_until_finished(platform: Platform, talk: BotTalk) -> None:
    """Ask how a stream stands, again and again, until its last word or for six minutes (8.2)."""
    place = Place(talk.kind, talk.key, talk.userid)
    while not talk.answered:
        await asyncio.sleep(max(LOOK_SECONDS, platform.clock.to_real_seconds(platform.config.aibot_refresh_seconds)))
        if _is_answered(talk):
            return
        if platform.clock.now() - talk.at > STREAM_SECONDS:
            _give_up(platform, talk)
            return
        body: Json = {"msgid": platform.new_id(), "aibotid": platform.config.aibot_id, **place.fields}
        body |= {"msgtype": "stream", "stream": {"id": talk.stream_id}}
        about = {"cause": "refresh", "msgid": talk.msgid}
        delivery = platform.callbacks.send_json("aibot", platform.config.aibot_callback, body, subject=about)
        while delivery.state is DeliveryState.PENDING:  # noqa: ASYNC110  the log of callbacks tells nobody
            await asyncio.sleep(LOOK_SECONDS)


def _is_answered(talk: BotTalk) -> bool:
    """Look anew: the answer may have come while this waited."""
    return talk.answered


def _give_up(platform: Platform, talk: BotTalk) -> None:
    line = find_line(platform, talk.kind, talk.key, talk.line)
    if line is not None:
        line.note = UNFINISHED
        platform.world.change_line(line)
    _close(platform, talk)
    platform.journal.flush()


def find_line(platform: Platform, kind: ChatKind, key: str, seq: int) -> ChatMessage | None:
    """Return a line of a conversation."""
    return next((line for line in reversed(platform.world.list_talk(kind, key)) if line.seq == seq), None)


def _china_day(at: float) -> date:
    return datetime.fromtimestamp(at, CHINA).date()


# files


def keep_file(platform: Platform, content: bytes) -> tuple[str, str]:
    """Keep a file somebody sends to the bot; return (id, its own aeskey on the long connection or "") (8.1, 8.5)."""
    own_key = platform.config.aibot_mode == "websocket"
    key = base64.b64encode(os.urandom(32)).decode().rstrip("=") if own_key else platform.config.aibot_callback.aes_key
    file_id = platform.new_id()
    sealed = crypto.encrypt_media(content, key)
    kept = BotFile(file_id, base64.b64encode(sealed).decode(), platform.clock.now(), key if own_key else "")
    platform.world.bot_files.put(kept)
    return file_id, kept.aes_key


def show_in_chat(platform: Platform, place: Place, text: str) -> None:
    """Show what a person said to the bot in the conversation they said it in."""
    group = platform.world.groups.find(place.key) if place.kind is ChatKind.GROUP else None
    if group is not None:
        say_in_group(platform, group, place.userid, text)
    else:
        kind = platform.world.kind_of(place.userid)
        post_line(platform, place.kind, place.key, place.userid, kind, Line(text))
