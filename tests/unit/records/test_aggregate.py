"""Aggregates of groups: functions, freshness, nesting, late children; incremental equals from scratch."""

from bisect import bisect_right
from math import fsum

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.instant import NS
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Quality
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Aggregate, Dated, Twin
from servitwin.usecases.aggregate import GRACE, WINDOW, Aggregates
from servitwin.usecases.registry import Registry

START = 1_000 * NS


class Kept:
    """The part of records that a registry reads."""

    def __init__(self, types, twins):
        self.types, self.kept, self.revision = types, twins, 1

    def twins_revision(self):
        return self.revision

    def machine_types(self):
        return self.types

    def twins(self):
        return sorted(self.kept, key=lambda t: t.id)

    def calendar(self, name):
        return None

    def machine_keys(self):
        return {}


MILL = MachineType(
    "mill", 1, signals=(SignalDefinition("power", unit="kW"), SignalDefinition("mass", unit="kg"),
                        SignalDefinition("mode", type="text"))
)  # fmt: skip
WATTS = MachineType("saw", 1, signals=(SignalDefinition("power", unit="W"),))
NO_POWER = MachineType("table", 1, signals=(SignalDefinition("height", unit="m"),))


def twin(id, type_name="", parent="", aggregates=(), **more):
    return Twin(
        f"u-{id}",
        id,
        "machine" if type_name else "line",
        type=(Dated(f"{type_name}@1", 0),) if type_name else (),
        parent=(Dated(parent, 0),) if parent else (),
        aggregates=tuple(aggregates),
        **more,
    )


def made(*twins):
    kept = Kept([MILL, WATTS, NO_POWER], list(twins))
    return Aggregates(Registry(kept))


def at(second):
    return START + round(second * NS)


def hear(aggregates, id, value, second, signal="power", quality=0):
    aggregates.heard(f"u-{id}", {signal: (at(second), value, quality, at(second))})


def tick(aggregates, second):
    """Values given at the tick of that second, by group and name."""
    return {(v.uid[2:], v.name): v for v in aggregates.due(at(second) + GRACE)}


def simple(function="sum", **more):
    return made(
        twin("line", aggregates=[Aggregate("power", function, "power", **more)]),
        twin("a", "mill", "line"),
        twin("b", "mill", "line"),
    )


@pytest.mark.parametrize(
    ("function", "wanted"), [("sum", 30.0), ("mean", 15.0), ("min", 10.0), ("max", 20.0), ("count", 2.0)]
)
def test_each_function(function, wanted):
    aggregates = simple(function)
    hear(aggregates, "a", 10.0, 1)
    hear(aggregates, "b", 20.0, 2)
    given = tick(aggregates, 2)["line", "power"]
    assert (given.value, given.time, given.quality, given.fresh, given.of) == (wanted, at(2), Quality.GOOD, 2, 2)


def test_a_weighted_mean_weighs_and_leaves_out_who_has_no_weight():
    aggregates = simple("weighted_mean", weight="mass")
    hear(aggregates, "a", 10.0, 1)
    hear(aggregates, "b", 20.0, 1)
    hear(aggregates, "a", 3.0, 1, "mass")
    assert tick(aggregates, 1)["line", "power"].value == 10.0
    hear(aggregates, "b", 1.0, 2, "mass")
    given = tick(aggregates, 2)["line", "power"]
    assert (given.value, given.quality) == (12.5, Quality.GOOD)


def test_units_of_children_are_converted_and_children_without_the_signal_do_not_count():
    aggregates = made(
        twin("line", aggregates=[Aggregate("power", "sum", "power", "kW")]),
        twin("a", "mill", "line"),
        twin("saw", "saw", "line"),
        twin("table", "table", "line"),
    )
    hear(aggregates, "a", 1.0, 1)
    hear(aggregates, "saw", 500.0, 1)
    given = tick(aggregates, 1)["line", "power"]
    assert (given.value, given.fresh, given.of) == (1.5, 2, 2)


def test_missing_children_make_it_partial_or_unknown():
    partial, unknown = simple(), simple(missing="unknown")
    for aggregates in (partial, unknown):
        hear(aggregates, "a", 10.0, 1)
    one = tick(partial, 1)["line", "power"]
    assert (one.value, one.quality, one.fresh, one.of) == (10.0, Quality.UNCERTAIN, 1, 2)
    other = tick(unknown, 1)["line", "power"]
    assert (other.value, other.quality, other.fresh, other.of) == (None, Quality.BAD, 1, 2)
    for aggregates in (partial, unknown):
        hear(aggregates, "b", 1.0, 2)
        assert tick(aggregates, 2)["line", "power"].value == 11.0


