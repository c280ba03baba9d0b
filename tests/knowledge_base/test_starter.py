"""The starter pack keeps the rules of the library and of compliance."""

import csv
import re
from pathlib import Path

import pytest

from knowledge_base import Script, list_problems, render_preview, shelf_of, starter_products, starter_scripts
from knowledge_base.rendering import CALLER_VARIABLES, SHELF_VARIABLES, variables_of
from knowledge_base.starter import as_draft
from knowledge_base.tokens import fold
from knowledge_base.values import Audience, ProductStatus

SCRIPTS = [item.script for item in starter_scripts()]
SHELF = shelf_of(starter_products())
_LEXICON = Path(__file__).parents[2] / "compliance" / "data" / "default_lexicon.csv"
# So that the test says something by itself, should the file move: the words that matter most in our own texts.
_FEW = [
    ("保本", "block"),
    ("保证收益", "block"),
    ("稳赚", "block"),
    ("零风险", "block"),
    ("预期收益率", "review"),
    ("安全账户", "escalate"),
    ("屏幕共享", "review"),
    ("最划算", "flag"),
    ("秒到账", "flag"),
    ("套现", "review"),
    ("不保本", "allow"),
    ("不存在安全账户", "allow"),
    ("切勿屏幕共享", "allow"),
    ("并非预期收益率", "allow"),
    ("禁止套现", "allow"),
]


def _lexicon() -> list[tuple[str, str]]:
    if not _LEXICON.exists():
        return _FEW
    with _LEXICON.open(encoding="utf-8-sig", newline="") as file:
        return _FEW + [(row["word"], row["action"]) for row in csv.DictReader(file) if row["direction"] != "customer"]


def _spans(text: str, word: str) -> list[tuple[int, int]]:
    return [(found.start(), found.end()) for found in re.finditer(f"(?={re.escape(word)})", text)]


def _forbidden(text: str) -> list[str]:
    """List the watched words in a text that no allowed phrase covers."""
    rows = _lexicon()
    allowed = [
        (start, start + len(word)) for word, action in rows if action == "allow" for start, _ in _spans(text, word)
    ]
    return [
        word
        for word, action in rows
        if action != "allow"
        for start, _ in _spans(text, word)
        if not any(begin <= start and start + len(word) <= end for begin, end in allowed)
    ]


def test_the_scan_finds_a_forbidden_word_and_respects_an_allowed_phrase() -> None:
    assert "保本" in _forbidden("这只产品保本")
    assert _forbidden("净值型理财不保本") == []


def test_pack_is_large_enough() -> None:
    assert len(SCRIPTS) >= 140
    assert 15 <= len({one.category for one in SCRIPTS}) <= 25
    assert len({one.id for one in SCRIPTS}) == len(SCRIPTS)


@pytest.mark.parametrize("one", SCRIPTS, ids=lambda one: one.id)
def test_no_script_holds_a_word_that_may_not_be_sent(one: Script) -> None:
    shown = "\n".join([one.title, one.question, render_preview(one, {}, SHELF)])
    assert _forbidden(shown) == []


@pytest.mark.parametrize("one", SCRIPTS, ids=lambda one: one.id)
def test_every_script_keeps_the_rules_of_the_library(one: Script) -> None:
    assert list_problems(as_draft(one)) == ()
    assert 6 <= len(one.variants) <= 12
    assert len(one.title) <= 16
    assert set(variables_of(one.answer)) <= SHELF_VARIABLES | CALLER_VARIABLES


@pytest.mark.parametrize("one", SCRIPTS, ids=lambda one: one.id)
def test_no_rate_is_written_into_an_answer(one: Script) -> None:
    assert not re.search(r"[0-9.]+ ?[%％]|百分之|[0-9一二三四五]个点", one.answer)


def test_every_product_script_is_about_something_on_sale() -> None:
    for one in SCRIPTS:
        if one.product_code:
            assert SHELF[one.product_code].status is ProductStatus.ON_SALE


def test_every_script_about_an_investment_carries_the_risk_sentence() -> None:
    for one in SCRIPTS:
        graded = one.product_code is not None and SHELF[one.product_code].risk_level is not None
        if graded or one.category in {"理财", "基金", "保险", "贵金属"}:
            assert one.risk_note is not None, one.id
            assert "产品有风险" in one.risk_note


def test_every_script_was_written_and_approved_by_two_people() -> None:
    assert all(item.author and item.author != item.script.approved_by for item in starter_scripts())


def test_customers_answers_need_no_words_that_only_a_manager_knows() -> None:
    for one in SCRIPTS:
        if one.audience is not Audience.RM:
            assert set(variables_of(one.answer)) <= SHELF_VARIABLES | {"网点"}, one.id


def test_no_wording_belongs_to_two_scripts() -> None:
    owners: dict[str, str] = {}
    for one in SCRIPTS:
        for text in (one.question, *one.variants):
            assert owners.setdefault(fold(text), one.id) == one.id, text


def test_shelf_has_products_of_every_kind() -> None:
    assert 18 <= len(SHELF) <= 25
    assert {"存款", "理财", "基金", "保险", "贵金属", "贷款"} <= {product.kind for product in SHELF.values()}
    assert any(product.status is ProductStatus.WITHDRAWN for product in SHELF.values())
