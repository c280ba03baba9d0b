"""Does a WelcomeCode (20 s, once) overtake everything else? New customers come in while a flood of messages waits.

The service and the platform (the simulator) run as processes of their own. Members' messages are posted far faster
than they can be answered, so that a backlog builds; meanwhile customers are added, one every `--every` seconds.
Printed: how long each welcome took from the code's issue to the platform's acceptance, how long an ordinary message
posted in the same time waited for its answer, how deep the backlog was, and how many codes ran out (none may).

Usage: .venv/bin/python -m bench.welcome [--messages 4000] [--welcomes 40] [--every 0.5] [--only sqlite|postgresql]
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bench.processes import CRYPTO, Node, environment, start_simulator
from bench.report import finish
from tests.bot.edge import a_callback, a_text_body
from tests.postgres import PostgresServer
from tests.running import free_port

CODE_LIFE_SECONDS = 20.0
STAFF = 200


async def flood(port: int, count: int) -> None:
    """Post members' messages, sixteen at a time, as fast as they are acknowledged."""
    bodies = iter(
        a_text_body(sender=f"rm{1 + number % STAFF:03}", text="大额存单利率", msg_id=f"{time.time_ns()}{number}")
        for number in range(count)
    )

    async def work(http: httpx.AsyncClient) -> None:
        for body in bodies:
            request = a_callback(body, datetime.now(UTC), CRYPTO)
            await http.post("/wecom/app", params=request.params, content=request.body)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        await asyncio.gather(*(work(http) for _ in range(16)))


async def add_customers(
    simulator: int, count: int, every: float, backlog: list[int], engine: sa.Engine
) -> dict[str, float]:
    """Add customers one after the other; returns when each one's code was issued, by customer."""
    issued: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{simulator}", timeout=30) as http:
        for number in range(count):
            answer = await http.post(
                "/_sim/customers/add", json={"userid": f"rm{1 + number % STAFF:03}", "name": f"新客{number}"}
            )
            answer.raise_for_status()
            issued[answer.json()["external_userid"]] = time.time()
            backlog.append(await asyncio.to_thread(count_waiting, engine))
            await asyncio.sleep(every)
    return issued


def count_waiting(engine: sa.Engine) -> int:
    """Return how many events wait in the inbox."""
    with engine.connect() as connection:
        query = "SELECT count(*) FROM inbox WHERE state IN ('received','processing')"
        return int(connection.scalar(sa.text(query)) or 0)


async def wait_for_welcomes(simulator: int, issued: dict[str, float]) -> dict[str, float]:
    """Return, by customer, the seconds from the code's issue to the platform's acceptance."""
    deadline = time.monotonic() + CODE_LIFE_SECONDS + 10
    took: dict[str, float] = {}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{simulator}", timeout=30) as http:
        while time.monotonic() < deadline and len(took) < len(issued):
            for row in (await http.get("/_sim/sent", params={"kind": "welcome"})).json():
                customer = row["to"][-1]
                took.setdefault(customer, datetime.fromisoformat(row["at"]).timestamp() - issued[customer])
            await asyncio.sleep(0.2)
    return took


def message_waits(engine: sa.Engine) -> list[float]:
    """Return, in seconds, how long each answered message waited from its receipt to its answer's acceptance."""
    query = sa.text(
        "SELECT i.received_at, o.sent_at FROM inbox i JOIN outbox o ON o.cause = i.id "
        "WHERE i.event_type = 'StaffTextMessage' AND o.sent_at IS NOT NULL"
    )
    with engine.connect() as connection:
        rows = connection.execute(query).all()
    return sorted((_moment(sent) - _moment(received)).total_seconds() for received, sent in rows)


def _moment(value: datetime | str) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def at(values: list[float], share: float) -> float:
    """Return the value below which the share of all lies."""
    return round(values[min(len(values) - 1, int(len(values) * share))], 2) if values else float("nan")


async def measure(node: Node, simulator: int, options: argparse.Namespace, engine: sa.Engine) -> dict[str, Any]:
    """Flood, add customers meanwhile, and wait for their welcomes."""
    await node.wait_ready()
    backlog: list[int] = []
    flooding = asyncio.create_task(flood(node.port, options.messages))
    await asyncio.sleep(1)
    issued = await add_customers(simulator, options.welcomes, options.every, backlog, engine)
    took = await wait_for_welcomes(simulator, issued)
    await flooding
    waits, welcomes = message_waits(engine), sorted(took.values())
    return {
        "welcomes": len(issued),
        "welcomed in time": sum(seconds <= CODE_LIFE_SECONDS for seconds in welcomes),
        "backlog, mean": round(sum(backlog) / len(backlog)),
        "backlog, most": max(backlog),
        "welcome p50 s": at(welcomes, 0.5),
        "welcome p95 s": at(welcomes, 0.95),
        "welcome max s": at(welcomes, 1),
        "message p50 s": at(waits, 0.5),
        "message p95 s": at(waits, 0.95),
    }


def run(name: str, url: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run once on one database."""
    port, simulator = free_port(), free_port()
    settings = environment(port, simulator, url)
    subprocess.run(
        [sys.executable, "-m", "console.cli", "migrate"], env=settings, check=True, stdout=subprocess.DEVNULL
    )
    platform = start_simulator(simulator, port, folder / f"simulator-{name}.db", staff=STAFF)
    node = Node(settings, port)
    node.start()
    engine = sa.create_engine(url.replace("+aiosqlite", ""))
    with ExitStack() as stack:
        stack.callback(platform.kill)
        stack.callback(node.kill)
        stack.callback(engine.dispose)
        figures = asyncio.run(measure(node, simulator, options, engine))
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:26}{value}")
    assert figures["welcomed in time"] == figures["welcomes"], "a welcome code ran out"
    return figures


def main() -> None:
    """Run on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000)
    parser.add_argument("--welcomes", type=int, default=40)
    parser.add_argument("--every", type=float, default=0.5)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only != "postgresql":
            figures["sqlite"] = run("sqlite", f"sqlite+aiosqlite:///{folder / 'welcome.db'}", options, folder)
        if options.only != "sqlite":
            server = PostgresServer.start()
            with server.empty_database() as url:
                figures["postgresql"] = run("postgresql", url, options, folder)
            server.stop()
    finish("welcome", figures)


if __name__ == "__main__":
    main()
