"""Write a page of rows so that only what differs is touched. Knows nothing of customers."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import inspect, tuple_
from sqlmodel import SQLModel, select

from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore

RowT = TypeVar("RowT", bound=SQLModel)
ItemT = TypeVar("ItemT")

BATCH = 400


def iter_batches(items: Iterable[ItemT], size: int = BATCH) -> Iterator[list[ItemT]]:
    """Cut a sequence into lists of at most `size`."""
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


async def upsert_rows(
    tx: Tx,
    model: type[RowT],
    rows: Collection[Mapping[str, Any]],
    now: datetime,
    initial: Mapping[str, Any] | None = None,
    asked_at: datetime | None = None,
) -> int:
    """Insert the rows whose key is new (with `initial` beside their values) and update those that differ.

    Every row holds the primary key; `changed_at` is set to `now` only where something changed. Returns how many rows
    were inserted or changed. A row that another node inserts in the same moment is left as that node wrote it, and so
    is one that changed after `asked_at`, when the platform was asked for these values: what an event brought is newer.
    """
    key = [column.name for column in inspect(model).primary_key]
    changed = 0
    for batch in iter_batches(sorted(rows, key=lambda row: tuple(row[name] for name in key))):
        existing = await _load(tx, model, key, batch)
        new = [row for row in batch if _key(row, key) not in existing]
        filled = [{**(initial or {}), **row, "changed_at": now} for row in new]
        await insert_ignore(tx, model, filled, key)
        changed += len(filled)
        for row in batch:
            found = existing.get(_key(row, key))
            changed += found is not None and not _is_newer(found, asked_at) and _apply(found, row, now)
        await tx.flush()
    return changed


async def _load(
    tx: Tx, model: type[RowT], key: Sequence[str], batch: Sequence[Mapping[str, Any]]
) -> dict[tuple[Any, ...], RowT]:
    columns = [getattr(model, name) for name in key]
    wanted = [_key(row, key) for row in batch]
    condition = tuple_(*columns).in_(wanted) if len(key) > 1 else columns[0].in_([one for (one,) in wanted])
    found = (await tx.exec(select(model).where(condition))).all()
    return {tuple(getattr(row, name) for name in key): row for row in found}


def _key(row: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in key)


def _is_newer(found: Any, asked_at: datetime | None) -> bool:
    return asked_at is not None and bool(found.changed_at > asked_at)


def _apply(found: SQLModel, row: Mapping[str, Any], now: datetime) -> bool:
    differing = {name: value for name, value in row.items() if getattr(found, name) != value}
    for name, value in differing.items():
        setattr(found, name, value)
    if differing:
        found.changed_at = now
    return bool(differing)
