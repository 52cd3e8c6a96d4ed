"""Bins of signals that report in their own time: what holds, for how long, and in which regime."""

from __future__ import annotations

import math

import numpy as np

from servitwin.domain.anomaly.bins import BETWEEN, Bins
from servitwin.domain.anomaly.series_bins import SeriesBinning
from servitwin.domain.observation import Observation


def bins_of(rows: list[tuple[int, float | str | bool | None]], end: int, hold: int | None = None) -> Bins:
    words = [Observation(t, v) for t, v in rows if isinstance(v, str)]
    numbers = [Observation(t, v) for t, v in rows if not isinstance(v, str)]
    made = SeriesBinning({"flow": hold}, 10).take({"flow": numbers, "mode": words}, "mode" if words else None, end)
    return joined(list(made))


def joined(parts: list[Bins]) -> Bins:
    columns = [np.concatenate([getattr(p, c) for p in parts]) for c in ("number", "mean", "low", "high")]
    rows = np.concatenate([p.rows for p in parts])
    return Bins(*columns, [r for p in parts for r in p.regime], rows)


def test_a_value_holds_until_the_next_one_and_bins_begin_with_the_second_report() -> None:
    bins = bins_of([(-500, 9.0), (12, 1.0), (14, 3.0), (41, 7.0)], 50)
    assert bins.number.tolist() == [1, 2, 3, 4]
    assert bins.mean[:, 0].tolist() == [2.0, 3.0, 3.0, 7.0]
    assert (bins.low[0, 0], bins.high[0, 0]) == (1.0, 3.0) and bins.rows.tolist() == [2, 0, 0, 1]


def test_a_value_holds_no_longer_than_its_signal_may_be_silent() -> None:
    bins = bins_of([(10, 1.0), (12, 1.0)], 60, hold=20)
    np.testing.assert_array_equal(bins.mean[:, 0], [1.0, 1.0, 1.0, math.nan, math.nan])


def test_silence_of_all_for_a_thousand_bins_makes_no_more_of_them() -> None:
    years = 10**9
    whole = bins_of([(10, 1.0), (12, 1.0), (years, 2.0)], years + 50)
    assert whole.number.tolist() == [*range(1, 1002), *range(years // 10, years // 10 + 5)]
    made = SeriesBinning({"flow": None}, 10)
    parts = list(made.take({"flow": [Observation(10, 1.0), Observation(12, 1.0)]}, None, 5005))
    parts += made.take({}, None, 10**8)
    parts += made.take({"flow": [Observation(years, 2.0)]}, None, years + 50)
    assert [n for p in parts for n in p.number.tolist()] == whole.number.tolist()


def test_unavailable_and_values_of_another_type_hold_as_unknown() -> None:
    bins = bins_of([(10, 1.0), (15, 2.0), (21, None), (45, True), (51, 5.0)], 60)
    np.testing.assert_array_equal(bins.mean[:, 0], [1.5, math.nan, math.nan, math.nan, 5.0])


def test_a_bin_has_a_regime_only_if_it_held_all_through() -> None:
    rows: list[tuple[int, float | str | bool | None]] = [(10, 1.0), (11, 1.0), (20, "on"), (35, "off"), (55, "off")]
    assert bins_of(rows, 70).regime == [BETWEEN, "on", BETWEEN, "off", "off", "off"]


def test_a_setting_moves_within_a_bin_also_from_what_held_at_its_begin() -> None:
    """Set to 1 at 5, to 3 at 24, unknown at 41: the bin from 20 on began with 1."""
    speed = [Observation(5, 1.0), Observation(24, 3.0), Observation(41, None)]
    flow = [Observation(t, 7.0) for t in range(3, 60, 10)]
    made = SeriesBinning({"flow": None}, 10, settings={"speed": 30})
    parts = [*made.take({"speed": speed[:2], "flow": flow}, None, 30), *made.take({"speed": speed[2:]}, None, 60)]
    settings = [p.settings for p in parts if p.settings is not None]
    assert joined(parts).number.tolist() == [1, 2, 3, 4, 5] and settings[0].names == ("speed",)
    np.testing.assert_array_equal(np.concatenate([s.mean for s in settings])[:, 0], [1.0, 3.0, 3.0, math.nan, math.nan])
    np.testing.assert_array_equal(np.concatenate([s.span for s in settings])[:, 0], [0.0, 2.0, 0.0, 0.0, math.nan])
