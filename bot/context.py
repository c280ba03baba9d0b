"""What handlers get and give: the context they work in, and replies as plain values.

A reply says what should be said to whom. Nothing here sends anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias, assert_never

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.ids import CustomerId, GroupChatId, StaffId
from bot.json import JSON


@dataclass(frozen=True, slots=True)
class StaffChat:
    """A member's chat with our self-built app."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True)
class CardUpdate:
    """A card that a member has pressed: words close its buttons and stand on the pressed one, a card takes its place.

    The code came with the press; it works once, for 72 hours (04-sending.md, 4.2).
    """

    response_code: str
    staff_id: StaffId
    task_id: str


@dataclass(frozen=True, slots=True)
class KfChat:
    """A customer's chat with a 微信客服 account."""

    open_kfid: str
    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class KfWelcome:
    """The greeting for one who just entered a 微信客服 chat; the code lives 20 s and works once (07-kf.md)."""

    code: str
    open_kfid: str
    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class KfHandOver:
    """The order to give a 微信客服 session to a person; the content is said to the customer when that has worked.

    `servicer` is tried first, then the waiting pool of the account (07-kf.md, 7.4).
    """

    open_kfid: str
    customer_id: CustomerId
    servicer: StaffId | None = None


@dataclass(frozen=True, slots=True)
class Welcome:
    """The first message to a customer a member has just added; the code lives 20 s and works once (05, 5.4)."""

    code: str
    staff_id: StaffId
    customer_id: CustomerId


@dataclass(frozen=True, slots=True)
class BotChat:
    """A chat with the AI bot: answered in the stream of the message `msg_id`, else through its own `response_url`
    (once, within an hour), or over the long connection.
    """

    chat_id: GroupChatId | None
    speaker: str
    response_url: str
    msg_id: str = ""


@dataclass(frozen=True, slots=True)
class GroupSend:
    """A broadcast task (企业群发) for one member, to groups that member owns. The member must confirm it."""

    sender: StaffId
    chat_ids: tuple[GroupChatId, ...]


Address: TypeAlias = StaffChat | CardUpdate | KfChat | KfWelcome | KfHandOver | Welcome | BotChat | GroupSend


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words."""

    body: str

    def plain_text(self) -> str:
        """Return the words a person will see."""
        return self.body


@dataclass(frozen=True, slots=True)
class Markdown:
    """Words with WeCom's subset of Markdown."""

    body: str

    def plain_text(self) -> str:
        """Return the words a person will see, marks included."""
        return self.body


@dataclass(frozen=True, slots=True)
class Button:
    """A button of a card; `key` comes back when it is pressed. Style 1 to 4 as in 04-sending.md."""

    text: str
    key: str
    style: int = 1


@dataclass(frozen=True, slots=True)
class Card:
    """A template card: with buttons an interaction, without them a notice that opens `url`.

    A card with buttons needs a `task_id`, unique inside the app (04-sending.md, 4.3).
    """

    title: str
    description: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()
    url: str | None = None
    url_text: str | None = None
    task_id: str | None = None

    def plain_text(self) -> str:
        """Return all words a person will see on it, a line each."""
        lines = [self.title, self.description]
        lines += [f"{name}：{value}" for name, value in self.facts]
        lines += [button.text for button in self.buttons]
        lines.append(self.url_text or "")
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One choice of a menu; `id` comes back when it is tapped (`KfText.menu_id`)."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Menu:
    """Words with choices below them. Where nothing can be tapped they are numbered, and the number can be typed."""

    head: str
    items: tuple[MenuItem, ...]
    tail: str = ""

    def plain_text(self) -> str:
        """Return the words with the choices as numbered lines."""
        lines = [f"{number}. {item.text}" for number, item in enumerate(self.items, start=1)]
        return "\n".join(line for line in (self.head, *lines, self.tail) if line)


Content: TypeAlias = Text | Markdown | Card | Menu


@dataclass(frozen=True, slots=True)
class Reply:
    """Something that should be said.

    `purpose` names why in one word of our own (`script_answer`, `help` …). `evidence` proves where the words come
    from, for the gate and the archive: the script's id and version, the plan's step. At `expires_at` it is too late
    to say it (a welcome's code is dead): it is given up instead.
    """

    to: Address
    content: Content
    purpose: str
    evidence: Mapping[str, JSON] = field(default_factory=dict)
    expires_at: datetime | None = None


@dataclass(slots=True)
class Trace:
    """The steps taken for one event, in order, for the page that shows what happened. Holds no secrets."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    def note(self, step: str, **facts: JSON) -> None:
        """Add a step."""
        self.steps.append({"step": step, **facts})


@dataclass(slots=True)
class Context:
    """What a handler may touch. `tx` is the open transaction in which the event will be marked done.

    `cause` is the inbox row's id: what is queued for it carries the same number.
    """

    now: datetime
    tx: AsyncSession
    cause: int
    trace: Trace


def recipient_of(address: Address) -> tuple[str, str]:
    """Return (kind, key) of an address: what is sent to one key leaves in order."""
    match address:
        case StaffChat(staff_id):
            return "app", staff_id
        case CardUpdate(_, staff_id, task_id):
            return "card", f"{staff_id}:{task_id}"
        case KfChat(open_kfid, customer_id) | KfHandOver(open_kfid, customer_id):
            return "kf", f"{open_kfid}:{customer_id}"
        case KfWelcome(_, open_kfid, customer_id):
            return "welcome", f"kf:{open_kfid}:{customer_id}"
        case Welcome(_, staff_id, customer_id):
            return "welcome", f"{staff_id}:{customer_id}"
        case BotChat(chat_id, speaker):
            return "aibot", chat_id or speaker
        case GroupSend(sender, _):
            return "groupsend", sender
        case _:
            assert_never(address)
