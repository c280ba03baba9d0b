"""Is the service well? Read from the state of the database, and said in words with what to do about it.

The checks are pure functions of a `Snapshot`; reading it is one function.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.alerts.models import AlertKind, AlertRow
from bot.alerts.store import list_open_alerts
from bot.clock import Clock
from bot.doors.kf import KfPullHealth, list_pull_health
from bot.inbox.models import InboxRow, InboxState, Source
from bot.outbox.models import OutboxRow, OutboxState
from bot.outbox.unreachable import count_unreachable
from bot.storage.database import Database, Tx
from compliance.models import ArchiveCursorRow, LexiconVersionRow, QuarantineRow
from console.auth.models import LoginSessionRow
from console.i18n import N_
from customers import SyncProgress, SyncState, sync_progress
from customers.models import SyncStage
from knowledge_base import library_version

# When this process began, near enough: this module is imported at its start.
_STARTED = time.monotonic()
_WAITING_LIMIT = timedelta(minutes=2)
_ARCHIVE_LIMIT = timedelta(minutes=10)
_SYNC_LIMIT = timedelta(hours=30)


class Level(StrEnum):
    """How well something is."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Said:
    """A catalogue text with its values."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One thing looked at: its name, how it is, what was seen, and what to do when it is not well."""

    name: str
    title: str
    level: Level
    seen: Said
    advice: str = ""
    # WeCom's error code behind it: the page adds what it means, and what to do
    errcode: int | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All checks. `can_take_callbacks` is what load balancers ask: the database takes writes."""

    can_take_callbacks: bool
    checks: tuple[HealthCheck, ...]
    at: datetime
    started_at: datetime
    engine: str

    @property
    def level(self) -> Level:
        """Return the worst level of all checks."""
        levels = {check.level for check in self.checks}
        return next((level for level in (Level.BAD, Level.WARN) if level in levels), Level.OK)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the checks look at. Times are `None` where nothing has happened yet."""

    now: datetime
    inbox: Mapping[InboxState, int]
    inbox_oldest_at: datetime | None
    outbox: Mapping[OutboxState, int]
    outbox_oldest_at: datetime | None
    last_callback_at: datetime | None
    archive_pulled_at: datetime | None
    archive_newest_at: datetime | None
    archive_seq: int
    archive_gaps: int
    quarantined: int
    sync: SyncProgress
    lexicon: int | None
    library: int
    alerts: Sequence[AlertRow] = ()
    unreachable: int = 0
    kf_pulls: Sequence[KfPullHealth] = ()


async def read_health(db: Database, clock: Clock) -> HealthReport:
    """Read the state and judge it; a database that does not answer is a report, not an exception."""
    now = clock.now()
    started_at = now - timedelta(seconds=time.monotonic() - _STARTED)
    try:
        can_write = await _can_write(db)
        async with db.reading() as tx:
            snapshot = await _take_snapshot(tx, now)
    except (SQLAlchemyError, OSError):
        return HealthReport(False, (_no_database(),), now, started_at, db.dialect)
    checks = (_database_check(db, can_write), *judge(snapshot))
    return HealthReport(can_write, checks, now, started_at, db.dialect)


async def _can_write(db: Database) -> bool:
    """Tell whether a write transaction can be begun and committed; it changes nothing."""
    try:
        async with db.transaction() as tx:
            await (await tx.connection()).execute(
                delete(LoginSessionRow).where(col(LoginSessionRow.token_sha256) == "")
            )
    except (SQLAlchemyError, OSError):
        return False
    return True


