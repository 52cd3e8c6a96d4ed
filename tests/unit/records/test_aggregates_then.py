"""Aggregates at past moments are what live state gave then, from the children's rows in real history."""

import numpy as np
import pytest
from test_aggregate import MILL, START, WATTS, Kept, at, hear, made, tick, twin

from servitwin.domain.instant import NS
from servitwin.domain.observation import Quality, Rows
from servitwin.domain.twin import Aggregate
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.usecases.aggregates_then import aggregates_then
from servitwin.usecases.registry import Registry

HALL = (
    twin("hall", aggregates=[Aggregate("power", "sum", "power", "kW"), Aggregate("mills", "count", "mode")]),
    twin("line", parent="hall", aggregates=[Aggregate("power", "mean", "power", "kW", max_age=10 * NS)]),
    twin("a", "mill", "line"),
    twin("b", "saw", "line"),
    twin("c", "mill", "hall"),
)
# twin, signal, second, value (None: UNAVAILABLE)
TOLD = [
    ("a", "power", 1, 10.0), ("b", "power", 2, 30_000.0), ("c", "power", 2, 5.0), ("c", "mode", 2, "auto"),
    ("a", "power", 4, 12.0), ("c", "power", 6, None), ("a", "power", 9, 14.0), ("c", "power", 11, 7.0),
    ("a", "power", 19, 16.0),
]  # fmt: skip


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    writer = DeltaWriter(folder, shard=0, now=lambda: START)
    n = len(TOLD)
    twins, signals = sorted({f"u-{t}" for t, *_ in TOLD}), sorted({s for _, s, *_ in TOLD})
    numbers = np.array([v if isinstance(v, float) else np.nan for *_, v in TOLD])
    times = np.array([at(second) for _, _, second, _ in TOLD], np.int64)
    bad = np.array([Quality.BAD if v is None else Quality.GOOD for *_, v in TOLD], np.uint8)
    rows = Rows(
        twins, signals, np.array([twins.index(f"u-{t}") for t, *_ in TOLD], np.int32),
        np.array([signals.index(s) for _, s, *_ in TOLD], np.int32), times, times, numbers,
        [v if isinstance(v, str) else None for *_, v in TOLD], None, bad, np.zeros(n, np.bool_),
        np.zeros(n, np.int32), np.arange(n), np.zeros(n, np.int32),
    )  # fmt: skip
    writer.commit([rows], [], {"S/1/0": n - 1}, {})
    return DuckReader(folder)


def test_every_second_of_the_past_has_the_value_and_coverage_it_had_live(history):
    live = made(*HALL)
    registry = Registry(Kept([MILL, WATTS], list(HALL)))
    held = {}
    for second in range(25):
        for name, signal, when, value in TOLD:
            if when == second:
                hear(live, name, value, second, signal, Quality.GOOD if value is not None else Quality.BAD)
        held |= tick(live, second)
        for group in HALL[:2]:
            then = aggregates_then(history, registry, group, at(second) + NS // 3)
            for name, value in then.items():
                now = held[group.id, name]
                assert (value.value, value.quality, value.fresh, value.of) == (
                    now.value, now.quality, now.fresh, now.of,
                ), (group.id, name, second)  # fmt: skip
                assert value.time == at(second)
            assert set(then) == {a.name for a in group.aggregates}
    assert any(v.fresh < v.of for v in held.values()), "something was missing at the end"


def test_a_machine_and_a_moment_before_all_have_none_and_nothing(history):
    registry = Registry(Kept([MILL, WATTS], list(HALL)))
    assert aggregates_then(history, registry, HALL[2], at(5)) == {}
    before = aggregates_then(history, registry, HALL[0], at(-10))
    assert (before["power"].value, before["power"].fresh, before["power"].of) == (None, 0, 3)
