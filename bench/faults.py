"""The fault matrix: each fault of the platform × message, welcome, broadcast, 微信客服, archive.

For each fault one bank is opened: a simulated platform and the composed service, over real HTTP. The fault is switched
on, people act in all five flows for some seconds, the fault is switched off, and everything must come to its end:

- lost: somebody acted and the effect never came, although the platform told us (or we could have asked);
- doubled: an effect came twice;
- late: it came more than three seconds after the act, or not in the life of a WelcomeCode. Every late one must have a
  reason that the service itself kept: a wait, an error, a notice that came late.
- untold: the platform gave its callback up, and nothing can ask for it afterwards (messages, welcome codes). Only the
  fault "callbacks lost" may cause it.

Usage: .venv/bin/python -m bench.faults [--items 8] [--only latency,truncated] [--database sqlite|postgresql]
"""

import argparse
import asyncio
import logging
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, MutableMapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlmodel import select

from bench.report import finish
from bot.context import GroupSend, Reply, Text
from bot.ids import GroupChatId, StaffId
from bot.inbox.models import InboxRow
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.store import enqueue_reply
from bot.settings import InboxSettings, KfSettings, OutboxSettings
from compliance.models import ArchivedMessageRow
from simulator.config import BankSize
from tests.postgres import PostgresServer
from tests.service.bank import Bank, open_bank

LATE = timedelta(seconds=3)
CODE_LIFE = timedelta(seconds=20)
PATIENCE_SECONDS = 150
SIZE = BankSize(staff=40, customers=200, groups=40)

# What is switched on for the seconds in which people act. `count` ends a fault by itself, so that what follows the
# first refusals is seen as well.
FAULTS: Mapping[str, dict[str, Any]] = {
    "none": {},
    "latency": {"faults": [{"api": "*", "kind": "latency", "seconds": 0.8}]},
    "timeout": {"faults": [{"api": "*", "kind": "timeout", "probability": 0.5, "seconds": 5}]},
    "http_5xx": {"faults": [{"api": "*", "kind": "http_5xx", "probability": 0.5}]},
    "truncated": {"faults": [{"api": "*", "kind": "truncated", "probability": 0.5}]},
    "truncated_undone": {"faults": [{"api": "*", "kind": "truncated_undone", "probability": 0.5}]},
    "no_answer_but_done": {"faults": [{"api": "*", "kind": "no_answer_but_done", "probability": 0.5}]},
    "errcode -1": {"faults": [{"api": "*", "kind": "errcode", "errcode": -1, "probability": 0.5}]},
    "errcode 45009": {"faults": [{"api": "*", "kind": "errcode", "errcode": 45009, "count": 3}]},
    "errcode 45033": {"faults": [{"api": "*", "kind": "errcode", "errcode": 45033, "probability": 0.5}]},
    "token_revoked": {"faults": [{"api": "*", "kind": "token_revoked", "probability": 0.3}]},
    "callbacks twice": {"callbacks": {"duplicate": 1.0}},
    "callbacks out of order": {"callbacks": {"reorder": 0.5}},
    "callbacks late": {"callbacks": {"delay_seconds": 4}},
    "callbacks lost": {"callbacks": {"lost": 0.5}},
}


# What the service logged: the archive keeps no row of a pull that failed, so its reasons are read here.
SAID: list[tuple[datetime, str]] = []


