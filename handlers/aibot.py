"""Words to the AI bot, in a group or alone: answered from scripts approved for customers, through `response_url`.

Being mentioned in a customer group proves that the group admits the bot; that is recorded.
"""

from collections.abc import Sequence

from bot.context import BotChat, Markdown, Reply
from bot.events import BotMention
from bot.ids import CustomerId, StaffId
from bot.router import Router
from customers import AibotCapability, CustomerGroupRow, StaffRow, do_mark_aibot, find_group, find_staff
from handlers.answers import answer_customer, find_manager, match_script
from handlers.context import DeskContext
from handlers.filters import mention_wants
from handlers.handover import hand_over
from handlers.intent_labels import Intent
from knowledge_base import Audience, Candidate, MatchKind

router: Router[DeskContext] = Router("aibot")


@router.on(BotMention, mention_wants(Intent.LOST_CARD, Intent.FRAUD_REPORT, Intent.COMPLAINT))
async def answer_urgent(event: BotMention, ctx: DeskContext) -> Sequence[Reply]:
    """Say the hotline or the apology first, then bring the manager in."""
    manager = await _responsible(event, ctx)
    reason = ctx.understand(event.text, "customer").intent.value
    told = await hand_over(ctx, manager, CustomerId(event.speaker), event.text, reason, "bot", event.msg_id)
    return [_words(event, ctx.texts.render(f"kf.{reason}", hotline=ctx.settings.hotline)), *told]


@router.on(BotMention, mention_wants(Intent.BALANCE_QUERY, Intent.TRANSFER_REQUEST))
async def refuse_private_matters(event: BotMention, ctx: DeskContext) -> Sequence[Reply]:
    """Keep accounts out of the group."""
    await _responsible(event, ctx)
    return [_words(event, ctx.texts.render("aibot.private", hotline=ctx.settings.hotline))]


@router.on(BotMention, mention_wants(Intent.GREETING, Intent.THANKS))
async def answer_courtesy(event: BotMention, ctx: DeskContext) -> Sequence[Reply]:
    """Return the courtesy."""
    await _responsible(event, ctx)
    thanked = ctx.understand(event.text, "customer").intent is Intent.THANKS
    return [_words(event, ctx.texts["kf.thanks" if thanked else "aibot.greeting"])]


@router.on(BotMention)
async def answer_question(event: BotMention, ctx: DeskContext) -> Sequence[Reply]:
    """Answer, name a few when unsure, or say honestly that a person is needed."""
    manager = await _responsible(event, ctx)
    outcome = match_script(ctx, event.text, Audience.CUSTOMER)
    if outcome.kind is MatchKind.CHOICES:
        return [_name_choices(event, outcome.candidates, ctx)]
    if outcome.kind is MatchKind.ANSWER:
        answer = await answer_customer(ctx, outcome.candidates[0].script, manager)
        if answer is not None:
            return [Reply(_chat(event), Markdown(answer.text), "script_answer", answer.evidence)]
    return await _give_up(event, manager, ctx)


async def _give_up(event: BotMention, manager: StaffRow | None, ctx: DeskContext) -> Sequence[Reply]:
    told = await hand_over(ctx, manager, CustomerId(event.speaker), event.text, "no_script", "bot", event.msg_id)
    key = "aibot.none_told" if manager else "aibot.none"
    return [_words(event, ctx.texts.render(key, hotline=ctx.settings.hotline)), *told]


async def _responsible(event: BotMention, ctx: DeskContext) -> StaffRow | None:
    """Record what the mention proves of the group, and return who answers for the speaker.

    In a customer group that is its owner; alone, a customer's manager. A member of the bank needs nobody.
    """
    group = await find_group(ctx.tx, event.chat_id) if event.chat_id else None
    if group is not None:
        await _admit(group, event, ctx)
        return await find_staff(ctx.tx, StaffId(group.owner_id))
    if await find_staff(ctx.tx, StaffId(event.speaker)) is not None:
        return None
    return await find_manager(ctx, CustomerId(event.speaker))


async def _admit(group: CustomerGroupRow, event: BotMention, ctx: DeskContext) -> None:
    if event.chat_id is None:
        return
    await do_mark_aibot(ctx.tx, event.chat_id, AibotCapability.ADMITTED, ctx.now)
    ctx.trace.note("aibot", group=group.id, capability=AibotCapability.ADMITTED.value)


def _name_choices(event: BotMention, candidates: Sequence[Candidate], ctx: DeskContext) -> Reply:
    lines = "\n".join(
        ctx.texts.render("kf.choose_line", number=number, title=candidate.script.title)
        for number, candidate in enumerate(candidates, start=1)
    )
    return _words(event, ctx.texts.render("aibot.choose", lines=lines))


def _chat(event: BotMention) -> BotChat:
    return BotChat(event.chat_id, event.speaker, event.response_url)


def _words(event: BotMention, body: str) -> Reply:
    return Reply(_chat(event), Markdown(body), "aibot_dialogue")
