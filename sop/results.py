"""Follow what became of started broadcasts: created, confirmed by the member, delivered to whom.

A look asks the platform outside of any transaction and then writes what it learned in one. Looking twice, from two
nodes, or after a crash writes the same: every change goes through the tables of `states.py` on locked rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from sqlmodel import col, select

from bot.clock import Clock
from bot.errors import Conflict, Forbidden, NotFound, PlatformError
from bot.ids import StaffId
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Database, Tx
from bot.wecom import groupsend
from bot.wecom.api.calls import PlatformCalls
from sop.models import BroadcastRow, BroadcastTaskRow, DeliveryRow, TodoKind
from sop.moves import move_broadcast, move_delivery, move_task
from sop.outcomes import Reading, TaskOutcome, Verdict, decide_broadcast, decide_task, next_look
from sop.settings import SopSettings
from sop.states import FINAL_DELIVERIES, FINAL_TASKS, BroadcastState, DeliveryState, TaskState, TodoState
from sop.todos import do_close_todos_about, do_create_todo
from sop.wording import sop_texts

log = structlog.get_logger(__name__)

_AT_ONCE = 200
_PREVIEW = 60


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What one round has learned. `postponed` could not be asked now and will be again."""

    looked: int = 0
    created: int = 0
    finished: int = 0
    failed: int = 0
    postponed: int = 0


@dataclass(frozen=True, slots=True)
class _Watched:
    """A member's part as read before asking the platform; nothing of it is trusted when writing."""

    id: str
    broadcast_id: str
    owner_id: StaffId
    state: TaskState
    msgid: str | None
    created_at: datetime
    confirmed_at: datetime | None
    cancelling: bool
    text: str
    outbox_state: OutboxState
    outbox_created_at: datetime
    outbox_error: str
    created_msgid: str | None
    unreachable: frozenset[str]
    waiting: frozenset[str]


async def refresh_results(
    db: Database, client: PlatformCalls, clock: Clock, settings: SopSettings | None = None
) -> RefreshReport:
    """Look at every member's part whose time for a look has come, at most 200 a round.

    One part that cannot be asked now (41063, rate, no answer) is postponed and does not hold up the others.
    """
    settings = settings or SopSettings()
    report = RefreshReport()
    async with db.reading() as tx:
        due = await _list_due(tx, clock.now())
    for task_id in due:
        try:
            state = await _refresh_task(db, client, clock, settings, task_id)
        except PlatformError as error:
            log.info("results_postponed", action="results_postponed", task=task_id, errcode=error.errcode)
            await _postpone(db, clock.now(), settings, task_id)
            report = replace(report, postponed=report.postponed + 1)
            continue
        report = replace(
            report,
            looked=report.looked + 1,
            created=report.created + (state is TaskState.AWAITING_MEMBER),
            finished=report.finished + (state is TaskState.DONE),
            failed=report.failed + (state is TaskState.FAILED),
        )
    return report


async def remind_members(
    db: Database,
    client: PlatformCalls,
    clock: Clock,
    broadcast_id: str,
    actor: StaffId,
    *,
    for_others: bool = False,
) -> int:
    """Nudge the members who have not confirmed yet. Returns how many tasks the platform accepted a nudge for.

    Raises:
        NotFound, Forbidden: as for cancelling.
        Conflict: nobody is being waited for.
    """
    async with db.reading() as tx:
        row = await tx.get(BroadcastRow, broadcast_id)
        if row is None:
            raise NotFound(f"no broadcast {broadcast_id}")
        if row.creator_id != actor and not for_others:
            raise Forbidden(f"broadcast {broadcast_id} is not {actor}'s")
        tasks = [task for task in await _tasks_of(tx, broadcast_id) if task.state is TaskState.AWAITING_MEMBER]
    if not tasks:
        raise Conflict(f"broadcast {broadcast_id} waits for nobody")
    accepted = 0
    for task in tasks:
        if task.msgid and await groupsend.remind_members(client, task.msgid):
            accepted += 1
            async with db.transaction() as tx:
                fresh = await tx.get_one(BroadcastTaskRow, task.id, with_for_update=True)
                fresh.reminded_at = clock.now()
    return accepted


async def _list_due(tx: Tx, now: datetime) -> list[str]:
    query = (
        select(BroadcastTaskRow.id)
        .where(col(BroadcastTaskRow.state).not_in(FINAL_TASKS), col(BroadcastTaskRow.next_poll_at) <= now)
        .order_by(col(BroadcastTaskRow.next_poll_at), col(BroadcastTaskRow.id))
        .limit(_AT_ONCE)
    )
    return list((await tx.exec(query)).all())


