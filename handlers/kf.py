"""Customers in 微信客服: approved answers at once, danger to the hotline, everything else to a person."""

import re
from collections.abc import Sequence

from bot.context import KfChat, KfWelcome, Reply, Text
from bot.events import KfOtherMessage, KfSessionEntered, KfText
from bot.router import Router
from customers import do_set_opted_out, find_customer
from handlers.answers import answer_customer, find_manager, find_valid_script, match_script
from handlers.context import DeskContext
from handlers.dialogue import QuestionKind, do_ask, do_forget_question
from handlers.filters import kf_answers, kf_wants
from handlers.handover import hand_over
from handlers.intent_labels import Intent
from handlers.numerals import fold_width, parse_numeral
from knowledge_base import Audience, Candidate, MatchKind, Script

router: Router[DeskContext] = Router("kf")

_NUMBER = re.compile(r"^(?:第|选|回复|是)?\s*([1-9一二三四五六七八九])(?:个|条|项|号)?[.。!！]?$")


def _picks_a_number(event: KfText, ctx: DeskContext) -> bool:
    return _NUMBER.match(fold_width(event.text.strip())) is not None


@router.on(KfSessionEntered)
async def welcome(event: KfSessionEntered, ctx: DeskContext) -> Sequence[Reply]:
    """Greet one who enters, while the code of the entry is good; without a code the platform wants no greeting."""
    if not event.welcome_code:
        return ()
    body = ctx.texts.render("kf.welcome", bank=ctx.settings.bank_name, hotline=ctx.settings.hotline)
    return [Reply(KfWelcome(event.welcome_code, event.open_kfid, event.customer_id), Text(body), "welcome")]


@router.on(KfText, kf_wants(Intent.LOST_CARD, Intent.FRAUD_REPORT, Intent.COMPLAINT))
async def answer_urgent(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Say the hotline or the apology first, then bring the manager in."""
    return await _say_and_hand_over(event, ctx)


@router.on(KfText, kf_wants(Intent.UNSUBSCRIBE))
async def unsubscribe(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Stop marketing to the customer at once; known or not, the customer gets the same confirmation."""
    if await find_customer(ctx.tx, event.customer_id) is not None:
        await do_set_opted_out(ctx.tx, event.customer_id, True, ctx.now)
    ctx.trace.note("opted_out", customer=event.customer_id)
    await hand_over(
        ctx,
        await find_manager(ctx, event.customer_id),
        event.customer_id,
        event.text,
        Intent.UNSUBSCRIBE.value,
        "kf",
        event.msg_id,
    )
    return [_words(event, ctx.texts["kf.unsubscribe"])]


@router.on(KfText, kf_wants(Intent.BALANCE_QUERY, Intent.TRANSFER_REQUEST))
async def refuse_and_route(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Neither look into accounts nor act on them in a chat: name the bank's own channels."""
    intent = ctx.understand(event.text, "customer").intent
    return [_words(event, ctx.texts.render(f"kf.{intent.value}", hotline=ctx.settings.hotline))]


@router.on(KfText, kf_wants(Intent.HUMAN_AGENT, Intent.INVESTMENT_ADVICE, Intent.APPOINTMENT))
async def bring_person(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Confirm that a person will come, and make it the manager's task."""
    return await _say_and_hand_over(event, ctx)


@router.on(KfText, kf_answers(QuestionKind.KF_CHOICE), _picks_a_number)
async def answer_pick(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Answer with the script whose number the customer replied with."""
    script = _picked_script(event, ctx)
    if script is None:
        return [_words(event, ctx.texts["kf.choose_gone"])]
    await do_forget_question(ctx.tx, event)
    ctx.trace.note("script", id=script.id, version=script.version, chosen=True)
    return await _say(event, script, ctx)


@router.on(KfText, kf_wants(Intent.GREETING, Intent.THANKS, Intent.AFFIRM, Intent.DENY))
async def answer_courtesy(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Return the courtesy."""
    intent = ctx.understand(event.text, "customer").intent
    key = {Intent.GREETING: "greeting", Intent.THANKS: "thanks"}.get(intent, "closing")
    return [_words(event, ctx.texts[f"kf.{key}"])]


@router.on(KfText)
async def answer_question(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Answer from scripts approved for customers, offer a numbered list when unsure, else bring a person.

    Who asks what to buy gets the suitability wording and a person even where a script has an answer.
    """
    intent = ctx.understand(event.text, "customer")
    outcome = match_script(ctx, event.text, Audience.CUSTOMER)
    if outcome.kind is MatchKind.ANSWER:
        said = await _say(event, outcome.candidates[0].script, ctx)
        advice = ctx.intends(event.text, "customer", Intent.INVESTMENT_ADVICE)
        return [*said, *await _say_and_hand_over(event, ctx)] if advice else said
    if intent.intent is Intent.OUT_OF_SCOPE and intent.confidence >= ctx.settings.intent_threshold:
        return [_words(event, ctx.texts["kf.out_of_scope"])]
    if outcome.kind is MatchKind.CHOICES:
        return [await _offer(event, outcome.candidates, ctx)]
    return await _give_up(event, ctx)


@router.on(KfOtherMessage)
async def ask_for_words(event: KfOtherMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say honestly that only words are understood."""
    return [Reply(KfChat(event.open_kfid, event.customer_id), Text(ctx.texts["fallback.customer_other"]), "fallback")]


async def _say_and_hand_over(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    intent = ctx.understand(event.text, "customer").intent
    manager = await find_manager(ctx, event.customer_id)
    told = await hand_over(ctx, manager, event.customer_id, event.text, intent.value, "kf", event.msg_id)
    return [_words(event, ctx.texts.render(f"kf.{intent.value}", hotline=ctx.settings.hotline)), *told]


async def _say(event: KfText, script: Script, ctx: DeskContext) -> Sequence[Reply]:
    answer = await answer_customer(ctx, script, await find_manager(ctx, event.customer_id))
    if answer is None:
        return await _give_up(event, ctx)
    return [answer.to(KfChat(event.open_kfid, event.customer_id))]


async def _give_up(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    manager = await find_manager(ctx, event.customer_id)
    told = await hand_over(ctx, manager, event.customer_id, event.text, "no_script", "kf", event.msg_id)
    return [_words(event, ctx.texts.render("kf.none", hotline=ctx.settings.hotline)), *told]


async def _offer(event: KfText, candidates: Sequence[Candidate], ctx: DeskContext) -> Reply:
    scripts = [candidate.script for candidate in candidates]
    known = {"scripts": [script.id for script in scripts]}
    await do_ask(ctx.tx, event, QuestionKind.KF_CHOICE, known, ctx.now, ctx.question_wait)
    lines = "\n".join(
        ctx.texts.render("kf.choose_line", number=number, title=script.title)
        for number, script in enumerate(scripts, start=1)
    )
    return Reply(
        KfChat(event.open_kfid, event.customer_id),
        Text(ctx.texts.render("kf.choose", lines=lines)),
        "script_choices",
        {"scripts": [script.id for script in scripts]},
    )


def _picked_script(event: KfText, ctx: DeskContext) -> Script | None:
    match = _NUMBER.match(fold_width(event.text.strip()))
    offered = ctx.pending.known.get("scripts") if ctx.pending else None
    number = parse_numeral(match[1]) if match else None
    if not isinstance(offered, list) or number is None or not 1 <= number <= len(offered):
        return None
    return find_valid_script(ctx, str(offered[number - 1]), Audience.CUSTOMER)


def _words(event: KfText, body: str) -> Reply:
    return Reply(KfChat(event.open_kfid, event.customer_id), Text(body), "kf_dialogue")
