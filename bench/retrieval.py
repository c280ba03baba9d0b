"""Measure the default scorer: does it find the right script, does it know when it knows nothing, how fast is it.

    python -m bench.retrieval [--data ../shared/data/retrieval]

Always measured: the starter pack against the held-out questions of tests/knowledge_base/questions.toml. Where the
development data lies beside the repository, its sets too (`rm`, `fin`, `gen`), with keyword containment and plain
rapidfuzz in the same run. Ends with one JSON line.
"""

import argparse
import json
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from bench.report import finish
from knowledge_base import Audience, MatchKind, Script, ScriptLibrary, starter_scripts
from knowledge_base.ranking import confidence_of
from knowledge_base.tokens import warm_up

ROOT = Path(__file__).resolve().parent.parent
ON = date(2026, 11, 1)
SETS = ("rm", "fin", "gen")


@dataclass(frozen=True)
class Query:
    """A question; `gold` is the script that answers it, `kind` is para, none_in or none_out."""

    text: str
    gold: str | None
    kind: str


@dataclass(frozen=True)
class Found:
    """What a scorer said: script ids best first, and a number that is higher the surer it is."""

    ids: list[str]
    sureness: float
    seconds: float


Scorer = Callable[[str], tuple[list[str], float]]


def main() -> None:
    """Run everything and print."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data" / "retrieval")
    data = arguments.parse_args().data
    started = time.perf_counter()
    warm_up()
    figures: dict[str, Any] = {"dictionary_ms": _ms(time.perf_counter() - started)}
    heads = ("R@1", "R@3", "AUCin", "AUCout", "CA@5", "p50ms", "p99ms")
    print(f"{'set':8} {'scorer':10} " + " ".join(f"{head:>6}" for head in heads))
    figures["own"] = _measure_own()
    for name in SETS:
        if (data / f"{name}_kb.jsonl").exists():
            figures[name] = _measure_set(name, *_load(data, name))
    finish("retrieval", figures)


def _measure_own() -> dict[str, Any]:
    table = tomllib.loads((ROOT / "tests" / "knowledge_base" / "questions.toml").read_text(encoding="utf-8"))
    queries = [Query(text, gold, "para") for text, gold in table["paraphrases"].items()]
    queries += [Query(text, None, "none_out") for text in table["silence"]["questions"]]
    return _measure_set("own", [item.script for item in starter_scripts()], queries)


def _measure_set(name: str, scripts: Sequence[Script], queries: Sequence[Query]) -> dict[str, Any]:
    started = time.perf_counter()
    library = ScriptLibrary(scripts)
    figures: dict[str, Any] = {"entries": len(scripts), "build_ms": _ms(time.perf_counter() - started)}
    scorers = {"ours": _ours(library), "rapidfuzz": _rapidfuzz(scripts), "contains": _contains(scripts)}
    for label, scorer in scorers.items():
        figures[label] = _figures(queries, [_time(scorer, query.text) for query in queries])
        _print_row(name, label, figures[label])
    figures["decisions"] = _decisions(library, queries)
    print(f"{'':8} built in {figures['build_ms']} ms; {figures['decisions']}")
    return figures


def _ours(library: ScriptLibrary) -> Scorer:
    def score(text: str) -> tuple[list[str], float]:
        ranked = library.rank(text, Audience.RM, ON)
        return [library.scripts[item.place].id for item in ranked[:10]], confidence_of(ranked)

    return score


def _rapidfuzz(scripts: Sequence[Script]) -> Scorer:
    wordings = [(text, script.id) for script in scripts for text in (script.question, *script.variants)]
    texts = [text for text, _ in wordings]

    def score(text: str) -> tuple[list[str], float]:
        best = process.extract(text, texts, scorer=fuzz.ratio, limit=10)
        return list(dict.fromkeys(wordings[place][1] for _, _, place in best)), best[0][1]

    return score


def _contains(scripts: Sequence[Script]) -> Scorer:
    """What keyword bots do: count the words of a script's wordings that the question contains."""
    import jieba  # noqa: PLC0415  only this rival needs it

    keywords = [
        (
            script.id,
            {word for text in (script.question, *script.variants) for word in jieba.lcut(text) if len(word) > 1},
        )
        for script in scripts
    ]

    def score(text: str) -> tuple[list[str], float]:
        counts = sorted(((sum(word in text for word in words), key) for key, words in keywords), reverse=True)
        return [key for count, key in counts[:10] if count], float(counts[0][0])

    return score


