"""Design life after ISO 12482: full load counts whole, half load an eighth, an unknown past shortens what is left."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.instant import DAY, HOUR
from servitwin.domain.load_spectrum import (
    FULL_LOAD_HOURS,
    RECORDED_BY,
    Before,
    Design,
    Spectrum,
    brake_used,
    hoist_used,
    join,
)
from servitwin.domain.observation import Observation
from servitwin.domain.spectrum_recorder import Recorder, by_day

START = 1_700_006_400 * 10**9 // DAY * DAY


def recorded(load, motion, end, holds=(None, None)):
    recorder = Recorder(10.0, holds, None)
    states = list(recorder.take(load, motion, end))
    return states, recorder.state


def at(hours: float, value) -> Observation:
    return Observation(START + int(hours * HOUR), value)


def test_full_load_hours_by_hand() -> None:
    """One hour at full load, eight at half: 1 + 8/8 = 2 full-load hours of 400 in group M3."""
    load = [at(0, 10.0), at(1, 5.0), at(9, 0.0)]
    _, state = recorded(load, [at(0, 0.2), at(9, 0.0)], START + 12 * HOUR)
    assert state.spectrum.running_h == 9 and state.spectrum.loaded_h == 2.0 and state.spectrum.stops == 1
    assert state.spectrum.full_stops == 0.5
    used = hoist_used(Design(10.0, "M3"), state.spectrum, Before())
    assert used.used == 2.0 / 400 and used.remaining == 1 - 2.0 / 400


def test_a_gap_counts_as_no_use_and_is_told() -> None:
    _, state = recorded([at(0, 10.0), at(6, 0.0)], [at(0, 0.2), at(6, 0.0)], START + 8 * HOUR, (HOUR, HOUR))
    assert state.spectrum.running_h <= 1.0 and state.unknown_h >= 4.9


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(list(FULL_LOAD_HOURS)), st.floats(0, 300), st.floats(0.1, 8), st.floats(0, 2000), st.floats(0, 1),
)  # fmt: skip
def test_an_unknown_past_shortens_the_life_that_is_left(group, hours, years, running, factor) -> None:
    design, counted = Design(10.0, group), Spectrum(running_h=hours, loaded_h=hours * 0.3)
    none = hoist_used(design, counted, Before())
    unknown = hoist_used(design, counted, Before(years=years))
    assert unknown.used > none.used and unknown.remaining <= none.remaining
    left = [hoist_used(design, counted, Before(years, recording, running, factor)).used for recording in RECORDED_BY]
    assert left == sorted(left)  # recorder, counter, documents, unknown: the less is known, the more is counted
    loads_unknown = hoist_used(design, counted, Before(years, "counter", running))
    assert loads_unknown.used >= hoist_used(design, counted, Before(years, "counter", running, factor)).used


def test_days_until_nothing_is_left() -> None:
    used = hoist_used(
        Design(10.0, full_load_hours=1000), Spectrum(loaded_h=100), Before(), np.array([1.0, 3.0, 2.0, 2.0])
    )
    assert used.days == 900 / 2.0
    assert used.days_low is not None and used.days_high is not None
    assert used.days_low < used.days < used.days_high
    worn = brake_used(Design(10.0, full_load_stops=100), Spectrum(full_stops=150), Before())
    assert worn.over and worn.remaining == 0


def test_parts_of_time_join_to_the_whole() -> None:
    a, b = Spectrum(1, 0.5, 3, 1.5, 0.8, 1, 10, 20), Spectrum(2, 0.25, 1, 0.5, 1.1, 2, 20, 30)
    assert join(a, b) == Spectrum(3, 0.75, 4, 2.0, 1.1, 3, 10, 30) == join(b, a)


def test_days_are_whole_days() -> None:
    load = [at(h, 10.0) for h in range(0, 96, 6)]
    motion = [o for h in range(0, 96, 6) for o in (at(h + 0.1, 0.2), at(h + 1.1, 0.0))]
    _, state = recorded(load, motion, START + 97 * HOUR)
    np.testing.assert_allclose(by_day(state, 0), [4.0, 4.0, 4.0][: len(by_day(state, 0))])
