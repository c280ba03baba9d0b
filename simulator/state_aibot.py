"""Rows of the AI bot: what may be answered, cards that can be pressed, answers that can be judged (08)."""

from dataclasses import dataclass

from simulator.state import ChatKind, Json


@dataclass(slots=True)
class BotTalk:
    """One callback that may be answered: a message, an entry or a pressed card.

    `cause` is message, enter or card. `line` is the seq of the growing answer, 0 before the first word. `req_id` is the
    frame it went out in on the long connection. `answered` ends the talk, also without a stream.
    """

    msgid: str
    cause: str
    kind: ChatKind
    key: str
    userid: str
    at: float
    req_id: str = ""
    task_id: str = ""
    stream_id: str = ""
    line: int = 0
    card_shown: bool = False
    answered: bool = False


@dataclass(slots=True)
class BotCard:
    """A card of the bot that people can press, and the line that shows it."""

    task_id: str
    card: Json
    kind: ChatKind
    key: str
    line: int


@dataclass(slots=True)
class FeedbackMark:
    """An answer that people can judge: the id its sender gave it, and where it stands."""

    feedback_id: str
    kind: ChatKind
    key: str
    line: int


@dataclass(slots=True)
class BotFile:
    """A file somebody sent to the bot, base64; its address lives 5 minutes."""

    file_id: str
    content: str
    at: float
    aes_key: str
