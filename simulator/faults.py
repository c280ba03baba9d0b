"""Fault switches: what goes wrong on purpose, per API and for callbacks, drawn from a seeded random.

Pure decisions; `simulator.faulty` acts them out on HTTP, `simulator.callbacks` on callbacks, and a long connection
asks `draw(WEBSOCKET_API)` for each frame it takes. Times here are real seconds: the other side's patience is real.
"""

import difflib
import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

WEBSOCKET_API = "WS aibot"
DEFAULT_SEED = 20260101


class FaultKind(StrEnum):
    """What can go wrong with one request; all but the first and the last two leave it undone."""

    LATENCY = "latency"  # carried out after `seconds`
    TIMEOUT = "timeout"  # taken, held for `seconds`, never answered, not carried out
    HTTP_5XX = "http_5xx"
    ERRCODE = "errcode"
    TRUNCATED_UNDONE = "truncated_undone"  # half an answer, nothing was done
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a kind of fault
    TRUNCATED = "truncated"  # carried out, half of the answer comes back
    NO_ANSWER_BUT_DONE = "no_answer_but_done"  # carried out, then the connection closes


@dataclass(slots=True)
class FaultRule:
    """One switch; `api` is `METHOD /path`, a prefix of it ending in `*`, or `*` for all.

    `seconds` belongs to latency (how long) and timeout (how long the connection is held). `count` limits it to the
    next n requests that it hits; None has no end. `hits` is counted by the desk.
    """

    api: str
    kind: FaultKind
    probability: float = 1.0
    seconds: float = 0.5
    errcode: int = -1
    status: int = 502
    count: int | None = None
    hits: int = 0

    def fits(self, api: str) -> bool:
        """Say whether the switch is about this API and not used up."""
        if self.count is not None and self.hits >= self.count:
            return False
        return names(self.api, api)


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What becomes of one request: a wait, then at most one fault."""

    wait_seconds: float = 0.0
    rule: FaultRule | None = None

    @property
    def kind(self) -> FaultKind | None:
        """The fault's kind, None when the request is to be carried out and answered."""
        return self.rule.kind if self.rule is not None else None


@dataclass(slots=True)
class CallbackFaults:
    """Probabilities for each callback; `kinds` limits them to app, contact, kf, archive or aibot (empty: all)."""

    duplicate: float = 0.0
    reorder: float = 0.0
    lost: float = 0.0
    delay_seconds: float = 0.0
    kinds: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CallbackPlan:
    """What becomes of one callback."""

    lost: bool = False
    duplicate: bool = False
    reorder: bool = False
    delay_seconds: float = 0.0


@dataclass(slots=True)
class CallbackHits:
    """How many callbacks were hit by each switch."""

    duplicate: int = 0
    reorder: int = 0
    lost: int = 0
    delayed: int = 0


class FaultDesk:
    """The switches that are on, and how often each has hit."""

    def __init__(self) -> None:
        self._random = random.Random(DEFAULT_SEED)  # noqa: S311 - repeatable faults, not secrets
        self.seed = DEFAULT_SEED
        self.rules: list[FaultRule] = []
        self.callbacks = CallbackFaults()
        self.callback_hits = CallbackHits()

    def replace(self, rules: Sequence[FaultRule], callbacks: CallbackFaults, seed: int | None = None) -> None:
        """Put these switches in place of all others; hit counts and the random begin anew."""
        self.seed = DEFAULT_SEED if seed is None else seed
        self._random.seed(self.seed)
        self.rules = list(rules)
        self.callbacks = callbacks
        self.callback_hits = CallbackHits()

    def clear(self) -> None:
        """Switch everything off."""
        self.replace([], CallbackFaults())

    def draw(self, api: str, token: str | None = None) -> FaultPlan:
        """Decide about one request of an API: all latencies that hit add up, of the rest the first that hits wins.

        Only a request with an access token can have its token revoked.
        """
        wait, chosen = 0.0, None
        for rule in self.rules:
            if chosen is not None and rule.kind is not FaultKind.LATENCY:
                continue
            if (rule.kind is FaultKind.TOKEN_REVOKED and not token) or not self._hits(rule, api):
                continue
            rule.hits += 1
            if rule.kind is FaultKind.LATENCY:
                wait += rule.seconds
            else:
                chosen = rule
        return FaultPlan(wait, chosen)

    def _hits(self, rule: FaultRule, api: str) -> bool:
        return rule.fits(api) and self._random.random() < rule.probability

    def draw_callback(self, kind: str) -> CallbackPlan:
        """Decide about one callback."""
        faults, hits = self.callbacks, self.callback_hits
        if faults.kinds and kind not in faults.kinds:
            return CallbackPlan()
        if self._random.random() < faults.lost:
            hits.lost += 1
            return CallbackPlan(lost=True)
        duplicate = self._random.random() < faults.duplicate
        reorder = self._random.random() < faults.reorder
        hits.duplicate += duplicate
        hits.reorder += reorder
        hits.delayed += faults.delay_seconds > 0
        return CallbackPlan(duplicate=duplicate, reorder=reorder, delay_seconds=faults.delay_seconds)


def names(pattern: str, api: str) -> bool:
    """Say whether a switch's `api` is about this API."""
    return api.startswith(pattern[:-1]) if pattern.endswith("*") else api == pattern


def nearest_name(pattern: str, known: Collection[str]) -> str | None:
    """Return what a mistyped `api` probably meant, None when the pattern names at least one known API."""
    if any(names(pattern, api) for api in known):
        return None
    wanted = pattern.rstrip("*")
    return next(iter(difflib.get_close_matches(wanted, known, 1, 0.0)), "*")
