"""A small bank for the console's tests: the simulator's people, our copy of them, and something on every page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx

from bot.clock import FrozenClock
from bot.context import Reply, StaffChat, Text
from bot.ids import StaffId
from bot.inbox.models import InboxRow, InboxState, Source
from bot.outbox.models import OutboxState
from bot.outbox.store import enqueue_reply
from bot.storage.database import Database, Tx
from bot.wecom.contacts import GroupMemberKind
from compliance import (
    ArchivedMessageIn,
    ChatKind,
    ComplianceGate,
    LexiconStore,
    SenderKind,
    do_archive,
    group_conversation,
    single_conversation,
)
from console.app import create_console
from console.auth.demo import do_install_demo_accounts
from console.auth.local import do_put_account
from console.health import HealthReport, read_health
from console.rights import Role
from console.services import ConsoleServices
from customers import BranchRow, CustomerGroupRow, CustomerRow, FollowRow, GroupMemberRow, StaffRow
from handlers.models import ReplySuggestionRow
from knowledge_base import ScriptLibrary, do_install_starter, load_library
from simulator import BankSize, SimConfig
from simulator import create_app as create_simulator
from simulator.platform import Platform
from sop import GroupAudience, TodoKind, do_confirm_broadcast, do_create_todo, do_draft_broadcast, do_install_demo_plans

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)  # a Friday, ten in the morning in China
BASE = "http://console.test"
SUGGESTION = "sug_0001"


async def _nowhere(_request: httpx.Request) -> httpx.Response:
    """Stand in for our own callback address: the console's tests need no callbacks."""
    return httpx.Response(200, text="success")


@dataclass(slots=True)
class World:
    """Everything a test may want to reach into."""

    db: Database
    clock: FrozenClock
    platform: Platform
    services: ConsoleServices
    lexicons: LexiconStore
    gate: ComplianceGate

    def client(self, **headers: str) -> httpx.AsyncClient:
        """Return a browser-like client of its own; `Origin` is ours unless a test says otherwise."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_console(self.services)),
            base_url=BASE,
            headers={"Origin": BASE, **headers},
        )

    async def login(self, staff_id: str, **headers: str) -> httpx.AsyncClient:
        """Return a client logged in as one of the demo's people."""
        client = self.client(**headers)
        answer = await client.post("/login/demo", data={"staff_id": staff_id})
        assert answer.status_code == 303, answer.text
        return client

    @property
    def group_id(self) -> str:
        """The first group of rm001."""
        return self.platform.world.list_groups_owned_by("rm001")[0].chat_id

    @property
    def customer_id(self) -> str:
        """A customer in that group."""
        group = self.platform.world.list_groups_owned_by("rm001")[0]
        return next(member.userid for member in group.members if member.userid.startswith("wm"))


async def make_world(
    db: Database, *, demo: bool = True, public_url: str = BASE, clock: FrozenClock | None = None
) -> World:
    """Build the bank in an empty database, with a simulator in the same process."""
    clock = clock or FrozenClock(NOW)
    simulator = create_simulator(
        SimConfig(size=BankSize(staff=3, customers=12, groups=3)),
        callback_transport=httpx.MockTransport(_nowhere),
    )
    platform: Platform = simulator.state.platform
    lexicons = LexiconStore()
    gate = ComplianceGate(lexicons)

    async def library() -> ScriptLibrary:
        async with db.reading() as tx:
            return await load_library(tx)

    services = ConsoleServices(
        db=db,
        clock=clock,
        secret_key="a test's secret key, long enough",
        public_url=public_url,
        demo=demo,
        simulator_url="http://simulator.test",
        lexicons=lexicons,
        library=library,
        gate=gate,
        http=httpx.AsyncClient(transport=httpx.ASGITransport(simulator)),
        health=_health(db, clock),
    )
    world = World(db, clock, platform, services, lexicons, gate)
    async with db.transaction() as tx:
        await _install(tx, world)
    return world


