"""Useless requirements are found when they are written, and what is called impossible never happens on any trace."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.formula.checked import requirement_formula
from servitwin.domain.formula.tree import (
    Active,
    Always,
    And,
    Compare,
    Eventually,
    Formula,
    Historically,
    Implies,
    Is,
    Measured,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    Window,
)
from servitwin.domain.formula.vacuity import possible, vacuity_faults
from tests.unit.formula.trees import SIGNALS

S = 1_000_000_000


@pytest.mark.parametrize(
    ("written", "code", "column", "part"),
    [
        ("temperature > 300 -> eventually[0s, 5s](door)", "trigger-never", 1, "temperature > 300"),
        ("door and temperature > 300 -> p > 3", "trigger-never", 10, "temperature > 300"),
        ("p > 3 or (temperature > 300 -> door)", "trigger-never", 11, "temperature > 300"),
        ("p + q > 20", "never-true", 1, "p + q > 20"),
        ("door and p + q > 20", "never-true", 10, "p + q > 20"),
        ("p - q < 20", "never-false", 1, "p - q < 20"),
        ("abs(temperature - 20) < 300", "never-false", 1, "abs"),
        ("temperature > 500 K or temperature <= 500 K", "never-false", 1, "or"),
        ("temperature > 100 and temperature <= 100", "never-true", 1, "and"),
        ("execution in (ACTIVE, READY, FEED_HOLD)", "never-false", 1, "in"),
        ("execution is ACTIVE and execution is READY", "never-true", 1, "and"),
        ("state is producing and state is failed", "never-true", 1, "and"),
        ("alarm has '3' -> alarm is active", "never-false", 1, "->"),
        ("alarm is fault and not alarm is active", "never-true", 1, "and"),
        ("count[10min](door) >= 0", "never-false", 1, "count"),
        ("count[10min](door) == 1.5", "never-true", 1, "count"),
        ("count[10min](temperature > 300) <= 3", "never-false", 1, "count"),
        ("duration[1h](door) > 2h", "never-true", 1, "duration"),
        ("temperature > 80 -> eventually[0s, 5s](temperature > 70)", "never-false", 1, "->"),
        ("door -> once[0s, 5s](door)", "never-false", 1, "->"),
        ("always[0s, 10s](door) and not door", "never-true", 1, "and"),
        ("(p > 3) until[0s, 5s] (temperature > 300)", "never-true", 24, "temperature > 300"),
        ("eventually[1s, 5s](door) or not eventually[1s, 5s](door)", "never-false", 1, "or"),
        ("always(true)", "never-false", 8, "true"),
        ("let hot = temperature > 300; hot -> door", "trigger-never", 11, "temperature > 300"),
    ],
)
def test_useless_requirements_are_refused_with_the_part(written: str, code: str, column: int, part: str) -> None:
    found = requirement_formula(written, SIGNALS, "spindle")
    assert found.tree is None
    assert [(f.code, f.column) for f in found.faults] == [(f"formula:{code}", column)]
    assert part in found.faults[0].message


@pytest.mark.parametrize(
    "written",
    [
        "temperature > 80 -> eventually[0s, 5s](temperature < 60)",
        "temperature > 250 or temperature < 0",
        "temperature >= 250 -> door",  # the limit itself can be reached
        "execution in (ACTIVE, READY)",
        "alarm is active -> alarm has '3'",
        "door -> eventually[1s, 5s](door)",
        "always[1s, 5s](door) and not door",
        "p > 3 -> q > 300",
        "count[10min](door) <= 3 and duration[1h](door) >= 20min",
        "next_change[0s, 5s](execution, execution is READY)",
        "axis.temperature > 1e9",  # no limits are declared
    ],
)
def test_useful_requirements_pass(written: str) -> None:
    assert requirement_formula(written, SIGNALS, "spindle").faults == []


def test_between_proven_and_shown_it_says_not_decided() -> None:
    found = requirement_formula("door and eventually[0s, 3s](not door)", SIGNALS)
    assert found.tree is not None
    assert possible(found.tree, SIGNALS) == (True, None)  # true on traces that change, which are not searched


# Sound: a formula that is called always true or never true is so at every instant of every random trace. -------------
Trace = list[dict[str, object]]  # one sample a second, which holds until the next


def _holds(node: Formula, trace: Trace, at: int) -> bool:
    """The meaning on a trace that changes at whole seconds, for windows of whole seconds: instants between seconds
    add nothing, because all is constant there and windows end on seconds."""
    match node:
        case Compare(Measured() as left, relation, Number() as right):
            value = trace[at][left.signal]
            assert isinstance(value, float)
            return {
                "<": value < right.value, "<=": value <= right.value, ">": value > right.value,
                ">=": value >= right.value, "==": value == right.value, "!=": value != right.value,
            }[relation]  # fmt: skip
        case Is():
            return trace[at][node.signal] in node.values
        case Active():
            entries = trace[at][node.signal]
            assert isinstance(entries, frozenset)
            return any((node.warnings or fault) and node.code in ("", code) for code, fault in entries)
        case Not():
            return not _holds(node.of, trace, at)
        case And():
            return all(_holds(p, trace, at) for p in node.parts)
        case Or():
            return any(_holds(p, trace, at) for p in node.parts)
        case Implies():
            return not _holds(node.condition, trace, at) or _holds(node.then, trace, at)
        case Always() | Eventually():
            seen = [_holds(node.of, trace, t) for t in _ahead(node.window, at)]
            return all(seen) if isinstance(node, Always) else any(seen)
        case Historically() | Once():
            seen = [_holds(node.of, trace, t) for t in _back(node.window, at)]
            return all(seen) if isinstance(node, Historically) else any(seen)
        case Until():
            return any(
                _holds(node.goal, trace, t) and all(_holds(node.hold, trace, h) for h in range(at, t))
                for t in _ahead(node.window, at)
            )
        case Since():
            return any(
                _holds(node.goal, trace, t) and all(_holds(node.hold, trace, h) for h in range(t + 1, at + 1))
                for t in _back(node.window, at)
            )
    raise AssertionError(node)


def _ahead(window: Window, at: int) -> range:
    assert window.high is not None
    return range(at + window.low // S, at + window.high // S + 1)


def _back(window: Window, at: int) -> range:
    assert window.high is not None
    return range(at - window.low // S, at - window.high // S - 1, -1)


def _random_formula(rng: Random, depth: int) -> Formula:
    if depth == 0:
        match rng.randrange(4):
            case 0:
                return Compare(
                    Measured("p"),
                    rng.choice(("<", "<=", ">", ">=", "==")),
                    Number(rng.choice((-1.0, 0.0, 5.0, 10.0, 11.0))),
                )
            case 1:
                return Is("execution", tuple(rng.sample(("ACTIVE", "READY", "FEED_HOLD"), rng.randint(1, 3))))
            case 2:
                return Is("door", (rng.random() < 0.5,))
            case _:
                return Active("alarm", rng.choice(("", "3")), rng.random() < 0.5)
    low, high = sorted((rng.randint(0, 2), rng.randint(0, 2)))
    window = Window(low * S, high * S)
    parts = [_random_formula(rng, depth - 1) for _ in range(2)]
    if rng.random() < 0.2:
        parts[1] = parts[0]
    match rng.randrange(10):
        case 0:
            return Not(parts[0])
        case 1:
            return And(tuple(parts))
        case 2:
            return Or(tuple(parts))
        case 3:
            return Implies(*parts)
        case 4:
            return Always(parts[0], window)
        case 5:
            return Eventually(parts[0], window)
        case 6:
            return Historically(parts[0], window)
        case 7:
            return Once(parts[0], window)
        case 8:
            return Until(*parts, window)
        case _:
            return Since(*parts, window)


def _sample(rng: Random) -> dict[str, object]:
    kinds = [("3", True), ("3", False), ("9", True), ("9", False)]
    return {
        "p": rng.choice((0.0, 2.5, 5.0, 7.5, 10.0)),
        "execution": rng.choice(("ACTIVE", "READY", "FEED_HOLD")),
        "door": rng.random() < 0.5,
        "alarm": frozenset(rng.sample(kinds, rng.choice((0, 0, 1, 2)))),
    }


@settings(max_examples=300)
@given(st.integers(0, 2**40))
def test_what_is_called_impossible_is_on_no_trace(seed: int) -> None:
    rng = Random(seed)
    tree = _random_formula(rng, rng.randint(1, 3))
    found = possible(tree, SIGNALS)
    assert found.false is not False or found.true is not False
    reach = 8  # more than three windows of two seconds, on both sides
    for _ in range(20):
        start = [_sample(rng)] * (2 * reach + 1) if rng.random() < 0.2 else [_sample(rng) for _ in range(2 * reach + 1)]
        truth = _holds(tree, start, reach)
        assert (found.true if truth else found.false) is not False


def test_a_large_formula_is_not_decided_instead_of_searched_for_long() -> None:
    atoms = [f"p > {i / 10} and q > {i} -> v > {i}" for i in range(1, 60)]
    found = requirement_formula(" or ".join(f"({a})" for a in atoms), SIGNALS)
    assert found.tree is not None
    assert vacuity_faults(found.tree, SIGNALS) == []
