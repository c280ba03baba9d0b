"""What is said through the AI bot, ready for the platform, and who may carry it (08-aibot.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.context import BotChat
from bot.wecom.parcel import Receipt

# 08-aibot.md, 8.2 and 8.3: a stream's content and a markdown answer, in bytes of UTF-8.
MOST_BYTES = 20_480


@dataclass(frozen=True, slots=True)
class BotMessage:
    """`markdown` are the words; `card` a template card in the platform's form, shown with or instead of them.

    `key` and `in_doubt` as in `Parcel`.
    """

    markdown: str
    card: Mapping[str, Any] | None
    key: str
    in_doubt: bool

    def body(self, feedback_id: str = "") -> dict[str, Any]:
        """Return it as a message of its own: for the response_url and for an active send."""
        if self.card is not None:
            return {"msgtype": "template_card", "template_card": dict(self.card)}
        markdown: dict[str, Any] = {"content": self.markdown}
        if feedback_id:
            markdown["feedback"] = {"id": feedback_id}
        return {"msgtype": "markdown", "markdown": markdown}


class BotWay(Protocol):
    """A way to the AI bot's chats that is tried before the response_url (bot/aibot/ways.py)."""

    async def hand_over(self, chat: BotChat, message: BotMessage, now: datetime) -> Receipt | None:
        """Take charge of the message; `None` when this way is closed for it.

        Raises:
            PlatformError: refused or not answered.
        """
        ...
