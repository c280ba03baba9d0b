"""What happened between members and customers, to customer tags, and in 获客助手 (92130, 97299)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.events.base import Change, Event
from bot.ids import CustomerId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent(Event):
    """Base of what happened between a member and a customer."""

    staff_id: StaffId
    customer_id: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerAdded(CustomerEvent):
    """They are contacts now. `welcome_code` lives 20 s, works once, and may be absent.

    `state` names the contact way (渠道活码) the customer came by, `link_id` the 获客助手 link, if it was one.
    """

    state: str
    welcome_code: str | None
    link_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerHalfAdded(CustomerEvent):
    """The customer added the member, who has not confirmed yet: messages to the customer may fail (84061)."""

    state: str
    welcome_code: str | None
    link_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEdited(CustomerEvent):
    """The member changed remark or tags."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRemoved(CustomerEvent):
    """The member deleted the customer; `source` says when the platform did it (`DELETE_BY_TRANSFER`)."""

    source: str = ""

    @property
    def by_transfer(self) -> bool:
        """Tell whether the customer was handed to another member, and this one lost the contact by that."""
        return self.source.upper() == "DELETE_BY_TRANSFER"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRemovedByCustomer(CustomerEvent):
    """The customer deleted, or blocked, the member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerTransferFailed(CustomerEvent):
    """A handover to another member failed: `customer_refused` or `customer_limit_exceed`."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveConsentGiven(CustomerEvent):
    """The customer agreed to the session archive."""

    welcome_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpTagChanged(Event):
    """A customer tag or tag group was created, updated, deleted or moved.

    `tag_id` is empty when all were moved. Of a deleted group no events for its tags follow: its tags go with it.
    """

    change: Change = Change.UPDATED
    tag_id: str = ""
    is_group: bool = False
    strategy_id: str = ""


class AcquisitionChange(StrEnum):
    """What 获客助手 says, in the platform's own words."""

    BALANCE_LOW = "balance_low"
    BALANCE_EXHAUSTED = "balance_exhausted"
    BALANCE_INCREASED = "balance_increased"
    QUOTA_EXPIRE_SOON = "quota_expire_soon"
    LINK_UNAVAILABLE = "link_unavailable"
    DELETE_LINK = "delete_link"
    OPEN_PROFILE = "open_profile"
    FRIEND_REQUEST = "friend_request"
    CUSTOMER_START_CHAT = "customer_start_chat"
    MESSAGE_FROM_CUSTOMER = "message_from_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcquisitionNotice(Event):
    """获客助手 said something. Which attributes are filled, `change` decides; the others are empty.

    `chat_key` lives 30 minutes: with it `get_chat_info` tells who wrote. `expiring` uses end at `expire_at`.
    """

    change: AcquisitionChange = AcquisitionChange.BALANCE_LOW
    link_id: str = ""
    state: str = ""
    staff_id: StaffId | None = None
    customer_id: CustomerId | None = None
    chat_key: str = ""
    expire_at: datetime | None = None
    expiring: int | None = None