async def _take_snapshot(tx: Tx, now: datetime) -> Snapshot:
    # Only what is unfinished or went wrong is counted: the finished rows are millions, and load balancers ask often.
    inbox = await tx.exec(
        select(InboxRow.state, func.count())
        .where(col(InboxRow.state).in_([state for state in InboxState if state is not InboxState.DONE]))
        .group_by(col(InboxRow.state))
    )
    outbox = await tx.exec(
        select(OutboxRow.state, func.count())
        .where(col(OutboxRow.state).in_([state for state in OutboxState if state is not OutboxState.SENT]))
        .group_by(col(OutboxRow.state))
    )
    cursor = (await tx.exec(select(ArchiveCursorRow).order_by(col(ArchiveCursorRow.source)))).first()
    return Snapshot(
        now=now,
        inbox={InboxState(state): count for state, count in inbox.all()},
        inbox_oldest_at=(
            await tx.exec(
                select(func.min(InboxRow.received_at)).where(
                    col(InboxRow.state).in_([InboxState.RECEIVED, InboxState.PROCESSING])
                )
            )
        ).one(),
        outbox={OutboxState(state): count for state, count in outbox.all()},
        outbox_oldest_at=(
            await tx.exec(
                select(func.min(OutboxRow.created_at)).where(
                    OutboxRow.state == OutboxState.QUEUED,
                    col(OutboxRow.not_before).is_(None) | (col(OutboxRow.not_before) <= now),
                )
            )
        ).one(),
        last_callback_at=(
            await tx.exec(
                select(InboxRow.received_at)
                .where(InboxRow.source != Source.ARCHIVE)
                .order_by(col(InboxRow.received_at).desc())
                .limit(1)
            )
        ).first(),
        archive_pulled_at=cursor.pulled_at if cursor else None,
        archive_newest_at=cursor.newest_sent_at if cursor else None,
        archive_seq=cursor.seq if cursor else 0,
        archive_gaps=cursor.gap_count if cursor else 0,
        quarantined=(
            await tx.exec(
                select(func.count()).select_from(QuarantineRow).where(col(QuarantineRow.resolved_at).is_(None))
            )
        ).one(),
        sync=await sync_progress(tx, now),
        lexicon=(await tx.exec(select(func.max(LexiconVersionRow.version)))).one(),
        library=await library_version(tx),
        alerts=await list_open_alerts(tx),
        unreachable=await count_unreachable(tx, now),
        kf_pulls=await list_pull_health(tx, now),
    )


def judge(snapshot: Snapshot) -> Iterator[HealthCheck]:
    """Judge each part, in the order a message takes through the product."""
    yield _callbacks(snapshot)
    yield _inbox(snapshot)
    yield _outbox(snapshot)
    yield _outbox_trouble(snapshot)
    yield _archive(snapshot)
    yield _quarantine(snapshot)
    yield _sync(snapshot)
    yield _content(snapshot)
    yield from _kf_pulls(snapshot)
    yield from _alerts(snapshot)
    yield _unreachable(snapshot)


def _no_database() -> HealthCheck:
    return HealthCheck(
        "database",
        N_("数据库"),
        Level.BAD,
        Said(N_("连不上数据库，新消息无法保存")),
        N_("检查数据库是否运行、地址和密码是否正确、磁盘是否已满。企业微信会自动重发，恢复后不会丢消息。"),
    )


def _database_check(db: Database, can_write: bool) -> HealthCheck:
    engine = "PostgreSQL" if db.dialect == "postgresql" else "SQLite"
    if not can_write:
        return HealthCheck(
            "database",
            N_("数据库"),
            Level.BAD,
            Said(N_("%(engine)s 能读但不能写"), {"engine": engine}),
            N_("检查磁盘空间和文件权限；PostgreSQL 还要看是否切到了只读备库。"),
        )
    return HealthCheck("database", N_("数据库"), Level.OK, Said(N_("%(engine)s，读写正常"), {"engine": engine}))


def _callbacks(snapshot: Snapshot) -> HealthCheck:
    if snapshot.last_callback_at is None:
        return HealthCheck(
            "callbacks",
            N_("企业微信回调"),
            Level.WARN,
            Said(N_("还没有收到过回调")),
            N_("在企业微信里给应用发一条消息试试；仍然没有，就检查管理后台填写的回调地址、Token 和 EncodingAESKey。"),
        )
    return HealthCheck(
        "callbacks",
        N_("企业微信回调"),
        Level.OK,
        Said(N_("最近一次：%(at)s"), {"at": snapshot.last_callback_at}),
    )


def _inbox(snapshot: Snapshot) -> HealthCheck:
    waiting = snapshot.inbox.get(InboxState.RECEIVED, 0) + snapshot.inbox.get(InboxState.PROCESSING, 0)
    failed = snapshot.inbox.get(InboxState.FAILED, 0)
    seen = Said(N_("等待处理 %(waiting)s 条，处理失败 %(failed)s 条"), {"waiting": waiting, "failed": failed})
    if failed:
        return HealthCheck(
            "inbox",
            N_("收件箱"),
            Level.BAD,
            seen,
            N_("有消息多次处理失败，已停放。用 rmbot inbox list 看原因，修好后用 rmbot inbox replay 重放。"),
        )
    if _is_late(snapshot.inbox_oldest_at, snapshot.now, _WAITING_LIMIT):
        return HealthCheck(
            "inbox", N_("收件箱"), Level.WARN, seen, N_("最早的一条已等了两分钟以上。检查处理进程是否在运行。")
        )
    return HealthCheck("inbox", N_("收件箱"), Level.OK, seen)


