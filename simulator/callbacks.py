"""Posts encrypted callbacks to the bot as the platform does: 5 s, three attempts, a fresh signature each time."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import httpx

from simulator import crypto, xml
from simulator.clock import SimClock
from simulator.config import CallbackTarget, SimConfig

LOG_SIZE = 5000
AT_ONCE = 32


class DeliveryState(StrEnum):
    """Where a callback stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    REFUSED = "refused"  # an answer came, with an error status
    LOST = "lost"  # no answer after the last attempt


@dataclass(slots=True)
class Attempt:
    """One post: when, the status that came back, or why none did."""

    at: float
    status: int | None
    error: str | None


@dataclass(slots=True)
class Delivery:
    """One callback with all its attempts; `plaintext` is what the bot reads after decrypting."""

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


ReplyReader = Callable[[Delivery, str], None]


class CallbackDesk:
    """Delivers callbacks in the background and keeps the log of the last 5000."""

    def __init__(self, config: SimConfig, clock: SimClock, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._config = config
        self._clock = clock
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = 0
        self.log: deque[Delivery] = deque(maxlen=LOG_SIZE)
        self.on_reply: ReplyReader | None = None

    def send_xml(
        self,
        kind: str,
        target: CallbackTarget,
        fields: Mapping[str, Any],
        agent_id: int | None = None,
        subject: dict[str, str] | None = None,
    ) -> Delivery:
        """Queue an XML callback; `subject` comes back with the passive reply."""
        return self._queue(kind, target, xml.render(fields), False, agent_id, subject)

    def send_json(
        self, kind: str, target: CallbackTarget, body: Mapping[str, Any], subject: dict[str, str] | None = None
    ) -> Delivery:
        """Queue a JSON callback of the AI bot."""
        return self._queue(kind, target, json.dumps(body, ensure_ascii=False), True, None, subject)

    def _queue(
        self,
        kind: str,
        target: CallbackTarget,
        plaintext: str,
        as_json: bool,
        agent_id: int | None,
        subject: dict[str, str] | None,
    ) -> Delivery:
        self._numbers += 1
        delivery = Delivery(
            f"cb{self._numbers:08d}",
            kind,
            target,
            plaintext,
            as_json,
            agent_id,
            self._config.corp_id,
            subject or {},
        )
        self.log.append(delivery)
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return delivery

    async def drain(self) -> None:
        """Wait until every queued callback has been delivered or given up."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def count_pending(self) -> int:
        """Return how many callbacks still wait for an answer."""
        return len(self._tasks)

    def forget(self) -> None:
        """Drop what waits and empty the log."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()

    async def close(self) -> None:
        """Stop all deliveries and close the connections."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _deliver(self, delivery: Delivery) -> None:
        plan = self._config.retry
        for number in range(plan.attempts):
            if number:
                await asyncio.sleep(plan.backoff_seconds[min(number, len(plan.backoff_seconds)) - 1])
            answer = await self._attempt(delivery)
            if answer is None:
                continue
            if answer.is_success:
                delivery.state = DeliveryState.DELIVERED
                self._read_reply(delivery, answer.text)
                return
            if not plan.retry_on_error_status:
                delivery.state = DeliveryState.REFUSED
                return
        delivery.state = DeliveryState.LOST

    async def _attempt(self, delivery: Delivery) -> httpx.Response | None:
        """Post once; None when no answer arrived in time."""
        attempt = Attempt(self._clock.now(), None, None)
        delivery.attempts.append(attempt)
        params, content, content_type = _sealed(delivery, self._clock.seconds())
        try:
            async with self._slots:
                answer = await self._connect().post(
                    delivery.target.url,
                    params=params,
                    content=content,
                    headers={"Content-Type": content_type},
                    timeout=self._config.retry.timeout_seconds,
                )
        except httpx.HTTPError as error:
            attempt.error = type(error).__name__
            return None
        attempt.status = answer.status_code
        return answer

    def _connect(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(transport=self._transport, trust_env=False)
        return self._client

    def _read_reply(self, delivery: Delivery, text: str) -> None:
        if self.on_reply is not None and text.strip() not in {"", "success"}:
            self.on_reply(delivery, text)


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
