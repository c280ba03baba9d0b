"""`rmbot sim`: the simulated platform alone, as processes of its own, and the small commands that turn its switches."""

import asyncio
import io
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import httpx
import pytest

from console.cli import main
from simulator import BankSize, SimConfig, create_app
from tests.running import free_port, running


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def rmbot(*arguments: str) -> Ended:
    """Run one command to its end, as the shell would, but without starting Python for each."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    with mock.patch.object(sys, "argv", ["rmbot", "sim", *arguments]), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Ended(code, out.getvalue(), err.getvalue())


async def command(*arguments: str) -> Ended:
    """Run one command while this process serves."""
    return await asyncio.to_thread(rmbot, *arguments)


@asynccontextmanager
async def simulated(*arguments: str) -> AsyncIterator[tuple[str, str]]:
    """Start `rmbot sim`; yields its address and what it said."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-u", "-m", "console.cli", "sim", "--port", str(port), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said = ""
        async with asyncio.timeout(30):
            while "Ctrl+C" not in said:
                line = await process.stdout.readline()
                assert line, said
                said += line.decode()
        yield f"http://127.0.0.1:{port}", said
    finally:
        process.terminate()
        await process.wait()


@pytest.fixture
async def simulator() -> AsyncIterator[str]:
    """A running simulator whose bot is not there."""
    config = SimConfig.for_base("http://127.0.0.1:9", size=BankSize(2, 6, 2))
    async with running(create_app(config)) as url:
        yield url


async def test_it_says_all_that_a_bot_needs_and_answers_with_it() -> None:
    size = ("--customers", "6", "--staff", "2", "--groups", "2")
    async with simulated("--bot", "http://127.0.0.1:9", "--lang", "en", *size) as (url, said):
        assert f"API address   {url}" in said
        assert "http://127.0.0.1:9/wecom/app" in said
        corp_id = re.search(r"corp id +(\S+)", said)
        secret = re.search(r"app +AgentId \d+, Secret (\S+)", said)
        assert corp_id
        assert secret
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            asked = {"corpid": corp_id[1], "corpsecret": secret[1]}
            assert (await client.get("/cgi-bin/gettoken", params=asked)).json()["errcode"] == 0
            assert (await client.get("/_sim/health")).json()["customers"] == 6


async def test_seeded_file_is_the_bank_that_runs_and_is_not_overwritten_by_accident(tmp_path: Path) -> None:
    state = str(tmp_path / "bank.db")
    made = rmbot("seed", "--state", state, "--customers", "40", "--staff", "3", "--groups", "4", "--lang", "en")
    assert made.returncode == 0, made.stderr
    assert "40 customers, 3 staff, 4 groups" in made.stdout
    again = rmbot("seed", "--state", state)
    assert (again.returncode, "--replace" in again.stderr) == (2, True)
    other = rmbot("--state", state, "--customers", "9", "--port", str(free_port()))
    assert (other.returncode, "40 customers" in other.stderr) == (2, True)
    async with simulated("--state", state) as (url, said):
        assert "40 位客户" in said
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            assert (await client.get("/_sim/health")).json()["groups"] == 4
    replaced = rmbot("seed", "--state", state, "--customers", "5", "--replace")
    assert (replaced.returncode, "5 customers" in replaced.stdout) == (0, True)


def test_taken_port_is_a_clear_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        answer = rmbot("--port", str(port))
    assert answer.returncode == 2
    assert f"port {port} on 127.0.0.1 cannot be used" in answer.stderr
    assert "--port" in answer.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--bot", "localhost:8000"), "complete address"),
        (("--archive-key", "/nowhere/key.pem"), "cannot be read"),
        (("--state", "/nowhere/at/all.db"), "does not exist"),
        (("seed", "--state", "/nowhere/at/all.db"), "does not exist"),
        (("clock", "--url", "http://127.0.0.1:9"), "no simulator answers"),
    ],
)
def test_what_cannot_work_is_said_in_one_line(arguments: tuple[str, ...], told: str) -> None:
    options = () if arguments[0] in {"seed", "clock"} else ("--port", str(free_port()))
    answer = rmbot(*options, *arguments)
    assert answer.returncode == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.stderr


def test_file_that_is_no_state_file_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database, but something that somebody wants to keep" * 20, encoding="utf-8")
    answer = rmbot("seed", "--state", str(file), "--replace")
    assert answer.returncode == 2
    assert "not a state file" in answer.stderr
    assert file.read_text(encoding="utf-8").startswith("not a database")


def test_private_key_is_not_taken_for_the_archive(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN PRIVATE KEY-----", encoding="ascii")
    answer = rmbot("--archive-key", str(file), "--port", str(free_port()))
    assert (answer.returncode, "public half" in answer.stderr) == (2, True)


async def test_faults_are_switched_on_beside_each_other_and_off(simulator: str) -> None:
    at = ("--url", simulator, "--lang", "en")
    assert "no fault" in (await command("faults", *at)).stdout
    first = ("--api", "POST /cgi-bin/message/send", "--kind", "errcode", "--errcode", "45009", "--count", "3")
    assert (await command("faults", *at, *first)).returncode == 0
    shown = (await command("faults", *at, "--kind", "latency", "--seconds", "0", "--lost", "0.5")).stdout
    assert "errcode" in shown
    assert "3 more to come" in shown
    assert "latency" in shown
    assert '"lost": 0.5' in shown
    mistyped = await command("faults", *at, "--api", "POST /cgi-bin/mesage/send", "--kind", "timeout")
    assert (mistyped.returncode, "did you mean POST /cgi-bin/message/send" in mistyped.stderr) == (2, True)
    assert "no fault" in (await command("faults", *at, "--clear")).stdout


async def test_clock_is_set_moved_and_put_back(simulator: str) -> None:
    at = ("--url", simulator, "--lang", "en")
    shown = (await command("clock", *at, "--set", "2030-01-01T00:00:00Z", "--speed", "0", "--advance", "60")).stdout
    assert "simulated 2030-01-01T00:01:00" in shown
    assert "speed 0" in shown
    assert "speed 1" in (await command("clock", *at, "--real")).stdout
    refused = await command("clock", *at, "--set", "tomorrow")
    assert (refused.returncode, "now:" in refused.stderr) == (2, True)


async def test_check_names_each_address_once_and_fails(simulator: str) -> None:
    answer = await command("check", "--url", simulator)
    assert answer.returncode == 1
    assert answer.stdout.count("连不上") == 2
    assert "app, contact, kf, archive" in answer.stdout
