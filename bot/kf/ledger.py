"""The account of every 微信客服 session: fed by pulled items, asked by the sender, shown to people.

A share is taken before the call that uses it, in the transaction that marks the row as being sent, and given back only
when the platform has refused. So a crash can cost a message of the budget, but never lead to a sixth.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import structlog
from sqlalchemy import func
from sqlmodel import col, select

from bot.context import Address, KfChat, KfHandOver
from bot.kf.budget import WINDOW, Barrier, KfBudget, budget_of, state_now
from bot.kf.items import CustomerEntered, CustomerWrote, KfFact, RejectSwitched, SendFailed, StateChanged
from bot.kf.models import HUMAN_STATES, STATES, EntryState, KfClosed, KfLedgerRow, KfSessionRow, KfState
from bot.outbox.codec import load_address
from bot.outbox.gate import Refusal, SendOutcome
from bot.outbox.models import OutboxRow, OutboxState
from bot.storage.database import Tx
from bot.storage.upsert import insert_ignore

log = structlog.get_logger("bot.kf")

HAND_OVER_REFUSED = "kf.hand_over"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_CROSSING = timedelta(minutes=1)

# Told, in the same transaction, of a row that the customer will not get, so that a person can step in.
OnUndelivered: TypeAlias = Callable[[Tx, OutboxRow, str, datetime], Awaitable[None]]

_OUTCOMES = {
    SendOutcome.SENT: EntryState.SENT,
    SendOutcome.REFUSED: EntryState.GIVEN_BACK,
    SendOutcome.LATER: EntryState.GIVEN_BACK,
    SendOutcome.IN_DOUBT: EntryState.DOUBTFUL,
    SendOutcome.LOST_IN_DOUBT: EntryState.DOUBTFUL,
}


async def find_session(tx: Tx, open_kfid: str, customer_id: str, *, locked: bool = False) -> KfSessionRow | None:
    """Return what is known of a session; `locked` keeps others from changing it until `tx` ends."""
    return await tx.get(KfSessionRow, (open_kfid, customer_id), with_for_update=locked or None)


async def list_sessions_of(tx: Tx, customer_id: str) -> list[KfSessionRow]:
    """List the customer's sessions with our accounts, the one written to last first."""
    query = select(KfSessionRow).where(KfSessionRow.customer_id == customer_id).limit(20)
    rows = (await tx.exec(query)).all()
    return sorted(rows, key=lambda row: row.last_customer_at or row.state_seen_at, reverse=True)


async def kf_budget(tx: Tx, open_kfid: str, customer_id: str, now: datetime) -> KfBudget:
    """Return what may still be said in the session; what is queued for it counts as `queued`."""
    session = await find_session(tx, open_kfid, customer_id)
    spent = await _count_spent(tx, session) if session is not None else 0
    return budget_of(session, spent, now, await _count_queued(tx, open_kfid, customer_id))


async def list_budgets_of(tx: Tx, customer_id: str, now: datetime) -> list[KfBudget]:
    """Return what may still be said to the customer in each account, the one written to last first."""
    return [
        await kf_budget(tx, session.open_kfid, customer_id, now) for session in await list_sessions_of(tx, customer_id)
    ]


async def _count_spent(tx: Tx, session: KfSessionRow, but: int = 0) -> int:
    if session.last_customer_at is None:
        return 0
    query = select(func.count()).where(
        KfLedgerRow.open_kfid == session.open_kfid,
        KfLedgerRow.customer_id == session.customer_id,
        col(KfLedgerRow.spent_at) >= session.last_customer_at,
        KfLedgerRow.state != EntryState.GIVEN_BACK,
        KfLedgerRow.outbox_id != but,
    )
    return (await tx.exec(query)).one()


async def _count_queued(tx: Tx, open_kfid: str, customer_id: str) -> int:
    query = select(func.count()).where(
        OutboxRow.recipient == f"kf:{open_kfid}:{customer_id}",
        OutboxRow.state == OutboxState.QUEUED,
        OutboxRow.address_kind == KfChat.__name__,
    )
    return (await tx.exec(query)).one()


