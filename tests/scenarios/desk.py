"""A small bank at its desk: say something as somebody, and see what they would get.

Everything is real (database, dispatcher, routers, library, lexicon, gate); only the platform is left out, so that
replies are read from the outbox.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from bot.clock import CHINA, FrozenClock
from bot.context import Card, CardUpdate, Content, Reply, Text, Trace
from bot.dispatcher import Dispatcher
from bot.events import (
    BotMention,
    CardButtonClicked,
    CustomerAdded,
    CustomerChatText,
    Event,
    KfSessionEntered,
    KfText,
    StaffImageMessage,
    StaffTextMessage,
)
from bot.ids import CustomerId, GroupChatId, StaffId
from bot.outbox.models import OutboxState
from bot.outbox.store import enqueue_reply
from bot.storage.database import Database, Tx
from bot.wecom.contacts import GroupMemberKind
from compliance import ComplianceGate, LexiconStore
from customers import BranchRow, CustomerGroupRow, CustomerRow, FollowRow, GroupMemberRow, RiskLevel, StaffRow
from handlers import DeskContext, DeskServices, HandlersSettings, apology_for, open_context, routers
from knowledge_base import do_install_starter, list_products, load_library, shelf_of

LI_NA = StaffId("rm001")
WANG_FANG = CustomerId("wmDEMO0001")
HER_GROUP = GroupChatId("wrDEMO0001")
KF = "wkDEMO0001"
MORNING = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)  # a Monday


@dataclass
class Desk:
    """The desk at one moment."""

    db: Database
    clock: FrozenClock
    services: DeskServices
    dispatcher: Dispatcher[DeskContext]
    blocked: list[str] = field(default_factory=list)
    trace: Trace = field(default_factory=Trace)
    pressed_task: str = "task"
    changed_cards: list[Content] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    async def say(self, text: str, staff_id: StaffId = LI_NA) -> Sequence[Reply]:
        """Write to the app as a member."""
        return await self.happen(
            StaffTextMessage(
                fields={}, occurred_at=self.clock.now(), staff_id=staff_id, msg_id=self._msg_id(), text=text
            )
        )

    async def press(self, key: str, staff_id: StaffId = LI_NA) -> Sequence[Reply]:
        """Press a card's button as a member; what becomes of the card itself is in `changed_cards`."""
        task_id = self.pressed_task
        event = CardButtonClicked(
            fields={}, occurred_at=None, staff_id=staff_id, key=key, task_id=task_id, response_code="code"
        )
        leaving = await self.happen(event)
        changes = [reply for reply in leaving if isinstance(reply.to, CardUpdate)]
        self.changed_cards += [reply.content for reply in changes]
        return [reply for reply in leaving if reply not in changes]

    async def ask_kf(self, text: str, customer: CustomerId = WANG_FANG) -> Sequence[Reply]:
        """Write to 微信客服 as a customer."""
        return await self.happen(
            KfText(
                fields={},
                occurred_at=None,
                open_kfid=KF,
                customer_id=customer,
                text=text,
                msg_id=self._msg_id(),
                menu_id=None,
            )
        )

    async def enter_kf(self, welcome_code: str | None) -> Sequence[Reply]:
        """Open the 微信客服 chat as a customer."""
        return await self.happen(
            KfSessionEntered(
                fields={}, occurred_at=None, open_kfid=KF, customer_id=WANG_FANG, welcome_code=welcome_code
            )
        )

    async def write_in_group(self, text: str, msg_id: str | None = None) -> Sequence[Reply]:
        """Write in the customer group as a customer; it comes in through the archive."""
        return await self.happen(
            CustomerChatText(
                fields={},
                occurred_at=None,
                chat_id=HER_GROUP,
                customer_id=WANG_FANG,
                staff_id=None,
                text=text,
                msg_id=msg_id or self._msg_id(),
            )
        )

    async def write_to_manager(self, text: str) -> Sequence[Reply]:
        """Write to the manager in a single chat; it comes in through the archive."""
        return await self.happen(
            CustomerChatText(
                fields={},
                occurred_at=None,
                chat_id=None,
                customer_id=WANG_FANG,
                staff_id=LI_NA,
                text=text,
                msg_id=self._msg_id(),
            )
        )

    async def mention_bot(self, text: str, chat_id: GroupChatId | None = HER_GROUP) -> Sequence[Reply]:
        """Mention the AI bot as a customer."""
        return await self.happen(
            BotMention(
                fields={},
                occurred_at=None,
                speaker=WANG_FANG,
                chat_id=chat_id,
                text=text,
                response_url="https://example.test/response",
                msg_id=self._msg_id(),
            )
        )

    async def add_customer(self, welcome_code: str | None) -> Sequence[Reply]:
        """Become a contact of the manager."""
        return await self.happen(
            CustomerAdded(
                fields={},
                occurred_at=None,
                staff_id=LI_NA,
                customer_id=WANG_FANG,
                state="",
                welcome_code=welcome_code,
            )
        )

    async def send_picture(self) -> Sequence[Reply]:
        """Send the app a picture as a member."""
        return await self.happen(
            StaffImageMessage(fields={}, occurred_at=None, staff_id=LI_NA, msg_id="m", media_id="x")
        )

    async def happen(self, event: Event) -> Sequence[Reply]:
        """Handle one event as the worker does; returns what would leave, apologies for blocked replies included."""
        now = self.clock.now()
        leaving: list[Reply] = []
        async with self.db.transaction() as tx:
            ctx = await open_context(self.services, tx, 1, event, now)
            self.trace = ctx.trace
            for reply in await self.dispatcher.dispatch(event, ctx):
                leaving += await self._enqueue(tx, reply, event, now)
        return leaving

    async def _enqueue(self, tx: Tx, reply: Reply, event: Event, now: datetime) -> list[Reply]:
        row = await enqueue_reply(tx, reply, self.services.gate, now)
        if row.state is not OutboxState.BLOCKED:
            return [reply]
        self.blocked.append(row.error or "")
        apologies = list(apology_for(event, row, self.services.settings))
        for apology in apologies:
            sent = await enqueue_reply(tx, apology, self.services.gate, now)
            assert sent.state is not OutboxState.BLOCKED, sent.error
        return apologies

    def step(self, name: str) -> dict[str, object]:
        """Return the last trace step of that name."""
        return next(step for step in reversed(self.trace.steps) if step["step"] == name)

    def _msg_id(self) -> str:
        return f"msg{next(self.numbers):04d}"


