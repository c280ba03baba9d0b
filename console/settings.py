"""All settings in one place: the packages' sections joined, read once at start, refused when anything is unknown.

Read from the environment and from `.env`, as `RMBOT_SECTION__KEY`, e.g. `RMBOT_WECOM__CORP_ID`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from rapidfuzz import fuzz, process

from bot.errors import SettingsError
from bot.settings import EdgeSettings, InboxSettings, OutboxSettings, StorageSettings, WeComSettings
from compliance import ComplianceSettings
from customers import CustomersSettings
from handlers.settings import HandlersSettings
from sop import SopSettings

PREFIX = "RMBOT_"


class ConsoleSettings(BaseModel):
    """The pages and the web server."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on")
    port: int = Field(default=8000, ge=1, le=65535, description="Port to listen on")
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="Address under which people and the platform reach the service"
    )
    secret_key: SecretStr = Field(
        default=SecretStr(""), description="Signs login cookies, 32 characters or more; the same on every node"
    )
    demo: bool = Field(default=False, description="Demo: simulated platform, demo accounts; never in a bank")
    simulator_url: str = Field(default="", description="Address of the simulator; empty outside the demo")


class Settings(BaseSettings):
    """Everything that is configured. What the bank changes while running is data in tables, not here."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_file=".env",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    storage: StorageSettings = StorageSettings()
    wecom: WeComSettings = WeComSettings()
    edge: EdgeSettings = EdgeSettings()
    inbox: InboxSettings = InboxSettings()
    outbox: OutboxSettings = OutboxSettings()
    compliance: ComplianceSettings = ComplianceSettings()
    customers: CustomersSettings = CustomersSettings()
    sop: SopSettings = SopSettings()
    handlers: HandlersSettings = HandlersSettings()
    console: ConsoleSettings = ConsoleSettings()


def load_settings(env_file: Path | None = Path(".env")) -> Settings:
    """Return the settings of this process.

    Raises:
        SettingsError: a key is unknown (the nearest valid one is named) or a value is not of its type. Values are
            never shown: one of them may be a secret in the wrong place.
    """
    _refuse_unknown(env_file)
    try:
        return Settings(_env_file=env_file)
    except ValidationError as error:
        lines = [f"{_env_name(item['loc'])}: {item['msg']}" for item in error.errors(include_input=False)]
        raise SettingsError("the settings cannot be used:\n  " + "\n  ".join(lines)) from None


def iter_keys(model: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[tuple[str, Any]]:
    """Yield the environment name and the field of every setting, sections unfolded."""
    for name, field in model.model_fields.items():
        key = f"{prefix}{name.upper()}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from iter_keys(field.annotation, f"{key}__")
        else:
            yield key, field


def _refuse_unknown(env_file: Path | None) -> None:
    """Compare what is set under our prefix with what exists.

    pydantic-settings forbids unknown keys inside a section, but lets a mistyped section's name in the environment
    pass in silence.
    """
    given: dict[str, str] = {name: "the environment" for name in os.environ if name.upper().startswith(PREFIX)}
    if env_file is not None and env_file.is_file():
        # the file is ours alone, so a name without our prefix in it is a mistyped prefix
        given |= dict.fromkeys(dotenv_values(env_file), env_file.name)
    valid = [key for key, _ in iter_keys()]
    wrong = [_explain(name, place, valid) for name, place in sorted(given.items()) if not _is_valid(name, valid)]
    if wrong:
        raise SettingsError("the settings cannot be used:\n  " + "\n  ".join(wrong))


def _is_valid(name: str, valid: list[str]) -> bool:
    upper = name.upper()
    # a mapping (private keys by version) has keys of its own below it; a section may be given whole, as JSON
    return any(upper == key or upper.startswith(f"{key}__") or key.startswith(f"{upper}__") for key in valid)


def _explain(name: str, place: str, valid: list[str]) -> str:
    nearest = process.extractOne(name.upper(), valid, scorer=fuzz.ratio)
    hint = f"did you mean {nearest[0]}?" if nearest and nearest[1] >= 60 else "see docs/reference/settings.md"
    return f"{name} (in {place}) is no setting: {hint}"


def _env_name(location: tuple[int | str, ...]) -> str:
    return PREFIX + "__".join(str(part).upper() for part in location)
