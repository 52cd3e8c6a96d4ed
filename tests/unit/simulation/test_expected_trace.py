"""A machine compared with its simulated set-up."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.expected_trace import Expected, band, compare, expected_faults
from servitwin.domain.finding import Finding

NS = 1_000_000_000
BEGIN = 1_700_000_000 * NS
RAMP = Expected("tank.level", (0.0, 10.0, 20.0), (0.0, 10.0, 10.0), within=0.5, lasting=1.5, component="tank")


def observed(values: list[float], every: float = 1.0):
    at = BEGIN + (np.arange(len(values)) * every * NS).astype(np.int64)
    return at, np.array(values)


def test_a_machine_that_does_as_it_was_simulated_has_no_finding():
    at, values = observed([min(t, 10.0) + 0.3 for t in range(21)])
    found = compare(RAMP, "u1", "fill", BEGIN, at, values)
    assert (found.observed, found.inside, found.findings) == (21, 21, ())
    assert found.rms == pytest.approx(0.3) and found.covered == 1.0


def test_a_deviation_that_lasts_is_a_finding_with_its_margin_and_its_time():
    at, values = observed([min(t, 10.0) - (2.0 if 12 <= t < 16 else 0.0) for t in range(21)])
    (finding,) = compare(RAMP, "u1", "fill", BEGIN, at, values).findings
    assert isinstance(finding, Finding)
    assert (finding.start - BEGIN, finding.end - BEGIN, finding.determined - BEGIN) == (
        12 * NS,
        16 * NS,
        13 * NS + NS // 2,
    )
    assert finding.least == pytest.approx(-1.5) and finding.requirement == "setup:fill.tank.level"
    assert (finding.twin, finding.component, finding.severity) == ("u1", "tank", "medium")
    again = compare(RAMP, "u1", "fill", BEGIN, at, values).findings[0]
    assert again.id == finding.id


def test_one_that_goes_on_has_no_end_and_one_that_is_short_does_not_count():
    at, values = observed([min(t, 10.0) + (3.0 if t >= 15 or t == 5 else 0.0) for t in range(21)])
    (finding,) = compare(RAMP, "u1", "fill", BEGIN, at, values).findings
    assert finding.end is None and finding.start == BEGIN + 15 * NS


def test_a_machine_may_be_late_within_the_tolerance_in_time():
    at, values = observed([max(0.0, min(t - 2.0, 10.0)) for t in range(21)])
    assert compare(RAMP, "u1", "fill", BEGIN, at, values).findings
    late = Expected("tank.level", RAMP.times, RAMP.values, within=0.5, early_late=2.0)
    assert compare(late, "u1", "fill", BEGIN, at, values).findings == ()


def test_what_was_not_heard_is_told_and_is_no_deviation():
    nothing = compare(RAMP, "u1", "fill", BEGIN, np.zeros(0, np.int64), np.zeros(0))
    assert (nothing.observed, nothing.covered, nothing.findings) == (0, 0.0, ())
    at, values = observed([0.0, 1.0, float("nan")] + [float("nan")] * 18)
    part = compare(RAMP, "u1", "fill", BEGIN, at, values)
    assert part.observed == 2 and part.covered == pytest.approx(0.05)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-100, 100), min_size=2, max_size=20),
    st.floats(0, 5),
    st.floats(0, 0.5),
    st.floats(0, 3),
    st.floats(0, 19),
)
def test_the_expected_value_itself_always_lies_in_the_band(values, within, share, early_late, second):
    expected = Expected("s", tuple(map(float, range(len(values)))), tuple(values), within, share, early_late)
    at = np.array([min(second, len(values) - 1.0)])
    low, high = band(expected, at)
    value = np.interp(at, expected.times, expected.values)
    assert low[0] <= value[0] + 1e-9 and value[0] - 1e-9 <= high[0]


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        (Expected("s", (0.0,), (1.0,), within=1.0), "expected:series"),
        (Expected("s", (0.0, 0.0), (1.0, 1.0), within=1.0), "expected:series"),
        (Expected("s", (0.0, 1.0), (1.0, float("inf")), within=1.0), "expected:series"),
        (Expected("s", (0.0, 1.0), (1.0, 1.0)), "expected:tolerance"),
        (Expected("s", (0.0, 1.0), (1.0, 1.0), within=-1.0), "expected:tolerance"),
    ],
)
def test_expectations_that_are_none(expected, code):
    assert code in {f.code for f in expected_faults(expected, "x")}
