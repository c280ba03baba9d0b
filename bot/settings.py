"""The sections of the settings that belong to `bot`. `console/settings.py` joins all sections."""

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_SECTION = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class StorageSettings(BaseModel):
    """Where the rows live."""

    model_config = _SECTION

    url: str = Field(
        default="sqlite+aiosqlite:///data/rmbot.db",
        description="Database address: sqlite+aiosqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/NAME",
    )


class EdgeSettings(BaseModel):
    """The callback URLs."""

    model_config = _SECTION

    max_bytes: int = Field(default=262_144, ge=1024, description="Largest callback body accepted, in bytes")
    max_skew_seconds: int = Field(
        default=172_800,
        ge=60,
        description="How far a signed timestamp may be from now, in seconds",
    )


class CallbackSettings(BaseModel):
    """Token and key of one callback URL, as entered in the WeCom console."""

    model_config = _SECTION

    token: SecretStr = Field(default=SecretStr(""), description="Token of the callback URL, up to 32 characters")
    aes_key: SecretStr = Field(default=SecretStr(""), description="EncodingAESKey of the callback URL, 43 characters")


class AppSettings(BaseModel):
    """The self-built app that relationship managers talk to."""

    model_config = _SECTION

    agent_id: int = Field(default=0, description="AgentId of the self-built app")
    secret: SecretStr = Field(default=SecretStr(""), description="Secret of the self-built app")


class KfSettings(BaseModel):
    """微信客服."""

    model_config = _SECTION

    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret for 微信客服; empty: the self-built app's",
    )
    open_kfids: tuple[str, ...] = Field(default=(), description="Accounts to serve, for the timed pull; may be empty")


class ArchiveSettings(BaseModel):
    """会话内容存档."""

    model_config = _SECTION

    secret: SecretStr = Field(default=SecretStr(""), description="Secret of the session archive; empty: no archive")
    relay_url: str = Field(default="", description="Address of the archive SDK's relay; empty: no archive")
    private_keys: dict[int, SecretStr] = Field(
        default_factory=dict, description="RSA private keys (PEM) by publickey_ver; keep the old ones"
    )
    poll_seconds: int = Field(default=60, ge=1, description="How often to look without being told, in seconds")
    assist_within_seconds: int = Field(
        default=1800, ge=30, description="Older customer questions than this get no reply card, in seconds"
    )


class WeComSettings(BaseModel):
    """The corp, and everything at the platform that belongs to it."""

    model_config = _SECTION

    corp_id: str = Field(default="", description="CorpID (企业ID), begins with ww or wx")
    api_base: str = Field(default="https://qyapi.weixin.qq.com", description="Address of the platform's API")
    timeout_seconds: float = Field(default=10, gt=0, description="Patience with one platform call, in seconds")
    app: AppSettings = AppSettings()
    callback: CallbackSettings = CallbackSettings()
    aibot_callback: CallbackSettings = CallbackSettings()
    kf: KfSettings = KfSettings()
    archive: ArchiveSettings = ArchiveSettings()


class InboxSettings(BaseModel):
    """How stored events are worked off."""

    model_config = _SECTION

    concurrency: int = Field(default=4, ge=1, le=64, description="Conversations handled side by side on one node")
    lease_seconds: int = Field(default=60, ge=5, description="A silent worker's event is taken over after, in seconds")
    retry_seconds: tuple[int, ...] = Field(
        default=(2, 10, 60),
        description="Waits before the 2nd, 3rd … attempt, in seconds; then it is parked",
    )


class OutboxSettings(BaseModel):
    """How queued replies leave."""

    model_config = _SECTION

    concurrency: int = Field(default=4, ge=1, le=64, description="Recipients served side by side on one node")
    lease_seconds: int = Field(default=30, ge=5, description="A silent sender's reply is taken over after, in seconds")
    retry_seconds: tuple[int, ...] = Field(
        default=(1, 5, 30, 120), description="Waits before the second, third … attempt, in seconds; then it has failed"
    )
    per_member_per_minute: int = Field(
        default=27, ge=1, description="Messages to one member in a minute; the platform drops what is over 30 silently"
    )
