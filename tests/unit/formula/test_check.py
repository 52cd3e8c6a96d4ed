"""Names, types, words and units of formulas."""

from __future__ import annotations

from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.formula.cells import Cell
from servitwin.domain.formula.check import check
from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.constant_trace import value
from servitwin.domain.formula.read import read
from servitwin.domain.formula.tree import Active, Compare, Is, Measured, Number, walk
from tests.unit.formula.trees import SIGNALS, bare, formula


def checked(written: str, component: str = "spindle"):  # a tree or None, with faults
    tree = read(written).tree
    assert tree is not None
    return check(tree, SIGNALS, component, written)


@pytest.mark.parametrize(
    ("written", "code", "column", "hint"),
    [
        ("temperature < 5 bar", "unit-mismatch", 17, "same kind"),
        ("5 bar > temperature", "unit-mismatch", 3, "same kind"),
        ("temperature + p > 3", "unit-mismatch", 15, "same kind"),
        ("p > 3 bars", "unit-unknown", 7, "'bar'"),
        ("temperature > temperature - axis.temperature", "unit-mismatch", 15, "difference"),
        ("temperature * v > 3", "unit-mismatch", 15, "K"),
        ("level * p > 3", "unit-mismatch", 9, "bare number"),
        ("bare > 3 bar", "unit-mismatch", 10, "Declare"),
        ("p / 0 > 1", "division-by-zero", 5, ""),
        ("p > 1e300 Gbar * 1e300", "number", 18, "larger unit"),
        ("temprature > 3", "signal-unknown", 1, "'temperature'"),
        ("flow.station > 3", "signal-unknown", 1, "`flow.station-1`"),
        ("execution is ACTVE", "value-unknown", 14, "ACTIVE"),
        ("execution is active", "value-unknown", 14, "ACTIVE"),
        ("execution in (READY, REDY)", "value-unknown", 22, "READY"),
        ("execution == ACTIVE", "signal-unknown", 14, "execution is ACTIVE"),
        ("execution", "wrong-type", 1, "is READY"),
        ("execution > 3", "wrong-type", 1, "is READY"),
        ("execution is true", "wrong-type", 14, "'true'"),
        ("door is OPEN", "wrong-type", 1, "not door"),
        ("door > 3", "wrong-type", 1, "not door"),
        ("alarm", "wrong-type", 1, "is active"),
        ("alarm in (fault, warning)", "wrong-type", 1, "is fault"),
        ("p is HIGH", "wrong-type", 1, "p > 80"),
        ("p has '3'", "wrong-type", 1, "p > 80"),
        ("state > 3", "wrong-type", 1, "state is producing"),
        ("state is producin", "value-unknown", 10, "producing"),
        ("state is unknown", "value-unknown", 10, "inconclusive"),
        ("eventually(door)", "unbounded", 1, "[0s, 300s]"),
        ("door until p > 3", "unbounded", 6, "[0s, 300s]"),
        ("next_change(execution, door)", "unbounded", 1, "[0s, 300s]"),
        ("always(door and always(door))", "unbounded", 17, "whole"),
        ("always[0s, 20d](eventually[0s, 20d](door))", "too-far", 1, "31 days"),
        ("count[10min](door) > n", "count-place", 22, "bare number"),
        ("count[10min](door) > 3 Cel", "unit-mismatch", 24, "bare number"),
        ("duration[1h](door) > 3 m", "unit-mismatch", 24, "20min"),
        ("3 < count[1h](door)", "count-place", 5, "count[10min]"),
        ("count[1h](door) + 1 > 3", "count-place", 1, "count[10min]"),
        ("next_change[0s, 3s](exection, door)", "signal-unknown", 21, "'execution'"),
        ("let door = p > 3; door", "name-taken", 19, "another name"),
    ],
)  # fmt: skip
def test_faults_of_meaning(written: str, code: str, column: int, hint: str) -> None:
    tree, faults = checked(written)
    assert tree is None
    assert [(f.code, f.column) for f in faults] == [(f"formula:{code}", column)]
    assert hint in faults[0].hint


def test_state_of_a_component_is_named_in_full() -> None:
    _, (fault,) = checked("state is OPEN", "brake")
    assert fault.code == "formula:value-unknown" and "brake.state" in fault.hint
    assert checked("brake.state is OPEN", "brake")[1] == []


