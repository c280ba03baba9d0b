"""What members of the bank write to the app, and what they do in it (90239, 90240).

Numbers the platform did not send, or sent as something else than a number, are `None`.
"""

from dataclasses import dataclass

from bot.events.base import Event, SelectedItem
from bot.ids import StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffMessage(Event):
    """Base of what a member writes to the app."""

    staff_id: StaffId
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffTextMessage(StaffMessage):
    """Words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffImageMessage(StaffMessage):
    """A picture; `media_id` lives three days."""

    media_id: str
    pic_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVoiceMessage(StaffMessage):
    """A voice message, without a transcript. `format` is amr or speex."""

    media_id: str
    format: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVideoMessage(StaffMessage):
    """A video."""

    media_id: str
    thumb_media_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLocationMessage(StaffMessage):
    """A place. `app_type` is `wxwork`, and empty from the WeChat plug-in."""

    latitude: float | None = None
    longitude: float | None = None
    scale: int | None = None
    label: str = ""
    app_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLinkMessage(StaffMessage):
    """A link."""

    title: str
    url: str
    description: str = ""
    pic_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEvent(Event):
    """Base of what a member does in the app."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSubscribed(StaffEvent):
    """A member came into the app's visible range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUnsubscribed(StaffEvent):
    """A member left the app's visible range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppEntered(StaffEvent):
    """A member opened the app."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLocationReported(StaffEvent):
    """A member's place was reported; left alone, it is personal data. `precision_metres` is the platform's guess."""

    latitude: float | None = None
    longitude: float | None = None
    precision_metres: float | None = None
    app_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuClicked(StaffEvent):
    """A menu entry was pressed."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLinkOpened(StaffEvent):
    """A menu link was opened."""

    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuMiniprogramOpened(StaffEvent):
    """A menu mini-program was opened."""

    page: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScanned(StaffEvent):
    """A menu entry scanned a code. `waits`: the member sees a waiting hint until the app answers."""

    key: str = ""
    scan_type: str = ""
    result: str = ""
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotosChosen(StaffEvent):
    """A menu entry took or chose photos; they follow as messages. `origin`: sysphoto, photo_or_album or weixin."""

    key: str = ""
    origin: str = ""
    count: int | None = None
    md5s: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChosen(StaffEvent):
    """A menu entry chose a place."""

    key: str = ""
    latitude: float | None = None
    longitude: float | None = None
    scale: int | None = None
    label: str = ""
    place_name: str = ""
    app_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardButtonClicked(StaffEvent):
    """A button, vote or selection of a template card. `response_code` lives 72 h and works once."""

    key: str
    task_id: str
    response_code: str
    card_type: str = ""
    selected: tuple[SelectedItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMenuClicked(StaffEvent):
    """The menu in a card's corner."""

    key: str
    task_id: str
    response_code: str
    card_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCardClicked(StaffEvent):
    """A button of an old task card."""

    key: str
    task_id: str
