"""Find and mask personal data by form and check digit: mobile, identity card, bank card, e-mail. Pure.

A number whose check digit is wrong is an order number, not a person's; it is not reported.
Source: ../shared/compliance/facts.md section 4.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from compliance.findings import Category
from compliance.folding import Folded, fold_text


@dataclass(frozen=True, slots=True)
class PersonalData:
    """One item: its kind, its span in the original text, and its value without separators."""

    category: Category
    start: int
    end: int
    value: str


_CHINESE_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")

_MOBILE = re.compile(
    r"(?<![0-9a-z])(?:\+?(?:00)?86[ -]?)?(1[3-9][0-9][ -]?[0-9]{4}[ -]?[0-9]{4})(?![0-9a-z])(?! ?(?:元|万|手|块|亿))"
)
_ID_CARD = re.compile(r"(?<![0-9a-z])([1-9][0-9]{5}[ -]?[0-9]{8}[ -]?[0-9]{3}[0-9x])(?![0-9a-z])")
_BANK_CARD = re.compile(r"(?<![0-9a-z-])([2-69](?:[ -]?[0-9]){12,18})(?![0-9a-z])")
_EMAIL = re.compile(
    r"(?<![a-z0-9._%+-])([a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?![a-z0-9])"
)

# Provinces by the first two digits; 81 to 83 are residence permits of Hong Kong, Macau and Taiwan.
_REGION_RANGES = ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 83))
_REGIONS = frozenset(str(code) for first, last in _REGION_RANGES for code in range(first, last + 1))
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10x98765432"
_CARD_LENGTHS = {
    "62": (16, 17, 18, 19),
    "4": (13, 16, 19),
    "34": (15,),
    "37": (15,),
    "35": (16,),
    "9": (16, 17, 18, 19),
}


def is_id_card(value: str) -> bool:
    """Tell whether 18 characters are an identity number: region, real date, ISO 7064 MOD 11-2 check."""
    if len(value) != 18 or value[:2] not in _REGIONS or not _is_birth_date(value[6:14]):
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, value, strict=False))
    return _ID_CHECKS[total % 11] == value[17].lower()


def _is_birth_date(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return 1900 <= born.year < 2100


def is_bank_card(value: str) -> bool:
    """Tell whether the digits are a card number: known issuer prefix with its length, and Luhn's check."""
    return _has_issuer(value) and _passes_luhn(value)


def _has_issuer(value: str) -> bool:
    if len(value) == 16 and (51 <= int(value[:2]) <= 55 or 2221 <= int(value[:4]) <= 2720):
        return True
    return any(value.startswith(prefix) and len(value) in lengths for prefix, lengths in _CARD_LENGTHS.items())


def _passes_luhn(value: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(value)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def find_personal_data(text: str | Folded) -> tuple[PersonalData, ...]:
    """Find all items, in the order of the text. A span that is two things is the first of id card, card, mobile."""
    folded = fold_text(text) if isinstance(text, str) else text
    items: list[PersonalData] = []
    for item in _candidates(folded):
        if all(item.end <= other.start or other.end <= item.start for other in items):
            items.append(item)
    return tuple(sorted(items, key=lambda item: item.start))


def _candidates(folded: Folded) -> Iterator[PersonalData]:
    if not any(char.isdigit() or char == "@" or "一" <= char <= "龥" for char in folded.text):
        return
    yield from _search(folded, folded.text, _ID_CARD, Category.PII_ID_CARD, is_id_card)
    yield from _search(folded, folded.text, _BANK_CARD, Category.PII_BANK_CARD, is_bank_card)
    # Chinese digits are read as digits for telephone numbers only: 一三八…; the translation keeps all places.
    spoken = folded.text.translate(_CHINESE_DIGITS)
    yield from _search(folded, spoken, _MOBILE, Category.PII_MOBILE, lambda value: True)
    yield from _search(folded, folded.text, _EMAIL, Category.PII_EMAIL, lambda value: True)


def _search(
    folded: Folded, text: str, pattern: re.Pattern[str], category: Category, is_valid: Callable[[str], bool]
) -> Iterator[PersonalData]:
    for found in pattern.finditer(text):
        value = found.group(1) if category is Category.PII_EMAIL else re.sub("[ -]", "", found.group(1))
        if is_valid(value):
            start, end = folded.original_span(*found.span())
            yield PersonalData(category, start, end, value)


def mask_text(text: str) -> str:
    """Return the text with every item of personal data masked; the rest stays as it is."""
    parts, position = [], 0
    for item in find_personal_data(text):
        parts += [text[position : item.start], mask_value(item)]
        position = item.end
    return "".join([*parts, text[position:]])


def mask_value(item: PersonalData) -> str:
    """Return what may be shown of an item."""
    value = item.value
    match item.category:
        case Category.PII_MOBILE:
            return f"{value[:3]}****{value[-4:]}"
        case Category.PII_ID_CARD:
            return f"{value[:3]}{'*' * 11}{value[-4:].upper()}"
        case Category.PII_BANK_CARD:
            return f"**** **** **** {value[-4:]}"
        case _:
            local, _, domain = value.partition("@")
            return f"{local[0]}***@{domain}"
