"""The migrations build exactly the tables the code expects, on both engines."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlmodel import SQLModel

from bot.storage.database import Database
from bot.storage.migrate import current_revision, migrate, newest_revision


def _differences(connection: Connection) -> list[Any]:
    ours = set(SQLModel.metadata.tables)
    context = MigrationContext.configure(
        connection,
        opts={
            "include_object": lambda _object, name, kind, _reflected, _other: kind != "table" or name in ours,
            # which text type a column has, SQLite does not say exactly; the names, keys and indexes count
            "compare_type": False,
        },
    )
    return list(compare_metadata(context, SQLModel.metadata))


async def test_a_migrated_database_has_the_tables_of_the_models(database_url: str) -> None:
    database = await Database.open(database_url)
    try:
        assert await current_revision(database) is None
        assert await migrate(database) == newest_revision() == await current_revision(database)
        async with database.engine.connect() as connection:
            assert await connection.run_sync(_differences) == []
            tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        assert ("procrastinate_jobs" in tables) == (database.dialect == "postgresql")
    finally:
        await database.close()


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    database = await Database.open(database_url)
    try:
        await migrate(database)
        await migrate(database)
    finally:
        await database.close()
