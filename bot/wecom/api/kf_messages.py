"""Messages of 微信客服: what is said to a customer, and the pull of what they say (07-kf.md, 7.2 and 7.3)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, ClassVar, TypeAlias

from bot.ids import CustomerId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, next_cursor
from bot.wecom.api.wire import FILLED, FLAG, Between, Bytes, Items, Name, Shape, Tagged, to_body
from bot.wecom.limits import KF_TEXT, MENU_ITEMS, MENU_WORDS_BYTES

SEND = "POST /cgi-bin/kf/send_msg"
SEND_ON_EVENT = "POST /cgi-bin/kf/send_msg_on_event"
SYNC = "POST /cgi-bin/kf/sync_msg"

APP = "kf"
MAX_PAGE = 1000

MessageId: TypeAlias = Annotated[
    str | None,
    Name("msgid"),
    Shape(re.compile(r"[0-9A-Za-z_-]{1,32}"), "made of at most 32 letters, digits, _ and -"),
]


@dataclass(frozen=True, slots=True)
class KfTextBody:
    """Words. The platform would cut off more than this."""

    kind: ClassVar[str] = "text"

    content: Annotated[str, Bytes(KF_TEXT.size_bytes, least=1)]


@dataclass(frozen=True, slots=True)
class KfImageBody:
    """An uploaded picture."""

    kind: ClassVar[str] = "image"

    media_id: str


@dataclass(frozen=True, slots=True)
class KfVoiceBody:
    """An uploaded voice message."""

    kind: ClassVar[str] = "voice"

    media_id: str


@dataclass(frozen=True, slots=True)
class KfVideoBody:
    """An uploaded video."""

    kind: ClassVar[str] = "video"

    media_id: str


@dataclass(frozen=True, slots=True)
class KfFileBody:
    """An uploaded file."""

    kind: ClassVar[str] = "file"

    media_id: str


@dataclass(frozen=True, slots=True)
class KfLinkBody:
    """A web page; the picture must be an uploaded one."""

    kind: ClassVar[str] = "link"

    title: Annotated[str, FILLED]
    url: Annotated[str, FILLED]
    thumb_media_id: Annotated[str, FILLED]
    description: Annotated[str | None, Name("desc")] = None


@dataclass(frozen=True, slots=True)
class KfMiniProgramBody:
    """A page of a mini program."""

    kind: ClassVar[str] = "miniprogram"

    app_id: Annotated[str, Name("appid")]
    title: str
    thumb_media_id: str
    page: Annotated[str, Name("pagepath")]


@dataclass(frozen=True, slots=True)
class KfLocationBody:
    """A place."""

    kind: ClassVar[str] = "location"

    name: str
    latitude: float
    longitude: float
    address: str | None = None


@dataclass(frozen=True, slots=True)
class KfCardBody:
    """A member's card. Not in the Markdown's list, only in the catalogue's tree [T]."""

    kind: ClassVar[str] = "business_card"

    staff_id: Annotated[StaffId, Name("userid")]


@dataclass(frozen=True, slots=True)
class KfAcquisitionBody:
    """A link of 获客助手."""

    kind: ClassVar[str] = "ca_link"

    url: Annotated[str, Name("link_url")]


@dataclass(frozen=True, slots=True)
class MenuChoice:
    """An item to tap; its id comes back with the customer's next message."""

    kind: ClassVar[str] = "click"

    id: str
    text: Annotated[str, Name("content")]


@dataclass(frozen=True, slots=True)
class MenuLink:
    """An item that opens a page."""

    kind: ClassVar[str] = "view"

    url: str
    text: Annotated[str, Name("content")]


@dataclass(frozen=True, slots=True)
class MenuMiniProgram:
    """An item that opens a mini program; ten at most in a menu."""

    kind: ClassVar[str] = "miniprogram"

    app_id: Annotated[str, Name("appid")]
    page: Annotated[str, Name("pagepath")]
    text: Annotated[str, Name("content")]


@dataclass(frozen=True, slots=True)
class MenuText:
    """Words between the items."""

    kind: ClassVar[str] = "text"

    text: Annotated[str, Name("content")]
    same_line: Annotated[bool | None, Name("no_newline"), FLAG] = None


