"""The customer card (客户卡片) as a value and as words. Pure: no database, no clock."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

from bot.texts import Texts

# A mainland mobile number, also with spaces or hyphens inside, but not a part of a longer number.
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[\s-]?)?(1[3-9]\d)[\s-]?(\d{4})[\s-]?(\d{4})(?!\d)")
_LONG_NUMBER = re.compile(r"(?<!\d)\d{12,}(?!\d)")


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """A customer as one member sees them. Phone numbers and long numbers in it are masked already.

    `tags` are names; `risk_level` "C1" to "C5"; `groups` are the names of groups the customer is in and this member
    owns or sits in; `None` means not known.
    """

    customer_id: str
    staff_id: str
    name: str
    remark: str
    tags: tuple[str, ...]
    risk_level: str | None
    tier: str | None
    stage: str | None
    mobiles: tuple[str, ...]
    added_at: datetime | None
    groups: tuple[str, ...]
    last_contact_at: datetime | None
    opted_out: bool


def mask_mobile(number: str) -> str:
    """Return a phone number with its middle hidden: 138****0000. What is no mainland mobile keeps its last 2 digits."""
    if _MOBILE.search(number):
        return mask_numbers(number)
    digits = re.sub(r"\D", "", number)
    return "*" * max(len(digits) - 2, 0) + digits[-2:]


def mask_numbers(text: str) -> str:
    """Return the text with mobile numbers and numbers of 12 or more digits (cards, identity papers) masked."""
    masked = _MOBILE.sub(lambda found: f"{found[1]}****{found[3]}", text)
    return _LONG_NUMBER.sub(lambda found: "*" * (len(found[0]) - 4) + found[0][-4:], masked)


def render_title(card: CustomerCard, texts: Texts) -> str:
    """Return the card's head line."""
    return texts.render("card.title", name=card.name)


def render_facts(card: CustomerCard, texts: Texts, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Return (label, value) pairs in the order of the card; times in `zone`. Empty optional facts are left out."""
    unknown = texts["card.unknown"]
    facts: list[tuple[str, str]] = []
    if card.remark and card.remark != card.name:
        facts.append((texts["card.remark"], card.remark))
    facts.append((texts["card.risk_level"], texts[f"risk.{card.risk_level}"] if card.risk_level else unknown))
    facts.append((texts["card.tier"], card.tier or unknown))
    if card.stage:
        facts.append((texts["card.stage"], card.stage))
    for key, values in (("tags", card.tags), ("mobiles", card.mobiles), ("groups", card.groups)):
        if values:
            facts.append((texts[f"card.{key}"], texts["card.separator"].join(values)))
    if card.opted_out:
        facts.append((texts["card.opted_out"], texts["card.opted_out_yes"]))
    facts.append((texts["card.added_at"], _day(card.added_at, zone) or unknown))
    facts.append((texts["card.last_contact_at"], _day(card.last_contact_at, zone) or texts["card.never"]))
    return tuple(facts)


def _day(at: datetime | None, zone: tzinfo) -> str | None:
    return at.astimezone(zone).strftime("%Y-%m-%d") if at else None
