"""A small bank for each test, on both engines."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database
from tests.console.world import World, make_world


@pytest.fixture
async def world(db: Database) -> AsyncIterator[World]:
    """The bank, installed in an empty database."""
    made = await make_world(db)
    yield made
    await made.services.http.aclose()
    await made.platform.close()
