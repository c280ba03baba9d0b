"""Check a text that somebody wants to send, explain what is wrong with it, and offer wording that may be sent. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from compliance.explanations import Catalogue, load_catalogue
from compliance.findings import PERSONAL_DATA, Category, Direction, Finding
from compliance.lexicon import Lexicon
from compliance.personal_data import mask_text
from compliance.policy import gravest, is_blocking
from compliance.screening import counting, screen

_SALUTATION = re.compile(r"\s*[^，,：:。！？!?；;\n]{1,6}[，,：:]")
_SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]*")


@dataclass(frozen=True, slots=True)
class Advice:
    """What is wrong with one word: the word as it stands, its category, why (with the rule), what to say instead."""

    term: str
    category: Category
    why: str
    alternative: str


@dataclass(frozen=True, slots=True)
class DraftReport:
    """The result of a check. `rewritten` passes the screen; it is `None` when nothing had to be changed."""

    findings: tuple[Finding, ...]
    allowed: bool
    rewritten: str | None
    advice: tuple[Advice, ...]


def check_draft(text: str, lexicon: Lexicon) -> DraftReport:
    """Screen a text as one of the bank's own and rewrite what must not be said.

    A text with lesser findings is allowed and still gets advice. Suppressed findings are reported, not advised on.
    """
    findings = screen(text, lexicon, Direction.RM)
    active = counting(findings)
    catalogue = load_catalogue()
    return DraftReport(
        findings=findings,
        allowed=not any(is_blocking(finding) for finding in active),
        rewritten=_rewrite(text, lexicon, catalogue) if active else None,
        advice=tuple(_advise(active, catalogue)),
    )


def _advise(findings: Sequence[Finding], catalogue: Catalogue) -> Iterator[Advice]:
    seen: set[str] = set()
    for finding in _outermost(findings):
        if finding.rule_id in seen:
            continue
        seen.add(finding.rule_id)
        category = catalogue.categories[finding.category]
        term = catalogue.terms.get(finding.term)
        yield Advice(
            term=mask_text(finding.matched) if finding.category in PERSONAL_DATA else finding.term,
            category=finding.category,
            why=f"{(term and term.why) or category.why}（{category.source}）",
            alternative=term.replacement if term else category.sentence,
        )


def _outermost(findings: Sequence[Finding]) -> list[Finding]:
    """Leave out words inside a longer word of the same category: 保本 says nothing that 保本保息 does not."""
    return [
        finding
        for finding in findings
        if not any(
            other.category is finding.category
            and other.start <= finding.start
            and finding.end <= other.end
            and (other.start, other.end) != (finding.start, finding.end)
            for other in findings
        )
    ]


def _rewrite(text: str, lexicon: Lexicon, catalogue: Catalogue) -> str:
    """Replace words in their place where that reads well, and whole sentences by approved ones elsewhere."""
    said: list[str] = []
    parts = [_rewrite_sentence(part, lexicon, catalogue, said) for part in _SENTENCE.findall(mask_text(text))]
    rewritten = "".join(parts).strip()
    left = _active(rewritten, lexicon)
    if not left:
        return rewritten
    # A word that only arises across sentences: give up the text, keep what may be said in its place.
    for finding in left:
        _say(catalogue.categories[finding.category].sentence, said)
    return "".join(said)


def _rewrite_sentence(sentence: str, lexicon: Lexicon, catalogue: Catalogue, said: list[str]) -> str:
    active = _active(sentence, lexicon)
    if not active:
        return sentence
    replaced = _replace_words(sentence, active, catalogue)
    if replaced is not None and not _active(replaced, lexicon):
        return replaced
    approved = _say(catalogue.categories[gravest(active).category].sentence, said)
    if not approved:
        return ""
    return _salutation(sentence, active[0].start) + approved + ("\n" if sentence.endswith("\n") else "")


def _salutation(sentence: str, before: int) -> str:
    """Return a short address at the head of the sentence, to be kept: 王姐，"""
    found = _SALUTATION.match(sentence)
    return found.group() if found and found.end() <= before else ""


def _active(text: str, lexicon: Lexicon) -> tuple[Finding, ...]:
    return counting(screen(text, lexicon, Direction.RM))


def _say(sentence: str, said: list[str]) -> str:
    """Return the sentence the first time; said twice it would read like a machine."""
    if sentence in said:
        return ""
    said.append(sentence)
    return sentence


def _replace_words(sentence: str, findings: Sequence[Finding], catalogue: Catalogue) -> str | None:
    parts, position = [], 0
    for finding in findings:
        wording = catalogue.terms.get(finding.term)
        if wording is None or finding.start < position:
            return None
        parts += [sentence[position : finding.start], wording.replacement]
        position = finding.end
    return "".join([*parts, sentence[position:]])
