"""What happens between members and customers without words: a new customer is welcomed and enters the plans."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.context import Reply, Text, Welcome
from bot.events import CustomerAdded
from bot.router import Router
from customers import find_staff
from handlers.context import DeskContext
from sop import PlanTrigger, start_plans_for

router: Router[DeskContext] = Router("events")

WELCOME_CODE_LIFE = timedelta(seconds=20)  # 05-customer-contact.md, 5.4


@router.on(CustomerAdded)
async def welcome_customer(event: CustomerAdded, ctx: DeskContext) -> Sequence[Reply]:
    """Start the plans for new customers, and welcome this one while the platform's code is good.

    Without a code the platform sends its own welcome, or the relation is being restored: nothing is said.
    """
    await start_plans_for(ctx.tx, PlanTrigger.CUSTOMER_ADDED, event.staff_id, event.customer_id, ctx.now)
    ctx.trace.note("plans", trigger=PlanTrigger.CUSTOMER_ADDED.value, customer=event.customer_id)
    if not event.welcome_code:
        return ()
    staff = await find_staff(ctx.tx, event.staff_id)
    bank = ctx.settings.bank_name
    body = (
        ctx.texts.render("welcome.body", bank=bank, name=staff.name)
        if staff
        else ctx.texts.render("welcome.nameless", bank=bank)
    )
    address = Welcome(event.welcome_code, event.staff_id, event.customer_id)
    return [Reply(address, Text(body), "welcome", expires_at=_code_ends(event.occurred_at, ctx.now))]


def _code_ends(issued_at: datetime | None, now: datetime) -> datetime:
    """Return when the code is of no use any more; a platform clock ahead of ours does not make it live longer."""
    return min(issued_at or now, now) + WELCOME_CODE_LIFE
