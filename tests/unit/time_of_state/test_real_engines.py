"""Accounts of time over real tables and records: what was sent is what is accounted for, whatever its order."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from account_plant import DAY_START as D
from account_plant import TWINS, TWO_SHIFTS, TYPES, WORDS

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.observation import Rows
from servitwin.domain.state_time import Gap, State
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.usecases.account_daily import daily_states
from servitwin.usecases.account_oee import oee
from servitwin.usecases.account_time import availability, states
from servitwin.usecases.list_alarms import list_alarms
from servitwin.usecases.registry import Registry

Row = tuple[str, str, int, float | str | None]


def columns(rows: list[Row], seq: int) -> Rows:
    count = len(rows)
    numbers = [v if isinstance(v, float) else np.nan for _, _, _, v in rows]
    uids, names = sorted({f"uid-{r[0]}" for r in rows}), sorted({r[1] for r in rows})
    return Rows(
        uids,
        names,
        np.array([uids.index(f"uid-{r[0]}") for r in rows], np.int32),
        np.array([names.index(r[1]) for r in rows], np.int32),
        np.array([r[2] for r in rows], np.int64),
        np.full(count, D, np.int64),
        np.array(numbers, np.float64),
        [v if isinstance(v, str) else None for _, _, _, v in rows],
        None,
        np.zeros(count, np.uint8),
        np.zeros(count, np.bool_),
        np.zeros(count, np.int32),
        np.full(count, seq, np.int64),
        np.arange(count, dtype=np.int32),
    )


def sent() -> list[Row]:
    rng = random.Random(5)
    rows: list[Row] = []
    for id in ("mill-1", "mill-2", "saw-1", "crane-1"):
        at, total = D - 2 * HOUR, 0.0
        while at < D + 2 * DAY:
            rows.append((id, "execution", at, rng.choice([*WORDS, None])))
            if id != "crane-1":
                total += rng.choice([0.0, 1.0, 1.0, 4.0])
                rows += [(id, "total", at + 1, total), (id, "good", at + 1, total)]
            at += rng.randrange(MINUTE, 90 * MINUTE)
    at = D + 3 * HOUR
    rows += [("mill-1", "system", at, "fault|1|||HOT"), ("mill-1", "system", at, "warning|2|||OIL")]
    rows += [("mill-1", "system", at + HOUR, "normal|2||"), ("mill-1", "system", at + 2 * HOUR, "normal|1||")]
    return rows


def plant_with(folder: Path, commits: list[list[Row]]) -> tuple[DuckReader, Registry, SqlRecords]:
    url = f"sqlite:///{folder}/records.db"
    migrate(url)
    records = SqlRecords(url)
    for machine_type in TYPES:
        records.add_machine_type(machine_type)
    for one in TWINS:
        records.save_twin(one)
    records.save_calendar(TWO_SHIFTS)
    records.declare_gaps("uid-saw-1", [Gap(D + 5 * HOUR, D + 6 * HOUR, "file missing")])
    registry = Registry(records)
    writer = DeltaWriter(folder / "history", shard=0, now=lambda: D)
    for seq, rows in enumerate(commits):
        writer.commit([columns(rows, seq)], [], {"S/1/0": seq}, {})

    def define(uid: str, name: str):
        return registry.signals(uid, D).get(name)

    return DuckReader(folder / "history", shards=(), define=define, threads=1), registry, records


@pytest.fixture(scope="module")
def plants(tmp_path_factory):
    """The same observations, sent in order in one message, and late and shuffled in five."""
    rows = sent()
    shuffled = rows[:]
    random.Random(9).shuffle(shuffled)
    # What was said of one condition at one time keeps its order: it is the order in which the entries were told.
    told = [r for r in rows if r[1] == "system"]
    parts = [[r for r in shuffled[n::4] if r[1] != "system"] for n in range(4)]
    return (
        plant_with(tmp_path_factory.mktemp("ordered"), [rows]),
        plant_with(tmp_path_factory.mktemp("late"), [*parts, told]),
    )


def test_late_and_shuffled_data_give_every_figure_as_if_in_order(plants):
    (one, registry, records), (two, registry_two, records_two) = plants
    start, end = D, D + 36 * HOUR
    for twin in registry.twins():
        args = (registry, records, twin, start, end)
        other = (registry_two, records_two, twin, start, end)
        mine, theirs = states(one, *args), states(two, *other)
        assert (mine.intervals, mine.totals, mine.children) == (theirs.intervals, theirs.totals, theirs.children)
        assert oee(one, *args, by="shift").oee == oee(two, *other, by="shift").oee
        assert oee(one, *args, by="product").groups == oee(two, *other, by="product").groups
        a = availability(one, *args[:3], "en15341-m10@1", start, end)
        b = availability(two, *other[:3], "en15341-m10@1", start, end)
        assert a.figure == b.figure
        assert a.basis.cut != b.basis.cut, "a figure says what was known"


def test_two_conditions_of_one_time_are_both_active(plants):
    (history, registry, records), _ = plants
    mill = registry.by_id("mill-1")
    found = list_alarms(history, registry, records, mill, D, D + DAY).items
    assert {(a.alarm.code, a.alarm.end) for a in found} == {("1", D + 5 * HOUR), ("2", D + 4 * HOUR)}
    failed = [i for i in states(history, registry, records, mill, D, D + DAY).intervals if i.state is State.FAILED]
    assert failed
    assert all(i.start >= D + 3 * HOUR and i.end <= D + 5 * HOUR for i in failed)


def test_days_of_the_fleet_equal_the_states_of_each_machine(plants):
    (history, registry, records), _ = plants
    machines = [t for t in registry.twins() if t.kind == "machine"]
    start, end = D + HOUR, D + DAY + 7 * HOUR
    answer = daily_states(history, registry, records, machines, start, end)
    for twin in machines:
        for day, found in enumerate(answer.twins[twin.id]):
            a, b = max(start, D + day * DAY), min(end, D + (day + 1) * DAY)
            assert found == states(history, registry, records, twin, a, b).totals, (twin.id, day)
