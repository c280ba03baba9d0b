"""The AI bot's response_url (08, 8.3): one answer within an hour of the callback, without an access token."""

from simulator.api.cards import check_template_card, show_template_card
from simulator.api.endpoint import NO_TOKEN, Answer, Endpoint, ok
from simulator.api.params import check_bytes, need_object, need_text
from simulator.chats import Line, say_as_bot
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import BotAnswer, ChatKind, Json

MARKDOWN_BYTES = 20480
QUOTED_CHARS = 30


def respond(platform: Platform, call: ApiCall) -> Answer:
    """Answer a mention with markdown or a card, which quotes the message that asked."""
    answer = _find_answer(platform, call.params.get("response_code", ""))
    line = read_bot_line(call.body, f"回复「{answer.quoted[:QUOTED_CHARS]}」")
    answer.used = True
    platform.world.bot_answers.put(answer)
    shown = say_as_bot(platform, ChatKind.GROUP, answer.chat_id, line)
    platform.record_sent("aibot", [answer.chat_id], call.body, shown.id)
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
        content = need_text(need_object(body, "markdown"), "content")
        return Line(check_bytes(content, MARKDOWN_BYTES, "markdown.content"), "markdown", note=note)
    if msgtype == "template_card":
        card = need_object(body, "template_card")
        check_template_card(card)
        view = show_template_card(card)
        return Line(view["title"], "card", view, note)
    raise ApiError(40008)


ENDPOINTS = {"POST /cgi-bin/aibot/response": Endpoint(respond, NO_TOKEN)}
