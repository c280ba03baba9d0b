"""What is too long is divided where a reader would, or refused before it is queued, with the reason."""

import re

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from bot.context import (
    Address,
    BotChat,
    Button,
    Card,
    Content,
    GroupSend,
    KfChat,
    KfWelcome,
    Markdown,
    Menu,
    MenuItem,
    StaffChat,
    Text,
    Welcome,
)
from bot.errors import ContentTooLong
from bot.ids import CustomerId, StaffId
from bot.wecom.cutting import CannotCut, cut_text, iter_atoms, size_of
from bot.wecom.limits import fit, fits_as_menu

LI, WANG = StaffId("rm001"), CustomerId("wm1")
STAFF, KF = StaffChat(LI), KfChat("wk1", WANG)
FAMILY = "👨‍👩‍👧‍👦"
LINK = '<a href="https://bank.example/products?id=1&from=chat">查看产品</a>'
MARKDOWN_LINK = "[理财说明](https://bank.example/a/b)"
ADDRESS = "https://bank.example/products/2026/autumn?from=chat"

_pieces = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["今天上午十点在支行举行沙龙。", "您好，", "请带身份证！", "\n\n", " ", FAMILY, "🇨🇳🇩🇪", "é", "👍🏽", "1️⃣"]
    ),
    st.sampled_from([LINK, MARKDOWN_LINK, ADDRESS, "A sentence in English. ", "mobile banking "]),
)
_texts = st.lists(_pieces, max_size=40).map("".join)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)


@given(text=_texts, limit=st.integers(100, 400))
def test_parts_fit_and_lose_nothing_but_white_space(text: str, limit: int) -> None:
    parts = _cut(text, limit)
    assert all(size_of(part) <= limit for part in parts)
    if len(parts) > 1:
        assert _bare("".join(parts)) == _bare(text)


def _cut(text: str, limit: int) -> tuple[str, ...]:
    """Cut it; where something that must stay whole is too long by itself, it has to be refused."""
    if max(map(size_of, iter_atoms(text)), default=0) > limit:
        with pytest.raises(CannotCut):
            cut_text(text, limit)
        reject()
    return cut_text(text, limit)


@given(text=_texts, limit=st.integers(100, 400))
def test_what_must_stay_whole_stays_whole(text: str, limit: int) -> None:
    whole = [atom for atom in iter_atoms(text) if atom.strip()]
    kept = [atom for part in _cut(text, limit) for atom in iter_atoms(part) if atom.strip()]
    assert kept == whole


@given(text=_texts)
def test_atoms_joined_are_the_text(text: str) -> None:
    assert "".join(iter_atoms(text)) == text


@pytest.mark.parametrize(
    "whole",
    [FAMILY, "👍🏽", "🇨🇳", "é", "1️⃣", LINK, MARKDOWN_LINK, ADDRESS, '<font color="warning">注意</font>'],
)
def test_it_is_one_piece(whole: str) -> None:
    assert list(iter_atoms(f"甲{whole}乙")) == ["甲", whole, "乙"]


def test_two_flags_are_two_pieces() -> None:
    assert list(iter_atoms("🇨🇳🇩🇪")) == ["🇨🇳", "🇩🇪"]


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("第一句话在这里。第二句话，也在这里。", 30, ("第一句话在这里。", "第二句话，也在这里。")),
        ("他说：“好的。”然后就走了再也没有回来", 30, ("他说：“好的。”", "然后就走了再也没有回来"[:10], "来")),
        ("没有句号只有逗号的话，后面还有很多很多", 40, ("没有句号只有逗号的话，", "后面还有很多很多")),
        ("one two three four five", 10, ("one two", "three four", "five")),
        ("一段\n\n二段二段二段", 20, ("一段", "二段二段二段")),
        ("请打开mobilebanking办理", 20, ("请打开", "mobilebanking办理")),
        ("请打开新版mobilebanking", 20, ("请打开新版", "mobilebanking")),
        ("First. Second one. Third", 14, ("First.", "Second one.", "Third")),
    ],
)
def test_it_is_cut_at_the_best_border(text: str, limit: int, parts: tuple[str, ...]) -> None:
    assert cut_text(text, limit) == parts


