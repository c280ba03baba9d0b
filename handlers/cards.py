"""What becomes of a card once one of its buttons was pressed: its buttons close, or a new card takes its place.

Always beside the answer to the press, never instead of it: a card that cannot be changed any more loses nothing.
"""

from bot.context import Card, CardUpdate, Content, Reply, Text
from bot.errors import ContentTooLong
from bot.events import CardButtonClicked, StaffTextMessage
from bot.wecom.api.messages import RESPONSE_CODE_LIVES
from bot.wecom.limits import fit
from handlers.context import DeskContext

_PURPOSE = "card_update"


def close_card(event: CardButtonClicked | StaffTextMessage, ctx: DeskContext, outcome: str) -> list[Reply]:
    """Return the order to close the pressed card's buttons; nothing for words, which were not said on a card.

    Args:
        event: what the member did.
        ctx: the context of the event.
        outcome: what the pressed button is to say, by its key under `card.`.
    """
    return _change(event, ctx, Text(ctx.texts[f"card.{outcome}"]))


def replace_card(event: CardButtonClicked | StaffTextMessage, ctx: DeskContext, card: Card) -> list[Reply]:
    """Return the order to put another card in the place of the pressed one."""
    return _change(event, ctx, card)


def _change(event: CardButtonClicked | StaffTextMessage, ctx: DeskContext, content: Content) -> list[Reply]:
    if not isinstance(event, CardButtonClicked) or not event.response_code:
        return []
    address = CardUpdate(event.response_code, event.staff_id, event.task_id)
    try:
        fit(address, content)
    except ContentTooLong as error:  # refused later, it would take the answer with it
        ctx.trace.note("card_update", refused=error.code)
        return []
    return [Reply(address, content, _PURPOSE, expires_at=ctx.now + RESPONSE_CODE_LIVES)]
