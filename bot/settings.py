"""The sections of the settings that belong to `bot`. `console/settings.py` joins all sections."""

from typing import Literal

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


class AiBotSettings(BaseModel):
    """智能机器人: by callback URL (`aibot_callback`), or over a connection we open, without a port from outside."""

    model_config = _SECTION

    mode: Literal["webhook", "websocket"] = Field(
        default="webhook", description="webhook: callback URL; websocket: long connection. As chosen at the platform"
    )
    bot_id: str = Field(default="", description="BotID of the long connection; empty: none is opened")
    secret: SecretStr = Field(default=SecretStr(""), description="Secret of the long connection")
    ws_url: str = Field(default="wss://openws.work.weixin.qq.com", description="Address of the long connection")
    ping_seconds: float = Field(default=30, gt=0, description="Heartbeat of the long connection, in seconds")
    lease_seconds: float = Field(
        default=15, gt=0, le=20, description="A silent node's connection is taken over after, in seconds"
    )


class KfSettings(BaseModel):
    """微信客服."""

    model_config = _SECTION

    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Secret for 微信客服; empty: the self-built app's",
    )
    open_kfids: tuple[str, ...] = Field(default=(), description="Accounts to serve, for the timed pull; may be empty")
    poll_seconds: int = Field(
        default=300, ge=5, description="How often to look without being told: notices can be lost, in seconds"
    )


class ArchiveSettings(BaseModel):
    """会话内容存档."""

    model_config = _SECTION

    secret: SecretStr = Field(default=SecretStr(""), description="Secret of the session archive; empty: no archive")
    sdk_path: str = Field(
        default="", description="Path of the vendor's library (libWeWorkFinanceSdk_C.so); goes before the relay"
    )
    sdk_proxy: str = Field(default="", description="Proxy for the library, http://HOST:PORT or socks5://HOST:PORT")
    sdk_proxy_password: SecretStr = Field(default=SecretStr(""), description="USER:PASSWORD for the library's proxy")
    sdk_timeout_seconds: int = Field(default=10, ge=1, description="The library's own patience with one call, seconds")
    sdk_call_seconds: float = Field(
        default=45, gt=1, description="A call of the library that takes longer costs its process the life, in seconds"
    )
    sdk_memory_mb: int = Field(
        default=512, ge=64, description="A library process that holds more memory is replaced, in MiB"
    )
    relay_url: str = Field(
        default="", description="Address of the archive SDK's relay; empty, and no library: no archive"
    )
    private_keys: dict[int, SecretStr] = Field(
        default_factory=dict, description="RSA private keys (PEM) by publickey_ver; keep the old ones"
    )
    poll_seconds: int = Field(default=60, ge=1, description="How often to look without being told, in seconds")
    assist_within_seconds: int = Field(
        default=1800, ge=30, description="Older customer questions than this get no reply card, in seconds"
    )


class ContactSettings(BaseModel):
    """通讯录: the directory of members."""

    model_config = _SECTION

    secret: SecretStr = Field(
        default=SecretStr(""), description="Secret for the directory (通讯录同步); empty: the self-built app's"
    )


class ApiLimit(BaseModel):
    """One row of the limits table, as documented: how often calls that match `api` may be made, and who shares it.

    `api` is a method and path, or the beginning of one with `*`. 0 means: no such limit.
    """

    model_config = _SECTION

    api: str
    per: Literal["corp", "app", "key"] = "corp"
    per_minute: int = Field(default=0, ge=0)
    per_hour: int = Field(default=0, ge=0)
    per_day: int = Field(default=0, ge=0)
    per_month: int = Field(default=0, ge=0)
    per_account_and_day: int = Field(default=0, ge=0)
    cost: int = Field(default=1, ge=1)
    concurrency: int = Field(default=20, ge=1)


