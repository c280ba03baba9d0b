"""Typed, immutable facts that came in. One class for each kind; what we do not know becomes `UnknownEvent`.

Every event keeps all values of its body in `fields`, so that nothing the platform said is lost. Classes without
attributes of their own are kinds we recognise and acknowledge, whose body nobody reads yet.
Source: ../shared/wecom/02-events.md, 07-kf.md, 08-aibot.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from bot.ids import CustomerId, GroupChatId, StaffId

FieldValue: TypeAlias = str | Sequence["FieldValue"] | Mapping[str, "FieldValue"]
Fields: TypeAlias = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Base of all events. `occurred_at` is the platform's time, to the second, when it gave one."""

    fields: Fields
    occurred_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Well formed, but of a kind this version does not know. `kind` is what the body calls itself."""

    kind: str


# --- messages from members to the app (90239) ---


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


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVoiceMessage(StaffMessage):
    """A voice message, without a transcript."""

    media_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVideoMessage(StaffMessage):
    """A video."""

    media_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLocationMessage(StaffMessage):
    """A place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffLinkMessage(StaffMessage):
    """A link."""

    title: str
    url: str


# --- events of the app (90240) ---


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
    """A member's place was reported; left alone, it is personal data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuClicked(StaffEvent):
    """A menu entry was pressed."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuLinkOpened(StaffEvent):
    """A menu link was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuMiniprogramOpened(StaffEvent):
    """A menu mini-program was opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeScanned(StaffEvent):
    """A menu entry scanned a code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotosChosen(StaffEvent):
    """A menu entry took or chose photos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceChosen(StaffEvent):
    """A menu entry chose a place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardButtonClicked(StaffEvent):
    """A button, vote or selection of a template card. `response_code` lives 72 h and works once."""

    key: str
    task_id: str
    response_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMenuClicked(StaffEvent):
    """The menu in a card's corner."""

    key: str
    task_id: str
    response_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCardClicked(StaffEvent):
    """A button of an old task card."""

    key: str
    task_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJobFinished(Event):
    """A directory batch job ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalChanged(Event):
    """An approval moved on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppShareChanged(Event):
    """An app or a corp chain was shared anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchModeSwitched(Event):
    """The workbench mode changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppActivityAlert(Event):
    """The app will be, or is, restricted for low use: an administrator must act (48011 follows)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppActivityRestored(Event):
    """The restriction was lifted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUploadFinished(Event):
    """An asynchronous upload ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LicenceMissing(Event):
    """The app licence of a member is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(Event):
    """A member was created, updated or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentChanged(Event):
    """A department was created, updated or deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTagChanged(Event):
    """A member tag was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpTagChanged(Event):
    """A customer tag or tag group was created, updated, deleted or moved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionNotice(Event):
    """获客助手 said something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfAccountChanged(Event):
    """Rights on 微信客服 accounts changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteNotice(Event):
    """A third-party suite's notice; a self-built deployment ignores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureNotice(Event):
    """An event of a feature we do not use: schedule, meeting, documents, drive, check-in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveNotice(Event):
    """The session archive has new records: pull them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KfNotice(Event):
    """A 微信客服 account has something: pull it with `token`, which lives ten minutes."""

    open_kfid: str
    token: str


# --- customers and groups (92130) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(Event):
    """Base of what happened between a member and a customer."""

    staff_id: StaffId
    customer_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAdded(CustomerEvent):
    """They are contacts now. `welcome_code` lives 20 s, works once, and may be absent."""

    state: str
    welcome_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerHalfAdded(CustomerEvent):
    """The customer added the member, who has not confirmed yet."""

    state: str
    welcome_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEdited(CustomerEvent):
    """The member changed remark or tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRemoved(CustomerEvent):
    """The member deleted the customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRemovedByCustomer(CustomerEvent):
    """The customer deleted the member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTransferFailed(CustomerEvent):
    """A handover to another member failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConsentGiven(CustomerEvent):
    """The customer agreed to the session archive."""

    welcome_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupEvent(Event):
    """Base of what happened to a customer group."""

    chat_id: GroupChatId


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCreated(GroupEvent):
    """A customer group was made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUpdated(GroupEvent):
    """Members, owner, name or notice changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDismissed(GroupEvent):
    """The group is no more."""


# --- 微信客服, after the pull (94670) ---


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
    """A customer's picture, voice, file or other message that is not words."""

    open_kfid: str
    customer_id: CustomerId
    msg_type: str
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfSessionEntered(Event):
    """A customer opened the chat; `welcome_code` lives 20 s, works once, and may be absent."""

    open_kfid: str
    customer_id: CustomerId
    welcome_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KfSendFailed(Event):
    """A message we sent did not arrive; `fail_type` as in 07-kf.md."""

    open_kfid: str
    customer_id: CustomerId
    fail_msg_id: str
    fail_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KfOtherEvent(Event):
    """Any other 微信客服 event."""


# --- AI bot (100719, 101027) ---


@dataclass(frozen=True, slots=True, kw_only=True)
class BotMention(Event):
    """Words to the AI bot: in a group where it was mentioned, or alone. The mention itself is cut off."""

    speaker: str
    chat_id: GroupChatId | None
    text: str
    response_url: str
    msg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BotOtherCallback(Event):
    """Any other callback of the AI bot."""


# --- customers' chats, through the session archive ---


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerChatText(Event):
    """A customer's words to a member or in a customer group, read from the archive seconds to minutes later.

    `staff_id` is the member of a single chat; in a group it is `None` until the owner is looked up.
    """

    chat_id: GroupChatId | None
    customer_id: CustomerId
    staff_id: StaffId | None
    text: str
    msg_id: str
