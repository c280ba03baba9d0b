"""Match what a colleague calls a customer (王芳, 王总, 小王, 芳姐) with names and remarks. Pure.

The result orders candidates; it never decides between two people. Source of the forms of address: common usage.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

_COMPOUND_SURNAMES = ("欧阳", "司马", "上官", "诸葛", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "夏侯", "司徒")
_MALE_TITLES = ("先生", "大哥", "叔叔", "大爷", "哥", "叔", "爷")
_FEMALE_TITLES = ("女士", "小姐", "太太", "大姐", "阿姨", "姐", "姨")
_OTHER_TITLES = ("老板", "经理", "主任", "老师", "医生", "律师", "教授", "会计", "总", "董", "工")
_TITLES = tuple(sorted(_MALE_TITLES + _FEMALE_TITLES + _OTHER_TITLES, key=len, reverse=True))
_FAMILIAR = ("小", "老", "阿")
_BREAKS = re.compile(r"[\s,，、/|·\-—_()（）【】\[\]]+")

MALE, FEMALE = 1, 2


class NameFit(IntEnum):
    """How well a name fits; smaller is better."""

    EXACT = 0
    FULL_NAME_WITH_TITLE = 1
    ADDRESS = 2
    PART = 3


@dataclass(frozen=True, slots=True)
class Named:
    """A person with the name they gave themselves, the member's remark, and gender (0 unknown, 1 male, 2 female)."""

    id: str
    name: str
    remark: str
    gender: int


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A person who may be meant."""

    id: str
    fit: NameFit


def rank_names(query: str, people: Iterable[Named], limit: int = 20) -> list[NameMatch]:
    """List who may be meant, the best fit first, ties by id; empty when nobody fits.

    When somebody's name or remark is exactly the query, only such people are returned.
    """
    asked = normalise_name(query)
    if not asked:
        return []
    matches = [NameMatch(person.id, fit) for person in people if (fit := match_person(asked, person)) is not None]
    matches.sort(key=lambda match: (match.fit, match.id))
    exact = [match for match in matches if match.fit is NameFit.EXACT]
    return (exact or matches)[:limit]


def match_person(asked: str, person: Named) -> NameFit | None:
    """Return the best fit of the (normalised) query with the person's name or any part of the remark."""
    fits = [fit for own in _own_names(person) if (fit := _match_name(asked, own, person.gender)) is not None]
    return min(fits, default=None)


def normalise_name(name: str) -> str:
    """Return the name in compatibility form, without outer and inner white space, in lower case."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", name)).casefold()


def _own_names(person: Named) -> list[str]:
    whole = [normalise_name(person.name), normalise_name(person.remark)]
    pieces = [normalise_name(piece) for piece in _BREAKS.split(person.remark)]
    return [own for own in dict.fromkeys(whole + pieces) if own]


def _match_name(asked: str, own: str, gender: int) -> NameFit | None:
    if asked == own:
        return NameFit.EXACT
    if _looks_like_a_name(own):
        titled = _match_title(asked, own, gender)
        if titled is not None:
            return titled
        if asked[0] in _FAMILIAR and len(asked) >= 2 and _fits_surname_or_given(asked[1:], own):
            return NameFit.ADDRESS
    if own.startswith(asked) or (len(asked) >= 2 and own.endswith(asked)):
        return NameFit.PART
    return None


def _looks_like_a_name(own: str) -> bool:
    # A remark's piece such as 「王芳介绍」 begins with a surname, but is not whom one addresses by it.
    return len(own) <= (4 if own.startswith(_COMPOUND_SURNAMES) else 3)


def _match_title(asked: str, own: str, gender: int) -> NameFit | None:
    title = next((title for title in _TITLES if asked.endswith(title) and len(asked) > len(title)), None)
    if title is None or not _suits(title, gender):
        return None
    called = asked.removesuffix(title)
    if called == own:
        return NameFit.FULL_NAME_WITH_TITLE
    bare = called[1:] if called[0] in _FAMILIAR and len(called) >= 2 else called
    return NameFit.ADDRESS if _fits_surname_or_given(bare, own) else None


def _suits(title: str, gender: int) -> bool:
    if title in _MALE_TITLES:
        return gender != FEMALE
    if title in _FEMALE_TITLES:
        return gender != MALE
    return True


def _fits_surname_or_given(called: str, own: str) -> bool:
    surname = next((double for double in _COMPOUND_SURNAMES if own.startswith(double)), own[:1])
    given = own.removeprefix(surname)
    return called in (surname, given) or (len(called) == 1 and given.endswith(called))
