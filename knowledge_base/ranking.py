"""Find the script that answers a question, or say that none does. Pure and in memory; no model, no database.

Two steps. First every script is scored by BM25 over the terms of all its wordings together (`tokens.analyse`). Then
the best few are looked at closely: how much of the question does the script cover, by characters, pairs, words and
synonym groups; how alike are the question and the nearest single wording. A weighted sum of these is the score. The
score, the lead over the second and the share of the question that was covered give the confidence, and two thresholds
turn it into one of three outcomes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rapidfuzz import fuzz

from knowledge_base.tokens import Terms, analyse, label
from knowledge_base.values import Audience, Candidate, MatchKind, MatchOutcome, Script

# BM25. Scripts with many wordings are long on purpose, so length counts less than usual.
_K1 = 1.4
_B = 0.35
_CLOSE_LOOK = 14
# Words by which a relationship manager asks for wording ("客户说…怎么回"): such a question wants a script for managers.
_MANAGER_ASKS = frozenset({"c客户", "c话术"})
_SHOWN = 3
_SHOWN_TERMS = 6

# Weights of the features in the order of `Features.values`: fitted with scripts of our own (a quarter of the wordings
# taken out and asked) and the project's own development questions. A part that the fit did not want was left out:
# covered pairs and words say the same as the cosine.
_WEIGHTS = (3.0, 2.4, 4.0, 5.2, 2.0, 0.3, 2.0)
_FULL_SCORE = sum(_WEIGHTS)
# The chance that the first candidate is right, as a logit: bias, score, lead over the second, lead over the third, and
# the square of the cosine. Fitted like the weights, with scripts taken out whole and small talk of our own as questions
# that have no answer.
_CONFIDENCE = (-2.43, 1.8, 4.97, 6.36, 0.64)


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where confidence turns into action.

    At `answer` or above the script is given at once; at `choices` or above two or three are offered. Below
    `least_characters`, the share of the question's characters that the script must know, nothing is answered at once
    and nothing is offered below the `answer` confidence: one familiar word in a sentence about something else is no
    evidence, however far it leaves the other scripts behind.
    """

    answer: float = 0.75
    choices: float = 0.45
    least_characters: float = 0.25


@dataclass(frozen=True, slots=True)
class Features:
    """What the close look sees; every number lies in 0..1.

    characters: share of the question's characters, by weight, that the script knows
    groups:     the same for synonym groups; 0 where the question has none
    bm25:       BM25 over all wordings, as a share of what the question could have reached
    cosine:     likeness with the nearest wording, by weight
    held:       share of that wording that the question holds
    ratio:      plain string likeness with that wording
    suits:      a question in a manager's words meets a script for managers, or a customer's words one for customers
    nearest:    the position of that wording
    """

    characters: float
    groups: float
    bm25: float
    cosine: float
    held: float
    ratio: float
    suits: float
    nearest: int

    @property
    def values(self) -> tuple[float, ...]:
        """Return the numbers in the order of the weights."""
        return (self.characters, self.groups, self.bm25, self.cosine, self.held, self.ratio, self.suits)

    @property
    def score(self) -> float:
        """Return the weighted sum, scaled so that 1 is a question equal to a wording."""
        return sum(weight * value for weight, value in zip(_WEIGHTS, self.values, strict=True)) / _FULL_SCORE


@dataclass(frozen=True, slots=True)
class Ranked:
    """One script that got the close look. `place` is its position in the library."""

    place: int
    features: Features
    score: float


@dataclass(frozen=True, slots=True)
class _Wording:
    text: str
    folded: str
    weights: Mapping[str, float]
    mass: float
    norm: float


