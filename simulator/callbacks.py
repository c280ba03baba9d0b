"""Posts encrypted callbacks to the bot as the platform does: 5 s, three attempts, a fresh signature each time.

The bot compares a signature's timestamp with its own clock, so it is the real time; `CreateTime` inside is simulated.
"""

import asyncio
import json
import secrets
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from simulator import crypto, xml
from simulator.clock import SimClock
from simulator.config import CallbackTarget, SimConfig
from simulator.faults import CallbackPlan, FaultDesk
from simulator.probing import Probe, probe
from simulator.state import Attempt, DeliveryRow
from simulator.world import World

LOG_SIZE = 5000
AT_ONCE = 100
REORDER_SECONDS = 2.0  # how long a held callback waits for a later one to overtake it


class DeliveryState(StrEnum):
    """Where a callback stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"  # an answer came, with an error status
    LOST = "lost"  # no answer after the last attempt, or lost on purpose
    INTERRUPTED = "interrupted"  # the simulator stopped while it was pending


@dataclass(slots=True)
class Delivery:
    """One callback with all its attempts; `plaintext` is what the bot reads after decrypting.

    `note` says which fault switch had a hand in it, or of which other delivery this is a copy.
    """

    id: str
    kind: str
    target: CallbackTarget
    plaintext: str
    as_json: bool
    agent_id: int | None
    corp_id: str
    subject: dict[str, str] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)
    state: DeliveryState = DeliveryState.PENDING
    note: str = ""
    queued_at: float = 0.0


ReplyReader = Callable[[Delivery, str], None]


class CallbackDesk:
    """Delivers callbacks in the background and keeps the log of the last 5000, also over a restart."""

    def __init__(
        self,
        config: SimConfig,
        clock: SimClock,
        world: World,
        faults: FaultDesk,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._world = world
        self._faults = faults
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._held: asyncio.Event | None = None
        self.log: OrderedDict[str, Delivery] = OrderedDict()
        self.on_reply: ReplyReader | None = None
        self._remember()

    def send_xml(
        self,
        kind: str,
        target: CallbackTarget,
        fields: Mapping[str, Any],
        agent_id: int | None = None,
        subject: dict[str, str] | None = None,
    ) -> Delivery:
        """Queue an XML callback; `subject` comes back with the passive reply."""
        return self._queue(self._new(kind, target, xml.render(fields), False, agent_id, subject))

    def send_json(
        self, kind: str, target: CallbackTarget, body: Mapping[str, Any], subject: dict[str, str] | None = None
    ) -> Delivery:
        """Queue a JSON callback of the AI bot."""
        return self._queue(self._new(kind, target, json.dumps(body, ensure_ascii=False), True, None, subject))

    def send_again(self, delivery: Delivery) -> Delivery:
        """Queue the same callback once more, whatever became of it; no fault switch touches the copy."""
        copy = self._copy(delivery)
        self._log(copy)
        self._start(self._deliver(copy))
        return copy

    async def probe(self, target: CallbackTarget) -> Probe:
        """Check a callback URL as the platform does when it is saved (dossier 01, 1.2)."""
        return await probe(self._connect(), target, self._clock.real_seconds())

    async def drain(self) -> None:
        """Wait until every queued callback has been delivered or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def count_pending(self) -> int:
        """Return how many callbacks still wait for an answer."""
        return len(self._tasks)

    def forget(self) -> None:
        """Drop what waits and empty the log."""
        self._cancel()
        self.log.clear()

    async def close(self) -> None:
        """Stop all deliveries and close the connections; the log stays in the journal."""
        self._cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
        self._held = None

    def _new(
        self,
        kind: str,
        target: CallbackTarget,
        plaintext: str,
        as_json: bool,
        agent_id: int | None,
        subject: dict[str, str] | None,
    ) -> Delivery:
        number = self._world.next_number("callback")
        now, corp_id = self._clock.now(), self._config.corp_id
        return Delivery(
            f"cb{number:08d}", kind, target, plaintext, as_json, agent_id, corp_id, subject or {}, queued_at=now
        )

    def _copy(self, delivery: Delivery) -> Delivery:
        copy = self._new(
            delivery.kind,
            delivery.target,
            delivery.plaintext,
            delivery.as_json,
            delivery.agent_id,
            dict(delivery.subject),
        )
        copy.note = f"copy of {delivery.id}"
        return copy

    def _queue(self, delivery: Delivery) -> Delivery:
        plan = self._faults.draw_callback(delivery.kind)
        if plan.lost:
            delivery.state, delivery.note = DeliveryState.LOST, "lost by a fault switch"
        elif plan.reorder:
            delivery.note = "held by a fault switch"
        self._log(delivery)
        if plan.lost:
            return delivery
        self._start(self._deliver_as_planned(delivery, plan))
        if plan.duplicate:
            copy = self._copy(delivery)
            self._log(copy)
            self._start(self._deliver_as_planned(copy, CallbackPlan(delay_seconds=plan.delay_seconds)))
        return delivery

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_as_planned(self, delivery: Delivery, plan: CallbackPlan) -> None:
        if plan.delay_seconds:
            await asyncio.sleep(plan.delay_seconds)
        if plan.reorder and self._held is None:
            overtaken = self._held = asyncio.Event()
            try:
                await asyncio.wait_for(overtaken.wait(), REORDER_SECONDS)
            except TimeoutError:
                self._held = None  # nothing came to overtake it
            await self._deliver(delivery)
            return
        held, self._held = self._held, None
        await self._deliver(delivery)
        if held is not None:
            held.set()

    async def _deliver(self, delivery: Delivery) -> None:
        delivery.state = await self._try(delivery)
        self._log(delivery)
        self._world.journal.flush()  # nobody's request waits for it

    async def _try(self, delivery: Delivery) -> DeliveryState:
        plan = self._config.retry
        for number in range(plan.attempts):
            if number:
                await asyncio.sleep(plan.backoff_seconds[min(number, len(plan.backoff_seconds)) - 1])
            answer = await self._attempt(delivery)
            if answer is None:
                continue
            if answer.is_success:
                self._read_reply(delivery, answer.text)
                return DeliveryState.DELIVERED
            if not plan.retry_on_error_status:
                return DeliveryState.REFUSED
        return DeliveryState.LOST

    async def _attempt(self, delivery: Delivery) -> httpx.Response | None:
        """Post once; None when no answer arrived in time."""
        async with self._slots:
            attempt = Attempt(self._clock.now(), None, None)
            delivery.attempts.append(attempt)
            params, content, content_type = _sealed(delivery, self._clock.real_seconds())
            headers = {"Content-Type": content_type}
            try:
                async with asyncio.timeout(self._config.retry.timeout_seconds):
                    answer = await self._connect().post(
                        delivery.target.url, params=params, content=content, headers=headers
                    )
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                attempt.error = type(error).__name__
                return None
            attempt.status = answer.status_code
            return answer

    def _connect(self) -> httpx.AsyncClient:
        if self._client is None:
            limits = httpx.Limits(max_connections=2 * AT_ONCE, max_keepalive_connections=AT_ONCE)
            # for one step only: the patience with an attempt as a whole is `_attempt`'s
            patience = self._config.retry.timeout_seconds + 1
            self._client = httpx.AsyncClient(
                transport=self._transport, trust_env=False, limits=limits, timeout=patience
            )
        return self._client

    def _read_reply(self, delivery: Delivery, text: str) -> None:
        if self.on_reply is not None and text.strip() not in {"", "success"}:
            self.on_reply(delivery, text)

    # the log

    def _log(self, delivery: Delivery) -> None:
        self.log[delivery.id] = delivery
        self._world.deliveries.put(_to_row(delivery))
        while len(self.log) > LOG_SIZE:
            oldest, _ = self.log.popitem(last=False)
            self._world.deliveries.remove(oldest)

    def _remember(self) -> None:
        """Take back the log of an earlier run; what was pending then was interrupted."""
        for row in list(self._world.deliveries.rows.values()):
            delivery = self.log[row.id] = self._from_row(row)
            if delivery.state is DeliveryState.PENDING:
                delivery.state, delivery.note = DeliveryState.INTERRUPTED, "the simulator stopped before it arrived"
                self._log(delivery)

    def _from_row(self, row: DeliveryRow) -> Delivery:
        return Delivery(
            row.id,
            row.kind,
            self._config.callback_of(row.kind),
            row.plaintext,
            row.as_json,
            row.agent_id,
            self._config.corp_id,
            row.subject,
            row.attempts,
            DeliveryState(row.state),
            row.note,
            row.queued_at,
        )


def _to_row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(
        delivery.id,
        delivery.kind,
        delivery.plaintext,
        delivery.as_json,
        delivery.agent_id,
        delivery.subject,
        delivery.attempts,
        delivery.state.value,
        delivery.note,
        delivery.queued_at,
    )


def _sealed(delivery: Delivery, seconds: int) -> tuple[dict[str, str], bytes, str]:
    """Return query, body and content type of one attempt, freshly encrypted and signed."""
    target = delivery.target
    encrypted = crypto.encrypt(delivery.plaintext, target.aes_key, target.receive_id)
    timestamp, nonce = str(seconds), str(secrets.randbelow(10**10))
    params = {
        "msg_signature": crypto.signature(target.token, timestamp, nonce, encrypted),
        "timestamp": timestamp,
        "nonce": nonce,
    }
    if delivery.as_json:
        return params, json.dumps({"encrypt": encrypted}).encode(), "application/json"
    envelope: dict[str, Any] = {"ToUserName": delivery.corp_id}
    if delivery.agent_id is not None:
        envelope["AgentID"] = str(delivery.agent_id)
    envelope["Encrypt"] = encrypted
    return params, xml.render(envelope).encode(), "text/xml; charset=utf-8"
