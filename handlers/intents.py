"""What somebody wants: one of the intents, how sure we are, and the words that say so.

Pure. Three voices are added up: cue patterns (what a word can only mean), likeness to written examples
(`intent_examples.toml`), and naive Bayes over the same examples. Urgent intents are asked first and may be
answered by a cue alone, because missing a lost card costs more than a needless hotline number.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from math import exp, log, sqrt
from pathlib import Path

from handlers.cues import CUES, URGENT_CUES, Cue
from handlers.intent_labels import BY_ROLE, Intent, Role
from handlers.numerals import fold_width
from handlers.slots import Slot, SlotType, as_moments, find_slots

# In these a day named is a time to act at, not a period asked about.
_ACTING = frozenset(
    {
        Intent.SCHEDULE_BROADCAST, Intent.CANCEL_BROADCAST, Intent.SET_REMINDER, Intent.CANCEL_REMINDER,
        Intent.APPOINTMENT,
    }
)  # fmt: skip

_LIKENESS_WEIGHT = 7.0
_BAYES_WEIGHT = 0.45
_GUESS = 0.4
_PLACEHOLDERS = {
    SlotType.CUSTOMER: "N", SlotType.STAFF: "S", SlotType.PRODUCT: "P", SlotType.DATETIME: "T", SlotType.DATE: "T",
    SlotType.AMOUNT: "A", SlotType.TAG: "L", SlotType.GROUP: "G", SlotType.BRANCH: "B", SlotType.PHONE: "C",
    SlotType.CARD: "C", SlotType.CODE: "C", SlotType.TERM: "M", SlotType.PLACE: "D",
}  # fmt: skip
_MENTION = re.compile(r"^\s*@\S{1,12}\s+")
_QUOTED_DRAFT = re.compile(r"(?<=[\u4e00-\u9fff吗])\s*[:：“\"「『].{4,}$", re.S)
_NOISE = re.compile(r"[\s,，。.!！?？、;；~～…·:：“”\"'‘’()（）\-—]+")
_ANY_DAY = datetime(2024, 5, 15, 10, tzinfo=UTC)  # masking needs to see that a time is named, not which
_EXAMPLES_FILE = Path(__file__).with_name("intent_examples.toml")


@dataclass(frozen=True, slots=True)
class IntentMatch:
    """The most likely intent; `confidence` lies between 0 and 1, `why` names the cues and the nearest example.

    `decisive`: an urgent cue alone has decided, so nothing else need be asked.
    """

    intent: Intent
    confidence: float
    slots: Sequence[Slot] = ()
    why: Sequence[str] = ()
    decisive: bool = False


@dataclass(frozen=True, slots=True)
class _Example:
    intent: Intent
    text: str
    grams: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ExampleModel:
    """What the examples teach: weighted n-grams of each, and n-gram counts per intent."""

    examples: Sequence[_Example]
    rarity: Mapping[str, float]
    counts: Mapping[Intent, Counter[str]]
    totals: Mapping[Intent, int]
    vocabulary: int = 0

    def likeness(self, grams: Mapping[str, float], intent: Intent) -> tuple[float, str]:
        """Return the mean likeness (0 to 1) to the two nearest examples of `intent`, and the nearest one's text."""
        ranked = sorted(
            ((_cosine(grams, example.grams), example.text) for example in self.examples if example.intent is intent),
            reverse=True,
        )[:2]
        if not ranked:
            return 0.0, ""
        return (ranked[0][0] * 2 + ranked[-1][0]) / 3, ranked[0][1]

    def evidence(self, grams: Mapping[str, float], intent: Intent) -> float:
        """Return the log likelihood of the n-grams under `intent`, with Lidstone smoothing."""
        counts, base = self.counts[intent], self.totals[intent] + 0.3 * self.vocabulary
        return sum(log((counts[gram] + 0.3) / base) for gram in grams if gram in self.rarity)


@dataclass(slots=True)
class _Tally:
    score: float = 0.0
    why: list[str] = field(default_factory=list)


def classify(text: str, role: Role, *, now: datetime | None = None) -> IntentMatch:
    """Say what `text` asks for, among the intents that `role` can have.

    Args:
        text: the message as it was written.
        role: who speaks; "any" leaves all intents open.
        now: when it was written; without it, times are not read.
    """
    return classify_with(load_examples(), text, role, now=now)


