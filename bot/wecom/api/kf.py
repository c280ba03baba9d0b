"""微信客服: accounts, servicers, sessions, customers and figures (07-kf.md, 7.1 and 7.4).

Every call goes through the application named `kf` in the settings.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any
from urllib.parse import quote

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_offset_pages
from bot.wecom.api.wire import FILLED, FLAG, Bytes, Chars, Items, Name, RequestInvalid, Shape, join_params, to_body

ACCOUNT_ADD = "POST /cgi-bin/kf/account/add"
ACCOUNT_DELETE = "POST /cgi-bin/kf/account/del"
ACCOUNT_UPDATE = "POST /cgi-bin/kf/account/update"
ACCOUNT_LIST = "POST /cgi-bin/kf/account/list"
CONTACT_WAY = "POST /cgi-bin/kf/add_contact_way"
SERVICER_ADD = "POST /cgi-bin/kf/servicer/add"
SERVICER_DELETE = "POST /cgi-bin/kf/servicer/del"
SERVICER_LIST = "GET /cgi-bin/kf/servicer/list"
STATE_GET = "POST /cgi-bin/kf/service_state/get"
STATE_CHANGE = "POST /cgi-bin/kf/service_state/trans"
CUSTOMERS = "POST /cgi-bin/kf/customer/batchget"
UPGRADE_CONFIG = "GET /cgi-bin/kf/customer/get_upgrade_service_config"
UPGRADE = "POST /cgi-bin/kf/customer/upgrade_service"
UPGRADE_CANCEL = "POST /cgi-bin/kf/customer/cancel_upgrade_service"
CORP_STATISTIC = "POST /cgi-bin/kf/get_corp_statistic"
SERVICER_STATISTIC = "POST /cgi-bin/kf/get_servicer_statistic"
QUALIFICATION = "GET /cgi-bin/kf/get_corp_qualification"

APP = "kf"
ACCOUNT_PAGE = 100
MAX_SCENE_PARAM_BYTES = 128


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to be made, with its picture; 5,000 exist at most."""

    name: Annotated[str, Chars(16, least=1)]
    avatar_media_id: Annotated[str, Name("media_id"), Bytes(128, least=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountEdit:
    """What is to change; what is `None` stays."""

    open_kfid: Annotated[str, FILLED]
    name: Annotated[str | None, Chars(16, least=1)] = None
    avatar_media_id: Annotated[str | None, Name("media_id"), Bytes(128, least=1)] = None


@dataclass(frozen=True, slots=True)
class Account:
    """An account; `managed` tells whether we may receive and send for it."""

    open_kfid: str
    name: str
    avatar_url: str
    managed: bool


@dataclass(frozen=True, slots=True)
class KfContactWay:
    """The entry to an account; `scene` comes back when a customer enters by it."""

    open_kfid: Annotated[str, FILLED]
    scene: Annotated[
        str | None, Bytes(32), Shape(re.compile(r"[0-9a-zA-Z_-]*"), "made of letters, digits, _ and -")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicerChange:
    """Members and departments that are to serve an account, or no longer."""

    open_kfid: Annotated[str, FILLED]
    staff_ids: Annotated[tuple[StaffId, ...], Name("userid_list"), Items(100)] = ()
    department_ids: Annotated[tuple[int, ...], Name("department_id_list"), Items(20)] = ()

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if not self.staff_ids and not self.department_ids:
            yield "userid_list", "and department_id_list are both missing"


@dataclass(frozen=True, slots=True)
class ServicerResult:
    """Whether one member was taken on, or let go."""

    staff_id: StaffId
    errcode: int


@dataclass(frozen=True, slots=True)
class Servicer:
    """A member, or a whole department, that serves an account. `receiving` is not told of a department."""

    staff_id: StaffId | None
    department_id: int | None
    receiving: bool | None


class SessionState(IntEnum):
    """Who has the session (07-kf.md, 7.4)."""

    NEW = 0
    BOT = 1
    WAITING = 2
    HUMAN = 3
    ENDED = 4


@dataclass(frozen=True, slots=True)
class Session:
    """Who has a session; `state` as in `SessionState`."""

    state: int
    servicer: StaffId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """Where a session is to go. A person needs a name, everything else none."""

    open_kfid: Annotated[str, FILLED]
    customer_id: Annotated[CustomerId, Name("external_userid"), FILLED]
    state: Annotated[SessionState, Name("service_state")]
    servicer: Annotated[StaffId | None, Name("servicer_userid")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if (self.state is SessionState.HUMAN) != bool(self.servicer):
            yield "servicer_userid", "goes with service_state 3, and service_state 3 with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class _CustomerQuestion:
    customer_ids: Annotated[tuple[CustomerId, ...], Name("external_userid_list"), Items(100, least=1)]
    with_entry: Annotated[bool, Name("need_enter_session_context"), FLAG]


@dataclass(frozen=True, slots=True)
class KfCustomer:
    """A customer of an account. `scene` and `scene_param` are of the last entry within 48 hours."""

    id: CustomerId
    name: str
    avatar_url: str
    gender: int
    unionid: str | None
    scene: str
    scene_param: str


@dataclass(frozen=True, slots=True)
class KfCustomers:
    """Those found, and the ids that are unknown."""

    found: tuple[KfCustomer, ...]
    invalid_ids: tuple[CustomerId, ...]


@dataclass(frozen=True, slots=True)
class UpgradeTargets:
    """To whom a customer may be handed over for good: members, departments, groups."""

    staff_ids: tuple[StaffId, ...]
    department_ids: tuple[int, ...]
    chat_ids: tuple[GroupChatId, ...]


class UpgradeKind(IntEnum):
    """What is recommended to a customer."""

    MEMBER = 1
    GROUP = 2


@dataclass(frozen=True, slots=True)
class MemberTarget:
    """A member for the customer to add, with words for it."""

    staff_id: Annotated[StaffId, Name("userid")]
    wording: str | None = None


@dataclass(frozen=True, slots=True)
class GroupTarget:
    """A group for the customer to join, with words for it."""

    chat_id: GroupChatId
    wording: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgrade:
    """The hand-over of a customer to their own manager or to a group."""

    open_kfid: Annotated[str, FILLED]
    customer_id: Annotated[CustomerId, Name("external_userid"), FILLED]
    kind: Annotated[UpgradeKind, Name("type")]
    member: MemberTarget | None = None
    group: Annotated[GroupTarget | None, Name("groupchat")] = None

    def list_problems(self) -> Iterator[tuple[str, str]]:
        """See `CrossChecked`."""
        if (self.kind is UpgradeKind.MEMBER) != (self.member is not None):
            yield "member", "goes with type 1, and type 1 with it"
        if (self.kind is UpgradeKind.GROUP) != (self.group is not None):
            yield "groupchat", "goes with type 2, and type 2 with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class KfQuestion:
    """Which days' figures; without an account, all accounts."""

    since: Annotated[datetime, Name("start_time")]
    until: Annotated[datetime, Name("end_time")]
    open_kfid: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicerQuestion(KfQuestion):
    """Which days' figures, of one servicer or of all together."""

    servicer: Annotated[StaffId | None, Name("servicer_userid")] = None


@dataclass(frozen=True, slots=True)
class CorpDay:
    """One day of the corp. Rates are fractions; all are `None` where the platform gives none."""

    day: datetime | None
    sessions: int
    customers: int
    customer_messages: int
    upgraded_customers: int
    rejecting_customers: int
    bot_replies: int
    bot_transfer_rate: float | None
    bot_knowledge_rate: float | None


@dataclass(frozen=True, slots=True)
class ServicerDay:
    """One day of one servicer or of all."""

    day: datetime | None
    sessions: int
    customers: int
    customer_messages: int
    reply_rate: float | None
    first_reply_seconds: float | None
    surveys: int
    survey_rate: float | None
    satisfied_rate: float | None
    middling_rate: float | None
    dissatisfied_rate: float | None
    upgraded_customers: int
    rejecting_customers: int


async def add_account(client: PlatformCalls, account: NewAccount) -> str:
    """Make an account and return its id."""
    return Answer(ACCOUNT_ADD, await _call(client, ACCOUNT_ADD, to_body(ACCOUNT_ADD, account))).text("open_kfid")


async def delete_account(client: PlatformCalls, open_kfid: str) -> None:
    """Delete an account."""
    await _call(client, ACCOUNT_DELETE, {"open_kfid": open_kfid})


async def update_account(client: PlatformCalls, edit: AccountEdit) -> None:
    """Change an account's name or picture."""
    await _call(client, ACCOUNT_UPDATE, to_body(ACCOUNT_UPDATE, edit))


async def iter_accounts(client: PlatformCalls) -> AsyncIterator[Account]:
    """Yield all accounts the app may see."""
    async for page in iter_offset_pages(client, ACCOUNT_LIST, {}, "account_list", ACCOUNT_PAGE, app=APP):
        for item in page.children("account_list"):
            yield Account(
                open_kfid=item.text("open_kfid"),
                name=item.text("name", ""),
                avatar_url=item.text("avatar", ""),
                managed=item.truth("manage_privilege", False),
            )


async def add_kf_contact_way(client: PlatformCalls, way: KfContactWay) -> str:
    """Return the address of an account's entry."""
    return Answer(CONTACT_WAY, await _call(client, CONTACT_WAY, to_body(CONTACT_WAY, way))).text("url")


def link_for_scene(url: str, scene_param: str) -> str:
    """Return an entry's address with a parameter of ours, which comes back when a customer enters by it.

    Raises:
        RequestInvalid: it is longer than 128 bytes before it is encoded.
    """
    if len(scene_param.encode()) > MAX_SCENE_PARAM_BYTES:
        raise RequestInvalid(CONTACT_WAY, "scene_param", f"is longer than {MAX_SCENE_PARAM_BYTES} bytes")
    return f"{url}&scene_param={quote(scene_param, safe='')}"


async def add_servicers(client: PlatformCalls, change: ServicerChange) -> tuple[ServicerResult, ...]:
    """Let members serve an account: 2,000 of them and 20 departments at most."""
    return await _change_servicers(client, SERVICER_ADD, change)


async def delete_servicers(client: PlatformCalls, change: ServicerChange) -> tuple[ServicerResult, ...]:
    """Let members serve an account no longer."""
    return await _change_servicers(client, SERVICER_DELETE, change)


async def list_servicers(client: PlatformCalls, open_kfid: str) -> tuple[Servicer, ...]:
    """List who serves an account."""
    params = join_params(open_kfid=open_kfid)
    answer = Answer(SERVICER_LIST, await client.call(SERVICER_LIST, params=params, app=APP))
    return tuple(_read_servicer(item) for item in answer.children("servicer_list"))


async def get_session(client: PlatformCalls, open_kfid: str, customer_id: CustomerId) -> Session:
    """Return who has the session."""
    body = {"open_kfid": open_kfid, "external_userid": customer_id}
    answer = Answer(STATE_GET, await _call(client, STATE_GET, body))
    return Session(answer.number("service_state"), StaffId(answer.text("servicer_userid", "")) or None)


async def change_session(client: PlatformCalls, change: StateChange) -> str | None:
    """Move a session; returns the code for the notice to the customer (`send_on_event`), where there is one.

    Raises:
        PlatformError: 95014 the servicer has no place, 95016 this move is not allowed.
    """
    answer = Answer(STATE_CHANGE, await _call(client, STATE_CHANGE, to_body(STATE_CHANGE, change)))
    return answer.text("msg_code", "") or None


async def get_kf_customers(
    client: PlatformCalls, customer_ids: Sequence[CustomerId], *, with_entry: bool = False
) -> KfCustomers:
    """Return at most 100 customers, with how they last entered when asked for."""
    question = _CustomerQuestion(customer_ids=tuple(customer_ids), with_entry=with_entry)
    answer = Answer(CUSTOMERS, await _call(client, CUSTOMERS, to_body(CUSTOMERS, question)))
    return KfCustomers(
        found=tuple(_read_customer(item) for item in answer.children("customer_list")),
        invalid_ids=tuple(CustomerId(customer) for customer in answer.texts("invalid_external_userid")),
    )


async def get_upgrade_targets(client: PlatformCalls) -> UpgradeTargets:
    """Return to whom customers may be handed over, as set in the platform's console."""
    answer = Answer(UPGRADE_CONFIG, await client.call(UPGRADE_CONFIG, app=APP))
    members = answer.find_child("member_range") or Answer(UPGRADE_CONFIG, {})
    groups = answer.find_child("groupchat_range") or Answer(UPGRADE_CONFIG, {})
    return UpgradeTargets(
        staff_ids=tuple(StaffId(staff_id) for staff_id in members.texts("userid_list")),
        department_ids=members.numbers("department_id_list"),
        chat_ids=tuple(GroupChatId(chat_id) for chat_id in groups.texts("chat_id_list")),
    )


async def upgrade_service(client: PlatformCalls, upgrade: Upgrade) -> None:
    """Recommend a member or a group to a customer."""
    await _call(client, UPGRADE, to_body(UPGRADE, upgrade))


async def cancel_upgrade(client: PlatformCalls, open_kfid: str, customer_id: CustomerId) -> None:
    """Withdraw the recommendation."""
    await _call(client, UPGRADE_CANCEL, {"open_kfid": open_kfid, "external_userid": customer_id})


async def list_corp_days(client: PlatformCalls, question: KfQuestion) -> tuple[CorpDay, ...]:
    """List a figure for each day."""
    answer = Answer(CORP_STATISTIC, await _call(client, CORP_STATISTIC, to_body(CORP_STATISTIC, question)))
    return tuple(_read_corp_day(item) for item in answer.children("statistic_list"))


async def list_servicer_days(client: PlatformCalls, question: ServicerQuestion) -> tuple[ServicerDay, ...]:
    """List a figure for each day of a servicer's work."""
    answer = Answer(SERVICER_STATISTIC, await _call(client, SERVICER_STATISTIC, to_body(SERVICER_STATISTIC, question)))
    return tuple(_read_servicer_day(item) for item in answer.children("statistic_list"))


async def is_bound_to_channels(client: PlatformCalls) -> bool:
    """Tell whether the corp has bound a video channel (视频号)."""
    return Answer(QUALIFICATION, await client.call(QUALIFICATION, app=APP)).truth("wechat_channels_binding")


async def _call(client: PlatformCalls, api: str, body: dict[str, Any]) -> dict[str, Any]:
    return await client.call(api, body, app=APP)


async def _change_servicers(client: PlatformCalls, api: str, change: ServicerChange) -> tuple[ServicerResult, ...]:
    answer = Answer(api, await _call(client, api, to_body(api, change)))
    return tuple(
        ServicerResult(StaffId(item.text("userid", "")), item.number("errcode"))
        for item in answer.children("result_list")
    )


def _read_servicer(item: Answer) -> Servicer:
    return Servicer(
        staff_id=StaffId(item.text("userid", "")) or None,
        department_id=item.number("department_id") if item.has("department_id") else None,
        receiving=item.number("status") == 0 if item.has("status") else None,
    )


def _read_customer(item: Answer) -> KfCustomer:
    entry = item.find_child("enter_session_context")
    return KfCustomer(
        id=CustomerId(item.text("external_userid")),
        name=item.text("nickname", ""),
        avatar_url=item.text("avatar", ""),
        gender=item.number("gender", 0),
        unionid=item.text("unionid", "") or None,
        scene=entry.text("scene", "") if entry else "",
        scene_param=entry.text("scene_param", "") if entry else "",
    )


def _read_corp_day(item: Answer) -> CorpDay:
    figures = item.child("statistic")
    return CorpDay(
        day=item.instant("stat_time"),
        sessions=figures.number("session_cnt", 0),
        customers=figures.number("customer_cnt", 0),
        customer_messages=figures.number("customer_msg_cnt", 0),
        upgraded_customers=figures.number("upgrade_service_customer_cnt", 0),
        rejecting_customers=figures.number("msg_rejected_customer_cnt", 0),
        bot_replies=figures.number("ai_session_reply_cnt", 0),
        bot_transfer_rate=_rate(figures, "ai_transfer_rate"),
        bot_knowledge_rate=_rate(figures, "ai_knowledge_hit_rate"),
    )


def _read_servicer_day(item: Answer) -> ServicerDay:
    figures = item.child("statistic")
    return ServicerDay(
        day=item.instant("stat_time"),
        sessions=figures.number("session_cnt", 0),
        customers=figures.number("customer_cnt", 0),
        customer_messages=figures.number("customer_msg_cnt", 0),
        reply_rate=_rate(figures, "reply_rate"),
        first_reply_seconds=_rate(figures, "first_reply_average_sec"),
        surveys=figures.number("satisfaction_investgate_cnt", 0),  # the platform's own spelling
        survey_rate=_rate(figures, "satisfaction_participation_rate"),
        satisfied_rate=_rate(figures, "satisfied_rate"),
        middling_rate=_rate(figures, "middling_rate"),
        dissatisfied_rate=_rate(figures, "dissatisfied_rate"),
        upgraded_customers=figures.number("upgrade_service_customer_cnt", 0),
        rejecting_customers=figures.number("msg_rejected_customer_cnt", 0),
    )


def _rate(figures: Answer, name: str) -> float | None:
    return figures.decimal(name) if figures.has(name) else None
