"""The life of an answer's stream. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class StreamState(StrEnum):
    """open → answered → fetched; open → timed_out; answered → by_url → said_by_url | lost, or back to answered.

    `open`: the person sees that we are thinking. `answered`: the whole answer is in the row. `fetched`: the platform
    has taken it. `timed_out`: the time was up first, an honest line was said; the answer goes through the
    response_url. `by_url`: the platform never came for the answer, so it is being said through the response_url
    (back to `answered` when that could not be reached).
    """

    OPEN = "open"
    ANSWERED = "answered"
    FETCHED = "fetched"
    TIMED_OUT = "timed_out"
    BY_URL = "by_url"
    SAID_BY_URL = "said_by_url"
    LOST = "lost"


TRANSITIONS: Mapping[StreamState, frozenset[StreamState]] = {
    StreamState.OPEN: frozenset({StreamState.ANSWERED, StreamState.TIMED_OUT}),
    StreamState.ANSWERED: frozenset({StreamState.FETCHED, StreamState.BY_URL}),
    StreamState.BY_URL: frozenset({StreamState.SAID_BY_URL, StreamState.LOST, StreamState.ANSWERED}),
    StreamState.FETCHED: frozenset(),
    StreamState.TIMED_OUT: frozenset(),
    StreamState.SAID_BY_URL: frozenset(),
    StreamState.LOST: frozenset(),
}


def can_move(old: StreamState, new: StreamState) -> bool:
    """Say whether a stream in `old` may go to `new`."""
    return new in TRANSITIONS[old]
