"""What we say to ourselves: a copy of ours may be stale."""

from dataclasses import dataclass
from enum import StrEnum

from bot.events.base import Event


class MirrorKind(StrEnum):
    """What is copied from the platform. Of tags there is one copy of all: `object_id` is empty or one group's."""

    CUSTOMER = "customer"
    GROUP = "group"
    MEMBER = "member"
    DEPARTMENT = "department"
    TAGS = "tags"


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorDue(Event):
    """Our copy of this object is stale: read it anew."""

    kind: MirrorKind
    object_id: str
