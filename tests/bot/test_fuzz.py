"""Whatever comes in is read or refused; and the fuzz run (bench/fuzz.py) would notice if it were not."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import fuzz
from bench.mutations import MUTATIONS, Mutation, mutate
from bot.errors import CallbackError
from compliance.errors import RecordMalformed

_REFUSALS = (CallbackError, RecordMalformed)
_TARGETS = {"app": fuzz.take_app, "aibot": fuzz.take_aibot, "kf": fuzz.take_kf, "archive": fuzz.take_archived}


def _read_or_refuse(target: fuzz.Target, body: bytes) -> None:
    try:
        target(body)
    except _REFUSALS:
        return


@pytest.mark.parametrize("family", fuzz.FAMILIES)
@settings(max_examples=150, deadline=None)
@given(number=st.integers(min_value=0))
def test_a_spoilt_input_is_read_or_refused(family: str, number: int) -> None:
    _, body = fuzz.make_input(0, number, [family])
    _read_or_refuse(fuzz.FAMILIES[family][1], body)


_words = st.sampled_from(
    sorted(
        {
            *("msgtype", "event", "eventtype", "event_type", "text", "content", "item", "quote", "mixed", "msg_item"),
            *("msgid", "from", "userid", "chatid", "stream", "id", "body", "cmd", "origin", "open_kfid", "merged_msg"),
            *("MsgType", "Event", "ChangeType", "InfoType", "CreateTime", "SelectedItems", "SelectedItem", "ExtAttr"),
            *("enter_session", "template_card_event", "feedback_event", "selected_items", "chatrecord", "type", "vote"),
            *("change_contact", "update_user", "change_external_chat", "update", "MemChangeList", "Department", "3"),
        }
    )
)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _words | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_words | st.text(max_size=4), inner, max_size=5),
    max_leaves=25,
)


@pytest.mark.parametrize("family", _TARGETS)
@settings(max_examples=200, deadline=None)
@given(document=st.dictionaries(_words, _values, max_size=8), as_ascii=st.booleans())
def test_any_object_of_known_words_is_read_or_refused(family: str, document: dict[str, Any], as_ascii: bool) -> None:
    _read_or_refuse(_TARGETS[family], json.dumps(document, ensure_ascii=as_ascii).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_a_mutation_spoils_the_same_way_twice_and_takes_anything(mutation: Mutation) -> None:
    bodies = [b"", b"\xff", b"{", *fuzz.bodies_of("app")[:5], *fuzz.bodies_of("kf")[:5]]
    for number, body in enumerate(bodies):
        assert mutation(Random(number), body) == mutation(Random(number), body)


def test_an_input_is_made_from_its_seed_and_number_alone() -> None:
    made = [fuzz.make_input(1, number) for number in range(14)]
    assert made == [fuzz.make_input(1, number) for number in range(14)]
    assert [family for family, _ in made[: len(fuzz.FAMILIES)]] == list(fuzz.FAMILIES)
    assert made != [fuzz.make_input(2, number) for number in range(14)]


def test_most_mutations_leave_something_to_read() -> None:
    bodies = fuzz.bodies_of("kf")
    spoilt = [mutate(Random(number), bodies[number % len(bodies)], bodies) for number in range(300)]
    assert len(set(spoilt)) > 200


def _fails(error: BaseException) -> fuzz.Target:
    def target(_: bytes) -> object:
        raise error

    return target


@pytest.mark.parametrize("error", [ValueError("x"), RecursionError(), AssertionError(), fuzz.Stuck()])
def test_anything_but_a_refusal_is_a_finding(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    monkeypatch.setattr(fuzz, "FAMILIES", {"kf": (fuzz.FAMILIES["kf"][0], _fails(error))})
    tally = fuzz.Tally()
    fuzz.judge("kf", 7, b"body", tally)
    (finding,) = tally.findings
    assert finding.startswith(f"kf #7: CRASH {type(error).__name__}")


def test_a_refusal_is_counted_by_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "FAMILIES", {"kf": (fuzz.FAMILIES["kf"][0], _fails(CallbackError("x")))})
    tally = fuzz.Tally()
    fuzz.judge("kf", 7, b"body", tally)
    assert (tally.inputs, tally.refused, tally.findings) == (1, {"callback": 1}, [])


def test_memory_out_of_proportion_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "FAMILIES", {"kf": (fuzz.FAMILIES["kf"][0], lambda _: bytearray(64 << 20))})
    tally = fuzz.Tally()
    fuzz.measure_peak("kf", 7, b"body", tally)
    assert tally.findings[0].startswith("kf #7: MEMORY 64 MiB")


def test_a_row_that_no_index_takes_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.wecom.dedupe._MAX_ID", 100_000)
    with pytest.raises(AssertionError, match="too long"):
        fuzz.take_app(b"<xml><MsgType>text</MsgType><MsgId>" + b"9" * 5000 + b"</MsgId></xml>")
