"""The words of the filter: what is watched, how grave it is, what follows, and one finding. Pure.

Source: ../shared/compliance/facts.md sections 2 and 3.3.
"""

from dataclasses import dataclass
from enum import StrEnum

from bot.json import JSON


class Category(StrEnum):
    """What a rule is about."""

    PROMISE_RETURN = "promise_return"
    ABSOLUTE_TERMS = "absolute_terms"
    PRIVATE_DEALING = "private_dealing"
    IMPROPER_SALES = "improper_sales"
    INSULT = "insult"
    INSIDER_INFO = "insider_info"
    AML_REDFLAG = "aml_redflag"
    PRIVACY_LEAK = "privacy_leak"
    COMPETITOR_DISPARAGE = "competitor_disparage"
    LOAN_FRAUD = "loan_fraud"
    COMPLAINT_SIGNAL = "complaint_signal"
    URGENT_SIGNAL = "urgent_signal"
    PII_ID_CARD = "pii_id_card"
    PII_MOBILE = "pii_mobile"
    PII_BANK_CARD = "pii_bank_card"
    PII_EMAIL = "pii_email"


PERSONAL_DATA = frozenset({Category.PII_ID_CARD, Category.PII_MOBILE, Category.PII_BANK_CARD, Category.PII_EMAIL})


class Severity(StrEnum):
    """How grave. `none` is for exception phrases only."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"

    @property
    def rank(self) -> int:
        """Return 0 for the gravest."""
        return _SEVERITY_ORDER[self]


_SEVERITY_ORDER = {severity: rank for rank, severity in enumerate(Severity)}


class Action(StrEnum):
    """What a rule asks for. `allow` marks an exception phrase: it suppresses every hit that lies inside it."""

    BLOCK = "block"
    REVIEW = "review"
    FLAG = "flag"
    MASK = "mask"
    ESCALATE = "escalate"
    ALLOW = "allow"


class Direction(StrEnum):
    """Whose words count: the bank's side (member or bot), the customer's, or either."""

    RM = "rm"
    CUSTOMER = "customer"
    BOTH = "both"

    def covers(self, speaker: "Direction") -> bool:
        """Tell whether a rule of this direction applies to what `speaker` says."""
        return self is Direction.BOTH or speaker is Direction.BOTH or self is speaker


class Technique(StrEnum):
    """How the words were written."""

    PLAIN = "plain"
    FULLWIDTH = "fullwidth"
    TRADITIONAL = "traditional"
    ZERO_WIDTH = "zero-width"
    INSERTED = "inserted"
    EMOJI = "emoji"
    REPEAT = "repeat"
    FORMAT = "format"  # personal data, found by its form


@dataclass(frozen=True, slots=True)
class Finding:
    """One place in one message that a rule pointed at (命中).

    `start` and `end` are code points of the original text, half-open, noise included. `term` is the rule's word,
    `matched` what stands in the text. `suppressed_by` tells why it does not count: `allow:<phrase>`,
    `negation:<word>`, `warning:<word>` or `word-border`; `None` means that it counts.
    """

    rule_id: str
    term: str
    category: Category
    severity: Severity
    action: Action
    start: int
    end: int
    technique: Technique
    matched: str
    lexicon_version: int
    suppressed_by: str | None = None

    @property
    def counts(self) -> bool:
        """Tell whether nothing suppressed it."""
        return self.suppressed_by is None

    def as_json(self) -> dict[str, JSON]:
        """Return the finding for a JSON column. Personal data is named by its kind, never by its value."""
        return {
            "rule": self.rule_id,
            "term": self.term,
            "category": self.category.value,
            "severity": self.severity.value,
            "action": self.action.value,
            "start": self.start,
            "end": self.end,
            "technique": self.technique.value,
            "matched": "" if self.category in PERSONAL_DATA else self.matched,
            "lexicon_version": self.lexicon_version,
            "suppressed_by": self.suppressed_by,
        }
