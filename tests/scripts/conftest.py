"""The machine on which the scripts are tried."""

from pathlib import Path

import pytest

from tests.scripts.bare_machine import BareMachine, make_bare_machine


@pytest.fixture
def bare(tmp_path: Path) -> BareMachine:
    """A machine without Python."""
    return make_bare_machine(tmp_path)


@pytest.fixture
def machine(bare: BareMachine) -> BareMachine:
    """A machine with a Python that can make environments."""
    bare.give_python()
    return bare
