"""What no other router took: an honest line for messages that are not words, silence for what asks nothing."""

from collections.abc import Sequence

from bot.context import Reply, StaffChat, Text
from bot.events import CardButtonClicked, StaffMessage
from bot.router import Router
from handlers.cards import close_card
from handlers.context import DeskContext

router: Router[DeskContext] = Router("fallback")


@router.on(StaffMessage)
async def ask_for_words(event: StaffMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say that only words are understood; all words have been taken by the routers before."""
    return [Reply(StaffChat(event.staff_id), Text(ctx.texts["fallback.staff_other"]), "fallback")]


@router.on(CardButtonClicked)
async def answer_old_button(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Say that the card is of no use any more: its key means nothing to this version."""
    ctx.trace.note("decision", name="unknown_button")
    gone = Reply(StaffChat(event.staff_id), Text(ctx.texts["script.gone"]), "fallback")
    return [gone, *close_card(event, ctx, "gone")]
