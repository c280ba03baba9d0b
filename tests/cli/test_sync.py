"""`rmbot sync` copies the platform now, and tells how it stands, whoever runs it."""

import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from bot.storage.database import Database
from bot.texts import load_texts
from console.commands.sync import show_status, spell_progress, sync_now
from console.settings import load_settings
from customers import SyncProgress, SyncStage, SyncState, count_customers
from customers.models import SyncCursorRow
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, BankSize, SimConfig
from tests.running import running


@pytest.fixture
async def configured(tables_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The settings of a service on an empty database, and a platform that answers; yields the database's address."""
    monkeypatch.chdir(tmp_path)
    async with running(create_app(SimConfig(size=BankSize(3, 40, 4)))) as url:
        for name, value in {
            "STORAGE__URL": tables_url,
            "WECOM__CORP_ID": DEMO_CORP_ID,
            "WECOM__API_BASE": url,
            "WECOM__CALLBACK__TOKEN": "Token123",
            "WECOM__CALLBACK__AES_KEY": "k" * 43,
            "WECOM__APP__AGENT_ID": "1000002",
            "WECOM__APP__SECRET": DEMO_APP_SECRET,
        }.items():
            monkeypatch.setenv(f"RMBOT_{name}", value)
        yield tables_url


async def test_a_sync_copies_the_bank_and_shows_how_far_it_is(configured: str) -> None:
    said: list[str] = []
    shown: list[str] = []
    assert await show_status(load_settings()) == ["还没有同步过。运行 rmbot sync 开始。"]
    assert await sync_now(load_settings(), said.append, shown.append)
    assert said[-1].startswith("同步完成：")
    assert any("客户 3/3" in line for line in shown)
    database = await Database.open(configured)
    async with database.reading() as tx:
        assert await count_customers(tx) == 40
    await database.close()
    status = await show_status(load_settings(), "en")
    assert status[0].startswith("finished")


async def test_a_second_sync_is_told_that_one_runs(configured: str) -> None:
    database, now = await Database.open(configured), SystemClock().now()
    async with database.transaction() as tx:
        tx.add(
            SyncCursorRow(
                name="everything",
                stage="customers",
                started_at=now,
                updated_at=now,
                counts={},
                owner="another node",
                lease_until=now + timedelta(minutes=1),
            )
        )
    said: list[str] = []
    assert not await sync_now(load_settings(), said.append, said.append)
    assert said == ["已有一次同步在进行，用 rmbot sync --status 查看进度。"]
    assert (await show_status(load_settings()))[0].startswith("同步中")
    await database.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_state_and_stage_has_its_words(language: str) -> None:
    texts = load_texts("console", language)
    now = SystemClock().now()
    for state in SyncState:
        for stage in SyncStage:
            lines = spell_progress(SyncProgress(state, stage, 1, 2, now, now, None, "user/list 60011", now), texts)
            assert lines
            assert (len(lines) == 1) is (state is SyncState.NEVER)


@pytest.mark.usefixtures("configured")
def test_the_command_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console.cli", "sync", "--status"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "rmbot sync" in done.stdout
