"""Folding and terms: what counts as the same, and what does not."""

import pytest

from knowledge_base.tokens import analyse, fold, label


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("请问一下，银行卡丢了怎么办？", "银行卡丢了怎么办"),
        ("ＡＰＰ打不开", "app打不开"),
        ("转帐限额", "转账限额"),
        ("手机银行登陆", "手机银行登录"),
        ("Ⅱ类户", "ii类户"),
    ],
)
def test_the_same_question_folds_to_the_same_text(written: str, same: str) -> None:
    assert fold(written).replace(" ", "") == fold(same).replace(" ", "")


def test_a_text_of_padding_only_is_kept() -> None:
    assert fold("请问一下") == "请问一下"


def test_a_text_without_letters_has_no_terms() -> None:
    assert analyse("。。。😀").weights == {}


def test_two_ways_to_say_it_share_a_synonym_group() -> None:
    assert "c提前还款" in analyse("想早点还完房子的贷款").weights
    assert "c提前还款" in analyse("提前结清").weights


def test_the_longest_phrase_wins() -> None:
    groups = {term for term in analyse("提前还款").weights if term[0] == "c"}
    assert groups == {"c提前还款"}


def test_a_risk_level_inside_a_model_number_is_none() -> None:
    assert "c风险等级" in analyse("r1是什么意思").weights
    assert "c风险等级" not in analyse("r15屏幕价格").weights


def test_pairs_do_not_reach_across_punctuation() -> None:
    assert "b丢怎" not in analyse("卡丢，怎么办").weights


def test_labels_tell_groups_from_words() -> None:
    assert label("c挂失") == "≈挂失"
    assert label("b挂失") == "挂失"
