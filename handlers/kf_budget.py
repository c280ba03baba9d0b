"""Middleware: what is said to a customer of 微信客服 fits into what the platform still lets us say.

Five messages may follow each message of the customer, and the sixth would be refused without a word to the customer.
A customer who writes many messages in a row can use them up. Half an answer may lack the sentence that matters most
(a risk warning), so an answer that does not fit is left out as a whole: the last message says that a person will
answer, and the matter goes to the manager.
"""

from collections.abc import Sequence

from bot.context import KfChat, Reply, Text
from bot.dispatcher import Next
from bot.events import Event, KfOtherMessage, KfText, KfUnknownMessage
from bot.wecom.limits import fit
from handlers.answers import find_manager
from handlers.context import DeskContext
from handlers.handover import hand_over


async def fit_to_budget(following: Next[DeskContext], event: Event, ctx: DeskContext) -> Sequence[Reply]:
    """Let the replies pass if they fit; else one closing line in place of those to the customer, and a to-do."""
    replies = await following(event, ctx)
    if ctx.kf is None or not isinstance(event, KfText | KfOtherMessage | KfUnknownMessage):
        return replies
    said = [reply for reply in replies if isinstance(reply.to, KfChat)]
    needed = sum(len(fit(reply.to, reply.content)) for reply in said)
    left, ends_at = ctx.kf.free, ctx.kf.window_ends_at
    ctx.trace.note("kf_budget", left=left, needed=needed, until=ends_at.isoformat() if ends_at else None)
    # Without a window the account has not heard of the customer's message, and cannot judge: the sender will.
    if ends_at is None or needed <= left:
        return replies
    manager = await find_manager(ctx, event.customer_id)
    question = event.text if isinstance(event, KfText) else f"[{event.msg_type}]"
    await hand_over(ctx, manager, event.customer_id, question, "kf_budget", "kf", event.msg_id)
    others = [reply for reply in replies if not isinstance(reply.to, KfChat)]
    if left == 0:
        return others
    words = Text(ctx.texts.render("kf.last_message", hotline=ctx.settings.hotline))
    return [Reply(KfChat(event.open_kfid, event.customer_id), words, "kf_dialogue"), *others]
