"""Joins the AI bot's parts, in the mode that the settings name. A part of the wiring (console/compose.py)."""

from dataclasses import dataclass
from functools import partial

import httpx

from bot.aibot.connection import AiBotConnection
from bot.aibot.desk import AiBotDesk, Phrases
from bot.aibot.keeper import StreamKeeper
from bot.aibot.leader import Leadership
from bot.aibot.node import BOT_LANE, AiBotNode, Drain
from bot.aibot.said import Compliance
from bot.aibot.ways import ConnectionWay, StreamWay
from bot.alerts.watch import AlertWatch
from bot.clock import Clock
from bot.errors import SettingsError
from bot.lanes import Lane
from bot.outbox.store import list_waiting_recipients
from bot.settings import AiBotSettings
from bot.storage.database import Database
from bot.texts import load_texts
from bot.wecom.bot_message import BotWay
from bot.wecom.send_aibot import answer_by_url
from handlers import HandlersSettings


@dataclass(frozen=True, slots=True)
class AiBotParts:
    """What the rest of the wiring needs: `connection` is `None` in callback mode."""

    desk: AiBotDesk
    way: BotWay
    keeper: StreamKeeper
    connection: AiBotConnection | None

    def outbox_lane(self, lane: Lane) -> Lane:
        """Return a lane without what only the node with the connection can send."""
        return lane if self.connection is None else Lane(lane.only, (*lane.but, *BOT_LANE.only))


def make_aibot(
    settings: AiBotSettings,
    handlers: HandlersSettings,
    database: Database,
    clock: Clock,
    compliance: Compliance,
    http: httpx.AsyncClient,
) -> AiBotParts:
    """Make the parts; nothing runs yet.

    Raises:
        SettingsError: the long connection is wanted, and its id or secret is missing.
    """
    texts = load_texts("handlers", handlers.language)
    welcome = texts.render("aibot.welcome", bank=handlers.bank_name, name=texts["aibot.name"])
    desk = AiBotDesk(database, clock, compliance, Phrases.load(handlers.language, welcome))
    keeper = StreamKeeper(database, clock, partial(answer_by_url, http))
    if settings.mode == "webhook":
        return AiBotParts(desk, StreamWay(database), keeper, None)
    if not settings.bot_id or not settings.secret.get_secret_value():
        raise SettingsError(
            "wecom.aibot.mode is websocket: set RMBOT_WECOM__AIBOT__BOT_ID and RMBOT_WECOM__AIBOT__SECRET "
            "(企业微信后台 → 智能机器人 → API模式 → 长连接)"
        )
    connection = AiBotConnection(settings, desk.take, watch=AlertWatch(database, clock))
    return AiBotParts(desk, ConnectionWay(database, connection), keeper, connection)


def make_aibot_node(
    settings: AiBotSettings, parts: AiBotParts, database: Database, clock: Clock, owner: str, drain: Drain
) -> AiBotNode | None:
    """Make this node's share of the long connection; `None` in callback mode."""
    if parts.connection is None:
        return None
    leadership = Leadership(database, clock, owner, settings.lease_seconds)
    waiting = partial(list_waiting_recipients, lane=BOT_LANE)
    renew = settings.lease_seconds / 3
    return AiBotNode(database, clock, leadership, parts.connection, drain, waiting, renew_seconds=renew)
