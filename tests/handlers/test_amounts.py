"""Amounts as spoken in a bank."""

from pathlib import Path

import pytest

from handlers.amounts import find_amounts, parse_amount

DEV = Path(__file__).parents[3] / "shared" / "data" / "intents" / "amount_dev.tsv"

CASES = [
    ("三万八", "38000"),
    ("1万5", "15000"),
    ("30w", "300000"),
    ("8.5万", "85000"),
    ("3万5千", "35000"),
    ("一百五十万", "1500000"),
    ("两个亿", "200000000"),
    ("300个", "3000000"),
    ("二十几万", "200000~"),
    ("5万左右", "50000~"),
    ("30到50万", "300000-500000"),
    ("1,200,000元", "1200000"),
    ("六千块", "6000"),
]


def development_cases() -> list[tuple[str, str]]:
    """The project's development file, where it lies beside the repository."""
    if not DEV.exists():
        return []
    lines = DEV.read_text(encoding="utf-8").splitlines()
    return [(text, value) for text, _, value in (line.partition("\t") for line in lines) if value]


@pytest.mark.parametrize(("text", "value"), CASES + development_cases())
def test_amount_is_read(text: str, value: str) -> None:
    amount = parse_amount(text)
    assert amount is not None
    assert amount.value == value


def test_amounts_are_found_in_a_sentence_with_their_places() -> None:
    text = "有20万到期，想先取三万五"
    assert [(found.text, text[found.start : found.end]) for found in find_amounts(text)] == [
        ("20万", "20万"),
        ("三万五", "三万五"),
    ]


@pytest.mark.parametrize("text", ["3点到5点", "买了三个产品", "一个月后", "第二季度", "年化3.5%", "帮我看看"])
def test_numbers_that_are_no_money_are_left_alone(text: str) -> None:
    assert find_amounts(text) == ()


def test_amount_is_kept_in_fen() -> None:
    amount = parse_amount("2.5万")
    assert amount is not None
    assert amount.fen == 2_500_000
