"""When a repair is said to be proven, and what refutes it: late data, steps in between, rules that were changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from servitwin.domain.case import Closed
from servitwin.domain.instant import NS
from servitwin.domain.requirement import RepairRule, Requirement
from servitwin.domain.state_time import Gap
from servitwin.usecases.judge_requirement import JudgeRequirement
from tests.unit.cases.watch_bench import T0, UID, Bench

BELOW = Requirement("below", "Never above 100 degrees.", "heat < 100 Cel", repair=RepairRule(lasting=60 * NS))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, BELOW)
    violated(made)
    return made


def violated(bench: Bench) -> None:
    """Too hot from second 10 to 20, found and ended."""
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.hear((10, "heat", 120.0), (20, "heat", 20.0))
    for second in range(5, 45, 5):
        bench.until(second)


def stands(bench: Bench, case: str = "c1") -> tuple[str, int, bool]:
    [found] = [s for s in bench.standings() if s.case.id == case]
    return found.status, found.recurred, found.verified is not None


def test_what_comes_late_refutes_a_repair_that_was_said_to_be_proven(bench: Bench) -> None:
    bench.repair("c1", 30)
    bench.until(200)
    assert bench.prove(200) == 1
    assert stands(bench) == ("verified", 0, True)
    bench.hear((100, "heat", 130.0), (101, "heat", 20.0), (110, "heat", 21.0))
    bench.until(205)
    assert stands(bench) == ("violated", 1, False)
    assert [s.case.id for s in bench.standings()] == ["c1"], "it is no new matter"
    bench.records.declare_gaps(UID, [Gap(T0 + 90 * NS, T0 + 110 * NS, "the sensor was tested")])
    bench.until(210)
    assert stands(bench) == ("repaired", 0, False), "it was taken back: it refutes nothing, and is judged again"
    assert bench.prove(210) == 1
    [found] = bench.standings()
    assert found.verified is not None
    assert found.verified.since == T0 + 110 * NS, "what is not known proves nothing"


def test_a_violation_from_before_the_repair_that_is_found_late_was_mended_with_it(bench: Bench) -> None:
    bench.repair("c1", 30)
    bench.until(200)
    assert bench.prove(200) == 1
    bench.hear((25, "heat", 130.0), (26, "heat", 20.0))
    bench.until(205)
    assert stands(bench) == ("verified", 0, True)
    assert bench.found("below") == [(10.0, 20.0), (25.0, 26.0)]
    assert len(bench.standings()) == 1
    bench.hear((26, "heat", 130.0), (60, "heat", 20.0))
    bench.until(210)
    assert stands(bench) == ("violated", 1, False), "it went on through the time that had proven the repair"


def test_a_repair_that_is_told_late_and_did_not_hold_is_none(bench: Bench) -> None:
    bench.hear((60, "heat", 130.0), (61, "heat", 20.0))
    bench.until(70)
    bench.repair("c1", 30, said=80)
    assert stands(bench) == ("violated", 1, False)
    bench.until(400)
    assert bench.prove(400) == 0


@pytest.mark.parametrize("meanwhile", ["repaired again", "closed"])
def test_nothing_is_proven_of_a_case_in_which_a_step_was_taken_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    bench.repair("c1", 30)
    bench.until(200)
    judged = JudgeRequirement.progress

    def progress(self: JudgeRequirement, *asked: Any) -> Any:
        found = judged(self, *asked)
        if meanwhile == "closed":
            [(_, steps)] = bench.records.cases(id="c1")
            step = msgspec.structs.replace(steps[-1], number=len(steps) + 1, body=Closed("scrapped"))
            assert bench.records.add_case_step(step)
        else:
            bench.repair("c1", 195)
        return found

    with monkeypatch.context() as m:
        m.setattr(JudgeRequirement, "progress", progress)
        assert bench.prove(200) == 0
    assert stands(bench)[0] == ("closed" if meanwhile == "closed" else "repaired")
    assert not [s for s in bench.records.waiting_statements(100) if b"repair-verified" in s[1]]
    bench.until(300)
    assert bench.prove(300) == (meanwhile != "closed")


def test_what_the_log_does_not_bind_yet_is_not_taken_for_silence(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.repair("c1", 30)
    assert bench.prove(80) == 0, "35 of 60 s"
    bound = bench.cases._bound()
    bench.hear((85, "heat", 22.0))
    bench.until(400)
    with monkeypatch.context() as m:
        m.setattr(bench.cases, "_bound", lambda: bound)  # the process that binds has been stopped
        assert bench.prove(400) == 0
    assert bench.prove(403) == 1


def test_what_one_machine_brings_keeps_no_other_repair_unproven(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.repair("c1", 30)
    bench.until(200)

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no such number")

    with monkeypatch.context() as m:
        m.setattr(JudgeRequirement, "progress", broken)
        assert bench.prove(200) == 0
    assert bench.cases.failures == {"c1": "no such number"}
    assert bench.prove(230) == 0, "it is not tried again at once"
    assert bench.prove(261) == 1
    assert bench.cases.failures == {}


def test_a_violation_where_nothing_would_be_counted_refutes_the_repair(tmp_path: Path) -> None:
    under_load = RepairRule("fan is OFF", 2)
    bench = Bench(tmp_path, msgspec.structs.replace(BELOW, repair=under_load))
    violated(bench)
    bench.repair("c1", 30)
    for at in (50, 70, 90):
        bench.hear((at, "fan", "OFF"), (at + 5, "fan", "ON"))
    twin, [demand] = bench.registry.by_uid(UID), bench.demands.of(bench.registry.by_uid(UID), T0)  # type: ignore[arg-type]
    assert twin is not None
    judge = bench.cases._judge
    found = judge.progress(twin, demand, T0 + 30 * NS, T0 + 200 * NS)
    assert (found.occurrences, found.needed, found.proven) == (3, 2, True), "the rule counts without a ->, too"
    bench.hear((80, "heat", 130.0), (81, "heat", 20.0))  # while the fan is on: in no occurrence
    found = judge.progress(twin, demand, T0 + 30 * NS, T0 + 200 * NS)
    assert (found.failed, found.proven) == (1, False)
    bench.records.declare_gaps(UID, [Gap(T0 + 85 * NS, T0 + 87 * NS, "tested")])
    bench.hear((120, "fan", "OFF"), (125, "fan", "ON"), (140, "fan", "OFF"), (145, "fan", "ON"))
    found = judge.progress(twin, demand, T0 + 30 * NS, T0 + 200 * NS)
    assert (found.since, found.failed, found.proven) == (T0 + 87 * NS, 1, False), (
        "that the count began anew mends it not"
    )


def test_each_time_of_the_requirement_makes_one_count(tmp_path: Path) -> None:
    hot = Requirement(
        "hot",
        "With its fan on it is not too hot.",
        "fan is ON -> heat < 100 Cel",
        repair=RepairRule("heat > 50 Cel", 3),
    )
    bench = Bench(tmp_path, hot)
    violated(bench)
    for at in (50, 60, 70, 80):
        bench.hear((at, "heat", 60.0), (at + 5, "heat", 20.0))
    twin, [demand] = bench.registry.by_uid(UID), bench.demands.of(bench.registry.by_uid(UID), T0)  # type: ignore[arg-type]
    assert twin is not None
    found = bench.cases._judge.progress(twin, demand, T0 + 30 * NS, T0 + 200 * NS)
    assert found.occurrences == 1, "the fan was on once, all the time: a verifier finds that once"


def test_a_condition_that_cannot_be_read_never_came(tmp_path: Path) -> None:
    bench = Bench(tmp_path, msgspec.structs.replace(BELOW, repair=RepairRule("nothing > 3", 1)))
    violated(bench)
    bench.repair("c1", 30)
    bench.until(4000)
    assert bench.prove(4000) == 0


def test_the_rule_of_repair_is_the_one_of_when_the_case_was_opened(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    mine = msgspec.structs.replace(BELOW, name="mine", repair=RepairRule(lasting=1000 * NS))
    bench.records.add_requirement(UID, mine, T0 - NS, "ann")
    violated(bench)
    bench.repair("c1", 30)
    easier = msgspec.structs.replace(mine, repair=RepairRule(lasting=NS))
    bench.records.add_requirement(UID, easier, T0 + 100 * NS, "ann")
    bench.until(200)
    assert bench.prove(200) == 0
    changed = msgspec.structs.replace(mine, formula="heat < 500 Cel")
    bench.records.add_requirement(UID, changed, T0 + 210 * NS, "ann")
    bench.until(1200)
    assert bench.prove(1200) == 1, "what was violated is what is proven, whatever is demanded since"


def test_a_requirement_that_was_changed_takes_nothing_back_of_the_old_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    mine = msgspec.structs.replace(BELOW, name="mine")
    bench.records.add_requirement(UID, mine, T0 - NS, "ann")
    violated(bench)
    assert bench.found("mine") == [(10.0, 20.0)]
    changed = msgspec.structs.replace(mine, formula="heat < 500 Cel")
    bench.records.add_requirement(UID, changed, T0 + 45 * NS, "ann")
    bench.until(50)
    bench.hear((5, "fan", "OFF"), (5, "heat", 21.0))
    bench.until(60)
    assert bench.found("mine") == [(10.0, 20.0)], "nobody judged the old requirement again"
    bench.records.add_requirement(UID, mine, T0 + 65 * NS, "ann")
    bench.until(70)
    bench.hear((6, "heat", 22.0))
    bench.until(80)
    assert bench.found("mine") == [(10.0, 20.0)], "it was not demanded then, by who watches it now"


def test_a_clock_that_was_set_back_hides_no_step_from_the_monitor(bench: Bench) -> None:
    bench.repair("c1", 30)
    [(_, steps)] = bench.records.cases(id="c1")
    ahead = msgspec.structs.replace(steps[-1], number=len(steps) + 1, at=T0 + 9000 * NS, body=Closed("scrapped"))
    assert bench.records.add_case_step(ahead)
    bench.until(200)
    assert bench.prove(200) == 0
    assert stands(bench)[0] == "closed"
