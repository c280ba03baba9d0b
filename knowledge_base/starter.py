"""The starter pack: approved scripts and a product shelf of an invented bank, and their installation.

Installing is idempotent and never touches what the bank has changed: a script or product whose id is there already is
left alone.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from sqlmodel import select

from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore
from knowledge_base.approval import ScriptDraft, do_bump_library, search_text
from knowledge_base.models import ProductRow, ScriptRow, ScriptVersionRow
from knowledge_base.values import Audience, Product, ProductStatus, RiskLevel, Script, ScriptState

_FOLDER = "starter"
_NOT_SCRIPTS = frozenset({"products.toml", "risk_notes.toml"})
_VERSION = 1
_MOST = 100_000


@dataclass(frozen=True, slots=True)
class StarterScript:
    """A script of the pack, with the person who wrote it."""

    script: Script
    author: str


@dataclass(frozen=True, slots=True)
class InstallReport:
    """How many rows an installation added; zeros the second time."""

    scripts: int
    products: int


@cache
def starter_scripts() -> tuple[StarterScript, ...]:
    """Return the pack's scripts by id. Every one is written and approved by two different people."""
    notes: dict[str, str] = _read("risk_notes.toml")
    files = sorted(entry.name for entry in _folder().iterdir() if entry.name.endswith(".toml"))
    found = [item for name in files if name not in _NOT_SCRIPTS for item in _scripts_of(_read(name), notes)]
    return tuple(sorted(found, key=lambda item: item.script.id))


@cache
def starter_products() -> tuple[Product, ...]:
    """Return the pack's shelf, in the order of the file."""
    return tuple(
        Product(
            code=entry["code"],
            name=entry["name"],
            kind=entry["kind"],
            risk_level=RiskLevel(entry["risk_level"]) if "risk_level" in entry else None,
            term=entry["term"],
            rate_text=entry["rate_text"],
            min_amount_fen=entry["min_amount_yuan"] * 100 if "min_amount_yuan" in entry else None,
            status=ProductStatus(entry["status"]),
        )
        for entry in _read("products.toml")["product"]
    )


async def do_install_starter(tx: Tx, now: datetime) -> InstallReport:
    """Add the scripts and products of the pack that are not there yet, as approved versions.

    Two nodes may install at once: the keys decide whose rows stay, and both packs are the same.
    """
    owned = set((await tx.exec(select(ScriptRow.id).limit(_MOST))).all())
    on_shelf = set((await tx.exec(select(ProductRow.code).limit(_MOST))).all())
    scripts = [item for item in starter_scripts() if item.script.id not in owned]
    products = [product for product in starter_products() if product.code not in on_shelf]
    await insert_ignore(tx, ProductRow, [_product_values(product, now) for product in products], ("code",))
    await insert_ignore(tx, ScriptRow, [_script_values(item, now) for item in scripts], ("id",))
    await insert_ignore(
        tx, ScriptVersionRow, [_version_values(item, now) for item in scripts], ("script_id", "version")
    )
    if scripts or products:
        await do_bump_library(tx, now)
    return InstallReport(len(scripts), len(products))


def _folder() -> resources.abc.Traversable:
    return resources.files(__package__).joinpath(_FOLDER)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(_folder().joinpath(name).read_text(encoding="utf-8"))


def _scripts_of(file: dict[str, Any], notes: dict[str, str]) -> Iterator[StarterScript]:
    for entry in file["script"]:
        whole = {**file["defaults"], **entry}
        script = Script(
            id=whole["id"],
            category=whole["category"],
            title=whole["title"],
            question=whole["question"],
            variants=tuple(whole["variants"]),
            answer=whole["answer"],
            audience=Audience(whole["audience"]),
            version=_VERSION,
            approved_by=whole["approved_by"],
            effective_on=whole["effective_on"],
            expires_on=whole["expires_on"],
            product_code=whole.get("product_code"),
            source=whole["source"],
            risk_note=notes[whole["risk"]] if "risk" in whole else None,
        )
        yield StarterScript(script, whole["author"])


def _script_values(item: StarterScript, now: datetime) -> dict[str, object]:
    script = item.script
    return {
        "id": script.id,
        "category": script.category,
        "title": script.title,
        "state": ScriptState.APPROVED,
        "current_version": _VERSION,
        "latest_version": _VERSION,
        "search_text": search_text(as_draft(script)),
        "created_at": now,
        "updated_at": now,
    }


def _version_values(item: StarterScript, now: datetime) -> dict[str, object]:
    script = item.script
    return {
        "script_id": script.id,
        "version": _VERSION,
        "state": ScriptState.APPROVED,
        "category": script.category,
        "title": script.title,
        "question": script.question,
        "variants": list(script.variants),
        "answer": script.answer,
        "audience": script.audience,
        "product_code": script.product_code,
        "source": script.source,
        "risk_note": script.risk_note,
        "effective_on": script.effective_on,
        "expires_on": script.expires_on,
        "author": item.author,
        "created_at": now,
        "approved_by": script.approved_by,
        "approved_at": now,
    }


def as_draft(script: Script) -> ScriptDraft:
    """Return a script as the draft it once was, to hold it against the rules for drafts."""
    return ScriptDraft(
        script.id,
        script.category,
        script.title,
        script.question,
        script.variants,
        script.answer,
        script.audience,
        script.source,
        script.effective_on,
        script.expires_on,
        script.product_code,
        script.risk_note,
    )


def _product_values(product: Product, now: datetime) -> dict[str, object]:
    return {**{name: getattr(product, name) for name in Product.__slots__}, "updated_at": now}
