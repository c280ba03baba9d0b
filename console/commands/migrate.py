"""`rmbot migrate`: tables, and what a new installation needs to be able to answer at all."""

from bot.clock import SystemClock
from bot.storage.database import Database
from bot.storage.migrate import migrate as bring_tables
from compliance import LexiconStore
from console.settings import Settings
from knowledge_base import do_install_starter


async def migrate(settings: Settings) -> str:
    """Run the migrations, then install the shipped lexicon and scripts where there are none. Safe to repeat."""
    database = await Database.open(settings.storage.url)
    try:
        revision = await bring_tables(database)
        now = SystemClock().now()
        async with database.transaction() as tx:
            lexicon = await LexiconStore().do_install_default(tx, now)
            await do_install_starter(tx, now)
    finally:
        await database.close()
    return f"the database is at revision {revision}; lexicon version {lexicon} and the starter scripts are installed"
