"""Amounts of money as spoken in a bank: 「三万五」, 「50w」, 「500个」 (500 × 10,000), 「五十到八十万」.

Pure. `find_amounts` looks for amounts inside a sentence and therefore wants a unit; `parse_amount` reads a text
that is nothing but an amount and accepts bare figures too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from handlers.numerals import DIGITS, SMALL_UNITS, fold_width, parse_numeral

_DIGIT_CHARS = "".join(DIGITS)
_SCALES = {
    "百": Decimal(100), "千": Decimal(1000), "k": Decimal(1000), "万": Decimal(10_000), "w": Decimal(10_000),
    "十万": Decimal(100_000), "百万": Decimal(1_000_000), "千万": Decimal(10_000_000), "亿": Decimal(100_000_000),
}  # fmt: skip
_SCALE = r"(?:十万|百万|千万|[百千kKwW万亿])"
_ARABIC = r"\d+(?:,\d{3})*(?:\.\d+)?"
_SPOKEN = rf"[{_DIGIT_CHARS}十百千万亿]+"
_VAGUE = "[几来多余]"
_ONE = (
    rf"(?:(?P<arabic#>{_ARABIC})\s*(?P<vague#>{_VAGUE})?(?P<scale#>{_SCALE})?"
    rf"(?P<tail#>[\d{_DIGIT_CHARS}](?:千|百)?(?![\d.{_DIGIT_CHARS}十百千万年月日号天期岁折点个%]))?"
    rf"|(?P<spoken#>{_SPOKEN})(?P<svague#>{_VAGUE})?(?P<sscale#>个亿|{_SCALE})?)"
)
_AMOUNT = re.compile(
    r"(?P<about>大概|大约|约|差不多|将近|近|最多|至少)?"
    + _ONE.replace("#", "1")
    + r"(?:\s*(?:到|至|~|～|-|—)\s*"
    + _ONE.replace("#", "2")
    + r")?(?P<more>多|几)?(?P<unit>块钱|元钱|人民币|元整|元|块|圆|个(?![\u4e00-\u9fffA-Za-z0-9]))?"
    + r"(?P<after>左右|上下|以内|出头)?"
)
_SLANG_UNIT = Decimal(10_000)  # 「500个」: a banker's 个 is ten thousand yuan


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in yuan, where it stood in the text, and how firmly it was said.

    `upper_yuan` is set for a span such as 「五十到八十万」; `approximate` for 「十来万」 or 「5万左右」.
    """

    start: int
    end: int
    text: str
    yuan: Decimal
    upper_yuan: Decimal | None = None
    approximate: bool = False

    @property
    def fen(self) -> int:
        """The (lower) amount in fen, the unit of everything stored."""
        return int(self.yuan * 100)

    @property
    def value(self) -> str:
        """Write it the short way: `35000`, `100000~` (approximate) or `500000-800000`."""
        low = _plain(self.yuan)
        if self.upper_yuan is not None:
            return f"{low}-{_plain(self.upper_yuan)}"
        return f"{low}~" if self.approximate else low


def find_amounts(text: str) -> Sequence[Amount]:
    """List the amounts in `text` from left to right, without overlaps; figures without any unit are left out."""
    folded = fold_width(text)
    found = (_read(match, folded) for match in _AMOUNT.finditer(folded) if _has_unit(match))
    return tuple(amount for amount in found if amount is not None)


def parse_amount(text: str) -> Amount | None:
    """Read `text` as one amount, or return `None` when it holds anything else."""
    folded = fold_width(text).strip()
    match = _AMOUNT.fullmatch(folded)
    return _read(match, folded) if match else None


def _has_unit(match: re.Match[str]) -> bool:
    if match["unit"] or match["scale1"] or match["scale2"] or match["sscale1"] or match["sscale2"]:
        return True
    return any(unit in (match["spoken1"] or "") for unit in "千万亿")


def _read(match: re.Match[str], text: str) -> Amount | None:
    first, scale, vague = _read_one(match, "1")
    if first is None:
        return None
    upper, upper_scale, upper_vague = _read_one(match, "2")
    if upper is not None and scale == 1 and first < upper_scale:
        first *= upper_scale  # 「五十到八十万」: the unit is said once, at the end
    if (match["unit"] or "").startswith("个"):
        if scale != 1 or first < 10:
            return None
        first, upper = first * _SLANG_UNIT, upper * _SLANG_UNIT if upper is not None else None
    vague = vague or upper_vague or bool(match["about"] or match["after"] or match["more"])
    start = match.start("arabic1") if match["arabic1"] else match.start("spoken1")
    end = match.end("after") if match["after"] else match.end()
    return Amount(start, end, text[start:end], first, upper, vague)


def _read_one(match: re.Match[str], part: str) -> tuple[Decimal | None, Decimal, bool]:
    """Read one side of the expression: its value, the last unit said, and whether it was said vaguely."""
    if match[f"arabic{part}"]:
        scale = _scale_of(match[f"scale{part}"])
        value = Decimal(match[f"arabic{part}"].replace(",", "")) * scale
        tail = match[f"tail{part}"]
        if tail:
            value += _tail_value(tail, scale)
        return value, scale, bool(match[f"vague{part}"])
    spoken = match[f"spoken{part}"]
    if not spoken:
        return None, Decimal(1), False
    return _read_spoken(spoken, match[f"svague{part}"], match[f"sscale{part}"])


def _read_spoken(spoken: str, vague: str | None, extra: str | None) -> tuple[Decimal | None, Decimal, bool]:
    last_unit = next((char for char in reversed(spoken) if char not in DIGITS), None)
    if last_unit in ("百", "千", "万", "亿") and spoken[-1] in DIGITS and len(spoken) > 1 and spoken[-2] == last_unit:
        whole = parse_numeral(spoken[:-1])
        if whole is None:
            return None, Decimal(1), False
        # 「三万五」 means 35,000: a last digit stands one step below the unit before it
        return Decimal(whole) + _tail_value(spoken[-1], _scale_of(last_unit)), _scale_of(last_unit), bool(vague)
    whole = parse_numeral(spoken)
    if whole is None:
        return None, Decimal(1), False
    scale = _scale_of(extra.removeprefix("个")) if extra else Decimal(1)
    spoken_scale = _scale_of(last_unit) if last_unit in ("万", "亿") else scale
    return Decimal(whole) * scale, spoken_scale, bool(vague)


def _scale_of(unit: str | None) -> Decimal:
    return _SCALES[unit.lower()] if unit else Decimal(1)


def _tail_value(tail: str, scale: Decimal) -> Decimal:
    digit = Decimal(parse_numeral(tail[0]) or 0)
    if len(tail) > 1:
        return digit * SMALL_UNITS[tail[1]]
    return digit * scale / 10


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
