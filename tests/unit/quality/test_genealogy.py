"""Genealogy equals brute force over the whole graph, whatever the order of the events."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import InvalidInputError
from servitwin.domain.genealogy import Link, links_of, object_of, reach
from servitwin.domain.trace_event import Measure, TraceEvent, Used, check_events, require_valid

NAMES = [f"urn:x:{i}" for i in range(9)]


@st.composite
def events(draw) -> list[TraceEvent]:
    """Events without circles among themselves: what goes in has a smaller number than what comes out."""
    found = []
    for _ in range(draw(st.integers(0, 12))):
        out = draw(st.integers(1, len(NAMES) - 1))
        ins = draw(st.lists(st.integers(0, out - 1), max_size=3, unique=True))
        time = draw(st.integers(0, 50))
        if draw(st.booleans()):
            used = tuple(Used(NAMES[i], draw(st.sampled_from(["part", "batch", "tool"]))) for i in ins)
            found.append(TraceEvent("made", time, (NAMES[out],), inputs=used))
        else:
            found.append(TraceEvent("packed", time, tuple(NAMES[i] for i in ins), parent=NAMES[out]))
    return found


def step_of(found: list[TraceEvent], direction: str):
    links = {k for e in found for k in links_of(e)}
    return lambda ids: [k for k in links if (k.source if direction == "down" else k.target) in ids]


def closure(found: list[TraceEvent], start: str, direction: str) -> set[str]:
    """Brute force: the reflexive transitive closure by repeated union (Warshall)."""
    edge = {(a, b) for e in found for a in e.flows[0] for b in e.flows[1]}
    edge = edge if direction == "down" else {(b, a) for a, b in edge}
    have = {(a, a) for a in NAMES} | edge
    for k in NAMES:
        have |= {(a, b) for a in NAMES for b in NAMES if (a, k) in have and (k, b) in have}
    return {b for a, b in have if a == start}


@settings(max_examples=150, deadline=None)
@given(events(), st.sampled_from(NAMES), st.sampled_from(["up", "down"]), st.randoms())
def test_recall_equals_brute_force_in_any_order(found, start, direction, random) -> None:
    shuffled = [*found, *found]  # late, out of order, and twice
    random.shuffle(shuffled)
    reached = reach([start], step_of(found, direction), direction)
    assert set(reached.depth) == closure(found, start, direction)
    assert reached == reach([start], step_of(shuffled, direction), direction)
    assert not reached.circles and not reached.cut_off


@settings(max_examples=100, deadline=None)
@given(events(), st.sampled_from(NAMES), st.randoms())
def test_a_summary_is_the_same_for_every_order(found, name, random) -> None:
    about = [e for e in found if name in (*e.parts, e.parent, *(u.id for u in e.inputs))]
    shuffled = list(about)
    random.shuffle(shuffled)
    assert object_of(name, about) == object_of(name, shuffled)


def test_both_directions_are_inverse() -> None:
    rng = Random(3)
    found = [
        TraceEvent("made", i, (f"p{i}",), inputs=tuple(Used(f"p{rng.randrange(i)}") for _ in range(min(i, 2))))
        for i in range(1, 60)
    ]
    down = {n: set(reach([n], step_of(found, "down"), "down").depth) for n in (f"p{i}" for i in range(60))}
    up = {n: set(reach([n], step_of(found, "up"), "up").depth) for n in down}
    assert all((b in down[a]) == (a in up[b]) for a in down for b in down)


def test_circles_of_contradicting_parties_end_and_are_told() -> None:
    found = [
        TraceEvent("made", 1, ("b",), inputs=(Used("a"),)),
        TraceEvent("made", 2, ("c",), inputs=(Used("b"),)),
        TraceEvent("made", 3, ("b",), inputs=(Used("c"),)),
        TraceEvent("made", 4, ("d",), inputs=(Used("c"),)),
    ]
    reached = reach(["a"], step_of(found, "down"), "down")
    assert set(reached.depth) == {"a", "b", "c", "d"}
    assert {(k.source, k.target) for k in reached.circles} == {("b", "c"), ("c", "b")}
    assert [f.code for f in check_events(found)] == ["trace:circle"]


def test_what_is_too_large_is_cut_off_and_says_so() -> None:
    links = [Link("a", f"p{i}", "e") for i in range(50)]
    reached = reach(["a"], lambda ids: links if "a" in ids else [], "down", most=10)
    assert len(reached.depth) == 10 and reached.cut_off


def test_the_same_event_is_one_and_another_is_another() -> None:
    event = TraceEvent("made", 5, ("p",), inputs=(Used("b", "batch"),))
    assert event.id == msgspec.json.decode(msgspec.json.encode(event), type=TraceEvent).id
    assert event.id != msgspec.structs.replace(event, time=6).id


def test_every_fault_of_events_is_told_at_once() -> None:
    bad = [
        TraceEvent("made", 5, ("p",), inputs=(Used("p"),)),
        TraceEvent("packed", 5, ("p q",)),
        TraceEvent("measured", 5, (), start=9, measures=(Measure("d", float("nan")),)),
    ]
    with pytest.raises(InvalidInputError) as told:
        require_valid(bad)
    assert {f.code for f in told.value.faults} == {
        "trace:circle", "trace:id-invalid", "trace:parent-missing", "trace:nothing", "trace:parts-missing",
        "trace:time-impossible", "trace:value-not-finite",
    }  # fmt: skip


def test_scrapped_stays_scrapped_and_limits_judge_where_nobody_did() -> None:
    measured = TraceEvent("measured", 3, ("p",), measures=(Measure("d", 9.0, upper=8.0),))
    passed = TraceEvent("measured", 9, ("p",), measures=(Measure("d", 7.0, upper=8.0),))
    scrapped = TraceEvent("scrapped", 5, ("p",), reason="porosity")
    assert object_of("p", [measured]).verdict == "fail"
    assert object_of("p", [measured, passed]).verdict == "pass"
    assert (object_of("p", [measured, scrapped, passed]).reason) == "porosity"
