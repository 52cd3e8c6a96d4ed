"""Alarms joined to cases on a real history and real records: restarts, late data, chatter, floods, closed cases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from servitwin.domain.case import AlarmsJoined, CaseStep, Closed
from servitwin.domain.instant import NS
from servitwin.domain.requirement import Requirement
from tests.unit.cases.watch_bench import BELOW, T0, UID, Bench

DRY = Requirement("dry", "The fan runs.", "fan is ON", "high")


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path, BELOW)
    made.hear((-5, "heat", 20.0), (-5, "fan", "ON"), (-5, "trouble", "normal"), (-5, "fan.alarm", False))
    made.until(0)
    return made


def told(bench: Bench) -> list[list[tuple[str, float, float | None, int]]]:
    """Of each case, oldest first, its alarms: signal and code, raised, ended, how often."""
    standings = sorted(bench.standings(), key=lambda s: s.case.opened)
    return [
        [
            (f"{e.signal} {e.code}".strip(), (e.start - T0) / NS, None if e.end is None else (e.end - T0) / NS, e.count)
            for e in s.alarms.entries
        ]
        for s in standings
    ]


def joins(bench: Bench) -> int:
    return bench.steps().get("AlarmsJoined", 0)


def rounds(bench: Bench, first: int, last: int, every: int = 5) -> None:
    for second in range(first, last + 1, every):
        bench.until(second)


def test_an_alarm_is_joined_and_its_end_is_added(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0))
    rounds(bench, 15, 20)
    assert told(bench) == [[]]
    bench.hear((22, "trouble", "fault|E7|||Overheated"))
    bench.until(30)
    assert told(bench) == [[("trouble E7", 22.0, None, 1)]]
    bench.hear((130, "trouble", "normal|E7"), (140, "heat", 20.0))
    rounds(bench, 140, 160)
    assert told(bench) == [[("trouble E7", 22.0, 130.0, 1)]]
    assert joins(bench) == 2
    [standing] = bench.standings()
    [entry] = standing.alarms.entries
    assert (entry.text, entry.severity, entry.component) == ("Overheated", "fault", "")


def test_nothing_is_lost_or_doubled_by_a_process_that_is_killed(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0), (12, "trouble", "fault|E7"), (14, "fan.alarm", True))
    bench.until(20)
    before = told(bench)
    assert before == [[("trouble E7", 12.0, None, 1), ("fan.alarm", 14.0, None, 1)]]
    for second in (25, 30, 35):
        bench.start()
        bench.until(second)
    assert told(bench) == before
    assert joins(bench) == 1
    bench.hear((40, "trouble", "normal|E7"))
    bench.start()
    rounds(bench, 80, 90)
    assert told(bench)[0][0] == ("trouble E7", 12.0, 40.0, 1)


def test_what_comes_late_changes_the_list_long_after(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0), (20, "heat", 20.0), (12, "trouble", "fault|E7"), (15, "trouble", "normal|E7"))
    rounds(bench, 15, 100, 20)
    bench.until(3600)
    assert told(bench) == [[("trouble E7", 12.0, 15.0, 1)]]
    bench.hear((5, "trouble", "warning|W1"), (6, "trouble", "normal|W1"), (13, "trouble", "normal|E7"))
    bench.until(3610)
    assert told(bench) == [[("trouble W1", 5.0, 6.0, 1), ("trouble E7", 12.0, 13.0, 1)]]
    steps = joins(bench)
    for second in (3620, 4000, 90_000):
        bench.until(second)
    assert joins(bench) == steps


def test_a_violation_that_is_taken_back_gives_its_alarm_to_the_other_case(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BELOW, DRY)
    bench.hear((-5, "heat", 20.0), (-5, "fan", "ON"), (-5, "trouble", "normal"))
    bench.until(0)
    bench.hear((10, "heat", 120.0), (10, "fan", "OFF"), (12, "trouble", "fault|E7"))
    rounds(bench, 15, 25)
    owned = {s.case.requirement: len(s.alarms.entries) for s in bench.standings()}
    assert owned == {"dry": 1, "below": 0}, "both are violated at once: the more severe has it"
    bench.hear((10, "fan", "ON"))
    rounds(bench, 30, 40)
    owned = {s.case.requirement: len(s.alarms.entries) for s in bench.standings()}
    assert owned == {"dry": 0, "below": 1}


def test_chatter_is_one_entry_and_a_flood_one_mark(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0))
    bench.until(15)
    for n in range(40):
        bench.hear((20 + 2 * n, "trouble", "fault|E7"), (21 + 2 * n, "trouble", "normal|E7"))
        bench.until(24 + 2 * n)
    bench.until(300)
    assert told(bench) == [[("trouble E7", 20.0, 99.0, 40)]]
    [standing] = bench.standings()
    assert [f.count for f in standing.alarms.floods] == [40]
    assert joins(bench) <= 9
    assert len(bench.standings()) == 1


def test_a_closed_case_takes_no_more_and_keeps_what_it_has(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0), (12, "trouble", "fault|E7"))
    bench.until(20)
    [standing] = bench.standings()
    number = len(standing.steps) + 1
    closed = CaseStep(standing.case.id, number, T0 + 25 * NS, "ann", Closed("a mistake"))
    assert bench.records.add_case_step(closed)
    bench.hear((30, "trouble", "fault|E8"))
    rounds(bench, 35, 60)
    assert told(bench) == [[("trouble E7", 12.0, None, 1)]]


def test_alarms_far_from_any_violation_make_no_case(bench: Bench) -> None:
    bench.hear((10, "trouble", "fault|E7"), (20, "trouble", "normal"))
    rounds(bench, 15, 30)
    assert bench.standings() == []


def test_a_requirement_that_becomes_one_of_safety_is_not_shelved_with_the_old_case(bench: Bench) -> None:
    mine = Requirement("mine", "Cool.", "heat < 50 Cel", "low")
    bench.records.add_requirement(UID, mine, T0, "ann")
    bench.until(5)
    bench.hear((10, "heat", 60.0))
    bench.until(20)
    bench.records.add_requirement(UID, Requirement("mine", "Cool.", "heat < 50 Cel", "safety"), T0 + 22 * NS, "ann")
    rounds(bench, 25, 35)
    severities = {s.case.severity: s.active for s in bench.standings() if s.case.requirement == "mine"}
    assert severities == {"low": False, "safety": True}


def test_the_steps_alone_say_which_alarms_a_case_has(bench: Bench) -> None:
    bench.hear((10, "heat", 120.0), (12, "trouble", "fault|E7"))
    bench.until(20)
    [standing] = bench.standings()
    [step] = [s for s in standing.steps if isinstance(s.body, AlarmsJoined)]
    assert step.by == "monitor"
    assert [e.code for e in step.body.change.entries] == ["E7"]


def test_what_nobody_foresaw_on_one_case_keeps_no_other_waiting(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.records.add_requirement(UID, DRY, T0, "ann")
    bench.until(5)
    bench.hear((10, "heat", 120.0), (10, "fan", "OFF"), (12, "trouble", "fault|E7"))
    real = bench.alarms._one

    def broken(held: Any, *more: Any) -> int:
        if held.standing.case.requirement == "below":
            raise ZeroDivisionError("no such number")
        return real(held, *more)

    with monkeypatch.context() as m:
        m.setattr(bench.alarms, "_one", broken)
        bench.until(20)
    assert list(bench.alarms.failures.values()) == ["no such number"]
    assert sum(map(len, told(bench))) == 1
    bench.until(90)
    assert bench.alarms.failures == {}
