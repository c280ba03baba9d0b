"""The parts list: chooses implementations and joins them. The only place that knows all of them."""

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from pydantic import SecretStr

from bot.clock import Clock, SystemClock
from bot.dispatcher import Dispatcher
from bot.doors.kf import KfPuller
from bot.doors.readers import AiBotReader, AppReader, archived_text_row, read_event
from bot.errors import BotError, PlatformError, SettingsError
from bot.events import (
    ArchiveConsentGiven,
    ArchiveNotice,
    CustomerAdded,
    CustomerEdited,
    CustomerEvent,
    CustomerHalfAdded,
    CustomerRemoved,
    Event,
    GroupCreated,
    GroupDismissed,
    GroupEvent,
    GroupUpdated,
    KfNotice,
    StaffRemovedByCustomer,
)
from bot.ids import CustomerId
from bot.inbox import store as inbox_store
from bot.inbox.appenders import make_appender
from bot.inbox.models import InboxRow, NewInboxRow
from bot.inbox.store import INBOX, list_waiting_conversations
from bot.inbox.worker import Errand, InboxWorker
from bot.inbox.writer import GroupCommitWriter
from bot.outbox import store as outbox_store
from bot.outbox.sender import Sender
from bot.outbox.store import OUTBOX, list_waiting_recipients
from bot.storage.database import Database, Tx
from bot.webhook import CallbackEdge, CallbackUrl
from bot.wecom.archive import HttpArchiveSource
from bot.wecom.client import WeComClient
from bot.wecom.crypto import CallbackCrypto
from bot.wecom.http import make_http
from bot.wecom.send import Courier
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
from console.app import create_console
from console.health import HealthReport, read_health
from console.services import ConsoleServices
from console.settings import Settings
from customers import do_end_follow, is_sync_due, sync_customer, sync_everything, sync_group
from handlers import DeskContext, DeskServices, apology_for, open_context, routers
from handlers.archiving import archive_inbound
from knowledge_base import LibraryStore, ProductStatus, ScriptLibrary, find_product, list_products, shelf_of
from sop import refresh_results, tick

log = structlog.get_logger("console.compose")

APP_PATH = "/wecom/app"
AIBOT_PATH = "/wecom/aibot"


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
    kf: KfPuller
    archive: ArchivePuller | None