# 03-tokens-errors-limits.md, 3.2; 04, 4.4 and 4.6; 05, 5.7; 06, 6.3. The first row that matches counts.
DOCUMENTED_LIMITS = (
    ApiLimit(api="POST /cgi-bin/message/send", per="app", per_account_and_day=200, concurrency=8),
    ApiLimit(api="POST /cgi-bin/appchat/create", per="app", per_day=1_000),
    ApiLimit(api="POST /cgi-bin/appchat/update", per="app", per_hour=1_000),
    # counted by person-times: a group is taken for a hundred people [I]
    ApiLimit(api="POST /cgi-bin/appchat/send", per="app", per_minute=20_000, per_hour=300_000, cost=100),
    ApiLimit(api="POST /cgi-bin/media/uploadimg", per_day=1_000, per_month=3_000),
    ApiLimit(api="GET /cgi-bin/get_jsapi_ticket", per_hour=400),
    ApiLimit(api="GET /cgi-bin/ticket/get", per="app", per_hour=100),
    ApiLimit(api="POST /cgi-bin/webhook/*", per="key", per_minute=20, concurrency=2),
    ApiLimit(api="POST /cgi-bin/externalcontact/add_moment_task", per_minute=10, per_month=100_000),
    # "tight" is all the page says (94670): a guess [I]
    ApiLimit(api="POST /cgi-bin/kf/sync_msg#no-token", per_minute=10, concurrency=1),
    ApiLimit(api="SDK GetChatData", per_minute=600, concurrency=1),
    ApiLimit(api="*", per_minute=10_000, per_hour=150_000),
)


class PaceSettings(BaseModel):
    """How fast we call the platform. All nodes share the counts."""

    model_config = _SECTION

    share: float = Field(default=0.7, gt=0, le=1, description="Part of each documented limit that we use")
    accounts: int = Field(
        default=100, ge=1, description="Accounts of the corp: an app may send each 200 messages a day, together"
    )
    max_wait_seconds: float = Field(
        default=90, gt=0, description="A reading call waits for its turn at most this long, in seconds"
    )
    limits: tuple[ApiLimit, ...] = Field(
        default=(), description="Limits that come before the documented ones (bot/settings.py), as a JSON list"
    )

    @property
    def table(self) -> tuple[ApiLimit, ...]:
        """Return the whole limits table; its last row takes every call."""
        return (*self.limits, *DOCUMENTED_LIMITS)


class AlertSettings(BaseModel):
    """Who is told when something must be mended."""

    model_config = _SECTION

    admin_staff: tuple[str, ...] = Field(
        default=(), description="Members (userid) who are told of open alerts by app message, once a day; a JSON list"
    )
    language: Literal["zh", "en"] = Field(default="zh", description="Language of these messages")


class WeComSettings(BaseModel):
    """The corp, and everything at the platform that belongs to it."""

    model_config = _SECTION

    corp_id: str = Field(default="", description="CorpID (企业ID), begins with ww or wx")
    api_base: str = Field(default="https://qyapi.weixin.qq.com", description="Address of the platform's API")
    timeout_seconds: float = Field(default=10, gt=0, description="Patience with one platform call, in seconds")
    proxy: str = Field(
        default="",
        description="Proxy for calls to the platform, http://HOST:PORT; empty: as HTTPS_PROXY and NO_PROXY say",
    )
    secrets: dict[str, SecretStr] = Field(
        default_factory=dict, description="Secrets of further applications, by a name of your own"
    )
    contact: ContactSettings = ContactSettings()
    pace: PaceSettings = PaceSettings()
    alerts: AlertSettings = AlertSettings()
    app: AppSettings = AppSettings()
    callback: CallbackSettings = CallbackSettings()
    aibot_callback: CallbackSettings = CallbackSettings()
    aibot: AiBotSettings = AiBotSettings()
    kf: KfSettings = KfSettings()
    archive: ArchiveSettings = ArchiveSettings()

    def secrets_by_app(self) -> dict[str, SecretStr]:
        """Return the secret of every application by its name; those without one of their own use the app's."""
        named = {"kf": self.kf.secret, "contact": self.contact.secret}
        own = {name: secret if secret.get_secret_value() else self.app.secret for name, secret in named.items()}
        return {"app": self.app.secret, **own, "archive": self.archive.secret, **self.secrets}


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
    per_member_per_hour: int = Field(
        default=900, ge=1, description="The same in an hour; the platform drops what is over 1000 silently"
    )
    unreachable_days: int = Field(
        default=7, ge=1, description="A recipient the platform cannot reach is left alone for, in days"
    )
