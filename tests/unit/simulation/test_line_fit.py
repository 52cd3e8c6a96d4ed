"""Laws of a line model from states and counters whose truth is known."""

import numpy as np
import pytest

from servitwin.domain.line_fit import cycles, fitted_stop, lots, stops_in
from servitwin.domain.oee_counter import Counts, Parts
from servitwin.domain.state_time import State, StateInterval

NS = 1_000_000_000


def intervals(*spans: tuple[State, float]) -> list[StateInterval]:
    at, found = 0, []
    for state, seconds in spans:
        end = at + int(seconds * NS)
        found.append(StateInterval(at, end, state))
        at = end
    return found


def test_failure_and_repair_are_one_stop_and_the_rest_is_censored():
    time = intervals(
        (State.PRODUCING, 100), (State.FAILED, 10), (State.REPAIR, 30), (State.STANDBY, 5), (State.PRODUCING, 50),
        (State.UNKNOWN, 1000), (State.PRODUCING, 20),
    )  # fmt: skip
    found = stops_in(time, ["failure"])["failure"]
    assert (found.every, found.every_ended) == ([100.0, 70.0], [True, False])
    assert (found.lasting, found.lasting_ended) == ([40.0], [True])


def test_a_stop_cut_by_unknown_time_is_censored():
    found = stops_in(intervals((State.PRODUCING, 10), (State.FAILED, 5), (State.UNKNOWN, 5)), ["failure"])["failure"]
    assert found.lasting_ended == [False]


def test_true_laws_come_back():
    random = np.random.default_rng(2)
    spans: list[tuple[State, float]] = []
    for up, down in zip(random.standard_exponential(400) * 5000, random.standard_exponential(400) * 300, strict=True):
        spans += [(State.PRODUCING, up), (State.FAILED, down)]
    stop, said = fitted_stop("failure", [stops_in(intervals(*spans), ["failure"])["failure"]])
    assert stop is not None and "400 in" in said
    assert stop.every.mean == pytest.approx(5000, rel=0.15) and stop.lasting.mean == pytest.approx(300, rel=0.15)


def test_without_a_failure_none_is_simulated_and_that_is_told():
    stop, said = fitted_stop("failure", [stops_in(intervals((State.PRODUCING, 7200)), ["failure"])["failure"]])
    assert stop is None and said == "no failure in 2 h at work: none is simulated"


def test_cycles_count_work_alone_from_part_to_part():
    time = intervals((State.PRODUCING, 30), (State.STANDBY, 100), (State.PRODUCING, 30), (State.PRODUCING, 40))
    at = np.array([30, 160, 200]) * NS
    # The counter was told again one second before each rise: that is no part.
    parts = Parts(Counts(at, at - NS, np.array([1.0, 1.0, 2.0])), Counts.none(), True, (), np.array([0]), ["bracket"])
    assert cycles(parts, time) == {"bracket": [30.0, 20.0, 20.0]}


def test_lots_are_those_in_the_middle():
    products = ["a"] * 3 + ["b"] * 10 + ["a"] * 8 + ["b"] * 12 + ["a"] * 2
    assert lots(products) == (("b", 11), ("a", 8))
