"""Screen a text against a lexicon: every hit, how it was written, and why some of them do not count. Pure.

Source: ../shared/compliance/facts.md section 3; the measured figures are in the compliance tests.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from compliance.exceptions import crosses_word_border, find_excuse
from compliance.findings import Action, Category, Direction, Finding, Severity, Technique
from compliance.folding import (
    SENTENCE_MARKS,
    VIEW_KINDS,
    Folded,
    View,
    fold_text,
    is_invisible,
    simplified_of,
)
from compliance.lexicon import Lexicon, Pattern, Scanner, Term
from compliance.personal_data import find_personal_data

_MAX_GAP = 6
_MAX_FINDINGS = 10_000


@dataclass(frozen=True, slots=True)
class _Hit:
    """An accepted match: span in the folded text, and what was done to the letters."""

    term: Term
    start: int
    end: int
    gaps: tuple[str, ...]
    repeated: bool


def screen(text: str, lexicon: Lexicon, direction: Direction) -> tuple[Finding, ...]:
    """Find what the lexicon watches for in what one side said, and personal data, in the order of the text.

    Suppressed findings are included and say why (`Finding.suppressed_by`); `counting` leaves them out.
    """
    folded = fold_text(text)
    hits = list(_matches(folded, lexicon, direction))
    allowed = [hit for hit in hits if hit.term.action is Action.ALLOW]
    findings = [
        _excused(_finding(folded, hit, lexicon.version), hit, folded, allowed, direction)
        for hit in hits
        if hit.term.action is not Action.ALLOW
    ]
    findings += _personal(folded, lexicon.version)
    return tuple(sorted(findings, key=lambda finding: (finding.start, finding.end, finding.rule_id)))


def counting(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that nothing suppressed."""
    return tuple(finding for finding in findings if finding.counts)


def _matches(folded: Folded, lexicon: Lexicon, direction: Direction) -> Iterator[_Hit]:
    count = 0
    for kind in VIEW_KINDS:
        view = kind.read(folded)
        scanner: Scanner = lexicon.scanners[kind.name]
        for start, end, index in scanner.engine.find_overlapping(view.text):
            for pattern in scanner.patterns[index]:
                if not pattern.term.direction.covers(direction):
                    continue
                hit = _accept(folded, view, start, end, pattern)
                if hit is not None and (count := count + 1) <= _MAX_FINDINGS:
                    yield hit


def _accept(folded: Folded, view: View, start: int, end: int, pattern: Pattern) -> _Hit | None:
    """Check repeats, word edges and gaps of a match of letters; `None` when it is no occurrence of the word."""
    excess = [view.counts[start + i] - wanted for i, wanted in enumerate(pattern.counts)]
    if min(excess) < 0:
        return None
    spans = list(view.spans[start:end])
    repeated = sum(excess) > 0
    # 刚刚兑换 holds 刚兑 without anybody having stretched it: one more letter at an edge is ordinary Chinese.
    if sum(excess) == 1 and excess[0] == 1:
        spans[0], repeated = (spans[0][1] - pattern.counts[0], spans[0][1]), False
    elif sum(excess) == 1 and excess[-1] == 1:
        spans[-1], repeated = (spans[-1][0], spans[-1][0] + pattern.counts[-1]), False
    first, last = spans[0][0], spans[-1][1]
    gaps = tuple(folded.text[left[1] : right[0]] for left, right in pairwise(spans))
    if _cuts_latin_word(folded.text, first, last) or not _gaps_pass(gaps, folded.text[first:last]):
        return None
    return _Hit(pattern.term, first, last, tuple(gap for gap in gaps if gap), repeated)


def _cuts_latin_word(text: str, start: int, end: int) -> bool:
    """Tell whether the span begins or ends inside a run of Latin letters or digits: 12378 in a telephone number."""
    return (start > 0 and _is_latin(text[start - 1]) and _is_latin(text[start])) or (
        end < len(text) and _is_latin(text[end]) and _is_latin(text[end - 1])
    )


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _gaps_pass(gaps: tuple[str, ...], matched: str) -> bool:
    """Tell whether what stands between the letters is noise, and not the end of a sentence.

    保，本，保，息 is noise, since every gap is alike; 稳，赚不赚 is two sentences.
    """
    if not any(gaps):
        return True
    if matched[0].isdigit() and matched[-1].isdigit():
        return False
    if any(char in SENTENCE_MARKS for gap in gaps for char in gap):
        return len(gaps) >= 2 and len(set(gaps)) == 1
    return all(len(gap) <= _MAX_GAP for gap in gaps)


def _finding(folded: Folded, hit: _Hit, version: int) -> Finding:
    start, end = folded.original_span(hit.start, hit.end)
    matched = folded.original[start:end]
    return Finding(
        rule_id=hit.term.rule_id,
        term=hit.term.word,
        category=hit.term.category,
        severity=hit.term.severity,
        action=hit.term.action,
        start=start,
        end=end,
        technique=_technique(matched, hit),
        matched=matched,
        lexicon_version=version,
    )


def _technique(matched: str, hit: _Hit) -> Technique:
    """Name what was done to the word; the strongest disguise when there are several."""
    if matched.lower() == hit.term.word.lower():
        return Technique.PLAIN
    if hit.repeated:
        return Technique.REPEAT
    if hit.gaps:
        return Technique.EMOJI if any(_is_emoji(char) for gap in hit.gaps for char in gap) else Technique.INSERTED
    if any(is_invisible(char) for char in matched):
        return Technique.ZERO_WIDTH
    if any(simplified_of(char) for char in matched):
        return Technique.TRADITIONAL
    return Technique.FULLWIDTH


def _is_emoji(char: str) -> bool:
    return unicodedata.category(char) == "So"


def _excused(finding: Finding, hit: _Hit, folded: Folded, allowed: list[_Hit], direction: Direction) -> Finding:
    for phrase in allowed:
        if phrase.start <= hit.start and hit.end <= phrase.end:
            return replace(finding, suppressed_by=f"allow:{phrase.term.word}")
    excuse = find_excuse(folded.text, hit.start, hit.end, finding.category, direction)
    if excuse is None and _needs_border_check(finding, hit) and crosses_word_border(folded.text, hit.start, hit.end):
        excuse = "word-border"
    return replace(finding, suppressed_by=excuse) if excuse else finding


def _needs_border_check(finding: Finding, hit: _Hit) -> bool:
    """Short words written openly meet by chance; nobody writes 跑*分 by chance."""
    openly = finding.technique in (Technique.PLAIN, Technique.TRADITIONAL, Technique.FULLWIDTH)
    return openly and hit.end - hit.start <= 3


def _personal(folded: Folded, version: int) -> Iterator[Finding]:
    for item in find_personal_data(folded):
        yield Finding(
            rule_id=f"{item.category.value}.format",
            term=item.category.value,
            category=Category(item.category),
            severity=Severity.MEDIUM,
            action=Action.MASK,
            start=item.start,
            end=item.end,
            technique=Technique.FORMAT,
            matched=folded.original[item.start : item.end],
            lexicon_version=version,
        )
