"""Services step by step: late data change the outcome to what it would have been in order, as a new revision."""

import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.error import Fault, InvalidInputError, NotFoundError
from servitwin.domain.instant import DAY, HOUR, NS
from servitwin.domain.machine_type import MachineType
from servitwin.domain.observation import Cut, Series
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assign_service, assignments, withdraw_service
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_ports import StepRequest, StepResult
from tests.crane_records import UID, crane_records
from tests.service_runner import service_runner


class MemoryHistory:
    """A history of one signal in memory, with arrival order as sequence."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, float]] = []

    def cut(self) -> Cut:
        return {0: len(self.rows)}

    def many_series(
        self, wanted: Sequence[tuple[str, str]], start: int, end: int, *, before: bool = False, cut: Cut | None = None
    ) -> dict[tuple[str, str], Series]:
        known = sorted(self.rows[: (cut or self.cut())[0]])
        held = [r for r in known if r[0] < start][-1:] if before else []
        rows = [*held, *(r for r in known if start <= r[0] < end)]
        time = np.array([r[0] for r in rows], np.int64)
        number = np.array([r[1] for r in rows], np.float64)
        quality = np.zeros(len(rows), np.uint8)
        return {w: Series(w[0], w[1], time, number, None, None, quality, {}) for w in wanted}

    def changed_since(self, cut: Cut) -> dict[str, tuple[int, int]]:
        times = [t for t, _ in self.rows[cut.get(0, 0) :]]
        return {UID: (min(times), max(times))} if times else {}


class CountingHost:
    """An evaluator that sums what it has seen and counts rises above ten; state goes through the snapshot."""

    def __init__(self) -> None:
        self.fail: Exception | None = None

    def manifests(self) -> Mapping[str, Manifest]:
        return {"rises": Manifest("rises", "1", "evaluator", "rises", reads=("load",), cadence="10s", lateness="5s")}

    def lane(self, service: str) -> str:
        return service

    def check(self, service: str, parameters: Mapping[str, Any]) -> Sequence[Fault]:
        return [Fault("rises:bound", "no bound", "give one")] if "above" not in parameters else []

    def step(self, service: str, request: StepRequest) -> StepResult:
        if self.fail:
            raise self.fail
        inside = bool(request.snapshot and request.snapshot == b"1")
        outcome = Outcome()
        for o in request.observations["load"]:
            above = isinstance(o.value, float) and o.value > request.parameters["above"]
            if above and not inside:
                outcome.results.append({"rise": o.time})
            inside = above
        return StepResult(outcome, b"1" if inside else b"0")


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    return crane_records(tmp_path)


def rises(records: SqlRecords) -> list[int]:
    found = []
    for o in records.outcomes("rises", UID, 0, 2**62):
        outcome = msgspec.json.decode(o["outcome"], type=Outcome)
        found += [r["rise"] for r in outcome.results]
    return found


ASSIGNED = Assignment("rises", UID, 0, {"above": 10})


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_any_order_of_arrival_ends_in_the_same_outcome(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('r') / 'records.db'}"
    migrate(url)
    records = SqlRecords(url)
    records.add_machine_type(MachineType("probe", 1, signals=(SignalDefinition("load", unit="t"),)))
    records.save_twin(Twin(UID, "crane-1", "machine", type=(Dated("probe@1", 0),)))
    values = data.draw(st.lists(st.sampled_from([5.0, 9.0, 11.0, 20.0]), min_size=1, max_size=12))
    rows = [(i * 7 * NS, v) for i, v in enumerate(values)]
    arrival = data.draw(st.permutations(rows))
    history, host = MemoryHistory(), CountingHost()
    runner = service_runner(history, records, host)
    assign_service(records, Registry(records), host, ASSIGNED)
    now = 20 * NS
    for row in arrival:
        history.rows.append(row)
        runner.advance(now)
        now += 11 * NS
    runner.advance(now + 200 * NS)
    assert runner.failures == {}
    expected = [t for i, (t, v) in enumerate(rows) if v > 10 and (i == 0 or rows[i - 1][1] <= 10)]
    assert rises(records) == expected


def test_late_data_make_a_new_revision_and_keep_the_old_one(records: SqlRecords) -> None:
    history, host = MemoryHistory(), CountingHost()
    runner = service_runner(history, records, host)
    assign_service(records, Registry(records), host, ASSIGNED)
    history.rows += [(1 * NS, 5.0), (9 * NS, 5.0)]
    runner.advance(30 * NS)
    assert rises(records) == []
    history.rows.append((4 * NS, 12.0))
    runner.advance(31 * NS)
    assert rises(records) == [4 * NS]
    assert [o["revision"] for o in records.outcomes("rises", UID, 0, 2**62)] == [1]


def test_a_failing_service_says_why_stops_no_other_and_goes_on_later(records: SqlRecords) -> None:
    history, host = MemoryHistory(), CountingHost()
    runner = service_runner(history, records, host)
    assign_service(records, Registry(records), host, ASSIGNED)
    assign_service(records, Registry(records), host, msgspec.structs.replace(ASSIGNED, parameters={"above": 1}))
    history.rows.append((1 * NS, 12.0))
    host.fail = RuntimeError("memory eaten")
    assert runner.advance(30 * NS) == 0
    assert list(runner.failures.values()) == ["memory eaten"]
    host.fail = None
    assert runner.advance(30 * NS) == 2
    assert runner.failures == {}


def test_wrong_assignments_are_refused_with_their_faults(records: SqlRecords) -> None:
    registry, host = Registry(records), CountingHost()
    with pytest.raises(NotFoundError, match="service:unknown"):
        assign_service(records, registry, host, Assignment("nothing", UID, 0))
    with pytest.raises(NotFoundError, match="twin:unknown"):
        assign_service(records, registry, host, Assignment("rises", "nobody", 0))
    with pytest.raises(InvalidInputError, match="rises:bound"):
        assign_service(records, registry, host, Assignment("rises", UID, 0))
    for named in ("signals", "settings"):
        with pytest.raises(InvalidInputError) as e:
            assign_service(records, registry, host, Assignment("rises", UID, 0, {"above": 1, named: ["load", "laod"]}))
        assert [(f.code, f.where, f.hint) for f in e.value.faults] == [("signal:unknown", f"{named}[1]", "It has load")]
    assert assignments(records) == []


def test_assignments_made_at_once_are_all_kept(records: SqlRecords) -> None:
    registry, host = Registry(records), CountingHost()
    with ThreadPoolExecutor(8) as people:
        made = people.map(
            lambda n: assign_service(records, registry, host, Assignment("rises", UID, 0, {"above": n})), range(1, 25)
        )
        assert len(list(made)) == 24
    assert sorted(a.parameters["above"] for a in assignments(records)) == list(range(1, 25))


def test_withdrawing_ends_the_assignment_and_keeps_outcomes(records: SqlRecords) -> None:
    history, host = MemoryHistory(), CountingHost()
    runner = service_runner(history, records, host)
    assign_service(records, Registry(records), host, ASSIGNED)
    history.rows.append((1 * NS, 12.0))
    runner.advance(30 * NS)
    assert withdraw_service(records, "rises", UID) == 1
    assert runner.advance(60 * NS) == 0
    assert rises(records) == [1 * NS]


def test_of_days_that_are_over_one_snapshot_is_kept_and_late_data_still_count(
    records: SqlRecords, tmp_path: Path
) -> None:
    history, host = MemoryHistory(), CountingHost()
    runner = service_runner(history, records, host)
    assign_service(records, Registry(records), host, ASSIGNED)
    history.rows += [(NS + h * HOUR, 5.0) for h in range(96)]
    for hour in range(1, 96):
        runner.advance(hour * HOUR + 5 * NS)
    with sqlite3.connect(tmp_path / "records.db") as file:
        kept = file.execute("SELECT end_ns FROM outcomes WHERE snapshot IS NOT NULL ORDER BY end_ns").fetchall()
    per_day = Counter(end // DAY for (end,) in kept)
    assert per_day[0] == per_day[1] == 1 and per_day[2] > 20 and per_day[3] > 20
    history.rows.append((5 * HOUR, 12.0))
    runner.advance(95 * HOUR + 6 * NS)
    assert rises(records) == [5 * HOUR] and runner.failures == {}


def three_cranes(records: SqlRecords) -> tuple[MemoryHistory, list[str]]:
    """Three machines with the same data, so that their steps are kept together."""
    twins = [UID, *(f"01990000-0000-7000-8000-00000000000{n}" for n in (1, 2))]
    for n, uid in enumerate(twins[1:]):
        records.save_twin(Twin(uid, f"crane-more-{n}", "machine", type=(Dated("probe@1", 0),)))
    history = MemoryHistory()
    history.rows += [(1 * NS, 5.0), (4 * NS, 12.0), (9 * NS, 5.0)]
    return history, twins


def kept_of(records: SqlRecords, twin: str) -> list[tuple[int, int, int]]:
    return [(o["from"], o["to"], o["revision"]) for o in records.outcomes("rises", twin, 0, 2**62)]


def test_one_outcome_that_cannot_be_kept_keeps_no_other_from_being_kept(records: SqlRecords) -> None:
    (history, twins), host = three_cranes(records), CountingHost()
    runner = service_runner(history, records, host)
    for uid in twins:
        assign_service(records, Registry(records), host, Assignment("rises", uid, 0, {"above": 10}))
    key = ASSIGNED.parameters_key
    records.save_outcome("rises", "1", twins[1], key, 0, 20 * NS, 0, "{}", b'{"results":[{"rise":7}]}', None)
    assert runner.advance(30 * NS) == 2
    assert list(runner.failures) == [f"rises on {twins[1]}"]
    assert "revision" in runner.failures[f"rises on {twins[1]}"]
    assert [kept_of(records, uid) for uid in twins] == [[(0, 20 * NS, 0)]] * 3
    assert runner.advance(41 * NS) == 3 and runner.failures == {}, "its next step is of another interval"


def test_steps_that_a_killed_process_had_kept_already_are_kept_once(records: SqlRecords) -> None:
    (history, twins), host = three_cranes(records), CountingHost()
    for uid in twins:
        assign_service(records, Registry(records), host, Assignment("rises", uid, 0, {"above": 10}))
    killed, next_one = service_runner(history, records, host), service_runner(history, records, host)
    next_one.advance(0)  # it has looked before the other one made its steps
    assert killed.advance(30 * NS) == 3
    before = [kept_of(records, uid) for uid in twins]
    next_one.advance(30 * NS)
    assert next_one.failures == {} and [kept_of(records, uid) for uid in twins] == before
    assert next_one.advance(41 * NS) == 3, "each goes on from what is kept"
