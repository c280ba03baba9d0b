"""Words people read: the same entries in both languages, and no silent holes."""

import pytest

from bot.texts import load_texts


@pytest.mark.parametrize("package", ["compliance", "console", "customers", "handlers", "sop"])
def test_both_languages_have_the_same_entries(package: str) -> None:
    assert load_texts(package, "zh").keys() == load_texts(package, "en").keys()


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="'fr'"):
        load_texts("customers", "fr")


def test_a_place_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        load_texts("compliance").render("gate.not_on_shelf")
