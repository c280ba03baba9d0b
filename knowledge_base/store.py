"""Every query of the reply library: scripts, versions, the shelf, and the index that answers questions."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.audit import record
from bot.errors import NotFound
from bot.storage.database import Tx
from knowledge_base.approval import do_bump_library
from knowledge_base.errors import ScriptNotInForce
from knowledge_base.models import LibraryVersionRow, ProductRow, ScriptRow, ScriptVersionRow
from knowledge_base.ranking import ScriptLibrary
from knowledge_base.tokens import fold
from knowledge_base.values import Audience, Product, ProductStatus, Script, ScriptState

PAGE_SIZE: Final = 20
_MOST_SCRIPTS: Final = 20_000
_MOST_PRODUCTS: Final = 5_000
_MOST_VERSIONS: Final = 500

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ScriptSummary:
    """One line of the console's list. The wording shown is that in force, or else the newest."""

    id: str
    category: str
    title: str
    question: str
    audience: Audience
    state: ScriptState
    version: int
    approved_by: str | None
    effective_on: date
    expires_on: date | None
    product_code: str | None


@dataclass(frozen=True, slots=True)
class ScriptPage:
    """A page of the list. Pages count from 1; `total` counts all that match."""

    items: tuple[ScriptSummary, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class ScriptVersion:
    """One version with its history: who wrote it, who approved it, who closed it and why."""

    script: Script
    state: ScriptState
    author: str
    created_at: datetime
    approved_at: datetime | None
    closed_by: str | None
    closed_at: datetime | None
    closed_reason: str | None


class LibraryStore:
    """The index in force, built once for each version of the library; a new one takes its place in one assignment."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._library = ScriptLibrary(())

    async def current(self, tx: Tx) -> ScriptLibrary:
        """Return the index; asks the database for the version number each time, for the scripts when it changed."""
        version = await library_version(tx)
        if version != self._version:
            self._library = await load_library(tx)
            self._version = version
        return self._library


async def load_library(tx: Tx) -> ScriptLibrary:
    """Read all scripts in force and index them. Scripts of a product that was taken off the shelf are left out.

    Validity by date is not decided here: `ScriptLibrary.match` asks for the day.
    """
    withdrawn = select(ProductRow.code).where(col(ProductRow.status) == ProductStatus.WITHDRAWN)
    rows = await tx.exec(
        select(ScriptVersionRow)
        .where(col(ScriptVersionRow.state) == ScriptState.APPROVED)
        .where(col(ScriptVersionRow.product_code).is_(None) | col(ScriptVersionRow.product_code).not_in(withdrawn))
        .order_by(col(ScriptVersionRow.script_id))
        .limit(_MOST_SCRIPTS)
    )
    scripts = [_script(row) for row in rows.all()]
    # In a thread: the first one reads jieba's dictionary, and conversations go on meanwhile.
    return await asyncio.to_thread(ScriptLibrary, scripts)


async def library_version(tx: Tx) -> int:
    """Return the number that changes whenever any script or product does; 0 while nothing is installed."""
    return (await tx.exec(select(func.coalesce(func.max(LibraryVersionRow.version), 0)))).one()


async def find_script(tx: Tx, script_id: str) -> Script | None:
    """Find the wording in force of a script, whether valid today or not; `None` for drafts and withdrawn ones."""
    row = (
        await tx.exec(
            select(ScriptVersionRow)
            .where(col(ScriptVersionRow.script_id) == script_id)
            .where(col(ScriptVersionRow.state) == ScriptState.APPROVED)
        )
    ).first()
    return _script(row) if row else None


async def get_sendable(tx: Tx, script_id: str, version: int, on: date) -> Script:
    """Return a version if it may be sent on that day: the last question before wording leaves the library.

    Raises:
        NotFound: there is no such version.
        ScriptNotInForce: it is a draft, superseded, withdrawn, not yet or no longer valid, or its product is withdrawn.
    """
    row = await tx.get(ScriptVersionRow, (script_id, version), populate_existing=True)
    if row is None:
        raise NotFound(f"there is no version {version} of script {script_id}")
    if row.state is not ScriptState.APPROVED:
        raise ScriptNotInForce(script_id, version, row.state.value)
    script = _script(row)
    if not script.is_valid(on):
        raise ScriptNotInForce(script_id, version, "not_yet" if on < script.effective_on else "expired")
    if script.product_code is not None:
        product = await tx.get(ProductRow, script.product_code)
        if product is None or product.status is ProductStatus.WITHDRAWN:
            raise ScriptNotInForce(script_id, version, "product")
    return script


async def list_scripts(tx: Tx, query: str = "", category: str | None = None, page: int = 1) -> ScriptPage:
    """List scripts whose wording holds every word of the query (split at spaces), by id, `PAGE_SIZE` a page."""
    total = (await tx.exec(_filtered(select(func.count()).select_from(ScriptRow), query, category))).one()
    pages = max(1, -(-total // PAGE_SIZE))
    page = min(max(1, page), pages)
    found = await tx.exec(
        _filtered(select(ScriptRow), query, category)
        .order_by(col(ScriptRow.id))
        .offset((page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE)
    )
    items = tuple([await _summary(tx, row) for row in found.all()])
    return ScriptPage(items, total, page, pages)


async def list_categories(tx: Tx) -> list[tuple[str, int]]:
    """List the categories with the number of their scripts, by name."""
    rows = await tx.exec(
        select(ScriptRow.category, func.count()).group_by(ScriptRow.category).order_by(ScriptRow.category).limit(500)
    )
    return [(name, count) for name, count in rows.all()]


async def list_versions(tx: Tx, script_id: str) -> list[ScriptVersion]:
    """List all versions of a script, newest first; empty when there is no such script."""
    rows = await tx.exec(
        select(ScriptVersionRow)
        .where(col(ScriptVersionRow.script_id) == script_id)
        .order_by(col(ScriptVersionRow.version).desc())
        .limit(_MOST_VERSIONS)
    )
    return [
        ScriptVersion(
            _script(row),
            row.state,
            row.author,
            row.created_at,
            row.approved_at,
            row.closed_by,
            row.closed_at,
            row.closed_reason,
        )
        for row in rows.all()
    ]


async def list_products(tx: Tx) -> list[Product]:
    """List the whole shelf by code, withdrawn products included."""
    rows = await tx.exec(select(ProductRow).order_by(col(ProductRow.code)).limit(_MOST_PRODUCTS))
    return [_product(row) for row in rows.all()]


async def find_product(tx: Tx, code_or_name: str) -> Product | None:
    """Find a product by its code, its name, or a part of its name that only one product on sale has."""
    wanted = fold(code_or_name).replace(" ", "")
    if not wanted:
        return None
    products = await list_products(tx)
    for product in products:
        if wanted in (product.code.lower(), fold(product.name).replace(" ", "")):
            return product
    on_sale = [product for product in products if product.status is ProductStatus.ON_SALE]
    close = [product for product in on_sale if len(wanted) > 1 and wanted in fold(product.name).replace(" ", "")]
    return close[0] if len(close) == 1 else None


async def do_put_product(tx: Tx, actor: str, product: Product, now: datetime) -> None:
    """Add a product to the shelf or change it. Answers quote the new figures from the next question on."""
    row = await tx.get(ProductRow, product.code, with_for_update=True)
    if row is None:
        row = ProductRow(**_product_fields(product), updated_at=now)
    else:
        row.sqlmodel_update({**_product_fields(product), "updated_at": now})
    tx.add(row)
    await tx.flush()
    await record(
        tx,
        actor=actor,
        action="product.put",
        subject=product.code,
        details={"rate_text": product.rate_text, "status": product.status.value},
        now=now,
    )
    await do_bump_library(tx, now)


def _filtered(statement: SelectOfScalar[_T], query: str, category: str | None) -> SelectOfScalar[_T]:
    for word in fold(query).split():
        statement = statement.where(col(ScriptRow.search_text).contains(word, autoescape=True))
    return statement.where(col(ScriptRow.category) == category) if category else statement


async def _summary(tx: Tx, row: ScriptRow) -> ScriptSummary:
    version = row.current_version or row.latest_version
    shown = await tx.get_one(ScriptVersionRow, (row.id, version))
    return ScriptSummary(
        row.id,
        shown.category,
        shown.title,
        shown.question,
        shown.audience,
        row.state,
        version,
        shown.approved_by,
        shown.effective_on,
        shown.expires_on,
        shown.product_code,
    )


def _script(row: ScriptVersionRow) -> Script:
    return Script(
        id=row.script_id,
        category=row.category,
        title=row.title,
        question=row.question,
        variants=tuple(row.variants),
        answer=row.answer,
        audience=row.audience,
        version=row.version,
        approved_by=row.approved_by or "",
        effective_on=row.effective_on,
        expires_on=row.expires_on,
        product_code=row.product_code,
        source=row.source,
        risk_note=row.risk_note,
    )


def _product(row: ProductRow) -> Product:
    return Product(
        row.code, row.name, row.kind, row.risk_level, row.term, row.rate_text, row.min_amount_fen, row.status
    )


def _product_fields(product: Product) -> dict[str, Any]:
    return {name: getattr(product, name) for name in Product.__slots__}


def shelf_of(products: Sequence[Product]) -> dict[str, Product]:
    """Return the shelf as `rendering` wants it: keyed by code."""
    return {product.code: product for product in products}
