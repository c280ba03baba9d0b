"""Customers in 微信客服: approved answers at once, danger to the hotline, everything else to a person.

While a person has the session, or it waits for one, nothing is said here (bot/kf).
"""

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.context import KfChat, KfWelcome, Menu, MenuItem, Reply, Text
from bot.events import Event, KfOtherMessage, KfSessionChanged, KfSessionEntered, KfText, KfUnknownMessage
from bot.router import Router
from customers import do_set_opted_out, find_customer
from handlers.answers import answer_customer, find_manager, find_valid_script, match_script
from handlers.context import DeskContext
from handlers.dialogue import QuestionKind, do_ask, do_forget_question
from handlers.filters import kf_answers, kf_wants
from handlers.handover import hand_over, transfer_session
from handlers.intent_labels import Intent
from handlers.numerals import fold_width, parse_numeral
from knowledge_base import Audience, Candidate, MatchKind, Script

router: Router[DeskContext] = Router("kf")

_NUMBER = re.compile(r"^(?:第|选|回复|是)?\s*([1-9一二三四五六七八九])(?:个|条|项|号)?[.。!！]?$")
_SCRIPT = "script:"
_HUMAN = "human"
_WELCOME_LIFE = timedelta(seconds=20)  # 07-kf.md, 7.2


def _picks_a_number(event: KfText, ctx: DeskContext) -> bool:
    return _NUMBER.match(fold_width(event.text.strip())) is not None


def _taps_script(event: KfText, ctx: DeskContext) -> bool:
    return event.menu_id is not None and event.menu_id.startswith(_SCRIPT)


def _taps_human(event: KfText, ctx: DeskContext) -> bool:
    return event.menu_id == _HUMAN


def _is_with_human(event: Event, ctx: DeskContext) -> bool:
    """Ask whether a person has the session, or had it when this was written."""
    return ctx.kf is not None and (ctx.kf.with_human or ctx.cause <= ctx.kf.quiet_until)


@router.on(KfSessionEntered)
async def welcome(event: KfSessionEntered, ctx: DeskContext) -> Sequence[Reply]:
    """Greet one who enters, while the code of the entry is good; without a code the platform wants no greeting."""
    if not event.welcome_code:
        return ()
    head = ctx.texts.render("kf.welcome", bank=ctx.settings.bank_name, hotline=ctx.settings.hotline)
    offered = [find_valid_script(ctx, script_id, Audience.CUSTOMER) for script_id in ctx.settings.kf_menu]
    items = [_item(script) for script in offered if script is not None]
    menu = Menu(head, (*items, MenuItem(_HUMAN, ctx.texts["kf.menu_human"])))
    address = KfWelcome(event.welcome_code, event.open_kfid, event.customer_id)
    expires_at = min(event.occurred_at or ctx.now, ctx.now) + _WELCOME_LIFE
    return [Reply(address, menu, "welcome", expires_at=expires_at)]


async def leave_to_servicer(event: Event, ctx: DeskContext) -> Sequence[Reply]:
    """Keep quiet: a person answers, and the platform would refuse our words."""
    ctx.trace.note("decision", name="quiet", reason="servicer", servicer=ctx.kf.servicer if ctx.kf else None)
    return ()


for _kind in (KfText, KfOtherMessage, KfUnknownMessage):
    router.on(_kind, _is_with_human)(leave_to_servicer)


@router.on(KfSessionChanged)
async def note_change(event: KfSessionChanged, ctx: DeskContext) -> Sequence[Reply]:
    """Note who has the session now; the account learnt it when the item was pulled, and nobody waits for words."""
    ctx.trace.note("kf_session", change=event.change_type.value, servicer=event.new_servicer)
    return ()


@router.on(KfText, _taps_script)
async def answer_tap(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    """Answer with the script that was tapped in a menu."""
    script_id = (event.menu_id or "").removeprefix(_SCRIPT)
    script = find_valid_script(ctx, script_id, Audience.CUSTOMER)
    if script is None:
        return [_words(event, ctx.texts["kf.choose_gone"])]
    await do_forget_question(ctx.tx, event)
    ctx.trace.note("script", id=script.id, version=script.version, chosen=True)
    return await _say(event, script, ctx)


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


@router.on(KfText, _taps_human)
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


async def ask_for_words(event: KfOtherMessage | KfUnknownMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say honestly that only words are understood."""
    return [Reply(KfChat(event.open_kfid, event.customer_id), Text(ctx.texts["fallback.customer_other"]), "fallback")]


router.on(KfOtherMessage)(ask_for_words)
router.on(KfUnknownMessage)(ask_for_words)


async def _say_and_hand_over(event: KfText, ctx: DeskContext) -> Sequence[Reply]:
    tapped = event.menu_id == _HUMAN
    reason = (Intent.HUMAN_AGENT if tapped else ctx.understand(event.text, "customer").intent).value
    manager = await find_manager(ctx, event.customer_id)
    told = await hand_over(ctx, manager, event.customer_id, event.text, reason, "kf", event.msg_id)
    words = _words(event, ctx.texts.render(f"kf.{reason}", hotline=ctx.settings.hotline))
    return [words, *told, *transfer_session(ctx, event, manager, reason)]


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
    return Reply(
        KfChat(event.open_kfid, event.customer_id),
        Menu(ctx.texts["kf.choose"], tuple(_item(script) for script in scripts), ctx.texts["kf.choose_how"]),
        "script_choices",
        {"scripts": [script.id for script in scripts]},
    )


def _item(script: Script) -> MenuItem:
    return MenuItem(f"{_SCRIPT}{script.id}", script.title)


def _picked_script(event: KfText, ctx: DeskContext) -> Script | None:
    match = _NUMBER.match(fold_width(event.text.strip()))
    offered = ctx.pending.known.get("scripts") if ctx.pending else None
    number = parse_numeral(match[1]) if match else None
    if not isinstance(offered, list) or number is None or not 1 <= number <= len(offered):
        return None
    return find_valid_script(ctx, str(offered[number - 1]), Audience.CUSTOMER)


def _words(event: KfText, body: str) -> Reply:
    return Reply(KfChat(event.open_kfid, event.customer_id), Text(body), "kf_dialogue")
