"""Words people read, kept in catalogues beside the package that says them: `texts/zh.toml`, `texts/en.toml`.

This module knows no word of them: a package asks for its own by name.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("zh", "en")


class Texts:
    """One language of one package's catalogue."""

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> str:
        """Return the words under a dotted key, as they stand."""
        return self._entries[key]

    def render(self, key: str, **values: object) -> str:
        """Return the words with `{name}` places filled. A place without a value is a mistake and raises KeyError."""
        return self._entries[key].format(**values)

    def keys(self) -> frozenset[str]:
        """Return all dotted keys: a test compares the languages by them."""
        return frozenset(self._entries)


@cache
def load_texts(package: str, language: str = "zh") -> Texts:
    """Load a catalogue once.

    Raises:
        ValueError: we have no such language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no catalogue in {language!r}; there are {', '.join(LANGUAGES)}")
    source = files(package).joinpath("texts", f"{language}.toml").read_text(encoding="utf-8")
    return Texts(_flatten(tomllib.loads(source)))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flatten(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat
