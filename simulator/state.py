"""The rows of the simulated corp: plain records, changed in place and put back on their shelf."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


class ChatKind(StrEnum):
    """The kinds of conversation a person can look at; `aibot` is a member alone with the AI bot."""

    APP = "app"
    KF = "kf"
    GROUP = "group"
    SINGLE = "single"
    AIBOT = "aibot"


class SenderKind(StrEnum):
    """Who wrote a message."""

    STAFF = "staff"
    CUSTOMER = "customer"
    BOT = "bot"


@dataclass(slots=True)
class Department:
    """A department; the root has id 1 and parent 0."""

    id: int
    name: str
    parentid: int
    order: int


@dataclass(slots=True)
class Member:
    """A member of staff; `serves` is the customer-contact right (客户联系)."""

    userid: str
    name: str
    department: int
    position: str
    serves: bool
    archived: bool = True
    licensed: bool = True
    visible: bool = True


@dataclass(slots=True)
class Customer:
    """An external contact; `agreed` is the consent to the session archive."""

    external_userid: str
    name: str
    gender: int
    agreed: bool
    agreed_at: int


@dataclass(slots=True)
class Follow:
    """The relation of one member to one customer; `ended_by` is None while both are friends."""

    userid: str
    external_userid: str
    createtime: int
    remark: str = ""
    description: str = ""
    remark_company: str = ""
    remark_mobiles: list[str] = field(default_factory=list)
    tag_ids: list[str] = field(default_factory=list)
    add_way: int = 1
    state: str = ""
    ended_by: str | None = None
    last_chat_at: float = 0.0
    ended_at: int = 0
    half: bool = False
    oper_userid: str = ""


@dataclass(slots=True)
class TagGroup:
    """A corp tag group with its tags in order."""

    group_id: str
    group_name: str
    order: int
    create_time: int
    tags: "list[Tag]"
    by_app: bool = False


@dataclass(slots=True)
class Tag:
    """One corp tag."""

    id: str
    name: str
    order: int
    create_time: int = 0
    by_app: bool = False


@dataclass(slots=True)
class GroupMember:
    """A person in a customer group; type 1 is a member of staff, 2 an external contact."""

    userid: str
    type: int
    join_time: int
    join_scene: int
    name: str
    state: str = ""
    invitor: str = ""


@dataclass(slots=True)
class Group:
    """A customer group; `aibot` says whether it admits the AI bot.

    `status` is groupchat/list's: 0 normal, 1 owner resigned, 2 transfer running, 3 transfer done.
    """

    chat_id: str
    name: str
    owner: str
    create_time: int
    notice: str
    members: list[GroupMember]
    member_version: str
    aibot: bool = False
    status: int = 0


@dataclass(slots=True)
class ChatMessage:
    """One line of a conversation as a phone would show it; `rev` grows when the line changes later."""

    seq: int
    rev: int
    id: str
    kind: ChatKind
    key: str
    sender: str
    sender_kind: SenderKind
    form: str
    text: str
    card: Json | None
    at: float
    note: str = ""


@dataclass(slots=True)
class ArchiveRecord:
    """One record of the session archive in clear; it is encrypted when it is pulled.

    `publickey_ver` 0 stands for the key of the config. `broken` names what is wrong with it, see archive_desk.
    """

    seq: int
    msgid: str
    body: Json
    publickey_ver: int = 0
    broken: str = ""


@dataclass(slots=True)
class AppMessage:
    """A message the app sent; kept for recall, duplicate check and card updates."""

    msgid: str
    fingerprint: str
    body: Json
    recipients: list[str]
    at: float
    response_code: str = ""
    recalled: bool = False


@dataclass(slots=True)
class CardCode:
    """A response_code: one use within 72 h, for all recipients or for the one who clicked."""

    code: str
    msgid: str
    userid: str | None
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class WelcomeCode:
    """A welcome code of a new relation: 20 s, one use."""

    code: str
    userid: str
    external_userid: str
    issued_at: float
    used: bool = False


@dataclass(slots=True)
class BroadcastTarget:
    """One recipient of a broadcast; status 0 unsent, 1 sent, 2 not a friend, 3 quota used."""

    external_userid: str
    chat_id: str
    status: int = 0
    send_time: int = 0


@dataclass(slots=True)
class BroadcastTask:
    """What one member must confirm; status 0 unsent, 2 sent."""

    userid: str
    targets: list[BroadcastTarget]
    status: int = 0
    send_time: int = 0


@dataclass(slots=True)
class Broadcast:
    """A corp broadcast (企业群发) made by add_msg_template; `create_type` 1 is a member's own."""

    msgid: str
    chat_type: str
    creator: str
    text: str
    attachments: list[Json]
    created_at: float
    tasks: list[BroadcastTask]
    cancelled: bool = False
    reminded_at: list[float] = field(default_factory=list)
    allow_select: bool = False
    create_type: int = 0