def _outbox(snapshot: Snapshot) -> HealthCheck:
    waiting = snapshot.outbox.get(OutboxState.QUEUED, 0) + snapshot.outbox.get(OutboxState.SENDING, 0)
    seen = Said(N_("等待发送 %(waiting)s 条"), {"waiting": waiting})
    if _is_late(snapshot.outbox_oldest_at, snapshot.now, _WAITING_LIMIT):
        return HealthCheck(
            "outbox",
            N_("发件箱"),
            Level.WARN,
            seen,
            N_("最早的一条已等了两分钟以上。检查到企业微信的网络，以及是否触发了频率限制。"),
        )
    return HealthCheck("outbox", N_("发件箱"), Level.OK, seen)


def _outbox_trouble(snapshot: Snapshot) -> HealthCheck:
    failed = snapshot.outbox.get(OutboxState.FAILED, 0)
    uncertain = snapshot.outbox.get(OutboxState.UNCERTAIN, 0)
    blocked = snapshot.outbox.get(OutboxState.BLOCKED, 0)
    seen = Said(
        N_("发送失败 %(failed)s 条，结果不明 %(uncertain)s 条，被闸口拦截 %(blocked)s 条"),
        {"failed": failed, "uncertain": uncertain, "blocked": blocked},
    )
    if failed:
        advice = N_("失败原因记在发件箱里。常见的是应用可见范围、可信 IP 或密钥不对；改好后重新发送。")
        return HealthCheck("sending", N_("发送结果"), Level.BAD, seen, advice)
    if uncertain:
        advice = N_("结果不明的会自动核对。超过十分钟没有变化，再检查到企业微信的网络。")
        return HealthCheck("sending", N_("发送结果"), Level.WARN, seen, advice)
    return HealthCheck("sending", N_("发送结果"), Level.OK, seen)


def _archive(snapshot: Snapshot) -> HealthCheck:
    if snapshot.archive_pulled_at is None:
        return HealthCheck(
            "archive",
            N_("会话存档"),
            Level.WARN,
            Said(N_("还没有拉取过会话存档")),
            N_("确认已开通会话内容存档、上传了公钥，并把服务器地址加入可信 IP。"),
        )
    seen = Said(
        N_("最近拉取：%(at)s，读到第 %(seq)s 条，序号缺口 %(gaps)s 处"),
        {"at": snapshot.archive_pulled_at, "seq": snapshot.archive_seq, "gaps": snapshot.archive_gaps},
    )
    if _is_late(snapshot.archive_pulled_at, snapshot.now, _ARCHIVE_LIMIT):
        return HealthCheck(
            "archive",
            N_("会话存档"),
            Level.BAD,
            seen,
            N_("超过十分钟没有拉取。会话只保留有限的天数，请尽快检查拉取进程。"),
        )
    return HealthCheck("archive", N_("会话存档"), Level.OK, seen)


def _quarantine(snapshot: Snapshot) -> HealthCheck:
    seen = Said(N_("解不开的存档记录 %(n)s 条"), {"n": snapshot.quarantined})
    if snapshot.quarantined:
        return HealthCheck(
            "quarantine",
            N_("存档隔离区"),
            Level.BAD,
            seen,
            N_("多半是缺少某一版私钥。补上私钥后会自动重试，记录不会丢。"),
        )
    return HealthCheck("quarantine", N_("存档隔离区"), Level.OK, seen)


_STAGES: Mapping[SyncStage, str] = {
    SyncStage.DIRECTORY: N_("正在同步部门和成员：%(done)s / %(total)s，已有变更 %(changed)s"),
    SyncStage.TAGS: N_("正在同步标签，已有变更 %(changed)s"),
    SyncStage.TRAITS: N_("正在按标签整理客户，已有变更 %(changed)s"),
    SyncStage.CUSTOMERS: N_("正在同步客户：第 %(done)s 位成员，共 %(total)s 位，已有变更 %(changed)s"),
    SyncStage.GROUPS: N_("正在同步客户群：第 %(done)s 位群主，共 %(total)s 位，已有变更 %(changed)s"),
}


def _sync(snapshot: Snapshot) -> HealthCheck:
    sync, title = snapshot.sync, N_("客户同步")
    if sync.state is SyncState.NEVER:
        advice = N_("启动后会自动开始；也可以现在运行 rmbot sync。")
        return HealthCheck("sync", title, Level.WARN, Said(N_("还没有同步过")), advice)
    counts = {"done": sync.done, "total": sync.total, "changed": sync.report.changed}
    if sync.state is SyncState.RUNNING:
        return HealthCheck("sync", title, Level.OK, Said(_STAGES[sync.stage], counts))
    if sync.state is SyncState.STOPPED:
        seen = Said(
            N_("上一次没有做完（%(error)s），停在第 %(done)s / %(total)s 步"),
            {"error": sync.last_error or "—", **counts},
        )
        return HealthCheck(
            "sync", title, Level.WARN, seen, N_("几分钟内会自动从断点继续；一直不行，请运行 rmbot doctor。")
        )
    seen = Said(N_("最近完成：%(at)s"), {"at": sync.finished_at})
    if _is_late(sync.finished_at, snapshot.now, _SYNC_LIMIT):
        return HealthCheck("sync", title, Level.WARN, seen, N_("超过一天没有同步，客户和群的资料可能已过时。"))
    return HealthCheck("sync", title, Level.OK, seen)


