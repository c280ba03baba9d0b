"""`rmbot migrate`, `rmbot serve` and the commands beside them, as processes of their own."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from bot.clock import SystemClock
from bot.wecom.crypto import CallbackCrypto
from simulator.app import create_app
from simulator.config import DEMO_AES_KEY, DEMO_APP_SECRET, DEMO_CORP_ID, DEMO_TOKEN, BankSize, SimConfig
from tests.bot.edge import a_callback, a_text_body
from tests.running import free_port, running

CRYPTO = CallbackCrypto(DEMO_TOKEN, DEMO_AES_KEY, DEMO_CORP_ID)


class Node:
    """One configured installation."""

    def __init__(self, folder: Path, platform: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.file = folder / "rm.db"
        self.environment = {
            **os.environ,
            "RMBOT_STORAGE__URL": f"sqlite+aiosqlite:///{self.file}",
            "RMBOT_WECOM__CORP_ID": DEMO_CORP_ID,
            "RMBOT_WECOM__API_BASE": platform,
            "RMBOT_WECOM__APP__AGENT_ID": "1000002",
            "RMBOT_WECOM__APP__SECRET": DEMO_APP_SECRET,
            "RMBOT_WECOM__CALLBACK__TOKEN": DEMO_TOKEN,
            "RMBOT_WECOM__CALLBACK__AES_KEY": DEMO_AES_KEY,
            "RMBOT_CONSOLE__PORT": str(self.port),
            "RMBOT_CONSOLE__PUBLIC_URL": self.url,
            "RMBOT_CONSOLE__SECRET_KEY": "s" * 40,
            # nothing is tried again, so that a failure is seen at once
            "RMBOT_INBOX__RETRY_SECONDS": "[]",
        }

    def run(self, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "console.cli", *arguments],
            env=self.environment, input=typed, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    async def start(self) -> asyncio.subprocess.Process:
        """Start serving and wait until callbacks can be taken."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console.cli", "serve", env=self.environment, stderr=asyncio.subprocess.DEVNULL
        )
        async with httpx.AsyncClient() as http, asyncio.timeout(30):
            while True:
                try:
                    if (await http.get(f"{self.url}/healthz")).status_code == 200:
                        return process
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)

    def count(self, question: str) -> int:
        """Ask the database file for a number."""
        with closing(sqlite3.connect(self.file)) as connection:
            return int(connection.execute(question).fetchone()[0])


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    """An installation that was not migrated yet, and its platform."""
    async with running(create_app(SimConfig(size=BankSize(2, 6, 2)))) as platform:
        yield Node(tmp_path, platform)


async def test_an_unmigrated_database_stops_the_start_with_one_sentence(node: Node) -> None:
    done = await asyncio.to_thread(node.run, "serve")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "rmbot migrate" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("inbox", "list"),
        ("outbox", "list"),
        ("audit", "verify"),
        ("account", "put", "a", "--name", "a", "--role", "rm"),
    ],
)
@pytest.mark.parametrize("address", [None, "postgresql+psycopg://rmbot:hush-hush@127.0.0.1:9/none"])
async def test_a_database_that_cannot_be_used_is_one_sentence(
    node: Node, command: tuple[str, ...], address: str | None
) -> None:
    if address:
        node.environment["RMBOT_STORAGE__URL"] = address
    done = await asyncio.to_thread(node.run, *command, typed="a long enough password\n")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "rmbot migrate" in done.stderr
    assert "hush-hush" not in done.stderr


async def test_without_a_callback_url_nothing_starts(node: Node) -> None:
    node.environment["RMBOT_WECOM__CALLBACK__TOKEN"] = ""
    await asyncio.to_thread(node.run, "migrate")
    done = await asyncio.to_thread(node.run, "serve")
    assert done.returncode == 2
    assert "RMBOT_WECOM__CALLBACK__TOKEN" in done.stderr