async def _refresh_task(
    db: Database, client: PlatformCalls, clock: Clock, settings: SopSettings, task_id: str
) -> TaskState:
    async with db.reading() as tx:
        watched = await _watch(tx, task_id)
    if watched.state in FINAL_TASKS:
        return watched.state
    if watched.msgid is None:
        return await _follow_creation(db, client, clock, settings, watched)
    outcome = await _look(client, clock, settings, watched, watched.msgid)
    return await _write(db, clock.now(), settings, watched, outcome)


async def _watch(tx: Tx, task_id: str) -> _Watched:
    task = await tx.get_one(BroadcastTaskRow, task_id)
    broadcast = await tx.get_one(BroadcastRow, task.broadcast_id)
    outgoing = await tx.get_one(OutboxRow, task.outbox_id)
    result = outgoing.result or {}
    msgid = result.get("msgid") or outgoing.platform_msgid
    waiting = [one.recipient_id for one in await _open_deliveries(tx, task)]
    return _Watched(
        id=task.id,
        broadcast_id=task.broadcast_id,
        owner_id=StaffId(task.owner_id),
        state=task.state,
        msgid=task.msgid,
        created_at=task.created_at,
        confirmed_at=task.confirmed_at,
        cancelling=broadcast.state is BroadcastState.CANCELLING,
        text=broadcast.text,
        outbox_state=outgoing.state,
        outbox_created_at=outgoing.created_at,
        outbox_error=outgoing.error or "",
        created_msgid=str(msgid) if msgid else None,
        unreachable=frozenset(str(one) for one in result.get("fail_list") or ()),
        waiting=frozenset(waiting),
    )


async def _follow_creation(
    db: Database, client: PlatformCalls, clock: Clock, settings: SopSettings, watched: _Watched
) -> TaskState:
    """Take over what the outbox has learned about the creation.

    While the outcome is uncertain the outbox itself asks the platform before it tries again. Once it has given up, the
    last word is ours: a task that exists all the same is adopted rather than called failed.
    """
    match watched.outbox_state:
        case OutboxState.SENT if watched.created_msgid:
            return await _adopt(db, clock.now(), settings, watched, watched.created_msgid)
        case OutboxState.SENT | OutboxState.FAILED:
            msgid = await _find_created(db, client, clock.now(), watched)
            if msgid is not None:
                return await _adopt(db, clock.now(), settings, watched, msgid)
            return await _give_up(db, clock.now(), watched)
        case OutboxState.BLOCKED:
            return await _give_up(db, clock.now(), watched)
        case OutboxState.UNCERTAIN:
            return await _mark_uncertain(db, clock.now(), settings, watched)
        case OutboxState.QUEUED | OutboxState.SENDING:
            await _postpone(db, clock.now(), settings, watched.id)
            return watched.state


async def _find_created(db: Database, client: PlatformCalls, now: datetime, watched: _Watched) -> str | None:
    async with db.reading() as tx:
        query = select(BroadcastTaskRow.msgid).where(
            BroadcastTaskRow.owner_id == watched.owner_id, col(BroadcastTaskRow.msgid).is_not(None)
        )
        known = {msgid for msgid in (await tx.exec(query)).all() if msgid}
    return await groupsend.find_created(
        client,
        watched.owner_id,
        watched.text,
        attempted_at=watched.outbox_created_at,
        now=now,
        known=known,
    )


async def _look(
    client: PlatformCalls, clock: Clock, settings: SopSettings, watched: _Watched, msgid: str
) -> TaskOutcome:
    outcome = await _ask(client, clock.now(), settings, watched, msgid)
    if outcome.verdict not in (Verdict.WITHDRAW_CANCELLED, Verdict.WITHDRAW_EXPIRED):
        return outcome
    await groupsend.cancel_task(client, msgid)
    # The member may have confirmed between our look and the withdrawal: then that is what happened.
    again = await _ask(client, clock.now(), settings, watched, msgid)
    return again if again.verdict in (Verdict.CONFIRMED, Verdict.DONE) else outcome


