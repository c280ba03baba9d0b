"""`rmbot doctor` names what is wrong and the next step, in both languages, and never shows a secret."""

import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.storage.database import Database
from bot.storage.migrate import migrate
from console.commands.doctor import examine
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_CORP_ID, BankSize, SimConfig
from tests.running import running

TEXTS = Path(__file__).parents[2] / "console/texts"


@pytest.fixture
async def configured(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a well-configured service on a migrated database."""
    database = await Database.open(database_url)
    await migrate(database)
    await database.close()
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "STORAGE__URL": database_url,
        "WECOM__CORP_ID": DEMO_CORP_ID,
        "WECOM__CALLBACK__TOKEN": "Token123",
        "WECOM__CALLBACK__AES_KEY": "k" * 43,
        "WECOM__APP__AGENT_ID": "1000002",
        "WECOM__APP__SECRET": DEMO_APP_SECRET,
        "CONSOLE__PUBLIC_URL": "https://rm.bank.example",
        "CONSOLE__SECRET_KEY": "s" * 40,
    }.items():
        monkeypatch.setenv(f"RMBOT_{name}", value)


@pytest.fixture
async def platform(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """A platform that answers."""
    async with running(create_app(SimConfig(size=BankSize(1, 2, 1)))) as url:
        monkeypatch.setenv("RMBOT_WECOM__API_BASE", url)
        yield


@pytest.mark.usefixtures("configured", "platform")
@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_well_configured_service_is_well(language: str) -> None:
    report = await examine(language)
    assert report.well, report.text
    assert "✗" not in report.text
    assert "https://rm.bank.example/wecom/app" in report.text


@pytest.mark.usefixtures("configured", "platform")
@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("STORAGE__URL", "mysql://x", "RMBOT_STORAGE__URL"),
        ("WECOM__CORP_ID", "bank", "RMBOT_WECOM__CORP_ID"),
        ("WECOM__CALLBACK__TOKEN", "", "RMBOT_WECOM__CALLBACK__TOKEN"),
        ("WECOM__CALLBACK__TOKEN", "with-dash", "32 位"),
        ("WECOM__CALLBACK__AES_KEY", "tooshortkey", "43 位"),
        ("WECOM__APP__SECRET", "", "RMBOT_WECOM__APP__SECRET"),
        ("WECOM__APP__SECRET", "wrong-secret-value", "Secret 不对"),
        ("CONSOLE__PUBLIC_URL", "rm.bank.example", "RMBOT_CONSOLE__PUBLIC_URL"),
        ("WECOM__API_BASE", "http://127.0.0.1:9", "访问不到"),
        ("WECOM__ARCHIVE__RELAY_URL", "http://127.0.0.1:9", "PRIVATE_KEYS"),
        ("WECOM__CORPID", "ww1", "RMBOT_WECOM__CORP_ID"),
    ],
)
async def test_each_fault_is_named_with_the_next_step(
    name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"RMBOT_{name}", value)
    report = await examine("zh")
    assert not report.well
    faults = report.text.partition("✗")[2]
    assert words in faults, report.text
    for secret in (DEMO_APP_SECRET, "tooshortkey", "wrong-secret-value"):
        assert secret not in report.text


@pytest.mark.usefixtures("configured")
async def test_offline_the_platform_is_not_asked() -> None:
    assert (await examine("zh", offline=True)).well


async def test_an_unmigrated_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMBOT_STORAGE__URL", f"sqlite+aiosqlite:///{tmp_path / 'new.db'}")
    assert "rmbot migrate" in (await examine("zh", offline=True)).text


def test_both_catalogues_say_the_same_things() -> None:
    zh, en = (tomllib.loads((TEXTS / f"{name}.toml").read_text("utf-8"))["doctor"] for name in ("zh", "en"))
    assert list(zh) == list(en)
