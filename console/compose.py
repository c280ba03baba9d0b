"""The parts list: chooses implementations and joins them. The only place that knows all of them."""

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import httpx
import structlog
from pydantic import SecretStr

from bot.administrators import tell_administrators
from bot.alerts.watch import AlertWatch
from bot.clock import Clock, SystemClock
from bot.dispatcher import Dispatcher
from bot.doors.kf import KfPuller, release_leases
from bot.doors.readers import AiBotReader, AppReader, archived_text_row, read_event
from bot.errors import SettingsError
from bot.events import (
    Event,
)
from bot.finance.source import AnyArchiveSource, open_archive_source
from bot.inbox import store as inbox_store
from bot.inbox.appenders import make_appender
from bot.inbox.models import InboxRow, NewInboxRow
from bot.inbox.store import INBOX, list_waiting_conversations
from bot.inbox.worker import Errand, InboxWorker
from bot.inbox.writer import GroupCommitWriter
from bot.kf.ledger import KfLedger
from bot.lanes import EXPRESS, PULLS, REST, Lane
from bot.outbox import store as outbox_store
from bot.outbox.models import OutboxRow
from bot.outbox.sender import Sender
from bot.outbox.store import OUTBOX, list_waiting_recipients
from bot.storage.database import Database, Tx
from bot.webhook import CallbackEdge, CallbackUrl
from bot.wecom.client import WeComClient
from bot.wecom.credentials import DatabaseShelf, Keeper
from bot.wecom.crypto import CallbackCrypto
from bot.wecom.http import make_http
from bot.wecom.pace import Demand
from bot.wecom.pacer import Pacer
from bot.wecom.send import Courier
from bot.wecom.tickets import TicketStore
from bot.wecom.tokens import TokenStore
from bot.work import ClaimLoop, Workforce, WorkKind
from compliance import (
    ArchivedMessageIn,
    ArchivePuller,
    ChatKind,
    ComplianceGate,
    LexiconStore,
    SenderKind,
    load_keys,
)
from console.aibot import AiBotParts, make_aibot, make_aibot_node
from console.app import create_console
from console.departures import settle_departures
from console.errands import Errands
from console.health import HealthReport, read_health
from console.services import ConsoleServices
from console.settings import Settings
from console.timers import Timers
from customers import SyncBusy, do_release_sync, is_sync_due, sync_everything
from handlers import DeskContext, DeskServices, apology_for, open_context, routers
from handlers.archiving import archive_inbound
from handlers.handover import do_follow_up
from handlers.kf_budget import fit_to_budget
from handlers.platform_notices import note_signs_of_life
from knowledge_base import LibraryStore, ProductStatus, ScriptLibrary, find_product, list_products, shelf_of
from sop import refresh_results, tick

log = structlog.get_logger("console.compose")

APP_PATH = "/wecom/app"
AIBOT_PATH = "/wecom/aibot"
# A welcome takes some milliseconds of ours and one call; two at a time keep up with any branch's busiest hour.
_EXPRESS_WORKERS = 2
# Pulls talk to the platform for as long as there are pages, one for each account.
_PULL_WORKERS = 2
_QUARANTINE_SECONDS = 15
_ARCHIVE_PAGE = Demand("SDK GetChatData", "archive")


class _Shelf:
    """Answers the gate's question from the knowledge base's shelf."""

    async def is_on_sale(self, tx: Tx, product_code: str) -> bool:
        product = await find_product(tx, product_code)
        return product is not None and product.status is ProductStatus.ON_SALE


@dataclass
class Platform:
    """Everything that talks to WeCom."""

    http: httpx.AsyncClient
    client: WeComClient
    tokens: TokenStore
    pacer: Pacer
    tickets: TicketStore
    kf: KfPuller
    archive: ArchivePuller | None
    archive_source: AnyArchiveSource | None