class ScriptLibrary:
    """An index over approved scripts. Build it once per library version; `match` may be called from any thread."""

    def __init__(self, scripts: Sequence[Script], thresholds: Thresholds | None = None) -> None:
        self.scripts = tuple(scripts)
        self.thresholds = thresholds or Thresholds()
        analysed = [[(text, analyse(text)) for text in _texts(script)] for script in self.scripts]
        self._idf, self._unseen = _inverse_frequencies([terms.weights for _, terms in own] for own in analysed)
        self._wordings = [[self._weigh(text, terms) for text, terms in own] for own in analysed]
        self._vocabulary = [{term for wording in own for term in wording.weights} for own in self._wordings]
        self._postings = _post(self._wordings)

    def match(self, question: str, audience: Audience, on: date) -> MatchOutcome:
        """Return the outcome for a question from a reader of this kind, on this day of the bank's calendar.

        Scripts that the reader may not see, or that are not valid on that day, are never among the candidates.
        """
        asked = self._weigh(question, analyse(question))
        ranked = self._rank(asked, audience, on)
        confidence = confidence_of(ranked)
        kind = self._decide(confidence, ranked)
        return MatchOutcome(kind, tuple(self._explain(asked, item) for item in ranked[:_SHOWN]), confidence)

    def rank(self, question: str, audience: Audience, on: date) -> list[Ranked]:
        """Return the scripts that got the close look, best first; empty when nothing is shared with any."""
        return self._rank(self._weigh(question, analyse(question)), audience, on)

    def _rank(self, asked: _Wording, audience: Audience, on: date) -> list[Ranked]:
        rough = [
            (score, place)
            for place, score in self._rough_scores(asked).items()
            if self.scripts[place].audience.admits(audience) and self.scripts[place].is_valid(on)
        ]
        rough.sort(key=lambda item: (-item[0], item[1]))
        looked_at = (self._look_closely(asked, place, score) for score, place in rough[:_CLOSE_LOOK])
        return sorted(looked_at, key=lambda item: (-item.score, item.place))

    def _decide(self, confidence: float, ranked: Sequence[Ranked]) -> MatchKind:
        if not ranked or confidence < self.thresholds.choices:
            return MatchKind.NONE
        familiar = ranked[0].features.characters >= self.thresholds.least_characters
        if confidence >= self.thresholds.answer and familiar:
            return MatchKind.ANSWER
        if len(ranked) > 1 and (familiar or confidence >= self.thresholds.answer):
            return MatchKind.CHOICES
        return MatchKind.NONE

    def _rough_scores(self, asked: _Wording) -> dict[int, float]:
        scores: dict[int, float] = {}
        for term, weight in asked.weights.items():
            for place, impact in self._postings.get(term, ()):
                scores[place] = scores.get(place, 0.0) + weight * impact
        return scores

    def _look_closely(self, asked: _Wording, place: int, rough: float) -> Ranked:
        near = [_compare(asked, wording) for wording in self._wordings[place]]
        nearest = max(range(len(near)), key=lambda index: near[index])
        cosine, held = near[nearest]
        features = Features(
            characters=_covered(asked, self._vocabulary[place], "u"),
            groups=_covered(asked, self._vocabulary[place], "c"),
            bm25=min(1.0, rough / ((_K1 + 1) * asked.mass)) if asked.mass else 0.0,
            cosine=cosine,
            held=held,
            ratio=fuzz.ratio(asked.folded, self._wordings[place][nearest].folded) / 100,
            suits=self._suits(asked, place),
            nearest=nearest,
        )
        return Ranked(place, features, features.score)

    def _suits(self, asked: _Wording, place: int) -> float:
        for_managers = self.scripts[place].audience is Audience.RM
        return 1.0 if for_managers == (not _MANAGER_ASKS.isdisjoint(asked.weights)) else 0.0

    def _explain(self, asked: _Wording, item: Ranked) -> Candidate:
        vocabulary = self._vocabulary[item.place]
        shared = sorted((term for term in asked.weights if term in vocabulary), key=lambda term: -asked.weights[term])
        labels = dict.fromkeys(label(term) for term in shared if term[0] != "u" or len(term) > 2)
        nearest = self._wordings[item.place][item.features.nearest].text
        return Candidate(self.scripts[item.place], item.score, nearest, tuple(labels)[:_SHOWN_TERMS])

    def _weigh(self, text: str, terms: Terms) -> _Wording:
        weights = {term: weight * self._idf.get(term, self._unseen) for term, weight in terms.weights.items()}
        norm = math.sqrt(sum(weight * weight for weight in weights.values()))
        mass = sum(weights.values())
        return _Wording(text, terms.text, weights, mass, norm)


def confidence_of(ranked: Sequence[Ranked]) -> float:
    """Return the estimated chance that the first of these (best first) is the right script; 0 when there is none."""
    if not ranked:
        return 0.0
    scores = [item.score for item in ranked[:3]]
    first, second = scores[0], scores[1] if len(scores) > 1 else 0.0
    # Of two that are close, neither is the surer for want of a third.
    third = scores[2] if len(scores) > 2 else second
    seen = ranked[0].features
    signs = (1.0, first, first - second, first - third, seen.cosine**2)
    logit = sum(weight * sign for weight, sign in zip(_CONFIDENCE, signs, strict=True))
    return 1 / (1 + math.exp(-logit))


def _texts(script: Script) -> Iterable[str]:
    return dict.fromkeys(text for text in (script.question, *script.variants, script.title) if text)


def _inverse_frequencies(scripts: Iterable[Iterable[Mapping[str, float]]]) -> tuple[dict[str, float], float]:
    """Return the weight of each term by how few scripts use it, and the weight of a term that none uses."""
    counts: Counter[str] = Counter()
    total = 0
    for wordings in scripts:
        total += 1
        counts.update({term for weights in wordings for term in weights})
    idf = {term: math.log(1 + (total - n + 0.5) / (n + 0.5)) for term, n in counts.items()}
    return idf, math.log(1 + (total + 0.5) / 0.5)


def _post(scripts: Sequence[Sequence[_Wording]]) -> dict[str, list[tuple[int, float]]]:
    """Return, for each term, the scripts that use it with the BM25 saturation of its frequency there."""
    frequencies = [Counter(term for wording in own for term in wording.weights) for own in scripts]
    lengths = [sum(frequency.values()) for frequency in frequencies]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    postings: dict[str, list[tuple[int, float]]] = {}
    for place, frequency in enumerate(frequencies):
        damping = _K1 * (1 - _B + _B * lengths[place] / mean)
        for term, n in frequency.items():
            postings.setdefault(term, []).append((place, n * (_K1 + 1) / (n + damping)))
    return postings


def _compare(asked: _Wording, wording: _Wording) -> tuple[float, float]:
    """Return the cosine of the two, and the share of the wording's weight that the question holds."""
    shared = [term for term in asked.weights if term in wording.weights]
    if not shared:
        return 0.0, 0.0
    dot = sum(asked.weights[term] * wording.weights[term] for term in shared)
    held = sum(wording.weights[term] for term in shared)
    return dot / (asked.norm * wording.norm), held / wording.mass


def _covered(asked: _Wording, vocabulary: set[str], kind: str) -> float:
    """Return the share of the question's terms of one kind, by weight, that the script knows; 0 if it has none."""
    whole = known = 0.0
    for term, weight in asked.weights.items():
        if term[0] == kind:
            whole += weight
            if term in vocabulary:
                known += weight
    return known / whole if whole else 0.0
