"""The rows of 微信客服 besides its messages: accounts, servicers, upgrades, knowledge (07, 7.1 and 7.5)."""

from dataclasses import dataclass, field

from simulator.state import Json


@dataclass(slots=True)
class KfAccount:
    """A kf account; a removed one is kept, so that its id is never given out again."""

    open_kfid: str
    name: str
    media_id: str = ""
    removed: bool = False


@dataclass(slots=True)
class KfServicer:
    """A member who receives for an account: status 0 receiving, 1 stopped; `places` None is any number of sessions."""

    open_kfid: str
    userid: str
    status: int = 0
    places: int | None = None


@dataclass(slots=True)
class KfServicerDepartment:
    """A department all members of which receive for an account."""

    open_kfid: str
    department_id: int


@dataclass(slots=True)
class KfUpgrade:
    """A customer to whom a personal manager (type 1) or a group (type 2) was recommended."""

    open_kfid: str
    external_userid: str
    type: int
    target: str
    wording: str
    at: float


@dataclass(slots=True)
class KfKnowledgeGroup:
    """A group of questions."""

    group_id: str
    name: str
    is_default: bool = False


@dataclass(slots=True)
class KfIntent:
    """A question with its variants and its answer, as they were sent."""

    intent_id: str
    group_id: str
    question: Json
    similar: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)
