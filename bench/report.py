"""How every bench ends: one JSON line, with what the machine is."""

import json
import os
import platform
from typing import Any


def machine() -> dict[str, Any]:
    """Return what matters about the machine: cores, Python, system."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def finish(name: str, figures: dict[str, Any]) -> None:
    """Print the closing line."""
    print(json.dumps({"bench": name, "figures": figures, "machine": machine()}, ensure_ascii=False))
