"""Recordings as wide tables: one twin a run, one line a cell, and files that are none are refused."""

import gzip
from pathlib import Path

import pytest

from servitwin.connectors.recorded import open_recording
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_instant

PUMP = "datetime;Accelerometer1RMS;Volume Flow RateRMS;anomaly\n"
MILL = "X1_ActualPosition,Machining_Process\n"


def pump(folder: Path, *rows: str, head: str = PUMP) -> Path:
    (folder / "valve1").mkdir()
    with gzip.open(folder / "valve1" / "6.csv.gz", "wt", encoding="utf-8") as stream:
        stream.write(head + "".join(f"{r}\n" for r in rows))
    return folder


def test_rows_of_the_pump_become_values(tmp_path: Path) -> None:
    recording = open_recording(
        "skab", pump(tmp_path, "2020-02-08 17:47:44;0.25;127.5;0.0", "2020-02-08 17:47:45;x;1;1.0")
    )
    assert recording.ids == ["valve1-6"]
    first = parse_instant("2020-02-08T17:47:44Z")
    assert [(x.time, x.signal, x.value, x.source) for x in recording.lines("valve1-6")] == [
        (first, "Accelerometer1RMS", "0.25", "6.csv.gz:2"),
        (first, "Volume_Flow_RateRMS", "127.5", "6.csv.gz:2"),
        (first, "anomaly", "false", "6.csv.gz:2"),
        (first + 10**9, "Accelerometer1RMS", "x", "6.csv.gz:3"),
        (first + 10**9, "Volume_Flow_RateRMS", "1", "6.csv.gz:3"),
        (first + 10**9, "anomaly", "true", "6.csv.gz:3"),
    ]
    twin = recording.twin("valve1-6")
    assert twin.type.reference == "skab-pump@1"
    assert {s.name: s.unit for s in twin.type.signals}["Volume_Flow_RateRMS"] == "L/min"


def test_rows_of_another_length_and_no_times_travel_as_found(tmp_path: Path) -> None:
    recording = open_recording("skab", pump(tmp_path, "2020-02-08 17:47:44;0.25", "yesterday;1;2;0.0"))
    raw, *rest = recording.lines("valve1-6")
    assert (raw.signal, raw.value) == ("", "2020-02-08 17:47:44;0.25")
    assert {x.time for x in rest} == {"yesterday"}


@pytest.mark.parametrize("head", ["", "datetime;Rust\n"])
def test_files_with_other_columns_are_refused(tmp_path: Path, head: str) -> None:
    with pytest.raises(InvalidInputError) as e:
        open_recording("skab", pump(tmp_path, head=head)).twin("valve1-6")
    assert e.value.fault.code == "recording:other-columns"


def test_a_folder_without_runs_is_refused(tmp_path: Path) -> None:
    for kind in ("skab", "cnc-mill-wear"):
        with pytest.raises(InvalidInputError) as e:
            open_recording(kind, tmp_path)
        assert e.value.fault.code == "recording:empty"


def test_runs_of_the_mill_have_ten_rows_a_second_from_an_assumed_begin(tmp_path: Path) -> None:
    (tmp_path / "experiment_7.csv").write_text(f"{MILL}1.5,Prep\n1.6,Layer 1 Up\n", encoding="utf-8")
    (tmp_path / "train.csv").write_text(
        "No,material,feedrate,clamp_pressure,tool_condition\n7,wax,20,4,worn\n", "utf-8"
    )
    recording = open_recording("cnc-mill-wear", tmp_path)
    begin = parse_instant("2018-01-01T00:00:00Z")
    assert [(x.time, x.value) for x in recording.lines("run-07")] == [
        (begin, "1.5"),
        (begin, "Prep"),
        (begin + 10**8, "1.6"),
        (begin + 10**8, "Layer 1 Up"),
    ]
    assert recording.twin("run-07").title == "Run 7: wax, feed 20, clamp 4 bar, tool worn"
    assert "assumed" in recording.notes[0]
