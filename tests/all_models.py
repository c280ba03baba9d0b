"""Import every module that defines tables, so that the metadata is whole."""

import importlib
import pkgutil

PACKAGES = ("bot", "customers", "knowledge_base", "compliance", "sop", "handlers", "console")


def import_models() -> None:
    """Import `models` modules, and the few others that hold a table, of all packages."""
    for name in PACKAGES:
        package = importlib.import_module(name)
        for module in pkgutil.walk_packages(package.__path__, f"{name}."):
            if module.name.rpartition(".")[2] in {"models", "audit"}:
                importlib.import_module(module.name)


import_models()
