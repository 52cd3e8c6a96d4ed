"""The compiled event loop against the one in Python: the same run, for whatever line and chance."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.line_model import Duration, LineModel, Route, Source, Station, Stop
from servitwin.domain.line_result import LineRun
from servitwin.services.operation.line_simulation import run
from servitwin.services.operation.line_simulation.limits import Stopped

HOUR = 3600.0
station = st.tuples(
    st.sampled_from(["exponential", "gamma", "fixed"]),
    st.floats(0.5, 20.0),
    st.sampled_from([None, 0, 1, 2, 5]),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.05, 0.5]),
    st.sets(st.sampled_from(["failure", "pause", "calendar", "open", "setup", "products"])),
    st.lists(st.integers(0, 5), min_size=1, max_size=3, unique=True),
)
source = st.tuples(st.integers(0, 4), st.one_of(st.none(), st.floats(2.0, 40.0)), st.booleans())


def line(drawn: list[tuple], sources: list[tuple]) -> LineModel:
    """Stations with ways to each other and out of the line; one in five parts leaves at each."""
    stations = []
    for i, (family, scale, places, machines, scrap, has, ways) in enumerate(drawn):
        stops = [
            Stop(kind, Duration("exponential", 200.0), Duration("exponential", 30.0), kind)
            for kind in ("failure", "pause")
            if kind in has
        ]
        if "calendar" in has:
            every, lasting = Duration("exponential", 300.0), Duration("exponential", 20.0)
            stops.append(Stop("power", every, lasting, "failure", "calendar"))
        to = sorted({w % len(drawn) for w in ways})
        routes = (Route("", 0.2), *(Route(f"s{k}", 0.8 / len(to)) for k in to)) if len(drawn) > 1 else (Route(""),)
        stations.append(
            Station(
                f"s{i}", Duration(family, scale), places=places, machines=machines, scrap=scrap, stops=tuple(stops),
                routes=routes, setup=Duration("exponential", 15.0) if "setup" in has else None,
                by_product={"b": Duration("exponential", 2 * scale)} if "products" in has else {},
                open=((0.2 * HOUR, 0.5 * HOUR), (0.6 * HOUR, 160 * HOUR)) if "open" in has else (),
            )
        )  # fmt: skip
    lots = (("a", 3), ("b", 2))
    return LineModel(
        "line",
        tuple(stations),
        tuple(
            Source(
                f"s{k % len(drawn)}", None if every is None else Duration("exponential", every), lots if mixed else ()
            )
            for k, every, mixed in sources
        ),
    )


def figures(found: LineRun) -> list[float]:
    stations = [
        (s.made, s.scrapped, s.working, s.failed, s.setup, s.paused, s.starved, s.blocked, s.closed, s.waiting)
        for s in found.stations
    ]
    whole = [found.parts, found.scrapped, found.wip, found.lead_time_s, found.parts_per_hour, found.events]
    return [*whole, *(found.by_product[p] for p in sorted(found.by_product)), *(v for s in stations for v in s)]


def outcome(model: LineModel, worth: int, **more: float) -> tuple[list[float], str]:
    """Figures of a run by the loop that ``worth`` chooses, or what is said of it."""
    with mock.patch.object(run, "WORTH_COMPILED", worth):
        try:
            return figures(run.simulate(model, 2500.0, **more)), ""
        except InvalidInputError as e:
            return [], str(e)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(station, min_size=1, max_size=5),
    st.lists(source, min_size=1, max_size=3),
    st.integers(0, 1000),
    st.sampled_from([0.0, 200.0]),
)
def test_both_loops_are_the_same_run(drawn, sources, seed, warm_up):
    model = line(drawn, sources)
    compiled, said = outcome(model, 0, seed=seed, warm_up=warm_up)
    plain, expected = outcome(model, 10**18, seed=seed, warm_up=warm_up)
    assert said == expected
    assert compiled == pytest.approx(plain, rel=1e-9, abs=1e-9)


def test_more_parts_than_there_was_room_for_and_more_chance_than_was_drawn():
    flood = LineModel(
        "flood", (Station("s", Duration("exponential", 4.0)),), (Source("s", Duration("exponential", 0.1)),)
    )
    compiled, _ = outcome(flood, 0, seed=3)
    assert compiled == pytest.approx(outcome(flood, 10**18, seed=3)[0], rel=1e-9)
    assert compiled[2] > 4096, "parts in the line, on the average"


def test_a_step_with_more_stops_than_are_held_ready_falls_back_to_the_loop_in_python():
    often = Stop("jam", Duration("exponential", 0.02), Duration("exponential", 0.01), "failure")
    jammed = LineModel("jam", (Station("s", Duration("exponential", 30.0), stops=(often,)),), (Source("s"),))
    with mock.patch.object(run._Run, "go", autospec=True, side_effect=run._Run.go) as again:
        compiled, _ = outcome(jammed, 0, seed=5)
    assert again.call_count == 1
    assert compiled == outcome(jammed, 10**18, seed=5)[0]


def test_what_ends_a_run_ends_the_compiled_one():
    def simulated(model: LineModel, **more: object) -> None:
        with mock.patch.object(run, "WORTH_COMPILED", 0):
            run.simulate(model, 1e7, 1, **more)

    quick = LineModel("quick", (Station("s", Duration("exponential", 1.0)),), (Source("s"),))
    with pytest.raises(Stopped):
        simulated(quick, stop=lambda: True)
    with pytest.raises(InvalidInputError, match="100000 events"):
        simulated(quick, most_events=100_000)
    ring = (
        Station("a", Duration("fixed", 1.0), places=0, routes=(Route("b"),)),
        Station("b", Duration("fixed", 1.0), places=0, routes=(Route("a", 0.9), Route("", 0.1))),
    )
    with pytest.raises(InvalidInputError, match="every machine waits for another"):
        simulated(LineModel("ring", ring, (Source("a"),)))
    with pytest.raises(InvalidInputError, match="more come in than it can finish"):
        simulated(LineModel("full", (Station("s", Duration("fixed", 1e6)),), (Source("s", Duration("fixed", 0.001)),)))
