"""Identifier types, and the one function that makes new identifiers.

The types keep an external contact's id from being passed where a staff id belongs; they cost nothing at run time.
"""

import secrets
import time
from typing import NewType

StaffId = NewType("StaffId", str)
CustomerId = NewType("CustomerId", str)
GroupChatId = NewType("GroupChatId", str)

# Crockford's base 32: no letters that are mistaken for digits when an id is read over the telephone.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id(prefix: str) -> str:
    """Return `prefix_` and 26 characters: 48 bits of milliseconds, then 80 random bits.

    Ids made later sort later (to the millisecond), so that a primary key index grows at its end.
    """
    value = (time.time_ns() // 1_000_000 << 80) | secrets.randbits(80)
    letters = []
    for _ in range(26):
        value, rest = divmod(value, 32)
        letters.append(_ALPHABET[rest])
    return f"{prefix}_{''.join(reversed(letters))}"
