from __future__ import annotations

import math
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.proof.verifier import formula, step
from servitwin.proof.verifier.formula import evaluate
from servitwin.proof.verifier.refusal import RefusedError
from tests.unit.verifier.tiny_definition import Tiny

END = 13
EXAMPLES = int(os.environ.get("SERVITWIN_EXAMPLES", "400"))
RELATIONS = ("<", "<=", ">", ">=", "==", "!=")


def held_of(signals: dict[str, list[Any]], accuracy: float) -> dict[str, step.Step]:
    found = {}
    for name, values in signals.items():
        known = [(v, v - accuracy, v + accuracy) if name == "x" and v is not None else v for v in values]
        found[name] = step.joined([step.BEGIN, *range(len(values)), len(values)], [None, *known, None])
    return found


def windows(past: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    bounded = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda w: {"low": min(w), "high": max(w)})
    unbounded = st.integers(0, 3).map(lambda low: {"low": low, "high": None})
    return st.one_of(bounded, unbounded) if past else bounded


def formulas() -> st.SearchStrategy[dict[str, Any]]:
    compare = st.builds(
        lambda r, v: {
            "kind": "compare", "left": {"kind": "signal", "signal": "x"}, "relation": r,
            "right": {"kind": "number", "value": v},
        },
        st.sampled_from(RELATIONS), st.integers(0, 3),
    )  # fmt: skip
    words = st.sampled_from([(True,), (False,)]).map(lambda v: {"kind": "is", "signal": "b", "values": list(v)})

    def grown(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        def unary(kind: str, past: bool) -> st.SearchStrategy[Any]:
            return st.builds(lambda of, w: {"kind": kind, "of": of, "window": w}, inner, windows(past))

        def binary(kind: str, past: bool) -> st.SearchStrategy[Any]:
            return st.builds(
                lambda p, q, w: {"kind": kind, "hold": p, "goal": q, "window": w}, inner, inner, windows(past)
            )

        measures = st.builds(
            lambda kind, of, past, relation, limit: {
                "kind": "compare", "left": {"kind": kind, "of": of, "past": past}, "relation": relation,
                "right": {"kind": "number", "value": limit / (1e9 if kind == "duration" else 1)},
            },
            st.sampled_from(["count", "duration"]), inner, st.integers(1, 5), st.sampled_from(RELATIONS),
            st.integers(0, 4),
        )  # fmt: skip
        return st.one_of(
            inner.map(lambda of: {"kind": "not", "of": of}),
            st.lists(inner, min_size=2, max_size=3).map(lambda p: {"kind": "and", "parts": p}),
            st.lists(inner, min_size=2, max_size=3).map(lambda p: {"kind": "or", "parts": p}),
            st.builds(lambda c, t: {"kind": "implies", "condition": c, "then": t}, inner, inner),
            *(unary(kind, False) for kind in ("always", "eventually")),
            *(unary(kind, True) for kind in ("historically", "once")),
            binary("until", False),
            binary("since", True),
            st.builds(
                lambda s, t, w: {"kind": "next_change", "signal": s, "then": t, "window": w},
                st.sampled_from(["x", "b"]), inner, windows(),
            ),
            measures,
        )  # fmt: skip

    return st.recursive(st.one_of(compare, words), grown, max_leaves=4)


def traces() -> st.SearchStrategy[dict[str, list[Any]]]:
    numbers = st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=END, max_size=END)
    flags = st.lists(st.one_of(st.none(), st.booleans()), min_size=END, max_size=END)
    return st.builds(lambda x, b: {"x": x, "b": b}, numbers, flags)


@settings(max_examples=EXAMPLES)
@given(formulas(), traces(), st.sampled_from([0.0, 0.5, 1.0]))
def test_every_operator_is_its_definition_at_every_instant(f: Any, signals: Any, accuracy: float) -> None:
    tiny, known = Tiny(signals, accuracy), evaluate(f, held_of(signals, accuracy), end=END)
    for t in range(-6, END + 6):
        found = tuple(part.at(t) for part in known)
        assert found == tiny.at(f, t), (t, f)


def number(value: float) -> dict[str, Any]:
    return {"kind": "number", "value": value}


def compare(left: Any, relation: str, right: float) -> dict[str, Any]:
    return {"kind": "compare", "left": left, "relation": relation, "right": number(right)}


X = {"kind": "signal", "signal": "x"}


def test_request_and_grant_six_seconds_later_has_a_margin_of_one() -> None:
    # G(req >= 3 -> F[0, 5] gnt >= 3) with req = 5 at 2 and gnt = 4 at 6: robustness +1.0
    held = {
        "req": step.Step([step.BEGIN, 0, 2, 3], [None, (0, 0, 0), (5, 5, 5), (0, 0, 0)]),
        "gnt": step.Step([step.BEGIN, 0, 6, 7, 20], [None, (0, 0, 0), (4, 4, 4), (0, 0, 0), None]),
    }
    tree = {
        "kind": "implies",
        "condition": compare({"kind": "signal", "signal": "req"}, ">=", 3),
        "then": {
            "kind": "eventually",
            "of": compare({"kind": "signal", "signal": "gnt"}, ">=", 3),
            "window": {"low": 0, "high": 5},
        },
    }
    known = evaluate(tree, held)
    assert min(known.least.during(0, 10)) == min(known.most.during(0, 10)) == 1.0
    assert all(known.sure.during(0, 10))


