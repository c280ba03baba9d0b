"""Checking a draft: explained, and rewritten so that it may be sent."""

import pytest

from compliance import Action, Direction, Severity, check_draft, counting, is_blocking, load_catalogue, screen
from compliance.lexicon import Term
from tests.compliance.builders import default_lexicon

LEXICON = default_lexicon()
WATCHED = [term for term in LEXICON.terms if term.action is not Action.ALLOW and term.direction.covers(Direction.RM)]


def is_clean(text: str) -> bool:
    return not counting(screen(text, LEXICON, Direction.RM))


def test_a_clean_draft_is_allowed_and_left_alone() -> None:
    report = check_draft("王女士您好，您的定期存款下周三到期，欢迎到网点办理。", LEXICON)
    assert (report.allowed, report.rewritten, report.advice) == (True, None, ())


def test_a_blocked_draft_says_which_words_why_and_what_instead() -> None:
    report = check_draft("王姐，这款理财保本保息，您放心买！下周还有讲座。", LEXICON)
    assert not report.allowed
    (advice,) = report.advice
    assert advice.term == "保本保息"
    assert "广告法" in advice.why
    assert advice.alternative == load_catalogue().categories[advice.category].sentence
    assert report.rewritten == f"王姐，{advice.alternative}下周还有讲座。"


def test_a_word_with_its_own_wording_is_replaced_in_place() -> None:
    report = check_draft("这款产品的预期收益率是3.1%，详见说明书。", LEXICON)
    assert report.allowed  # medium: advice, no stop
    assert report.rewritten == "这款产品的业绩比较基准是3.1%，详见说明书。"


def test_personal_data_is_masked_in_the_rewritten_text() -> None:
    report = check_draft("请联系13900001111办理。", LEXICON)
    assert report.allowed
    assert report.rewritten == "请联系139****1111办理。"
    assert report.advice[0].term == "139****1111"


def test_denying_a_promise_is_allowed() -> None:
    assert check_draft("本产品不保本，也不承诺收益。", LEXICON).allowed


@pytest.mark.parametrize("term", WATCHED, ids=lambda term: term.rule_id)
def test_every_rewritten_text_passes_the_screen(term: Term) -> None:
    for draft in (f"您好，{term.word}。", f"王姐，这款{term.word}，您看可以吗？另外周末有沙龙。", term.word):
        report = check_draft(draft, LEXICON)
        assert report.findings
        if report.rewritten is not None:
            assert is_clean(report.rewritten)


@pytest.mark.parametrize(
    "term", [term for term in WATCHED if term.action is Action.BLOCK], ids=lambda term: term.rule_id
)
def test_every_block_term_alone_is_stopped_and_rewritten(term: Term) -> None:
    report = check_draft(f"{term.word}。", LEXICON)
    assert not report.allowed
    assert report.rewritten
    assert report.advice


def test_approved_wording_is_itself_clean() -> None:
    catalogue = load_catalogue()
    wording = [category.sentence for category in catalogue.categories.values()]
    wording += [term.replacement for term in catalogue.terms.values()]
    assert [text for text in wording if not is_clean(text)] == []


def test_every_worded_term_is_in_the_shipped_lexicon() -> None:
    assert set(load_catalogue().terms) <= {term.word for term in LEXICON.terms}


def test_what_blocks_is_what_the_bank_must_not_say() -> None:
    blocking = {
        finding.term for finding in screen("最佳选择，零风险，收益最高", LEXICON, Direction.RM) if is_blocking(finding)
    }
    assert blocking == {"最佳", "零风险"}
    assert not any(
        is_blocking(f) for f in screen("不零风险，收益最高", LEXICON, Direction.RM) if f.severity is Severity.MEDIUM
    )
