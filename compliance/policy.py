"""What may leave in the bank's name: the one place that decides it, for the gate and the draft check alike. Pure."""

from collections.abc import Iterable

from compliance.findings import Action, Category, Finding, Severity
from compliance.folding import normal_form

# "block own text" in ../shared/compliance/facts.md section 2: in our own words a grave hit of these stops the text
# even where the row itself asks for a review, because a review comes too late for what has been sent.
_NEVER_IN_OWN_WORDS = frozenset(
    {
        Category.PROMISE_RETURN,
        Category.ABSOLUTE_TERMS,
        Category.PRIVATE_DEALING,
        Category.IMPROPER_SALES,
        Category.PRIVACY_LEAK,
    }
)

# 投资产品的材料里至少要有其中一句（广告法第二十五条）。
RISK_SENTENCES = ("产品有风险", "投资有风险", "投资须谨慎", "投资需谨慎", "理财非存款", "市场有风险")


def is_blocking(finding: Finding) -> bool:
    """Tell whether the finding stops a text that the bank itself sends."""
    if not finding.counts or finding.action is Action.MASK:
        return False
    if finding.action is Action.BLOCK or finding.severity is Severity.CRITICAL:
        return True
    return finding.severity is Severity.HIGH and finding.category in _NEVER_IN_OWN_WORDS


def opens_case(finding: Finding) -> bool:
    """Tell whether a person must look at it; `flag` and `mask` are only kept."""
    return finding.counts and finding.action in (Action.BLOCK, Action.REVIEW, Action.ESCALATE)


def gravest(findings: Iterable[Finding]) -> Finding:
    """Return the finding a text is named after: the gravest, the first of equals."""
    return min(findings, key=lambda finding: finding.severity.rank)


def has_risk_sentence(text: str, required: str | None) -> bool:
    """Tell whether the text carries the product's own risk sentence, or any usual one when none is named."""
    letters = normal_form(text)
    return any(normal_form(sentence) in letters for sentence in ((required,) if required else RISK_SENTENCES))
