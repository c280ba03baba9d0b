"""From a Chinese sentence to weighted terms: characters, pairs of characters, words, and banking synonym groups.

Pure. The word list of jieba is read (by its Rust twin rjieba, same cuts) at the first use, about 0.1 s, so that
importing this module costs nothing.
"""

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import cast

from ahocorasick_rs import AhoCorasick, MatchKind

# Politeness and padding: they say nothing about the matter, and a polite question must not lose against a curt one.
_FILLERS = re.compile(
    "您好|你好|请问一下|请问|麻烦问下|麻烦|想问一下|想问下|想问问|问一下|问下|咨询一下|咨询|打听一下|那个|这个|一下|帮我|"
    "帮忙|谢谢|谢啦|哈喽|在吗|在么|亲|哎|诶|嗯|唉|急急急|你们银行|咱们银行|咱行|你们行|你们|咱们|我们行|贵行|我行|本行"
)
_NOT_TEXT = re.compile(r"[^0-9a-z㐀-鿿+.%]+")
_ODD_DOTS = re.compile(r"(?<![0-9])\.|\.(?![0-9])")
_LATIN = re.compile(r"[0-9a-z]")
_RUNS = re.compile(r"[0-9a-z+.%]+|[㐀-鿿]")
# Usual slips of the pen and of the input method, mended before anything else looks at the text.
_SLIPS = str.maketrans("帐陆麽嚒咔账", "账录么么卡账")
_STOP = frozenset(
    "的了吗呢啊吧呀么我你您他她它们是有在就都也和与及个这那把被给让要会还又很太最啦嘛哦哈额呃着过得地之为对"
)

_KIND_WEIGHT = {"u": 0.3, "b": 1.0, "w": 0.6, "c": 2.2, "q": 0.5}


@dataclass(frozen=True, slots=True)
class Terms:
    """An analysed sentence: the folded text, and each distinct term with the weight of its kind."""

    text: str
    weights: dict[str, float]


def fold(text: str) -> str:
    """Return the text in one form: compatibility forms and width folded, lower case, no punctuation, no padding words.

    Parts that punctuation separated stay separated by one space. A text of nothing but padding is kept as it is.
    """
    plain = unicodedata.normalize("NFKC", text).lower().translate(_SLIPS)
    plain = _ODD_DOTS.sub(" ", _NOT_TEXT.sub(" ", plain))
    lean = " ".join(_FILLERS.sub("", plain).split())
    return lean or " ".join(plain.split())


def analyse(text: str) -> Terms:
    """Return the weighted terms of a sentence.

    Terms are marked by kind: `u` one character, `b` two neighbours, `w` a word, `c` a synonym group, `q` a kind of
    question. Particles count only together with something else.
    """
    folded = fold(text)
    weights: dict[str, float] = {}
    for part in folded.split():
        for term in _characters(part):
            weights[term] = _KIND_WEIGHT[term[0]]
    for word in _cut()(folded):
        if len(word) > 1 and not word.isspace():
            weights["w" + word] = _KIND_WEIGHT["w"]
    for group in _groups().find(folded.replace(" ", "")):
        weights[group] = _KIND_WEIGHT[group[0]]
    return Terms(folded, weights)


def label(term: str) -> str:
    """Return a term as it is shown to people: `≈词` for a synonym group, the characters themselves for the rest."""
    return f"≈{term[1:]}" if term[0] in "cq" else term[1:]


def warm_up() -> None:
    """Read the word list and the synonyms now, so that the first question does not wait for them."""
    analyse("预热")


def _characters(part: str) -> Iterable[str]:
    units = _RUNS.findall(part)
    for unit in units:
        if unit not in _STOP:
            yield "u" + unit
    for left, right in pairwise(units):
        if not (left in _STOP and right in _STOP):
            yield "b" + left + right


class _Groups:
    """Finds synonym groups in a text; the longest phrase wins where several begin."""

    def __init__(self, groups: dict[str, tuple[str, ...]]) -> None:
        members: dict[str, list[str]] = {}
        for group, phrases in groups.items():
            for phrase in phrases:
                members.setdefault(phrase, []).append(group)
        self._members = [tuple(found) for found in members.values()]
        self._automaton = AhoCorasick(list(members), matchkind=MatchKind.LeftmostLongest)

    def find(self, text: str) -> set[str]:
        """Return the groups in a text without spaces. A figure or Latin word counts only whole: R1 is not in R15."""
        hits = self._automaton.find_matches_as_indexes(text)
        return {
            group
            for index, start, end in hits
            if not (_is_cut(text, start) or _is_cut(text, end))
            for group in self._members[index]
        }


def _is_cut(text: str, place: int) -> bool:
    """Return whether a border at `place` would cut a figure or a Latin word in two."""
    return bool(0 < place < len(text) and _LATIN.match(text[place - 1]) and _LATIN.match(text[place]))


@cache
def _groups() -> _Groups:
    raw = tomllib.loads(resources.files(__package__).joinpath("synonyms.toml").read_text(encoding="utf-8"))
    groups: dict[str, tuple[str, ...]] = {}
    for section, entries in raw.items():
        mark = "q" if section == "question" else "c"
        for name, phrases in entries.items():
            groups[mark + name] = tuple(unicodedata.normalize("NFKC", phrases).lower().split())
    return _Groups(groups)


@cache
def _cut() -> Callable[[str], list[str]]:
    try:
        import rjieba  # noqa: PLC0415  reading its dictionary takes 0.1 s: only when words are wanted

        return cast(Callable[[str], list[str]], rjieba.cut)
    except ImportError:  # no wheel for this machine: same cuts, slower
        import jieba  # noqa: PLC0415

        return cast(Callable[[str], list[str]], jieba.lcut)
