"""What happened to customer groups (92130)."""

from dataclasses import dataclass

from bot.events.base import Event
from bot.ids import GroupChatId


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEvent(Event):
    """Base of what happened to a customer group."""

    chat_id: GroupChatId


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCreated(GroupEvent):
    """A customer group was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUpdated(GroupEvent):
    """Members, owner, name or notice changed; `detail` says which (add_member, del_member, change_owner …).

    `members` are those who came or went, members and customers mixed. The list may be applied to a copy of version
    `last_version`, which becomes `current_version`; any other copy must be read anew.
    `join_scene`: 0 invited, 3 by QR code. `quit_scene`: 0 left, 1 removed. Others occur.
    """

    detail: str = ""
    join_scene: int | None = None
    quit_scene: int | None = None
    member_count: int | None = None
    members: tuple[str, ...] = ()
    last_version: str = ""
    current_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDismissed(GroupEvent):
    """The group is no more."""
