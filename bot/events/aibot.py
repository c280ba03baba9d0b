"""Callbacks of the AI bot, the same in both modes (100719, 101027, 101463).

`speaker` is a member's id, plain or encrypted as the bot's creator decides (08-aibot.md, 8.1); `chat_id` is `None` in
a chat of two. `response_url` is empty on the long connection, where one answers under the frame's `req_id`.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.events.base import Event, SelectedItem
from bot.ids import GroupChatId


@dataclass(frozen=True, slots=True)
class BotAttachment:
    """A file at an address that lives 5 minutes; its content is encrypted.

    `aes_key` is the key of this file on the long connection; empty in webhook mode, where it is the callback's key.
    """

    kind: str
    url: str
    aes_key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotMention(Event):
    """Words to the AI bot: in a group where it was mentioned, or alone. The mention itself is cut off.

    `kind` is text, voice (`text` is the transcript) or mixed (`text` joins its words, `attachments` are its pictures).
    `quote_text` holds the words of the message the speaker quoted; empty when there is none, or when it has no words.
    """

    speaker: str
    chat_id: GroupChatId | None
    text: str
    response_url: str
    msg_id: str
    kind: str = "text"
    quote_text: str = ""
    quote_kind: str = ""
    attachments: tuple[BotAttachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BotMedia(Event):
    """A picture, file or video to the bot, in a chat of two."""

    kind: str
    url: str
    aes_key: str
    speaker: str = ""
    chat_id: GroupChatId | None = None
    response_url: str = ""
    msg_id: str = ""
    quote_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotStreamRefresh(Event):
    """The platform asks how the answer `stream_id` stands. To be answered at once, never stored as a message."""

    stream_id: str
    speaker: str
    chat_id: GroupChatId | None
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotEntered(Event):
    """A member opened the chat with the bot for the first time today. A welcome must be said within 5 s."""

    speaker: str
    chat_id: GroupChatId | None = None
    msg_id: str = ""
    response_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotCardClicked(Event):
    """A button, vote or selection of a card the bot sent. The card may be updated once, within 5 s."""

    speaker: str
    chat_id: GroupChatId | None
    card_type: str
    key: str
    task_id: str
    selected: tuple[SelectedItem, ...]
    msg_id: str = ""
    response_url: str = ""


class FeedbackKind(StrEnum):
    """What a member thinks of an answer; the platform's `type` 1 to 3, and what is none of them."""

    ACCURATE = "accurate"
    INACCURATE = "inaccurate"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BotFeedback(Event):
    """A member judged an answer. `feedback_id` is ours, from the answer; `reasons` are the platform's numbers 1–4."""

    feedback_id: str
    kind: FeedbackKind
    content: str
    reasons: tuple[int, ...]
    speaker: str = ""
    chat_id: GroupChatId | None = None
    msg_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotDisconnected(Event):
    """Another connection of the same bot was opened; this one is dead."""
