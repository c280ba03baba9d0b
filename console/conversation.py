"""A message cut into plain and marked parts, so that a template can mark what rules pointed at. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from console.formats import masked

_AROUND = 28


@dataclass(frozen=True, slots=True)
class Part:
    """A run of text; `is_hit` when a rule pointed at it."""

    text: str
    is_hit: bool


def mark_text(text: str, spans: Iterable[tuple[int, int]]) -> tuple[Part, ...]:
    """Cut `text` at the spans (code points, half-open, may overlap); personal numbers are masked throughout."""
    shown = masked(text)
    parts: list[Part] = []
    position = 0
    for start, end in _joined(spans, len(shown)):
        if start > position:
            parts.append(Part(shown[position:start], False))
        parts.append(Part(shown[start:end], True))
        position = end
    if position < len(shown):
        parts.append(Part(shown[position:], False))
    return tuple(parts)


def _joined(spans: Iterable[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Return the spans in order, those that overlap or touch as one."""
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        low, high = max(0, start), min(end, length)
        if low >= high:
            continue
        if joined and low <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return joined


def cut_excerpt(text: str, start: int, end: int) -> tuple[Part, ...]:
    """Return the hit with a little on both sides, for a list."""
    low, high = max(0, start - _AROUND), min(len(text), end + _AROUND)
    parts = mark_text(masked(text)[low:high], [(start - low, end - low)])
    before = (Part("…", False),) if low else ()
    after = (Part("…", False),) if high < len(text) else ()
    return (*before, *parts, *after)
