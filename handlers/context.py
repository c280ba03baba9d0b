"""The context our handlers work in: the base context, our services, and what is understood of the event.

`open_context` is what the wiring calls once per event. Handlers read it and change nothing in it but the trace.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from bot.clock import CHINA
from bot.context import Context, Trace
from bot.events import Event, KfOtherMessage, KfSessionEntered, KfText, KfUnknownMessage, StaffEvent, StaffMessage
from bot.kf.budget import KfBudget
from bot.kf.ledger import kf_budget
from bot.outbox.gate import OutboundGate
from bot.storage.database import Tx
from bot.texts import Texts, load_texts
from compliance import Lexicon
from customers import StaffRow, find_staff
from handlers.dialogue import PendingQuestion, find_question
from handlers.framing import strip_frame
from handlers.intent_labels import Intent, Role
from handlers.intents import IntentMatch, classify
from handlers.settings import HandlersSettings
from knowledge_base import Audience, MatchKind, MatchOutcome, Product, ScriptLibrary
from sop import SopSettings


@dataclass(frozen=True, slots=True)
class DeskServices:
    """What all events share, at the versions of this moment: library and lexicon are replaced when they change.

    `shelf` holds the products by code.
    """

    library: ScriptLibrary
    lexicon: Lexicon
    gate: OutboundGate
    settings: HandlersSettings
    shelf: Mapping[str, Product]
    sop: SopSettings = field(default_factory=SopSettings)


@dataclass(slots=True)
class DeskContext(Context):
    """What a handler of ours may touch.

    `actor` is the member who wrote or pressed, `None` for customers and members we do not know. `pending` is the open
    question of this conversation. `kf` is whose turn a 微信客服 session is and what may still be said in it, `None`
    where the event belongs to none.
    """

    services: DeskServices
    actor: StaffRow | None = None
    pending: PendingQuestion | None = None
    kf: KfBudget | None = None
    _understood: dict[str, IntentMatch] = field(default_factory=dict)
    _outcomes: dict[tuple[str, Audience], MatchOutcome] = field(default_factory=dict)

    @property
    def library(self) -> ScriptLibrary:
        """The approved scripts."""
        return self.services.library

    @property
    def lexicon(self) -> Lexicon:
        """The watched words."""
        return self.services.lexicon

    @property
    def gate(self) -> OutboundGate:
        """The last question before something leaves."""
        return self.services.gate

    @property
    def settings(self) -> HandlersSettings:
        """The section of the settings that belongs to the conversation."""
        return self.services.settings

    @property
    def shelf(self) -> Mapping[str, Product]:
        """The products by code."""
        return self.services.shelf

    @property
    def texts(self) -> Texts:
        """The assistant's own sentences in the bank's language."""
        return load_texts("handlers", self.settings.language)

    @property
    def today(self) -> date:
        """The bank's calendar day."""
        return self.now.astimezone(CHINA).date()

    @property
    def question_wait(self) -> timedelta:
        """How long an open question of ours waits."""
        return timedelta(minutes=self.settings.question_minutes)

    def understand(self, text: str, role: Role) -> IntentMatch:
        """Classify the text once per event and note the result for the "what happened" panel."""
        known = self._understood.get(text)
        if known is None:
            known = self._understood[text] = classify(text, role, now=self.now)
            self.trace.note("intent", name=known.intent.value, confidence=known.confidence, why=list(known.why))
        return known

    def ask_library(self, question: str, audience: Audience) -> MatchOutcome:
        """Match the question against the scripts valid today, once per event.

        A manager often tells what a customer asked: then the inner question counts when it is the surer one.
        """
        key = (question, audience)
        if key not in self._outcomes:
            wordings = [question, strip_frame(question)] if audience is Audience.RM else [question]
            outcomes = [self.library.match(wording, audience, self.today) for wording in dict.fromkeys(wordings)]
            self._outcomes[key] = max(outcomes, key=lambda outcome: outcome.confidence)
        return self._outcomes[key]

    def intends(self, text: str, role: Role, *intents: Intent) -> bool:
        """Tell whether the text means one of `intents`, surely enough to act on."""
        match = self.understand(text, role)
        return match.intent in intents and match.confidence >= self.settings.intent_threshold

    def customer_intends(self, text: str, *intents: Intent) -> bool:
        """Tell whether a customer means one of `intents` and is better served by it than by a script.

        What an urgent cue decides is certain. Otherwise a question that the library surely answers is a question:
        「补卡需要什么材料」 wants its answer, not the hotline.
        """
        if not self.intends(text, "customer", *intents):
            return False
        if self.understand(text, "customer").decisive:
            return True
        return self.ask_library(text, Audience.CUSTOMER).kind is not MatchKind.ANSWER


async def open_context(
    services: DeskServices, tx: Tx, cause: int, event: Event, now: datetime, trace: Trace | None = None
) -> DeskContext:
    """Make the context for one event: look up who acts and whether a question of ours is open."""
    actor = await find_staff(tx, event.staff_id) if isinstance(event, StaffMessage | StaffEvent) else None
    return DeskContext(
        now=now,
        tx=tx,
        cause=cause,
        trace=trace or Trace(),
        services=services,
        actor=actor,
        pending=await find_question(tx, event, now),
        kf=await _kf_budget(tx, event, now),
    )


async def _kf_budget(tx: Tx, event: Event, now: datetime) -> KfBudget | None:
    if isinstance(event, KfText | KfOtherMessage | KfUnknownMessage | KfSessionEntered):
        return await kf_budget(tx, event.open_kfid, event.customer_id, now)
    return None