class Service:
    """The running product: `app` answers requests; `start` and `stop` frame the background work."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.lexicons = LexiconStore()
        self.libraries = LibraryStore()
        self.gate = ComplianceGate(self.lexicons, _Shelf(), settings.compliance, settings.handlers.language)
        self.owner = _node_name(database)
        self.kf = KfLedger(self._follow_up)
        self.platform = _make_platform(settings, database, clock, self.lexicons, self.owner, self.kf)
        self.writer = GroupCommitWriter(database, make_appender(database))
        self.worker = self._make_worker()
        bot = settings.wecom.aibot
        self.aibot = make_aibot(bot, settings.handlers, database, clock, self.gate, self.platform.http)
        self.sender = Sender(
            database,
            clock,
            settings.outbox,
            Courier(self.platform.client, self.platform.http, settings.wecom.app.agent_id, self.aibot.way),
            self.gate,
            self.owner,
            self.kf,
        )
        self.aibot_node = make_aibot_node(bot, self.aibot, database, clock, self.owner, self.sender.drain)
        self.workforce = self._make_workforce()
        self.timers = Timers()
        self.app = self._make_edge()

    async def _follow_up(self, tx: Tx, row: OutboxRow, code: str, now: datetime) -> None:
        await do_follow_up(tx, row, code, now, self.settings.handlers, self.gate)

    def _make_worker(self) -> InboxWorker[DeskContext]:
        return InboxWorker(
            self.database,
            self.clock,
            self.settings.inbox,
            read_event,
            Dispatcher(routers, (note_signs_of_life, archive_inbound, fit_to_budget)),
            self._open_context,
            self.gate,
            lambda event, blocked: apology_for(event, blocked, self.settings.handlers),
            self._errands(),
            self.owner,
        )

    async def _open_context(self, tx: Tx, row: InboxRow, event: Event, now: datetime) -> DeskContext:
        services = DeskServices(
            library=await self.libraries.current(tx),
            lexicon=await self.lexicons.current(tx),
            gate=self.gate,
            settings=self.settings.handlers,
            shelf=shelf_of(await list_products(tx)),
            sop=self.settings.sop,
        )
        return await open_context(services, tx, row.id or 0, event, now)

    def _errands(self) -> Mapping[type[Event], Errand]:
        platform = self.platform
        return Errands(
            self.database,
            platform.client,
            self.clock,
            self.settings.customers,
            platform.kf.pull,
            self.pull_archive,
        ).by_event()

    def _inbox_kind(self, name: str, lane: Lane, workers: int) -> WorkKind:
        waiting = partial(list_waiting_conversations, lane=lane)
        return WorkKind(name, self.worker.drain, waiting, workers, queue=INBOX, lane=lane)

    def _outbox_kind(self, name: str, lane: Lane, workers: int) -> WorkKind:
        waiting = partial(list_waiting_recipients, lane=lane)
        return WorkKind(name, self.sender.drain, waiting, workers, queue=OUTBOX, lane=lane)

    def _make_workforce(self) -> Workforce:
        kinds = (
            self._inbox_kind(INBOX, REST, self.settings.inbox.concurrency),
            self._inbox_kind("inbox.express", EXPRESS, _EXPRESS_WORKERS),
            self._inbox_kind("inbox.pulls", PULLS, _PULL_WORKERS),
            self._outbox_kind(OUTBOX, self.aibot.outbox_lane(REST), self.settings.outbox.concurrency),
            self._outbox_kind("outbox.express", EXPRESS, _EXPRESS_WORKERS),
        )
        if self.database.dialect == "sqlite":
            return ClaimLoop(self.database, self.clock, kinds)
        from bot.jobs import ProcrastinateWork  # noqa: PLC0415  half a second that SQLite does not need

        conninfo = self.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        return ProcrastinateWork(self.database, self.clock, kinds, conninfo)

    def _make_edge(self) -> CallbackEdge:
        console = create_console(
            ConsoleServices(
                db=self.database,
                clock=self.clock,
                secret_key=self.settings.console.secret_key.get_secret_value() or secrets.token_urlsafe(32),
                public_url=self.settings.console.public_url,
                demo=self.settings.console.demo,
                simulator_url=self.settings.console.simulator_url or None,
                lexicons=self.lexicons,
                library=self._library,
                gate=self.gate,
                http=self.platform.http,
                health=self._health,
            )
        )
        return CallbackEdge(
            _callback_urls(self.settings, self.aibot),
            self.writer,
            self.clock,
            console,
            max_bytes=self.settings.edge.max_bytes,
            max_skew_seconds=self.settings.edge.max_skew_seconds,
        )

    async def _library(self) -> ScriptLibrary:
        async with self.database.reading() as tx:
            return await self.libraries.current(tx)

    async def _health(self) -> HealthReport:
        return await read_health(self.database, self.clock)

    async def pull_archive(self) -> None:
        """Read the archive until nothing is left."""
        if self.platform.archive is None:
            return
        more = True
        while more:
            async with self.platform.pacer.permit(_ARCHIVE_PAGE):
                more = (await self.platform.archive.pull_once()).more

    async def sync(self) -> None:
        """Bring the copy of members, customers and groups up to date."""
        await sync_everything(self.database, self.platform.client, self.clock, settings=self.settings.customers)

    async def sync_if_due(self, max_age: timedelta = timedelta(days=1)) -> None:
        """Do so when none has ended for so long: at the first start, after a long stop, after a crash in the middle."""
        async with self.database.reading() as tx:
            due = await is_sync_due(tx, self.clock.now(), max_age)
        if due:
            with suppress(SyncBusy):  # one run at a time, on whatever node
                await self.sync()

    async def start(self) -> None:
        """Begin the background work: what an earlier run left is taken up at once."""
        if self.database.dialect == "sqlite":
            async with self.database.transaction() as tx:
                # there is one process: whatever is claimed, a dead one had claimed it
                await inbox_store.release_claims_of(tx, self.owner)
                await outbox_store.release_claims_of(tx, self.owner)
                await release_leases(tx)
                await do_release_sync(tx)
        await self.workforce.start()
        self.timers.soon("aibot.prepare", self.aibot.desk.prepare)
        if self.aibot_node is not None:
            await self.aibot_node.start()
        self._schedule()
        self.timers.start()

    def _schedule(self) -> None:
        settings, every = self.settings, self.timers.every
        kf = settings.wecom.kf
        every(5, "sop.tick", lambda: tick(self.database, self.clock.now(), self.gate, settings.sop))
        every(3, "sop.results", lambda: refresh_results(self.database, self.platform.client, self.clock, settings.sop))
        every(5, "aibot.fallback", self.aibot.keeper.run_once)
        every(3600, "aibot.forget", self.aibot.keeper.forget_old)
        every(60, "tokens.ahead", self.platform.tokens.refresh_ahead)
        every(60, "alerts.tell", self._tell_administrators)
        if self.platform.archive is not None:
            every(settings.wecom.archive.poll_seconds, "archive.pull", self.pull_archive)
            every(_QUARANTINE_SECONDS, "archive.quarantine", self.platform.archive.retry_quarantined)
        every(5, "kf.pull", lambda: self.platform.kf.pull_due(kf.open_kfids, timedelta(seconds=kf.poll_seconds)))
        self.timers.nightly(3, 30, "customers.sync", lambda: self.sync_if_due(timedelta(hours=12)))
        every(300, "customers.sync_overdue", self.sync_if_due)
        every(60, "departures", lambda: settle_departures(self.database, self.clock, settings.handlers.language))

    async def _tell_administrators(self) -> None:
        await tell_administrators(self.database, self.gate, self.clock, self.settings.wecom.alerts)

    async def stop(self) -> None:
        """Take nothing new, finish or release, close."""
        self.timers.stop()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self.platform.http.aclose)
            stack.push_async_callback(self.writer.close)
            if self.platform.archive_source is not None:
                stack.push_async_callback(self.platform.archive_source.close)
            stack.push_async_callback(self.workforce.stop)
            if self.aibot_node is not None:
                stack.push_async_callback(self.aibot_node.stop)


def _make_platform(
    settings: Settings, database: Database, clock: Clock, lexicons: LexiconStore, owner: str, kf: KfLedger
) -> Platform:
    wecom = settings.wecom
    http = make_http(wecom.api_base, wecom.timeout_seconds, wecom.proxy)
    keeper = Keeper(DatabaseShelf(database), clock, owner)
    tokens = TokenStore(http, clock, wecom.corp_id, wecom.secrets_by_app(), keeper)
    pacer = Pacer(database, clock, wecom.pace, owner)
    client = WeComClient(http, tokens, pacer, AlertWatch(database, clock))
    source = open_archive_source(wecom, http)
    return Platform(
        http=http,
        client=client,
        tokens=tokens,
        pacer=pacer,
        tickets=TicketStore(client, tokens, keeper),
        kf=KfPuller(database, client, clock, kf, owner),
        archive=_make_archive(settings, database, clock, lexicons, source),
        archive_source=source,
    )


def _make_archive(
    settings: Settings, database: Database, clock: Clock, lexicons: LexiconStore, source: AnyArchiveSource | None
) -> ArchivePuller | None:
    archive = settings.wecom.archive
    if source is None:
        return None
    keys = load_keys({version: key.get_secret_value() for version, key in archive.private_keys.items()})
    fresh = timedelta(seconds=archive.assist_within_seconds)

    def to_event(message: ArchivedMessageIn) -> NewInboxRow | None:
        return customer_text_row(message, clock.now(), fresh)

    return ArchivePuller(database, source, keys, lexicons, to_event, clock, settings.compliance)


def customer_text_row(message: ArchivedMessageIn, now: datetime, fresh: timedelta) -> NewInboxRow | None:
    """Return the event of a customer's fresh words; `None` for everything else in the archive.

    What is older than `fresh` came in late (after a stop, or with the first import): a card for it would only disturb.
    """
    if message.sender_kind is not SenderKind.CUSTOMER or message.msgtype != "text" or not message.text.strip():
        return None
    if now - message.sent_at > fresh:
        return None
    in_group = message.chat_kind is ChatKind.GROUP
    return archived_text_row(
        msg_id=message.msgid,
        chat_id=message.room_id if in_group else None,
        customer_id=message.sender_id,
        staff_id=None if in_group else next(iter(message.receivers), None),
        text=message.text,
        sent_at=message.sent_at,
        received_at=now,
    )


def _callback_urls(settings: Settings, aibot: AiBotParts) -> dict[str, CallbackUrl]:
    """Return the callback URLs that are configured.

    Raises:
        SettingsError: a key is not an EncodingAESKey.
    """
    wecom = settings.wecom
    urls = {}
    if wecom.callback.token.get_secret_value():
        urls[APP_PATH] = CallbackUrl(_crypto(wecom.callback.token, wecom.callback.aes_key, wecom.corp_id), AppReader())
    if wecom.aibot_callback.token.get_secret_value() and wecom.aibot.mode == "webhook":
        urls[AIBOT_PATH] = CallbackUrl(
            _crypto(wecom.aibot_callback.token, wecom.aibot_callback.aes_key, ""), AiBotReader(), aibot.desk
        )
    if not urls:
        raise SettingsError(
            "no callback URL is configured: set RMBOT_WECOM__CALLBACK__TOKEN and RMBOT_WECOM__CALLBACK__AES_KEY "
            "(企业微信后台 → 自建应用 → 接收消息 → 设置API接收)"
        )
    return urls


def _crypto(token: SecretStr, key: SecretStr, receive_id: str) -> CallbackCrypto:
    return CallbackCrypto(token.get_secret_value(), key.get_secret_value(), receive_id)


def _node_name(database: Database) -> str:
    """Name this node in claims: one fixed name where there is one process, else one nobody else has."""
    if database.dialect == "sqlite":
        return "the-process"
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"


async def build_service(settings: Settings, clock: Clock | None = None) -> Service:
    """Open the database and join the parts. Nothing runs yet."""
    database = await Database.open(settings.storage.url)
    try:
        return Service(settings, database, clock or SystemClock())
    except BaseException:
        await database.close()
        raise
