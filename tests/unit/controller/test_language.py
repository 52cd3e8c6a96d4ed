"""The language of guards and actions: what it means, and where its faults point."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.controller_meaning import Scope, read_actions, read_truth
from servitwin.domain.controller_syntax import MAX_LENGTH
from servitwin.domain.controller_term import FLAG, Range, words_range, written
from servitwin.domain.error import InvalidInputError
from servitwin.proof.controller.run import evaluate

NAMES = {
    "state": words_range(("idle", "slow", "fast")), "count": Range("integer", -2, 5), "flag": FLAG,
    "mode": words_range(("auto", "manual")), "clock": Range("integer", -1, 50), "go": FLAG,
}  # fmt: skip
SCOPE = Scope(NAMES, {"state": {"moving": (1, 2)}}, frozenset({"clock"}), frozenset({"go"}), 10_000_000)


@pytest.mark.parametrize(
    ("text", "values", "expected"),
    [
        ("count + 2 * count - 1 >= 8", {"count": 3}, 1),
        ("state is moving", {"state": 2}, 1),
        ("state is not moving", {"state": 1}, 0),
        ("not flag and flag or flag", {"flag": 1}, 1),
        ("flag -> count > 0 -> go", {"flag": 1, "count": 1, "go": 0}, 0),
        ("clock >= 300ms", {"clock": 30}, 1),
        ("clock < 0.5s", {"clock": 50}, 0),
        ("expired(clock) or not running(clock)", {"clock": -1}, 1),
        ("(if flag then 1 else count) == count", {"flag": 1, "count": 1}, 1),
        ("min(count, 2, 1) < max(0, count)", {"count": 5}, 1),
        ("mode === 'manual' && !flag || false", {"mode": 1, "flag": 0}, 1),
        ("In('moving')", {"state": 0}, 0),
        ("-count == 2", {"count": -2}, 1),
    ],
)
def test_meaning(text, values, expected):
    assert evaluate(read_truth(text, SCOPE), values) == expected


@pytest.mark.parametrize(
    ("text", "code", "column"),
    [
        ("count >", "expression:syntax", 8),
        ("count > 1 2", "expression:syntax", 11),
        ("count < 1 < 2", "expression:syntax", 11),
        ("cuont > 1", "expression:unknown-name", 1),
        ("flag and state is fats", "expression:unknown-word", 19),
        ("flag > true", "expression:wrong-type", 6),
        ("count and flag", "expression:wrong-type", 1),
        ("flag == count", "expression:wrong-type", 6),
        ("count == 1 # 2", "expression:character", 12),
        ("clock > 5ms", "expression:not-whole-ticks", 9),
        ("count == 99999999999999999999999", "expression:too-large", 10),
        ("expired(count)", "expression:wrong-type", 1),
        ("open()", "expression:syntax", 6),
        ("(" * 60 + "flag" + ")" * 60, "expression:too-deep", 41),
        ("flag or " * 2000 + "flag", "expression:too-long", 1),
        ("count > 0" + " + 1" * 900, "expression:too-long", 411),
        ("", "expression:syntax", 1),
        ("idle", "expression:unknown-name", 1),
        ("state == mode", "expression:wrong-type", 7),
    ],
)
def test_faults_point_at_the_character(text, code, column):
    with pytest.raises(InvalidInputError) as caught:
        read_truth(text, SCOPE)
    assert (caught.value.fault.code, caught.value.fault.column) == (code, column)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("go := true", "expression:not-assignable"), ("state := idle", "expression:not-assignable"),
        ("clock := 3", "expression:timer"), ("start count", "expression:timer"), ("count = 3", "expression:syntax"),
        ("count := flag", "expression:wrong-type"), ("mode := fast", "expression:unknown-word"),
        ("count := 1 flag := true", "expression:syntax"), ("nothing := 1", "expression:unknown-name"),
    ],
)  # fmt: skip
def test_actions_are_checked(text, code):
    with pytest.raises(InvalidInputError) as caught:
        read_actions(text, SCOPE)
    assert caught.value.fault.code == code


def test_actions_in_order():
    first, second, third = read_actions("count := count + 1; start clock; mode := if flag then auto else manual", SCOPE)
    assert (first.name, second.name, third.name) == ("count", "clock", "mode")
    assert evaluate(second.value, {}) == 0
    assert evaluate(third.value, {"flag": 0}) == 1


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_at_a_place(text):
    try:
        read_truth(text, SCOPE)
    except InvalidInputError as e:
        assert e.fault.column is not None
        assert 1 <= e.fault.column <= len(text) + 1


@settings(max_examples=200)
@given(st.integers(-2, 5), st.integers(0, 1), st.integers(-1, 50), st.sampled_from([
    "flag -> (count > 1 -> flag) -> count == 0", "(flag -> count > 1) -> flag", "count - (count - 1) == 1",
    "not (flag and count > 0)", "(count - 1) * 2 > clock", "not flag == (count >= 2 or flag)",
    "min(count, clock) < 2 + 1",
]))  # fmt: skip
def test_what_is_written_reads_back_as_the_same(count, flag, clock, text):
    term = read_truth(text, SCOPE)
    values = {"count": count, "flag": flag, "clock": clock}
    assert evaluate(read_truth(written(term), SCOPE), values) == evaluate(term, values)
    assert len(written(term)) <= MAX_LENGTH
