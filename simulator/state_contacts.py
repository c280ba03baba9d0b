"""Rows of customer contact beyond customers and groups: codes, templates, moments, transfers, rules, albums, links."""

from dataclasses import dataclass, field

from simulator.state import Json


@dataclass(slots=True)
class ContactWay:
    """A 渠道活码 made by the app; `body` holds the request's fields as given."""

    config_id: str
    body: Json
    created_at: int
    qr_code: str


@dataclass(slots=True)
class JoinWay:
    """A code that lets customers join one of its groups."""

    config_id: str
    body: Json
    created_at: int
    qr_code: str


@dataclass(slots=True)
class WelcomeTemplate:
    """A 入群欢迎语 of the corp; the owner picks it in the client."""

    template_id: str
    body: Json
    created_at: int


@dataclass(slots=True)
class MomentReaction:
    """A like or a comment of a member or a customer."""

    person: str
    like: bool
    create_time: int


@dataclass(slots=True)
class MomentTask:
    """One member's part of a moment; `customers` saw it once it was published."""

    userid: str
    customers: list[str]
    published_at: int = 0
    reactions: list[MomentReaction] = field(default_factory=list)


@dataclass(slots=True)
class Moment:
    """A corp moment (企业发表) with what each member must publish by hand; `create_type` 1 is a member's own."""

    moment_id: str
    jobid: str
    creator: str
    create_type: int
    text: str
    attachments: list[Json]
    visible_type: int
    created_at: float
    tasks: list[MomentTask]
    invalid_senders: Json = field(default_factory=dict)
    invalid_tags: list[str] = field(default_factory=list)
    cancelled: bool = False


@dataclass(slots=True)
class Departed:
    """A member who left the corp; the directory does not know the id any more."""

    userid: str
    left_at: int


@dataclass(slots=True)
class Transfer:
    """One customer on the way from one member to another; status 1 done, 2 waiting, 3 refused, 4 receiver full."""

    number: int
    handover: str
    takeover: str
    external_userid: str
    resigned: bool
    started_at: float
    message: str = ""
    status: int = 2
    takeover_time: int = 0


@dataclass(slots=True)
class GroupTransfer:
    """A customer group that changed its owner through the API."""

    number: int
    chat_id: str
    old_owner: str
    new_owner: str
    at: float


@dataclass(slots=True)
class InterceptRule:
    """A 敏感词 rule on what members send to customers; type 1 blocks and warns, 2 only warns."""

    rule_id: str
    rule_name: str
    words: list[str]
    semantics: list[int]
    intercept_type: int
    users: list[str]
    departments: list[int]
    created_at: int


@dataclass(slots=True)
class Product:
    """One entry of the product album; `price` is in fen."""

    product_id: str
    description: str
    price: int
    product_sn: str
    attachments: list[Json]
    created_at: int


@dataclass(slots=True)
class AcquisitionLink:
    """A 获客助手 link."""

    link_id: str
    link_name: str
    url: str
    skip_verify: bool
    mark_source: bool
    users: list[str]
    departments: list[int]
    priority: Json | None
    created_at: int
    clicks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class AcquiredCustomer:
    """A customer who came through a link; `messages` counts what the customer wrote."""

    link_id: str
    userid: str
    external_userid: str
    state: str
    added_at: int
    messages: int = 0


@dataclass(slots=True)
class ChatKey:
    """The key of one `message_from_customer` event: 30 minutes."""

    key: str
    link_id: str
    userid: str
    external_userid: str
    state: str
    messages: int
    expires_at: float


@dataclass(slots=True)
class TemporaryId:
    """A temporary id of contact_list: 4 h."""

    tmp_id: str
    external_userid: str
    expires_at: float
