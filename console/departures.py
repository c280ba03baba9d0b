"""When a member is gone: their login here ends, and whoever heads their branch gets a to-do to hand the customers over.

Run after an event and on a timer; what was done once is not done again, and a crash in between is taken up.
"""

from sqlalchemy import delete
from sqlmodel import col, func, select

from bot import audit
from bot.clock import Clock
from bot.ids import StaffId
from bot.storage.database import Database, Tx
from bot.texts import Texts, load_texts
from console.auth.models import AccountRow
from console.auth.sessions import do_end_sessions_of
from console.rights import Role
from customers import Departure, do_settle_departure, list_heads_for, list_unsettled_departures
from sop.models import TodoKind
from sop.todos import do_create_todo


async def settle_departures(db: Database, clock: Clock, language: str = "zh") -> int:
    """Deal with every departure nobody has acted on. Returns how many there were."""
    async with db.reading() as tx:
        waiting = await list_unsettled_departures(tx)
    texts = load_texts("console", language)
    settled = 0
    for departure in waiting:
        async with db.transaction() as tx:
            if await do_settle_departure(tx, departure.staff_id, clock.now()):
                await _do_end_access(tx, departure.staff_id, clock)
                await _do_tell_branch(tx, departure, texts, clock)
                settled += 1
    return settled


async def _do_end_access(tx: Tx, staff_id: StaffId, clock: Clock) -> None:
    """End sessions and account. The last administrator's account stays: nobody else could make another."""
    await do_end_sessions_of(tx, staff_id)
    account = await tx.get(AccountRow, staff_id)
    if account is None or await _is_last_admin(tx, account):
        return
    await (await tx.connection()).execute(delete(AccountRow).where(col(AccountRow.staff_id) == staff_id))
    await audit.record(
        tx,
        actor="system",
        action="console.access_ended",
        subject=f"account:{staff_id}",
        details={"reason": "departed"},
        now=clock.now(),
    )


async def _is_last_admin(tx: Tx, account: AccountRow) -> bool:
    if account.role is not Role.ADMIN:
        return False
    count = select(func.count()).where(col(AccountRow.role) == Role.ADMIN)
    return int((await tx.exec(count)).one()) == 1


async def _do_tell_branch(tx: Tx, departure: Departure, texts: Texts, clock: Clock) -> None:
    if not departure.customers and not departure.groups:
        return
    heads = await list_heads_for(tx, departure.branch_id) or await _list_admins(tx)
    for head in heads:
        await do_create_todo(
            tx,
            head,
            TodoKind.FOLLOW_UP,
            texts.render("departure.title", name=departure.name),
            texts.render("departure.body", name=departure.name, customers=departure.customers, groups=departure.groups),
            f"departure:{departure.staff_id}",
            clock.now(),
            once_key=f"departure:{departure.staff_id}:{departure.noticed_at.isoformat()}:{head}",
        )


async def _list_admins(tx: Tx) -> list[StaffId]:
    query = select(AccountRow.staff_id).where(col(AccountRow.role) == Role.ADMIN).order_by(col(AccountRow.staff_id))
    return [StaffId(one) for one in (await tx.exec(query.limit(20))).all()]