def classify_with(model: ExampleModel, text: str, role: Role, *, now: datetime | None = None) -> IntentMatch:
    """Do what `classify` does with another set of examples; the bench compares sets this way."""
    slots = find_slots(text, now)
    plain = _plain(text)
    if not plain:
        return IntentMatch(Intent.OUT_OF_SCOPE, 0.0, slots, ("no words",))
    urgent = _urgent(plain, role)
    if urgent is not None:
        return IntentMatch(urgent.intent, 0.97, slots, (urgent.name,), decisive=True)
    tallies = _tally(model, text, plain, role)
    ranked = sorted(tallies, key=lambda intent: tallies[intent].score, reverse=True)
    best = ranked[0]
    if best in _ACTING:
        slots = as_moments(slots)
    return IntentMatch(best, _confidence(tallies, ranked), slots, tuple(tallies[best].why))


@cache
def load_examples() -> ExampleModel:
    """Read the shipped examples, once per process."""
    with _EXAMPLES_FILE.open("rb") as file:
        raw: dict[str, list[str]] = tomllib.load(file)
    return build_model((Intent(name), line) for name, lines in raw.items() for line in lines)


def build_model(labelled: Iterable[tuple[Intent, str]]) -> ExampleModel:
    """Learn from pairs of intent and message."""
    prepared = [(intent, text, _grams(_masked(text))) for intent, text in labelled]
    seen = Counter(gram for _, _, grams in prepared for gram in grams)
    rarity = {gram: log(1 + len(prepared) / count) for gram, count in seen.items()}
    counts: dict[Intent, Counter[str]] = {intent: Counter() for intent in Intent}
    for intent, _, grams in prepared:
        counts[intent].update(grams.keys())
    return ExampleModel(
        examples=[_Example(intent, text, _weighted(grams, rarity)) for intent, text, grams in prepared],
        rarity=rarity,
        counts=counts,
        totals={intent: counter.total() for intent, counter in counts.items()},
        vocabulary=len(rarity),
    )


def _urgent(plain: str, role: Role) -> Cue | None:
    if role == "rm":
        return None
    return next((cue for cue in URGENT_CUES if cue.found_in(plain)), None)


def _tally(model: ExampleModel, text: str, plain: str, role: Role) -> dict[Intent, _Tally]:
    counts = _grams(_masked(text))
    weighted = _weighted(counts, model.rarity)
    tallies = {intent: _Tally() for intent in BY_ROLE[role]}
    evidence = {intent: model.evidence(counts, intent) for intent in tallies}
    highest = max(evidence.values())
    for intent, tally in tallies.items():
        likeness, nearest = model.likeness(weighted, intent)
        # the evidence of long messages grows without bound; what is far behind the best is equally far behind
        tally.score = likeness * _LIKENESS_WEIGHT + max(evidence[intent] - highest, -20.0) * _BAYES_WEIGHT
        if likeness > 0.3:
            tally.why.append(f"like: {nearest}")
    masked = _masked(text)
    for cue in CUES:
        intent = cue.intent
        if intent in tallies and (cue.found_in(plain) or cue.found_in(masked)):
            tallies[intent].score += cue.weight
            tallies[intent].why.append(cue.name)
    return tallies


def _confidence(tallies: Mapping[Intent, _Tally], ranked: Sequence[Intent]) -> float:
    best = tallies[ranked[0]].score
    share = 1 / sum(exp(tallies[intent].score - best) for intent in ranked)
    # without any cue or any like example even a clear lead is only a guess, to be left to the script library
    return round(share if tallies[ranked[0]].why else share * _GUESS, 3)


def _plain(text: str) -> str:
    """Return the words without mention, noise and case."""
    return _NOISE.sub("", _MENTION.sub("", fold_width(text)).lower())


def _masked(text: str) -> str:
    """Return the words with names, products, times … replaced by a capital for their kind, and a draft cut off."""
    text = _MENTION.sub("", fold_width(text))
    head = _QUOTED_DRAFT.sub("", text)
    text = head if len(head) >= 4 else text
    parts, position = [], 0
    for slot in find_slots(text, _ANY_DAY):
        parts += [text[position : slot.start].lower(), _PLACEHOLDERS[slot.type]]
        position = slot.end
    parts.append(text[position:].lower())
    return _NOISE.sub("", "".join(parts))


def _grams(masked: str) -> Counter[str]:
    framed = f"^{masked}$"
    return Counter(framed[i : i + size] for size in (1, 2, 3) for i in range(len(framed) - size + 1))


def _weighted(grams: Mapping[str, float], rarity: Mapping[str, float]) -> dict[str, float]:
    unseen = max(rarity.values(), default=1.0)
    weights = {gram: sqrt(count) * rarity.get(gram, unseen * 0.6) for gram, count in grams.items()}
    norm = sqrt(sum(weight * weight for weight in weights.values())) or 1.0
    return {gram: weight / norm for gram, weight in weights.items()}


def _cosine(left: Mapping[str, float], right: Mapping[str, float]) -> float:
    if len(left) > len(right):
        left, right = right, left
    return sum(weight * right[gram] for gram, weight in left.items() if gram in right)
