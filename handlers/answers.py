"""From a question to approved words: ask the library, fill the places, and keep the proof.

The one place where scripts are rendered for the conversation, so that what a customer reads is exactly what was
approved, and every answer carries its script and version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.context import Address, Reply, Text
from bot.ids import CustomerId, StaffId
from bot.json import JSON
from bot.storage.database import Tx
from customers import StaffRow, find_staff, list_branches, list_follows_of
from handlers.context import DeskContext
from handlers.settings import HandlersSettings
from knowledge_base import Audience, MatchOutcome, MissingVariable, Script, render_answer, render_preview


@dataclass(frozen=True, slots=True)
class Answer:
    """Approved words, ready to be read, and where they come from."""

    script: Script
    text: str

    @property
    def evidence(self) -> Mapping[str, JSON]:
        """Return what the gate and the archive need to know: script, version, product and required risk sentence."""
        proof: dict[str, JSON] = {"script": self.script.id, "version": self.script.version}
        if self.script.product_code:
            proof["product_code"] = self.script.product_code
        if self.script.risk_note:
            proof |= {"risk_note_required": True, "risk_note": self.script.risk_note}
        return proof

    def to(self, address: Address, purpose: str = "script_answer") -> Reply:
        """Return the reply that says these words and nothing else."""
        return Reply(address, Text(self.text), purpose, self.evidence)


def match_script(ctx: DeskContext, question: str, audience: Audience) -> MatchOutcome:
    """Ask the library and note the outcome for the "what happened" panel."""
    outcome = ctx.ask_library(question, audience)
    best = outcome.candidates[0] if outcome.candidates else None
    ctx.trace.note(
        "script",
        outcome=outcome.kind.value,
        confidence=round(outcome.confidence, 3),
        id=best.script.id if best else None,
        version=best.script.version if best else None,
        score=round(best.score, 3) if best else None,
        variant=best.matched_variant if best else None,
    )
    return outcome


def find_valid_script(ctx: DeskContext, script_id: str, audience: Audience) -> Script | None:
    """Return the script in force today that this reader may see."""
    found = next((script for script in ctx.library.scripts if script.id == script_id), None)
    if found is None or not found.is_valid(ctx.today) or not found.audience.admits(audience):
        return None
    return found


def list_scripts_about(ctx: DeskContext, topic: str, audience: Audience, limit: int) -> Sequence[Script]:
    """List valid scripts whose title or question names the topic, those with it in the title first.

    A topic is no question: 「大额存单」 alone fits many scripts equally well, so the library is rightly unsure of each.
    """
    wanted = topic.casefold()
    valid = [one for one in ctx.library.scripts if one.is_valid(ctx.today) and one.audience.admits(audience)]
    titled = [one for one in valid if wanted in one.title.casefold()]
    asked = [one for one in valid if wanted in one.question.casefold() and one not in titled]
    return (titled + asked)[:limit]


async def answer_staff(ctx: DeskContext, script: Script) -> Answer:
    """Render for a manager: what only the manager knows stays as a marked blank, and the source stands below."""
    text = render_preview(script, await _values(ctx, ctx.actor), ctx.shelf)
    source = ctx.texts.render("script.source", id=script.id, version=script.version, approver=script.approved_by)
    return Answer(script, f"{text}\n\n{source}")


async def answer_customer(ctx: DeskContext, script: Script, manager: StaffRow | None) -> Answer | None:
    """Render for one customer, exactly as approved; `None` when a place cannot be filled."""
    values = {"客户称呼": ctx.texts["value.customer"], **await _values(ctx, manager)}
    text = _render(ctx, script, values)
    return Answer(script, text) if text is not None else None


async def answer_groups(ctx: DeskContext, script: Script) -> Answer | None:
    """Render for everybody in customer groups; `None` when a place cannot be filled."""
    values = {"客户称呼": ctx.texts["value.customers"], **await _values(ctx, ctx.actor)}
    text = _render(ctx, script, values)
    return Answer(script, text) if text is not None else None


async def find_manager(ctx: DeskContext, customer_id: CustomerId) -> StaffRow | None:
    """Return the member who has served the customer longest, or the one on duty; `None` when there is neither."""
    return await find_manager_of(ctx.tx, customer_id, ctx.settings)


async def find_manager_of(tx: Tx, customer_id: CustomerId, settings: HandlersSettings) -> StaffRow | None:
    """Do so where no event is being handled."""
    for follow in await list_follows_of(tx, customer_id):
        staff = await find_staff(tx, StaffId(follow.staff_id))
        if staff is not None and staff.active:
            return staff
    return await find_staff(tx, StaffId(settings.duty_staff)) if settings.duty_staff else None


async def _values(ctx: DeskContext, staff: StaffRow | None) -> Mapping[str, str]:
    """Return what can be said of the bank's side. Unknown manager or branch are spoken of in general."""
    branches = await list_branches(ctx.tx) if staff is not None and staff.branch_id is not None else []
    branch = next((one.name for one in branches if staff and one.id == staff.branch_id), ctx.texts["value.branch"])
    return {
        "客户经理": staff.name if staff else ctx.texts["value.manager"],
        "网点": branch,
        "电话": ctx.settings.hotline,
    }


def _render(ctx: DeskContext, script: Script, values: Mapping[str, str]) -> str | None:
    try:
        return render_answer(script, values, ctx.shelf)
    except MissingVariable as missing:
        ctx.trace.note("script_incomplete", id=script.id, missing=list(missing.names))
        return None