def words(replies: Sequence[Reply]) -> str:
    """Return all words of the replies."""
    return "\n".join(reply.content.plain_text() for reply in replies)


def only_text(replies: Sequence[Reply]) -> str:
    """Return the words of the one text reply."""
    assert len(replies) == 1, replies
    content = replies[0].content
    assert isinstance(content, Text), content
    return content.body


def only_card(replies: Sequence[Reply]) -> Card:
    """Return the one card."""
    assert len(replies) == 1, replies
    content = replies[0].content
    assert isinstance(content, Card), words(replies)
    return content


def key_of(card: Card, label: str) -> str:
    """Return the key of the button with that label."""
    return next(button.key for button in card.buttons if label in button.text)


async def open_desk(db: Database, settings: HandlersSettings | None = None) -> Desk:
    """Open the desk of a small bank with the starter library and the default lexicon, on a Monday at nine."""
    clock, lexicons = FrozenClock(MORNING), LexiconStore()
    async with db.transaction() as tx:
        await lexicons.do_install_default(tx, clock.now())
        await do_install_starter(tx, clock.now())
        await _settle_people(tx, clock.now())
    async with db.reading() as tx:
        services = DeskServices(
            library=await load_library(tx),
            lexicon=await lexicons.current(tx),
            gate=ComplianceGate(lexicons),
            settings=settings or HandlersSettings(knowledge_owner="ad001", duty_staff="rm002"),
            shelf=shelf_of(await list_products(tx)),
        )
    return Desk(db, clock, services, Dispatcher(routers))


async def _settle_people(tx: Tx, now: datetime) -> None:
    tx.add(BranchRow(id=3, name="城东支行", parent_id=1, changed_at=now))
    people = {"rm001": "李娜", "rm002": "赵强", "ad001": "陈工"}
    tx.add_all(StaffRow(id=key, name=name, branch_id=3, serves=True, changed_at=now) for key, name in people.items())
    tx.add_all(
        [
            CustomerRow(id=WANG_FANG, name="王芳", gender=2, risk_level=RiskLevel.C3, changed_at=now),
            CustomerRow(id="wmDEMO0002", name="刘洋", changed_at=now),
            CustomerRow(id="wmDEMO0003", name="刘洋", changed_at=now),
            CustomerRow(id="wmDEMO0004", name="周婷", changed_at=now),
        ]
    )
    await tx.flush()
    owners = {WANG_FANG: "rm001", "wmDEMO0002": "rm001", "wmDEMO0003": "rm001", "wmDEMO0004": "rm002"}
    tx.add_all(
        FollowRow(
            staff_id=owner,
            customer_id=customer,
            remark="企业主" if customer == "wmDEMO0003" else "",
            mobiles=[],
            tags=[],
            added_at=now - timedelta(days=30),
            changed_at=now,
        )
        for customer, owner in owners.items()
    )
    tx.add_all(
        [
            CustomerGroupRow(id=HER_GROUP, name="城东理财交流1群", owner_id="rm001", changed_at=now),
            CustomerGroupRow(id="wrDEMO0002", name="城东新客福利群", owner_id="rm001", changed_at=now),
        ]
    )
    await tx.flush()
    tx.add(
        GroupMemberRow(
            group_id=HER_GROUP, member_id=WANG_FANG, kind=GroupMemberKind.CUSTOMER, name="王芳", changed_at=now
        )
    )