async def test_a_node_reads_its_people_at_the_first_start_and_ends_quietly(node: Node) -> None:
    assert "starter scripts" in (await asyncio.to_thread(node.run, "migrate")).stdout
    process = await node.start()
    try:
        async with asyncio.timeout(30):
            while node.count("SELECT count(*) FROM follow") == 0:  # noqa: ASYNC110  another process's rows
                await asyncio.sleep(0.1)
    finally:
        process.terminate()
    assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_a_parked_event_is_listed_without_its_words_and_replayed(node: Node) -> None:
    await asyncio.to_thread(node.run, "migrate")
    process = await node.start()
    with closing(sqlite3.connect(node.file)) as connection:  # what the handlers need is gone
        connection.execute("DELETE FROM lexicon_term")
        connection.execute("DELETE FROM lexicon_version")
        connection.commit()
    request = a_callback(a_text_body(text="大额存单"), SystemClock().now(), CRYPTO)
    async with httpx.AsyncClient() as http:
        answer = await http.post(f"{node.url}/wecom/app", params=request.params, content=request.body)
        assert answer.text == "success"
    async with asyncio.timeout(20):
        while node.count("SELECT count(*) FROM inbox WHERE state = 'failed'") == 0:  # noqa: ASYNC110  another process's rows
            await asyncio.sleep(0.1)
    listed = await asyncio.to_thread(node.run, "inbox", "list", "--state", "failed")
    assert "StaffTextMessage" in listed.stdout
    assert "大额存单" not in listed.stdout
    number = listed.stdout.split()[0]
    await asyncio.to_thread(node.run, "migrate")
    assert (await asyncio.to_thread(node.run, "inbox", "replay", number)).returncode == 0
    async with asyncio.timeout(20):
        while node.count("SELECT count(*) FROM inbox WHERE state = 'done'") == 0:  # noqa: ASYNC110  another process's rows
            await asyncio.sleep(0.1)
    again = await asyncio.to_thread(node.run, "inbox", "replay", number)
    assert again.returncode == 1
    assert "not failed" in again.stderr
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 15) == 0


async def test_the_audit_trail_is_verified_from_the_command_line(node: Node) -> None:
    await asyncio.to_thread(node.run, "migrate")
    assert (await asyncio.to_thread(node.run, "audit", "verify")).returncode == 0
    with closing(sqlite3.connect(node.file)) as connection:
        connection.execute("UPDATE audit_entry SET actor = 'forged' WHERE seq = 1")
        connection.commit()
    done = await asyncio.to_thread(node.run, "audit", "verify")
    assert (done.returncode, "entry 1" in done.stderr) == (1, True)


async def test_an_account_made_on_the_command_line_can_log_in(node: Node) -> None:
    await asyncio.to_thread(node.run, "migrate")
    make = ("account", "put", "wangli", "--name", "王丽", "--role")
    made = await asyncio.to_thread(node.run, *make, "admin", typed="a long enough password\n")
    assert made.returncode == 0, made.stderr
    process = await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, headers={"Origin": node.url}) as http:
            wrong = await http.post("/login", data={"staff_id": "wangli", "password": "not this one"})
            right = await http.post("/login", data={"staff_id": "wangli", "password": "a long enough password"})
            demo = await http.post("/login/demo", data={"staff_id": "wangli"})
    finally:
        process.terminate()
        await asyncio.wait_for(process.wait(), 15)
    assert (wrong.status_code, right.status_code) == (422, 303)
    assert demo.status_code in (403, 404), "one-click login is the demo's alone"


@pytest.mark.parametrize(
    ("role", "password", "words"), [("king", "long enough here", "no role"), ("rm", "short", "12")]
)
async def test_an_impossible_account_is_refused(node: Node, role: str, password: str, words: str) -> None:
    await asyncio.to_thread(node.run, "migrate")
    done = await asyncio.to_thread(
        node.run, "account", "put", "wangli", "--name", "王丽", "--role", role, typed=f"{password}\n"
    )
    assert done.returncode == 2
    assert words in done.stderr
