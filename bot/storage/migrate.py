"""Bring a database to the present tables: our own by Alembic, and procrastinate's on PostgreSQL.

Two nodes that start together take turns.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from bot.storage.database import Database

_FOLDER = Path(__file__).parent / "migrations"
# Any fixed number: it names the turn among PostgreSQL's advisory locks.
_TURN = 7_205_760


def alembic_config() -> Config:
    """Return Alembic's settings for our migrations, without a file."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


async def migrate(database: Database) -> str:
    """Run what has not been run. Returns the revision the database has now."""
    async with database.engine.begin() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
        await connection.run_sync(_upgrade)
        if database.dialect == "postgresql" and not await connection.run_sync(_has_jobs):
            import procrastinate  # noqa: PLC0415  half a second that SQLite does not need

            # many statements in one go, which only the driver's own connection takes
            raw = await connection.get_raw_connection()
            schema = procrastinate.schema.SchemaManager.get_schema()
            assert raw.driver_connection is not None
            await raw.driver_connection.execute(schema)
    return newest_revision()


def newest_revision() -> str:
    """Return the revision this code needs."""
    head = ScriptDirectory.from_config(alembic_config()).get_current_head()
    assert head is not None, "the package ships migrations"
    return head


async def current_revision(database: Database) -> str | None:
    """Return the revision a database has; `None` when it was never migrated."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _upgrade(connection: Connection) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _has_jobs(connection: Connection) -> bool:
    return inspect(connection).has_table("procrastinate_jobs")
