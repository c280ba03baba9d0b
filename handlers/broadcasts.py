"""A broadcast planned by chat: gather time, groups and script, show the draft, send only after a yes."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from bot.clock import CHINA
from bot.context import Button, Card, Reply, StaffChat, Text
from bot.errors import Conflict, Forbidden, NotFound
from bot.events import CardButtonClicked, StaffTextMessage
from bot.ids import StaffId, new_id
from bot.router import Router
from customers import CustomerGroupRow, list_groups_of
from handlers.answers import answer_groups, find_valid_script, list_scripts_about, match_script
from handlers.broadcast_wishes import (
    ALL_GROUPS,
    BroadcastWish,
    Gap,
    is_cancel,
    is_confirm,
    join_wishes,
    match_groups,
    next_gap,
    read_audience,
    read_time,
    read_wish,
)
from handlers.cards import close_card
from handlers.context import DeskContext
from handlers.dialogue import QuestionKind, do_ask, do_forget_question
from handlers.filters import pressed, staff_answers, staff_wants
from handlers.intent_labels import Intent
from knowledge_base import Audience, MatchKind, Script
from sop import BroadcastDraft, GroupAudience, do_cancel_broadcast, do_confirm_broadcast, do_draft_broadcast

router: Router[DeskContext] = Router("broadcasts")

_PURPOSE = "broadcast_dialogue"
_GATHERING = (QuestionKind.BROADCAST_TIME, QuestionKind.BROADCAST_SCRIPT, QuestionKind.BROADCAST_AUDIENCE)
_NAMED_GROUPS = 3
_BUTTON_CHARS = 12
_MOST_CHOICES = 5


def _agrees(event: StaffTextMessage, ctx: DeskContext) -> bool:
    return is_confirm(event.text)


def _calls_off(event: StaffTextMessage, ctx: DeskContext) -> bool:
    return is_cancel(event.text)


def _stays_on_topic(event: StaffTextMessage, ctx: DeskContext) -> bool:
    """Ask whether the words can be the answer we wait for, and are not a clear wish for something else."""
    match = ctx.understand(event.text, "rm")
    elsewhere = match.confidence >= 0.9 and match.intent in {
        Intent.TODAYS_TASKS,
        Intent.COMPLIANCE_CHECK,
        Intent.CUSTOMER_PROFILE,
        Intent.GREETING,
    }
    return not elsewhere


# -- the yes or no to a draft


@router.on(StaffTextMessage, staff_answers(QuestionKind.BROADCAST_CONFIRM), _agrees)
async def confirm_by_word(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Schedule the draft shown last."""
    return await _confirm(event, event.staff_id, _pending_broadcast(ctx), ctx)


