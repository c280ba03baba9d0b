"""Insert many rows at once, leaving alone those that are there already."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from bot.storage.database import Tx

# Both engines bound the number of parameters of one statement (SQLite 32,766; PostgreSQL 65,535).
_MAX_PARAMETERS = 30_000


async def insert_ignore(
    tx: Tx, model: type[SQLModel], rows: Sequence[Mapping[str, Any]], conflict: Sequence[str]
) -> int:
    """Insert `rows` (all with the same keys); skip those whose `conflict` columns exist already.

    Returns:
        How many were inserted.
    """
    if not rows:
        return 0
    insert = sqlite.insert if tx.get_bind().dialect.name == "sqlite" else postgresql.insert
    step = max(1, _MAX_PARAMETERS // len(rows[0]))
    inserted = 0
    for start in range(0, len(rows), step):
        statement = (
            insert(model.__table__)  # type: ignore[attr-defined]  # SQLModel sets it on every table class
            .values([dict(row) for row in rows[start : start + step]])
            .on_conflict_do_nothing(index_elements=list(conflict))
            # without it SQLAlchemy does not ask PostgreSQL's driver, and answers -1
            .execution_options(preserve_rowcount=True)
        )
        connection = await tx.connection()
        inserted += (await connection.execute(statement)).rowcount
    return inserted
