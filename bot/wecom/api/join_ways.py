"""Codes by which customers join a group (05-customer-contact.md, 5.3). An app sees only its own."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

from bot.ids import GroupChatId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls
from bot.wecom.api.wire import FILLED, FLAG, Between, Chars, Items, Name, to_body

ADD = "POST /cgi-bin/externalcontact/groupchat/add_join_way"
GET = "POST /cgi-bin/externalcontact/groupchat/get_join_way"
UPDATE = "POST /cgi-bin/externalcontact/groupchat/update_join_way"
DELETE = "POST /cgi-bin/externalcontact/groupchat/del_join_way"


class JoinScene(IntEnum):
    """Where the code is shown."""

    MINI_PROGRAM = 1
    QR_CODE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWayParts:
    """All that a code has. The platform makes the next group when one is full, unless `auto_create` is off."""

    scene: JoinScene
    chat_ids: Annotated[tuple[GroupChatId, ...], Name("chat_id_list"), Items(5, least=1)]
    remark: Annotated[str | None, Chars(30)] = None
    auto_create: Annotated[bool | None, Name("auto_create_room"), FLAG] = None
    next_name: Annotated[str | None, Name("room_base_name"), Chars(40)] = None
    next_number: Annotated[int | None, Name("room_base_id"), Between(0, 2**31 - 1)] = None
    state: Annotated[str | None, Chars(30)] = None
    mark_source: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWayReplacement(JoinWayParts):
    """A code as it is to be. What is not given is emptied: the platform overwrites all fields."""

    config_id: Annotated[str, FILLED]


@dataclass(frozen=True, slots=True)
class JoinWay:
    """A code as the platform keeps it. `state` comes back with the members who joined by it."""

    config_id: str
    scene: int
    remark: str
    auto_create: bool
    next_name: str
    next_number: int
    chat_ids: tuple[GroupChatId, ...]
    qr_code: str | None
    state: str
    mark_source: bool


async def add_join_way(client: PlatformCalls, way: JoinWayParts) -> str:
    """Make a code and return its config id: kept by us, it cannot be listed."""
    return Answer(ADD, await client.call(ADD, to_body(ADD, way))).text("config_id")


async def get_join_way(client: PlatformCalls, config_id: str) -> JoinWay:
    """Return a code with the address of its picture."""
    way = Answer(GET, await client.call(GET, {"config_id": config_id})).child("join_way")
    return JoinWay(
        config_id=way.text("config_id"),
        scene=way.number("scene"),
        remark=way.text("remark", ""),
        auto_create=way.truth("auto_create_room", True),
        next_name=way.text("room_base_name", ""),
        next_number=way.number("room_base_id", 0),
        chat_ids=tuple(GroupChatId(chat_id) for chat_id in way.texts("chat_id_list")),
        qr_code=way.text("qr_code", "") or None,
        state=way.text("state", ""),
        mark_source=way.truth("mark_source", True),
    )


async def replace_join_way(client: PlatformCalls, way: JoinWayReplacement) -> None:
    """Put a code's fields anew, all of them."""
    await client.call(UPDATE, to_body(UPDATE, way))


async def delete_join_way(client: PlatformCalls, config_id: str) -> None:
    """Delete a code."""
    await client.call(DELETE, {"config_id": config_id})
