"""Whole numbers as people write them in Chinese chat: 「三十五」, 「两百」, 「廿八」, 「15」.

Pure. Knows nothing of units, money or dates; `amounts` and `times` build on it.
"""

import unicodedata

DIGITS = {
    "零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "俩": 2, "三": 3, "仨": 3, "四": 4,
    "五": 5, "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
SMALL_UNITS = {"十": 10, "百": 100, "千": 1000}
BIG_UNITS = {"万": 10_000, "亿": 100_000_000}
NUMERAL_CHARS = "".join(DIGITS) + "".join(SMALL_UNITS) + "廿卅"
NUMERAL = rf"(?:\d+|[{NUMERAL_CHARS}]+)"


def fold_width(text: str) -> str:
    """Turn full-width digits, letters and signs into plain ones without changing any offset.

    Only characters whose compatibility form is one character are replaced, so spans found in the folded text
    are spans of the original.
    """
    return "".join(_fold_char(char) for char in text)


def parse_numeral(text: str) -> int | None:
    """Read a whole number below 10,000 multiplied by at most 万 and 亿; `None` when it is not one.

    「一五」 without units is read digit by digit (15), as people write years and phone parts.
    """
    text = text.strip()
    if not text:
        return None
    if text.isascii():
        return int(text) if text.isdigit() else None
    text = text.replace("廿", "二十").replace("卅", "三十")
    if all(char in DIGITS for char in text):
        return int("".join(str(DIGITS[char]) for char in text))
    return _read_units(text)


def _read_units(text: str) -> int | None:
    total, section, digit = 0, 0, -1
    for char in text:
        if char in DIGITS:
            digit = DIGITS[char]
        elif char in SMALL_UNITS:
            # a unit without a digit before it counts once: 十五, 百来个
            section += (1 if digit < 0 else digit) * SMALL_UNITS[char]
            digit = -1
        elif char in BIG_UNITS:
            total = (total + section + max(digit, 0)) * BIG_UNITS[char]
            section, digit = 0, -1
        else:
            return None
    return total + section + max(digit, 0)


def _fold_char(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char