@pytest.mark.parametrize(
    ("relation", "reading", "accuracy", "expected"),
    [
        (">", 80.0, 0.0, (False, False, 0.0, 0.0)),
        (">=", 80.0, 0.0, (True, True, 0.0, 0.0)),
        (">", 80.25, 0.5, (False, True, -0.25, 0.75)),
        (">", 80.75, 0.5, (True, True, 0.25, 1.25)),
        ("<", 80.5, 0.5, (False, False, -1.0, 0.0)),
        ("<=", 80.5, 0.5, (False, True, -1.0, 0.0)),
        ("==", 80.0, 0.0, (True, True, 0.0, 0.0)),
        ("==", 80.0, 0.5, (False, True, -0.5, 0.0)),
        ("!=", 83.0, 0.5, (True, True, 2.5, 3.5)),
    ],
)
def test_a_comparison_knows_the_accuracy_of_its_sensor(
    relation: str, reading: float, accuracy: float, expected: tuple[Any, ...]
) -> None:
    held = {"x": step.constant((reading, reading - accuracy, reading + accuracy))}
    assert tuple(f.at(0) for f in evaluate(compare(X, relation, 80), held)) == expected


@pytest.mark.parametrize(
    ("operator", "a", "b", "expected"),
    [
        ("+", (1, 2), (10, 20), (11, 22)),
        ("-", (1, 2), (10, 20), (-19, -8)),
        ("*", (-1, 2), (-3, 5), (-6, 10)),
        ("/", (1, 2), (4, 8), (0.125, 0.5)),
        ("/", (1, 2), (-1, 1), None),
        ("/", (1, 2), (0, 0), None),
        ("*", (1e300, 1e300), (1e300, 1e300), None),
        ("min", (1, 9), (5, 6), (1, 6)),
        ("max", (1, 9), (5, 6), (5, 9)),
    ],
)
def test_arithmetic_is_that_of_intervals(operator: str, a: Any, b: Any, expected: Any) -> None:
    held = {"a": step.constant((0, *a)), "b": step.constant((0, *b))}
    node = {
        "kind": "arithmetic", "operator": operator,
        "left": {"kind": "signal", "signal": "a"}, "right": {"kind": "signal", "signal": "b"},
    }  # fmt: skip
    assert formula.number(node, held, "f", 0).at(0) == expected


def test_kelvin_is_celsius_with_an_offset_and_abs_of_an_interval_around_zero_starts_at_zero() -> None:
    held = {"x": step.constant((80.0, 79.5, 80.5)), "y": step.constant((0.0, -2.0, 1.0))}
    kelvin = {"kind": "signal", "signal": "x", "factor": 1.0, "offset": 273.15}
    assert formula.number(kelvin, held, "f", 0).at(5) == (79.5 + 273.15, 80.5 + 273.15)
    magnitude = {"kind": "abs", "of": {"kind": "signal", "signal": "y"}}
    assert formula.number(magnitude, held, "f", 0).at(5) == (0.0, 2.0)


def test_a_flag_is_not_the_number_one_and_a_condition_knows_its_codes() -> None:
    held = {
        "door": step.constant(True),
        "word": step.constant("1"),
        "alarm": step.Step([step.BEGIN, 5, 9], [frozenset(), frozenset({("warning", "433")}), frozenset({("?", "")})]),
    }
    assert evaluate({"kind": "is", "signal": "word", "values": [True]}, held).possible.at(0) is False
    assert evaluate({"kind": "is", "signal": "door", "values": [True]}, held).sure.at(0) is True
    active = evaluate({"kind": "active", "signal": "alarm"}, held)
    assert [active.sure.at(t) for t in (0, 5, 9)] == [False, True, False]
    assert [active.possible.at(t) for t in (0, 5, 9)] == [False, True, True]
    fault = evaluate({"kind": "active", "signal": "alarm", "warnings": False}, held)
    assert not fault.possible.at(5)
    assert evaluate({"kind": "active", "signal": "alarm", "code": "433"}, held).sure.at(6)


def test_twenty_minutes_of_an_hour_are_counted_to_the_nanosecond() -> None:
    minute = 60 * 10**9
    held = {"p": step.Step([step.BEGIN, 0, 30 * minute, 50 * minute], [False, False, True, False])}
    tree = compare(
        {"kind": "duration", "of": {"kind": "is", "signal": "p", "values": [True]}, "past": 60 * minute}, ">=", 1200
    )
    known = evaluate(tree, held)
    # (t - 1 h, t] holds all of the twenty minutes from the last nanosecond of them until the first leaves again
    assert known.sure.starts == [-math.inf, 50 * minute - 1, 90 * minute]
    assert known.sure.values == [False, True, False]


@pytest.mark.parametrize(
    "tree",
    [
        {"kind": "eval"},
        {"kind": "always", "of": {"kind": "constant", "value": True}, "window": {"low": 0, "high": None}},
        {"kind": "always", "of": {"kind": "constant", "value": 1}, "window": {"low": 0, "high": 5}},
        {"kind": "always", "of": {"kind": "constant", "value": True}, "window": {"low": 6, "high": 5}},
        {"kind": "and", "parts": []},
        compare({"kind": "signal", "signal": "x"}, "=>", 1),
        compare({"kind": "signal", "signal": "x"}, ">", math.nan),
        compare({"kind": "count", "of": {"kind": "constant", "value": True}, "past": 0}, ">", 1),
        {"kind": "compare", "left": X, "relation": ">", "right": {"kind": "count", "of": X, "past": 1}},
        {"kind": "arithmetic"},
        {"kind": ["not"]},
        [],
        None,
    ],
)
def test_what_is_no_formula_is_refused(tree: Any) -> None:
    with pytest.raises(RefusedError):
        evaluate(tree, {"x": step.constant((1, 1, 1))})


def test_a_formula_nested_without_end_is_refused() -> None:
    tree: Any = {"kind": "constant", "value": True}
    for _ in range(5000):
        tree = {"kind": "not", "of": tree}
    with pytest.raises(RefusedError, match="too-deep"):
        evaluate(tree, {})
