"""Reader of the test bed's layout, on a small recording of its own with every oddity seen in the real one."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_instant
from servitwin.domain.state_time import Gap, State
from servitwin.sdk.recording import play

FIXTURES = Path(recorded.__file__).parent / "fixtures"

HEADER = "timestamp,dataitem,type,value\n"


@pytest.fixture(scope="module")
def recording():
    return open_recording("nist-sms", FIXTURES / "sms")


def all_of(recording):
    return [recording.twin(id) for id in recording.ids]


def payloads(recording, twins=("lathe01", "press02")):
    return list(play(recording, twins, {t.id: {s.name: s.type for s in t.type.signals} for t in all_of(recording)}))


def test_twins_take_the_machines_name_and_the_models_description(recording):
    lathe, press = all_of(recording)
    assert (lathe.id, lathe.title, lathe.serial) == ("lathe01", "Acme Lathe 5", "77")
    assert (press.id, press.type.registered_from, press.commissioned is not None) == ("press02", "data", True)


def test_type_comes_from_the_model_and_from_the_data_what_the_model_does_not_know(recording):
    lathe, press = (t.type for t in all_of(recording))
    signals = {s.name: (s.type, s.unit, s.semantic, s.component) for s in lathe.signals}
    assert signals["Xpos"] == ("number", "mm", "mtconnect:POSITION", "base.X")
    assert signals["Fovr"] == ("number", "%", "mtconnect:PATH_FEEDRATE_OVERRIDE", "controller")
    assert signals["controller.cond"] == ("condition", "", "mtconnect:SYSTEM", "controller")
    assert signals["door_state"] == ("text", "", "mtconnect:DOOR_STATE", "")
    assert [c.path for c in lathe.components] == ["base", "base.X", "controller"]
    assert lathe.registered_from == "Devices.xml and data"
    assert {s.name: s.type for s in press.signals} == {"run": "text", "sys": "condition", "parts": "number"}


def test_what_was_decided_is_said(recording):
    said = "\n".join(n for t in all_of(recording) for n in t.notes)
    assert "data item Lathe01-d1 is signal avail by its id" in said
    assert "two data items are named cond; the one with id c2 is signal controller.cond" in said
    assert "'door state' becomes signal door_state" in said
    assert "Press02 is not in Devices.xml" in said


def test_state_mapping_follows_execution(recording):
    mapping = all_of(recording)[0].type.states
    assert (mapping.word, mapping.needs) == ("execution", ("execution",))
    states = {word: rule.state for rule in reversed(mapping.rules) for word in rule.when[0].equals}
    assert states["ACTIVE"] is State.PRODUCING
    assert states["FEED_HOLD"] is states["INTERRUPTED"] is State.FAILED
    assert states["READY"] is states["STOPPED"] is states["PROGRAM_STOPPED"] is State.STANDBY
    assert [r.cause for r in mapping.rules if r.state is State.FAILED] == ["fault:controller.cond", ""]
    assert {r.party for r in mapping.rules} == {""}, "an execution state says nothing about who is responsible"


def test_missing_days_are_gaps_from_midnight_eastern_standard_time(recording):
    reason = ("day file missing", "missing_days.txt")
    assert all_of(recording)[0].gaps == (
        Gap(parse_instant("2020-03-04T05:00:00Z"), parse_instant("2020-03-06T05:00:00Z"), *reason),
        Gap(parse_instant("2020-03-09T05:00:00Z"), parse_instant("2020-03-10T05:00:00Z"), *reason),
    )


def test_commissioning_comes_from_the_model_or_from_a_hole_of_years(recording, tmp_path):
    assert all_of(recording)[0].commissioned == parse_instant("2020-01-01T00:00:00Z")
    shutil.copytree(FIXTURES / "sms/events", tmp_path / "events")
    lathe, press = all_of(open_recording("nist-sms", tmp_path))
    assert lathe.commissioned == parse_instant("2020-03-02T00:00:00Z")
    assert "more than a year before" in lathe.commissioned_from
    assert press.commissioned is None


def test_a_clock_that_was_wrong_twice_was_right_after_the_last_hole(tmp_path):
    (tmp_path / "events").mkdir()
    late = [f"2019-05-{day:02d}T{hour:02d}:00:00Z,run,EXECUTION,ACTIVE" for day in range(1, 28) for hour in range(12)]
    early = ["1970-01-01T00:00:00Z,run,EXECUTION,READY", "2002-01-01T00:00:00Z,run,EXECUTION,READY"]
    (tmp_path / "events/a.csv").write_text(HEADER + "\n".join([*early, *late]))
    assert open_recording("nist-sms", tmp_path).twin("a").commissioned == parse_instant("2019-05-01T00:00:00Z")


def test_a_model_saved_after_the_recording_does_not_make_all_of_it_impossible(tmp_path):
    shutil.copytree(FIXTURES / "sms", tmp_path / "r")
    model = tmp_path / "r/Devices.xml"
    model.write_text(model.read_text().replace("2020-01-01T", "2024-01-01T"))
    assert all_of(open_recording("nist-sms", tmp_path / "r"))[1].commissioned is None


def test_payloads_are_what_the_machine_would_have_sent(recording):
    found = [json.loads(m.payload) for m in payloads(recording, ("lathe01",))]
    eight = parse_instant("2020-03-02T08:00:00Z")
    assert found[1]["values"] == {"Fovr": 100.5, "execution": "READY", "avail": "AVAILABLE"}
    assert (found[1]["time"], found[1]["source"]) == (eight, "events/Lathe01.csv:3")
    assert found[2]["time"] == eight + 3600 * 10**9 + 1
    assert [m["values"] for m in found[3:5]] == [
        {"controller.cond": "Warning|433|||SAME PROGRAM EXISTS"},
        {"controller.cond": "Warning|434|||ANOTHER"},
    ]
    assert found[5]["values"] == {"Fovr": "fast"}, "no number: ingest says so"
    assert found[6]["line"] == "this line is broken"
    assert found[6]["source"] == "events/Lathe01.csv:10"
    assert found[7]["time"] == "2020-13-02T10:00:00Z"
    assert found[10]["values"] == {"controller.cond": None, "execution": None}
    assert [m["seq"] for m in found] == list(range(len(found)))


def test_every_line_becomes_one_value(recording):
    lines = sum(len(p.read_text().splitlines()) - 1 for p in (FIXTURES / "sms/events").iterdir())
    assert sum(m.values for m in payloads(recording)) == lines


def test_sessions_and_numbers_do_not_depend_on_who_else_is_replayed_or_on_packing(recording, tmp_path):
    alone = [m.payload for m in payloads(recording, ("lathe01",))]
    together = [m.payload for m in payloads(recording) if m.twin == "lathe01"]
    assert alone == together
    shutil.copytree(FIXTURES / "sms", tmp_path / "r")
    file = tmp_path / "r/events/Lathe01.csv"
    (tmp_path / "r/events/Lathe01.csv.gz").write_bytes(gzip.compress(file.read_bytes()))
    file.unlink()
    assert all_of(open_recording("nist-sms", tmp_path / "r"))[0].session == all_of(recording)[0].session


def test_machines_are_merged_by_time(recording):
    times = [m.due for m in payloads(recording)]
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "recording:empty"),
        ({"events/a.csv": "time,value\n"}, "recording:other-columns"),
        ({"events/a.csv": ""}, "recording:empty-file"),
        ({"events/ä.csv": HEADER}, "recording:name"),
        ({"events/a.csv": HEADER, "events/A.csv": HEADER}, "recording:name-twice"),
        ({"events/a.csv.gz": HEADER}, "recording:unreadable"),
        ({"events/a.csv": HEADER, "missing_days.txt": "x\n"}, "recording:missing-days"),
        ({"events/a.csv": HEADER, "Devices.xml": "<a>"}, "devices:not-xml"),
    ],
)
def test_folders_that_cannot_be_read_say_why(tmp_path, files, code):
    (tmp_path / "events").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInputError) as e:
        all_of(open_recording("nist-sms", tmp_path))
    assert e.value.fault.code == code
    assert e.value.fault.hint
