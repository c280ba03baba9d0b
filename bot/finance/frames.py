"""What goes through the pipes between the service and the child: a JSON head and bytes, each after its length. Pure.

    frame = length of the head (4 bytes, big endian), length of the body (4 bytes), head (JSON object, UTF-8), body

Questions have the head `{"call": …, …}`, answers `{"ret": return value, …}`. Bytes that are not JSON (a page, a record
in clear, a part of a file) are the body, so that nothing is encoded twice.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LENGTHS = struct.Struct(">II")
MOST_HEAD_BYTES = 64 * 1024
# A page of 1,000 records is some megabytes; a part of a file 512 KB.
MOST_BODY_BYTES = 256 * 1024 * 1024

# Answers that are not the library's own return values: those are 0 and 10000 upwards.
RET_NOT_LOADED = -1
RET_BAD_QUESTION = -2


class FrameBroken(Exception):
    """The other side does not speak this protocol (any more)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One question or answer. The `repr` leaves the contents out: they hold the secret and customers' words."""

    head: Mapping[str, Any] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


def pack_frame(frame: Frame) -> bytes:
    """Return the frame's bytes.

    Raises:
        FrameBroken: it is larger than the protocol allows.
    """
    head = json.dumps(frame.head, ensure_ascii=False).encode()
    check_lengths(len(head), len(frame.body))
    return LENGTHS.pack(len(head), len(frame.body)) + head + frame.body


def check_lengths(head: int, body: int) -> None:
    """Refuse lengths no honest frame has.

    Raises:
        FrameBroken: one of them is too large.
    """
    if head > MOST_HEAD_BYTES or body > MOST_BODY_BYTES:
        raise FrameBroken("a frame is larger than allowed")


def parse_head(raw: bytes) -> dict[str, Any]:
    """Return the head as an object.

    Raises:
        FrameBroken: it is no JSON object.
    """
    try:
        head = json.loads(raw)
    except ValueError as error:
        raise FrameBroken("a frame's head is not JSON") from error
    if not isinstance(head, dict):
        raise FrameBroken("a frame's head is not an object")
    return head