@dataclass(slots=True)
class QuotaUse:
    """How many broadcasts a customer or group received on one day in China (YYYY-MM-DD)."""

    target: str
    day: str
    count: int


@dataclass(slots=True)
class KfItem:
    """One entry of sync_msg; an object, but for what a test puts there to see it survived."""

    seq: int
    open_kfid: str
    at: float
    item: Any


@dataclass(slots=True)
class KfSession:
    """A customer's session with a kf account; `sent` counts our messages since the customer's last one.

    With a `fail_type` messages are accepted and then reported as msg_send_fail of that type.
    """

    open_kfid: str
    external_userid: str
    state: int = 4
    servicer: str = ""
    last_customer_at: float = 0.0
    sent: int = 0
    welcomed_at: float = 0.0
    context: Json | None = None
    entered_at: float = 0.0
    rejects: bool = False
    fail_type: int | None = None


@dataclass(slots=True)
class KfCode:
    """A code for send_msg_on_event: its life and the message types it allows."""

    code: str
    open_kfid: str
    external_userid: str
    expires_at: float
    msgtypes: list[str]
    used: bool = False


@dataclass(slots=True)
class KfToken:
    """The token of a kf callback: 10 minutes of quick pulls."""

    token: str
    open_kfid: str
    expires_at: float


@dataclass(slots=True)
class KfMsgId:
    """A msgid used with a kf account, so that its repeat is refused."""

    open_kfid: str
    msgid: str


@dataclass(slots=True)
class BotAnswer:
    """The right to answer one AI-bot callback through its response_url: once, within 1 h.

    `chat_id` is the key of the conversation of that kind: a group, or the member alone with the bot.
    """

    code: str
    chat_id: str
    userid: str
    quoted: str
    expires_at: float
    used: bool = False
    kind: ChatKind = ChatKind.GROUP


@dataclass(slots=True)
class Media:
    """An uploaded file, base64; valid for three days.

    `use` says what alone it may serve: "moment", "album", "jssdk", "robot:KEY", or "" for everything else.
    """

    media_id: str
    type: str
    filename: str
    content_type: str
    created_at: int
    content: str
    md5sum: str
    size_bytes: int
    sdkfileid: str
    use: str = ""


@dataclass(slots=True)
class SentRequest:
    """An accepted sending request as it came; `dropped` names recipients it silently did not reach."""

    seq: int
    kind: str
    to: list[str]
    body: Json
    msgid: str
    at: float
    dropped: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AccessToken:
    """A token of one secret; `app` is "app", "kf" or "archive"; a revoked one died before its time."""

    token: str
    app: str
    expires_at: float
    revoked: bool = False


@dataclass(slots=True)
class Attempt:
    """One post of a callback: when, the status that came back, or why none did."""

    at: float
    status: int | None
    error: str | None


@dataclass(slots=True)
class DeliveryRow:
    """A callback as the journal keeps it; token and key of its target are not in it."""

    id: str
    kind: str
    plaintext: str
    as_json: bool
    agent_id: int | None
    subject: dict[str, str]
    attempts: list[Attempt]
    state: str
    note: str = ""
    queued_at: float = 0.0


@dataclass(slots=True)
class ClockMark:
    """From where a moved clock goes on after a restart."""

    name: str
    real: float
    simulated: float
    speed: float


@dataclass(slots=True)
class Counter:
    """A number that only grows, also over restarts."""

    name: str
    value: int