class KfLedger:
    """Implements `SendPermit` for the rows of 微信客服; all other rows pass."""

    def __init__(self, on_undelivered: OnUndelivered | None = None) -> None:
        self._on_undelivered = on_undelivered

    # -- what comes in

    async def apply(self, tx: Tx, facts: Sequence[KfFact], now: datetime) -> list[CustomerWrote]:
        """Enter what newly pulled items say, in their order. Each item may come here once only.

        Returns:
            What customers wrote while a person had the session: when the items are worked off the session may be ours
            again, and these are not ours to answer all the same (`keep_quiet`).
        """
        to_people = []
        # rows before sessions, as the sender locks them
        failed = {fact.msg_id: await _find_row(tx, fact.msg_id) for fact in facts if isinstance(fact, SendFailed)}
        sessions = await self._sessions(tx, facts)
        for fact in facts:
            session = sessions[fact.open_kfid, fact.customer_id]
            match fact:
                case CustomerWrote(at=at):
                    self._begin_window(session, at)
                    if session.state in HUMAN_STATES:
                        to_people.append(fact)
                case CustomerEntered(scene=scene, scene_param=param, at=at):
                    session.scene, session.scene_param, session.entered_at = scene, param, at
                case StateChanged(state=state, servicer=servicer, at=at):
                    _change_state(session, state, servicer, at)
                case RejectSwitched(rejects=rejects):
                    session.rejects = rejects
                case SendFailed():
                    await self._note_failure(tx, session, fact, failed[fact.msg_id], now)
        await tx.flush()
        return to_people

    async def keep_quiet(self, tx: Tx, inbox_ids: Mapping[tuple[str, str], int]) -> None:
        """Leave to people everything up to an inbox row, by account and customer."""
        for key, inbox_id in inbox_ids.items():
            session = await find_session(tx, *key, locked=True)
            if session is not None:
                session.quiet_until = max(session.quiet_until, inbox_id)
        await tx.flush()

    async def _sessions(self, tx: Tx, facts: Sequence[KfFact]) -> dict[tuple[str, str], KfSessionRow]:
        """Return the sessions of the facts, locked; new ones are made. A pull brings a thousand: one query for all."""
        keys = dict.fromkeys((fact.open_kfid, str(fact.customer_id)) for fact in facts)
        if not keys:
            return {}
        fresh = [_new_session(open_kfid, customer_id) for open_kfid, customer_id in keys]
        await insert_ignore(tx, KfSessionRow, fresh, ("open_kfid", "customer_id"))
        query = (
            select(KfSessionRow)
            .where(
                col(KfSessionRow.open_kfid).in_({open_kfid for open_kfid, _ in keys}),
                col(KfSessionRow.customer_id).in_({customer_id for _, customer_id in keys}),
            )
            .order_by(KfSessionRow.open_kfid, KfSessionRow.customer_id)
            .with_for_update()
        )
        return {(row.open_kfid, row.customer_id): row for row in (await tx.exec(query)).all()}

    def _begin_window(self, session: KfSessionRow, at: datetime) -> None:
        last = session.last_customer_at
        if session.state is KfState.ENDED or last is None or at - last > WINDOW:
            _change_state(session, KfState.NEW, None, at)
        session.last_customer_at = at if last is None else max(last, at)
        session.closed = None

    async def _note_failure(
        self, tx: Tx, session: KfSessionRow, fact: SendFailed, row: OutboxRow | None, now: datetime
    ) -> None:
        """Correct the account by a message that did not arrive, and fail its row with the reason."""
        match fact.fail_type:
            case "4":  # over 48 hours
                session.closed = KfClosed.WINDOW
            case "5":  # session closed
                _change_state(session, KfState.ENDED, None, fact.at)
            case "6":  # over five messages
                session.closed = KfClosed.BUDGET
            case "10":  # refused by the customer
                session.rejects = True
        if row is None:
            log.info("kf.unknown_message_failed", fail_type=fact.fail_type)
            return
        entry = await tx.get(KfLedgerRow, row.id)
        if entry is not None:
            entry.state, entry.fail_type = EntryState.UNDELIVERED, fact.fail_type
        if row.state is OutboxState.SENT:
            await self._fail(tx, row, fact.fail_type, now)

    async def _fail(self, tx: Tx, row: OutboxRow, fail_type: str, now: datetime) -> None:
        row.state = OutboxState.FAILED
        row.error = f"{Barrier.UNDELIVERED.value} {fail_type}"
        log.warning("kf.undelivered", row=row.id, fail_type=fail_type)
        await self._tell(tx, row, Barrier.UNDELIVERED.value, now)

    async def _tell(self, tx: Tx, row: OutboxRow, code: str, now: datetime) -> None:
        if self._on_undelivered is not None:
            await self._on_undelivered(tx, row, code, now)

    # -- what goes out

    async def claim(self, tx: Tx, row: OutboxRow, now: datetime) -> Refusal | None:
        """Take one message of the budget for the row, or say why it may not leave."""
        address = _kf_chat(row)
        if address is None:
            return None
        session = await find_session(tx, address.open_kfid, address.customer_id, locked=True)
        entry = await tx.get(KfLedgerRow, row.id)
        if entry is not None and entry.state in (EntryState.HELD, EntryState.DOUBTFUL):
            # The attempt before may have arrived: only the platform can say, and a repeat is refused there (95033).
            entry.spent_at = now
            return None
        spent = await _count_spent(tx, session, but=row.id or 0) if session is not None else 0
        budget = budget_of(session, spent, now)
        barrier = budget.barrier or (Barrier.BUDGET if budget.left < _messages_in(row) else None)
        if barrier is not None:
            log.info("kf.not_sent", row=row.id, code=barrier.value)
            await self._tell(tx, row, barrier.value, now)
            return Refusal(barrier.value)
        if entry is None:
            entry = KfLedgerRow(
                outbox_id=row.id or 0,
                open_kfid=address.open_kfid,
                customer_id=address.customer_id,
                state=EntryState.HELD,
                spent_at=now,
            )
            tx.add(entry)
        entry.state, entry.spent_at = EntryState.HELD, now
        return None

    async def settle(self, tx: Tx, row: OutboxRow, outcome: SendOutcome, errcode: int, now: datetime) -> None:
        """Write down what became of the attempt, and learn from what the platform said."""
        address = load_address(row.address_kind, row.address)
        match address:
            case KfChat():
                await self._settle_message(tx, row, address, outcome, errcode, now)
            case KfHandOver():
                await self._settle_hand_over(tx, row, address, outcome, now)
            case _:
                return

    async def _settle_message(
        self, tx: Tx, row: OutboxRow, address: KfChat, outcome: SendOutcome, errcode: int, now: datetime
    ) -> None:
        entry = await tx.get(KfLedgerRow, row.id)
        if entry is not None and entry.state is EntryState.UNDELIVERED:
            # its failure was pulled before the answer to the call was written down
            if outcome is SendOutcome.SENT:
                await self._fail(tx, row, entry.fail_type or "0", now)
            return
        if entry is not None:
            entry.state = _OUTCOMES[outcome]
        session = await find_session(tx, address.open_kfid, address.customer_id, locked=True)
        if session is not None:
            _learn(session, errcode, now)
        if outcome is SendOutcome.REFUSED:
            await self._tell(tx, row, f"platform.{errcode}", now)

    async def _settle_hand_over(
        self, tx: Tx, row: OutboxRow, address: KfHandOver, outcome: SendOutcome, now: datetime
    ) -> None:
        if outcome is SendOutcome.SENT:
            key = (address.open_kfid, address.customer_id)
            await insert_ignore(tx, KfSessionRow, [_new_session(*key)], ("open_kfid", "customer_id"))
            session = await find_session(tx, *key, locked=True)
            assert session is not None
            result = row.result or {}
            if result.get("refused"):
                await self._tell(tx, row, HAND_OVER_REFUSED, now)
                return
            state = STATES.get(int(result.get("service_state", 2)), KfState.POOL)
            _change_state(session, state, str(result.get("servicer_userid") or "") or None, now)
        elif outcome in (SendOutcome.REFUSED, SendOutcome.LOST_IN_DOUBT):
            await self._tell(tx, row, HAND_OVER_REFUSED, now)


