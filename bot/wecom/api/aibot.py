"""The body of an answer to the AI bot's `response_url` (08-aibot.md, 8.3): a pure builder, `send_aibot.py` sends it."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from bot.wecom.api.cards import TemplateCard
from bot.wecom.api.wire import Bytes, Name, Tagged, to_body
from bot.wecom.limits import BOT_TEXT

RESPOND = "POST /cgi-bin/aibot/response"


@dataclass(frozen=True, slots=True)
class BotMarkdown:
    """Words in Markdown; `feedback_id` comes back with what the reader thought of them."""

    kind: ClassVar[str] = "markdown"

    content: Annotated[str, Bytes(BOT_TEXT.size_bytes, least=1)]
    feedback_id: Annotated[str | None, Name("feedback.id"), Bytes(256, least=1)] = None


@dataclass(frozen=True, slots=True)
class BotResponse:
    """One answer: words or a card."""

    body: Annotated[BotMarkdown | TemplateCard, Tagged()]


def response_body(response: BotResponse) -> dict[str, Any]:
    """Return the JSON object to be posted to the address as it came, once and within an hour.

    Raises:
        RequestInvalid: a documented limit is broken.
    """
    return to_body(RESPOND, response)
