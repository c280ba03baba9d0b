"""Reference pages say what the code says."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import BotError
from tests.all_models import PACKAGES

ROOT = Path(__file__).parents[2]


def _error_classes(base: type[BotError] = BotError) -> Iterator[type[BotError]]:
    yield base
    for leaf in base.__subclasses__():
        yield from _error_classes(leaf)


def _load_everything() -> list[type[BotError]]:
    for name in PACKAGES:
        for module in pkgutil.walk_packages(importlib.import_module(name).__path__, f"{name}."):
            if ".migrations." not in module.name:
                importlib.import_module(module.name)
    return sorted(set(_error_classes()), key=lambda error: error.code)


@pytest.mark.parametrize("error", _load_everything(), ids=lambda error: error.__name__)
def test_every_error_is_explained(error: type[BotError]) -> None:
    page = (ROOT / "docs/reference/errors.md").read_text(encoding="utf-8")
    line = next((line for line in page.splitlines() if line.startswith(f"| `{error.code}` | `{error.__name__}` |")), "")
    assert line, f"{error.__name__} ({error.code}) is not in docs/reference/errors.md"
    assert line.rstrip(" |").endswith("no") is not error.retryable


def test_error_codes_are_unlike_each_other() -> None:
    codes = [error.code for error in _load_everything()]
    assert len(codes) == len(set(codes))