MenuItem: TypeAlias = MenuChoice | MenuLink | MenuMiniProgram | MenuText
_MAX_MINI_PROGRAMS = 10


@dataclass(frozen=True, slots=True)
class KfMenuBody:
    """Words with things to tap."""

    kind: ClassVar[str] = "msgmenu"

    items: Annotated[tuple[MenuItem, ...], Name("list"), Tagged("type"), Items(MENU_ITEMS, least=1)]
    head: Annotated[str | None, Name("head_content"), Bytes(MENU_WORDS_BYTES)] = None
    tail: Annotated[str | None, Name("tail_content"), Bytes(MENU_WORDS_BYTES)] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if sum(isinstance(item, MenuMiniProgram) for item in self.items) > _MAX_MINI_PROGRAMS:
            yield "list", f"has more than {_MAX_MINI_PROGRAMS} mini programs"


KfEventBody: TypeAlias = KfTextBody | KfMenuBody
KfBody: TypeAlias = (
    KfEventBody
    | KfImageBody
    | KfVoiceBody
    | KfVideoBody
    | KfFileBody
    | KfLinkBody
    | KfMiniProgramBody
    | KfLocationBody
    | KfCardBody
    | KfAcquisitionBody
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KfMessage:
    """One message to a customer, in state 0 or 1 only: five within 48 hours of the customer's last.

    A `message_id` of our own that was used before is refused with 95033: our means against doubling.
    """

    open_kfid: Annotated[str, FILLED]
    customer_id: Annotated[CustomerId, Name("touser"), FILLED]
    body: Annotated[KfBody, Tagged()]
    message_id: MessageId = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KfEventMessage:
    """One message on an event's code: of a welcome or an end for 20 s, of a queue or accept notice 48 h (text only)."""

    code: Annotated[str, FILLED]
    body: Annotated[KfEventBody, Tagged()]
    message_id: MessageId = None


class VoiceFormat(IntEnum):
    """How voice messages are to be coded."""

    AMR = 0
    SILK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pull:
    """One pull. Without the `token` of an event, good for ten minutes, the call is narrowly limited."""

    open_kfid: Annotated[str, FILLED]
    cursor: Annotated[str | None, Bytes(64)] = None
    token: str | None = None
    limit: Annotated[int, Between(1, MAX_PAGE)] = MAX_PAGE
    voice_format: VoiceFormat | None = None


@dataclass(frozen=True, slots=True)
class PulledPage:
    """What was pulled, raw: the items are read by the inbound side. May be empty although there is more."""

    items: tuple[Mapping[str, Any], ...]
    next_cursor: str
    has_more: bool


async def send_kf_message(client: PlatformCalls, message: KfMessage) -> str:
    """Send and return the message's id. Success means accepted: a failure comes later as an event.

    Raises:
        RequestInvalid: a documented limit is broken.
        PlatformError: 95001 or 95002 the five are used up, 95018 not in this state.
    """
    answer = Answer(SEND, await client.call(SEND, to_body(SEND, message), app=APP))
    return answer.text("msgid", message.message_id or "")


async def send_on_event(client: PlatformCalls, message: KfEventMessage) -> str:
    """Send on the code of an event, which works once, and return the message's id."""
    answer = Answer(SEND_ON_EVENT, await client.call(SEND_ON_EVENT, to_body(SEND_ON_EVENT, message), app=APP))
    return answer.text("msgid", message.message_id or "")


async def pull_messages(client: PlatformCalls, pull: Pull) -> PulledPage:
    """Pull one page. Keep `next_cursor` after the items are stored, never before.

    Raises:
        PagesDoNotMove: there is said to be more, but from the same place.
    """
    answer = Answer(SYNC, await client.call(SYNC, to_body(SYNC, pull), app=APP))
    following = next_cursor(answer, pull.cursor or "")
    return PulledPage(
        items=tuple(item.fields for item in answer.children("msg_list")),
        # at the end, too, the platform says where to go on the next time
        next_cursor=following or answer.text("next_cursor", ""),
        has_more=following != "",
    )
