"""`rmbot doctor` names what is wrong and the next step, in both languages, and never shows a secret."""

import tomllib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from bot.settings import WeComSettings
from bot.storage.database import Database
from bot.storage.migrate import migrate
from bot.wecom.models import CredentialRow
from console.commands.doctor import examine
from console.commands.platform_checks import proxy_lines
from console.settings import Settings
from simulator.app import create_app
from simulator.config import DEMO_APP_SECRET, DEMO_ARCHIVE_SECRET, DEMO_CORP_ID, BankSize, CallRules, SimConfig
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


async def _examine_at(config: SimConfig, monkeypatch: pytest.MonkeyPatch, faults: Sequence[object] = ()) -> str:
    async with running(create_app(config)) as url, httpx.AsyncClient(base_url=url) as platform:
        answer = await platform.put("/_sim/faults", json={"faults": list(faults)})
        assert answer.status_code == 200, answer.text
        monkeypatch.setenv("RMBOT_WECOM__API_BASE", url)
        return (await examine("zh")).text


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("at_gettoken", [True, False])
async def test_an_untrusted_address_is_shown_as_the_platform_saw_it(
    at_gettoken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = CallRules(trusted_ips=("203.0.113.1",), trusted_ip_at_gettoken=at_gettoken)
    text = await _examine_at(SimConfig(size=BankSize(1, 2, 1), rules=rules), monkeypatch)
    assert "127.0.0.1（错误码 60020）" in text
    assert "企业可信IP" in text


@pytest.mark.usefixtures("configured")
async def test_the_archives_own_list_of_addresses_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMBOT_WECOM__ARCHIVE__SECRET", DEMO_ARCHIVE_SECRET)
    rules = CallRules(archive_trusted_ips=("203.0.113.1",))
    text = await _examine_at(SimConfig(size=BankSize(1, 2, 1), rules=rules), monkeypatch)
    assert "10009" in text
    assert "会话存档：企业微信不认这台服务器的地址 127.0.0.1" in text


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize(
    ("api", "errcode", "words"),
    [
        ("GET /cgi-bin/externalcontact/get_follow_user_list", 48002, "客户联系 → 可调用接口的应用"),
        ("POST /cgi-bin/kf/account/list", 51165, "系统自带的 Secret"),
        ("GET /cgi-bin/agent/get", 50003, "应用已被停用"),
    ],
)
async def test_a_missing_right_is_named_with_the_place_to_grant_it(
    api: str, errcode: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"api": api, "kind": "errcode", "errcode": errcode}
    assert words in await _examine_at(SimConfig(size=BankSize(1, 2, 1)), monkeypatch, [fault])


@pytest.mark.usefixtures("configured")
async def test_each_secret_is_tried_and_a_wrong_one_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMBOT_WECOM__KF__SECRET", "not-the-kf-secret")
    text = await _examine_at(SimConfig(size=BankSize(1, 2, 1)), monkeypatch)
    assert "微信客服：企业 ID 或 Secret 不对" in text
    assert "not-the-kf-secret" not in text


async def test_a_secret_that_works_again_is_let_in_again(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RMBOT_STORAGE__URL", db.url)
    monkeypatch.setenv("RMBOT_WECOM__CORP_ID", DEMO_CORP_ID)
    monkeypatch.setenv("RMBOT_WECOM__APP__SECRET", DEMO_APP_SECRET)
    monkeypatch.setenv("RMBOT_WECOM__APP__AGENT_ID", "1000002")
    async with db.transaction() as tx:
        tx.add(CredentialRow(name="token:app", refused_errcode=40001))
    await _examine_at(SimConfig(size=BankSize(1, 2, 1)), monkeypatch)
    async with db.reading() as tx:
        assert (await tx.get_one(CredentialRow, "token:app")).refused_errcode is None


@pytest.mark.parametrize(
    ("own", "environment", "key", "proxy"),
    [
        ("http://u:p@proxy.bank.example:3128", {}, "proxy_set", "proxy.bank.example:3128"),
        ("", {"https_proxy": "http://u:p@10.0.0.1:8", "NO_PROXY": "localhost"}, "proxy_environment", "10.0.0.1:8"),
        ("", {}, "proxy_none", None),
    ],
)
def test_the_way_out_is_named_without_its_password(
    own: str, environment: dict[str, str], key: str, proxy: str | None
) -> None:
    (said,) = proxy_lines(Settings(_env_file=None, wecom=WeComSettings(proxy=own)), environment)
    assert (said.key, said.values.get("proxy")) == (key, proxy)


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