class Service:
    """The running product: `app` answers requests; `start` and `stop` frame the background work."""

    def __init__(self, settings: Settings, database: Database, clock: Clock) -> None:
        self.settings = settings
        self.database = database
        self.clock = clock
        self.lexicons = LexiconStore()
        self.libraries = LibraryStore()
        self.gate = ComplianceGate(self.lexicons, _Shelf(), settings.compliance, settings.handlers.language)
        self.platform = _make_platform(settings, database, clock, self.lexicons)
        self.writer = GroupCommitWriter(database, make_appender(database))
        self.owner = _node_name(database)
        self.worker = self._make_worker()
        self.sender = Sender(
            database,
            clock,
            settings.outbox,
            Courier(self.platform.client, self.platform.http, settings.wecom.app.agent_id),
            self.gate,
            self.owner,
        )
        self.workforce = self._make_workforce()
        self.scheduler = AsyncIOScheduler(timezone="Asia/Shanghai")
        self.app = self._make_edge()
        self._background: set[asyncio.Task[None]] = set()

    def _make_worker(self) -> InboxWorker[DeskContext]:
        return InboxWorker(
            self.database,
            self.clock,
            self.settings.inbox,
            read_event,
            Dispatcher(routers, (archive_inbound,)),
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
        """Fetch what a notice only announces, before its handler runs."""

        async def pull_kf(event: Event) -> None:
            assert isinstance(event, KfNotice)
            await self.platform.kf.pull(event.open_kfid, event.token or None)

        async def pull_archive(_: Event) -> None:
            await self.pull_archive()

        async def read_customer(event: Event) -> None:
            assert isinstance(event, CustomerEvent)
            await self._try("customer", self._read_customer(event.customer_id))

        async def end_relation(event: Event) -> None:
            assert isinstance(event, CustomerEvent)
            now = self.clock.now()
            async with self.database.transaction() as tx:
                await do_end_follow(tx, event.staff_id, event.customer_id, self.settings.customers, now)

        async def read_group(event: Event) -> None:
            assert isinstance(event, GroupEvent)
            await self._try("group", sync_group(self.database, self.platform.client, self.clock, event.chat_id))

        of_customer = (
            CustomerAdded,
            CustomerHalfAdded,
            CustomerEdited,
            ArchiveConsentGiven,
        )
        return {
            KfNotice: pull_kf,
            ArchiveNotice: pull_archive,
            **dict.fromkeys(of_customer, read_customer),
            **dict.fromkeys((CustomerRemoved, StaffRemovedByCustomer), end_relation),
            **dict.fromkeys((GroupCreated, GroupUpdated, GroupDismissed), read_group),
        }

    async def _read_customer(self, customer_id: CustomerId) -> bool:
        return await sync_customer(
            self.database, self.platform.client, self.clock, customer_id, self.settings.customers
        )

    async def _try(self, what: str, work: Awaitable[object]) -> None:
        """Do what is only a copy of the platform's state: the nightly run mends what fails here."""
        try:
            await work
        except PlatformError as error:
            log.warning("sync.postponed", what=what, errcode=error.errcode)

    def _make_workforce(self) -> Workforce:
        kinds = (
            WorkKind(INBOX, self.worker.drain, list_waiting_conversations, self.settings.inbox.concurrency),
            WorkKind(OUTBOX, self.sender.drain, list_waiting_recipients, self.settings.outbox.concurrency),
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
            _callback_urls(self.settings),
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
        while (await self.platform.archive.pull_once()).more:
            pass

    async def sync(self) -> None:
        """Bring the copy of members, customers and groups up to date."""
        await sync_everything(self.database, self.platform.client, self.clock, settings=self.settings.customers)

    async def sync_if_due(self) -> None:
        """Do so when it was not done for a day: at the first start, and after a long stop."""
        async with self.database.reading() as tx:
            due = await is_sync_due(tx, self.clock.now(), timedelta(days=1))
        if due:
            await self.sync()

    async def start(self) -> None:
        """Begin the background work: what an earlier run left is taken up at once."""
        if self.database.dialect == "sqlite":
            async with self.database.transaction() as tx:
                # there is one process: whatever is claimed, a dead one had claimed it
                await inbox_store.release_claims_of(tx, self.owner)
                await outbox_store.release_claims_of(tx, self.owner)
        await self.workforce.start()
        self._schedule()
        self.scheduler.start()

    def _schedule(self) -> None:
        settings = self.settings
        self._every(5, "sop.tick", lambda: tick(self.database, self.clock.now(), self.gate, settings.sop))
        self._every(
            3,
            "sop.results",
            lambda: refresh_results(self.database, self.platform.client, self.clock, settings.sop),
        )
        if self.platform.archive is not None:
            self._every(settings.wecom.archive.poll_seconds, "archive.pull", self.pull_archive)
        for account in settings.wecom.kf.open_kfids:
            self._every(300, f"kf.pull:{account}", lambda account=account: self.platform.kf.pull(account))  # type: ignore[misc]  # a default in a lambda has no type
        self.scheduler.add_job(self._guard("customers.sync", self.sync), "cron", hour=3, minute=30, jitter=600)

    def _every(self, seconds: float, name: str, work: Callable[[], Awaitable[object]]) -> None:
        self.scheduler.add_job(
            self._guard(name, work), "interval", seconds=seconds, id=name, max_instances=1, coalesce=True
        )

    def _guard(self, name: str, work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            try:
                await work()
            except BotError as error:
                log.warning("timer.failed", timer=name, code=error.code)
            except Exception as error:  # the outermost loop: the next tick tries again
                log.error("timer.failed", timer=name, error=type(error).__name__)

        return run

    def run_soon(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Start something once, in the background."""
        task = asyncio.create_task(self._as_coroutine(self._guard(name, work)))
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def _as_coroutine(self, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    async def stop(self) -> None:
        """Take nothing new, finish or release, close."""
        if self.scheduler.running:
            self.scheduler.shutdown(wait=False)
        for task in list(self._background):
            task.cancel()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.database.close)
            stack.push_async_callback(self.platform.http.aclose)
            stack.push_async_callback(self.writer.close)
            stack.push_async_callback(self.workforce.stop)


def _make_platform(settings: Settings, database: Database, clock: Clock, lexicons: LexiconStore) -> Platform:
    wecom = settings.wecom
    http = make_http(wecom.api_base, wecom.timeout_seconds)
    kf_secret = wecom.kf.secret if wecom.kf.secret.get_secret_value() else wecom.app.secret
    tokens = TokenStore(http, clock, wecom.corp_id, {"app": wecom.app.secret, "kf": kf_secret})
    client = WeComClient(http, tokens)
    return Platform(
        http=http,
        client=client,
        kf=KfPuller(database, client, clock),
        archive=_make_archive(settings, database, clock, lexicons, http),
    )


def _make_archive(
    settings: Settings, database: Database, clock: Clock, lexicons: LexiconStore, http: httpx.AsyncClient
) -> ArchivePuller | None:
    archive = settings.wecom.archive
    if not archive.relay_url:
        return None
    keys = load_keys({version: key.get_secret_value() for version, key in archive.private_keys.items()})
    source = HttpArchiveSource(archive.relay_url, settings.wecom.corp_id, archive.secret.get_secret_value(), http)
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


def _callback_urls(settings: Settings) -> dict[str, CallbackUrl]:
    """Return the callback URLs that are configured.

    Raises:
        SettingsError: a key is not an EncodingAESKey.
    """
    wecom = settings.wecom
    urls = {}
    if wecom.callback.token.get_secret_value():
        urls[APP_PATH] = CallbackUrl(_crypto(wecom.callback.token, wecom.callback.aes_key, wecom.corp_id), AppReader())
    if wecom.aibot_callback.token.get_secret_value():
        urls[AIBOT_PATH] = CallbackUrl(
            _crypto(wecom.aibot_callback.token, wecom.aibot_callback.aes_key, ""), AiBotReader()
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