def listen(*, show: bool) -> None:
    """Keep what the service logs about pulls, and show it only when asked; the simulator's noise is left out."""

    def keep(_logger: Any, _level: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if event["event"] in ("timer.failed", "event.failed"):
            SAID.append((datetime.now(UTC), f"{event.get('timer') or 'pull on notice'}: {event.get('code')}"))
        if show:
            return event
        raise structlog.DropEvent

    structlog.configure(processors=[keep, structlog.dev.ConsoleRenderer()])
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


@dataclass
class Act:
    """One thing somebody did, and what came of it. `arrived` is when the effect was there, `count` how often."""

    flow: str
    key: str
    at: datetime
    arrived: datetime | None = None
    count: int = 0
    untold: bool = False
    reason: str = ""


@dataclass
class Case:
    """One bank under one fault."""

    bank: Bank
    items: int
    acts: list[Act] = field(default_factory=list)

    def note(self, flow: str, key: str) -> None:
        """Remember an act."""
        self.acts.append(Act(flow, key, datetime.now(UTC)))

    async def act(self) -> None:
        """Let people act in all flows, one item of each every half second."""
        people = (await self.bank.platform.get("/_sim/people", params={"limit": 400})).json()
        staff = [member["userid"] for member in people["staff"] if member["userid"].startswith("rm")]
        customers = [customer["external_userid"] for customer in people["customers"]]
        groups = people["groups"]
        for number in range(self.items):
            await self._message(staff[number])
            await self._welcome(staff[number + 10], number)
            await self._broadcast(groups[number + 1])
            await self._kf(customers[number + 20])
            await self._archive(groups[0], number)
            await asyncio.sleep(0.5)

    async def _message(self, staff_id: str) -> None:
        self.note("message", (await self.bank.do("app/messages", userid=staff_id, text="大额存单利率"))["msg_id"])

    async def _welcome(self, staff_id: str, number: int) -> None:
        added = await self.bank.do("customers/add", userid=staff_id, name=f"新客{number}")
        self.note("welcome", added["external_userid"])

    async def _broadcast(self, group: Mapping[str, Any]) -> None:
        service = self.bank.nodes[0]
        address = GroupSend(StaffId(group["owner"]), (GroupChatId(group["chat_id"]),))
        reply = Reply(address, Text(f"反诈提醒：陌生来电要小心（{group['chat_id'][-6:]}）"), "broadcast")
        async with service.database.transaction() as tx:
            row = await enqueue_reply(tx, reply, service.gate, service.clock.now())
            assert row.state is OutboxState.QUEUED, row.error
            key = str(row.id)
        self.note("broadcast", key)

    async def _kf(self, customer_id: str) -> None:
        self.note("kf", (await self.bank.do("kf/messages", external_userid=customer_id, text="你好"))["msgid"])

    async def _archive(self, group: Mapping[str, Any], number: int) -> None:
        said = await self.bank.do(
            f"groups/{group['chat_id']}/messages", sender=group["owner"], text=f"第{number}条，今天网点正常营业"
        )
        self.note("archive", said["msgid"])

    async def settle(self) -> None:
        """Wait until every act has had its effect, or patience ends."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            await self.look()
            if all(act.count or act.untold or act.reason.startswith("given up") for act in self.acts):
                break
            await asyncio.sleep(1)
        await asyncio.sleep(2)  # whatever would come twice comes now
        await self.look()

    async def look(self) -> None:
        """Compare what we recorded with what the platform accepted."""
        async with self.bank.database.reading() as tx:
            outbox = (await tx.exec(select(OutboxRow))).all()
            inbox = {row.dedupe_key: row for row in (await tx.exec(select(InboxRow))).all()}
            archived = Counter((await tx.exec(select(ArchivedMessageRow.msgid))).all())
            times = dict((await tx.exec(select(ArchivedMessageRow.msgid, ArchivedMessageRow.archived_at))).all())
        sent = (await self.bank.platform.get("/_sim/sent")).json()
        lost = await self._lost_callbacks()
        for act in self.acts:
            match act.flow:
                case "message":
                    self._of_event(act, inbox.get(f"app:{act.key}"), outbox, sent, act.key in lost)
                case "kf":
                    self._of_event(act, inbox.get(f"kf:{act.key}"), outbox, sent, untold=False)
                case "welcome":
                    rows = [row for row in outbox if row.recipient.endswith(act.key) and row.address_kind == "Welcome"]
                    self._of_rows(act, rows, [entry for entry in sent if entry["kind"] == "welcome"], by_recipient=True)
                    act.untold = not rows and act.key in lost
                    causes = {row.cause for row in rows}
                    for event in inbox.values():
                        if event.id in causes:
                            self._explain(act, event)
                case "broadcast":
                    self._of_rows(act, [row for row in outbox if str(row.id) == act.key], sent)
                case _:
                    act.count, act.arrived = archived[act.key], times.get(act.key)
                    act.reason = self._why_archived_late(act)

    def _why_archived_late(self, act: Act) -> str:
        until = act.arrived or datetime.now(UTC)
        failures = Counter(
            what for at, what in SAID if act.at <= at <= until and ("archive" in what or "notice" in what)
        )
        if failures:
            return "; ".join(f"{what} ({count}×)" for what, count in failures.items())
        return "every call took longer, no pull failed" if act.count else ""

    async def _lost_callbacks(self) -> str:
        log = (await self.bank.platform.get("/_sim/callbacks", params={"limit": 5000})).json()
        return "\n".join(str(entry) for entry in log if entry["state"] == "lost")

    def _of_event(
        self, act: Act, event: InboxRow | None, outbox: Any, sent: list[dict[str, Any]], untold: bool
    ) -> None:
        act.untold = event is None and untold
        if event is None:
            act.reason = "the platform has not told us yet"
            return
        self._of_rows(act, [row for row in outbox if row.cause == event.id], sent)
        self._explain(act, event)

    def _explain(self, act: Act, event: InboxRow) -> None:
        """Put before the reason what held the event up before it was handled."""
        told_after = (event.received_at - act.at).total_seconds()
        if told_after > 1:
            act.reason = f"told {told_after:.0f} s late; {act.reason}"
        if event.error or event.attempts > 1:
            act.reason = f"event tried {event.attempts} times ({event.error or 'an earlier error'}); {act.reason}"

    def _of_rows(self, act: Act, rows: list[OutboxRow], sent: list[dict[str, Any]], by_recipient: bool = False) -> None:
        """An act's rows all left, and each was accepted once; the platform's own list is what counts."""
        if not rows:
            return
        if by_recipient:
            accepted = sum(act.key in entry["to"] for entry in sent)
        else:
            per_row = [sum(entry["msgid"] == row.platform_msgid for entry in sent) for row in rows]
            accepted = max(per_row) if 0 not in per_row or len(per_row) == 1 else 0
        act.count = accepted if all(row.state is OutboxState.SENT for row in rows) else 0
        act.arrived = max((row.sent_at for row in rows if row.sent_at), default=None)
        waits = [wait["why"] for row in rows for wait in row.delays or []]
        calls = [(row.sent_at - row.attempted_at).total_seconds() for row in rows if row.sent_at and row.attempted_at]
        waits += [f"from the first attempt to the answer {seconds:.0f} s" for seconds in calls if seconds > 1]
        gone = [f"given up: {row.error}" for row in rows if row.state is OutboxState.FAILED]
        act.reason = "; ".join([*gone, *dict.fromkeys(waits)]) or "; ".join({row.error for row in rows if row.error})

    async def strays(self) -> int:
        """Count what the platform accepted and no row of ours claims: a doubled sending with a new id."""
        async with self.bank.database.reading() as tx:
            known = set((await tx.exec(select(OutboxRow.platform_msgid))).all())
        sent = (await self.bank.platform.get("/_sim/sent")).json()
        return sum(entry["kind"] in ("message", "kf", "broadcast") and entry["msgid"] not in known for entry in sent)


def summarise(case: Case) -> dict[str, Any]:
    """Return, by flow, the counts and the reasons of the late ones."""
    table: dict[str, Any] = {}
    for flow in ("message", "welcome", "broadcast", "kf", "archive"):
        acts = [act for act in case.acts if act.flow == flow]
        late = [act for act in acts if act.arrived and act.count and act.arrived - act.at > LATE]
        expired = [act for act in acts if not act.count and act.reason.startswith("given up: expired")]
        missing = [act for act in acts if not act.count and not act.untold and act not in expired]
        table[flow] = {
            "acts": len(acts),
            "lost": len(missing),
            "doubled": sum(act.count > 1 for act in acts),
            "late": len(late) + len(expired),
            "untold": sum(act.untold for act in acts),
            "reasons": dict(Counter(act.reason or "NONE KEPT" for act in [*late, *expired])),
            "missing": [act.reason for act in missing],
        }
    return table


async def run_case(name: str, url: str, items: int) -> dict[str, Any]:
    """Open a bank, act under the fault, let it settle, and count."""
    fast: dict[str, Any] = {
        "inbox": InboxSettings(retry_seconds=(1, 2, 4, 8, 16, 32)),
        "outbox": OutboxSettings(retry_seconds=(1, 2, 3, 4, 8, 16, 32), lease_seconds=10),
    }
    wecom = {"timeout_seconds": 2, "kf": KfSettings(open_kfids=("wkDEMO0001",), poll_seconds=5)}
    async with open_bank(url, size=SIZE, wecom=wecom, **fast) as bank:
        case = Case(bank, items)
        (await bank.platform.put("/_sim/faults", json=FAULTS[name])).raise_for_status()
        await case.act()
        await asyncio.sleep(2)
        hits = (await bank.platform.get("/_sim/faults")).json()
        (await bank.platform.delete("/_sim/faults")).raise_for_status()
        await case.settle()
        table = summarise(case)
        table["strays"] = await case.strays()
        table["hits"] = sum(fault.get("hits", 0) for fault in hits["faults"])
        return table


def show(name: str, table: dict[str, Any]) -> None:
    """Print one fault's lines."""
    print(f"\n{name}  (requests hit: {table['hits']}, accepted without a row of ours: {table['strays']})")
    for flow, row in table.items():
        if not isinstance(row, dict):
            continue
        counts = "  ".join(f"{word} {row[word]:>2}" for word in ("acts", "lost", "doubled", "late", "untold"))
        print(f"  {flow:10}{counts}")
        for reason, count in row["reasons"].items():
            print(f"             late {count}×: {reason[:150]}")
        for reason in row["missing"]:
            print(f"             LOST: {reason[:150]}")


def main() -> None:
    """Run the matrix and fail when anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=8)
    parser.add_argument("--only", default=",".join(FAULTS))
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--log", action="store_true", help="show the service's log as well")
    options = parser.parse_args()
    listen(show=options.log)
    matrix: dict[str, Any] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = None
        if options.database == "postgresql":
            server = PostgresServer.start()
            stack.callback(server.stop)
        for number, name in enumerate(options.only.split(",")):
            if server is not None:
                with server.empty_database() as url:
                    matrix[name] = asyncio.run(run_case(name, url, options.items))
            else:
                url = f"sqlite+aiosqlite:///{folder / f'{number}.db'}"
                matrix[name] = asyncio.run(run_case(name, url, options.items))
            show(name, matrix[name])
    rows = [row for table in matrix.values() for row in table.values() if isinstance(row, dict)]
    totals = {word: sum(row[word] for row in rows) for word in ("acts", "lost", "doubled", "late", "untold")}
    totals["strays"] = sum(table["strays"] for table in matrix.values())
    finish("faults", {"database": options.database, **totals})
    assert totals["lost"] == totals["doubled"] == totals["strays"] == 0, "something was lost or doubled"
    assert all("NONE KEPT" not in row["reasons"] for row in rows), "something was late and nobody knows why"


if __name__ == "__main__":
    main()
