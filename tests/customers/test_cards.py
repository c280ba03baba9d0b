"""The card: traits from tags, masking, rendering, and the two languages of the catalogue."""

from datetime import UTC, datetime

import pytest

from bot.clock import CHINA
from bot.texts import load_texts
from customers.cards import CustomerCard, mask_mobile, mask_numbers, render_facts, render_title
from customers.traits import TaggedFollow, TagName, TraitGroups, read_risk_level, read_traits

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
NAMES = {
    "a": TagName("风险评级", "C4 成长型"),
    "b": TagName("风险评级", "C2 稳健型"),
    "c": TagName("资产层级", "5–20万"),
    "d": TagName("资产层级", "50–100万"),
    "e": TagName("客户阶段", "沉默"),
}


def test_most_cautious_risk_level_counts_and_the_freshest_tier() -> None:
    follows = [TaggedFollow(["a", "c", "e"], EARLY), TaggedFollow(["b", "d", "unknown"], LATE)]
    traits = read_traits(follows, NAMES, TraitGroups())
    assert (traits.risk_level, traits.tier, traits.stage) == ("C2", "50–100万", "沉默")


def test_no_tags_say_nothing() -> None:
    traits = read_traits([TaggedFollow([], None)], NAMES, TraitGroups())
    assert (traits.risk_level, traits.tier, traits.stage) == (None, None, None)


@pytest.mark.parametrize(("tag", "level"), [("C1", "C1"), ("c5进取型", "C5"), ("C6", None), ("稳健", None)])
def test_risk_level_is_read_from_the_beginning_of_a_tag(tag: str, level: str | None) -> None:
    assert read_risk_level(tag) == level


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800001111", "138****1111"),
        ("+86 138-0000-1111", "138****1111"),
        ("021-55550000", "*********00"),
    ],
)
def test_phone_numbers_are_masked(number: str, masked: str) -> None:
    assert mask_mobile(number) == masked


def test_numbers_inside_a_remark_are_masked_and_dates_are_not() -> None:
    remark = "电话13800001111，卡6222000011112222333，2026年12月到期"
    assert mask_numbers(remark) == "电话138****1111，卡***************2333，2026年12月到期"


def test_card_tells_what_is_known_and_says_what_is_not() -> None:
    card = CustomerCard(
        customer_id="wm1",
        staff_id="rm001",
        name="王芳",
        remark="存单客户",
        tags=("C2 稳健型",),
        risk_level="C2",
        tier=None,
        stage=None,
        mobiles=("138****1111",),
        added_at=datetime(2026, 1, 1, 17, tzinfo=UTC),
        groups=("城东理财交流1群",),
        last_contact_at=None,
        opted_out=True,
    )
    facts = dict(render_facts(card, load_texts("customers"), CHINA))
    assert render_title(card, load_texts("customers")) == "客户卡片：王芳"
    assert facts["风险评级"] == "C2 稳健型"
    assert facts["资产层级"] == "未登记"
    assert facts["添加时间"] == "2026-01-02"
    assert facts["最近联系"] == "暂无记录"
    assert "客户阶段" not in facts
    assert "请勿群发" in facts["免打扰"]
