"""Greeting and help: what a manager can say here."""

from collections.abc import Sequence

from bot.context import Reply, StaffChat, Text
from bot.events import AppEntered, StaffTextMessage
from bot.ids import StaffId
from bot.router import Router
from handlers.context import DeskContext
from handlers.dialogue import do_note_greeted
from handlers.filters import staff_wants
from handlers.intent_labels import Intent

router: Router[DeskContext] = Router("greeting")

_HELP_WORDS = frozenset(
    {"帮助", "help", "菜单", "功能", "怎么用", "使用说明", "你会什么", "你能做什么", "你能干什么", "?", "？"}
)


def _asks_for_help(event: StaffTextMessage, ctx: DeskContext) -> bool:
    return event.text.strip().lower().rstrip("？?！!。") in _HELP_WORDS or event.text.strip() in _HELP_WORDS


@router.on(AppEntered)
async def greet_newcomer(event: AppEntered, ctx: DeskContext) -> Sequence[Reply]:
    """Show what can be said at the first opening only: a greeting at every one would be noise."""
    if not await do_note_greeted(ctx.tx, event.staff_id, ctx.now):
        ctx.trace.note("decision", name="quiet", reason="greeted before")
        return ()
    return [_help(event.staff_id, ctx)]


@router.on(StaffTextMessage, _asks_for_help)
async def help_staff(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """List what can be said."""
    return [_help(event.staff_id, ctx)]


@router.on(StaffTextMessage, staff_wants(Intent.GREETING))
async def greet_staff(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Greet by name and show what can be said."""
    return [_help(event.staff_id, ctx)]


@router.on(StaffTextMessage, staff_wants(Intent.THANKS))
async def answer_thanks(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Return the courtesy."""
    return [Reply(StaffChat(event.staff_id), Text(ctx.texts["help.thanks"]), "courtesy")]


@router.on(StaffTextMessage, staff_wants(Intent.AFFIRM))
async def answer_yes(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say that nothing waits for a yes; a dialogue that waits has taken the word before."""
    return [Reply(StaffChat(event.staff_id), Text(ctx.texts["help.acknowledged"]), "courtesy")]


@router.on(StaffTextMessage, staff_wants(Intent.DENY))
async def answer_no(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say that nothing can be called off; a dialogue that waits has taken the word before."""
    return [Reply(StaffChat(event.staff_id), Text(ctx.texts["help.nothing_to_cancel"]), "courtesy")]


def _help(staff_id: StaffId, ctx: DeskContext) -> Reply:
    texts = ctx.texts
    hello = texts.render("help.greeting", name=ctx.actor.name) if ctx.actor else texts["help.nameless"]
    return Reply(StaffChat(staff_id), Text(f"{hello}\n{texts['help.body']}"), "help")
