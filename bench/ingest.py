"""Acknowledged callbacks against a typed FastAPI echo, in one run: requests a second and CPU per request.

Acknowledged means: signature, decryption, parsing, and a durable commit (synchronous=FULL, or synchronous_commit=on).
One server process, 32 connections; the two are measured in turn, several rounds, and the medians are compared.
Then an open loop of 500 callbacks a second shows the latency people would meet.

Usage: .venv/bin/python -m bench.ingest [--rounds 3] [--requests 6000]
"""

import argparse
import asyncio
import json
import os
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import psycopg

from bench.load import Outcome, closed_loop, open_loop, raw_request
from bench.report import finish
from tests.bot.edge import a_callback, a_text_body
from tests.postgres import PostgresServer
from tests.running import free_port

CONNECTIONS = 32
OPEN_RATE = 500.0
OPEN_SECONDS = 10
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Measured:
    """One closed-loop run."""

    rate: float
    cpu_us: float


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Server:
    """A server process under test."""

    def __init__(self, kind: str, *arguments: str) -> None:
        self.port = free_port()
        self.process = subprocess.Popen([sys.executable, "-m", "bench.ingest_apps", kind, str(self.port), *arguments])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def stop(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(20)


def callbacks(count: int, tag: str) -> list[bytes]:
    """Return distinct signed callbacks, ready for the wire."""
    now = datetime.now(UTC)
    made = []
    for number in range(count):
        body = a_text_body(
            sender=f"rm{number % 30:03}", text="大额存单现在利率多少，起存金额呢？", msg_id=f"{tag}{number}"
        )
        signed = a_callback(body, now)
        made.append(raw_request(f"/wecom/app?{urlencode(signed.params)}", signed.body, "text/xml"))
    return made


def echoes(count: int) -> list[bytes]:
    """Return requests of the same size for the echo."""
    now = datetime.now(UTC)
    made = []
    for number in range(count):
        signed = a_callback(a_text_body(text="大额存单现在利率多少，起存金额呢？", msg_id=str(number)), now)
        encrypt = signed.body.decode().split("CDATA[")[1].split("]]")[0]
        body = json.dumps({"to_user_name": "ww0000000000000001", "agent_id": 1000002, "encrypt": encrypt}).encode()
        made.append(raw_request(f"/wecom/app?{urlencode(signed.params)}", body, "application/json"))
    return made


def measure(server: Server, requests: Sequence[bytes]) -> Measured:
    """Run the closed loop once and read the process's CPU time around it."""
    before = _cpu_seconds(server.process.pid)
    outcome = asyncio.run(closed_loop(server.port, requests, CONNECTIONS))
    assert outcome.refused == 0, f"{outcome.refused} requests refused"
    cpu = _cpu_seconds(server.process.pid) - before
    return Measured(outcome.rate, cpu / len(requests) * 1e6)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=6000)
    options = parser.parse_args()

    postgres = PostgresServer.start()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, postgres.empty_database() as postgres_url:
        servers = {
            "echo": Server("echo"),
            "sqlite": Server("edge", f"sqlite+aiosqlite:///{folder}/bench.db"),
            "postgresql": Server("edge", postgres_url),
        }
        runs: dict[str, list[Measured]] = {name: [] for name in servers}
        for name, server in servers.items():  # warm-up, not counted
            measure(server, echoes(500) if name == "echo" else callbacks(500, f"w{name}"))
        for round_number in range(options.rounds):
            for name, server in servers.items():
                requests = (
                    echoes(options.requests)
                    if name == "echo"
                    else callbacks(options.requests, f"{name}{round_number}-")
                )
                runs[name].append(measure(server, requests))
        latency: dict[str, Outcome] = {}
        for name in ("sqlite", "postgresql"):
            requests = callbacks(int(OPEN_RATE * OPEN_SECONDS), f"open{name}")
            latency[name] = asyncio.run(open_loop(servers[name].port, requests, OPEN_RATE, CONNECTIONS))
        for server in servers.values():
            server.stop()
        stored = _count_sqlite(Path(folder) / "bench.db"), _count_postgres(postgres_url)
    postgres.stop()

    echo_cpu = statistics.median(run.cpu_us for run in runs["echo"])
    echo_rate = statistics.median(run.rate for run in runs["echo"])
    print(f"{'':12}{'requests/s':>12}{'CPU µs/req':>12}{'CPU ratio':>11}{'rate ratio':>12}{'p50 ms':>9}{'p99 ms':>9}")
    for name, measured in runs.items():
        rate = statistics.median(run.rate for run in measured)
        cpu = statistics.median(run.cpu_us for run in measured)
        figures[name] = {
            "requests_per_second": round(rate),
            "cpu_us": round(cpu, 1),
            "cpu_ratio": round(cpu / echo_cpu, 3),
            "rate_ratio": round(rate / echo_rate, 3),
        }
        tail = ""
        if name in latency:
            figures[name] |= {
                "open_loop_p50_ms": round(latency[name].percentile(0.5), 2),
                "open_loop_p99_ms": round(latency[name].percentile(0.99), 2),
                "open_loop_refused": latency[name].refused,
            }
            tail = f"{latency[name].percentile(0.5):9.2f}{latency[name].percentile(0.99):9.2f}"
        print(f"{name:12}{rate:12.0f}{cpu:12.1f}{cpu / echo_cpu:11.2f}{rate / echo_rate:12.2f}{tail}")
    print(f"rows stored: sqlite {stored[0]}, postgresql {stored[1]} (each request of every run, none lost)")
    expected = options.requests * options.rounds + 500 + int(OPEN_RATE * OPEN_SECONDS)
    assert stored == (expected, expected), f"expected {expected} rows in each"
    finish("ingest", figures)


def _count_sqlite(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT count(*) FROM inbox").fetchone()[0])


def _count_postgres(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute("SELECT count(*) FROM inbox").fetchone()
    assert row is not None
    return int(row[0])


if __name__ == "__main__":
    main()
