"""Find many words at once, overlaps included: three implementations behind one interface. Pure.

daachorse is the fastest measured here; ahocorasick-rs runs where it has no wheel; the trie in Python runs anywhere.
All take non-empty, distinct patterns and report code points.
"""

from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, TypeAlias

Hit: TypeAlias = tuple[int, int, int]
"""(start, end, index of the pattern)"""


class Engine(Protocol):
    """A set of patterns ready to be searched for."""

    def find_overlapping(self, text: str) -> list[Hit]:
        """Return every occurrence of every pattern, sorted."""
        ...


class EngineKind(StrEnum):
    """Which implementation."""

    DAACHORSE = "daachorse"
    AHOCORASICK_RS = "ahocorasick-rs"
    PYTHON = "python"


class DaachorseEngine:
    """Character-wise double-array automaton."""

    def __init__(self, patterns: Sequence[str]) -> None:
        from daachorse import CharwiseDoubleArrayAhoCorasick  # noqa: PLC0415  optional at run time

        self._automaton = CharwiseDoubleArrayAhoCorasick(list(patterns))

    def find_overlapping(self, text: str) -> list[Hit]:
        """Return every occurrence of every pattern, sorted."""
        return sorted(self._automaton.find_overlapping(text))


class AhoCorasickRsEngine:
    """The automaton of the Rust `aho-corasick` crate."""

    def __init__(self, patterns: Sequence[str]) -> None:
        from ahocorasick_rs import AhoCorasick, MatchKind  # noqa: PLC0415  optional at run time

        self._automaton = AhoCorasick(list(patterns), matchkind=MatchKind.Standard)

    def find_overlapping(self, text: str) -> list[Hit]:
        """Return every occurrence of every pattern, sorted."""
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        return sorted((start, end, index) for index, start, end in found)


class PythonEngine:
    """Aho and Corasick's automaton in plain Python: linear in the text, about 50 times slower than the others."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._children: list[dict[str, int]] = [{}]
        self._failure: list[int] = [0]
        self._found: list[list[tuple[int, int]]] = [[]]  # (length, pattern) that end in this state
        for index, pattern in enumerate(patterns):
            self._add(pattern, index)
        self._link()

    def _add(self, pattern: str, index: int) -> None:
        state = 0
        for char in pattern:
            following = self._children[state].get(char)
            if following is None:
                following = len(self._children)
                self._children[state][char] = following
                self._children.append({})
                self._failure.append(0)
                self._found.append([])
            state = following
        self._found[state].append((len(pattern), index))

    def _link(self) -> None:
        queue = deque(self._children[0].values())
        while queue:
            state = queue.popleft()
            for char, child in self._children[state].items():
                self._failure[child] = self._step(self._failure[state], char)
                self._found[child] = self._found[child] + self._found[self._failure[child]]
                queue.append(child)

    def _step(self, state: int, char: str) -> int:
        while state and char not in self._children[state]:
            state = self._failure[state]
        return self._children[state].get(char, 0)

    def find_overlapping(self, text: str) -> list[Hit]:
        """Return every occurrence of every pattern, sorted."""
        state, hits = 0, []
        for end, char in enumerate(text, 1):
            state = self._step(state, char)
            hits += [(end - length, end, index) for length, index in self._found[state]]
        return sorted(hits)


def build_engine(patterns: Sequence[str], kind: EngineKind | None = None) -> Engine:
    """Build the named engine, or the fastest one that can be imported.

    Raises:
        ValueError: a pattern is empty or occurs twice.
    """
    if not all(patterns) or len(set(patterns)) != len(patterns):
        raise ValueError("patterns must be distinct and not empty")
    if not patterns:
        return PythonEngine(patterns)
    if kind is not None:
        return _ENGINES[kind](patterns)
    for engine in _ENGINES.values():
        try:
            return engine(patterns)
        except ImportError:
            continue
    raise AssertionError("the engine in Python needs no import")


_ENGINES: dict[EngineKind, type[DaachorseEngine] | type[AhoCorasickRsEngine] | type[PythonEngine]] = {
    EngineKind.DAACHORSE: DaachorseEngine,
    EngineKind.AHOCORASICK_RS: AhoCorasickRsEngine,
    EngineKind.PYTHON: PythonEngine,
}
