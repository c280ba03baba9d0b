"""The conversation: what people can say, and what they get. `routers` is the routing table, read from top to bottom.

Order matters twice. A dialogue that waits for an answer (`broadcasts`) comes before the topics that could take the same
words; `scripts` takes every text that is left and so stands after all topics of members' words.
"""

from bot.router import Router
from handlers import (
    aibot,
    broadcasts,
    customer_cards,
    customer_chats,
    drafts,
    events,
    fallback,
    greeting,
    kf,
    platform_notices,
    scripts,
    tasks,
)
from handlers.context import DeskContext, DeskServices, open_context
from handlers.failure import apology_for
from handlers.models import GreetedStaffRow, PendingQuestionRow, ReplySuggestionRow, SuggestionState
from handlers.settings import HandlersSettings
from handlers.suggestions import access_suggestion, do_dismiss_suggestion, do_mark_suggestion_sent

routers: tuple[Router[DeskContext], ...] = (
    events.router,
    drafts.router,
    broadcasts.router,
    tasks.router,
    customer_cards.router,
    greeting.router,
    scripts.router,
    kf.router,
    customer_chats.router,
    aibot.router,
    platform_notices.router,
    fallback.router,
)

__all__ = [
    "DeskContext",
    "DeskServices",
    "GreetedStaffRow",
    "HandlersSettings",
    "PendingQuestionRow",
    "ReplySuggestionRow",
    "SuggestionState",
    "access_suggestion",
    "apology_for",
    "do_dismiss_suggestion",
    "do_mark_suggestion_sent",
    "open_context",
    "routers",
]
