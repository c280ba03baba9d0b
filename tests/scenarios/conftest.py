"""The desk, on both engines."""

import pytest

from bot.storage.database import Database
from tests.scenarios.desk import Desk, open_desk


@pytest.fixture
async def desk(db: Database) -> Desk:
    """A small bank on a Monday at nine."""
    return await open_desk(db)
