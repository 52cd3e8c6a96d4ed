"""OEE: oracles, exact waterfall, counters with resets, ratio of sums."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.instant import HOUR, MINUTE, NS
from servitwin.domain.machine_type import Production
from servitwin.domain.observation import Observation, Quality
from servitwin.domain.oee import Terms, add_terms, oee_of, oee_terms
from servitwin.domain.oee_counter import Counts, Parts, counts_of, parts_of
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import State, StateInterval
from servitwin.domain.state_time_span import Spans
from servitwin.domain.state_time_track import series_of

TOTAL = SignalDefinition("total", "number", "1")
GOOD = SignalDefinition("good", "number", "1")
SCRAP = SignalDefinition("scrap", "number", "1")
PRODUCT = SignalDefinition("product", "text")


def counter(definition: SignalDefinition, *points: tuple[int, float | str | None]):
    return series_of([Observation(t, v) for t, v in points], definition)


def made(at: int, total: float, good: float, product: str = "") -> Parts:
    one = np.array([at], np.int64)
    names = [product] if product else []
    return Parts(
        Counts(one, one - 1, np.array([total])),
        Counts(one, one - 1, np.array([good])),
        True,
        (),
        np.zeros(len(names), np.int64),
        names,
    )


def shift(*stretches: tuple[State, int]) -> list[StateInterval]:
    at, intervals = 0, []
    for state, minutes in stretches:
        reason = "stale" if state is State.UNKNOWN else ""
        intervals.append(StateInterval(at, at + minutes * MINUTE, state, reason=reason))
        at += minutes * MINUTE
    return intervals


def test_oracle_of_iso_22400():
    day = shift((State.PRODUCING, 360), (State.SETUP, 30), (State.FAILED, 90), (State.OFF, 960))
    planned = Spans.of([(0, 480 * MINUTE)])
    terms = oee_terms(day, made(359 * MINUTE, 648, 630), {"": 30.0}, planned, Spans.of([(0, 1440 * MINUTE)]))
    figures = oee_of(terms)
    assert (figures.called, figures.flags, figures.assumed) == ("OEE", (), ())
    assert figures.oee == pytest.approx(0.65625, abs=1e-12)
    assert figures.nee == pytest.approx(0.71094, abs=5e-6)
    assert figures.teep == pytest.approx(0.21875, abs=1e-12)
    assert figures.availability == 0.75
    assert figures.performance == pytest.approx(0.9)
    assert figures.quality == pytest.approx(630 / 648)


def test_oracle_of_a_day_with_stops():
    day = shift((State.PRODUCING, 373), (State.FAILED, 47))
    whole = Spans.of([(0, 420 * MINUTE)])
    figures = oee_of(oee_terms(day, made(300 * MINUTE, 19271, 19271 - 423), {"": 1.0}, whole, whole))
    assert figures.oee is not None
    assert round(figures.oee * 100, 2) == 74.79


def test_effectiveness_above_one_is_flagged_and_not_clipped():
    whole = Spans.of([(0, 60 * MINUTE)])
    figures = oee_of(oee_terms(shift((State.PRODUCING, 60)), made(MINUTE, 100, 100), {"": 54.0}, whole, whole))
    assert figures.performance == 1.5
    assert figures.flags[0].startswith("effectiveness-above-one")
    assert next(loss.duration for loss in figures.losses if loss.name == "performance") == -30 * MINUTE


def test_what_is_missing_is_assumed_aloud_and_called_utilisation():
    day = shift((State.PRODUCING, 30), (State.STANDBY, 30))
    whole = Spans.of([(0, 60 * MINUTE)])
    no_calendar = oee_of(oee_terms(day, made(MINUTE, 10, 10), {"": 60.0}, None, whole))
    assert (no_calendar.called, no_calendar.availability) == ("utilisation", 0.5)
    assert "No calendar" in no_calendar.assumed[0]
    no_cycle = oee_of(oee_terms(day, made(MINUTE, 10, 9), {"other": 60.0}, whole, whole))
    assert (no_cycle.called, no_cycle.performance, no_cycle.oee, no_cycle.quality) == ("utilisation", None, 0.5, 0.9)
    no_counter = oee_of(oee_terms(day, parts_of(Production(), {}), {"": 60.0}, whole, whole))
    assert (no_counter.called, no_counter.performance, no_counter.quality) == ("utilisation", None, None)
    nothing = oee_of(oee_terms(shift((State.UNKNOWN, 60)), made(MINUTE, 1, 1), {"": 1.0}, whole, whole))
    assert (nothing.oee, nothing.availability, nothing.reason) == (None, None, "all-unknown")


def test_each_product_has_its_own_cycle():
    series = {
        "total": counter(TOTAL, (0, 0), (10 * MINUTE, 10), (50 * MINUTE, 14)),
        "product": counter(PRODUCT, (0, "bolt"), (20 * MINUTE, "shaft")),
    }
    parts = parts_of(Production(total="total", product="product"), series)
    whole = Spans.of([(0, 60 * MINUTE)])
    day = shift((State.PRODUCING, 60))
    terms = oee_terms(day, parts, {"bolt": 60.0, "shaft": 300.0}, whole, whole)
    assert terms.made == {"bolt": 10.0, "shaft": 4.0}
    assert oee_of(terms).performance == (600 + 1200) / 3600
    by_product = {
        name: oee_terms(day, parts, {"bolt": 60.0, "shaft": 300.0}, whole, spans)
        for name, spans in parts.product_spans(0, 60 * MINUTE).items()
    }
    assert oee_of(by_product["bolt"]).performance == 0.5
    assert add_terms(by_product.values()) == terms


def test_counters_reset_and_pass_over_what_is_no_count():
    series = counter(TOTAL, (0, 5), (1, 7), (2, None), (3, 9), (4, 2), (5, -1), (6, 1e300), (7, 3))
    counts = counts_of(series)
    assert counts.amount.tolist() == [2, 2, 2, 1]
    assert counts.time.tolist() == [1, 3, 4, 7]
    bad = series_of([Observation(0, 1.0), Observation(1, 50.0, Quality.BAD), Observation(2, 2.0)], TOTAL)
    assert counts_of(bad).amount.tolist() == [1]
    assert len(counts_of(None).time) == 0


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30), st.randoms(use_true_random=False))
def test_late_data_count_as_if_they_had_come_in_order(values, rng):
    rows = [Observation(t, float(v), seq=t) for t, v in enumerate(values)]
    shuffled = rows[:]
    rng.shuffle(shuffled)
    counts = counts_of(series_of(shuffled, TOTAL))
    expected = sum(b - a if b >= a else b for a, b in itertools.pairwise(values))
    assert counts.amount.sum() == expected


@pytest.mark.parametrize(
    ("production", "good", "assumed"),
    [
        (Production(total="total", good="good"), 8, 0),
        (Production(total="total", scrap="scrap"), 8, 0),
        (Production(good="good", scrap="scrap"), 8, 0),
        (Production(total="total"), 10, 1),
        (Production(good="good"), 8, 1),
    ],
)
def test_good_parts_come_from_whatever_is_counted(production, good, assumed):
    series = {
        "total": counter(TOTAL, (0, 0), (MINUTE, 10)),
        "good": counter(GOOD, (0, 0), (MINUTE, 8)),
        "scrap": counter(SCRAP, (0, 0), (MINUTE, 2)),
    }
    parts = parts_of(production, series)
    whole = Spans.of([(0, HOUR)])
    terms = oee_terms(shift((State.PRODUCING, 60)), parts, {"": 60.0}, whole, whole)
    assert sum(terms.good.values()) == good
    assert len(terms.assumed) == assumed
    assert sum(terms.made.values()) == (8 if production == Production(good="good") else 10)


def test_parts_made_across_unknown_time_are_left_out_and_flagged():
    series = {"total": counter(TOTAL, (0, 0), (5 * MINUTE, 1), (40 * MINUTE, 21), (45 * MINUTE, 22))}
    parts = parts_of(Production(total="total"), series)
    whole = Spans.of([(0, HOUR)])
    day = shift((State.PRODUCING, 10), (State.UNKNOWN, 20), (State.PRODUCING, 30))
    terms = oee_terms(day, parts, {"": 60.0}, whole, whole)
    assert (terms.made, terms.left_out) == ({"": 2.0}, 20.0)
    assert any(f.startswith("parts-across-unknown-time: 20 ") for f in oee_of(terms).flags)


def test_parts_outside_planned_time_do_not_count():
    series = {"total": counter(TOTAL, (0, 0), (10 * MINUTE, 1), (30 * MINUTE, 2), (31 * MINUTE, 3))}
    parts = parts_of(Production(total="total"), series)
    terms = oee_terms(
        shift((State.PRODUCING, 60)), parts, {"": 60.0}, Spans.of([(0, 30 * MINUTE)]), Spans.of([(0, HOUR)])
    )
    assert terms.made == {"": 2.0}  # the one reported at the very end of the shift was made in it


stretches = st.lists(st.tuples(st.sampled_from(list(State)), st.integers(1, 100)), min_size=1, max_size=8)


@settings(max_examples=80)
@given(stretches, st.lists(st.tuples(st.integers(0, 800), st.integers(1, 300)), max_size=4), st.integers(0, 500))
def test_the_waterfall_adds_up_to_the_nanosecond(stretch, shifts, count):
    day = shift(*stretch)
    end = day[-1].end
    planned = Spans.of((a * MINUTE, min(end, (a + n) * MINUTE)) for a, n in shifts)
    parts = made(end // 2, count, count // 2)
    figures = oee_of(oee_terms(day, parts, {"": 7.3}, planned, Spans.of([(0, end)])))
    terms = figures.terms
    of_kind = {kind: 0 for kind in ("schedule", "unknown", "availability", "performance", "quality")}
    for loss in figures.losses:
        of_kind[loss.kind] += loss.duration
    assert terms.calendar - of_kind["schedule"] - of_kind["unknown"] == terms.planned_busy
    assert terms.planned_busy - of_kind["availability"] == terms.production
    assert terms.production - of_kind["performance"] - of_kind["quality"] == terms.ideal_good
    if figures.availability and figures.performance and figures.quality and figures.oee:
        assert figures.oee == pytest.approx(figures.availability * figures.performance * figures.quality)


def test_a_factory_is_the_ratio_of_sums_and_not_the_mean():
    def machine(busy: int, ideal: int) -> Terms:
        return Terms(busy, True, {State.PRODUCING: busy}, {"": 1.0}, {"": 1.0}, ideal, ideal, 0.0, True)

    small, large = machine(10 * NS, 10 * NS), machine(90 * NS, 9 * NS)
    assert oee_of(add_terms([small, large])).oee == 19 / 100
    assert oee_of(add_terms([])).oee is None
    lacking = Terms(NS, True, {State.PRODUCING: NS}, {}, {}, None, None, 0.0, False, ("No ideal cycle",))
    both = oee_of(add_terms([small, lacking]))
    assert (both.called, both.performance, both.assumed) == ("utilisation", None, ("No ideal cycle",))
