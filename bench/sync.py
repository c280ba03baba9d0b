"""A full sync of a large bank: requests, seconds, memory; again when nothing changed; and killed and taken up.

    python -m bench.sync [--customers 14000] [--staff 200] [--groups 500] [--postgresql URL]

The simulator is a process of its own, the client is the service's, with its pace. Memory is this process's peak.
"""

import argparse
import asyncio
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import SQLModel, col, func, select

import tests.all_models  # noqa: F401 - every table
from bench.processes import environment
from bench.report import finish
from bot.clock import SystemClock
from bot.storage.database import Database
from bot.wecom.client import WeComClient
from console.compose import build_service
from console.logs import configure_logs
from console.settings import load_settings
from customers import (
    CustomerGroupRow,
    CustomerRow,
    FollowRow,
    StaffRow,
    SyncReport,
    do_release_sync,
    sync_everything,
    sync_progress,
)
from customers.models import GroupMemberRow
from tests.running import free_port

_COUNTED: dict[str, type[SQLModel]] = {
    "staff": StaffRow,
    "customers": CustomerRow,
    "relations": FollowRow,
    "groups": CustomerGroupRow,
    "group members": GroupMemberRow,
}


@dataclass
class CountingClient:
    """The service's client, counting its requests."""

    client: WeComClient
    calls: Counter[str] = field(default_factory=Counter)

    async def call(
        self,
        api: str,
        body: Mapping[str, Any] | None = None,
        *,
        params: Mapping[str, str] | None = None,
        app: str = "app",
    ) -> dict[str, Any]:
        """Pass the call on."""
        self.calls[api] += 1
        return await self.client.call(api, body, params=params, app=app)


def start_simulator(port: int, size: Mapping[str, int]) -> subprocess.Popen[bytes]:
    """Start the simulated platform."""
    words = [word for name, value in size.items() for word in (f"--{name}", str(value))]
    return subprocess.Popen([sys.executable, "-m", "simulator", "--port", str(port), *words])


async def wait_for(port: int) -> None:
    """Return when the simulator answers."""
    async with httpx.AsyncClient() as http:
        for _ in range(1200):
            try:
                if (await http.get(f"http://127.0.0.1:{port}/_sim/health")).status_code == 200:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the simulator did not start")


async def run_once(label: str) -> dict[str, Any]:
    """Sync as the service would, and print a line."""
    settings = load_settings()
    service = await build_service(settings)
    client = CountingClient(service.platform.client)
    before_mb = _peak_mb()
    started = time.perf_counter()
    try:
        report = await sync_everything(service.database, client, SystemClock(), settings=settings.customers)
    finally:
        await service.stop()
    return _tell(label, report, client, time.perf_counter() - started) | {"rss_before_mb": round(before_mb)}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _tell(label: str, report: SyncReport, client: CountingClient, seconds: float) -> dict[str, Any]:
    requests = sum(client.calls.values())
    peak_mb = _peak_mb()
    print(
        f"{label:<22}{requests:>9} requests{seconds:>9.1f} s{requests / seconds:>9.0f} /s"
        f"{report.changed:>9} rows changed{peak_mb:>9.0f} MiB peak"
    )
    return {
        "requests": requests,
        "seconds": round(seconds, 1),
        "changed": report.changed,
        "peak_rss_mb": round(peak_mb),
        "by_api": dict(client.calls),
    }


async def kill_and_go_on(url: str, size: Mapping[str, int]) -> dict[str, Any]:
    """Kill syncing processes with signal 9 at four places, then finish."""
    database = await Database.open(url)
    kills = 0
    try:
        for what, share in (("customers", 0.1), ("customers", 0.4), ("customers", 0.8), ("groups", 0.5)):
            command = (sys.executable, "-m", "bench.sync", "--child")
            child = await asyncio.create_subprocess_exec(*command, stdout=subprocess.DEVNULL)
            await _wait_until(database, what, int(size[what] * share))
            child.kill()
            await child.wait()
            kills += 1
            async with database.transaction() as tx:
                # as a start on one machine does; on several, the next run waits until the lease has run out
                await do_release_sync(tx)
    finally:
        await database.close()
    return {"kills": kills, **await run_once(f"after {kills} kills -9")}


async def _wait_until(database: Database, what: str, count: int) -> None:
    while True:
        async with database.reading() as tx:
            progress = await sync_progress(tx, SystemClock().now())
        if getattr(progress.report, what) >= count:
            return
        await asyncio.sleep(0.05)


async def count_rows(url: str) -> dict[str, int]:
    """Count what is in the tables."""
    database = await Database.open(url)
    try:
        async with database.reading() as tx:
            return {
                name: int((await tx.exec(select(func.count()).select_from(model))).one())
                for name, model in _COUNTED.items()
            } | {"active": int((await tx.exec(select(func.count()).where(col(CustomerRow.active).is_(True)))).one())}
    finally:
        await database.close()


async def _prepare(url: str) -> None:
    database = await Database.open(url)
    await database.create_all()
    await database.close()


async def bench(size: Mapping[str, int], url: str | None) -> None:
    """Run everything and print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        simulator = start_simulator(port, size)
        try:
            await wait_for(port)
            first = url or f"sqlite+aiosqlite:///{Path(folder) / 'first.db'}"
            os.environ.update(environment(free_port(), port, first))
            await _prepare(first)
            figures: dict[str, Any] = {"size": dict(size), "engine": first.split(":")[0]}
            figures["first"] = await run_once("first")
            figures["again"] = await run_once("again, nothing new")
            figures["rows"] = await count_rows(first)
            if url is None:
                second = f"sqlite+aiosqlite:///{Path(folder) / 'second.db'}"
                os.environ["RMBOT_STORAGE__URL"] = second
                await _prepare(second)
                figures["killed"] = await kill_and_go_on(second, size)
                figures["killed"]["same_rows"] = await count_rows(second) == figures["rows"]
                print(f"rows the same as without kills: {figures['killed']['same_rows']}")
            print("rows:", figures["rows"])
        finally:
            simulator.kill()
            simulator.wait()
    finish("sync", figures)


def main() -> None:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=14_000)
    parser.add_argument("--staff", type=int, default=200)
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--postgresql", default=None, help="postgresql+psycopg://… of an empty database")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    configure_logs("WARNING")
    if options.child:
        asyncio.run(run_once("child"))
        return
    size = {"customers": options.customers, "staff": options.staff, "groups": options.groups}
    asyncio.run(bench(size, options.postgresql))


if __name__ == "__main__":
    main()