async def _ask(
    client: PlatformCalls, now: datetime, settings: SopSettings, watched: _Watched, msgid: str
) -> TaskOutcome:
    members = await groupsend.list_member_tasks(client, msgid)
    own = watched.owner_id.casefold()
    member = next((one for one in members if one.staff_id.casefold() == own), None)
    results: Sequence[groupsend.SendResult] = ()
    if member is not None and member.confirmed:
        results = await groupsend.list_send_results(client, msgid, watched.owner_id)
    return decide_task(
        Reading(member, results),
        watched.waiting,
        now=now,
        confirmed_at=watched.confirmed_at,
        deadline=watched.created_at + settings.confirm_within,
        settle_after=settings.settle_after,
        cancelling=watched.cancelling,
    )


async def _adopt(db: Database, now: datetime, settings: SopSettings, watched: _Watched, msgid: str) -> TaskState:
    """The task exists at the platform: the member has something to confirm."""
    async with db.transaction() as tx:
        broadcast, task = await _lock(tx, watched)
        if task.msgid is not None or task.state in FINAL_TASKS:
            return task.state
        task.msgid = msgid
        move_task(task, TaskState.AWAITING_MEMBER, now)
        for delivery in await _open_deliveries(tx, task):
            if delivery.recipient_id in watched.unreachable:
                reason = sop_texts()["broadcast.excluded.unreachable"]
                move_delivery(delivery, DeliveryState.UNSENT, now, reason)
            else:
                move_delivery(delivery, DeliveryState.AWAITING_MEMBER, now)
        await tx.flush()
        await _ask_member_to_confirm(tx, task, broadcast, now)
        task.next_poll_at = now + settings.poll_fast
        await _settle(tx, broadcast, now)
    return TaskState.AWAITING_MEMBER


async def _give_up(db: Database, now: datetime, watched: _Watched) -> TaskState:
    async with db.transaction() as tx:
        broadcast, task = await _lock(tx, watched)
        if task.msgid is not None or task.state in FINAL_TASKS:
            return task.state
        detail = watched.outbox_error or watched.outbox_state.value
        reason = sop_texts().render("broadcast.problem.not_created", reason=detail[:100])
        move_task(task, TaskState.FAILED, now, reason)
        for delivery in await _open_deliveries(tx, task):
            move_delivery(delivery, DeliveryState.FAILED, now, reason)
        await do_create_todo(
            tx,
            watched.owner_id,
            TodoKind.BROADCAST_PROBLEM,
            sop_texts()["todo.broadcast_problem.title"],
            sop_texts().render("todo.broadcast_problem.body", reason=reason),
            f"broadcast:{broadcast.id}",
            now,
            now,
            once_key=f"problem:{task.id}",
        )
        await _settle(tx, broadcast, now)
    return TaskState.FAILED


async def _mark_uncertain(db: Database, now: datetime, settings: SopSettings, watched: _Watched) -> TaskState:
    async with db.transaction() as tx:
        _, task = await _lock(tx, watched)
        if task.state is TaskState.QUEUED:
            move_task(task, TaskState.UNCERTAIN, now)
            for delivery in await _open_deliveries(tx, task):
                move_delivery(delivery, DeliveryState.UNCERTAIN, now)
        task.next_poll_at = now + settings.poll_fast
        return task.state


async def _write(
    db: Database, now: datetime, settings: SopSettings, watched: _Watched, outcome: TaskOutcome
) -> TaskState:
    async with db.transaction() as tx:
        broadcast, task = await _lock(tx, watched)
        if task.state in FINAL_TASKS:
            return task.state
        await _write_recipients(tx, task, outcome, now)
        await _write_verdict(tx, task, outcome.verdict, now)
        if outcome.verdict is Verdict.CONFIRMED:
            task.next_poll_at = now + settings.poll_fast
        else:
            task.next_poll_at = next_look(now, task.created_at, settings.poll_fast, settings.poll_slow)
        await _settle(tx, broadcast, now)
        return task.state


async def _write_recipients(tx: Tx, task: BroadcastTaskRow, outcome: TaskOutcome, now: datetime) -> None:
    results = {result.recipient_id: result for result in outcome.recipients}
    for delivery in await _open_deliveries(tx, task):
        result = results.get(delivery.recipient_id)
        if result is not None:
            move_delivery(delivery, result.state, now)
            delivery.sent_at = result.sent_at
    await tx.flush()


