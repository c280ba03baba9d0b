"""Who is left alone and what is wrong can be seen and ended on the command line, and the audit trail keeps by whom."""

from pathlib import Path

import pytest
from sqlmodel import select

from bot.alerts.models import AlertKind
from bot.alerts.store import Trouble, do_raise_alert, list_open_alerts
from bot.audit import AuditEntry
from bot.clock import SystemClock
from bot.context import Reply, StaffChat, Text
from bot.errors import NotFound, RecipientUnavailable
from bot.ids import StaffId
from bot.outbox.store import do_fail, enqueue_reply
from bot.outbox.unreachable import do_mark_unreachable
from bot.settings import StorageSettings
from bot.storage.database import Database
from console.commands import rows
from console.health import Level, read_health
from console.settings import Settings
from tests.bot.pipeline import WordGate

GONE = "app:zhangsan"
NOT_TRUSTED = Trouble(AlertKind.CONFIGURATION, "app GET /x", "app", "GET /x", 60020, "ip 1.2.3.4")


@pytest.fixture
async def settings(db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A service with one member in quarantine, one open alert and one failed reply."""
    monkeypatch.chdir(tmp_path)
    now = SystemClock().now()
    async with db.transaction() as tx:
        error = RecipientUnavailable("POST /cgi-bin/message/send", 81013, "invaliduser")
        await do_mark_unreachable(tx, GONE, error, now, days=7)
        await do_raise_alert(
            tx, Trouble(AlertKind.CONFIGURATION, "app GET /x", "app", "GET /x", 60020, "ip 1.2.3.4"), now
        )
        row = await enqueue_reply(tx, Reply(StaffChat(StaffId("rm001")), Text("您好"), "test"), WordGate(), now)
        await do_fail(tx, row, "platform.recipient 84061")
    return Settings(_env_file=None, storage=StorageSettings(url=db.url))


async def _actions(db: Database) -> list[tuple[str, str]]:
    async with db.reading() as tx:
        return [(entry.action, entry.subject) for entry in (await tx.exec(select(AuditEntry))).all()]


async def test_quarantine_is_listed_with_the_reason_and_can_be_lifted(db: Database, settings: Settings) -> None:
    (line,) = await rows.list_quarantine(settings, 10)
    assert GONE in line
    assert "可见范围" in line
    await rows.lift_quarantine(settings, GONE)
    assert await rows.list_quarantine(settings, 10) == []
    assert await _actions(db) == [("outbox.quarantine_lifted", GONE)]
    with pytest.raises(NotFound):
        await rows.lift_quarantine(settings, GONE)


async def test_alerts_are_listed_and_can_be_closed_by_hand(db: Database, settings: Settings) -> None:
    (text,) = await rows.list_alerts(settings)
    assert "1.2.3.4" in text
    async with db.reading() as tx:
        (alert,) = await list_open_alerts(tx)
    await rows.resolve_alert(settings, alert.id or 0)
    assert await rows.list_alerts(settings) == []
    assert await _actions(db) == [("alert.resolved", f"alert:{alert.id}")]


async def test_a_failed_reply_is_listed_with_what_its_code_means(settings: Settings) -> None:
    (line,) = await rows.list_outbox(settings, None, 10)
    assert "platform.recipient 84061（客户与成员已不是好友）" in line


async def test_the_health_report_holds_alerts_and_quarantine(db: Database, settings: Settings) -> None:
    report = await read_health(db, SystemClock())
    alert = next(check for check in report.checks if check.name.startswith("alert-"))
    assert (alert.level, alert.errcode, alert.seen.values["detail"]) == (Level.BAD, 60020, "ip 1.2.3.4")
    unreachable = next(check for check in report.checks if check.name == "unreachable")
    assert (unreachable.level, unreachable.seen.values) == (Level.WARN, {"n": 1})
