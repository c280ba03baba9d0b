"""Variables are filled from the right place, or the answer is refused."""

import pytest

from knowledge_base import MissingVariable, missing_variables, render_answer, render_preview, shelf_of, variables_of
from knowledge_base.values import RiskLevel
from tests.knowledge_base.builders import product, script

SHELF = shelf_of([product()])


def test_figures_come_from_the_shelf() -> None:
    one = script(answer="{产品名}{利率}，{起存金额}起，期限{期限}", product_code="D900")
    assert render_answer(one, {}, SHELF) == "测试定期年利率1.10%，50元起，期限1年"


def test_a_figure_given_by_the_caller_is_not_used() -> None:
    one = script(answer="目前{利率}", product_code="D900")
    assert render_answer(one, {"利率": "年利率9.99%"}, SHELF) == "目前年利率1.10%"


def test_a_figure_without_a_product_is_missing_whatever_the_caller_says() -> None:
    with pytest.raises(MissingVariable) as refused:
        render_answer(script(answer="目前{利率}"), {"利率": "年利率9.99%"}, SHELF)
    assert refused.value.names == ("利率",)


def test_all_missing_variables_are_named_in_order() -> None:
    with pytest.raises(MissingVariable) as refused:
        render_answer(script(answer="{客户称呼}，{日期}见，{客户称呼}"), {}, SHELF)
    assert refused.value.names == ("客户称呼", "日期")


def test_an_empty_value_is_missing() -> None:
    one = script(answer="{客户称呼}好")
    assert missing_variables(one, {"客户称呼": ""}, SHELF) == ("客户称呼",)


def test_a_value_is_not_read_as_a_template() -> None:
    one = script(answer="{客户称呼}好，{日期}见")
    assert render_answer(one, {"客户称呼": "{日期}", "日期": "周一"}, SHELF) == "{日期}好，周一见"


def test_the_risk_sentence_stands_below_the_answer() -> None:
    one = script(answer="好的", risk_note="产品有风险。")
    assert render_answer(one, {}, SHELF) == "好的\n产品有风险。"


def test_a_preview_shows_what_the_manager_has_to_fill_in() -> None:
    one = script(answer="{客户称呼}，目前{利率}", product_code="D900")
    assert render_preview(one, {}, SHELF) == "【客户称呼】，目前年利率1.10%"


@pytest.mark.parametrize(
    ("fen", "words"), [(5_000, "50元"), (20_000_000, "20万元"), (100_000, "1,000元"), (1_050, "10.50元")]
)
def test_minimum_amounts_are_worded_as_at_the_counter(fen: int, words: str) -> None:
    one = script(answer="{起存金额}", product_code="D900")
    assert render_answer(one, {}, shelf_of([product(min_amount_fen=fen)])) == words


def test_a_product_without_minimum_leaves_the_variable_missing() -> None:
    one = script(answer="{起存金额}", product_code="D900")
    assert missing_variables(one, {}, shelf_of([product(min_amount_fen=None)])) == ("起存金额",)


def test_risk_level_is_shown_as_its_grade() -> None:
    one = script(answer="{风险等级}", product_code="D900")
    assert render_answer(one, {}, shelf_of([product(risk_level=RiskLevel.R2)])) == "R2"


def test_variables_are_listed_once_in_order() -> None:
    assert variables_of("{b}{a}{b}") == ("b", "a")
