"""The framed protocol between the service and the child."""

import pytest

from bot.finance.frames import LENGTHS, MOST_HEAD_BYTES, Frame, FrameBroken, check_lengths, pack_frame, parse_head


def test_a_frame_tells_its_lengths_and_keeps_bytes_as_they_are() -> None:
    packed = pack_frame(Frame({"call": "decrypt", "key": "钥匙"}, b"\x00\xff"))
    head_length, body_length = LENGTHS.unpack(packed[: LENGTHS.size])
    rest = packed[LENGTHS.size :]
    assert parse_head(rest[:head_length]) == {"call": "decrypt", "key": "钥匙"}
    assert rest[head_length:] == b"\x00\xff"
    assert body_length == 2


def test_a_frame_shows_nothing_of_its_contents() -> None:
    assert "topsecret" not in repr(Frame({"secret": "topsecret"}, b"topsecret"))


@pytest.mark.parametrize(("head", "body"), [(MOST_HEAD_BYTES + 1, 0), (0, 2**32 - 1)])
def test_lengths_nobody_means_are_refused(head: int, body: int) -> None:
    with pytest.raises(FrameBroken):
        check_lengths(head, body)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff"])
def test_a_head_that_is_no_object_is_refused(raw: bytes) -> None:
    with pytest.raises(FrameBroken):
        parse_head(raw)
