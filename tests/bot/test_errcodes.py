"""Our reaction to every error code is the one the dossier's table names."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.wecom.errcodes import Reaction, reaction_to

# The simulator ships the dossier's table; it is data, not code of its.
TABLE: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "simulator/data/errcodes.json").read_text(encoding="utf-8")
)["codes"]


@pytest.mark.parametrize("entry", TABLE, ids=lambda entry: str(entry["code"]))
def test_known_codes(entry: dict[str, Any]) -> None:
    assert reaction_to(entry["code"]) == Reaction(entry["class"])


def test_an_unknown_code_is_about_the_request_and_not_tried_again() -> None:
    assert reaction_to(123456789) is Reaction.BUSINESS
