"""Tells administrators of open alerts by app message: each alert once a day, and never when messages are what fails."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from bot.alerts.models import AlertKind, AlertRow
from bot.alerts.store import list_open_alerts
from bot.clock import CHINA, Clock
from bot.context import Reply, StaffChat, Text
from bot.ids import StaffId
from bot.outbox.gate import OutboundGate
from bot.outbox.store import enqueue_reply
from bot.settings import AlertSettings
from bot.storage.database import Database
from bot.texts import load_texts
from bot.wecom.reasons import explain

log = structlog.get_logger("bot.alerts")

_MESSAGE_APP = "app"
_MESSAGE_API = "POST /cgi-bin/message/send"


def can_be_told(alerts: Sequence[AlertRow]) -> bool:
    """Say whether an app message can arrive while these are open: not when it is what they are about."""
    return not any(
        alert.app == _MESSAGE_APP and (alert.api == _MESSAGE_API or alert.kind is AlertKind.SECRET) for alert in alerts
    )


async def tell_administrators(database: Database, gate: OutboundGate, clock: Clock, settings: AlertSettings) -> int:
    """Queue a message for each administrator about each alert not told of today. Returns how many were queued."""
    if not settings.admin_staff:
        return 0
    now = clock.now()
    today = now.astimezone(CHINA).date()
    queued = 0
    async with database.transaction() as tx:
        alerts = await list_open_alerts(tx)
        if not can_be_told(alerts):
            return 0
        for alert in alerts:
            if alert.told_on == today:
                continue
            alert.told_on = today
            for staff_id in settings.admin_staff:
                words = Text(say_alert(alert, now, settings.language))
                reply = Reply(StaffChat(StaffId(staff_id)), words, "alert", {"alert": alert.id})
                await enqueue_reply(tx, reply, gate, now)
                queued += 1
    if queued:
        log.info("alert.told", messages=queued)
    return queued


def say_alert(alert: AlertRow, now: datetime, language: str) -> str:
    """Return an alert in an administrator's words: what happened, since when, what to do."""
    texts = load_texts("bot.alerts", language)
    lines = [texts[f"alert.{alert.kind.value}"]]
    if alert.errcode is not None:
        reason = explain(alert.errcode, language)
        lines += [f"{reason.what} ({alert.errcode})", texts.render("alert.advice", advice=reason.advice)]
    else:
        lines.append(texts.render("alert.advice", advice=texts[f"alert.{alert.kind.value}_advice"]))
    since = alert.first_at.astimezone(CHINA).strftime("%m-%d %H:%M")
    lines.append(texts.render("alert.seen", subject=alert.subject, since=since, count=alert.count))
    if alert.detail:
        lines.append(alert.detail)
    return "\n".join(lines)
