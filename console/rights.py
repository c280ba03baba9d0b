"""Who may do what in the console: three roles, one table. Routes name the right, never the role."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a person is to the console."""

    RM = "rm"
    OFFICER = "officer"
    ADMIN = "admin"


class Right(StrEnum):
    """One thing that may be allowed. `PUBLIC` needs no login and `SIGNED_IN` any login."""

    PUBLIC = "public"
    SIGNED_IN = "signed_in"
    SIMULATE = "simulate"
    READ_SCRIPTS = "read_scripts"
    READ_BROADCASTS = "read_broadcasts"
    SEND_REPLIES = "send_replies"
    REVIEW_CASES = "review_cases"
    READ_AUDIT = "read_audit"
    READ_HEALTH = "read_health"
    PROBE_GROUPS = "probe_groups"


RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.RM: frozenset(
        {Right.SIGNED_IN, Right.SIMULATE, Right.READ_SCRIPTS, Right.READ_BROADCASTS, Right.SEND_REPLIES}
    ),
    Role.OFFICER: frozenset(
        {
            Right.SIGNED_IN,
            Right.SIMULATE,
            Right.READ_SCRIPTS,
            Right.READ_BROADCASTS,
            Right.REVIEW_CASES,
            Right.READ_AUDIT,
        }
    ),
    Role.ADMIN: frozenset(
        {
            Right.SIGNED_IN,
            Right.SIMULATE,
            Right.READ_SCRIPTS,
            Right.READ_BROADCASTS,
            Right.READ_AUDIT,
            Right.READ_HEALTH,
            Right.PROBE_GROUPS,
        }
    ),
}


def has_right(role: Role, right: Right) -> bool:
    """Tell whether `role` holds `right`."""
    return right in RIGHTS[role]
