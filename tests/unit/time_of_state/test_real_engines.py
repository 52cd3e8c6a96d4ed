"""Accounts of time over real tables and records: what was sent is what is accounted for, whatever its order."""

from __future__ import annotations

import random
from pathlib import Path

import msgspec
import numpy as np
import pytest
from account_plant import DAY_START as D
from account_plant import TWINS, TWO_SHIFTS, TYPES, WORDS

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.observation import Rows
from servitwin.domain.state_time import Gap, State
from servitwin.engines.history import DeltaWriter, DuckReader
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.discovery import plugin
from servitwin.sdk.service import Outcome, ServiceBatch
from servitwin.usecases.account_daily import daily_states
from servitwin.usecases.account_oee import oee
from servitwin.usecases.account_time import availability, states
from servitwin.usecases.assign_service import Assignment, assign_service
from servitwin.usecases.list_alarms import list_alarms
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_ports import StepRequest, StepResult
from tests.service_runner import service_runner

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


class InThisProcess:
    """Runs the built-in services of time where the test runs."""

    def __init__(self) -> None:
        self._plugins = {name: plugin("service", name) for name in ("state_time", "availability", "oee")}

    def manifests(self):
        return {name: p.manifest for name, p in self._plugins.items()}

    def check(self, service, parameters):
        return self._plugins[service].evaluator().check(parameters)

    def step(self, service: str, request: StepRequest) -> StepResult:
        evaluator = self._plugins[service].evaluator().open(request.view, request.parameters, request.snapshot)
        outcome = evaluator.step(ServiceBatch(request.observations), request.watermark)
        return StepResult(outcome, evaluator.snapshot())


def test_services_run_step_by_step_bring_the_figures_of_history(plants):
    (history, registry, records), _ = plants
    host = InThisProcess()
    mill = registry.by_id("mill-1")
    parameters = {
        "state_time": {"from": D},
        "availability": {"from": D, "every": "6h"},
        "oee": {"from": D, "every": "6h"},
    }
    for service, given in parameters.items():
        assign_service(records, registry, host, Assignment(service, mill.uid, D, given))
    runner = service_runner(history, records, host, registry)
    for now in (D + HOUR, D + 7 * HOUR, D + 8 * HOUR + 7, D + 20 * HOUR, D + DAY + HOUR):
        runner.advance(now)
    assert runner.failures == {}

    def results(service: str):
        outcomes = records.outcomes(service, mill.uid, D, D + 2 * DAY)
        decoded = [msgspec.json.decode(o["outcome"], type=Outcome) for o in sorted(outcomes, key=lambda o: o["from"])]
        return [next(iter(r.values())) for o in decoded for r in o.results]

    whole = states(history, registry, records, mill, D, D + DAY).intervals
    found = [r for r in results("state_time") if r["to"] <= D + DAY]
    assert [(r["from"], r["to"], r["state"]) for r in found[:-1]] == [
        (i.start, i.end, i.state.value) for i in whole[: len(found) - 1]
    ]
    assert len(found) >= len(whole) - 1
    for kind, figure_of in (("availability", _availability), ("oee", _oee)):
        windows = results(kind)
        assert [w["from"] for w in windows] == [D + n * 6 * HOUR for n in range(4)]
        for window in windows:
            expected = figure_of(history, registry, records, mill, window["from"], window["to"])
            assert window["value" if kind == "availability" else "oee"] == expected


def _availability(history, registry, records, twin, start, end):
    return availability(history, registry, records, twin, "iso22400@1", start, end).figure.value


def _oee(history, registry, records, twin, start, end):
    return oee(history, registry, records, twin, start, end).oee.oee