def _time(scorer: Scorer, text: str) -> Found:
    started = time.perf_counter()
    ids, sureness = scorer(text)
    return Found(ids, sureness, time.perf_counter() - started)


def _figures(queries: Sequence[Query], found: Sequence[Found]) -> dict[str, Any]:
    asked = [(query, answer) for query, answer in zip(queries, found, strict=True) if query.kind == "para"]
    sure = {
        kind: [answer.sureness for query, answer in zip(queries, found, strict=True) if query.kind == kind]
        for kind in ("para", "none_in", "none_out")
    }
    times = sorted(answer.seconds for answer in found)
    return {
        "r1": _share(answer.ids[:1] == [query.gold] for query, answer in asked),
        "r3": _share(query.gold in answer.ids[:3] for query, answer in asked),
        "auroc_in": _auroc(sure["para"], sure["none_in"]),
        "auroc_out": _auroc(sure["para"], sure["none_out"]),
        "ca5": _correct_at(asked, sure["none_in"] or sure["none_out"], 0.05),
        "p50_ms": _ms(times[len(times) // 2]),
        "p99_ms": _ms(times[int(len(times) * 0.99)]),
    }


def _decisions(library: ScriptLibrary, queries: Sequence[Query]) -> dict[str, Any]:
    """Return what the shipped thresholds do: how much is answered at once, how much of that is right."""
    outcomes = [(query, library.match(query.text, Audience.RM, ON)) for query in queries]
    answered = [(query, outcome) for query, outcome in outcomes if outcome.kind is MatchKind.ANSWER]
    offered = [
        (query, outcome) for query, outcome in outcomes if outcome.kind is MatchKind.CHOICES and query.kind == "para"
    ]
    return {
        "answered": _share(outcome.kind is MatchKind.ANSWER for query, outcome in outcomes if query.kind == "para"),
        "answered_right": _share(outcome.candidates[0].script.id == query.gold for query, outcome in answered),
        "offered": round(len(offered) / max(1, sum(query.kind == "para" for query in queries)), 3),
        "offered_holds_right": _share(
            query.gold in [candidate.script.id for candidate in outcome.candidates] for query, outcome in offered
        ),
        "false_answers_in": _share(o.kind is MatchKind.ANSWER for q, o in outcomes if q.kind == "none_in"),
        "false_answers_out": _share(o.kind is MatchKind.ANSWER for q, o in outcomes if q.kind == "none_out"),
    }


def _load(data: Path, name: str) -> tuple[list[Script], list[Query]]:
    entries = [json.loads(line) for line in (data / f"{name}_kb.jsonl").open(encoding="utf-8")]
    rows = [json.loads(line) for line in (data / f"{name}_queries.jsonl").open(encoding="utf-8")]
    return [_entry(row) for row in entries], [Query(row["text"], row["gold"], row["kind"]) for row in rows]


def _entry(row: dict[str, Any]) -> Script:
    return Script(
        id=row["id"],
        category="",
        title="",
        question=row["q"],
        variants=tuple(row["alts"]),
        answer="",
        audience=Audience.BOTH,
        version=1,
        approved_by="",
        effective_on=ON,
        expires_on=None,
        product_code=None,
        source="",
        risk_note=None,
    )


def _share(hits: Any) -> float | None:
    seen = list(hits)
    return round(sum(seen) / len(seen), 3) if seen else None


def _auroc(right: Sequence[float], wrong: Sequence[float]) -> float | None:
    """Return the chance that a question with an answer is given the higher number; ties count half."""
    if not right or not wrong:
        return None
    wins = sum((good > bad) + (good == bad) / 2 for good in right for bad in wrong)
    return round(wins / (len(right) * len(wrong)), 3)


def _correct_at(asked: Sequence[tuple[Query, Found]], wrong: Sequence[float], allowed: float) -> float | None:
    """Return the share of questions answered right above the threshold that lets this share of `wrong` through."""
    if not wrong:
        return None
    threshold = sorted(wrong, reverse=True)[int(len(wrong) * allowed)]
    return _share(answer.ids[:1] == [query.gold] and answer.sureness > threshold for query, answer in asked)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


def _print_row(name: str, label: str, figures: dict[str, Any]) -> None:
    numbers = (figures[key] for key in ("r1", "r3", "auroc_in", "auroc_out", "ca5", "p50_ms", "p99_ms"))
    print(f"{name:8} {label:10} " + " ".join(f"{'-' if number is None else number:>6}" for number in numbers))


if __name__ == "__main__":
    main()
