"""The AI bot's response_url (08, 8.3): one answer within an hour of the callback, without an access token."""

from simulator.api.cards import check_template_card, show_template_card
from simulator.api.endpoint import NO_TOKEN, Answer, Endpoint, ok
from simulator.api.params import check_bytes, need_object, need_text, read_text
from simulator.chats import Line, say_as_bot
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import BotAnswer, ChatKind, ChatMessage, Json
from simulator.state_aibot import BotCard, FeedbackMark

MARKDOWN_BYTES = 20480
FEEDBACK_ID_BYTES = 256
QUOTED_CHARS = 30


def respond(platform: Platform, call: ApiCall) -> Answer:
    """Answer a message with markdown or a card, which in a group quotes the message that asked."""
    answer = _find_answer(platform, call.params.get("response_code", ""))
    quoted = f"回复「{answer.quoted[:QUOTED_CHARS]}」" if answer.kind is ChatKind.GROUP else ""
    line = read_bot_line(call.body, quoted)
    answer.used = True
    platform.world.bot_answers.put(answer)
    show_answer(platform, answer.kind, answer.chat_id, line, call.body)
    return ok()


def _find_answer(platform: Platform, code: str) -> BotAnswer:
    answer = platform.world.bot_answers.find(code)
    if answer is None:
        raise ApiError(846605)
    if answer.used:
        raise ApiError(846606)
    if answer.expires_at <= platform.clock.now():
        raise ApiError(846604)
    return answer


def read_bot_line(body: Json, note: str) -> Line:
    """Return what a bot's answer shows: markdown or a template card."""
    msgtype = need_text(body, "msgtype")
    if msgtype == "markdown":
        markdown = need_object(body, "markdown")
        check_bytes(_feedback_id(body), FEEDBACK_ID_BYTES, "feedback.id", 40058)
        content = need_text(markdown, "content")
        return Line(check_bytes(content, MARKDOWN_BYTES, "markdown.content"), "markdown", note=note)
    if msgtype == "template_card":
        card = need_object(body, "template_card")
        check_template_card(card)
        return card_line(card, note)
    raise ApiError(40008)


def card_line(card: Json, note: str = "") -> Line:
    """Return the line that shows a card."""
    view = show_template_card(card)
    return Line(view["title"], "card", view, note)


def show_answer(platform: Platform, kind: ChatKind, key: str, line: Line, body: Json) -> ChatMessage:
    """Show a whole answer of the bot, and remember what people can press or judge on it."""
    shown = say_as_bot(platform, kind, key, line)
    if body.get("msgtype") == "template_card":
        keep_card(platform, body["template_card"], kind, key, shown)
    mark_feedback(platform, _feedback_id(body), kind, key, shown)
    platform.record_sent("aibot", [key], body, shown.id)
    return shown


def keep_card(platform: Platform, card: Json, kind: ChatKind, key: str, shown: ChatMessage) -> None:
    """Remember a card that people can press."""
    if card.get("task_id"):
        platform.world.bot_cards.put(BotCard(card["task_id"], card, kind, key, shown.seq))


def mark_feedback(platform: Platform, feedback_id: str, kind: ChatKind, key: str, shown: ChatMessage) -> None:
    """Remember an answer that people can judge."""
    if feedback_id:
        platform.world.bot_feedback_marks.put(FeedbackMark(feedback_id, kind, key, shown.seq))


def _feedback_id(body: Json) -> str:
    owner = body.get("markdown")
    feedback = owner.get("feedback") if isinstance(owner, dict) else None
    return read_text(feedback, "id") if isinstance(feedback, dict) else ""


ENDPOINTS = {"POST /cgi-bin/aibot/response": Endpoint(respond, NO_TOKEN)}