def test_unavailable_and_bad_values_do_not_count():
    aggregates = simple()
    hear(aggregates, "a", 10.0, 1)
    hear(aggregates, "b", 5.0, 1, quality=2)
    assert tick(aggregates, 1)["line", "power"].value == 10.0
    hear(aggregates, "a", None, 2)
    given = tick(aggregates, 2)["line", "power"]
    assert (given.value, given.quality) == (None, Quality.BAD)


def test_a_silent_child_grows_stale_without_any_message():
    aggregates = simple(max_age=10 * NS)
    hear(aggregates, "a", 10.0, 1)
    hear(aggregates, "b", 20.0, 5)
    assert tick(aggregates, 5)["line", "power"].value == 30.0
    assert tick(aggregates, 11) == {}
    given = tick(aggregates, 12)["line", "power"]
    assert (given.value, given.fresh, given.of) == (20.0, 1, 2)
    assert tick(aggregates, 16)["line", "power"].value is None
    assert tick(aggregates, 17) == {}


def test_a_group_is_computed_at_most_once_a_second_and_told_only_if_it_changed():
    aggregates = simple()
    hear(aggregates, "a", 10.0, 1)
    assert len(tick(aggregates, 1)) == 1
    hear(aggregates, "a", 11.0, 1.3)
    assert tick(aggregates, 1.5) == {}
    hear(aggregates, "a", 12.0, 1.6)
    assert tick(aggregates, 2)["line", "power"].value == 12.0
    hear(aggregates, "a", 12.0, 2.5)
    assert tick(aggregates, 3) == {}


def nested():
    return made(
        twin("hall", aggregates=[Aggregate("power", "sum", "power"), Aggregate("n", "count", "power")]),
        twin("line", parent="hall", aggregates=[Aggregate("power", "sum", "power", max_age=10 * NS)]),
        twin("a", "mill", "line"),
        twin("b", "mill", "line"),
        twin("c", "mill", "hall"),
    )


def test_groups_of_groups_rise_in_the_same_tick_with_coverage_of_machines():
    aggregates = nested()
    hear(aggregates, "a", 1.0, 1)
    hear(aggregates, "c", 100.0, 1)
    given = tick(aggregates, 1)
    assert given["line", "power"].value == 1.0
    hall = given["hall", "power"]
    assert (hall.value, hall.fresh, hall.of, hall.quality) == (101.0, 2, 3, Quality.UNCERTAIN)
    assert given["hall", "n"].value == 2.0
    assert tick(aggregates, 12)["hall", "power"].value == 100.0
    assert aggregates.values("u-hall")["power"].value == 100.0


