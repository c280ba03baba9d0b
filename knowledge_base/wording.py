"""What people read about the library's states, refusals and problems: two catalogues, Chinese first."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal, TypeAlias

Language: TypeAlias = Literal["zh", "en"]
Catalogue: TypeAlias = Mapping[str, Mapping[str, str]]


@cache
def load_texts(language: Language = "zh") -> Catalogue:
    """Return a catalogue: section (`state`, `audience`, `match`, `not_in_force`, `problem` …), then key, then words."""
    file = resources.files(__package__).joinpath("texts", f"{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))
