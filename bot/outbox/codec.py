"""Addresses and contents as JSON and back: how a reply is kept in its row."""

from dataclasses import asdict
from typing import Any

from bot.context import (
    Address,
    BotChat,
    Button,
    Card,
    CardUpdate,
    Content,
    GroupSend,
    KfChat,
    KfHandOver,
    KfWelcome,
    Markdown,
    Menu,
    MenuItem,
    StaffChat,
    Text,
    Welcome,
)
from bot.ids import GroupChatId, StaffId

_ADDRESSES: dict[str, type[Any]] = {
    kind.__name__: kind for kind in (StaffChat, CardUpdate, KfChat, KfWelcome, KfHandOver, Welcome, BotChat, GroupSend)
}
_CONTENTS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Text, Markdown, Card, Menu)}


def dump_value(value: Address | Content) -> tuple[str, dict[str, Any]]:
    """Return the name of the value's class and its fields, ready for a JSON column."""
    return type(value).__name__, asdict(value)


def load_address(kind: str, fields: dict[str, Any]) -> Address:
    """Return the address that `dump_value` took apart."""
    if kind == GroupSend.__name__:
        chats = tuple(GroupChatId(chat) for chat in fields["chat_ids"])
        return GroupSend(sender=StaffId(fields["sender"]), chat_ids=chats)
    address: Address = _ADDRESSES[kind](**fields)
    return address


def load_content(kind: str, fields: dict[str, Any]) -> Content:
    """Return the content that `dump_value` took apart."""
    if kind == Card.__name__:
        return Card(
            title=fields["title"],
            description=fields["description"],
            facts=tuple((name, value) for name, value in fields["facts"]),
            buttons=tuple(Button(**button) for button in fields["buttons"]),
            url=fields["url"],
            url_text=fields["url_text"],
            task_id=fields["task_id"],
        )
    if kind == Menu.__name__:
        items = tuple(MenuItem(**item) for item in fields["items"])
        return Menu(head=fields["head"], items=items, tail=fields["tail"])
    content: Content = _CONTENTS[kind](**fields)
    return content
