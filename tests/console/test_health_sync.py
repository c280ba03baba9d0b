"""The health page says how the copy of customers and groups stands, while it is being read and when it stopped."""

from datetime import timedelta
from typing import Any

import pytest

from customers.models import SyncCursorRow, SyncStage
from tests.console.world import World


async def put_run(world: World, **fields: Any) -> None:
    """Put the newest run as it stands in the database."""
    now = world.clock.now()
    run: dict[str, Any] = {"name": "everything", "started_at": now, "updated_at": now, "counts": {}, **fields}
    async with world.db.transaction() as tx:
        await tx.merge(SyncCursorRow(**run))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (
            {"stage": SyncStage.CUSTOMERS, "done": 12, "total": 200, "owner": "node-1", "lease": 60},
            "第 12 位成员，共 200 位",
        ),
        (
            {"stage": SyncStage.GROUPS, "done": 3, "total": 200, "owner": "", "last_error": "platform.unavailable"},
            "没有做完",
        ),
    ],
)
async def test_a_run_under_way_or_broken_off_is_told(world: World, fields: dict[str, Any], words: str) -> None:
    lease = fields.pop("lease", None)
    if isinstance(lease, int):
        fields["lease_until"] = world.clock.now() + timedelta(seconds=lease)
    await put_run(world, **fields)
    page = (await (await world.login("ad001")).get("/health")).text
    assert words in page