def _health(db: Database, clock: FrozenClock) -> Callable[[], Awaitable[HealthReport]]:
    async def health() -> HealthReport:
        return await read_health(db, clock)

    return health


async def _install(tx: Tx, world: World) -> None:
    now = world.clock.now()
    await do_install_demo_accounts(tx, now)
    await world.lexicons.do_install_default(tx, now)
    await do_install_starter(tx, now)
    await _copy_people(tx, world.platform, now)
    await do_install_demo_plans(tx, now, created_by=StaffId("ad001"), owner_ids=[StaffId("rm001")])


async def _copy_people(tx: Tx, platform: Platform, now: datetime) -> None:
    bank = platform.world
    for branch in bank.departments.rows.values():
        tx.add(BranchRow(id=branch.id, name=branch.name, parent_id=branch.parentid, changed_at=now))
    for member in bank.members.rows.values():
        tx.add(StaffRow(id=member.userid, name=member.name, branch_id=member.department, serves=True, changed_at=now))
    for customer in bank.customers.rows.values():
        tx.add(CustomerRow(id=customer.external_userid, name=customer.name, changed_at=now))
    await tx.flush()
    for follow in bank.follows.rows.values():
        tx.add(
            FollowRow(staff_id=follow.userid, customer_id=follow.external_userid, mobiles=[], tags=[], changed_at=now)
        )
    for group in bank.groups.rows.values():
        tx.add(
            CustomerGroupRow(
                id=group.chat_id, name=group.name, owner_id=group.owner, member_count=len(group.members), changed_at=now
            )
        )
        await tx.flush()
        for person in group.members:
            kind = GroupMemberKind.CUSTOMER if person.userid.startswith("wm") else GroupMemberKind.STAFF
            tx.add(GroupMemberRow(group_id=group.chat_id, member_id=person.userid, kind=kind, changed_at=now))


async def say_in_archive(
    world: World, text: str, *, sender: str = "rm001", minutes_ago: int = 10, group: bool = False
) -> int:
    """Archive something said in a single chat (or the group); findings open a case as they do in service."""
    at = world.clock.now() - timedelta(minutes=minutes_ago)
    from_staff = not sender.startswith("wm")
    message = ArchivedMessageIn(
        msgid=f"m-{hash((text, minutes_ago, sender))}",
        source="archive",
        chat_kind=ChatKind.GROUP if group else ChatKind.SINGLE,
        conversation=(group_conversation(world.group_id) if group else single_conversation("rm001", world.customer_id)),
        sender_id=sender,
        sender_kind=SenderKind.STAFF if from_staff else SenderKind.CUSTOMER,
        receivers=(world.customer_id,),
        room_id=world.group_id if group else None,
        msgtype="text",
        text=text,
        sent_at=at,
    )
    async with world.db.transaction() as tx:
        stored = await do_archive(tx, message, await world.lexicons.current(tx), world.clock.now())
    assert stored is not None
    return stored


async def open_a_case(world: World) -> None:
    """Let rm001 promise a return in a chat of eleven messages, so that there is something to unfold."""
    for minute in range(60, 52, -1):
        await say_in_archive(world, f"今天第{minute}次问候您", minutes_ago=minute)
    await say_in_archive(world, "这个理财有风险吗？我电话13800002210", sender=world.customer_id, minutes_ago=20)
    await say_in_archive(world, "这款理财保本保息，您放心买", minutes_ago=19)
    await say_in_archive(world, "那我想想", sender=world.customer_id, minutes_ago=18)


async def open_another_case(world: World) -> None:
    """Let rm001 ask for a private transfer in the group."""
    await say_in_archive(world, "大家好", minutes_ago=31, group=True)
    await say_in_archive(world, "这款理财保证收益，您私下转给我就行", minutes_ago=30, group=True)


async def give_a_todo(world: World) -> str:
    """Give rm001 a to-do."""
    async with world.db.transaction() as tx:
        todo = await do_create_todo(
            tx,
            StaffId("rm001"),
            TodoKind.FOLLOW_UP,
            "回访王芳",
            "客户上周问过大额存单，电话 13800002210",
            "customer:wm1",
            world.clock.now(),
        )
    return todo.id


