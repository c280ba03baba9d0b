"""What was found in the session archive and concerns a conversation that still goes on."""

from dataclasses import dataclass

from bot.events.base import Event
from bot.ids import CustomerId, GroupChatId, StaffId


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
