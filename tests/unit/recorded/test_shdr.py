"""Reader of adapter output."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording
from servitwin.domain.error import InvalidInputError

FIXTURES = Path(recorded.__file__).parent / "fixtures"


@pytest.fixture(scope="module")
def recording():
    return open_recording("shdr", FIXTURES / "shdr")


def test_lines_hold_pairs_and_conditions_and_assets_are_left_out(recording):
    found = [(line.signal, line.value, line.source) for line in recording.lines("lathe01")]
    file = "Lathe01.shdr.txt"
    assert found == [
        ("execution", "READY", f"{file}:2"),
        ("Fovr", "100", f"{file}:2"),
        ("avail", "AVAILABLE", f"{file}:2"),
        ("controller.cond", "Warning|433|||SAME PROGRAM EXISTS", f"{file}:3"),
        ("spare", "Fault|7||HIGH|TOO HOT", f"{file}:4"),
        ("extra", "1.5", f"{file}:9"),
        ("execution", "ACTIVE", f"{file}:9"),
        ("", "2020-03-02T08:00:05Z|execution", f"{file}:10"),
        ("execution", "UNAVAILABLE", f"{file}:11"),
        ("extra", "UNAVAILABLE", f"{file}:11"),
    ]
    assert any("5 lines of assets" in note for note in recording.twin("lathe01").notes)


def test_items_that_the_model_does_not_know_are_derived_from_what_they_said(recording):
    signals = {s.name: s.type for s in recording.twin("lathe01").type.signals}
    assert (signals["spare"], signals["extra"], signals["execution"]) == ("condition", "number", "text")


def test_day_files_of_a_machine_are_one_recording(tmp_path):
    for day in ("20200302-20200303", "20200303-20200304"):
        shutil.copy(FIXTURES / "shdr/Lathe01.shdr.txt", tmp_path / f"Lathe01-{day}.txt")
    assert open_recording("shdr", tmp_path).ids == ["lathe01"]
    assert len(list(open_recording("shdr", tmp_path).lines("lathe01"))) == 20
    with pytest.raises(InvalidInputError) as e:
        open_recording("shdr", FIXTURES)
    assert e.value.fault.code == "recording:empty"


def test_a_line_without_a_time_has_no_time_wherever_it_stands(tmp_path):
    lines = ("|execution|READY", "2020-03-02T08:00:00Z|execution|ACTIVE", "|execution|STOPPED")
    (tmp_path / "lathe01.shdr.txt").write_text("\n".join(lines))
    times = [line.time for line in open_recording("shdr", tmp_path).lines("lathe01")]
    assert times == ["", 1_583_136_000 * 10**9, ""]
