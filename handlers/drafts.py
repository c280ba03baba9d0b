"""「帮我看看这段话能不能发：…」: what is wrong with a draft, why, and how it may be said."""

import re
from collections.abc import Sequence

from bot.context import Reply, StaffChat, Text
from bot.events import StaffTextMessage
from bot.router import Router
from compliance import Advice, DraftReport, check_draft
from handlers.context import DeskContext
from handlers.filters import staff_wants
from handlers.intent_labels import Intent

router: Router[DeskContext] = Router("drafts")

_AFTER_MARK = re.compile(
    r"^.{2,30}?[:：]\s*(?P<draft>.{2,})$|^.{0,30}?[“\"「『](?P<quoted>.{2,})[”\"」』].{0,20}$", re.S
)
_AFTER_SPACE = re.compile(r"^(?P<ask>\S{2,16})\s+(?P<draft>.{4,})$", re.S)
_ONLY_ASKING = re.compile(
    r"^(?:请|帮我|帮忙|麻烦|给我)?.{0,6}(?:看看|看下|看一下|检查|审|过|测|合规|把关).{0,14}(?:能不能发|合规|敏感词|违规|有没有问题|文案|草稿|这段话|一下|吗|把把关)?[？?。]*$"
)


def extract_draft(text: str) -> str | None:
    """Return the words to be checked, cut out of the request; `None` when only the request is there."""
    marked = _AFTER_MARK.match(text.strip())
    if marked:
        return (marked["draft"] or marked["quoted"]).strip()
    spaced = _AFTER_SPACE.match(text.strip())
    if spaced:
        return spaced["draft"].strip()
    return None if _ONLY_ASKING.match(text.strip()) else text.strip()


@router.on(StaffTextMessage, staff_wants(Intent.COMPLIANCE_CHECK))
async def check_wording(event: StaffTextMessage, ctx: DeskContext) -> Sequence[Reply]:
    """Explain every finding with its reason and an alternative, or say that nothing was found.

    The reply repeats words that may not be said; its purpose tells the gate so.
    """
    draft = extract_draft(event.text)
    if draft is None:
        return [Reply(StaffChat(event.staff_id), Text(ctx.texts["draft.ask"]), "draft_check")]
    report = check_draft(draft, ctx.lexicon)
    terms = [advice.term for advice in report.advice]
    ctx.trace.note("draft", allowed=report.allowed, findings=len(terms))
    return [
        Reply(
            StaffChat(event.staff_id),
            Text(_explain(report, ctx)),
            "draft_check",
            {"allowed": report.allowed, "terms": list(terms)},
        )
    ]


def _explain(report: DraftReport, ctx: DeskContext) -> str:
    texts = ctx.texts
    if not report.advice:
        return texts["draft.clean"]
    head = texts.render("draft.review" if report.allowed else "draft.blocked", count=len(report.advice))
    lines = [head]
    for number, advice in enumerate(report.advice, start=1):
        lines += _item(number, advice, ctx)
    if report.rewritten:
        lines += ["", texts.render("draft.rewritten", text=report.rewritten)]
    return "\n".join(lines)


def _item(number: int, advice: Advice, ctx: DeskContext) -> Sequence[str]:
    lines = [ctx.texts.render("draft.item", number=number, term=advice.term, why=advice.why)]
    if advice.alternative:
        lines.append(ctx.texts.render("draft.alternative", alternative=advice.alternative))
    return lines
