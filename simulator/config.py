"""What a simulated corp is configured with; every default is the demo bank's, none is a secret of anyone."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict

STRICT = ConfigDict(extra="forbid", hide_input_in_errors=True)  # for config files
DEMO_CORP_ID = "ww0000000000000001"
DEMO_BASE = "http://127.0.0.1:8000"
# Values of an invented corp. They protect nothing: the product gets its own values from its settings.
DEMO_APP_SECRET = "demo-app-secret-0000000000000000000000000001"  # noqa: S105 - invented corp
DEMO_KF_SECRET = "demo-kf-secret-00000000000000000000000000001"  # noqa: S105 - invented corp
DEMO_ARCHIVE_SECRET = "demo-archive-secret-000000000000000000000001"  # noqa: S105 - invented corp
DEMO_TOKEN = "demoCallbackToken"  # noqa: S105 - invented corp
DEMO_AES_KEY = "demoDEMOdemoDEMOdemoDEMOdemoDEMOdemoDEMO124"
DEMO_AIBOT_SECRET = "demo-aibot-secret-00000000000000000000000001"  # noqa: S105 - invented corp
DEMO_AIBOT_TOKEN = "demoAibotToken"  # noqa: S105 - invented corp
DEMO_AIBOT_AES_KEY = "aibotAIBOTaibotAIBOTaibotAIBOTaibotAIBOT124"


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """One callback configuration of the console: where to post, and how to sign and encrypt.

    `receive_id` is the corp id for app, contact, kf and archive callbacks and the empty string for a corp AI bot.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    url: str
    token: str = field(repr=False)
    aes_key: str = field(repr=False)
    receive_id: str


@dataclass(frozen=True, slots=True)
class BankSize:
    """How large a bank the seed makes; `staff` counts relationship managers only."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    staff: int = 30
    customers: int = 2000
    groups: int = 60


@dataclass(frozen=True, slots=True)
class RetryPlan:
    """When a callback is posted again (dossier 01, 1.6).

    The platform judges only whether an answer arrived, so an error status is not repeated unless
    `retry_on_error_status` says so. `backoff_seconds` holds the pause before the second, third … attempt; its last
    value repeats.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    timeout_seconds: float = 5.0
    attempts: int = 3
    backoff_seconds: tuple[float, ...] = (1.0, 3.0)
    retry_on_error_status: bool = False