async def _write_verdict(tx: Tx, task: BroadcastTaskRow, verdict: Verdict, now: datetime) -> None:
    subject = f"broadcast_task:{task.id}"
    match verdict:
        case Verdict.WAIT:
            return
        case Verdict.CONFIRMED | Verdict.DONE:
            if task.state is TaskState.AWAITING_MEMBER:
                move_task(task, TaskState.CONFIRMED, now)
                task.confirmed_at = now
                await do_close_todos_about(tx, subject, TodoState.DONE, now)
            if verdict is Verdict.DONE:
                move_task(task, TaskState.DONE, now)
        case Verdict.WITHDRAW_CANCELLED | Verdict.WITHDRAW_EXPIRED:
            cancelled = verdict is Verdict.WITHDRAW_CANCELLED
            reason = sop_texts()["broadcast.problem.cancelled" if cancelled else "broadcast.problem.expired"]
            move_task(task, TaskState.CANCELLED if cancelled else TaskState.EXPIRED, now, reason)
            for delivery in await _open_deliveries(tx, task):
                state = DeliveryState.CANCELLED if cancelled else DeliveryState.UNSENT
                move_delivery(delivery, state, now, reason)
            closed = TodoState.CANCELLED if cancelled else TodoState.EXPIRED
            await do_close_todos_about(tx, subject, closed, now)


async def _settle(tx: Tx, broadcast: BroadcastRow, now: datetime) -> None:
    """Bring the broadcast to the state its tasks are in; its row is locked by the caller."""
    await tx.flush()
    tasks = await _tasks_of(tx, broadcast.id)
    state = decide_broadcast(broadcast.state, [task.state for task in tasks])
    if state is not broadcast.state:
        reason = next((task.reason for task in tasks if task.reason), None)
        move_broadcast(broadcast, state, now, reason if state is BroadcastState.FAILED else None)
        log.info("broadcast_moved", action="broadcast_moved", broadcast=broadcast.id, state=state.value)


async def _ask_member_to_confirm(tx: Tx, task: BroadcastTaskRow, broadcast: BroadcastRow, now: datetime) -> None:
    texts = sop_texts()
    names = [one.name for one in await _open_deliveries(tx, task)]
    shown = "、".join(f"「{name}」" for name in names[:3])
    if len(names) > 3:
        shown = texts.render("todo.confirm_broadcast.more_groups", names=shown, count=len(names))
    preview = broadcast.text[:_PREVIEW] + ("…" if len(broadcast.text) > _PREVIEW else "")
    await do_create_todo(
        tx,
        StaffId(task.owner_id),
        TodoKind.CONFIRM_BROADCAST,
        texts.render("todo.confirm_broadcast.title", count=len(names)),
        texts.render("todo.confirm_broadcast.body", groups=shown, preview=preview),
        f"broadcast_task:{task.id}",
        now,
        now,
        once_key=f"confirm:{task.id}",
    )


async def _postpone(db: Database, now: datetime, settings: SopSettings, task_id: str) -> None:
    async with db.transaction() as tx:
        task = await tx.get_one(BroadcastTaskRow, task_id, with_for_update=True)
        creating = task.state in (TaskState.QUEUED, TaskState.UNCERTAIN)
        slow = settings.poll_fast if creating else settings.poll_slow
        task.next_poll_at = next_look(now, task.created_at, settings.poll_fast, slow)


async def _lock(tx: Tx, watched: _Watched) -> tuple[BroadcastRow, BroadcastTaskRow]:
    # Always the broadcast first: cancelling takes the same order, so the two never wait for each other.
    broadcast = await tx.get_one(BroadcastRow, watched.broadcast_id, with_for_update=True)
    task = await tx.get_one(BroadcastTaskRow, watched.id, with_for_update=True)
    return broadcast, task


async def _open_deliveries(tx: Tx, task: BroadcastTaskRow) -> list[DeliveryRow]:
    query = (
        select(DeliveryRow)
        .where(
            DeliveryRow.broadcast_id == task.broadcast_id,
            DeliveryRow.owner_id == task.owner_id,
            col(DeliveryRow.state).not_in(FINAL_DELIVERIES),
        )
        .order_by(col(DeliveryRow.recipient_id))
    )
    return list((await tx.exec(query)).all())


async def _tasks_of(tx: Tx, broadcast_id: str) -> list[BroadcastTaskRow]:
    query = (
        select(BroadcastTaskRow)
        .where(BroadcastTaskRow.broadcast_id == broadcast_id)
        .order_by(col(BroadcastTaskRow.owner_id))
    )
    return list((await tx.exec(query)).all())
