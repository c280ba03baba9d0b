"""kill -9 at random moments while callbacks pour in: is every acknowledged event handled once, and none lost?

A platform (the simulator) and the service run as processes of their own. 2,000 callbacks, a fifth of them copies, are
posted as the platform would: an unanswered one is posted again. Meanwhile the service is killed and started again. At
the end every distinct event must have exactly one inbox row, done, and exactly one reply row; and what the platform
accepted is compared with what is recorded as sent.

Usage: .venv/bin/python -m bench.crash [--callbacks 2000] [--kills 6] [--seed 1] [--only sqlite|postgresql]
"""

import argparse
import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from bench.processes import CRYPTO, Node, environment, start_simulator
from bench.report import finish
from tests.bot.edge import SignedRequest, a_callback, a_text_body
from tests.postgres import PostgresServer
from tests.running import free_port

COPIES = 0.2
SENDERS = 400
POST_ATTEMPTS = 60


def make_plan(count: int, rng: random.Random) -> list[bytes]:
    """Return plaintext bodies, a fifth of them copies of earlier ones, in a random order."""
    distinct = [
        a_text_body(sender=f"rm{1 + number % SENDERS:03}", text="你好", msg_id=f"{time.time_ns()}{number}")
        for number in range(round(count * (1 - COPIES)))
    ]
    bodies = distinct + [rng.choice(distinct) for _ in range(count - len(distinct))]
    rng.shuffle(bodies)
    return bodies


async def post_all(port: int, bodies: list[bytes], rng: random.Random) -> Counter[str]:
    """Post every body until it is acknowledged, sixteen at a time, as the platform's retries would."""
    outcome: Counter[str] = Counter()
    queue = iter(bodies)

    async def work(http: httpx.AsyncClient) -> None:
        for body in queue:
            for _ in range(POST_ATTEMPTS):
                if await _post(http, a_callback(body, datetime.now(UTC), CRYPTO)):
                    outcome["acknowledged"] += 1
                    break
                outcome["posted again"] += 1
                await asyncio.sleep(rng.uniform(0.05, 0.4))
            else:
                outcome["given up"] += 1

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=5) as http:
        await asyncio.gather(*(work(http) for _ in range(16)))
    return outcome


async def _post(http: httpx.AsyncClient, request: SignedRequest) -> bool:
    try:
        response = await http.post("/wecom/app", params=request.params, content=request.body)
    except httpx.HTTPError:
        return False
    return response.status_code == 200


async def torture(node: Node, bodies: list[bytes], kills: int, rng: random.Random) -> Counter[str]:
    """Post while killing."""
    await node.wait_ready()
    posting = asyncio.create_task(post_all(node.port, bodies, rng))
    done = 0
    for _ in range(kills):
        await asyncio.sleep(rng.uniform(0.4, 2.5))
        node.kill()
        done += 1
        node.start()
        await node.wait_ready()
    outcome = await posting
    outcome["kills"] = done
    return outcome


def wait_until_idle(engine: sa.Engine, seconds: float) -> None:
    """Wait until nothing waits in the inbox or the outbox any more."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            waiting = connection.scalar(
                sa.text(
                    "SELECT (SELECT count(*) FROM inbox WHERE state IN ('received','processing')) + "
                    "(SELECT count(*) FROM outbox WHERE state IN ('queued','sending','uncertain'))"
                )
            )
        if not waiting:
            return
        time.sleep(0.5)


def count(engine: sa.Engine, bodies: list[bytes], simulator: int) -> dict[str, Any]:
    """Compare what was posted, what is stored, and what the platform accepted."""
    expected = {f"app:{body.decode().split('<MsgId>')[1].split('<')[0]}" for body in bodies}
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT id, dedupe_key, state FROM inbox")).all()
        replies: Counter[int] = Counter(
            connection.execute(sa.text("SELECT cause FROM outbox WHERE cause IS NOT NULL")).scalars()
        )
        states = dict(connection.execute(sa.text("SELECT state, count(*) FROM outbox GROUP BY state")).all())  # type: ignore[arg-type]  # rows of two
        msgids = connection.execute(sa.text("SELECT platform_msgid FROM outbox WHERE state = 'sent'")).scalars().all()
        sent = int(connection.scalar(sa.text("SELECT count(*) FROM outbox WHERE state = 'sent'")) or 0)
    stored = {row.dedupe_key for row in rows}
    accepted = httpx.get(f"http://127.0.0.1:{simulator}/_sim/sent", params={"kind": "message"}, timeout=30).json()
    known = set(msgids)
    for stray in (entry for entry in accepted if entry["msgid"] not in known):
        print(f"  no row of ours has {stray['msgid']}: {stray['to']} at {stray['at']}, {stray['body']}"[:600])
    return {
        "distinct": len(expected),
        "lost": len(expected - stored),
        "invented": len(stored - expected),
        "not done": sum(row.state != "done" for row in rows),
        "without a reply": sum(replies[row.id] == 0 for row in rows),
        "replied twice": sum(replies[row.id] > 1 for row in rows),
        "outbox": states,
        "recorded as sent": sent,
        "accepted by the platform": len(accepted),
    }


def run(name: str, url: str, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run once on one database."""
    rng = random.Random(options.seed)
    port, simulator = free_port(), free_port()
    settings = environment(port, simulator, url)
    subprocess.run(
        [sys.executable, "-m", "console.cli", "migrate"], env=settings, check=True, stdout=subprocess.DEVNULL
    )
    platform = start_simulator(simulator, port, folder / f"simulator-{name}.db", staff=SENDERS)
    node = Node(settings, port)
    node.start()
    bodies = make_plan(options.callbacks, rng)
    engine = sa.create_engine(url.replace("+aiosqlite", ""))
    with ExitStack() as stack:
        stack.callback(platform.kill)
        stack.callback(node.kill)
        stack.callback(engine.dispose)
        begun = time.monotonic()
        outcome = asyncio.run(torture(node, bodies, options.kills, rng))
        wait_until_idle(engine, 240)
        figures = {**outcome, **count(engine, bodies, simulator), "seconds": round(time.monotonic() - begun, 1)}
    print(f"\n{name}")
    for key, value in figures.items():
        print(f"  {key:26}{value}")
    assert figures["lost"] == figures["invented"] == figures["not done"] == 0, "an acknowledged event was lost"
    assert figures["accepted by the platform"] == figures["recorded as sent"], "a reply was lost, or sent twice"
    assert figures["without a reply"] == figures["replied twice"] == 0, "an event had no effect, or two"
    return figures


def main() -> None:
    """Run on both databases and print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--callbacks", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    options = parser.parse_args()
    print(f"seed {options.seed}")
    figures: dict[str, Any] = {"seed": options.seed}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.only != "postgresql":
            figures["sqlite"] = run("sqlite", f"sqlite+aiosqlite:///{folder / 'crash.db'}", options, folder)
        if options.only != "sqlite":
            server = PostgresServer.start()
            with server.empty_database() as url:
                figures["postgresql"] = run("postgresql", url, options, folder)
            server.stop()
    finish("crash", figures)


if __name__ == "__main__":
    main()