@dataclass(frozen=True, slots=True)
class CallRules:
    """What holds for calls of every API; a number of 0 switches its rule off, None trusts every address.

    Documented are the base limits per API and corp (90312), `debug=1` and that there is a ban and a trusted list. The
    documents give no number for `tokens_per_minute` ("frequent calls are blocked"), `wrong_secrets_per_hour`
    ("repeated wrong secrets") and `concurrent_calls`: ours are guesses, large enough not to be met by accident.
    `one_writer` refuses two changes of the same object at once. `trusted_ip_at_gettoken`: whether fetching a token is
    refused as well, or only what is then done with it.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    calls_per_minute: int = 10_000
    calls_per_hour: int = 150_000
    tokens_per_minute: int = 1_000
    wrong_secrets_per_hour: int = 20
    debug_calls_per_minute: int = 5
    concurrent_calls: int = 0
    one_writer: bool = True
    trusted_ips: tuple[str, ...] | None = None
    archive_trusted_ips: tuple[str, ...] | None = None
    trusted_ip_at_gettoken: bool = True
    app_state: Literal["active", "disabled", "inactive"] = "active"


def _shared(path: str) -> CallbackTarget:
    return CallbackTarget(DEMO_BASE + path, DEMO_TOKEN, DEMO_AES_KEY, DEMO_CORP_ID)


def _app_target() -> CallbackTarget:
    return _shared("/wecom/app")


def _aibot_target() -> CallbackTarget:
    return CallbackTarget(DEMO_BASE + "/wecom/aibot", DEMO_AIBOT_TOKEN, DEMO_AIBOT_AES_KEY, "")


@dataclass(frozen=True, slots=True)
class SimConfig:
    """Everything a simulated corp needs; `SimConfig()` is the demo bank.

    `archive_public_key_pem` is the bank's RSA-2048 public key (SubjectPublicKeyInfo PEM); without it the archive
    answers 301053. `public_base_url` goes into AI-bot `response_url`s; None takes the address of the control request
    that caused the callback. A limit of 0 switches that limit off.

    `aibot_mode` is how the AI bot is connected; `aibot_refresh_seconds` how often it asks for the rest of a stream.

    `broadcast_quota` is what the corp set: as many a month as it has days, 7 a week, or 1 a day (05, 5.6).
    `transfer_seconds` is how long a customer may refuse a transfer. `trusted_domains` are the hosts (with port) that
    a login may return to; without any it is the host of the app's callback. `rich_member_events` fills member events
    as for callback addresses set before 15 August 2022.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    corp_id: str = DEMO_CORP_ID
    agent_id: int = 1000002
    app_secret: str = field(default=DEMO_APP_SECRET, repr=False)
    kf_secret: str = field(default=DEMO_KF_SECRET, repr=False)
    archive_secret: str = field(default=DEMO_ARCHIVE_SECRET, repr=False)
    aibot_id: str = "aib0000000000000001"
    aibot_name: str = "客户经理助手"
    aibot_mode: Literal["webhook", "websocket"] = "webhook"
    aibot_secret: str = field(default=DEMO_AIBOT_SECRET, repr=False)
    aibot_refresh_seconds: float = 1.0
    app_name: str = "客户经理助手"
    open_kfid: str = "wkDEMO0001"
    kf_name: str = "示范银行客服"
    app_callback: CallbackTarget = field(default_factory=_app_target)
    contact_callback: CallbackTarget = field(default_factory=_app_target)
    kf_callback: CallbackTarget = field(default_factory=_app_target)
    archive_callback: CallbackTarget = field(default_factory=_app_target)
    aibot_callback: CallbackTarget = field(default_factory=_aibot_target)
    archive_public_key_pem: str | None = field(default=None, repr=False)
    publickey_ver: int = 1
    public_base_url: str | None = None
    state_file: str | None = None
    seed: int = 20260101
    size: BankSize = field(default_factory=BankSize)
    token_ttl_seconds: int = 7200
    retry: RetryPlan = field(default_factory=RetryPlan)
    rules: CallRules = field(default_factory=CallRules)
    archive_notify_gap_seconds: float = 1.0
    broadcast_settle_seconds: float = 0.5
    member_messages_per_minute: int = 30
    member_messages_per_hour: int = 1000
    kf_pulls_without_token_per_minute: int = 10
    messages_per_account_per_day: int = 200
    robot_messages_per_minute: int = 20
    broadcast_quota: Literal["month", "week", "day"] = "month"
    transfer_seconds: float = 86_400.0
    customers_per_member: int = 0
    group_capacity: int = 200
    corp_tag_cap: int = 10_000
    contact_way_cap: int = 500_000
    trusted_domains: tuple[str, ...] = ()
    rich_member_events: bool = False

    def callback_of(self, kind: str) -> CallbackTarget:
        """Return where callbacks of a kind go: app, contact, kf, archive or aibot; others go the app's way."""
        targets = {
            "contact": self.contact_callback,
            "kf": self.kf_callback,
            "archive": self.archive_callback,
            "aibot": self.aibot_callback,
        }
        return targets.get(kind, self.app_callback)

    @classmethod
    def for_base(
        cls,
        callback_base: str,
        *,
        corp_id: str = DEMO_CORP_ID,
        token: str = DEMO_TOKEN,
        aes_key: str = DEMO_AES_KEY,
        aibot_token: str = DEMO_AIBOT_TOKEN,
        aibot_aes_key: str = DEMO_AIBOT_AES_KEY,
        **changes: Any,
    ) -> "SimConfig":
        """Build a config whose callbacks go to `<callback_base>/wecom/app` and `/wecom/aibot`.

        `changes` are further fields of SimConfig; TypeError for a name that is none.
        """
        base = callback_base.rstrip("/")
        app = CallbackTarget(base + "/wecom/app", token, aes_key, corp_id)
        aibot = CallbackTarget(base + "/wecom/aibot", aibot_token, aibot_aes_key, "")
        made = cls(
            corp_id=corp_id,
            app_callback=app,
            contact_callback=app,
            kf_callback=app,
            archive_callback=app,
            aibot_callback=aibot,
        )
        return replace(made, **changes)
