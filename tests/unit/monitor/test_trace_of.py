"""Observations become what a monitor reads by the rules of the concept page; triggers and occurrences are counted."""

from __future__ import annotations

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.formula.tree import (
    Active,
    Always,
    Compare,
    Eventually,
    Implies,
    Is,
    Measured,
    Named,
    Number,
    Window,
)
from servitwin.domain.observation import Observation, Quality
from servitwin.domain.signal import Reporting, SignalDefinition
from servitwin.domain.state_time import Gap, State, StateInterval
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.trace import SignalTrace, Trace, Verdict
from servitwin.proof.monitor.trace_of import trace_of
from servitwin.proof.monitor.trigger import occurrences, triggered

T, F, U = Verdict.TRUE, Verdict.FALSE, Verdict.INCONCLUSIVE
NUMBER = SignalDefinition("x", accuracy=0.5, reporting=Reporting("periodic", 10))
DEFINITIONS = {
    "x": NUMBER,
    "door": SignalDefinition("door", "flag"),
    "word": SignalDefinition("word", "text"),
    "system": SignalDefinition("system", "condition"),
}
HIGH = Compare(Measured("x"), ">", Number(5.0))


def verdicts(formula, observations, end=40, **more):
    trace = trace_of(observations, DEFINITIONS, start=0, end=end, **more)
    return [(p.start, p.verdict) for p in evaluate(formula, trace).pieces]


def test_a_number_is_known_until_it_is_stale_or_doubtful():
    seen = [
        Observation(2, 9.0), Observation(6, 1.0, Quality.UNCERTAIN), Observation(8, 9.0),
        Observation(20, None, Quality.BAD), Observation(25, 5.2), Observation(26, 1.0),
    ]  # fmt: skip
    assert verdicts(HIGH, {"x": seen}) == [(0, U), (2, T), (6, U), (8, T), (18, U), (26, F), (36, U)]


def test_the_last_one_of_an_instant_holds_in_any_order():
    seen = [Observation(3, 1.0, seq=2), Observation(3, 9.0, seq=1), Observation(0, 9.0)]
    assert verdicts(HIGH, {"x": seen}, end=9) == [(0, T), (3, F)]


def test_offline_and_declared_gaps_end_with_what_was_known():
    seen = {"door": [Observation(0, True), Observation(22, False)]}
    door = Is("door", (True,))
    assert verdicts(door, seen, end=30, offline=[(5, 10)]) == [(0, T), (5, U), (10, T), (22, F)]
    assert verdicts(door, seen, end=30, offline=[(20, 28)]) == [(0, T), (20, U), (22, F)]
    assert verdicts(door, seen, end=30, gaps=[Gap(20, 25, "lost")]) == [(0, T), (20, U), (25, F)]


def test_a_condition_is_a_set_and_all_observations_of_an_instant_count():
    seen = [
        Observation(1, "Fault|433|||A"), Observation(1, "Warning|7|||B", seq=1),
        Observation(5, "Normal|433|||"), Observation(9, "Normal||||"), Observation(12, "Unavailable||||"),
    ]  # fmt: skip
    system = {"system": seen}
    assert verdicts(Active("system", "433"), system, 20) == [(0, U), (1, T), (5, F), (12, U)]
    assert verdicts(Active("system"), system, 20) == [(0, U), (1, T), (9, F), (12, U)]
    assert verdicts(Active("system", warnings=False), system, 20) == [(0, U), (1, T), (5, F), (12, U)]


def test_the_state_is_not_known_where_it_is_unknown():
    states = [
        StateInterval(0, 5, State.PRODUCING),
        StateInterval(5, 9, State.UNKNOWN),
        StateInterval(12, 15, State.OFF),
    ]
    producing = Is("state", ("producing",))
    assert verdicts(producing, {}, 20, states=states) == [(0, T), (5, U), (12, F), (15, U)]


def test_a_text_signal_and_a_signal_that_nobody_defined():
    seen = {"word": [Observation(0, "READY"), Observation(4, "ACTIVE"), Observation(8, None)]}
    assert verdicts(Is("word", ("ACTIVE", "STOPPED")), seen, 10) == [(0, F), (4, T), (8, U)]
    with pytest.raises(InvalidInputError) as caught:
        trace_of({"ghost": []}, DEFINITIONS, start=0, end=1)
    assert caught.value.fault.code == "trace:signal-unknown"


def steps(*rows: tuple[int, float]) -> SignalTrace:
    return SignalTrace(
        np.array([t for t, _ in rows], np.int64), np.array([v for _, v in rows], float), np.ones(len(rows), np.bool_)
    )


def test_triggers_and_occurrences_are_counted():
    answer = Eventually(Compare(Measured("y"), ">", Number(5.0)), Window(0, 4))
    requirement = Always(Named("whole", Implies(HIGH, answer)), Window())
    trace = Trace(
        0, 40,
        {
            "x": steps((0, 0.0), (5, 9.0), (7, 0.0), (15, 9.0), (17, 0.0), (36, 9.0)),
            "y": steps((0, 0.0), (8, 9.0), (9, 0.0)),
            "load": steps((0, 1.0), (10, 50.0)),
        },
    )  # fmt: skip
    found = triggered(requirement, trace)
    assert (found.times, found.count, found.held, found.signals) == ((5, 15, 36), 3, 8, ("x",))
    assert [(o.start, o.end, o.verdict) for o in occurrences(requirement, trace)] == [
        (5, 7, T), (15, 17, F), (36, 40, U),
    ]  # fmt: skip
    loaded = Compare(Measured("load"), ">", Number(20.0))
    assert [o.start for o in occurrences(requirement, trace, loaded)] == [15, 36]
    never = Implies(Compare(Measured("x"), ">", Number(99.0)), answer)
    assert (triggered(never, trace).count, occurrences(never, trace)) == (0, [])
    always = Compare(Measured("x"), "<", Number(99.0))
    assert [(o.start, o.end, o.verdict) for o in occurrences(always, trace)] == [(0, 40, T)]
