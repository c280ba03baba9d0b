"""What is handed to the platform, and what comes back: the values every way of sending shares."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.context import Address, Content


@dataclass(frozen=True, slots=True)
class Parcel:
    """One reply to be delivered.

    `key` is the same for every attempt and unlike any other parcel's (at most 32 of `[0-9A-Za-z_-]`). `in_doubt`: an
    earlier attempt, the first of which began at `attempted_at`, may have arrived, so that the platform is asked to
    leave out a repeat, or asked first; then `known_msgids` are what it gave to other parcels of this recipient.
    """

    address: Address
    content: Content
    key: str
    in_doubt: bool
    attempted_at: datetime
    known_msgids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's answer."""

    msgid: str | None
    result: dict[str, Any]
