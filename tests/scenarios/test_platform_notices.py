"""The platform's warnings about the app reach the administrators; a member's sign of life ends the quarantine."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from bot.alerts.models import AlertKind
from bot.alerts.store import list_open_alerts
from bot.context import Reply
from bot.errors import RecipientUnavailable
from bot.events import (
    ActivityStage,
    AppActivityAlert,
    AppActivityRestored,
    AppEntered,
    AppUnsubscribed,
    Event,
    LicenceMissing,
)
from bot.ids import StaffId
from bot.outbox.unreachable import do_mark_unreachable, list_unreachable
from handlers import DeskContext, open_context
from handlers.platform_notices import note_signs_of_life
from tests.scenarios.desk import LI_NA, Desk

WARNED = AppActivityAlert(
    fields={}, occurred_at=None, name="low_active_alert", effective_at=datetime(2026, 12, 1, tzinfo=UTC)
)
RESTRICTED = AppActivityAlert(fields={}, occurred_at=None, name="low_active", stage=ActivityStage.RESTRICTED)
RESTORED = AppActivityRestored(fields={}, occurred_at=None, name="active_restored")
UNLICENSED = LicenceMissing(fields={}, occurred_at=None)


async def _open_alerts(desk: Desk) -> list[tuple[AlertKind, int | None, int]]:
    async with desk.db.reading() as tx:
        return [(alert.kind, alert.errcode, alert.count) for alert in await list_open_alerts(tx)]


async def test_a_warning_and_the_restriction_after_it_are_one_alert_until_restored(desk: Desk) -> None:
    await desk.happen(WARNED)
    assert await _open_alerts(desk) == [(AlertKind.LOW_ACTIVITY, None, 1)]
    await desk.happen(RESTRICTED)
    assert await _open_alerts(desk) == [(AlertKind.LOW_ACTIVITY, 48011, 2)]
    await desk.happen(RESTORED)
    assert await _open_alerts(desk) == []


async def test_a_missing_licence_is_an_alert(desk: Desk) -> None:
    await desk.happen(UNLICENSED)
    assert await _open_alerts(desk) == [(AlertKind.LICENCE, 701008, 1)]


@pytest.mark.parametrize(
    ("event", "left"),
    [
        (AppEntered(fields={}, occurred_at=None, staff_id=LI_NA), 0),
        (AppEntered(fields={}, occurred_at=None, staff_id=StaffId("rm009")), 1),
        (AppUnsubscribed(fields={}, occurred_at=None, staff_id=LI_NA), 1),
        (UNLICENSED, 1),
    ],
)
async def test_only_a_sign_of_life_of_that_member_ends_the_quarantine(desk: Desk, event: Event, left: int) -> None:
    now = desk.clock.now()
    async with desk.db.transaction() as tx:
        gone = RecipientUnavailable("POST /cgi-bin/message/send", 81013, "invaliduser")
        await do_mark_unreachable(tx, f"app:{LI_NA}", gone, now, days=7)

    async def nothing(event: Event, ctx: DeskContext) -> Sequence[Reply]:
        return ()

    async with desk.db.transaction() as tx:
        ctx = await open_context(desk.services, tx, 1, event, now)
        await note_signs_of_life(nothing, event, ctx)
    async with desk.db.reading() as tx:
        assert len(await list_unreachable(tx, now, 10)) == left