def _messages_in(row: OutboxRow) -> int:
    """Return how many messages must be left for the row: half a text would say something else than the whole."""
    parts = row.evidence.get("parts") if row.part_of is not None and row.part_of == row.id else None
    return parts if isinstance(parts, int) else 1


def _new_session(open_kfid: str, customer_id: str) -> dict[str, object]:
    return {
        "open_kfid": open_kfid,
        "customer_id": customer_id,
        "state": KfState.ENDED,
        "state_seen_at": _LONG_AGO,
        "rejects": False,
        "scene": "",
        "scene_param": "",
        "quiet_until": 0,
    }


def _change_state(session: KfSessionRow, state: KfState, servicer: str | None, at: datetime) -> None:
    """Note a change, unless a clearly later one is known: what we did and what we pull may cross each other.

    The platform's times are whole seconds of another clock, hence the slack. Without it the end of a person's turn
    could be overlooked, and the bot would keep quiet for two days; the other mistake is mended by the next 95018.
    """
    if at + _CROSSING >= session.state_seen_at:
        session.state, session.servicer, session.state_seen_at = state, servicer, max(at, session.state_seen_at)


def _learn(session: KfSessionRow, errcode: int, now: datetime) -> None:
    """Correct the account by a refusal: the platform's count is the true one."""
    match errcode:
        case 95001:
            session.closed = KfClosed.BUDGET
        case 95002:
            session.closed = KfClosed.WINDOW
        case 95013:
            _change_state(session, KfState.ENDED, None, now)
        case 95018:
            # A person has it or it waits for one: which of the two will be pulled with the next item.
            if state_now(session, now) not in (KfState.POOL, KfState.HUMAN):
                _change_state(session, KfState.POOL, None, now)


def _kf_chat(row: OutboxRow) -> KfChat | None:
    address: Address = load_address(row.address_kind, row.address)
    return address if isinstance(address, KfChat) else None


async def _find_row(tx: Tx, msg_id: str) -> OutboxRow | None:
    """Return the row whose message the platform knows by this id: our own key, made of the row's id and time."""
    number = msg_id.removeprefix("o").partition("t")[0]
    if not number.isdecimal() or not number.isascii() or len(number) > 18:
        return None
    row = await tx.get(OutboxRow, int(number), with_for_update=True)
    return row if row is not None and row.key == msg_id else None
