"""Fold a text to the form in which words are compared, and remember where every character came from. Pure.

Two layers. `fold_text` undoes what changes single characters: width and compatibility forms, case, traditional and
variant characters, invisible ones. `skeleton_view` then keeps letters only and collapses repeats. A view is one way to
read the text; further ones (pinyin, split characters, look-alikes) join `VIEW_KINDS` and nothing else changes.

Source: ../shared/compliance/facts.md section 3.1.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

# Between two sentences or two parts of one; folded forms, so that full-width commas are ASCII ones here.
SENTENCE_MARKS = frozenset(",。!?;:、\n\r()[]{}《》〈〉「」『』“”‘’\"'<>【】〔〕")
CLAUSE_MARKS = frozenset(",。!?;\n\r")

# Strokes that pass for letters but are used as separators: 保丶本.
_STROKES = frozenset("丶丨丿亅ーㄧ")
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u20e3")


def _traditional() -> dict[str, str]:
    pairs = files("compliance").joinpath("data/traditional.txt").read_text("utf-8").replace("\n", "")
    return {pairs[i]: pairs[i + 1] for i in range(0, len(pairs), 2)}


class _FoldTable(dict[str, str]):
    """Character to its folded form, filled as characters are met; bounded, since there are 1.1 million of them."""

    _LIMIT = 20_000

    def __init__(self) -> None:
        super().__init__()
        self.simplified = _traditional()

    def __missing__(self, char: str) -> str:
        folded = self._fold(char)
        if len(self) < self._LIMIT:
            self[char] = folded
        return folded

    def _fold(self, char: str) -> str:
        category = unicodedata.category(char)
        if category == "Cs":
            return "\ufffd"  # fast engines raise on lone surrogates, and JSON can produce them
        if char in "\n\r\t":
            return char
        if char in _INVISIBLE or category in ("Cf", "Cc", "Mn", "Me"):
            return ""
        plain = unicodedata.normalize("NFKC", char).lower()
        return "".join(self.simplified.get(part, part) for part in plain if unicodedata.category(part) != "Mn")


@cache
def _table() -> _FoldTable:
    return _FoldTable()


def is_invisible(char: str) -> bool:
    """Tell whether the character leaves nothing when folded: zero width, bidi, selectors, combining marks."""
    return _table()[char] == ""


def simplified_of(char: str) -> str | None:
    """Return the simplified form of a traditional or variant character, `None` for others."""
    return _table().simplified.get(char)


@dataclass(frozen=True, slots=True)
class Folded:
    """A text and its folded form. `starts[i]` is where folded character i stands in the original."""

    original: str
    text: str
    starts: Sequence[int]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Turn a non-empty span of the folded text into one of the original."""
        return self.starts[start], self.starts[end - 1] + 1


def fold_text(original: str) -> Folded:
    """Fold width, case and variants, and drop what cannot be seen."""
    table = _table()
    parts = [table[char] for char in original]
    text = "".join(parts)
    if len(text) == len(original) and all(len(part) == 1 for part in parts):
        return Folded(original, text, range(len(original)))
    starts = [index for index, part in enumerate(parts) for _ in part]
    return Folded(original, text, starts)


@dataclass(frozen=True, slots=True)
class View:
    """One way to read a text: letters, where each stands in the folded text, and how often it is repeated there."""

    kind: str
    text: str
    spans: Sequence[tuple[int, int]]
    counts: Sequence[int]


def skeleton_view(folded: Folded) -> View:
    """Keep letters and digits only, repeated letters once; digits are never collapsed."""
    letters: list[str] = []
    spans: list[tuple[int, int]] = []
    counts: list[int] = []
    sentence_ended = False
    for index, char in enumerate(folded.text):
        if not _is_letter(char, letters):
            sentence_ended = sentence_ended or char in SENTENCE_MARKS
            continue
        if letters and char == letters[-1] and not char.isdigit() and not sentence_ended:
            spans[-1] = (spans[-1][0], index + 1)
            counts[-1] += 1
        else:
            letters.append(char)
            spans.append((index, index + 1))
            counts.append(1)
        sentence_ended = False
    return View("skeleton", "".join(letters), spans, counts)


def _is_letter(char: str, before: Sequence[str]) -> bool:
    if char == "%":
        # "100%" is part of a word, "保%本" is not.
        return bool(before) and before[-1].isdigit()
    return char.isalnum() and char not in _STROKES


@dataclass(frozen=True, slots=True)
class ViewKind:
    """A way to read texts and lexicon words alike."""

    name: str
    read: Callable[[Folded], View]


VIEW_KINDS: tuple[ViewKind, ...] = (ViewKind("skeleton", skeleton_view),)


def normal_form(word: str) -> str:
    """Return the form under which two lexicon words are the same: folded, letters only, repeats kept."""
    view = skeleton_view(fold_text(word))
    return "".join(letter * count for letter, count in zip(view.text, view.counts, strict=True))
