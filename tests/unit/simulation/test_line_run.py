"""The line simulation against queueing theory, exact Markov chains and its own accounts."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.line_change import Change, Scenario, changed, own_availability
from servitwin.domain.line_model import Duration, LineModel, Route, Source, Station, Stop, check_line, measured
from servitwin.domain.line_result import difference, estimate, spread, student
from servitwin.services.operation.line_simulation.limits import Stopped
from servitwin.services.operation.line_simulation.run import simulate


def law(mean: float) -> Duration:
    return Duration("exponential", mean)


def fixed(seconds: float) -> Duration:
    return Duration("fixed", seconds)


def line(*stations: Station, every: Duration | None = None) -> LineModel:
    routed = [
        s
        if s.routes != (Route(),)
        else type(s)(**{**{f: getattr(s, f) for f in s.__struct_fields__}, "routes": (Route(n),)})
        for s, n in zip(stations, [*(s.id for s in stations[1:]), ""], strict=True)
    ]
    return LineModel("line", tuple(routed), (Source(stations[0].id, every),))


def test_m_m_1_has_four_in_the_system_and_five_seconds():
    # Oracle: lambda 0.8, mu 1 gives L = 4 and W = 5.
    model = line(Station("s", law(1.0)), every=law(1.25))
    runs = [simulate(model, 30_000, 7, warm_up=1_000, replication=i) for i in range(10)]
    length, time = (estimate([r.figure(f) for r in runs], 0.99) for f in ("wip", "lead_time_s"))
    assert length.low < 4.0 < length.high and length.half < 0.8
    assert time.low < 5.0 < time.high
    # Little's law holds in each run, up to those that are still inside at its ends.
    for r in runs:
        assert r.wip == pytest.approx(r.parts_per_hour / 3600 * r.lead_time_s, rel=0.01)


def exact_throughput(places: int, first: float, second: float) -> float:
    """Parts per second of two exponential machines with a buffer between: a birth-death chain, first never starved.

    States 0 ... places + 2 count the parts that the first machine has finished and the second has not; in the last
    one the first machine is blocked (Buzacott and Shanthikumar, Stochastic Models of Manufacturing Systems, ch. 4).
    """
    ratio = (1 / first) / (1 / second)
    weights = [ratio**n for n in range(places + 3)]
    return sum(weights[1:]) / sum(weights) / second


@pytest.mark.parametrize(("places", "first", "second"), [(0, 1.0, 1.0), (3, 1.0, 1.0), (2, 0.8, 1.1)])
def test_two_machines_with_a_buffer_meet_the_markov_chain(places, first, second):
    model = line(Station("a", law(first)), Station("b", law(second), places=places))
    runs = [simulate(model, 20_000, 3, warm_up=500, replication=i) for i in range(8)]
    found = estimate([r.parts_per_hour / 3600 for r in runs], 0.99)
    assert found.low < exact_throughput(places, first, second) < found.high
    assert found.half < 0.02


def test_failures_that_come_with_work_give_the_availability_of_a_renewal_process():
    stop = Stop("failure", law(900.0), law(100.0))
    runs = [simulate(line(Station("s", fixed(10.0), stops=(stop,))), 200_000, 1, replication=i) for i in range(8)]
    found = estimate([r.stations[0].availability for r in runs], 0.99)
    assert found.low < 0.9 < found.high and found.half < 0.03


def test_failures_by_the_calendar_do_the_same():
    stop = Stop("failure", law(900.0), law(100.0), clock="calendar")
    runs = [simulate(line(Station("s", fixed(10.0), stops=(stop,))), 200_000, 1, replication=i) for i in range(8)]
    found = estimate([r.stations[0].availability for r in runs], 0.99)
    assert found.low < 0.9 < found.high and found.half < 0.03


def test_closed_hours_are_no_time_at_work():
    open_hours = ((0.0, 8 * 3600.0), (24 * 3600.0, 32 * 3600.0))
    run = simulate(line(Station("s", fixed(60.0), open=open_hours)), 7 * 86400.0, 1)
    assert run.parts == 16 * 60 and run.stations[0].closed == pytest.approx(1 - 16 / 168)
    later = simulate(line(Station("s", fixed(60.0), open=open_hours)), 3600.0, 1, week_s=9 * 3600.0)
    assert later.parts == 0 and later.stations[0].closed == pytest.approx(1.0)


def test_a_slower_machine_after_it_blocks_and_a_faster_one_starves():
    run = simulate(
        line(Station("a", fixed(1.0)), Station("b", fixed(4.0), places=2), Station("c", fixed(1.0))), 4000, 1
    )
    a, b, c = run.stations
    assert a.blocked == pytest.approx(0.75, abs=0.01) and b.working == pytest.approx(1.0, abs=0.01)
    assert c.starved == pytest.approx(0.75, abs=0.01) and run.parts_per_hour == pytest.approx(900, rel=0.01)


def test_the_same_seed_is_the_same_run_and_another_replication_is_not():
    model = line(Station("a", law(1.0)), Station("b", law(1.0), places=1))
    assert simulate(model, 500, 5) == simulate(model, 500, 5)
    assert simulate(model, 500, 5) != simulate(model, 500, 5, replication=1)


stations_of = st.lists(
    st.tuples(
        st.sampled_from(["fixed", "exponential", "gamma"]),
        st.floats(0.5, 5.0),
        st.sampled_from([None, 0, 1, 4]),
        st.integers(1, 3),
        st.floats(0.0, 0.3),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=25, deadline=None)
@given(stations_of, st.integers(0, 1000))
def test_shares_of_time_make_the_whole_and_parts_are_conserved(drawn, seed):
    stations = [
        Station(
            f"s{i}", Duration(family, scale), places=places, machines=machines, scrap=scrap,
            stops=(Stop("failure", law(60.0), law(6.0)), Stop("pause", law(90.0), law(5.0), "pause")) if stops else (),
            setup=fixed(2.0) if stops else None,
        )
        for i, (family, scale, places, machines, scrap, stops) in enumerate(drawn)
    ]  # fmt: skip
    model = line(*stations, every=law(2.0))
    run = simulate(model, 800.0, seed, warm_up=50.0)
    for s in run.stations:
        shares = (s.working, s.failed, s.setup, s.paused, s.starved, s.blocked, s.closed)
        assert sum(shares) == pytest.approx(1.0, abs=1e-6) and min(shares) >= -1e-9
    for a, b in pairwise(run.stations):
        assert abs((a.made - a.scrapped) - b.made) <= 3 + 3 + 800  # what left one is in the next, or on the way
    assert run.parts + run.scrapped <= sum(s.made for s in run.stations)
    assert run.wip >= 0 and math.isfinite(run.lead_time_s)


def test_rework_with_a_way_out_ends_and_meets_the_geometric_series():
    stations = (
        Station("a", fixed(1.0), routes=(Route("test"),)),
        Station("test", fixed(0.1), routes=(Route("", 0.8), Route("a", 0.2))),
    )
    run = simulate(LineModel("rework", stations, (Source("a", fixed(2.0)),)), 20_000, 1)
    assert run.stations[0].made / run.parts == pytest.approx(1 / 0.8, rel=0.02)


def codes(model: LineModel) -> list[str]:
    return [f.code for f in check_line(model)]


def test_a_cycle_without_a_way_out_and_more_faults_at_once():
    caught = LineModel(
        "x",
        (Station("a", fixed(1), routes=(Route("b"),)), Station("b", fixed(1), routes=(Route("a"),))),
        (Source("a"),),
    )
    assert codes(caught) == ["line:cyclic"]
    wrong = LineModel(
        "x",
        (Station("a", fixed(-1.0), machines=0, routes=(Route("z", 0.4),)), Station("a", law(1.0), scrap=1.0)),
        (Source("nowhere", fixed(0.0)),),
    )
    assert {
        "line:station-id",
        "line:duration",
        "line:machines",
        "line:shares",
        "line:route",
        "line:scrap",
        "line:source",
    } <= set(codes(wrong))
    assert codes(LineModel("x", (Station("a", fixed(1.0)), Station("b", fixed(1.0))), (Source("a"),))) == [
        "line:unreached"
    ]


@pytest.mark.parametrize("clock", ["calendar", "work"])
def test_stops_without_number_end_a_run_as_parts_do(clock):
    """Before the first part is done: 300 million stops of a machine that needs 30 years for it."""
    often = Stop("jam", fixed(3.0), fixed(0.001), clock=clock)
    stuck = line(Station("s", fixed(1e9), stops=(often,)))
    with pytest.raises(InvalidInputError) as too_many:
        simulate(stuck, 1e9, 1, most_events=100_000)
    assert too_many.value.fault.code == "line:too-many-events"
    asked = iter([False, True])
    with pytest.raises(Stopped):
        simulate(stuck, 1e9, 1, stop=lambda: next(asked))


def test_a_run_that_would_never_end_is_refused_in_time():
    busy = line(Station("s", fixed(1e-6)))
    with pytest.raises(InvalidInputError) as too_many:
        simulate(busy, 1e9, 1, most_events=100_000)
    assert too_many.value.fault.code == "line:too-many-events"
    with pytest.raises(Stopped):
        simulate(busy, 1e9, 1, stop=lambda: True)
    with pytest.raises(InvalidInputError) as overflow:
        simulate(line(Station("s", fixed(1e6)), every=fixed(0.001)), 1e9, 1)
    assert overflow.value.fault.code == "line:overflow"


def test_machines_that_wait_for_each_other_are_named():
    stations = (
        Station("a", fixed(1.0), places=0, routes=(Route("b"),)),
        Station("b", fixed(1.0), places=0, routes=(Route("a", 0.9), Route("", 0.1))),
    )
    with pytest.raises(InvalidInputError) as deadlock:
        simulate(LineModel("x", stations, (Source("a"),)), 10_000, 1)
    assert deadlock.value.fault.code == "line:deadlock"


# scenarios ---------------------------------------------------------------------------------------------------------
def test_availability_of_a_scenario_is_reached_and_differences_are_paired():
    stop = Stop("failure", law(960.0), law(40.0))
    model = line(Station("a", law(10.0), stops=(stop,)), Station("b", fixed(5.0), places=3))
    assert own_availability(model.stations[0]) == pytest.approx(0.96)
    better = changed(model, Scenario("98", (Change("availability", "a", to=0.98),)))
    assert own_availability(better.stations[0]) == pytest.approx(0.98)
    runs = [[simulate(m, 20_000, 1, replication=i).parts_per_hour for i in range(8)] for m in (model, better)]
    paired = difference(*runs)
    assert paired.clear and paired.low > 0
    independent = math.hypot(estimate(runs[0]).half, estimate(runs[1]).half)
    assert paired.half < independent  # common random numbers are worth something


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (Change("machines", "nobody", to=2.0), "line:change-station"),
        (Change("machines", "a", to=1.5), "line:change-value"),
        (Change("machines", "a", to=0.0), "line:machines"),
        (Change("availability", "a", to=0.99), "line:change-value"),  # it has no failures
        (Change("cycle", "a", times=-1.0), "line:change-value"),
        (Change("cycle", "a", to=2.0, times=2.0), "line:change-value"),
        (Change("setup", "a", times=0.5), "line:change-value"),
        (Change("supply", "a", times=0.5), "line:change-value"),
        (Change("scrap", "a", to=float("nan")), "line:change-value"),
    ],
)
def test_changes_that_cannot_be_made_are_told(change, code):
    with pytest.raises(InvalidInputError) as e:
        changed(line(Station("a", fixed(1.0))), Scenario("x", (change,)))
    assert e.value.fault.code == code


# statistics --------------------------------------------------------------------------------------------------------
def test_quantiles_of_student_are_those_of_the_tables():
    known = {(0.975, 1): 12.706, (0.975, 2): 4.303, (0.975, 9): 2.262, (0.95, 30): 1.697, (0.975, 1000): 1.962}
    for (p, freedom), value in known.items():
        assert student(p, freedom) == pytest.approx(value, abs=6e-4)
        assert student(1 - p, freedom) == pytest.approx(-value, abs=6e-4)


def test_the_range_of_39_runs_holds_one_more_95_times_of_100():
    random = np.random.default_rng(5)
    inside = 0
    for _ in range(2000):
        low, high = spread(random.standard_exponential(39).tolist())
        inside += low <= random.standard_exponential() <= high
    assert 0.935 < inside / 2000 < 0.965


def test_measured_durations_keep_their_mean():
    values = np.random.default_rng(1).gamma(2.0, 10.0, 5000)
    assert measured(values).mean == pytest.approx(values.mean(), rel=0.01)
    assert len(measured(values).values) == 200
