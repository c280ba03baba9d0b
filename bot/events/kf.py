"""Items of a 微信客服 pull (94670): what customers write, what servicers answer, and what happened in between."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.events.base import Event, Fields, UnknownEvent
from bot.ids import CustomerId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class KfText(Event):
    """A customer's words to a 微信客服 account; `menu_id` when a menu entry was tapped."""

    open_kfid: str
    customer_id: CustomerId
    text: str
    msg_id: str
    menu_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KfOtherMessage(Event):
    """Base of a customer's messages that are not words: picture, voice, file …; `msg_type` is the platform's name."""

    open_kfid: str
    customer_id: CustomerId
    msg_type: str
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfMediaMessage(KfOtherMessage):
    """A picture, voice, video or file."""

    media_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfLocationMessage(KfOtherMessage):
    """A place."""

    latitude: float | None = None
    longitude: float | None = None
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfLinkMessage(KfOtherMessage):
    """A link."""

    title: str = ""
    description: str = ""
    url: str = ""
    pic_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfBusinessCard(KfOtherMessage):
    """The card of a member."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class KfMiniprogram(KfOtherMessage):
    """A mini-program page."""

    title: str = ""
    appid: str = ""
    pagepath: str = ""
    thumb_media_id: str = ""


@dataclass(frozen=True, slots=True)
class KfMenuItem:
    """One entry of a menu: `kind` is click, view, miniprogram or text; `id` is what a tap sends back as `menu_id`."""

    kind: str
    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfMenuMessage(KfOtherMessage):
    """A menu, as it was sent."""

    head: str = ""
    tail: str = ""
    items: tuple[KfMenuItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KfChannelsMessage(KfOtherMessage):
    """Something of a video channel: a post, a product or an order, by `msg_type`. `content` is its body as it came."""

    content: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KfMergedItem:
    """One message of a merged record. `text` holds its words, `content` its body; both empty when it was unreadable."""

    sender_name: str
    msg_type: str
    sent_at: datetime | None
    text: str
    content: Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class KfMergedMessage(KfOtherMessage):
    """A merged chat record."""

    title: str = ""
    items: tuple[KfMergedItem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KfAnnouncedMessage(KfOtherMessage):
    """The platform only says that a meeting, calendar entry or note came; its content cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfUnknownMessage(UnknownEvent):
    """A customer's message of a kind this version does not know: to be kept and answered like other messages."""

    open_kfid: str
    customer_id: CustomerId
    msg_type: str
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfServicerMessage(Event):
    """What a human servicer wrote in the client. `text` holds the words, `media_id` the file, when it has one."""

    open_kfid: str
    customer_id: CustomerId
    servicer_id: StaffId
    msg_type: str
    msg_id: str
    text: str = ""
    media_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfSessionEntered(Event):
    """A customer opened the chat; `welcome_code` lives 20 s, works once, and may be absent.

    `scene` and `scene_param` are what the contact link was made with. `channels` is the video channel it came from.
    """

    open_kfid: str
    customer_id: CustomerId
    welcome_code: str | None
    scene: str = ""
    scene_param: str = ""
    channels: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KfSendFailed(Event):
    """A message we sent did not arrive; `fail_type` as in 07-kf.md."""

    open_kfid: str
    customer_id: CustomerId
    fail_msg_id: str
    fail_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfServicerStatusChanged(Event):
    """A servicer began (`status` 1) or stopped (2) receiving. `stop_type` as the platform gives it."""

    open_kfid: str
    servicer_id: StaffId
    status: int | None
    stop_type: int | None = None

    @property
    def is_receiving(self) -> bool:
        """Tell whether customers can be handed to this servicer now."""
        return self.status == 1


class KfSessionChange(StrEnum):
    """What happened to a session; the platform's `change_type` 1 to 4, and what is none of them."""

    ACCEPTED = "accepted"
    TRANSFERRED = "transferred"
    ENDED = "ended"
    REENTERED = "reentered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KfSessionChanged(Event):
    """A session was taken from the pool, transferred, ended or entered again.

    `msg_code` allows one notice text (accepted: 48 h; ended: 20 s), and may be absent.
    """

    open_kfid: str
    customer_id: CustomerId
    change_type: KfSessionChange
    old_servicer: StaffId | None = None
    new_servicer: StaffId | None = None
    msg_code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KfRecalled(Event):
    """A message was called back, by the customer or by the servicer."""

    open_kfid: str
    customer_id: CustomerId
    recalled_msg_id: str
    by_servicer: bool = False
    servicer_id: StaffId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KfRejectSwitched(Event):
    """The customer switched receiving our messages off (`rejects`) or on again."""

    open_kfid: str
    customer_id: CustomerId
    rejects: bool
    reject_switch: str = ""
