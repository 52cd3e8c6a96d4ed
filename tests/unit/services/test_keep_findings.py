"""Findings of services become cases: one a stretch, the same however often it is told, few however much is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.case import Case, CaseStanding, CaseStep, Dismissed, Found, Noted, Repaired, case_standing
from servitwin.domain.case_check import check_step
from servitwin.domain.error import Fault, InvalidInputError, RefusedError
from servitwin.domain.finding import Finding, FoundSignal
from servitwin.domain.instant import DAY, LATEST, NS, format_instant
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.finding import ServiceFinding, finding_faults
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment, assign_service
from servitwin.usecases.keep_findings import MOST_OPEN, OVER_FOR, Finder, KeepFindings
from servitwin.usecases.machine_changes import MachineChanges
from servitwin.usecases.registry import Registry
from servitwin.usecases.run_service import RunServices
from servitwin.usecases.service_ports import StepRequest, StepResult
from tests.crane_records import UID
from tests.service_runner import service_runner
from tests.unit.services.test_run_service import MemoryHistory

LOAD = (FoundSignal("load", 1.0),)


class Overload:
    """A service that finds loads above ten, group by group of ten; it forgets at each change of the machine."""

    def __init__(self, bad: ServiceFinding | None = None) -> None:
        self.bad = bad

    def manifests(self) -> Mapping[str, Manifest]:
        return {"over": Manifest("over", "1", "evaluator", "over", reads=("load",), cadence="10s", lateness="0s")}

    def lane(self, service: str) -> str:
        return service

    def check(self, service: str, parameters: Mapping[str, Any]) -> Sequence[Fault]:
        return []

    def step(self, service: str, request: StepRequest) -> StepResult:
        since = int(request.snapshot) if request.snapshot else -1
        outcome = Outcome() if self.bad is None else Outcome(findings=[self.bad])
        changes = [c.at for c in request.view.changes]
        for o in request.observations["load"]:
            normal = any(at <= o.time for at in changes)
            above = isinstance(o.value, float) and o.value > 10 and not normal
            if above and since < 0:
                since = o.time
                outcome.findings.append(ServiceFinding("over:load", since, "too heavy", LOAD))
            elif not above and since >= 0:
                outcome.findings.append(ServiceFinding("over:load", since, "was too heavy", LOAD, end=o.time))
                since = -1
        return StepResult(outcome, str(since).encode())


def new_records(folder: Path) -> SqlRecords:
    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    records = SqlRecords(url)
    records.add_machine_type(MachineType("probe", 1, signals=(SignalDefinition("load", unit="t"),)))
    records.save_twin(Twin(UID, "crane-1", "machine", type=(Dated("probe@1", 0),)))
    return records


@pytest.fixture
def records(tmp_path: Path) -> SqlRecords:
    return new_records(tmp_path)


def standings(records: SqlRecords) -> list[CaseStanding]:
    return [case_standing(c, steps, LATEST) for c, steps in reversed(records.cases())]


def spans(records: SqlRecords) -> set[tuple[int, int | None]]:
    return {(f.start, f.end) for s in standings(records) if s.open for f in s.findings}


def at_work(records: SqlRecords, told: list[tuple[str, bytes]] | None = None) -> tuple[MemoryHistory, RunServices]:
    history, host = MemoryHistory(), Overload()
    assign_service(records, Registry(records), host, Assignment("over", UID, 0))
    return history, service_runner(history, records, host, told=told)


@given(st.data())
@settings(max_examples=8, deadline=None)
def test_any_order_of_arrival_ends_with_the_same_findings_in_cases(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    records = new_records(tmp_path_factory.mktemp("r"))
    values = data.draw(st.lists(st.sampled_from([5.0, 11.0, 20.0]), min_size=1, max_size=10))
    rows = [(i * 7 * NS, v) for i, v in enumerate(values)]
    history, runner = at_work(records)
    now = 20 * NS
    for row in data.draw(st.permutations(rows)):
        history.rows.append(row)
        runner.advance(now)
        now += 11 * NS
    runner.advance(now + 200 * NS)
    assert runner.failures == {}
    expected: set[tuple[int, int | None]] = set()
    since = None
    for t, v in rows:
        if v > 10 and since is None:
            since = t
        elif v <= 10 and since is not None:
            expected.add((since, t))
            since = None
    if since is not None:
        expected.add((since, None))
    assert spans(records) == expected


def test_a_finding_opens_a_case_and_is_told_and_ends_in_it(records: SqlRecords) -> None:
    told: list[tuple[str, bytes]] = []
    history, runner = at_work(records, told)
    history.rows += [(1 * NS, 5.0), (5 * NS, 12.0)]
    runner.advance(20 * NS)
    [s] = standings(records)
    assert (s.case.source, s.case.requirement, s.active, s.status) == ("over", "over:load", True, "violated")
    assert s.told is not None and s.told.text == "too heavy" and s.told.version == "1"
    history.rows.append((25 * NS, 6.0))
    runner.advance(40 * NS)
    runner.advance(60 * NS)
    [s] = standings(records)
    assert [(f.start, f.end) for f in s.findings] == [(5 * NS, 25 * NS)] and s.alarm == "returned"
    assert s.told is not None and s.told.text == "was too heavy"
    out = [msgspec.json.decode(p) for subject, p in told if subject == "happened"]
    said = [(m["kind"], m["data"]["from"], m["data"]["to"]) for m in out if m["kind"].startswith("finding-")]
    begun, over = format_instant(5 * NS), format_instant(25 * NS)
    assert said == [("finding-found", begun, None), ("finding-ended", begun, over)]
    kinds = [msgspec.json.decode(p)["kind"] for subject, p in told if subject == "happened"]
    assert kinds == ["case-opened", "finding-found", "finding-ended"]
    assert [e["kind"] for e in records.events(0)] == kinds


def test_late_data_take_a_finding_back_and_let_one_that_was_over_go_on(records: SqlRecords) -> None:
    history, runner = at_work(records)
    history.rows += [(5 * NS, 12.0), (15 * NS, 6.0), (25 * NS, 13.0), (26 * NS, 6.0)]
    runner.advance(30 * NS)
    assert spans(records) == {(5 * NS, 15 * NS), (25 * NS, 26 * NS)}
    history.rows[1] = (15 * NS, 14.0)  # what arrived was not the end after all
    history.rows.append((16 * NS, 12.0))
    runner.advance(31 * NS)
    assert spans(records) == {(5 * NS, 26 * NS)}
    assert [s.open for s in standings(records)] == [True]


def test_a_finding_is_lost_with_its_step_and_made_again_with_it(records: SqlRecords) -> None:
    history, runner = at_work(records)
    history.rows += [(5 * NS, 12.0)]

    def full(*_: object) -> bool:
        raise InvalidInputError(Fault("disk:full", "no space", ""))

    kept, records.add_case = records.add_case, full  # type: ignore[method-assign,assignment]
    assert runner.advance(20 * NS) == 0 and records.outcomes("over", UID, 0, LATEST) == []
    records.add_case = kept  # type: ignore[method-assign]
    assert runner.advance(20 * NS) == 1 and spans(records) == {(5 * NS, None)}


def test_a_finding_that_is_none_is_refused_with_all_its_faults_and_nothing_is_kept(records: SqlRecords) -> None:
    bad = ServiceFinding("other:load", 99 * NS, " ", (FoundSignal("ghost", 3.0, value=float("nan")),))
    host = Overload(bad)
    assign_service(records, Registry(records), host, Assignment("over", UID, 0))
    runner = service_runner(MemoryHistory(), records, host)
    assert runner.advance(20 * NS) == 0 and records.outcomes("over", UID, 0, LATEST) == []
    [why] = runner.failures.values()
    for code in ("code-wrong", "text-missing", "time-wrong", "signal-unknown", "figure-wrong"):
        assert f"finding:{code}" in why
    nowhere = ServiceFinding("over:load", 1, "x" * 600, end=1)
    codes = {f.code for f in finding_faults(nowhere, "over", None, 10)}
    assert codes == {"finding:text-too-long", "finding:time-wrong", "finding:signals-missing"}


def test_many_findings_make_few_cases(records: SqlRecords) -> None:
    registry, by = Registry(records), Finder("over", "1", "{}")
    twin = registry.by_uid(UID)
    assert twin is not None
    ids = iter(range(1000))
    keep = KeepFindings(registry, records, lambda: f"c{next(ids)}")
    for n in range(40):
        found = ServiceFinding("over:load", n * NS, "too heavy", LOAD, end=n * NS + 5, group=f"g{n % 20}")
        keep.take(twin, by, [found], {}, 90 * NS, 100 * NS + n)
        keep.take(twin, by, [found], {}, 90 * NS, 100 * NS + n)  # told twice
    assert len(standings(records)) == MOST_OPEN
    assert sum(len(s.findings) for s in standings(records)) == 40
    assert sum(len(s.steps) for s in standings(records)) == 40
    assert keep.close_over(OVER_FOR) == []
    records.add_case_step(CaseStep("c0", len(standings(records)[0].steps) + 1, 200 * NS, "timo", Noted("hm")))
    keep.close_over(OVER_FOR + 100 * NS)
    assert sorted(s.case.id for s in standings(records) if s.open) == ["c0"]  # somebody has touched that one


def dismissed(records: SqlRecords, at: int, body: Dismissed) -> CaseStanding:
    s = standings(records)[-1]
    step = CaseStep(s.case.id, len(s.steps) + 1, at, "timo", body)
    check_step(s, step)
    assert records.add_case_step(step)
    return standings(records)[-1]


def test_a_dismissal_ends_the_case_and_what_is_normal_now_is_found_no_more(records: SqlRecords) -> None:
    history, runner = at_work(records)
    history.rows += [(5 * NS, 12.0), (15 * NS, 6.0), (25 * NS, 13.0)]
    runner.advance(30 * NS)
    assert spans(records) == {(5 * NS, 15 * NS), (25 * NS, None)}
    s = dismissed(records, 31 * NS, Dismissed("a heavier tool", 20 * NS))
    assert s.status == "closed" and s.dismissed is not None
    history.rows.append((35 * NS, 14.0))
    assert runner.advance(40 * NS) >= 2  # the steps since then are made again, and one more
    [s] = standings(records)
    assert [(f.start, f.end) for f in s.findings] == [(5 * NS, 15 * NS), (25 * NS, 31 * NS)]
    assert not s.open and not s.active
    assert runner.advance(41 * NS) == 0  # and only once
    latest = records.outcomes("over", UID, 20 * NS, 30 * NS)
    assert [o["revision"] for o in latest] == [1]


def test_what_happened_once_ends_the_case_and_teaches_nothing(records: SqlRecords) -> None:
    history, runner = at_work(records)
    history.rows += [(5 * NS, 12.0)]
    runner.advance(10 * NS)
    assert not dismissed(records, 11 * NS, Dismissed("a visitor leaned on it")).open
    history.rows += [(15 * NS, 6.0), (25 * NS, 13.0)]
    runner.advance(30 * NS)
    first, second = standings(records)
    assert [(f.start, f.end) for f in first.findings] == [(5 * NS, 15 * NS)] and not first.open
    assert [(f.start, f.end) for f in second.findings] == [(25 * NS, None)] and second.open


def test_repairs_types_and_words_of_people_change_a_machine(records: SqlRecords) -> None:
    changes = MachineChanges(records)
    twin = Twin(UID, "crane-1", "machine", type=(Dated("probe@1", 0, 9), Dated("probe@1", 9, 20), Dated("probe@2", 20)))
    found = Finding(UID, "over:load", "d", "", "low", 5, 5)
    records.add_case(
        Case("c1", UID, "over:load", "d", "", "low", 5, "over"),
        [
            CaseStep("c1", 1, 5, "monitor", Found(found)),
            CaseStep("c1", 2, 40, "timo", Repaired("", "bearing", "part", "timo", 30)),
            CaseStep("c1", 3, 50, "timo", Dismissed("once")),
        ],
    )
    assert [(c.at, c.kind, c.text) for c in changes.of(twin)] == [
        (20, "type", "probe@1 became probe@2"),
        (30, "repair", "bearing"),
    ]
    assert changes.of(msgspec.structs.replace(twin, uid="other")) == changes.of(twin)[:1]


def test_a_proven_violation_is_not_dismissed_and_a_reason_is_asked_for(records: SqlRecords) -> None:
    finding = Finding(UID, "lifts", "sha256:1", "", "low", 5, 5)
    step = CaseStep("c", 1, 5, "monitor", Found(finding))
    proven = case_standing(Case("c", UID, "lifts", "sha256:1", "", "low", 5), [step], LATEST)
    with pytest.raises(RefusedError, match="case:proven-not-dismissed"):
        check_step(proven, CaseStep("c", 2, 9, "timo", Dismissed("no fault")))
    found = msgspec.structs.replace(proven, case=msgspec.structs.replace(proven.case, source="over"))
    with pytest.raises(InvalidInputError, match="case:reason-missing"):
        check_step(found, CaseStep("c", 2, 9, "timo", Dismissed(" ")))
    with pytest.raises(InvalidInputError, match="case:normal-in-future"):
        check_step(found, CaseStep("c", 2, 9, "timo", Dismissed("new tool", 9 + DAY)))
    with pytest.raises(InvalidInputError, match="case:normal-too-long-ago"):
        check_step(found, CaseStep("c", 2, 9, "timo", Dismissed("new tool", -40 * DAY)))
