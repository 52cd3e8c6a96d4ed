"""Long pasts are caught up with in pieces, parameters name signals in lists, and crossings are events."""

import json

from servitwin.domain.instant import DAY, HOUR, MINUTE
from servitwin.domain.machine_type import MachineType
from servitwin.domain.signal import SignalDefinition
from servitwin.domain.twin import Dated, Twin
from servitwin.engines.records import SqlRecords, migrate
from servitwin.sdk.manifest import Manifest
from servitwin.sdk.service import Outcome
from servitwin.usecases.assign_service import Assignment
from servitwin.usecases.registry import Registry
from servitwin.usecases.service_round import Work
from servitwin.usecases.service_view import signals_read
from servitwin.usecases.tell_crossings import tell_crossings

TWIN = Twin("019a0b5e-7c00-7000-8000-000000000002", "mill-1", "machine", type=(Dated("mill@1", 0),))
NOW = 1_700_000_000 * 10**9


def manifest(**more) -> Manifest:
    return Manifest("s", "1", "evaluator", "s", cadence="1m", lateness="0s", **more)


def records(folder) -> SqlRecords:
    url = f"sqlite:///{folder / 'records.db'}"
    migrate(url)
    found = SqlRecords(url)
    found.add_machine_type(MachineType("mill", 1, signals=tuple(SignalDefinition(n, unit="1") for n in "abcd")))
    found.save_twin(TWIN)
    return found


def test_steps_are_no_longer_than_the_stretch_and_reach_the_present() -> None:
    a = Assignment("s", TWIN.uid, NOW - DAY)
    work = Work(a, manifest(stretch="12h"), TWIN, (), (), {}, NOW)
    start, steps = NOW - DAY, []
    while start < work.watermark:
        start = work.until(start)
        steps.append(start)
    assert len(steps) in (2, 3) and steps[-1] == work.watermark
    assert steps[0] - (NOW - DAY) <= 12 * HOUR and steps[0] % MINUTE == 0
    assert Work(a, manifest(), TWIN, (), (), {}, NOW).until(0) == work.watermark


def test_parameters_name_signals_in_lists_and_maps(tmp_path) -> None:
    registry = Registry(records(tmp_path))
    wanted = {"signals": ["a", "zz"], "names": {"x": "b"}, "one": "d", "number": 3}
    assert sorted(signals_read(registry, manifest(), TWIN, wanted, NOW)) == ["a", "b", "d"]


def test_a_crossing_is_kept_and_told_once_it_is_news(tmp_path) -> None:
    kept = records(tmp_path)
    fresh = {"remaining_life_crossed": {"time": NOW - MINUTE, "low": 3.0}}
    old = {"remaining_life_crossed": {"time": NOW - DAY, "low": 3.0}}
    said = tell_crossings(kept, TWIN.uid, Outcome(results=[old, fresh, {"remaining_life": {"time": NOW}}]), NOW)
    (event,) = kept.events(0)
    assert (event["kind"], event["subject"], event["data"]["low"]) == ("remaining-life", TWIN.uid, 3.0)
    ((subject, payload),) = said
    assert subject == "happened" and json.loads(payload) == event
