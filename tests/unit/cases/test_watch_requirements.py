"""The watch: late data, restarts, requirements that come and go, types that change, silence and declared gaps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from servitwin.domain.error import Fault, UnavailableError
from servitwin.domain.instant import NS
from servitwin.domain.observation import CONNECTION
from servitwin.domain.requirement import Requirement
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.state_time import Gap
from servitwin.domain.twin import Dated, Twin
from tests.unit.cases.watch_bench import BELOW, COOLS, SIGNALS, T0, UID, Bench, kind


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, COOLS, BELOW)


def rounds(bench: Bench, first: int, last: int, every: int = 5) -> None:
    for second in range(first, last + 1, every):
        bench.until(second)


def test_a_violation_is_found_when_it_is_certain_and_ends(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    assert bench.until(0) == 2
    bench.hear((10, "heat", 90.0))
    rounds(bench, 5, 70)
    assert bench.found("cools") == [], "a minute has not passed at second 70: the instant itself counts"
    bench.until(75)
    assert bench.found("cools") == [(10.0, None)]
    bench.hear((100, "fan", "ON"))
    rounds(bench, 80, 110)
    assert bench.found("cools") == [(10.0, 40.0)], "at second 40 the fan is on within a minute"
    [standing] = bench.standings()
    assert (standing.active, standing.case.opened) == (False, T0 + 78 * NS)
    assert standing.found is not None and standing.found.explanation is not None
    assert {s.signal for s in standing.found.explanation.samples} == {"heat", "fan"}


def test_late_data_take_a_violation_back_though_it_began_before_the_last_place_kept(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((58, "heat", 90.0))
    rounds(bench, 5, 130)
    assert bench.found("cools") == [(58.0, None)]
    bench.hear((100, "fan", "ON"))  # a place was kept after second 60, and the violation began before it
    bench.until(135)
    assert bench.found("cools") == []
    [standing] = bench.standings()
    assert not standing.open
    assert bench.steps() == {"Found": 1, "Withdrawn": 1}


def test_late_data_bring_a_violation(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    rounds(bench, 5, 200)
    bench.hear((50, "heat", 120.0), (52, "heat", 30.0))
    bench.until(205)
    assert bench.found("below") == [(50.0, 52.0)]
    assert bench.found("cools") == [(50.0, 52.0)]
    rounds(bench, 210, 300)
    assert bench.steps()["Found"] == 2, "found twice"


def test_a_restart_goes_on_with_an_open_obligation(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((10, "heat", 90.0))
    rounds(bench, 5, 30)
    bench.watch.close()
    bench.start()
    bench.until(300)
    assert bench.found("cools") == [(10.0, None)]
    assert bench.steps() == {"Found": 1}


def test_a_process_that_was_killed_loses_nothing_and_doubles_nothing(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((10, "heat", 120.0))
    rounds(bench, 5, 20)
    bench.start()  # what it kept last is what stood at second 0
    bench.hear((25, "heat", 20.0))
    bench.start()
    rounds(bench, 40, 100)
    assert bench.found("below") == [(10.0, 25.0)]
    assert bench.found("cools") == [(10.0, 25.0)]
    assert bench.steps() == {"Found": 2, "Ended": 2}


def test_what_comes_late_while_the_process_is_away_is_judged(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((58, "heat", 90.0))
    rounds(bench, 5, 200)
    assert bench.found("cools") == [(58.0, None)]
    bench.watch.close()
    bench.hear((100, "fan", "ON"), (150, "heat", 120.0), (151, "heat", 20.0))
    bench.start()
    bench.until(205)
    assert bench.found("cools") == []
    assert bench.found("below") == [(150.0, 151.0)]


def test_a_requirement_that_is_added_is_watched_from_then_on(bench: Bench) -> None:
    bench.hear((-5, "heat", 110.0), (-5, "fan", "ON"))
    bench.until(0)
    rounds(bench, 5, 100)
    mine = Requirement("mine", "Never above 105.", "heat < 105 Cel", "low")
    bench.records.add_requirement(UID, mine, T0, "ann")
    assert bench.until(105) == 3
    [(start, end)] = bench.found("mine")
    assert start == 100.0, "nobody demanded it before"
    assert end is None
    bench.hear((20, "fan", "OFF"))  # late data before it was demanded change nothing of that
    bench.until(110)
    assert bench.found("mine") == [(100.0, None)]
    assert bench.found("below") == [(0.0, None)]


def test_what_is_no_longer_demanded_ends_and_does_not_stay_violated(bench: Bench) -> None:
    mine = Requirement("mine", "Never above 105.", "heat < 105 Cel", "low")
    bench.records.add_requirement(UID, mine, T0, "ann")
    bench.hear((-5, "heat", 110.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.until(20)
    changed = msgspec.structs.replace(mine, formula="heat < 106 Cel")
    bench.records.add_requirement(UID, changed, T0, "ann")
    bench.until(30)
    assert bench.found("mine") == [(0.0, 20.0), (20.0, None)], "a changed requirement is another one"
    bench.records.add_requirement(UID, Requirement("mine", "", ""), T0, "ann")
    bench.watch.close()
    bench.start()  # the process learns of it at its start alone
    bench.until(50)
    assert bench.found("mine") == [(0.0, 20.0), (20.0, 30.0)]
    assert bench.found("below") == [(0.0, None)], "the others go on"


def test_a_requirement_that_is_gone_takes_its_signals_with_it_and_the_others_are_judged_on(bench: Bench) -> None:
    mine = Requirement("mine", "The fan is well.", "fan.alarm is false", "low")
    bench.records.add_requirement(UID, mine, T0, "ann")
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"), (-5, "fan.alarm", False))
    bench.until(0)
    rounds(bench, 5, 20)
    bench.records.add_requirement(UID, Requirement("mine", "", ""), T0, "ann")
    bench.hear((30, "heat", 110.0), (40, "heat", 20.0))
    for second in range(25, 61, 5):
        bench.until(second)
        assert bench.watch.failures == {}
    assert bench.found("below") == [(30.0, 40.0)]
    bench.records.add_requirement(UID, mine, T0, "ann")
    bench.hear((70, "fan.alarm", True))
    rounds(bench, 65, 90)
    assert bench.found("mine") == [(70.0, None)], "what it read is read again"


def test_a_twin_that_changes_its_type(bench: Bench) -> None:
    bench.hear((-5, "heat", 110.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.until(20)
    assert bench.found("below") == [(0.0, None)]
    wider = (*SIGNALS, SignalDefinition("draft", "number", "Pa"))
    draft = Requirement("draws", "There is a draft.", "draft > 5 Pa")
    bench.records.add_machine_type(kind(2, BELOW, draft, signals=wider))
    types = (Dated("oven@1", 0), Dated("oven@2", T0 + 22 * NS))
    bench.save(Twin(UID, "oven-1", "machine", type=types))
    assert bench.until(40) == 2
    bench.until(60)
    below = bench.found("below")
    assert below[0] == (0.0, 20.0)
    assert below[1][1] is None, "the new type demands it as well"
    assert bench.watch.failures == {}


def test_nothing_is_violated_while_the_twin_is_offline(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((10, "heat", 120.0), (20, CONNECTION, "offline"))
    rounds(bench, 15, 60)
    assert bench.found("below") == [(10.0, 20.0)]
    bench.hear((70, CONNECTION, "online"), (80, "heat", 20.0))
    rounds(bench, 65, 100)
    assert bench.found("below") == [(10.0, 20.0), (70.0, 80.0)], "what was known before holds again"


def test_a_gap_that_is_declared_afterwards_takes_a_violation_back(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((110, "heat", 120.0), (115, "heat", 20.0))
    rounds(bench, 5, 150)
    assert bench.found("below") == [(110.0, 115.0)]
    bench.records.declare_gaps(UID, [Gap(T0 + 100 * NS, T0 + 120 * NS, "logger broken")])
    bench.until(155)
    assert bench.found("below") == []
    bench.hear((160, "heat", 120.0))
    rounds(bench, 160, 170)
    assert bench.found("below") == [(160.0, None)]


def test_a_gap_that_is_declared_while_the_process_is_away(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((110, "heat", 120.0), (115, "heat", 20.0))
    rounds(bench, 5, 150)
    bench.watch.close()
    bench.records.declare_gaps(UID, [Gap(T0 + 100 * NS, T0 + 120 * NS, "logger broken")])
    bench.start()
    bench.until(155)
    assert bench.found("below") == []


def test_a_value_that_goes_stale_is_not_known(tmp_path: Path) -> None:
    beats = Requirement("beats", "It beats.", "beat > 1")
    bench = Bench(tmp_path, beats)
    bench.hear((-1, "beat", 0.0))
    bench.until(0)
    rounds(bench, 5, 60)
    assert bench.found("beats") == [(0.0, 9.0)]


def test_the_state_of_the_machine_is_read_across_restarts(tmp_path: Path) -> None:
    warm = Requirement("warm", "It produces warm only.", "state is producing -> heat > 50 Cel")
    bench = Bench(tmp_path, warm)
    bench.hear((-5, "heat", 20.0), (-5, "fan", "OFF"))
    bench.until(0)
    bench.hear((10, "fan", "ON"))
    bench.until(20)
    assert bench.found("warm") == [(10.0, None)]
    bench.watch.close()
    bench.start()
    bench.hear((30, "fan", "OFF"))
    bench.until(40)
    assert bench.found("warm") == [(10.0, 30.0)]


def test_a_finding_that_could_not_be_kept_is_found_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.hear((10, "heat", 120.0), (12, "heat", 20.0))

    def full(*_: object) -> bool:
        raise UnavailableError(Fault("records:full", "The disk is full", "Make room"))

    with monkeypatch.context() as m:
        m.setattr(bench.records, "add_case", full)
        with pytest.raises(UnavailableError):
            bench.until(20)
    bench.until(25)
    assert bench.found("below") == [(10.0, 12.0)]


def test_a_node_that_was_off_for_days_catches_up_in_rounds(bench: Bench) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.watch.close()
    day = 86_400
    bench.hear((day, "heat", 120.0), (day + 1, "heat", 20.0))
    bench.start()
    for _ in range(6):
        bench.until(2 * day)
    assert bench.found("below") == [(float(day), day + 1.0)]


def test_a_clock_that_jumps_back_judges_nothing_twice(bench: Bench) -> None:
    bench.hear((-5, "heat", 120.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.until(60)
    bench.until(-3600)
    bench.until(65)
    assert bench.found("below") == [(0.0, None)]
    assert bench.steps() == {"Found": 1}


def test_what_nobody_foresaw_on_one_machine_ends_no_round_and_loses_no_finding(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"))
    bench.until(0)
    bench.hear((10, "heat", 120.0), (12, "heat", 20.0))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("no such number")

    with monkeypatch.context() as m:
        m.setattr("servitwin.proof.monitor.online.OnlineMonitor.step", broken)
        bench.until(20)
    assert any("no such number" in said for said in bench.watch.failures.values()), "it is told"
    bench.until(25)
    assert bench.watch.failures == {}
    assert bench.found("below") == [(10.0, 12.0)]
