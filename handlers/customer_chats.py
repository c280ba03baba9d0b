"""A customer's words in a group or a single chat, read from the archive: help for the manager, who answers.

The platform lets no program write there (10-platform-boundaries.md), so the manager gets a card with the approved
reply; ordinary chatter gets nothing at all.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.context import Button, Card, Reply, StaffChat, Text
from bot.errors import Forbidden, NotFound
from bot.events import CardButtonClicked, CustomerChatText
from bot.ids import StaffId, new_id
from bot.json import JSON
from bot.router import Router
from customers import AibotCapability, CustomerGroupRow, StaffRow, find_customer, find_group, find_staff
from handlers.answers import Answer, answer_customer, match_script
from handlers.cards import close_card
from handlers.context import DeskContext
from handlers.filters import chat_wants, pressed
from handlers.handover import alert, hand_over
from handlers.intent_labels import Intent
from handlers.models import ReplySuggestionRow
from handlers.suggestions import access_suggestion, do_offer_reply
from knowledge_base import Audience, MatchKind

router: Router[DeskContext] = Router("customer_chats")

_QUESTION = re.compile(
    r"[?？]|吗|呢$|怎么|咋|如何|多少|什么|啥|哪|几(?:点|个|天|年|时|号)|能不能|可不可以|可以.{0,8}不|有没有|是不是|要不要|多久|为什么|请问|想问|咨询|了解|利率"
)
_MENTION = re.compile(r"@\S*(?:助手|机器人|小助理|客服)")
_BUTTON_CHARS = 12


@dataclass(frozen=True, slots=True)
class _Scene:
    """Who must know, and where it was said. `group` is `None` in a single chat."""

    manager: StaffRow
    customer: str
    group: CustomerGroupRow | None

    @property
    def channel(self) -> str:
        return "group" if self.group else "chat"


def _is_question(event: CustomerChatText, ctx: DeskContext) -> bool:
    return _QUESTION.search(event.text) is not None


@router.on(CustomerChatText, chat_wants(Intent.LOST_CARD, Intent.FRAUD_REPORT, Intent.COMPLAINT))
async def alert_manager(event: CustomerChatText, ctx: DeskContext) -> Sequence[Reply]:
    """Tell the manager at once of danger or anger."""
    scene = await _scene(event, ctx)
    if scene is None or _bot_answers(event, scene):  # the bot, which heard it too, has told the manager
        return ()
    reason = ctx.understand(event.text, "customer").intent.value
    await hand_over(ctx, scene.manager, event.customer_id, event.text, reason, scene.channel, event.msg_id)
    group = scene.group.name if scene.group else None
    return [alert(ctx, StaffId(scene.manager.id), scene.customer, event.text, reason, scene.channel, group)]


@router.on(CustomerChatText, _is_question)
async def suggest_reply(event: CustomerChatText, ctx: DeskContext) -> Sequence[Reply]:
    """Offer the approved reply to the group's owner (or the single chat's manager); a few when unsure."""
    scene = await _scene(event, ctx)
    if scene is None or _bot_answers(event, scene):
        return ()
    answers = await _approved_answers(event, scene, ctx)
    if not answers:
        return ()
    offered = [
        await do_offer_reply(
            ctx.tx,
            StaffId(scene.manager.id),
            event.chat_id,
            event.customer_id,
            event.text,
            event.msg_id,
            answer,
            ctx.now,
        )
        for answer in answers
    ]
    ctx.trace.note("suggestion", to=scene.manager.id, ids=[row.id for row in offered])
    if len(offered) == 1:
        return [_suggestion(scene.manager.id, offered[0], scene.customer, scene.group, answers[0], ctx)]
    return [_choices(scene, event.text, offered, answers, ctx)]


@router.on(CustomerChatText)
async def leave_chatter_alone(event: CustomerChatText, ctx: DeskContext) -> Sequence[Reply]:
    """Do nothing about words that ask for nothing."""
    ctx.trace.note("decision", name="quiet", reason="chatter")
    return ()


@router.on(CardButtonClicked, pressed("suggestion"))
async def show_suggestion(event: CardButtonClicked, ctx: DeskContext) -> Sequence[Reply]:
    """Show the reply the manager chose among several, ready to be sent."""
    try:
        row = await access_suggestion(ctx.tx, event.staff_id, event.key.split(":", 1)[1])
    except (NotFound, Forbidden):
        gone = Reply(StaffChat(event.staff_id), Text(ctx.texts["suggestion.gone"]), "suggestion_gone")
        return [gone, *close_card(event, ctx, "gone")]
    return [_suggestion(event.staff_id, row, None, None, None, ctx), *close_card(event, ctx, "chosen")]


async def _scene(event: CustomerChatText, ctx: DeskContext) -> _Scene | None:
    group = await find_group(ctx.tx, event.chat_id) if event.chat_id else None
    staff_id = group.owner_id if group else event.staff_id
    manager = await find_staff(ctx.tx, StaffId(staff_id)) if staff_id else None
    if manager is None or not manager.active:
        ctx.trace.note("decision", name="quiet", reason="nobody to tell")
        return None
    customer = await find_customer(ctx.tx, event.customer_id)
    return _Scene(manager, customer.name if customer else ctx.texts["handover.fact_customer"], group)


def _bot_answers(event: CustomerChatText, scene: _Scene) -> bool:
    """Tell whether the AI bot was mentioned in a group that admits it: then it answers itself."""
    admitted = scene.group is not None and scene.group.aibot is AibotCapability.ADMITTED
    return admitted and _MENTION.search(event.text) is not None


async def _approved_answers(event: CustomerChatText, scene: _Scene, ctx: DeskContext) -> list[Answer]:
    outcome = match_script(ctx, _MENTION.sub("", event.text), Audience.CUSTOMER)
    if outcome.kind is MatchKind.NONE:
        return []
    several = outcome.kind is MatchKind.CHOICES
    candidates = outcome.candidates if several else outcome.candidates[:1]
    answers = [await answer_customer(ctx, candidate.script, scene.manager) for candidate in candidates]
    return [answer for answer in answers if answer is not None]


def _suggestion(
    staff_id: str,
    row: ReplySuggestionRow,
    customer: str | None,
    group: CustomerGroupRow | None,
    answer: Answer | None,
    ctx: DeskContext,
) -> Reply:
    texts = ctx.texts
    facts = [(texts["suggestion.fact_question"], row.question)]
    if customer:
        facts.insert(0, (texts["suggestion.fact_customer"], customer))
    if group:
        facts.insert(0, (texts["suggestion.fact_group"], group.name))
    card = Card(
        title=texts["suggestion.title"],
        description=row.text,
        facts=tuple(facts),
        url=f"{ctx.settings.public_url}/sidebar/reply/{row.id}",
        url_text=texts["suggestion.send"],
    )
    proof: dict[str, JSON] = {"script": row.script_id, "version": row.script_version, "suggestion": row.id}
    if answer is not None:
        proof |= answer.evidence
    return Reply(StaffChat(StaffId(staff_id)), card, "customer_question", proof)


def _choices(
    scene: _Scene,
    question: str,
    offered: Sequence[ReplySuggestionRow],
    answers: Sequence[Answer],
    ctx: DeskContext,
) -> Reply:
    texts = ctx.texts
    facts = [(texts["suggestion.fact_customer"], scene.customer), (texts["suggestion.fact_question"], question)]
    if scene.group:
        facts.insert(0, (texts["suggestion.fact_group"], scene.group.name))
    card = Card(
        title=texts["suggestion.choose_title"],
        description="\n".join(
            texts.render("script.choose_line", number=number, title=answer.script.title)
            for number, answer in enumerate(answers, start=1)
        ),
        facts=tuple(facts),
        buttons=tuple(
            Button(answer.script.title[:_BUTTON_CHARS], f"suggestion:{row.id}")
            for row, answer in zip(offered, answers, strict=True)
        ),
        task_id=new_id("reply"),
    )
    return Reply(StaffChat(StaffId(scene.manager.id)), card, "customer_question")