def test_all_faults_of_a_formula_are_told_at_once() -> None:
    written = "x > 3 and p > 3 K and execution is RUN and (q >"
    codes = [(f.code, f.column) for f in requirement_formula(written, SIGNALS).faults]
    assert codes == [
        ("formula:signal-unknown", 1),
        ("formula:unit-mismatch", 17),
        ("formula:value-unknown", 36),
        ("formula:syntax", 48),
    ]


@pytest.mark.parametrize(
    ("written", "factor", "offset", "right"),
    [
        ("temperature < 353 K", 1.0, 0.0, 79.85),  # 353 - 273.15
        ("temperature < 176 [degF]", 1.0, 0.0, 80.0),  # (176 - 32) / 1.8
        ("oil < 80 Cel", 1.0, 0.0, 176.0),
        ("axis.temperature < 80 Cel", 1.0, 0.0, 353.15),
        ("temperature < 60 + 20", 1.0, 0.0, 80.0),
        ("p < 200 kPa", 1.0, 0.0, 2.0),
        ("q < 2 bar", 1.0, 0.0, 200.0),
        ("v < 1 m/s", 1.0, 0.0, 60000.0),
        ("n < 50 %", 1.0, 0.0, 0.5),
    ],
)
def test_constants_take_the_unit_of_the_signal(written: str, factor: float, offset: float, right: float) -> None:
    tree, faults = checked(written)
    assert faults == []
    assert isinstance(tree, Compare) and isinstance(tree.left, Measured) and isinstance(tree.right, Number)
    assert (tree.left.factor, tree.left.offset, tree.right.value, tree.right.unit) == (factor, offset, right, "")


@pytest.mark.parametrize(
    ("written", "readings"),
    [
        # At these readings both sides are equal, computed by hand.
        ("temperature >= axis.temperature", {"spindle.temperature": "20", "axis.temperature": "293.15"}),
        ("temperature - axis.temperature >= 5 K", {"spindle.temperature": "25", "axis.temperature": "293.15"}),
        ("temperature - oil >= 9 [degF]", {"spindle.temperature": "25", "oil": "68"}),
        (
            "(temperature + axis.temperature) / 2 >= 303.15 K",
            {"spindle.temperature": "20", "axis.temperature": "313.15"},
        ),
        ("p + q >= 300 kPa", {"p": "1", "q": "200"}),
        ("max(p, q) >= 2.5 bar", {"p": "1", "q": "250"}),
        ("p * v >= 0.05 bar.m/s", {"p": "1", "v": "3000"}),
        ("temperature + 5 K >= axis.temperature", {"spindle.temperature": "15", "axis.temperature": "293.15"}),
        ("2 * p - q >= 0", {"p": "1", "q": "200"}),
        ("-temperature >= -293.15 K", {"spindle.temperature": "20"}),
    ],
)
def test_two_units_meet_in_one(written: str, readings: dict[str, str]) -> None:
    tree, faults = checked(written)
    assert faults == []
    assert isinstance(tree, Compare)
    cells = {name: Cell(Fraction(text)) for name, text in readings.items()}
    left, right = value(tree.left, cells), value(tree.right, cells)
    assert left is not None and right is not None
    assert abs(float(left - right)) < 1e-9


def test_a_name_of_the_component_comes_before_a_full_name() -> None:
    tree, _ = checked("temperature > 3")
    assert tree is not None and bare(tree)["left"]["signal"] == "spindle.temperature"
    assert checked("temperature > 3", "")[0] is None
    assert checked("p > 3", "spindle")[0] is not None


def test_active_means_a_condition_or_the_word() -> None:
    assert checked("alarm is 'fault'")[0] == Active("alarm", warnings=False, at=(0, 16))
    assert checked("word is active")[0] == Is("word", ("active",), at=(0, 14))


def test_what_a_checked_formula_says_of_itself() -> None:
    found = requirement_formula(
        "always(temperature > 80 and once[0s, 1min](door) -> eventually[1s, 5s](p > 3))", SIGNALS, "spindle"
    )
    assert found.faults == []
    assert (found.past, found.future) == (60 * 10**9, 5 * 10**9)
    assert found.signals == ("spindle.temperature", "door", "p")
    assert requirement_formula("once(door) or p > 3", SIGNALS).past is None


@settings(max_examples=300)
@given(st.integers(0, 2**40))
def test_no_formula_breaks_the_check_and_what_passes_has_no_units_left(seed: int) -> None:
    tree, faults = check(formula(Random(seed), 3), {**SIGNALS, "a": SIGNALS["p"], "x.1": SIGNALS["axis.temperature"]})
    assert (tree is None) == bool(faults)
    assert tree is None or all(not n.unit for n in walk(tree) if isinstance(n, Number))
