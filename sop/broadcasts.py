"""Draft, confirm and cancel a broadcast to customer groups, and start it when its time has come.

The draft fixes words, recipients and time under one hash; confirming binds to that hash. Starting queues one outbox row
for each owner in the transaction that moves the state, so it happens once, whoever ticks and wherever it stops.
Nothing here talks to the platform: `results.py` follows what became of it.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import col, func, select

from bot import audit
from bot.clock import CHINA
from bot.context import GroupSend, Reply, Text
from bot.errors import Conflict, Forbidden, NotFound
from bot.ids import GroupChatId, StaffId, new_id
from bot.json import JSON
from bot.outbox.gate import OutboundGate
from bot.outbox.models import OutboxState
from bot.outbox.store import enqueue_reply
from bot.storage.database import Tx
from bot.wecom.groupsend import MAX_TEXT_BYTES
from customers import CustomerGroupRow, find_group, list_groups_of
from sop.models import BroadcastRow, BroadcastTaskRow, DeliveryRow, RecipientKind
from sop.moves import check_move, move_broadcast, move_delivery
from sop.quota import QuotaForecast, forecast_quota, quota_span
from sop.settings import SopSettings
from sop.states import (
    BROADCAST_MOVES,
    SPENDING_DELIVERIES,
    BroadcastState,
    DeliveryState,
    TaskState,
)
from sop.wording import sop_texts

PURPOSE = "group_broadcast"

_PAST_SLACK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class GroupAudience:
    """Groups of these owners, whose name contains the text (if any), at most `limit` (if any), in order of id."""

    owner_ids: tuple[StaffId, ...]
    name_contains: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class BroadcastDraft:
    """A draft as its creator sees it before confirming.

    `audience_count` are the groups that will be sent to, `group_names` theirs in order; `excluded_count` those left out
    by quota. `problems` are sentences for people, empty exactly when `allowed`.
    """

    id: str
    audience_count: int
    quota_note: str
    findings: tuple[Mapping[str, JSON], ...]
    allowed: bool
    problems: tuple[str, ...]
    group_names: tuple[str, ...]
    excluded_count: int
    send_at: datetime
    text: str


async def do_draft_broadcast(
    tx: Tx,
    creator: StaffId,
    script_ref: tuple[str, int] | None,
    text: str,
    audience: GroupAudience,
    send_at: datetime,
    now: datetime,
    *,
    gate: OutboundGate,
    settings: SopSettings | None = None,
    for_others: bool = False,
    run_id: str | None = None,
) -> BroadcastDraft:
    """Write a draft with its recipients, checked by compliance and quota. Refused ones are kept, too, as evidence.

    Args:
        for_others: the caller has checked that the creator may send for other members as well.
        run_id: the run of a plan that asks for it; a second draft for the same run is refused by the database.

    Raises:
        Forbidden: the audience has groups of others.
    """
    if not for_others and set(audience.owner_ids) != {creator}:
        raise Forbidden(f"{creator} may draft broadcasts for their own groups only")
    settings = settings or SopSettings()
    groups = await _find_audience(tx, audience, settings.max_audience)
    forecast = await _forecast(tx, [group.id for group in groups], send_at, settings)
    decision = await gate.check(tx, _reply(creator, (), text, _evidence(None, script_ref)), now)
    problems = _problems(text, send_at, now, len(groups), forecast, blocked=not decision.allowed)
    row = BroadcastRow(
        id=new_id("bc"),
        creator_id=creator,
        run_id=run_id,
        script_id=script_ref[0] if script_ref else None,
        script_version=script_ref[1] if script_ref else None,
        text=text,
        text_hash=broadcast_hash(text, script_ref, send_at, forecast.fitting),
        audience={
            "owner_ids": list(audience.owner_ids),
            "name_contains": audience.name_contains,
            "limit": audience.limit,
        },
        send_at=send_at,
        state=BroadcastState.DRAFT,
        allowed=not problems,
        findings=[dict(finding) for finding in decision.findings],
        reason="；".join(problems) or None,
        created_at=now,
    )
    tx.add(row)
    await tx.flush()
    tx.add_all([_delivery(row, group, forecast, now) for group in groups])
    await tx.flush()
    return BroadcastDraft(
        id=row.id,
        audience_count=len(forecast.fitting),
        quota_note=quota_note(forecast),
        findings=decision.findings,
        allowed=row.allowed,
        problems=problems,
        group_names=tuple(group.name for group in groups if group.id in set(forecast.fitting)),
        excluded_count=len(forecast.used_up),
        send_at=send_at,
        text=text,
    )


async def do_confirm_broadcast(
    tx: Tx,
    broadcast_id: str,
    actor: StaffId,
    now: datetime,
    *,
    settings: SopSettings | None = None,
    for_others: bool = False,
) -> BroadcastRow:
    """Schedule a draft, as it was checked. Confirming what this actor has scheduled already changes nothing.

    Raises:
        NotFound: there is none with that id.
        Forbidden: somebody else drafted it (unless the caller has checked that right: `for_others`).
        Conflict: it was refused by compliance or quota, its time is over, it changed after the draft, or it is no
            draft any more.
    """
    row = await _lock(tx, broadcast_id)
    _check_owner(row, actor, for_others)
    if row.state is BroadcastState.SCHEDULED and row.confirmed_by == actor:
        return row
    check_move(f"broadcast {row.id}", BROADCAST_MOVES, row.state, BroadcastState.CONFIRMED)
    if not row.allowed:
        raise Conflict(row.reason or f"broadcast {row.id} was not allowed")
    if now > row.send_at + (settings or SopSettings()).broadcast_grace:
        raise Conflict(sop_texts()["broadcast.problem.past"])
    planned = [one.recipient_id for one in await _deliveries(tx, row.id, DeliveryState.PLANNED)]
    if broadcast_hash(row.text, _script_ref(row), row.send_at, planned) != row.text_hash:
        raise Conflict(f"broadcast {row.id} was changed after it was drafted: draft it again")
    move_broadcast(row, BroadcastState.CONFIRMED, now)
    row.confirmed_by, row.confirmed_at = actor, now
    move_broadcast(row, BroadcastState.SCHEDULED, now)
    await audit.record(
        tx,
        actor=actor,
        action="broadcast.confirm",
        subject=f"broadcast:{row.id}",
        details={"hash": row.text_hash, "groups": len(planned), "send_at": row.send_at.isoformat()},
        now=now,
    )
    return row


async def do_cancel_broadcast(
    tx: Tx, broadcast_id: str, actor: StaffId, now: datetime, *, for_others: bool = False
) -> BroadcastRow:
    """Cancel: at once before it was started, else by withdrawing what members have not confirmed (`results.py`).

    Cancelling again changes nothing.

    Raises:
        NotFound: there is none with that id.
        Forbidden: somebody else drafted it (unless the caller has checked that right: `for_others`).
        Conflict: it is over.
    """
    row = await _lock(tx, broadcast_id)
    _check_owner(row, actor, for_others)
    if row.state in (BroadcastState.CANCELLED, BroadcastState.CANCELLING):
        return row
    started = row.state in (BroadcastState.CREATING, BroadcastState.AWAITING_MEMBERS)
    goal = BroadcastState.CANCELLING if started else BroadcastState.CANCELLED
    reason = sop_texts()["broadcast.problem.cancelled"]
    move_broadcast(row, goal, now, reason)
    if started:
        await _look_soon(tx, row.id, now)
    else:
        await _end_planned(tx, row.id, DeliveryState.CANCELLED, reason, now)
    await audit.record(tx, actor=actor, action="broadcast.cancel", subject=f"broadcast:{row.id}", details={}, now=now)
    return row


async def list_due_broadcasts(tx: Tx, now: datetime, limit: int = 100) -> list[str]:
    """List the ids of scheduled broadcasts whose time has come, the earliest first."""
    query = (
        select(BroadcastRow.id)
        .where(BroadcastRow.state == BroadcastState.SCHEDULED, col(BroadcastRow.send_at) <= now)
        .order_by(col(BroadcastRow.send_at), col(BroadcastRow.id))
        .limit(limit)
    )
    return list((await tx.exec(query)).all())


async def do_start_broadcast(
    tx: Tx, broadcast_id: str, gate: OutboundGate, settings: SopSettings, now: datetime
) -> BroadcastState | None:
    """Queue a due broadcast for each owner. Returns its new state; `None` when somebody else has started it.

    Quota, ownership and compliance are asked again: what was true at the draft may not be true any more.
    Locks the broadcast's row, so that of two nodes one starts it and the other finds it started.
    """
    row = await _lock(tx, broadcast_id)
    if row.state is not BroadcastState.SCHEDULED or row.send_at > now:
        return None
    if now > row.send_at + settings.broadcast_grace:
        minutes = int(settings.broadcast_grace.total_seconds() // 60)
        return await _fail(tx, row, sop_texts().render("broadcast.problem.too_late", minutes=minutes), now)
    await _exclude_unfit(tx, row, settings, now)
    by_owner: dict[str, list[DeliveryRow]] = {}
    for delivery in await _deliveries(tx, row.id, DeliveryState.PLANNED):
        by_owner.setdefault(delivery.owner_id, []).append(delivery)
    queued = [await _queue_for_owner(tx, row, owner, by_owner[owner], gate, now) for owner in sorted(by_owner)]
    if not any(queued):
        return await _fail(tx, row, sop_texts()["broadcast.problem.nobody_left"], now)
    row.started_at = now
    move_broadcast(row, BroadcastState.CREATING, now)
    return row.state


def broadcast_hash(text: str, script_ref: tuple[str, int] | None, send_at: datetime, recipients: Sequence[str]) -> str:
    """Return the fingerprint of what is confirmed: words, their script, the time and everyone who receives them."""
    content = [text, list(script_ref or ()), int(send_at.timestamp()), sorted(recipients)]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False).encode()).hexdigest()


def quota_note(forecast: QuotaForecast) -> str:
    """Say the forecast in a sentence; empty when there are no recipients at all."""
    texts = sop_texts()
    excluded, count = len(forecast.used_up), len(forecast.fitting)
    if not excluded and not count:
        return ""
    if not count:
        return texts.render("broadcast.quota.none_left", excluded=excluded)
    key = "broadcast.quota.some_used_up" if excluded else "broadcast.quota.fine"
    return texts.render(key, excluded=excluded, count=count, left=forecast.tightest)


async def _find_audience(tx: Tx, audience: GroupAudience, most: int) -> list[CustomerGroupRow]:
    owned = [group for owner in sorted(set(audience.owner_ids)) for group in await list_groups_of(tx, owner)]
    wanted = (audience.name_contains or "").casefold()
    named = [group for group in owned if wanted in group.name.casefold()]
    return named[: min(audience.limit or most, most)]


async def _forecast(
    tx: Tx, group_ids: Sequence[str], send_at: datetime, settings: SopSettings, except_for: str = ""
) -> QuotaForecast:
    span = quota_span(settings.quota.mode, send_at, CHINA)
    query = (
        select(DeliveryRow.recipient_id, func.count())
        .join(BroadcastRow, col(BroadcastRow.id) == col(DeliveryRow.broadcast_id))
        .where(
            col(DeliveryRow.recipient_id).in_(group_ids),
            col(DeliveryRow.send_at) >= span.since,
            col(DeliveryRow.send_at) < span.until,
            col(DeliveryRow.state).in_(SPENDING_DELIVERIES),
            # A draft nobody confirmed takes nothing from anyone.
            BroadcastRow.state != BroadcastState.DRAFT,
            DeliveryRow.broadcast_id != except_for,
        )
        .group_by(col(DeliveryRow.recipient_id))
    )
    used = dict((await tx.exec(query)).all())
    return forecast_quota(group_ids, used, span.limit, settings.quota.reserve)


def _problems(
    text: str, send_at: datetime, now: datetime, groups: int, forecast: QuotaForecast, *, blocked: bool
) -> tuple[str, ...]:
    texts = sop_texts()
    found = {
        "empty": not text.strip(),
        "too_long": len(text.encode()) > MAX_TEXT_BYTES,
        "past": send_at < now - _PAST_SLACK,
        "no_groups": groups == 0,
        "all_used_up": groups > 0 and not forecast.fitting,
        "blocked": blocked,
    }
    return tuple(
        texts.render(f"broadcast.problem.{key}", limit=MAX_TEXT_BYTES) for key, is_so in found.items() if is_so
    )


def _delivery(row: BroadcastRow, group: CustomerGroupRow, forecast: QuotaForecast, now: datetime) -> DeliveryRow:
    fits = group.id in set(forecast.fitting)
    return DeliveryRow(
        id=new_id("dl"),
        broadcast_id=row.id,
        owner_id=group.owner_id,
        recipient_kind=RecipientKind.GROUP,
        recipient_id=group.id,
        name=group.name,
        state=DeliveryState.PLANNED if fits else DeliveryState.EXCLUDED,
        reason=None if fits else sop_texts()["broadcast.excluded.quota"],
        send_at=row.send_at,
        changed_at=now,
    )


async def _exclude_unfit(tx: Tx, row: BroadcastRow, settings: SopSettings, now: datetime) -> None:
    planned = await _deliveries(tx, row.id, DeliveryState.PLANNED)
    ids = [delivery.recipient_id for delivery in planned]
    used_up = set((await _forecast(tx, ids, row.send_at, settings, except_for=row.id)).used_up)
    for delivery in planned:
        group = await find_group(tx, GroupChatId(delivery.recipient_id))
        reason = _why_unfit(delivery, group, used_up=delivery.recipient_id in used_up)
        if reason:
            reason = sop_texts()[f"broadcast.excluded.{reason}"]
            move_delivery(delivery, DeliveryState.EXCLUDED, now, reason)
    await tx.flush()


def _why_unfit(delivery: DeliveryRow, group: CustomerGroupRow | None, *, used_up: bool) -> str | None:
    if group is None or not group.active:
        return "group_gone"
    if group.owner_id != delivery.owner_id:
        return "owner_changed"
    return "quota" if used_up else None


async def _queue_for_owner(
    tx: Tx,
    row: BroadcastRow,
    owner: str,
    deliveries: Sequence[DeliveryRow],
    gate: OutboundGate,
    now: datetime,
) -> bool:
    """Queue one creation and remember it; false when the gate blocks it now."""
    chat_ids = tuple(GroupChatId(delivery.recipient_id) for delivery in deliveries)
    reply = _reply(StaffId(owner), chat_ids, row.text, _evidence(row.id, _script_ref(row)))
    outgoing = await enqueue_reply(tx, reply, gate, now)
    if outgoing.id is None or outgoing.state is OutboxState.BLOCKED:
        for delivery in deliveries:
            move_delivery(delivery, DeliveryState.FAILED, now, sop_texts()["broadcast.problem.blocked"])
        return False
    tx.add(
        BroadcastTaskRow(
            id=new_id("bt"),
            broadcast_id=row.id,
            owner_id=owner,
            outbox_id=outgoing.id,
            state=TaskState.QUEUED,
            created_at=now,
            next_poll_at=now,
        )
    )
    for delivery in deliveries:
        move_delivery(delivery, DeliveryState.SENDING, now)
    await tx.flush()
    return True


async def _fail(tx: Tx, row: BroadcastRow, reason: str, now: datetime) -> BroadcastState:
    await _end_planned(tx, row.id, DeliveryState.FAILED, reason, now)
    move_broadcast(row, BroadcastState.FAILED, now, reason)
    return row.state


async def _end_planned(tx: Tx, broadcast_id: str, state: DeliveryState, reason: str, now: datetime) -> None:
    for delivery in await _deliveries(tx, broadcast_id, DeliveryState.PLANNED):
        move_delivery(delivery, state, now, reason)
    await tx.flush()


async def _look_soon(tx: Tx, broadcast_id: str, now: datetime) -> None:
    # Results are looked at ever more seldom; a withdrawal must not wait for the next look.
    tasks = await tx.exec(select(BroadcastTaskRow).where(BroadcastTaskRow.broadcast_id == broadcast_id))
    for task in tasks.all():
        task.next_poll_at = now


async def _deliveries(tx: Tx, broadcast_id: str, state: DeliveryState) -> list[DeliveryRow]:
    query = (
        select(DeliveryRow)
        .where(DeliveryRow.broadcast_id == broadcast_id, DeliveryRow.state == state)
        .order_by(col(DeliveryRow.recipient_id))
    )
    return list((await tx.exec(query)).all())


async def _lock(tx: Tx, broadcast_id: str) -> BroadcastRow:
    row = await tx.get(BroadcastRow, broadcast_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no broadcast {broadcast_id}")
    return row


def _check_owner(row: BroadcastRow, actor: StaffId, for_others: bool) -> None:
    if row.creator_id != actor and not for_others:
        raise Forbidden(f"broadcast {row.id} is not {actor}'s")


def _script_ref(row: BroadcastRow) -> tuple[str, int] | None:
    if row.script_id is None or row.script_version is None:
        return None
    return row.script_id, row.script_version


def _evidence(broadcast_id: str | None, script_ref: tuple[str, int] | None) -> dict[str, JSON]:
    evidence: dict[str, JSON] = {"broadcast": broadcast_id} if broadcast_id else {}
    if script_ref:
        evidence |= {"script": script_ref[0], "version": script_ref[1]}
    return evidence


def _reply(sender: StaffId, chat_ids: tuple[GroupChatId, ...], text: str, evidence: Mapping[str, JSON]) -> Reply:
    return Reply(GroupSend(sender, chat_ids), Text(text), PURPOSE, evidence)