async def plan_a_broadcast(world: World) -> str:
    """Let rm001 draft and confirm a broadcast to her groups for tomorrow."""
    now = world.clock.now()
    async with world.db.transaction() as tx:
        draft = await do_draft_broadcast(
            tx,
            StaffId("rm001"),
            None,
            "温馨提示：银行不会通过电话或短信索要您的密码和验证码，请保护好个人信息。",
            GroupAudience((StaffId("rm001"),)),
            now + timedelta(hours=5),
            now,
            gate=world.gate,
        )
        assert draft.allowed, draft.problems
        await do_confirm_broadcast(tx, draft.id, StaffId("rm001"), now)
    return draft.id


async def offer_a_reply(world: World, staff_id: str = "rm001") -> str:
    """Offer rm001 an approved reply to a question from the group."""
    async with world.db.transaction() as tx:
        tx.add(
            ReplySuggestionRow(
                id=SUGGESTION,
                cause_key="archive:1:S-0001",
                staff_id=staff_id,
                chat_id=world.group_id,
                customer_id=world.customer_id,
                question="请问大额存单多少钱起存？",
                script_id="S-0001",
                script_version=1,
                text="您好，个人大额存单20万元起存，具体利率以网点公示为准。",
                created_at=world.clock.now(),
            )
        )
    return SUGGESTION


async def handle_message(world: World, dedupe_key: str, *, blocked: bool = False) -> None:
    """Leave the rows that handling a member's question leaves: an event with its trace, and a reply that was sent."""
    now = world.clock.now()
    async with world.db.transaction() as tx:
        row = InboxRow(
            source=Source.APP,
            dedupe_key=dedupe_key,
            conversation="app:rm001",
            event_type="text",
            body="<xml/>",
            state=InboxState.DONE,
            attempts=1,
            received_at=now,
            done_at=now,
            trace=[
                {"step": "event", "type": "StaffTextMessage", "source": "app"},
                {"step": "intent", "name": "ask_script", "confidence": 0.93, "why": ["like: 怎么说"]},
                {"step": "script", "outcome": "answer", "confidence": 0.91, "id": "S-0001", "version": 1, "score": 0.9},
            ],
        )
        tx.add(row)
        await tx.flush()
        words = "这款理财保本保息" if blocked else "您好，个人大额存单20万元起存。"
        reply = Reply(StaffChat(StaffId("rm001")), Text(words), "script_answer", {"script": "S-0001", "version": 1})
        sent = await enqueue_reply(tx, reply, world.gate, now, cause=row.id)
        if not blocked:
            sent.state = OutboxState.SENT
            sent.sent_at = now + timedelta(milliseconds=180)
            sent.platform_msgid = "msg-1"


async def add_officer(world: World, staff_id: str) -> None:
    """Add one more officer, with the password "another-password"."""
    async with world.db.transaction() as tx:
        await do_put_account(
            tx,
            staff_id=staff_id,
            name="吴刚",
            role=Role.OFFICER,
            position="总行合规部",
            password="another-password",
            now=world.clock.now(),
        )


async def send_card(world: World) -> None:
    """Send rm001 a card with a button through the platform's own API, as our sender would."""
    config, http = world.platform.config, world.services.http
    base = "http://simulator.test/cgi-bin"
    secret = {"corpid": config.corp_id, "corpsecret": config.app_secret}
    token = (await http.get(f"{base}/gettoken", params=secret)).json()["access_token"]
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": "选一条话术", "desc": "哪一条合适？"},
        "task_id": "task-1",
        "button_list": [{"text": "大额存单起存", "style": 1, "key": "script:S-0012"}],
    }
    body = {"touser": "rm001", "agentid": config.agent_id, "msgtype": "template_card", "template_card": card}
    answer = (await http.post(f"{base}/message/send", params={"access_token": token}, json=body)).json()
    assert answer["errcode"] == 0, answer
