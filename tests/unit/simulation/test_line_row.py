"""A row of single machines against the event loop: two ways to the same run, for whatever row and chance."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.line_model import Duration, LineModel, Route, Source, Station, Stop
from servitwin.domain.line_result import LineRun
from servitwin.services.operation.line_simulation import run
from servitwin.services.operation.line_simulation.row import order_of

HOUR = 3600.0
machine = st.tuples(
    st.sampled_from(["exponential", "gamma"]),
    st.floats(0.5, 20.0),
    st.sampled_from([None, 0, 1, 2, 5]),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.sets(st.sampled_from(["failure", "pause", "calendar", "open", "setup", "products"])),
)


def row(drawn: list[tuple], lots: bool) -> LineModel:
    stations = []
    for i, (family, scale, places, scrap, has) in enumerate(drawn):
        stops = [
            Stop(kind, Duration("exponential", 200.0), Duration("exponential", 30.0), kind)
            for kind in ("failure", "pause")
            if kind in has
        ]
        if "calendar" in has:
            every, lasting = Duration("exponential", 300.0), Duration("exponential", 20.0)
            stops.append(Stop("power", every, lasting, "failure", "calendar"))
        stations.append(
            Station(
                f"s{i}", Duration(family, scale), places=places, scrap=scrap, stops=tuple(stops),
                routes=(Route(f"s{i + 1}" if i + 1 < len(drawn) else ""),),
                setup=Duration("exponential", 15.0) if "setup" in has else None,
                by_product={"b": Duration("exponential", 2 * scale)} if "products" in has else {},
                open=((0.2 * HOUR, 0.5 * HOUR), (0.6 * HOUR, 160 * HOUR)) if "open" in has else (),
            )
        )  # fmt: skip
    return LineModel("row", tuple(stations), (Source("s0", lots=(("a", 3), ("b", 2)) if lots else ()),))


def figures(found: LineRun) -> list[float]:
    stations = [
        (s.made, s.scrapped, s.working, s.failed, s.setup, s.paused, s.starved, s.blocked, s.closed, s.waiting)
        for s in found.stations
    ]
    whole = [found.parts, found.scrapped, found.wip, found.lead_time_s, found.parts_per_hour, found.events]
    return [*whole, *found.by_product.values(), *(v for s in stations for v in s)]


@settings(max_examples=60, deadline=None)
@given(st.lists(machine, min_size=1, max_size=5), st.booleans(), st.integers(0, 1000), st.sampled_from([0.0, 200.0]))
def test_both_ways_are_the_same_run(drawn, lots, seed, warm_up):
    model = row(drawn, lots)
    assert order_of(model) == list(range(len(drawn)))
    quick = run.simulate(model, 2500.0, seed, warm_up=warm_up)
    with mock.patch.object(run, "order_of", return_value=None):
        slow = run.simulate(model, 2500.0, seed, warm_up=warm_up)
    assert figures(quick) == pytest.approx(figures(slow), rel=1e-9, abs=1e-9)
    assert list(quick.by_product.items()) == list(slow.by_product.items())


def test_what_is_no_row_goes_through_the_event_loop():
    plain = row([("exponential", 1.0, 1, 0.0, set())] * 3, lots=False)
    first, second, third = plain.stations

    def changed(*stations: Station, every: Duration | None = None) -> LineModel:
        return LineModel("x", stations, (Source("s0", every),))

    def station(of: Station, **more: object) -> Station:
        return Station(**{**{f: getattr(of, f) for f in of.__struct_fields__}, **more})

    assert order_of(changed(second, third, first)) == [2, 0, 1]
    assert order_of(changed(first, second, third, every=Duration("exponential", 2.0))) is None
    assert order_of(changed(first, station(second, machines=2), third)) is None
    assert order_of(changed(first, station(second, routes=(Route("s2", 0.5), Route("", 0.5))), third)) is None
    assert order_of(changed(first, station(second, routes=(Route("s0", 1.0),)), third)) is None


def test_machines_whose_number_is_not_their_place_give_the_same_run():
    forward = row([("exponential", 3.0, 1, 0.1, {"failure"}), ("gamma", 4.0, 0, 0.0, {"open"})], lots=False)
    turned = LineModel("row", forward.stations[::-1], forward.sources)
    a, b = (run.simulate(m, 3000.0, 4) for m in (forward, turned))
    assert (a.parts, a.wip, a.stations) == (b.parts, b.wip, b.stations[::-1])
