"""The values that leave this package: scripts, products, and the outcome of a match. No database, no ranking."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Audience(StrEnum):
    """Whose eyes a script is for. A relationship manager may look at every script, a customer at two kinds."""

    RM = "rm"
    CUSTOMER = "customer"
    BOTH = "both"

    def admits(self, reader: "Audience") -> bool:
        """Return whether `reader` (rm or customer) may be given a script of this audience."""
        return reader is not Audience.CUSTOMER or self is not Audience.RM


class ScriptState(StrEnum):
    """Where one version of a script stands in its life."""

    DRAFT = "draft"
    APPROVED = "approved"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class ProductStatus(StrEnum):
    """Whether a product may still be offered."""

    ON_SALE = "on_sale"
    WITHDRAWN = "withdrawn"


class RiskLevel(StrEnum):
    """The bank's product risk grades, low to high. Deposits and loans have none."""

    R1 = "R1"
    R2 = "R2"
    R3 = "R3"
    R4 = "R4"
    R5 = "R5"


@dataclass(frozen=True, slots=True)
class Script:
    """One approved version of a piece of wording (话术).

    `effective_on` is the first day it may be used, `expires_on` the last; `None` means that it does not end.
    `answer` may hold variables such as `{客户称呼}`, which `rendering.render_answer` fills.
    """

    id: str
    category: str
    title: str
    question: str
    variants: tuple[str, ...]
    answer: str
    audience: Audience
    version: int
    approved_by: str
    effective_on: date
    expires_on: date | None
    product_code: str | None
    source: str
    risk_note: str | None

    def is_valid(self, on: date) -> bool:
        """Return whether the wording may be used on that day."""
        return self.effective_on <= on and (self.expires_on is None or on <= self.expires_on)


@dataclass(frozen=True, slots=True)
class Product:
    """One line of the product shelf (货架). `rate_text` and `min_amount_fen` are the only source of figures.

    `rate_text` is worded for people ("1.55%（年化）", "业绩比较基准 2.30%–3.10%") and may be empty where the product
    has no rate; `min_amount_fen` is `None` where there is no minimum.
    """

    code: str
    name: str
    kind: str
    risk_level: RiskLevel | None
    term: str
    rate_text: str
    min_amount_fen: int | None
    status: ProductStatus


class MatchKind(StrEnum):
    """What to do with a question: answer it, offer a few choices, or say honestly that nothing fits."""

    ANSWER = "answer"
    CHOICES = "choices"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A script that may fit, and why.

    `score` lies in 0..1 and is comparable between questions; `matched_variant` is the wording of the script that came
    nearest; `terms` are the words and the synonym groups (written `≈词`) that question and script share, weightiest
    first.
    """

    script: Script
    score: float
    matched_variant: str
    terms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MatchOutcome:
    """The outcome of one question. `answer` has one to three candidates (the rest is what it beat), `choices` two or
    three to show as buttons, `none` no more than three, which are for the trace only and are never shown as an answer.

    `confidence` is the estimated chance that the first candidate is right, 0..1.
    """

    kind: MatchKind
    candidates: tuple[Candidate, ...]
    confidence: float
