"""Cuts a text that is too long for one message where a reader would: after a sentence, else a clause, else a word.

Never inside what must stay whole: a character with all that is joined to it (an emoji of several code points), an
address, a link with its words, a tag. Pure.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from enum import IntEnum

_ZWJ = "\u200d"
_SENTENCE_ENDS = frozenset("。！？；…\n")
_LATIN_SENTENCE_ENDS = frozenset(".!?;")
_CLAUSE_ENDS = frozenset("，、：,:—")
_CLOSERS = frozenset("”’」』）》】〉\"')]}>")
# A part that ends sooner than this share of the limit would be wasted; a worse border further on is taken instead.
_LEAST_SHARE = 1 / 3

# An anchor with its words, a coloured or linked piece of Markdown, any tag, an address (which is all ASCII).
_WHOLE = re.compile(
    r"""<a\b[^>]*>.*?</a>
    | <font\b[^>]*>.*?</font>
    | !?\[[^\]\n]*\]\([^)\s]*\)
    | <[A-Za-z/@][^<>\n]*>
    | [A-Za-z][A-Za-z0-9+.-]*://[!#-;=?-~]+
    """,
    re.VERBOSE | re.DOTALL,
)


class Border(IntEnum):
    """How good a place is to cut: the higher the better."""

    CHARACTER = 0
    WORD = 1
    CLAUSE = 2
    SENTENCE = 3


class CannotCut(ValueError):
    """A piece that must stay whole is longer than the limit by itself. `size_bytes` is its size."""

    def __init__(self, size_bytes: int) -> None:
        super().__init__("a piece that must stay whole is too long")
        self.size_bytes = size_bytes


def size_of(text: str) -> int:
    """Return the bytes of UTF-8, as the platform counts them."""
    return len(text.encode("utf-8", "surrogatepass"))


def cut_text(text: str, limit_bytes: int) -> tuple[str, ...]:
    """Return the text in parts of at most `limit_bytes`. Only white space where it is cut is left out.

    Raises:
        CannotCut: a piece that must stay whole does not fit.
    """
    if size_of(text) <= limit_bytes:
        return (text,)
    atoms = list(iter_atoms(text))
    sizes = [size_of(atom) for atom in atoms]
    parts: list[str] = []
    start = 0
    while start < len(atoms):
        end = _end_of_part(atoms, sizes, start, limit_bytes)
        part = "".join(atoms[start:end])
        whole = part.strip() if parts else part.rstrip()
        if whole:
            parts.append(whole)
        start = end
    return tuple(parts)


def _end_of_part(atoms: Sequence[str], sizes: Sequence[int], start: int, limit: int) -> int:
    """Return the best place to end the part that begins at `start`."""
    best, best_rank, used = start, -1, 0
    for position in range(start, len(atoms)):
        used += sizes[position]
        if used > limit and not atoms[position].isspace():
            break
        if used > limit:  # white space at the cut is left out, so it need not fit
            return position + 1 if best_rank < Border.CLAUSE else best
        rank = border_after(atoms, position) if used >= limit * _LEAST_SHARE else Border.CHARACTER
        if rank >= best_rank:
            best, best_rank = position + 1, rank
    else:
        return len(atoms)
    if best == start:
        raise CannotCut(sizes[start])
    return best


def border_after(atoms: Sequence[str], position: int) -> Border:
    """Return how good it is to cut after an atom."""
    here = atoms[position]
    after = atoms[position + 1] if position + 1 < len(atoms) else "\n"
    if here == "\n":
        return Border.SENTENCE
    if after in _CLOSERS or after in _SENTENCE_ENDS - {"\n"} or after in _CLAUSE_ENDS:
        return Border.CHARACTER
    ended = next((atoms[at] for at in range(position, -1, -1) if atoms[at] not in _CLOSERS), "")
    if ended in _SENTENCE_ENDS or (ended in _LATIN_SENTENCE_ENDS and after.isspace()):
        return Border.SENTENCE
    if ended in _CLAUSE_ENDS:
        return Border.CLAUSE
    return Border.CHARACTER if _is_latin(here) and _is_latin(after) else Border.WORD


def _is_latin(atom: str) -> bool:
    return atom.isascii() and atom.isalnum()


def iter_atoms(text: str) -> Iterator[str]:
    """Yield the pieces of a text that must stay whole; joined they are the text."""
    position = 0
    for match in _WHOLE.finditer(text):
        yield from _characters(text[position : match.start()])
        yield match[0]
        position = match.end()
    yield from _characters(text[position:])


def _characters(text: str) -> Iterator[str]:
    """Yield what a reader takes for one character each."""
    begin = 0
    for position in range(1, len(text)):
        if not _is_joined(text, begin, position):
            yield text[begin:position]
            begin = position
    if text:
        yield text[begin:]


def _is_joined(text: str, begin: int, position: int) -> bool:
    """Say whether the code point at `position` belongs to the character that begins at `begin`."""
    here, before = text[position], text[position - 1]
    if before in (_ZWJ, "\u034f") or here == _ZWJ:
        return True
    if _is_region(here) and _is_region(before):
        return (position - begin) % 2 == 1  # flags are pairs
    return (before == "\r" and here == "\n") or _extends(here)


def _is_region(code_point: str) -> bool:
    return "\U0001f1e6" <= code_point <= "\U0001f1ff"


def _extends(code_point: str) -> bool:
    """Say whether it changes the one before: an accent, a variant, a skin colour, a flag's letter, a vowel sign."""
    return (
        "\U0001f3fb" <= code_point <= "\U0001f3ff"
        or "\U000e0020" <= code_point <= "\U000e007f"
        or "\u1160" <= code_point <= "\u11ff"
        or unicodedata.category(code_point) in ("Mn", "Me", "Mc")
    )
