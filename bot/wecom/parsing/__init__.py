"""Field trees to typed events, one module for each door: app callbacks, 微信客服 items, AI bot bodies.

What is well formed but unknown becomes `UnknownEvent` with all its fields; nothing here does I/O.
"""

from bot.wecom.fields import parse_seconds
from bot.wecom.parsing.aibot import parse_aibot
from bot.wecom.parsing.app import parse_event
from bot.wecom.parsing.kf import parse_kf
from bot.wecom.parsing.tables import CHANGES, EVENTS, MESSAGES

__all__ = ["CHANGES", "EVENTS", "MESSAGES", "parse_aibot", "parse_event", "parse_kf", "parse_seconds"]
