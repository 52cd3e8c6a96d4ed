"""The real batch: every part traced to machine, program, tools, times and measured features; a cut file is told."""

from __future__ import annotations

import gzip
import shutil
from collections import Counter
from pathlib import Path

import pytest

from servitwin.connectors import recorded
from servitwin.connectors.recorded import open_recording
from servitwin.connectors.recorded.qif import read_results
from servitwin.domain.genealogy import links_of, object_of, reach
from servitwin.domain.trace_event import check_events
from servitwin.sdk.recording import TracedRecording

FIXTURES = Path(recorded.__file__).parent / "fixtures" / "batch"
BATCH = Path(__file__).resolve().parents[4] / "shared" / "data" / "nist_mtc_batch"
real = pytest.mark.skipif(not BATCH.is_dir(), reason="the recorded batch nist_mtc_batch is not here")


@pytest.fixture(scope="module")
def batch():
    if not BATCH.is_dir():
        pytest.skip("the recorded batch nist_mtc_batch is not here")
    return open_recording("nist-batch", BATCH)


def test_every_part_of_the_batch_has_its_life(batch):
    assert isinstance(batch, TracedRecording)
    events = batch.traces()
    assert check_events(events) == [] and not batch.faults
    kinds = Counter(e.kind for e in events)
    assert kinds["made"] == len({e.parts for e in events if e.kind != "measured"})
    boxes = {p for e in events if e.product == "Box" for p in e.parts}
    assert len(boxes) >= 14
    one = [e for e in events if e.parts == ("urn:servitwin:obj:nist-mtc-box-02",)]
    assert {e.place for e in one if e.kind != "measured"} <= {"hurco02", "hurco04"}
    assert next(e.step for e in one if e.kind != "measured") == "OP1" and all(e.start is not None for e in one[:1])
    measured = next(e for e in one if e.kind == "measured")
    assert measured.verdict == "pass" and len(measured.measures) == 47
    first = measured.measures[0]
    assert object_of(one[0].parts[0], one).verdict == "pass" and first.unit == "mm"


def test_counts_and_limits_of_the_result_files(batch):
    file = read_results(next(BATCH.glob("BoxResults*")))
    assert file.fault is None and len(file.parts) == 19
    verdicts = Counter(m.verdict for p in file.parts for m in p.measures)
    assert verdicts == {"pass": 892, "fail": 1}
    diameter = next(m for m in file.parts[0].measures if m.name == "DIAMETER1")
    assert (diameter.value, diameter.nominal, diameter.lower, diameter.upper) == (3.308, 3.3, 3.1, 3.5)
    position = next(m for m in file.parts[0].measures if m.name == "POSITION3")
    assert (position.lower, position.upper) == (0.0, 0.25)


def test_a_tool_recalls_the_parts_that_it_cut(batch):
    events = batch.traces()
    links = {k for e in events for k in links_of(e)}
    tool = next(iter(sorted({u.id for e in events for u in e.inputs})))
    found = reach([tool], lambda ids: [k for k in links if k.source in ids], "down")
    assert set(found.depth) - {tool} == {p for e in events if tool in {u.id for u in e.inputs} for p in e.parts}


@pytest.mark.parametrize("packed", [False, True])
def test_a_result_file_cut_in_half_is_told_and_what_is_whole_is_read(tmp_path, batch, packed):
    shutil.copytree(BATCH, tmp_path / "cut")
    whole = next((tmp_path / "cut").glob("BoxResults*"))
    content = whole.read_bytes() if packed else gzip.decompress(whole.read_bytes())
    whole.unlink()
    half = whole if packed else whole.with_suffix("")
    half.write_bytes(content[: len(content) // 2])
    cut = open_recording("nist-batch", tmp_path / "cut")
    [fault] = cut.faults
    assert fault.code == "qif:cut-off" and "stand whole before that, 0 of them with a serial number" in fault.message
    broken = [line for id in cut.ids for line in cut.lines(id) if not line.signal]
    assert len(broken) == 1 and "It begins: <?xml" in broken[0].value  # to quarantine
    measured = [e for e in cut.traces() if e.kind == "measured"]
    assert {e.product for e in measured} == {"Cover"}  # the file that is whole still counts


def test_what_is_no_xml_is_told(tmp_path):
    shutil.copytree(FIXTURES, tmp_path / "bad")
    (tmp_path / "bad" / "LidResults_2_samples.QIF").write_text("nothing of the kind")
    found = open_recording("nist-batch", tmp_path / "bad")
    assert [f.code for f in found.faults] == ["qif:not-xml"] and found.traces()