def test_an_address_longer_than_a_message_cannot_be_cut() -> None:
    with pytest.raises(CannotCut):
        cut_text("https://bank.example/" + "a" * 200, 100)


@pytest.mark.parametrize(
    ("address", "limit", "most_parts"),
    [
        (STAFF, 2048, 10),
        (KF, 2048, 5),
        (KfWelcome("c", "wk1", WANG), 2048, 1),
        (Welcome("c", LI, WANG), 4000, 1),
        (GroupSend(LI, ()), 4000, 1),
        (BotChat(None, "rm001", ""), 20_480, 1),
    ],
)
def test_each_way_has_its_limit(address: Address, limit: int, most_parts: int) -> None:
    exactly = "好" * (limit // 3) + "a" * (limit % 3)
    assert fit(address, Text(exactly)) == (Text(exactly),)
    longer = Text("好" * (limit * most_parts // 3 + 1))
    with pytest.raises(ContentTooLong) as refused:
        fit(address, longer)
    assert (refused.value.field, refused.value.limit) == ("text", limit * most_parts)
    assert refused.value.actual == size_of(longer.body)
    assert "好" not in str(refused.value), "errors hold no words"


def test_words_to_a_member_stay_markdown_in_parts() -> None:
    parts = fit(STAFF, Markdown("**说明**：很长。" * 200))
    assert len(parts) > 1
    assert all(isinstance(part, Markdown) for part in parts)


def test_a_card_said_as_words_is_divided_as_words() -> None:
    parts = fit(KF, Card("标题", "说明。" * 400))
    assert [type(part) for part in parts] == [Text, Text]


def _menu(**changes: object) -> Menu:
    values: dict[str, object] = {"head": "请选择", "items": (MenuItem("1", "查余额"),), "tail": ""}
    return Menu(**(values | changes))  # type: ignore[arg-type]  # built from parts on purpose


def test_a_menu_too_long_to_be_tapped_is_said_with_numbers() -> None:
    menu = _menu(items=tuple(MenuItem(str(number), "选项") for number in range(51)))
    assert not fits_as_menu(menu)
    assert fit(KF, menu) == (menu,), "its words fit, the way says them with numbers"


def test_a_menu_whose_words_do_not_fit_either_is_refused_by_its_field() -> None:
    with pytest.raises(ContentTooLong, match=r"menu\.head"):
        fit(KfWelcome("c", "wk1", WANG), _menu(head="好" * 1000))


@pytest.mark.parametrize(
    ("card", "field"),
    [
        (Card("标题", facts=(("名", "值"),) * 7), "facts"),
        (Card("标题", buttons=(Button("好", "k"),) * 7, task_id="t"), "buttons"),
        (Card("标题", buttons=(Button("好", "k" * 1025),), task_id="t"), "button.key"),
        (Card("标题", url="https://bank.example/" + "a" * 2048), "url"),
        (Card("标题", buttons=(Button("好", "k"),), task_id="t" * 129), "task_id"),
        (Card("标题", buttons=(Button("好", "k"),), task_id="任务"), "task_id"),
    ],
)
def test_a_card_that_the_platform_would_refuse_is_refused_at_once(card: Content, field: str) -> None:
    with pytest.raises(ContentTooLong) as refused:
        fit(STAFF, card)
    assert refused.value.field == field


def test_a_card_within_the_limits_passes_as_it_is() -> None:
    card = Card("标题", "说明", (("客户", "王芳"),) * 6, (Button("好", "k" * 1024),), task_id="t@1-A_z")
    assert fit(STAFF, card) == (card,)
