"""The desk, on both engines."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database
from tests.bot.kf.desk import KfDesk, open_kf_desk


@pytest.fixture
async def desk(db: Database) -> AsyncIterator[KfDesk]:
    """A platform without a limit on pulls, and our side of it."""
    async with open_kf_desk(db, kf_pulls_without_token_per_minute=0) as desk:
        yield desk
