"""Whom a colleague may mean."""

import pytest

from customers.names import Named, NameFit, rank_names

PEOPLE = [
    Named("wm1", "王芳", "", 2),
    Named("wm2", "王建国", "建国总 开户", 1),
    Named("wm3", "欧阳静", "", 2),
    Named("wm4", "赵小芳", "老客户-芳芳", 0),
    Named("wm5", "李梅", "王芳介绍", 2),
]


def ids(query: str) -> list[str]:
    return [match.id for match in rank_names(query, PEOPLE)]


def test_exact_name_leaves_out_everybody_else() -> None:
    assert ids("王芳") == ["wm1"]


def test_exact_remark_part_counts_as_the_name() -> None:
    assert ids("芳芳") == ["wm4"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("王女士", ["wm1"]),
        ("王先生", ["wm2"]),
        ("王总", ["wm1", "wm2"]),
        ("小王", ["wm1", "wm2"]),
        ("芳姐", ["wm1", "wm4"]),
        ("王芳女士", ["wm1"]),
        ("欧阳女士", ["wm3"]),
        ("欧女士", []),
        ("小芳", ["wm1", "wm4"]),
        ("建国", ["wm2"]),
        (" 王　芳 ", ["wm1"]),
        ("钱总", []),
        ("", []),
    ],
)
def test_forms_of_address_give_candidates(query: str, expected: list[str]) -> None:
    assert sorted(ids(query)) == expected


def test_full_name_with_title_stands_before_a_mere_part() -> None:
    fits = {match.id: match.fit for match in rank_names("王芳姐", PEOPLE)}
    assert fits == {"wm1": NameFit.FULL_NAME_WITH_TITLE}


def test_candidates_are_bounded() -> None:
    crowd = [Named(f"wm{number:04}", f"王{number}", "", 0) for number in range(500)]
    assert len(rank_names("王总", crowd, limit=20)) == 20
