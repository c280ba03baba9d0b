"""Members, departments and member tags changed (90970, 90971, 90972).

Newer callback URLs get ids only, and the object must be read by its API. `None` means therefore "not sent", which is
not the same as empty.
"""

from dataclasses import dataclass

from bot.events.base import Change, Event
from bot.ids import StaffId


@dataclass(frozen=True, slots=True)
class MemberAttribute:
    """One of the corp's own attributes of a member. `kind` is `text` or `web`; of a web one `value` is its address."""

    name: str
    kind: str
    value: str
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChanged(Event):
    """A member was created, updated or deleted.

    `new_staff_id` is set when the member was renamed. `status`: 1 active, 2 disabled, 4 not activated, 5 left.
    `leads` answers for each of `departments`, in their order, whether the member leads it.
    """

    change: Change = Change.UPDATED
    staff_id: StaffId
    new_staff_id: StaffId | None = None
    departments: tuple[int, ...] | None = None
    main_department: int | None = None
    leads: tuple[bool, ...] | None = None
    direct_leaders: tuple[StaffId, ...] | None = None
    name: str | None = None
    alias: str | None = None
    position: str | None = None
    mobile: str | None = None
    telephone: str | None = None
    email: str | None = None
    biz_mail: str | None = None
    gender: str | None = None
    avatar: str | None = None
    address: str | None = None
    status: int | None = None
    attributes: tuple[MemberAttribute, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentChanged(Event):
    """A department was created, updated or deleted."""

    change: Change = Change.UPDATED
    department_id: int | None = None
    name: str | None = None
    parent_id: int | None = None
    order: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTagChanged(Event):
    """Members or departments were put under a member tag, or taken from it."""

    tag_id: str = ""
    added_staff: tuple[StaffId, ...] = ()
    removed_staff: tuple[StaffId, ...] = ()
    added_departments: tuple[int, ...] = ()
    removed_departments: tuple[int, ...] = ()
