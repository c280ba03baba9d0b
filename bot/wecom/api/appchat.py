"""Groups the app makes for members, never customers (04-sending.md, 4.4). Only an app the whole corp sees may."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from bot.ids import StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.messages import (
    FileBody,
    ImageBody,
    MarkdownBody,
    NewsBody,
    StoredNewsBody,
    TextBody,
    TextCardBody,
    VideoBody,
    VoiceBody,
)
from bot.wecom.api.wire import FILLED, FLAG, Chars, Items, Name, Shape, Tagged, join_params, to_body

CREATE = "POST /cgi-bin/appchat/create"
UPDATE = "POST /cgi-bin/appchat/update"
GET = "GET /cgi-bin/appchat/get"
SEND = "POST /cgi-bin/appchat/send"

ChatBody: TypeAlias = (
    TextBody | MarkdownBody | ImageBody | VoiceBody | VideoBody | FileBody | TextCardBody | NewsBody | StoredNewsBody
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChat:
    """A group to be made. Without `owner` the platform takes any member, without `chat_id` it makes one up."""

    name: Annotated[str, Chars(50, least=1)]
    members: Annotated[tuple[StaffId, ...], Name("userlist"), Items(2000, least=2)]
    owner: StaffId | None = None
    chat_id: Annotated[
        str | None, Name("chatid"), Shape(re.compile(r"[0-9A-Za-z]{1,32}"), "made of at most 32 letters and digits")
    ] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if self.owner is not None and self.owner not in self.members:
            yield "owner", "is not in userlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatEdit:
    """What is to change; what is `None` or empty stays."""

    chat_id: Annotated[str, Name("chatid"), FILLED]
    name: Annotated[str | None, Chars(50, least=1)] = None
    owner: StaffId | None = None
    add: Annotated[tuple[StaffId, ...], Name("add_user_list"), Items(2000)] = ()
    remove: Annotated[tuple[StaffId, ...], Name("del_user_list"), Items(2000)] = ()


@dataclass(frozen=True, slots=True)
class StaffGroup:
    """A group of members that the app made."""

    id: str
    name: str
    owner: StaffId
    members: tuple[StaffId, ...]


@dataclass(frozen=True, slots=True)
class _ChatMessage:
    chat_id: Annotated[str, Name("chatid"), FILLED]
    body: Annotated[ChatBody, Tagged()]
    confidential: Annotated[bool | None, Name("safe"), FLAG]


async def create_chat(client: PlatformCalls, chat: NewChat) -> str:
    """Make a group and return its id. Members do not see it before its first message; 1,000 a day."""
    return Answer(CREATE, await client.call(CREATE, to_body(CREATE, chat))).text("chatid")


async def update_chat(client: PlatformCalls, edit: ChatEdit) -> None:
    """Change name, owner or members; 1,000 changes an hour."""
    await client.call(UPDATE, to_body(UPDATE, edit))


async def get_chat(client: PlatformCalls, chat_id: str) -> StaffGroup:
    """Return a group this app made.

    Raises:
        PlatformError: 86008 another app made it, or nobody.
    """
    chat = Answer(GET, await client.call(GET, params=join_params(chatid=chat_id))).child("chat_info")
    return StaffGroup(
        id=chat.text("chatid"),
        name=chat.text("name", ""),
        owner=StaffId(chat.text("owner")),
        members=_staff(chat.texts("userlist")),
    )


async def send_to_chat(
    client: PlatformCalls, chat_id: str, body: ChatBody, *, confidential: bool | None = None
) -> None:
    """Say something in a group this app made; 20,000 person-times a minute."""
    await client.call(SEND, to_body(SEND, _ChatMessage(chat_id, body, confidential)))


def _staff(ids: Sequence[str]) -> tuple[StaffId, ...]:
    return tuple(StaffId(staff_id) for staff_id in ids)
