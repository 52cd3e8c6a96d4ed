"""Failures within a horizon, the cost of acting, and the watch over models in use."""

import numpy as np
import pytest

from servitwin.domain.day_events import KEPT_DAYS
from servitwin.domain.error import InvalidInputError
from servitwin.domain.failure_events import MachineEvents, read_events
from servitwin.domain.failure_horizon import (
    Judged,
    average_precision,
    cost_of_alarms,
    day_features,
    fails_soon,
    known_days,
    lives_of,
)
from servitwin.domain.remaining_life.acting import acting
from servitwin.domain.remaining_life.drift import drift, martingale, stability
from tests.unit.life.quick import model


def test_days_before_a_failure_and_nothing_later_is_looked_at() -> None:
    one = MachineEvents("a", [[1.0]] * 10, {"e": [3.5, 6.2]}, {"c": [2.25]}, {"c": [7.25]})
    assert np.flatnonzero(fails_soon(one, "c", 2)).tolist() == [5, 6]  # ends of days 5 and 6: 6.0 and 7.0
    whole = day_features(one, ["s"], ["e"], ["c"], [])
    early = MachineEvents("a", [[1.0]] * 5, {"e": [3.5]}, {"c": [2.25]}, {})
    np.testing.assert_array_equal(whole[:5], day_features(early, ["s"], ["e"], ["c"], []))
    length, ended = lives_of(one, "c")
    assert length.tolist() == [5.0, 2.75] and ended.tolist() == [True, False]


def test_average_precision_by_hand() -> None:
    assert average_precision(np.array([0.9, 0.8, 0.7, 0.6]), np.array([True, False, True, False])) == pytest.approx(
        5 / 6
    )


def test_faults_of_a_set_of_events_at_once() -> None:
    wrong = {
        "machine_type": "p", "components": ["c"], "signals": ["s"], "horizon": 0,
        "machines": [
            {"id": "a", "means": [[1.0, 2.0]], "errors": {"x": [1.0]}, "failed": {"c": [1.0]}},
            {"id": "a", "means": [[1.0]]},
        ],
    }  # fmt: skip
    with pytest.raises(InvalidInputError) as caught:
        read_events(wrong)
    assert {f.code for f in caught.value.faults} == {
        "horizon:machine-twice", "horizon:row-length", "horizon:not-declared", "horizon:too-few-failures",
        "horizon:out-of-range",
    }  # fmt: skip


def test_acting_on_good_predictions_costs_less_than_any_age_and_on_useless_ones_no_less() -> None:
    rng = np.random.default_rng(2)
    lengths = rng.weibull(2.0, 60) * 100 + 10
    good = [np.maximum(np.arange(int(n))[::-1] - rng.uniform(0, 5), 0) for n in lengths]
    found = acting(good, np.ones(60, np.bool_), 1.0, 5.0, np.random.default_rng(1))
    assert found.predicted < 0.6 * found.by_age <= 0.6 * found.at_failure * 1.05
    assert found.failures <= 0.1 and found.used > 0.8
    useless = [rng.uniform(0, 50, int(n)) for n in lengths]
    assert acting(useless, np.ones(60, np.bool_), 1.0, 5.0, np.random.default_rng(1)).against_age > 0.95


def test_the_watch_is_quiet_while_nothing_changes_and_wakes_when_it_does() -> None:
    alarms = sum(martingale(np.random.default_rng(k).uniform(size=60).tolist()) >= 100 for k in range(200))
    assert alarms <= 6  # at most one in a hundred by Ville's inequality, with its scatter
    small = np.random.default_rng(1).uniform(0, 0.1, 30).tolist()
    assert martingale(small) > 100
    one = model()
    known = one.shares, one.watched
    edges = np.array(one.shares[0])
    rng = np.random.default_rng(3)
    same = rng.choice(np.concatenate([edges - 1e-6, edges[-1:] + 1]), 500)
    assert stability(edges, same) < 0.1
    assert stability(edges, same + 10) > 0.25
    usual = np.stack([rng.choice([*(np.array(e) - 1e-6), e[-1] + 1], 300) for e in one.shares], 1)
    assert not drift(*known, usual, [0.5, 0.7]).retrain
    moved = drift(*known, usual + np.array([5.0, 0, 0, 0])[: usual.shape[1]], [])
    assert moved.retrain and moved.signal == "temperature"
    assert not drift(*known, usual[:5] + 9, []).retrain  # too few to tell
    assert drift(*known, usual[:5], small).retrain


def test_a_day_that_is_missing_is_told_by_days_before_it_alone() -> None:
    def features(means: list[float | None]) -> np.ndarray:
        return day_features(MachineEvents("a", [[v] for v in means]), ["s"], [], [], [])

    begun: list[float | None] = [None, None, *(18.0 + 0.1 * d for d in range(20)), None, 21.0]
    rows = features(begun)
    np.testing.assert_array_equal(rows, features([*begun, *[90.0] * 200])[: len(begun)])
    assert rows[1].tolist() == [0.0] * 3 and rows[2].tolist() == [18.0] * 3  # nothing was known, then one day was
    assert rows[22][0] == pytest.approx(np.median([18.0 + 0.1 * d for d in range(20)]))


def test_the_live_service_with_its_last_weeks_sees_what_training_saw_in_years() -> None:
    rng = np.random.default_rng(1)
    means = [[None if rng.random() < 0.3 else float(v)] for v in 18 + np.cumsum(rng.normal(0, 0.3, 700))]
    years = day_features(MachineEvents("a", means), ["s"], [], [], [])[-1]
    weeks = day_features(MachineEvents("a", means[-KEPT_DAYS:]), ["s"], [], [], [])[-1]
    np.testing.assert_allclose(weeks, years, rtol=1e-12)


def test_days_of_which_nobody_knows_what_followed_neither_teach_nor_judge() -> None:
    one = MachineEvents("a", [[1.0]] * 20, {}, {}, {"c": [10.5, 19.5]})
    assert known_days(one, 3) == 17 and known_days(one, 30) == 0
    said = np.zeros(17)
    said[[8, 16]] = 1.0  # at the ends 9.0 and 17.0 of days: both before a failure
    cost, count, right, missed = cost_of_alarms([Judged(one, said)], "c", 0.5, 3, (1.0, 5.0))
    assert (cost, count, right, missed) == (2.0, 2, 2, 0)
    silent = cost_of_alarms([Judged(one, np.zeros(17))], "c", 0.5, 3, (1.0, 5.0))
    assert silent == (5.0, 0, 0, 1)  # whether the last failure would have been told is not known
