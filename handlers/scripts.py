"""A manager asks about a product or a procedure, or wants wording: the approved script with its source."""

from collections.abc import Sequence

from bot.context import Button, Card, Reply, StaffChat, Text
from bot.events import CardButtonClicked, StaffTextMessage
from bot.ids import StaffId, new_id
from bot.router import Router
from handlers.answers import answer_staff, find_valid_script, match_script
from handlers.cards import close_card
from handlers.context import DeskContext
from handlers.filters import pressed, staff_wants
from handlers.intent_labels import MANAGERS, Intent
from knowledge_base import Audience, Candidate, MatchKind, Script
from sop import TodoKind, do_create_todo

router: Router[DeskContext] = Router("scripts")

# What a script can answer. Everything else a manager may mean is another handler's, or the workbench's.
ANSWERED = (Intent.ASK_SCRIPT, Intent.QUERY_PRODUCT_RATE, Intent.QUERY_PRODUCT_DETAIL)
# Known wishes that the conversation does not serve yet: sent to the workbench rather than answered beside the point.
LATER = MANAGERS - {
    *ANSWERED,
    Intent.COMPLIANCE_CHECK,
    Intent.TODAYS_TASKS,
    Intent.CUSTOMER_PROFILE,
    Intent.SCHEDULE_BROADCAST,
}
_BUTTON_CHARS = 12


def _is_worded_like_a_script(event: StaffTextMessage, ctx: DeskContext) -> bool:
    """Ask the library itself: a question it answers surely is one, whatever the intent was taken for."""
    return ctx.ask_library(event.text, Audience.RM).kind is MatchKind.ANSWER


@router.on(StaffTextMessage, staff_wants(*ANSWERED))
async def answer_question(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Answer with the best script, offer a few when unsure, and say so honestly when none fits."""
    return await _answer(event, ctx)


@router.on(CardButtonClicked, pressed("script"))
async def answer_choice(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Answer with the script whose button was pressed, in the version in force now."""
    script = find_valid_script(ctx, event.key.split(":")[1], Audience.RM)
    if script is None:
        gone = Reply(StaffChat(event.staff_id), Text(ctx.texts["script.gone"]), "script_gone")
        return [gone, *close_card(event, ctx, "gone")]
    ctx.trace.note("script", id=script.id, version=script.version, chosen=True)
    return [*await _say(event.staff_id, script, ctx), *close_card(event, ctx, "chosen")]


@router.on(StaffTextMessage, staff_wants(*LATER))
async def point_to_workbench(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say that this is understood but not done in the chat, unless the library knows the very question."""
    if _is_worded_like_a_script(event, ctx):
        return await _answer(event, ctx)
    intent = ctx.understand(event.text, "rm").intent
    body = ctx.texts.render("later.body", intent=ctx.texts[f"intent.{intent.value}"], url=f"{ctx.settings.public_url}/")
    return [Reply(StaffChat(event.staff_id), Text(body), "not_in_chat")]


@router.on(StaffTextMessage, staff_wants(Intent.OUT_OF_SCOPE))
async def decline_small_talk(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Say politely what the assistant is for, unless the library knows the very question."""
    if _is_worded_like_a_script(event, ctx):
        return await _answer(event, ctx)
    return [Reply(StaffChat(event.staff_id), Text(ctx.texts["fallback.staff_limit"]), "out_of_scope")]


@router.on(StaffTextMessage)
async def try_the_library(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Take words no other route was sure of as a question to the library."""
    return await _answer(event, ctx)


async def _answer(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    outcome = match_script(ctx, event.text, Audience.RM)
    if outcome.kind is MatchKind.ANSWER:
        return await _say(event.staff_id, outcome.candidates[0].script, ctx)
    if outcome.kind is MatchKind.CHOICES:
        return [_choices(event.staff_id, outcome.candidates, ctx)]
    return [await _hand_to_owner(event, ctx)]


async def _say(staff_id: StaffId, script: Script, ctx: DeskContext) -> Sequence[Reply]:
    return [(await answer_staff(ctx, script)).to(StaffChat(staff_id))]


def _choices(staff_id: StaffId, candidates: Sequence[Candidate], ctx: DeskContext) -> Reply:
    scripts = [candidate.script for candidate in candidates]
    lines = [
        ctx.texts.render("script.choose_line", number=number, title=script.title)
        for number, script in enumerate(scripts, start=1)
    ]
    card = Card(
        title=ctx.texts["script.choose_title"],
        description="\n".join(lines),
        buttons=tuple(
            Button(script.title[:_BUTTON_CHARS], f"script:{script.id}:{script.version}") for script in scripts
        ),
        task_id=new_id("ask"),
    )
    return Reply(StaffChat(staff_id), card, "script_choices", {"scripts": [script.id for script in scripts]})


async def _hand_to_owner(event: StaffTextMessage, ctx: DeskContext) -> Reply:
    owner = ctx.settings.knowledge_owner
    ctx.trace.note("handover", to=owner or None, reason="no_script")
    if not owner:
        return Reply(StaffChat(event.staff_id), Text(ctx.texts["script.none_unrouted"]), "no_script")
    await do_create_todo(
        ctx.tx,
        StaffId(owner),
        TodoKind.FOLLOW_UP,
        ctx.texts["script.todo_title"],
        ctx.texts.render("script.todo_body", name=ctx.actor.name if ctx.actor else event.staff_id, question=event.text),
        f"question:{event.msg_id}",
        ctx.now,
        once_key=f"knowledge:{event.msg_id}",
    )
    return Reply(StaffChat(event.staff_id), Text(ctx.texts["script.none"]), "no_script")
