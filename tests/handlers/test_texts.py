"""The catalogues: complete in both languages, and fit to be said by a bank."""

import string

import pytest

from bot.texts import load_texts
from compliance import Direction, build_lexicon, counting, default_terms_csv, is_blocking, parse_terms, screen

ZH, EN = load_texts("handlers", "zh"), load_texts("handlers", "en")


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    assert ZH.keys() == EN.keys()


@pytest.mark.parametrize("key", sorted(ZH.keys()))
def test_both_languages_have_the_same_places(key: str) -> None:
    assert places(ZH[key]) == places(EN[key])


def test_nothing_we_say_is_blocked_by_our_own_lexicon() -> None:
    lexicon = build_lexicon(1, parse_terms(default_terms_csv()).terms)
    blocked = {
        key: [finding.term for finding in counting(screen(ZH[key], lexicon, Direction.RM)) if is_blocking(finding)]
        for key in sorted(ZH.keys())
    }
    assert {key: terms for key, terms in blocked.items() if terms} == {}
