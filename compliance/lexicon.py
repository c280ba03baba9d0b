"""The lexicon (敏感词库) as a value: terms, how a file of them is read and refused, and its compiled form. Pure."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

from bot.texts import load_texts
from compliance.engine import Engine, EngineKind, build_engine
from compliance.findings import PERSONAL_DATA, Action, Category, Direction, Severity
from compliance.folding import VIEW_KINDS, View, fold_text, normal_form

MIN_LETTERS = 2
MAX_LETTERS = 32  # the platform's own intercept rules take no longer word


@dataclass(frozen=True, slots=True)
class Term:
    """One watched word, or with action `allow` one exception phrase. `rule_id` stays the same across versions."""

    word: str
    category: Category
    severity: Severity
    action: Action
    direction: Direction

    @property
    def rule_id(self) -> str:
        """Name the rule so that an officer can read it: category and word."""
        return f"{self.category.value}.{self.word}"


class RowProblem(StrEnum):
    """Why a row of a lexicon file is refused."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    DUPLICATE = "duplicate"
    UNKNOWN_CATEGORY = "unknown_category"
    UNKNOWN_SEVERITY = "unknown_severity"
    UNKNOWN_ACTION = "unknown_action"
    UNKNOWN_DIRECTION = "unknown_direction"
    SEVERITY_MISFIT = "severity_misfit"
    MISSING_COLUMN = "missing_column"


@dataclass(frozen=True, slots=True)
class RowError:
    """A refused row: line of the file (the heading is line 1), why, and the value that is wrong."""

    line: int
    problem: RowProblem
    value: str

    def describe(self, language: str = "zh") -> str:
        """Say it to the person who imports the file."""
        texts = load_texts("compliance", language)
        return texts.render(f"lexicon_row.{self.problem.value}", line=self.line, value=self.value[:40])


@dataclass(frozen=True, slots=True)
class ParsedTerms:
    """What a file holds: good terms, and the errors of the rest. A file with errors is not installed."""

    terms: tuple[Term, ...]
    errors: tuple[RowError, ...]


_COLUMNS = ("word", "category", "severity", "action", "direction")


def parse_terms(text: str) -> ParsedTerms:
    """Read a CSV with the columns word, category, severity, action, direction; others are ignored."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    missing = [column for column in _COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        return ParsedTerms((), tuple(RowError(1, RowProblem.MISSING_COLUMN, column) for column in missing))
    terms: list[Term] = []
    errors: list[RowError] = []
    seen: set[str] = set()
    for row in reader:
        parsed = _parse_row(reader.line_num, row, seen)
        if isinstance(parsed, RowError):
            errors.append(parsed)
        else:
            terms.append(parsed)
    return ParsedTerms(tuple(terms), tuple(errors))


def _parse_row(line: int, row: Mapping[str, str | None], seen: set[str]) -> Term | RowError:
    word, category, severity, action, direction = ((row.get(column) or "").strip() for column in _COLUMNS)
    normal = normal_form(word)
    problem = _word_problem(normal, seen)
    if problem is not None:
        return RowError(line, problem, word)
    if category not in set(Category) - PERSONAL_DATA:
        return RowError(line, RowProblem.UNKNOWN_CATEGORY, category)
    if severity not in set(Severity):
        return RowError(line, RowProblem.UNKNOWN_SEVERITY, severity)
    if action not in set(Action):
        return RowError(line, RowProblem.UNKNOWN_ACTION, action)
    if direction not in set(Direction):
        return RowError(line, RowProblem.UNKNOWN_DIRECTION, direction)
    if (severity == Severity.NONE) != (action == Action.ALLOW):
        return RowError(line, RowProblem.SEVERITY_MISFIT, word)
    seen.add(normal)
    return Term(word, Category(category), Severity(severity), Action(action), Direction(direction))


def _word_problem(normal: str, seen: set[str]) -> RowProblem | None:
    # An empty pattern matches at every position in some engines.
    if not normal:
        return RowProblem.EMPTY
    if len(normal) < MIN_LETTERS:
        return RowProblem.TOO_SHORT
    if len(normal) > MAX_LETTERS:
        return RowProblem.TOO_LONG
    return RowProblem.DUPLICATE if normal in seen else None


def default_terms_csv() -> str:
    """Return the lexicon that is shipped."""
    return files("compliance").joinpath("data/default_lexicon.csv").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A term as one view sees it: letters, and how often each must be repeated."""

    term: Term
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Scanner:
    """All terms as one view sees them. `patterns[i]` are the terms that share the engine's pattern i."""

    engine: Engine
    patterns: tuple[tuple[Pattern, ...], ...]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One version, compiled: one scanner for each kind of view. Never changed; a new version replaces it whole."""

    version: int
    terms: tuple[Term, ...]
    scanners: Mapping[str, Scanner]


def build_lexicon(version: int, terms: Iterable[Term], engine: EngineKind | None = None) -> Lexicon:
    """Compile terms. Words that leave fewer than one letter in a view are not searched for there."""
    kept = tuple(terms)
    scanners = {}
    for kind in VIEW_KINDS:
        views = [(term, kind.read(fold_text(term.word))) for term in kept]
        scanners[kind.name] = _build_scanner(views, engine)
    return Lexicon(version, kept, scanners)


def _build_scanner(views: Sequence[tuple[Term, View]], engine: EngineKind | None) -> Scanner:
    groups: dict[str, list[Pattern]] = {}
    for term, view in views:
        if view.text:
            groups.setdefault(view.text, []).append(Pattern(term, tuple(view.counts)))
    return Scanner(build_engine(list(groups), engine), tuple(tuple(group) for group in groups.values()))
