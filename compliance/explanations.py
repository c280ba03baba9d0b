"""Why a category or a word must not be said, by which rule, and what may be said instead: read from the catalogue."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from compliance.findings import Category


@dataclass(frozen=True, slots=True)
class CategoryText:
    """What an employee reads about a category. `sentence` is approved wording that can stand for a whole sentence."""

    name: str
    why: str
    source: str
    sentence: str


@dataclass(frozen=True, slots=True)
class TermText:
    """Wording for one word: what replaces it in its place, and its own reason if it has one."""

    replacement: str
    why: str | None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All explanations. Every category has one; only some words do."""

    categories: Mapping[Category, CategoryText]
    terms: Mapping[str, TermText]


@cache
def load_catalogue() -> Catalogue:
    """Read the shipped catalogue.

    Raises:
        ValueError: a category has no text; every finding must be explainable.
    """
    raw = tomllib.loads(files("compliance").joinpath("data/alternatives.toml").read_text("utf-8"))
    categories = {Category(key): CategoryText(**value) for key, value in raw["category"].items()}
    missing = set(Category) - set(categories)
    if missing:
        raise ValueError(f"alternatives.toml explains no {sorted(missing)}")
    terms = {
        word: TermText(replacement=entry["replacement"], why=entry.get("why"))
        for entry in raw["term"]
        for word in entry["words"]
    }
    return Catalogue(categories, terms)