def _content(snapshot: Snapshot) -> HealthCheck:
    if snapshot.lexicon is None:
        return HealthCheck(
            "content",
            N_("词库与话术"),
            Level.BAD,
            Said(N_("没有安装敏感词库，所有外发都会被拦下")),
            N_("运行 rmbot seed 安装默认词库，或导入本行的词库。"),
        )
    return HealthCheck(
        "content",
        N_("词库与话术"),
        Level.OK,
        Said(
            N_("敏感词库第 %(lexicon)s 版，话术库第 %(library)s 版"),
            {"lexicon": snapshot.lexicon, "library": snapshot.library},
        ),
    )


def _kf_pulls(snapshot: Snapshot) -> Iterator[HealthCheck]:
    """Judge the pulls of 微信客服, where there are accounts: the platform keeps messages for three days only."""
    if not snapshot.kf_pulls:
        return
    oldest = min(snapshot.kf_pulls, key=lambda one: one.since)
    seen = Said(N_("%(n)s 个账号，最久没有拉取的：%(at)s"), {"n": len(snapshot.kf_pulls), "at": oldest.since})
    if any(one.stale for one in snapshot.kf_pulls):
        advice = N_("客服消息只保留三天，已有账号两天没有拉取成功。请马上检查网络、Secret 和可调用接口的应用。")
        yield HealthCheck("kf", N_("微信客服"), Level.BAD, seen, advice)
    elif any(one.error for one in snapshot.kf_pulls):
        advice = N_("最近一次拉取没有成功，会自动重试，消息不会丢。持续出现时检查频率限制和网络。")
        yield HealthCheck("kf", N_("微信客服"), Level.WARN, seen, advice)
    else:
        yield HealthCheck("kf", N_("微信客服"), Level.OK, seen)


_ALERT_TITLES = {
    AlertKind.SECRET: N_("应用 Secret"),
    AlertKind.CONFIGURATION: N_("企业微信配置"),
    AlertKind.LOW_ACTIVITY: N_("应用活跃度"),
    AlertKind.LICENCE: N_("接口许可"),
    AlertKind.RISK: N_("数据访问异常"),
}
_ALERT_ADVICE = {
    AlertKind.SECRET: N_("在管理后台核对 Secret，改好后运行 rmbot doctor，会立即重试。"),
    AlertKind.CONFIGURATION: N_("按错误含义改好管理后台的配置，下一次调用成功后这一项会自动消失。"),
    AlertKind.LOW_ACTIVITY: N_("在管理后台打开该应用，按页面提示恢复；恢复后这一项会自动消失。"),
    AlertKind.LICENCE: N_("在管理后台为成员购买或分配接口许可，再用 rmbot outbox alerts --resolve 关闭。"),
    AlertKind.RISK: N_("先停用相关成员的非官方客户端并核实，再用 rmbot outbox alerts --resolve 关闭。"),
}


def _alerts(snapshot: Snapshot) -> Iterator[HealthCheck]:
    """Give every open alert a line of its own: each needs an administrator."""
    for alert in snapshot.alerts:
        seen = Said(
            N_("%(subject)s：始于 %(since)s，共 %(count)s 次 %(detail)s"),
            {"subject": alert.subject, "since": alert.first_at, "count": alert.count, "detail": alert.detail},
        )
        yield HealthCheck(
            f"alert-{alert.id}",
            _ALERT_TITLES[alert.kind],
            Level.BAD,
            seen,
            _ALERT_ADVICE[alert.kind],
            alert.errcode,
        )


def _unreachable(snapshot: Snapshot) -> HealthCheck:
    seen = Said(N_("暂停发送的收件人 %(n)s 位"), {"n": snapshot.unreachable})
    if snapshot.unreachable:
        advice = N_("用 rmbot outbox quarantine list 看是谁和为什么；对方有新消息、到期或 quarantine lift 后恢复。")
        return HealthCheck("unreachable", N_("联系不上的人"), Level.WARN, seen, advice)
    return HealthCheck("unreachable", N_("联系不上的人"), Level.OK, seen)


def _is_late(since: datetime | None, now: datetime, limit: timedelta) -> bool:
    return since is not None and now - since > limit
