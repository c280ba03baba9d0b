"""The library finds the right script, explains itself, and stays silent where it knows nothing."""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest

from knowledge_base import Audience, MatchKind, MatchOutcome, ScriptLibrary, Thresholds, starter_scripts
from tests.knowledge_base.builders import ON, script

_TABLE = tomllib.loads(Path(__file__).with_name("questions.toml").read_text(encoding="utf-8"))
PARAPHRASES: Mapping[str, str] = _TABLE["paraphrases"]
SILENCE: Sequence[str] = _TABLE["silence"]["questions"]


@pytest.fixture(scope="module")
def library() -> ScriptLibrary:
    return ScriptLibrary([item.script for item in starter_scripts()])


@pytest.fixture(scope="module")
def outcomes(library: ScriptLibrary) -> Mapping[str, MatchOutcome]:
    return {question: library.match(question, Audience.RM, ON) for question in PARAPHRASES}


def _first(outcome: MatchOutcome) -> str | None:
    return outcome.candidates[0].script.id if outcome.candidates else None


def test_held_out_questions_are_not_among_the_wordings() -> None:
    wordings = {text for item in starter_scripts() for text in (item.script.question, *item.script.variants)}
    assert len(PARAPHRASES) >= 60
    assert not wordings & PARAPHRASES.keys()


# Measured: 0.96 first, 0.99 among three, 0.68 answered at once with 0.98 of those right. The asserted figures leave
# room for a rewording of scripts, not for a worse scorer.
def test_right_script_comes_first_for_nine_of_ten_held_out_questions(outcomes: Mapping[str, MatchOutcome]) -> None:
    right = sum(_first(outcomes[question]) == gold for question, gold in PARAPHRASES.items())
    assert right / len(PARAPHRASES) >= 0.90


def test_right_script_is_among_three_for_nearly_all_held_out_questions(outcomes: Mapping[str, MatchOutcome]) -> None:
    right = sum(
        gold in [candidate.script.id for candidate in outcomes[question].candidates]
        for question, gold in PARAPHRASES.items()
    )
    assert right / len(PARAPHRASES) >= 0.95


def test_what_is_answered_at_once_is_right(outcomes: Mapping[str, MatchOutcome]) -> None:
    answered = [question for question, outcome in outcomes.items() if outcome.kind is MatchKind.ANSWER]
    right = sum(_first(outcomes[question]) == PARAPHRASES[question] for question in answered)
    assert len(answered) / len(PARAPHRASES) >= 0.60
    assert right / len(answered) >= 0.96


def test_most_held_out_questions_get_an_answer_or_choices(outcomes: Mapping[str, MatchOutcome]) -> None:
    helped = sum(outcome.kind is not MatchKind.NONE for outcome in outcomes.values())
    assert helped / len(PARAPHRASES) >= 0.80


@pytest.mark.parametrize("question", SILENCE)
def test_small_talk_is_never_answered(library: ScriptLibrary, question: str) -> None:
    assert library.match(question, Audience.CUSTOMER, ON).kind is not MatchKind.ANSWER


def test_small_talk_is_hardly_ever_offered_choices(library: ScriptLibrary) -> None:
    offered = [q for q in SILENCE if library.match(q, Audience.CUSTOMER, ON).kind is MatchKind.CHOICES]
    assert len(offered) <= 3, offered


def test_a_question_in_the_words_of_a_script_is_answered(library: ScriptLibrary) -> None:
    unsure = [
        item.script.id
        for item in starter_scripts()
        if library.match(item.script.question, Audience.RM, ON).kind is not MatchKind.ANSWER
    ]
    assert unsure == []


def test_customer_is_never_given_a_script_for_managers(library: ScriptLibrary) -> None:
    outcome = library.match("客户说收益太低怎么回复", Audience.CUSTOMER, ON)
    assert all(candidate.script.audience is not Audience.RM for candidate in outcome.candidates)


def test_manager_finds_scripts_meant_for_customers() -> None:
    library = ScriptLibrary([script(audience=Audience.CUSTOMER), script("S-9002", "网点几点开门")])
    assert _first(library.match("银行卡丢了怎么挂失", Audience.RM, ON)) == "S-9001"


@pytest.mark.parametrize(
    ("on", "found"),
    [
        (date(2026, 3, 1) - timedelta(days=1), False),
        (date(2026, 3, 1), True),
        (date(2026, 6, 30), True),
        (date(2026, 7, 1), False),
    ],
)
def test_script_is_matched_from_its_first_to_its_last_day(on: date, found: bool) -> None:
    one = script(effective_on=date(2026, 3, 1), expires_on=date(2026, 6, 30))
    library = ScriptLibrary([one, script("S-9002", "网点几点开门", expires_on=None)])
    outcome = library.match("银行卡丢了怎么挂失", Audience.RM, on)
    assert (one in [candidate.script for candidate in outcome.candidates]) is found


def test_empty_library_has_nothing_to_say() -> None:
    outcome = ScriptLibrary(()).match("银行卡丢了", Audience.RM, ON)
    assert (outcome.kind, outcome.candidates, outcome.confidence) == (MatchKind.NONE, (), 0.0)


@pytest.mark.parametrize("question", ["", "   ", "？？？", "😀", "\ud800"])
def test_question_without_words_is_not_answered(library: ScriptLibrary, question: str) -> None:
    assert library.match(question, Audience.CUSTOMER, ON).kind is MatchKind.NONE


def test_candidate_says_which_wording_and_which_terms_matched(library: ScriptLibrary) -> None:
    best = library.match("我钱包被偷了，银行卡在里面", Audience.CUSTOMER, ON).candidates[0]
    assert best.script.id == "S-0059"
    assert best.matched_variant in (best.script.question, *best.script.variants)
    assert "≈丢失" in best.terms


def test_choices_offer_two_or_three() -> None:
    both = ("定期存款怎么查询", "定期存款怎么取消")
    library = ScriptLibrary([script(f"S-900{n}", question) for n, question in enumerate(both)])
    outcome = library.match("定期存款", Audience.RM, ON)
    assert outcome.kind is not MatchKind.ANSWER
    assert len(outcome.candidates) == 2


def test_bank_may_be_stricter() -> None:
    scripts = [item.script for item in starter_scripts()]
    strict = ScriptLibrary(scripts, Thresholds(answer=1.0, choices=1.0))
    assert strict.match("银行卡丢了怎么挂失", Audience.RM, ON).kind is MatchKind.NONE


def test_same_question_gives_the_same_outcome(library: ScriptLibrary) -> None:
    asked = "大额存单多少钱起"
    again = ScriptLibrary([item.script for item in starter_scripts()])
    assert library.match(asked, Audience.RM, ON) == again.match(asked, Audience.RM, ON)


def test_scores_lie_between_zero_and_one_best_first(outcomes: Mapping[str, MatchOutcome]) -> None:
    for outcome in outcomes.values():
        scores = [candidate.score for candidate in outcome.candidates]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= score <= 1 for score in scores)
        assert 0 <= outcome.confidence <= 1
