"""Settings are read from the environment and .env; what is unknown or wrong stops the start with a hint."""

from pathlib import Path

import pytest

from bot.errors import SettingsError
from console.commands.reference import settings_table
from console.settings import iter_keys, load_settings

ROOT = Path(__file__).parents[2]


def test_defaults_run_on_a_laptop(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "none")
    assert settings.storage.url.startswith("sqlite+aiosqlite:///")
    assert settings.console.demo is False


def test_environment_and_env_file_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    env = tmp_path / ".env"
    env.write_text("RMBOT_WECOM__CORP_ID=ww1\nRMBOT_CONSOLE__PORT=9001\n")
    monkeypatch.setenv("RMBOT_CONSOLE__PORT", "9002")
    settings = load_settings(env)
    assert (settings.wecom.corp_id, settings.console.port) == ("ww1", 9002)


def test_a_mistyped_prefix_in_the_file_is_refused(tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("RMBT_WECOM__CORP_ID=ww1\n")
    with pytest.raises(SettingsError, match="did you mean RMBOT_WECOM__CORP_ID"):
        load_settings(env)


def test_private_keys_are_given_by_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMBOT_WECOM__ARCHIVE__PRIVATE_KEYS__3", "pem")
    assert load_settings(None).wecom.archive.private_keys[3].get_secret_value() == "pem"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("RMBOT_WECOM__CORPID", "RMBOT_WECOM__CORP_ID"),
        ("RMBOT_WECM__CORP_ID", "RMBOT_WECOM__CORP_ID"),
        ("RMBOT_STORAGE__URI", "RMBOT_STORAGE__URL"),
        ("RMBOT_WECOM__CALLBACK__AESKEY", "RMBOT_WECOM__CALLBACK__AES_KEY"),
        ("rmbot_console__prot", "RMBOT_CONSOLE__PORT"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_mistyped_key_is_refused_with_the_nearest_valid_name(
    name: str, nearest: str, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = tmp_path / ".env"
    if place == "file":
        env.write_text(f"{name}=hush-hush\n")
    else:
        monkeypatch.setenv(name, "hush-hush")
    with pytest.raises(SettingsError) as caught:
        load_settings(env)
    assert f"did you mean {nearest}?" in str(caught.value)
    assert "hush-hush" not in str(caught.value)


def test_a_wrong_value_is_named_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMBOT_CONSOLE__PORT", "my-secret-in-the-wrong-place")
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert "RMBOT_CONSOLE__PORT" in str(caught.value)
    assert "my-secret" not in str(caught.value)


def test_secrets_do_not_show_in_the_settings_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RMBOT_WECOM__APP__SECRET", "very-secret")
    assert "very-secret" not in repr(load_settings(None))


def test_every_setting_says_what_it_means() -> None:
    assert [name for name, field in iter_keys() if not field.description] == []


def test_the_reference_page_is_what_the_code_says() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert settings_table() in page, "run `rmbot settings` and put its output into docs/reference/settings.md"
