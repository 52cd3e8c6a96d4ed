"""Anomalies: the same scores in any split, what is said of bad data, and that faults are found and nothing else is."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.found_regimes import NOT_LEARNT
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalyModel, AnomalySettings, limit_of_one, limit_of_square
from servitwin.domain.anomaly.stretch import Stretch, Stretches, StretchState
from servitwin.domain.anomaly.unit_change import likely_units
from servitwin.domain.anomaly.watch import AnomalyWatch, Scores, WatchState
from servitwin.domain.error import InvalidInputError
from servitwin.domain.observation import Floats, Int64s

SECOND = 1_000_000_000
SETTINGS = AnomalySettings(every=5 * SECOND)
NAMES = ("flow", "load", "heat")


def rows(count: int, seed: int, start: int = 0) -> tuple[Int64s, Floats]:
    """Flow scatters, load follows it, heat wanders."""
    noise = np.random.default_rng(seed).standard_normal((count, 3))  # row by row: a longer one begins like a shorter
    flow = 30 + noise[:, 0]
    load = 2 * flow + 0.5 * noise[:, 1]
    heat = 70 + np.cumsum(0.05 * noise[:, 2])
    return (start + np.arange(count, dtype=np.int64)) * SECOND, np.column_stack([flow, load, heat])


def learnt(time: Int64s, values: Floats, regime: list[str] | None = None) -> AnomalyModel:
    names = NAMES[: values.shape[1]]
    end = int(time[-1]) + SETTINGS.every
    return learn(
        names, Binning(len(names), SETTINGS.every).take(time, values, regime or ["on"] * len(time), end), SETTINGS
    )


@cache
def model() -> AnomalyModel:
    return learnt(*rows(1000, 1))


def scored(values: Floats, start: int = 1000, regime: str = "on", m: AnomalyModel | None = None) -> Scores:
    time = (start + np.arange(len(values), dtype=np.int64)) * SECOND
    return AnomalyWatch(m or model()).take(time, values, [regime] * len(time), int(time[-1]) + SETTINGS.every)


def stretches(scores: Scores) -> list[Stretch]:
    joined = Stretches(model())
    return [s for s in joined.take(scores) if s.end is not None] + joined.going_on()


def continued(count: int = 600) -> Floats:
    """What follows the stretch that was learnt."""
    return rows(1000 + count, 1)[1][1000:]


@given(cuts=st.lists(st.integers(0, 599), max_size=12), data=st.data())
@settings(max_examples=25)
def test_any_split_gives_the_same_scores_and_stretches(cuts: list[int], data: st.DataObject) -> None:
    values = continued()
    values[200:320, 0] -= 6  # an anomaly
    values[400:480, 1] = values[400, 1]  # a stuck sensor
    for at in data.draw(st.lists(st.integers(0, 599), max_size=20)):
        values[at, at % 3] = data.draw(st.sampled_from([math.nan, 1e308, -math.inf, 0.0]))
    time = (1000 + np.arange(600, dtype=np.int64)) * SECOND
    regime = ["on"] * 500 + ["off"] * 40 + ["on"] * 60
    end = int(time[-1]) + SETTINGS.every
    whole = AnomalyWatch(model()).take(time, values, regime, end)
    joined = Stretches(model())
    expected = joined.take(whole), joined.going_on()
    parts, over = [], []
    state, told = msgspec.json.encode(AnomalyWatch(model()).state()), msgspec.json.encode(Stretches(model()).state())
    edges = [0, *sorted(cuts), 600]
    for a, b in pairwise(edges):  # through a snapshot each time
        watch = AnomalyWatch(model(), msgspec.json.decode(state, type=WatchState))
        follow = Stretches(model(), msgspec.json.decode(told, type=StretchState))
        parts.append(watch.take(time[a:b], values[a:b], regime[a:b], end if b == 600 else int(time[b])))
        over += follow.take(parts[-1])
        state, told = msgspec.json.encode(watch.state()), msgspec.json.encode(follow.state())
    for column in ("start", "score", "deviation", "share", "level", "stuck", "rows"):
        np.testing.assert_array_equal(np.concatenate([getattr(p, column) for p in parts]), getattr(whole, column))
    assert [w for p in parts for w in p.why] == whole.why
    assert (over, follow.going_on()) == expected


def test_a_normal_machine_is_quiet_and_its_wandering_heat_is_no_anomaly() -> None:
    scores = scored(continued(20_000))
    assert (scores.score > 1).mean() < 0.002


def test_a_shift_is_found_with_its_signal_and_since_when() -> None:
    values = continued()
    values[300:450, 0] -= 5
    values[300:450, 1] -= 10  # load follows flow, as it does: the shift is in the flow that both see
    (one,) = stretches(scored(values))
    assert one.kind == "deviates" and abs(one.start - 1300 * SECOND) <= 10 * SECOND
    assert one.end is not None and abs(one.end - 1450 * SECOND) <= 30 * SECOND
    assert {p.signal for p in one.signals if p.share > 0.2} <= {"flow", "load"}
    assert one.signals[0].farthest < -5 and one.signals[0].since is not None


def test_signals_that_part_company_are_found_where_neither_alone_is_odd() -> None:
    values = continued()
    values[300:, 0] += 0.9
    values[300:, 1] -= 1.8  # each by one and a half of its own deviations
    found = [s for s in stretches(scored(values)) if s.kind == "deviates"]
    assert found and {p.signal for p in found[0].signals[:2]} == {"flow", "load"}


def test_a_stuck_sensor_is_named_and_the_others_are_still_watched() -> None:
    values = continued()
    values[100:, 0] = values[100, 0]
    values[400:, 1] += 30
    found = stretches(scored(values))
    stuck = next(s for s in found if s.kind == "stuck")
    assert [p.signal for p in stuck.signals] == ["flow"] and stuck.end is None
    assert stuck.start <= 1200 * SECOND
    assert any(s.kind == "deviates" and s.signals[0].signal == "load" and s.start >= 1395 * SECOND for s in found)


def test_a_change_of_unit_is_named_as_a_hypothesis() -> None:
    values = continued()
    values[300:, 2] = values[300:, 2] * 1.8 + 32
    one = max((s for s in stretches(scored(values)) if s.kind == "deviates"), key=lambda s: s.peak or 0)
    assert one.signals[0].signal == "heat" and one.start == 1300 * SECOND
    assert likely_units(one, {"heat": "Cel"}) == ("[degF]",)
    assert likely_units(one, {"heat": "bar"}) == ()


def test_each_regime_has_its_own_normal_and_one_never_seen_is_not_judged() -> None:
    time, values = rows(2000, 3)
    regime = [("fast" if (i // 200) % 2 else "slow") for i in range(2000)]
    values[np.array(regime) == "fast"] += [20, 40, 0]
    m = learnt(time, values, regime)
    assert set(m.regimes) == {"fast", "slow"}
    again = rows(200, 4)[1]
    again[:, 2] += values[-1, 2] - again[0, 2]
    assert np.nanmax(scored(again + np.array([20, 40, 0]), 2000, "fast", m).score) < 1
    assert np.nanmin(scored(again + np.array([20, 40, 0]), 2000, "slow", m).score[2:]) > 1
    cold = scored(again, 2000, "cold", m)
    assert np.isnan(cold.score).all() and set(cold.why) == {NOT_LEARNT}


def codes(time: Int64s, values: Floats) -> list[str]:
    try:
        return [f.code for f in learnt(time, values).left_out]
    except InvalidInputError as e:
        assert all(f.message and f.hint for f in e.faults)
        return ["refused", *(f.code for f in e.faults)]


def test_a_stretch_that_cannot_be_learnt_from_is_refused_in_words() -> None:
    time, values = rows(1000, 5)
    assert codes(time[:100], values[:100]) == ["refused", "anomaly:stretch-too-short"]
    assert codes(time, np.ones((1000, 1))) == ["refused", "anomaly:signal-constant"]
    assert codes(time, np.full((1000, 1), np.nan)) == ["refused", "anomaly:signal-unknown"]
    part = values.copy()
    part[:, 0] = 4.0
    part[:800, 1] = np.nan
    assert codes(time, part) == ["anomaly:signal-constant", "anomaly:signal-unknown"]
    assert codes(time, values * [1e-300, 1e90, 1.0]) == []
    with pytest.raises(InvalidInputError, match="setting-out-of-range"):
        learn(NAMES, Binning(3, 1).take(time[:0], values[:0], [], 1), AnomalySettings(every=0, chance=2))
    watch = AnomalyWatch(model())
    for bad, code in (
        (lambda: watch.take(time[:2], values[:2, :2], ["on"] * 2, int(time[5])), "rows-unequal"),
        (lambda: watch.take(time[1::-1], values[:2], ["on"] * 2, int(time[5])), "rows-not-in-order"),
        (lambda: [watch.take(time[:0], values[:0], [], n) for n in (9, 3)], "rows-too-late"),
    ):
        with pytest.raises(InvalidInputError, match=code):
            bad()


def test_limits_are_those_of_the_tables() -> None:
    for d, chance, table in ((8, 1e-3, 26.124), (3, 1e-2, 11.345), (1, 0.05, 3.841), (100, 0.01, 135.807)):
        assert limit_of_square(d, chance) == pytest.approx(table, abs=1e-3)
    assert limit_of_one(1, 0.05) == pytest.approx(3.8415, rel=1e-3)
