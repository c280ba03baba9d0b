"""The audit trail finds what was done to it."""

from datetime import UTC, datetime

from sqlalchemy import text

from bot import audit
from bot.storage.database import Database

NOW = datetime(2026, 11, 21, 1, 2, 3, tzinfo=UTC)


async def _three_entries(db: Database) -> None:
    for number in range(3):
        async with db.transaction() as tx:
            await audit.record(
                tx, actor="co001", action="case.viewed", subject=f"case-{number}", details={"n": number}, now=NOW
            )


async def test_an_untouched_trail_verifies(db: Database) -> None:
    await _three_entries(db)
    async with db.reading() as tx:
        assert await audit.verify(tx) == audit.AuditCheck(ok=True, count=3)


async def test_an_edit_is_found_at_its_place(db: Database) -> None:
    await _three_entries(db)
    async with db.transaction() as tx:
        await (await tx.connection()).execute(text("UPDATE audit_entry SET actor='x' WHERE seq=2"))
    async with db.reading() as tx:
        assert await audit.verify(tx) == audit.AuditCheck(ok=False, count=3, broken_at=2)


async def test_a_deletion_in_the_middle_is_found(db: Database) -> None:
    await _three_entries(db)
    async with db.transaction() as tx:
        await (await tx.connection()).execute(text("DELETE FROM audit_entry WHERE seq=2"))
    async with db.reading() as tx:
        assert not (await audit.verify(tx)).ok
