"""`rmbot audit verify`."""

from bot import audit
from bot.storage.database import Database
from console.settings import Settings


async def verify_audit(settings: Settings) -> audit.AuditCheck:
    """Recompute the audit chain from its first entry."""
    database = await Database.open(settings.storage.url)
    try:
        async with database.reading() as tx:
            return await audit.verify(tx)
    finally:
        await database.close()
