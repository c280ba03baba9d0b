"""Words to the AI bot, in a group or alone: answered from scripts approved for customers.

Being mentioned in a customer group proves that the group admits the bot; that is recorded. The welcome and the change
of a pressed card are said before the handlers run, because the platform waits 5 s for them (bot/aibot/desk.py).
"""

from collections.abc import Sequence

from bot.aibot.feedback import do_keep_feedback
from bot.context import BotChat, Button, Card, Markdown, Reply
from bot.events import BotCardClicked, BotDisconnected, BotEntered, BotFeedback, BotMedia, BotMention
from bot.ids import CustomerId, StaffId
from bot.router import Router
from customers import AibotCapability, CustomerGroupRow, StaffRow, do_mark_aibot, find_group, find_staff
from handlers.answers import answer_customer, find_manager, find_valid_script, match_script
from handlers.context import DeskContext
from handlers.filters import mention_wants
from handlers.handover import hand_over
from handlers.intent_labels import Intent
from knowledge_base import Audience, Candidate, MatchKind

router: Router[DeskContext] = Router("aibot")

_CHOOSE = "script:"


def _has_no_words(event: BotMention, ctx: DeskContext) -> bool:
    return not event.text.strip()


def _chooses_script(event: BotCardClicked, ctx: DeskContext) -> bool:
    return event.key.startswith(_CHOOSE)


@router.on(BotMention, _has_no_words)
async def ask_for_words(event: BotMention, ctx: DeskContext) -> Sequence[Reply]:
    """Say that only words are understood: someone waits for an answer to a picture alone."""
    return [_words(event, ctx.texts["aibot.only_words"])]


@router.on(BotMedia)
async def refuse_media(event: BotMedia, ctx: DeskContext) -> Sequence[Reply]:
    """Say that only words are understood: someone waits for an answer to the picture or file."""
    return [_words(event, ctx.texts["aibot.only_words"])]


@router.on(BotCardClicked, _chooses_script)
async def answer_choice(event: BotCardClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Answer with the script that was chosen on the card, if it is still in force."""
    script = find_valid_script(ctx, event.key.removeprefix(_CHOOSE), Audience.CUSTOMER)
    manager = await _responsible(event, ctx)
    answer = await answer_customer(ctx, script, manager) if script is not None else None
    if answer is None:
        return [_words(event, ctx.texts["kf.choose_gone"])]
    return [Reply(_chat(event), Markdown(answer.text), "script_answer", answer.evidence)]


@router.on(BotFeedback)
async def keep_feedback(event: BotFeedback, ctx: DeskContext) -> Sequence[Reply]:
    """Keep what a person thinks of an answer."""
    answer = await do_keep_feedback(ctx.tx, event, ctx.now, ctx.cause)
    ctx.trace.note("feedback", kind=event.kind.value, answer=answer)
    return ()


@router.on(BotEntered)
async def note_entry(event: BotEntered, ctx: DeskContext) -> Sequence[Reply]:
    """Do nothing: the welcome is said already."""
    return ()


@router.on(BotDisconnected)
async def note_disconnection(event: BotDisconnected, ctx: DeskContext) -> Sequence[Reply]:
    """Do nothing: who holds the connection is decided elsewhere (bot/aibot/node.py)."""
    return ()


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


async def _responsible(event: BotMention | BotCardClicked, ctx: DeskContext) -> StaffRow | None:
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


async def _admit(group: CustomerGroupRow, event: BotMention | BotCardClicked, ctx: DeskContext) -> None:
    if event.chat_id is None:
        return
    await do_mark_aibot(ctx.tx, event.chat_id, AibotCapability.ADMITTED, ctx.now)
    ctx.trace.note("aibot", group=group.id, capability=AibotCapability.ADMITTED.value)


def _name_choices(event: BotMention, candidates: Sequence[Candidate], ctx: DeskContext) -> Reply:
    """Offer the scripts on a card: their titles as a list, a number on each button because buttons are short."""
    lines = "\n".join(
        ctx.texts.render("kf.choose_line", number=number, title=candidate.script.title)
        for number, candidate in enumerate(candidates, start=1)
    )
    card = Card(
        title=ctx.texts["aibot.choose"],
        description=lines,
        buttons=tuple(
            Button(str(number), f"{_CHOOSE}{candidate.script.id}")
            for number, candidate in enumerate(candidates, start=1)
        ),
        task_id=f"choice-{ctx.cause}-{int(ctx.now.timestamp())}",
    )
    return Reply(_chat(event), card, "aibot_dialogue")


def _chat(event: BotMention | BotMedia | BotCardClicked) -> BotChat:
    return BotChat(event.chat_id, event.speaker, event.response_url, event.msg_id)


def _words(event: BotMention | BotMedia | BotCardClicked, body: str) -> Reply:
    return Reply(_chat(event), Markdown(body), "aibot_dialogue")
