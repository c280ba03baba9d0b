"""What the filter finds, where, and what it lets pass."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance import Direction, Finding, Technique, build_lexicon, counting, parse_terms, screen
from compliance.engine import EngineKind
from tests.compliance.builders import default_lexicon


def hits(text: str, direction: Direction = Direction.RM) -> tuple[Finding, ...]:
    return counting(screen(text, default_lexicon(), direction))


def terms(text: str, direction: Direction = Direction.RM) -> set[str]:
    return {finding.term for finding in hits(text, direction)}


@pytest.mark.parametrize(
    ("text", "term", "matched", "technique"),
    [
        ("姐，这笔您就当定期，保本保息的", "保本保息", "保本保息", Technique.PLAIN),
        ("资料写着ＵＳＤＴ结算", "USDT", "ＵＳＤＴ", Technique.FULLWIDTH),
        ("這檔產品穩賺不賠喔", "稳赚不赔", "穩賺不賠", Technique.TRADITIONAL),
        ("放心零\u200b风\u200d险的", "零风险", "零\u200b风\u200d险", Technique.ZERO_WIDTH),
        ("可以\u202e飞单\u202c的", "飞单", "飞单", Technique.PLAIN),
        ("跟您说飞*单能多两个点", "飞单", "飞*单", Technique.INSERTED),
        ("都是稳 赚 不 赔的", "稳赚不赔", "稳 赚 不 赔", Technique.INSERTED),
        ("就是保丶收丶益嘛", "保收益", "保丶收丶益", Technique.INSERTED),
        ("我们内🔥部🔥额🔥度留给您", "内部额度", "内🔥部🔥额🔥度", Technique.EMOJI),
        ("这个稳赚赚赚不赔", "稳赚不赔", "稳赚赚赚不赔", Technique.REPEAT),
        ("就写保，本，保，息好了", "保本保息", "保，本，保，息", Technique.INSERTED),
    ],
)
def test_disguised_words_are_found_where_they_stand(text: str, term: str, matched: str, technique: Technique) -> None:
    found = next(finding for finding in hits(text) if finding.term == term)
    assert (found.matched, found.technique) == (matched, technique)
    assert text[found.start : found.end] == matched


def test_all_overlapping_words_are_reported() -> None:
    assert terms("保证本金，和存款一样保本保息") >= {"保本", "保本保息", "和存款一样保本", "保证本金"}


def test_a_finding_names_its_rule_and_lexicon_version() -> None:
    (found,) = hits("这是飞单")
    assert (found.rule_id, found.lexicon_version, found.category) == ("private_dealing.飞单", 1, "private_dealing")


@pytest.mark.parametrize(
    "text",
    [
        "这款是净值型产品，不保本",
        "我们从未承诺保本保息",
        "严禁员工以任何方式代客操作",
        "不得向客户承诺收益",
        "所谓稳赚不赔都是骗局",
        "请警惕征信洗白广告",
        "任何人让您共享屏幕都是诈骗",
        "反诈宣传：刷流水帮信要坐牢",
        "产品收益不是保证收益",
    ],
)
def test_negation_and_warning_in_the_same_clause_are_harmless(text: str) -> None:
    findings = screen(text, default_lexicon(), Direction.RM)
    assert findings
    assert all(finding.suppressed_by for finding in findings)


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("您不用操心，零风险", "零风险"),
        ("不用操心这只零风险", "零风险"),
        ("没空来就让我代签字", "代签字"),
        ("不但保本保息还送礼品", "保本保息"),
        ("谁说不能保本保息", "保本保息"),
        ("别的都不行，只有它稳赚不赔", "稳赚不赔"),
        ("不得不说这只稳赚不赔", "稳赚不赔"),
    ],
)
def test_negation_of_something_else_hides_nothing(text: str, term: str) -> None:
    assert term in terms(text)


@pytest.mark.parametrize(
    "text",
    [
        "您看的是非保本产品",
        "本产品参考无风险利率定价",
        "私人银行部今天开放参观",
        "请留意最佳还款日",
        "跟单信用证的材料齐了",
        "我这边跑分理处办业务去了",
        "现金柜台有两套现金箱",
        "刚兑换的美元放哪里",
        "快递上报案卷目录",
        "四维权重分析表发您了",
    ],
)
def test_terms_of_the_trade_and_words_across_borders_are_harmless(text: str) -> None:
    assert terms(text) == set()


@pytest.mark.parametrize("text", ["行情很稳，赚到的是耐心", "先飞。单子再说", "结果不保（本月）"])
def test_sentence_marks_keep_words_apart(text: str) -> None:
    assert terms(text) == set()


def test_a_customer_may_ask_what_an_employee_may_not_say() -> None:
    question = "你们这个是刚性兑付吗"
    assert terms(question, Direction.CUSTOMER) == set()
    assert terms("这个是刚性兑付", Direction.RM) == {"刚性兑付"}


def test_a_complaint_counts_only_from_the_customer() -> None:
    assert "我要投诉" in terms("太过分了我要投诉", Direction.CUSTOMER)
    assert terms("客户说我要投诉", Direction.RM) == set()


def test_accusing_words_do_not_excuse_a_complaint() -> None:
    assert "投诉你们" in terms("投诉你们违规销售，都是骗子", Direction.CUSTOMER)


def test_a_hotline_inside_a_longer_number_is_no_hit() -> None:
    assert terms("单号8812378900", Direction.CUSTOMER) == set()
    assert terms("我打12378去了", Direction.CUSTOMER) == {"12378"}


def test_an_allow_phrase_says_which_it_was() -> None:
    (finding,) = (f for f in screen("这是非保本的", default_lexicon(), Direction.RM) if f.term == "保本")
    assert finding.suppressed_by == "allow:非保本"


def test_the_engines_are_exchangeable() -> None:
    parsed = parse_terms("word,category,severity,action,direction\n保本保息,promise_return,critical,block,rm\n")
    found = [screen("💰保*本保息", build_lexicon(3, parsed.terms, kind), Direction.RM) for kind in EngineKind]
    assert found[0] == found[1] == found[2]
    assert (found[0][0].start, found[0][0].end) == (1, 6)


@given(st.text(max_size=60), st.sampled_from(["保本保息", "稳赚不赔", "抽屉协议"]), st.text(max_size=60))
@settings(deadline=None, max_examples=150)
def test_a_planted_word_is_always_found_and_spans_stay_inside(before: str, word: str, after: str) -> None:
    text = f"{before}。{word}。{after}"
    findings = screen(text, default_lexicon(), Direction.RM)
    assert all(0 <= f.start < f.end <= len(text) for f in findings)
    place = len(before) + 1
    assert any(f.term == word and (f.start, f.end) == (place, place + len(word)) for f in findings)


@pytest.mark.parametrize(
    "text",
    ["", "\ud800保本保息\udfff", "*" * 100_000, "保" * 20_000, "保本" * 5_000, "稳，" * 20_000, "\u200b" * 50_000],
)
def test_hostile_texts_are_screened_in_reasonable_time(text: str) -> None:
    started = time.process_time()
    screen(text, default_lexicon(), Direction.RM)
    assert time.process_time() - started < 5
