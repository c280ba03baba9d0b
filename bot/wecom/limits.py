"""What fits into one message, by the way it takes and what it is; and how what does not fit is divided or refused.

Asked before anything is queued, so that nothing waits in line that cannot be sent. Sources: 04-sending.md (4.1, 4.3),
05-customer-contact.md (5.4, 5.6), 07-kf.md (7.3), 08-aibot.md (8.3). "Advice" of the platform is not enforced: it
shows longer titles cut. Pure.
"""

import re
from dataclasses import dataclass, replace

from bot.context import (
    Address,
    BotChat,
    Card,
    CardUpdate,
    Content,
    GroupSend,
    KfChat,
    KfHandOver,
    KfWelcome,
    Markdown,
    Menu,
    StaffChat,
    Text,
    Welcome,
)
from bot.errors import ContentTooLong
from bot.wecom.cutting import CannotCut, cut_text, size_of


@dataclass(frozen=True, slots=True)
class TextLimit:
    """How long words may be, in bytes of UTF-8, and into how many messages they may be divided."""

    size_bytes: int
    parts: int = 1


# To a member: ten messages in a row are as much as anyone reads, and a third of what a member may get in a minute.
STAFF_TEXT = TextLimit(2048, parts=10)
# What a pressed button shows. [K] Not in the text that was read.
CARD_OUTCOME_TEXT = TextLimit(64)
# Five messages after each of the customer's (95001): a text may use them up, never more.
KF_TEXT = TextLimit(2048, parts=5)
# One message for each code.
KF_CODE_TEXT = TextLimit(2048)
WELCOME_TEXT = TextLimit(4000)
GROUP_TEXT = TextLimit(4000)
BOT_TEXT = TextLimit(20_480)

CARD_FACTS = 6
CARD_BUTTONS = 6
CARD_KEY_BYTES = 1024
CARD_TASK_BYTES = 128
CARD_URL_BYTES = 2048
MENU_WORDS_BYTES = 1024
MENU_ITEMS = 50
# [K] Not in the text that was read.
MENU_ID_BYTES = 128
MENU_ITEM_BYTES = 128
_TASK_ID = re.compile(r"[0-9A-Za-z_@-]+")


def fit(address: Address, content: Content) -> tuple[Content, ...]:
    """Return what to send one after another: the content itself when it fits, else its words in parts.

    Raises:
        ContentTooLong: it does not fit and cannot be divided; names what is too long, and by how much.
    """
    if isinstance(address, StaffChat | CardUpdate | BotChat) and isinstance(content, Card):
        _check_card(content)
        return (content,)
    limit = _limit_of(address)
    if isinstance(address, KfChat | KfWelcome | KfHandOver) and isinstance(content, Menu):
        return _fit_menu(content, limit)
    return _fit_words(content, limit)


def fits_as_menu(menu: Menu) -> bool:
    """Say whether a kf menu can be tapped; one that is too long is said with numbered lines instead."""
    return _menu_excess(menu) is None


def _limit_of(address: Address) -> TextLimit:
    match address:
        case StaffChat():
            return STAFF_TEXT
        case CardUpdate():
            return CARD_OUTCOME_TEXT
        case KfChat():
            return KF_TEXT
        case KfWelcome() | KfHandOver():
            return KF_CODE_TEXT
        case Welcome():
            return WELCOME_TEXT
        case GroupSend():
            return GROUP_TEXT
        case BotChat():
            return BOT_TEXT


def _fit_words(content: Content, limit: TextLimit) -> tuple[Content, ...]:
    """Fit what is said as words, whatever it is made of."""
    words = content.plain_text()
    size = size_of(words)
    if size <= limit.size_bytes:
        return (content,)
    if limit.parts == 1 or size > limit.size_bytes * limit.parts:
        raise ContentTooLong("text", limit.size_bytes * limit.parts, size)
    try:
        parts = cut_text(words, limit.size_bytes)
    except CannotCut as error:
        raise ContentTooLong("link", limit.size_bytes, error.size_bytes) from None
    if len(parts) > limit.parts:
        raise ContentTooLong("text", limit.size_bytes * limit.parts, size)
    if isinstance(content, Markdown):
        return tuple(replace(content, body=part) for part in parts)
    return tuple(Text(part) for part in parts)


def _check_card(card: Card) -> None:
    _at_most("facts", CARD_FACTS, len(card.facts), "items")
    _at_most("buttons", CARD_BUTTONS, len(card.buttons), "items")
    for button in card.buttons:
        _at_most("button.key", CARD_KEY_BYTES, size_of(button.key))
    _at_most("url", CARD_URL_BYTES, size_of(card.url or ""))
    if card.task_id is not None:
        _at_most("task_id", CARD_TASK_BYTES, size_of(card.task_id))
        if not _TASK_ID.fullmatch(card.task_id):
            raise ContentTooLong("task_id", 0, len(_TASK_ID.sub("", card.task_id)), "letters not allowed")


def _fit_menu(menu: Menu, limit: TextLimit) -> tuple[Content, ...]:
    excess = _menu_excess(menu)
    if excess is None:
        return (menu,)
    try:
        return _fit_words(menu, limit)
    except ContentTooLong:
        raise excess from None


def _menu_excess(menu: Menu) -> ContentTooLong | None:
    try:
        _at_most("menu.head", MENU_WORDS_BYTES, size_of(menu.head))
        _at_most("menu.tail", MENU_WORDS_BYTES, size_of(menu.tail))
        _at_most("menu.items", MENU_ITEMS, len(menu.items), "items")
        for item in menu.items:
            _at_most("menu.item.id", MENU_ID_BYTES, size_of(item.id))
            _at_most("menu.item.text", MENU_ITEM_BYTES, size_of(item.text))
    except ContentTooLong as excess:
        return excess
    return None


def _at_most(field: str, limit: int, actual: int, unit: str = "bytes") -> None:
    if actual > limit:
        raise ContentTooLong(field, limit, actual, unit)
