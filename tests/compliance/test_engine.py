"""All engines find the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.engine import EngineKind, build_engine

LETTERS = st.text(alphabet="保本稳赚a1💰", min_size=1, max_size=4)


@given(st.sets(LETTERS, min_size=1, max_size=12), st.text(alphabet="保本稳赚a1💰, ", max_size=40))
def test_all_engines_find_the_same_overlapping_hits(patterns: set[str], text: str) -> None:
    listed = sorted(patterns)
    naive = sorted(
        (start, start + len(pattern), index)
        for index, pattern in enumerate(listed)
        for start in range(len(text))
        if text.startswith(pattern, start)
    )
    for kind in EngineKind:
        assert build_engine(listed, kind).find_overlapping(text) == naive, kind


@pytest.mark.parametrize("patterns", [[""], ["保本", ""], ["保本", "保本"]])
def test_empty_and_repeated_patterns_are_refused(patterns: list[str]) -> None:
    with pytest.raises(ValueError, match="distinct"):
        build_engine(patterns)


def test_no_patterns_find_nothing() -> None:
    assert build_engine([]).find_overlapping("保本") == []
