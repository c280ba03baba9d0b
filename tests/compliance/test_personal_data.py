"""Personal data by form and check digit. All numbers are invented."""

import pytest

from compliance import Direction, mask_text, screen
from compliance.personal_data import find_personal_data, is_bank_card, is_id_card
from tests.compliance.builders import default_lexicon


@pytest.mark.parametrize(
    ("text", "category", "matched"),
    [
        ("我号码是13900001111", "pii_mobile", "13900001111"),
        ("打 +86 139-0000-1111", "pii_mobile", "+86 139-0000-1111"),
        ("加一三九零零零零一一一一", "pii_mobile", "一三九零零零零一一一一"),
        ("１３９００００１１１１就是我", "pii_mobile", "１３９００００１１１１"),
        ("证件 11010519491231002X", "pii_id_card", "11010519491231002X"),
        ("卡 6222 0000 0000 0000 004", "pii_bank_card", "6222 0000 0000 0000 004"),
        ("发 wang.fang@example.com 吧", "pii_email", "wang.fang@example.com"),
    ],
)
def test_valid_data_is_found_with_its_span(text: str, category: str, matched: str) -> None:
    (item,) = find_personal_data(text)
    assert (item.category, text[item.start : item.end]) == (category, matched)


@pytest.mark.parametrize(
    "text",
    [
        "证件 110105194912310021",  # wrong check digit
        "证件 11010519491331002X",  # month 13
        "流水 6222000000000000001",  # fails Luhn
        "订单 2026112000000000004",  # no issuer begins so
        "请拨95588或400-123-4567",
        "放款13912345678元",
        "已发至139****1111",
        "@所有人 今天3@5折",
        "编号A13900001111B",
    ],
)
def test_lookalikes_are_not_personal_data(text: str) -> None:
    assert find_personal_data(text) == ()


def test_check_digits() -> None:
    assert is_id_card("11010519491231002x")
    assert not is_id_card("99010519491231002X")
    assert is_bank_card("4111111111111111")
    assert not is_bank_card("4111111111111112")


def test_masked_text_keeps_form_but_no_value() -> None:
    text = "我是王芳，13900001111，卡6222000000000000004，证11010519491231002X，wf@example.com"
    assert mask_text(text) == "我是王芳，139****1111，卡**** **** **** 0004，证110***********002X，w***@example.com"


def test_findings_of_personal_data_never_carry_the_value_into_json() -> None:
    (finding,) = screen("我号码是13900001111", default_lexicon(), Direction.CUSTOMER)
    assert finding.action == "mask"
    assert "13900001111" not in str(finding.as_json())
