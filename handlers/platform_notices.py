"""What the platform tells the bank about the app itself becomes an alert; a sign of life ends a member's quarantine."""

from collections.abc import Sequence

from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert, do_resolve_alert
from bot.context import Reply
from bot.dispatcher import Next
from bot.events import (
    ActivityStage,
    AppActivityAlert,
    AppActivityRestored,
    AppUnsubscribed,
    Event,
    LicenceMissing,
    StaffEvent,
    StaffMessage,
)
from bot.outbox.unreachable import do_note_alive
from bot.router import Router
from handlers.context import DeskContext

router: Router[DeskContext] = Router("platform_notices")

_APP = "app"


@router.on(AppActivityAlert)
async def note_low_activity(event: AppActivityAlert, ctx: DeskContext) -> Sequence[Reply]:
    """Alert the administrators: the app will be, or is, restricted, and then customer data cannot be read (48011)."""
    in_force = event.stage is ActivityStage.RESTRICTED
    begins = "" if event.effective_at is None else event.effective_at.isoformat()
    trouble = Trouble(
        AlertKind.LOW_ACTIVITY, _APP, app=_APP, errcode=48011 if in_force else None, detail=f"{event.name} {begins}"
    )
    await do_raise_alert(ctx.tx, trouble, ctx.now)
    ctx.trace.note("alert", kind=AlertKind.LOW_ACTIVITY.value)
    return ()


@router.on(AppActivityRestored)
async def note_activity(event: AppActivityRestored, ctx: DeskContext) -> Sequence[Reply]:
    """Close the alert: the restriction was lifted."""
    closed = await do_resolve_alert(ctx.tx, AlertKind.LOW_ACTIVITY, _APP, ctx.now, event.name or "event")
    ctx.trace.note("alert_resolved", kind=AlertKind.LOW_ACTIVITY.value, count=closed)
    return ()


@router.on(LicenceMissing)
async def note_missing_licence(event: LicenceMissing, ctx: DeskContext) -> Sequence[Reply]:
    """Alert the administrators: members without a licence get no app messages."""
    await do_raise_alert(ctx.tx, Trouble(AlertKind.LICENCE, _APP, app=_APP, errcode=701008), ctx.now)
    ctx.trace.note("alert", kind=AlertKind.LICENCE.value)
    return ()


async def note_signs_of_life(following: Next[DeskContext], event: Event, ctx: DeskContext) -> Sequence[Reply]:
    """Middleware: who writes to the app, or uses it, can be reached again. (For 微信客服 the pull does the same.)"""
    match event:
        case AppUnsubscribed():
            pass
        case StaffMessage(staff_id=staff_id) | StaffEvent(staff_id=staff_id):
            if await do_note_alive(ctx.tx, f"app:{staff_id}"):
                ctx.trace.note("reachable_again", staff=staff_id)
        case _:
            pass
    return await following(event, ctx)
