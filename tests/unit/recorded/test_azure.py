"""Reader of the predictive maintenance fleet, on a small one of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording
from servitwin.domain.error import InvalidInputError
from servitwin.domain.instant import parse_instant
from tests.conftest import shared_data

FIXTURE = Path(recorded.__file__).parent / "fixtures" / "azure"


def values(recording, signal, twin="azure-001"):
    return [(line.time, line.value) for line in recording.lines(twin) if line.signal == signal]


def test_a_failure_is_down_time_by_a_stated_assumption_and_its_component_is_the_cause():
    recording = open_recording("azure-pdm", FIXTURE)
    at = parse_instant
    assert values(recording, "operation") == [
        (at("2015-01-01T00:00:00Z"), "WORKING"),
        (at("2015-01-05T06:00:00Z"), "DOWN"),
        (at("2015-01-05T09:00:00Z"), "DOWN"),  # it failed again before it was mended
        (at("2015-01-05T17:00:00Z"), "WORKING"),
        (at("2015-01-09T06:00:00Z"), "SERVICE"),
        (at("2015-01-09T08:00:00Z"), "WORKING"),
    ]
    assert [v for _, v in values(recording, "down_for")] == ["comp4", "comp2"]
    assert "assumed, not measured: 8 h down after a failure, 2 h for a service" in recording.notes
    title = next(s.title for s in recording.twin("azure-001").type.signals if s.name == "operation")
    assert title.startswith("Assumed")


def test_lines_of_no_machine_are_kept_for_quarantine():
    lines = list(open_recording("azure-pdm", FIXTURE).lines("azure-001"))
    assert [line.value for line in lines if not line.signal] == ["2015-01-03 07:00:00,77,error1", "not a line"]


@pytest.mark.parametrize(
    ("file", "text", "code"),
    [
        ("PdM_failures.csv", None, "recording:empty"),
        ("PdM_failures.csv", "", "recording:empty-file"),
        ("PdM_failures.csv", "datetime,machine,failure\n", "recording:other-columns"),
        ("PdM_machines.csv", "machineID,model,age\none,model1,3\n", "recording:machine"),
        ("PdM_telemetry_daily_mean.csv", "machine,day,volt\n", "recording:other-columns"),
    ],
)
def test_odd_folders_are_told(tmp_path, file, text, code):
    for source in FIXTURE.iterdir():
        (tmp_path / source.name).write_text(source.read_text())
    if text is None:
        (tmp_path / file).unlink()
    else:
        (tmp_path / file).write_text(text)
    with pytest.raises(InvalidInputError, match=code):
        open_recording("azure-pdm", tmp_path)


def test_the_real_fleet():
    """Counts of the data set as its description states them, less what is kept back."""
    recording = open_recording("azure-pdm", shared_data("azure_pdm"))
    assert len(recording.ids) == 80
    lines = [line for id in recording.ids for line in recording.lines(id)]
    counts = {s: sum(line.signal == s for line in lines) for s in ("failure", "maintenance", "error")}
    assert counts == {"failure": 583, "maintenance": 2635, "error": 3107}