@router.on(StaffTextMessage, staff_answers(QuestionKind.BROADCAST_CONFIRM), _calls_off)
async def cancel_by_word(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Cancel the draft shown last."""
    return await _cancel(event, event.staff_id, _pending_broadcast(ctx), ctx)


@router.on(CardButtonClicked, pressed("broadcast-confirm"))
async def confirm_by_button(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Schedule the draft on the card; pressing twice schedules once."""
    return await _confirm(event, event.staff_id, event.key.split(":", 1)[1], ctx)


@router.on(CardButtonClicked, pressed("broadcast-cancel"))
async def cancel_by_button(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Cancel the draft on the card."""
    return await _cancel(event, event.staff_id, event.key.split(":", 1)[1], ctx)


# -- gathering what is missing


@router.on(StaffTextMessage, staff_answers(*_GATHERING), _calls_off)
async def stop_gathering(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Forget the half-gathered broadcast."""
    await do_forget_question(ctx.tx, event)
    return [_words(event.staff_id, ctx.texts["broadcast.cancelled_asking"])]


@router.on(StaffTextMessage, staff_wants(Intent.SCHEDULE_BROADCAST))
async def plan_broadcast(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Draft the broadcast, or ask the one question that is needed next; adds to what was gathered before."""
    wish = read_wish(event.text, ctx.now)
    if ctx.pending is not None and ctx.pending.kind in _GATHERING:
        wish = join_wishes(BroadcastWish.from_json(ctx.pending.known), wish)
    return [await _proceed(event, wish, ctx)]


@router.on(StaffTextMessage, staff_answers(*_GATHERING), _stays_on_topic)
async def take_answer(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Take the words as the answer to our question, and go on."""
    return [await _proceed(event, _with_answer(event.text, ctx), ctx)]


@router.on(CardButtonClicked, pressed("broadcast-script"))
async def take_script(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Take the script whose button was pressed, if the gathering is still open."""
    if ctx.pending is None or ctx.pending.kind is not QuestionKind.BROADCAST_SCRIPT:
        return [_words(event.staff_id, ctx.texts["broadcast.expired"]), *close_card(event, ctx, "gone")]
    wish = replace(BroadcastWish.from_json(ctx.pending.known), script_id=event.key.split(":", 1)[1])
    return [await _proceed(event, wish, ctx), *close_card(event, ctx, "chosen")]


def _with_answer(text: str, ctx: DeskContext) -> BroadcastWish:
    if ctx.pending is None:
        return BroadcastWish()
    wish = BroadcastWish.from_json(ctx.pending.known)
    if ctx.pending.kind is QuestionKind.BROADCAST_TIME:
        return read_time(wish, text, ctx.now)
    if ctx.pending.kind is QuestionKind.BROADCAST_AUDIENCE:
        return read_audience(wish, text)
    return replace(wish, topic=text.strip(), script_id=None)


async def _proceed(event: StaffTextMessage | CardButtonClicked, wish: BroadcastWish, ctx: DeskContext) -> Reply:
    groups = await list_groups_of(ctx.tx, event.staff_id)
    if not groups:
        await do_forget_question(ctx.tx, event)
        return _words(event.staff_id, ctx.texts["broadcast.no_groups"])
    gap = next_gap(wish)
    if gap is not None:
        return await _ask(event, gap, wish, groups, ctx)
    chosen = match_groups(wish.audience or ALL_GROUPS, [group.name for group in groups])
    if not chosen:
        question = ctx.texts.render("broadcast.unknown_group", groups=_names(groups))
        return await _ask_for(event, QuestionKind.BROADCAST_AUDIENCE, replace(wish, audience=None), question, ctx)
    if len(chosen) == 1:
        wish = replace(wish, audience=chosen[0])
    script = await _find_script(event, wish, ctx)
    return script if isinstance(script, Reply) else await _draft(event, wish, script, ctx)


async def _find_script(
    event: StaffTextMessage | CardButtonClicked, wish: BroadcastWish, ctx: DeskContext
) -> Script | Reply:
    """Return the script that is meant, or the question that settles it."""
    if wish.script_id is not None:
        script = find_valid_script(ctx, wish.script_id, Audience.CUSTOMER)
        if script is not None:
            return script
    outcome = match_script(ctx, wish.topic or "", Audience.CUSTOMER)
    if outcome.kind is MatchKind.ANSWER:
        return outcome.candidates[0].script
    wish = replace(wish, script_id=None)
    scripts: Sequence[Script] = [candidate.script for candidate in outcome.candidates]
    if outcome.kind is MatchKind.NONE:
        scripts = list_scripts_about(ctx, wish.topic or "", Audience.CUSTOMER, _MOST_CHOICES) if wish.topic else ()
    if not scripts:
        question = ctx.texts.render("broadcast.no_script", topic=(wish.topic or "")[:20])
        return await _ask_for(event, QuestionKind.BROADCAST_SCRIPT, wish, question, ctx)
    await do_ask(ctx.tx, event, QuestionKind.BROADCAST_SCRIPT, wish.as_json(), ctx.now, ctx.question_wait)
    return _script_choices(event.staff_id, scripts, ctx)


async def _draft(
    event: StaffTextMessage | CardButtonClicked, wish: BroadcastWish, script: Script, ctx: DeskContext
) -> Reply:
    answer = await answer_groups(ctx, script)
    if answer is None or wish.send_at is None:
        question = ctx.texts.render("broadcast.no_script", topic=script.title)
        return await _ask_for(event, QuestionKind.BROADCAST_SCRIPT, wish, question, ctx)
    draft = await do_draft_broadcast(
        ctx.tx,
        event.staff_id,
        (script.id, script.version),
        answer.text,
        GroupAudience((event.staff_id,), name_contains=wish.audience or None),
        wish.send_at,
        ctx.now,
        gate=ctx.gate,
        settings=ctx.services.sop,
    )
    ctx.trace.note("broadcast", id=draft.id, allowed=draft.allowed, groups=draft.audience_count)
    if not draft.allowed:
        await do_forget_question(ctx.tx, event)
        return Reply(StaffChat(event.staff_id), _refusal(draft, ctx), "blocked_notice")
    await do_ask(ctx.tx, event, QuestionKind.BROADCAST_CONFIRM, {"broadcast": draft.id}, ctx.now, ctx.question_wait)
    return Reply(StaffChat(event.staff_id), _draft_card(draft, script, ctx), "broadcast_draft", {"broadcast": draft.id})


async def _ask(
    event: StaffTextMessage | CardButtonClicked,
    gap: Gap,
    wish: BroadcastWish,
    groups: Sequence[CustomerGroupRow],
    ctx: DeskContext,
) -> Reply:
    day = _day(wish.send_on or ctx.now)
    texts = ctx.texts
    question, kind = {
        Gap.TIME: (texts["broadcast.ask_time"], QuestionKind.BROADCAST_TIME),
        Gap.HOUR: (texts.render("broadcast.ask_hour", day=day), QuestionKind.BROADCAST_TIME),
        Gap.PAST: (texts.render("broadcast.past", time=day), QuestionKind.BROADCAST_TIME),
        Gap.MOMENT: (texts.render("broadcast.range", day=day), QuestionKind.BROADCAST_TIME),
        Gap.RECURRING: (texts["broadcast.recurring"], QuestionKind.BROADCAST_TIME),
        Gap.AUDIENCE: (
            texts.render("broadcast.ask_audience", groups=_names(groups)),
            QuestionKind.BROADCAST_AUDIENCE,
        ),
        Gap.SEGMENT: (texts.render("broadcast.segment", groups=_names(groups)), QuestionKind.BROADCAST_AUDIENCE),
        Gap.SCRIPT: (texts["broadcast.ask_script"], QuestionKind.BROADCAST_SCRIPT),
    }[gap]
    if gap is Gap.PAST:  # the hour of the next answer is not meant for the day gone by
        wish = replace(wish, send_on=None)
    return await _ask_for(event, kind, wish, question, ctx)


async def _ask_for(
    event: StaffTextMessage | CardButtonClicked,
    kind: QuestionKind,
    wish: BroadcastWish,
    question: str,
    ctx: DeskContext,
) -> Reply:
    await do_ask(ctx.tx, event, kind, wish.as_json(), ctx.now, ctx.question_wait)
    ctx.trace.note("question", kind=kind.value)
    return _words(event.staff_id, question)


async def _confirm(
    event: StaffTextMessage | CardButtonClicked, staff_id: StaffId, broadcast_id: str, ctx: DeskContext
) -> Sequence[Reply]:
    try:
        row = await do_confirm_broadcast(ctx.tx, broadcast_id, staff_id, ctx.now, settings=ctx.services.sop)
    except (NotFound, Forbidden, Conflict) as refused:
        ctx.trace.note("broadcast", id=broadcast_id, refused=refused.code)
        return [_words(staff_id, ctx.texts["broadcast.gone"]), *close_card(event, ctx, "handled")]
    await do_forget_question(ctx.tx, event)
    ctx.trace.note("broadcast", id=broadcast_id, state=row.state.value)
    said = _words(staff_id, ctx.texts.render("broadcast.confirmed", time=_moment(row.send_at)))
    return [said, *close_card(event, ctx, "confirmed")]


async def _cancel(
    event: StaffTextMessage | CardButtonClicked, staff_id: StaffId, broadcast_id: str, ctx: DeskContext
) -> Sequence[Reply]:
    try:
        row = await do_cancel_broadcast(ctx.tx, broadcast_id, staff_id, ctx.now)
    except (NotFound, Forbidden, Conflict) as refused:
        ctx.trace.note("broadcast", id=broadcast_id, refused=refused.code)
        return [_words(staff_id, ctx.texts["broadcast.gone"]), *close_card(event, ctx, "handled")]
    await do_forget_question(ctx.tx, event)
    ctx.trace.note("broadcast", id=broadcast_id, state=row.state.value)
    said = _words(staff_id, ctx.texts["broadcast.cancelled"])
    return [said, *close_card(event, ctx, "cancelled")]


def _pending_broadcast(ctx: DeskContext) -> str:
    return str(ctx.pending.known.get("broadcast", "")) if ctx.pending else ""


def _draft_card(draft: BroadcastDraft, script: Script, ctx: DeskContext) -> Card:
    texts = ctx.texts
    return Card(
        title=texts["broadcast.card_title"],
        description=draft.text,
        facts=(
            (texts["broadcast.fact_time"], _moment(draft.send_at)),
            (texts["broadcast.fact_audience"], _audience_words(draft, ctx)),
            (
                texts["broadcast.fact_script"],
                texts.render("broadcast.script", title=script.title, id=script.id, version=script.version),
            ),
            (texts["broadcast.fact_quota"], draft.quota_note),
            (texts["broadcast.fact_compliance"], texts["broadcast.compliant"]),
        ),
        buttons=(
            Button(texts["broadcast.confirm"], f"broadcast-confirm:{draft.id}"),
            Button(texts["broadcast.cancel"], f"broadcast-cancel:{draft.id}", style=2),
        ),
        task_id=f"bc-{draft.id}",
    )


def _audience_words(draft: BroadcastDraft, ctx: DeskContext) -> str:
    if len(draft.group_names) > _NAMED_GROUPS:
        return ctx.texts.render("broadcast.audience", count=draft.audience_count)
    return ctx.texts.render("broadcast.audience_named", count=draft.audience_count, groups="、".join(draft.group_names))


def _refusal(draft: BroadcastDraft, ctx: DeskContext) -> Text:
    lines = [ctx.texts["broadcast.card_refused"], *draft.problems]
    terms = dict.fromkeys(str(finding.get("term", "")) for finding in draft.findings)
    if terms:
        lines.append(ctx.texts.render("broadcast.not_compliant", terms="、".join(terms)))
    return Text("\n".join(lines))


def _script_choices(staff_id: StaffId, scripts: Sequence[Script], ctx: DeskContext) -> Reply:
    card = Card(
        title=ctx.texts["broadcast.choose_script"],
        description="\n".join(
            ctx.texts.render("script.choose_line", number=number, title=script.title)
            for number, script in enumerate(scripts, start=1)
        ),
        buttons=tuple(Button(script.title[:_BUTTON_CHARS], f"broadcast-script:{script.id}") for script in scripts),
        task_id=new_id("ask"),
    )
    return Reply(StaffChat(staff_id), card, _PURPOSE)


def _names(groups: Sequence[CustomerGroupRow]) -> str:
    return "、".join(group.name for group in groups[:5])


def _moment(at: datetime) -> str:
    local = at.astimezone(CHINA)
    return f"{local:%Y-%m-%d %H:%M}"


def _day(at: datetime) -> str:
    local = at.astimezone(CHINA)
    return f"{local:%m-%d}"


def _words(staff_id: StaffId, body: str) -> Reply:
    return Reply(StaffChat(staff_id), Text(body), _PURPOSE)
