"""What the bytes of an uploaded file say about it: pixels of a picture, seconds of a voice or a film."""

import struct

PNG = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
AMR = b"#!AMR\n"
AMR_FRAME_BYTES = (13, 14, 16, 18, 20, 21, 27, 32, 6)  # with the table-of-contents byte, by frame type
AMR_FRAMES_PER_SECOND = 50
JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # start-of-frame markers


def read_pixels(content: bytes) -> tuple[int, int] | None:
    """Return (width, height) of a PNG or JPEG, None when its head cannot be read."""
    if content.startswith(PNG) and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    return _jpeg_pixels(content) if content.startswith(JPEG) else None


def _jpeg_pixels(content: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker in JPEG_SIZES:
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(content[at + 2 : at + 4])
    return None


def count_voice_seconds(content: bytes) -> float:
    """Return the length of an AMR voice; what is not a frame ends it."""
    at, frames = len(AMR), 0
    while at < len(content):
        kind = content[at] >> 3 & 0x0F
        at += AMR_FRAME_BYTES[kind] if kind < len(AMR_FRAME_BYTES) else 1
        frames += 1
    return frames / AMR_FRAMES_PER_SECOND


def is_film(content: bytes) -> bool:
    """Say whether the bytes begin as an MP4 does."""
    return content[4:8] == b"ftyp"


def count_film_seconds(content: bytes) -> float | None:
    """Return the length of an MP4 from its movie header (version 0 or 1), None when there is none."""
    at = content.find(b"mvhd")
    if at < 0 or len(content) < at + 36:
        return None
    if content[at + 4] == 1:
        scale, length = struct.unpack(">IQ", content[at + 24 : at + 36])
    else:
        scale, length = struct.unpack(">II", content[at + 16 : at + 24])
    return float(length / scale) if scale else None
