"""`rmbot sync`: bring the copy of members, customers and groups up to date now, or say how it stands."""

from collections.abc import Callable
from datetime import datetime

from bot.clock import CHINA, SystemClock
from bot.storage.database import Database
from bot.texts import Texts, load_texts
from console.compose import build_service
from console.settings import Settings
from customers import SyncBusy, SyncProgress, SyncState, sync_everything, sync_progress

Say = Callable[[str], None]


def spell_progress(progress: SyncProgress, texts: Texts) -> list[str]:
    """Return what to print about a sync: one line, and more when there is more to say."""
    if progress.state is SyncState.NEVER:
        return [texts["sync.never"]]
    lines = [spell_line(progress, texts)]
    lines.append(
        texts.render(
            "sync.times",
            started=_time(progress.started_at),
            updated=_time(progress.updated_at),
            finished=_time(progress.finished_at),
        )
    )
    if progress.last_error is not None:
        lines.append(texts.render("sync.error", error=progress.last_error, at=_time(progress.last_error_at)))
    return lines


def spell_line(progress: SyncProgress, texts: Texts) -> str:
    """Return the one line that changes while a sync runs."""
    report = progress.report
    return texts.render(
        "sync.line",
        state=texts[f"sync.state.{progress.state.value}"],
        stage=texts[f"sync.stage.{progress.stage.value}"],
        done=progress.done,
        total=progress.total,
        customers=report.customers,
        groups=report.groups,
        changed=report.changed,
        skipped=report.skipped,
    )


async def show_status(settings: Settings, language: str = "zh") -> list[str]:
    """Return how the newest sync stands, whichever node runs it."""
    database = await Database.open(settings.storage.url)
    try:
        async with database.reading() as tx:
            progress = await sync_progress(tx, SystemClock().now())
    finally:
        await database.close()
    return spell_progress(progress, load_texts("console", language))


async def sync_now(settings: Settings, say: Say, show: Say, language: str = "zh") -> bool:
    """Run a full sync, or go on with one that stopped. False when another run has the lease.

    `show` gets the changing line, `say` what stays.

    Raises:
        PlatformError: the platform cannot be used now; run it again, it goes on where it stopped.
    """
    texts = load_texts("console", language)
    service = await build_service(settings)
    try:
        report = await sync_everything(
            service.database,
            service.platform.client,
            service.clock,
            lambda progress: show(spell_line(progress, texts)),
            settings.customers,
        )
    except SyncBusy:
        say(texts["sync.busy"])
        return False
    finally:
        await service.stop()
    if report.resumed:
        say(texts["sync.resumed"])
    counts = ("branches", "staff", "tags", "customers", "groups", "changed", "skipped")
    say(texts.render("sync.finished", **{name: getattr(report, name) for name in counts}))
    return True


def _time(at: datetime | None) -> str:
    return at.astimezone(CHINA).strftime("%m-%d %H:%M:%S") if at else "–"