def test_a_late_child_corrects_what_was_given_by_a_new_revision_all_the_way_up():
    aggregates = nested()
    hear(aggregates, "a", 1.0, 1)
    hear(aggregates, "b", 2.0, 1)
    hear(aggregates, "c", 10.0, 1)
    for second in (1, 2):
        tick(aggregates, second)
    hear(aggregates, "a", 5.0, 3)
    tick(aggregates, 3)
    hear(aggregates, "b", 7.0, 1.5)  # late: two ticks have gone by without it
    given = [v for v in aggregates.due(at(4) + GRACE) if v.name == "power"]
    told = {(v.uid[2:], (v.time - START) // NS): (v.value, v.revision) for v in given}
    assert told == {
        ("line", 2): (8.0, 0),
        ("line", 3): (12.0, 1),
        ("hall", 2): (18.0, 0),
        ("hall", 3): (22.0, 1),
    }


def test_an_observation_that_repeats_changes_nothing():
    aggregates = simple()
    hear(aggregates, "a", 10.0, 1)
    tick(aggregates, 1)
    hear(aggregates, "a", 10.0, 1)
    assert tick(aggregates, 2) == {}


def test_a_clock_that_is_ahead_counts_when_its_time_has_come():
    aggregates = simple()
    hear(aggregates, "a", 10.0, 1)
    hear(aggregates, "a", 99.0, 4.5)
    assert tick(aggregates, 1)["line", "power"].value == 10.0
    assert tick(aggregates, 4) == {}
    assert tick(aggregates, 5)["line", "power"].value == 99.0


def test_a_machine_that_moves_counts_where_it_was():
    moving = Twin(
        "u-m", "m", "machine", type=(Dated("mill@1", 0),), parent=(Dated("one", 0, at(3)), Dated("two", at(3)))
    )
    power = Aggregate("power", "sum", "power")
    aggregates = made(twin("one", aggregates=[power]), twin("two", aggregates=[power]), moving)
    hear(aggregates, "m", 5.0, 1)
    assert {k: v.value for k, v in tick(aggregates, 2).items()} == {("one", "power"): 5.0, ("two", "power"): None}
    assert {k: v.value for k, v in tick(aggregates, 3).items()} == {("one", "power"): None, ("two", "power"): 5.0}


def test_what_the_registry_learns_counts_after_a_rebuild_and_what_was_heard_is_kept():
    power = Aggregate("power", "sum", "power")
    kept = Kept([MILL], [twin("line", aggregates=[power]), twin("a", "mill", "line")])
    registry = Registry(kept)
    aggregates = Aggregates(registry)
    hear(aggregates, "a", 1.0, 1)
    tick(aggregates, 1)
    kept.kept.append(twin("b", "mill", "line"))
    kept.revision += 1
    registry.reload()
    aggregates.rebuild()
    hear(aggregates, "b", 2.0, 2)
    assert tick(aggregates, 2)["line", "power"].value == 3.0


def test_a_ring_of_groups_ends():
    power = Aggregate("power", "sum", "power")
    aggregates = made(twin("x", parent="y", aggregates=[power]), twin("y", parent="x", aggregates=[power]))
    for second in range(1, 4):
        tick(aggregates, second)


# from scratch ------------------------------------------------------------------------------------------------

MACHINES = ["a", "b", "c", "d"]
TREE = (
    twin("hall", aggregates=[Aggregate("power", "sum", "power", "kW"), Aggregate("top", "max", "power")]),
    twin("l1", parent="hall", aggregates=[Aggregate("power", "mean", "power", "W", max_age=4 * NS)]),
    twin(
        "l2",
        parent="hall",
        aggregates=[Aggregate("power", "sum", "power", missing="unknown", unit="kW", max_age=9 * NS)],
    ),
    twin("a", "mill", "l1"),
    twin("b", "saw", "l1"),
    twin("c", "mill", "l2"),
    twin("d", "mill", "hall"),
)
heard_at = st.tuples(
    st.sampled_from(MACHINES),
    st.integers(-30, 30),  # tenths of a second late (or ahead)
    st.one_of(st.none(), st.integers(-5, 5).map(float)),
    st.sampled_from([0, 0, 0, 1, 2]),
)
steps = st.lists(st.one_of(heard_at, st.integers(1, 40)), max_size=60)  # an observation, or tenths that pass


def scratch(heard, group, name, when):
    """What an aggregate is at a tick, from all observations, without any state."""
    aggregate = next(a for t in TREE if t.id == group for a in t.aggregates if a.name == name)
    numbers, missing = [], False
    for child in sorted((t for t in TREE if any(p.value == group for p in t.parent)), key=lambda t: t.id):
        if child.aggregates:
            value = scratch(heard, child.id, aggregate.signal, when)
            unit = child.aggregates[0].unit
        else:
            past = [(t, i, v, q) for i, (id, t, v, q) in enumerate(heard) if id == child.id and t <= when]
            time, _, value, quality = max(past, default=(0, 0, None, 2), key=lambda p: p[:2])
            if quality == 2 or (aggregate.max_age is not None and when - time > aggregate.max_age):
                value = None
            unit = "W" if child.type[0].value.startswith("saw") else "kW"
        if value is None:
            missing = True
            continue
        scale = {("kW", "W"): 1000.0, ("W", "kW"): 0.001}.get((unit, aggregate.unit), 1.0)
        numbers.append(value * scale)
    if not numbers or (missing and aggregate.missing == "unknown"):
        return None
    return {"sum": fsum(numbers), "mean": fsum(numbers) / len(numbers), "max": max(numbers)}[aggregate.function]


@settings(max_examples=150, deadline=None)
@given(steps)
def test_incremental_equals_from_scratch(script):
    aggregates = made(*TREE)
    now, heard, ticks = at(0), [], []
    told: dict[tuple[str, str], dict[int, float | None]] = {}

    def look():
        for value in aggregates.due(now):
            told.setdefault((value.uid[2:], value.name), {})[value.time] = value.value
        newest = (now - GRACE) // NS * NS
        if not ticks or newest > ticks[-1]:
            ticks.append(newest)

    look()
    for step in [*script, 11]:
        if isinstance(step, int):
            now += step * NS // 10
            look()
        else:
            id, late, value, quality = step
            time = now - late * NS // 10
            heard.append((id, time, value, quality))
            aggregates.heard(f"u-{id}", {"power": (time, value, quality, now)})
    for group, name in (("l1", "power"), ("l2", "power"), ("hall", "power"), ("hall", "top")):
        given = sorted(told[group, name].items())
        for when in ticks:
            if when < ticks[-1] - WINDOW:
                continue
            held = given[bisect_right(given, when, key=lambda g: g[0]) - 1][1]
            assert held == pytest.approx(scratch(heard, group, name, when)), (group, name, (when - START) / NS)
