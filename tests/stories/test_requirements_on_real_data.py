"""Requirement sets on real recordings: the same data give the same verdicts, and what they find is really there.

``real_verdicts.json`` has for each machine and requirement: triggered, kept, unclear, violations, seconds violated, and
the share of time that data did not decide. docs/guides/requirements-on-real-data.md says what the numbers mean.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from servitwin.connectors.recorded import open_recording
from servitwin.domain.instant import MINUTE, format_instant, parse_instant
from servitwin.usecases.check_files import FileText
from servitwin.usecases.judge_recording import Judged, JudgeRecording, RecordedMachine
from tests.conftest import ROOT, shared_data

pytestmark = pytest.mark.timeout(600)
SETS = ROOT / "examples" / "requirements"
KNOWN: dict[str, dict[str, list[float | None]]] = json.loads(
    (Path(__file__).parent / "real_verdicts.json").read_text("utf-8")
)
NIST = ("nist-sms", "nist_sms_mtconnect")
LEARNT_S = 400  # the author of the pump's set has seen so much of each recording, as the benchmark itself allows


@cache
def judged(kind: str, folder: Path, files: tuple[str, ...], named: tuple[str, ...] = ()) -> dict[str, list[Judged]]:
    return {m.twin.id: rows for m, rows in job(kind, folder, files).judge(named)}


def job(kind: str, folder: Path, files: Sequence[str]) -> JudgeRecording:
    texts = [FileText(f, (SETS / f"{f}.yaml").read_text("utf-8")) for f in files]
    return JudgeRecording(open_recording(kind, folder), texts)


def numbers(j: Judged) -> list[float | None]:
    return [j.triggered, j.kept, j.unclear, len(j.violations), round(j.false_s, 1), round(j.inconclusive, 3)]


@pytest.mark.parametrize(
    ("kind", "data", "file", "named"),
    [
        (*NIST, "nist-mazak-integrex", "mazak01"),
        (*NIST, "nist-mazak-qtn", "mazak03"),
        (*NIST, "nist-agie-hpm600u", "gfagie01"),
        (*NIST, "nist-hurco-vmx24", "hurco01"),
        (*NIST, "nist-hurco-vmx24", "hurco02"),
        (*NIST, "nist-hurco-vmx24", "hurco03"),
        (*NIST, "nist-hurco-vmx24", "hurco04"),
        (*NIST, "nist-hurco-vmx24", "hurco06"),
        ("shdr", "mtconnect_okuma", "okuma-mult-u3000", "okuma"),
    ],
)
def test_the_same_data_give_the_same_verdicts(kind: str, data: str, file: str, named: str) -> None:
    found = judged(kind, shared_data(data), (file,), (named,))
    assert {j.requirement: numbers(j) for j in found[named]} == KNOWN[named]


def test_a_set_finds_the_machines_of_its_type_by_itself() -> None:
    assert [t.id for t in job(*with_data(NIST), ("nist-hurco-vmx24",)).machines()] == [
        f"hurco0{n}" for n in (1, 2, 3, 4)
    ]


def with_data(named: tuple[str, str]) -> tuple[str, Path]:
    return named[0], shared_data(named[1])


def execution_lines(machine: str) -> list[tuple[int, str]]:
    """When the control said which execution state, as the file has it: the last line of an instant holds."""
    said: dict[int, str] = {}
    with gzip.open(shared_data(NIST[1]) / "events" / f"{machine}.csv.gz", "rt", encoding="utf-8") as stream:
        for time, item, _, value in csv.reader(stream):
            if item == "execution":
                said[parse_instant(time)] = value
    return sorted(said.items())


def test_every_feed_hold_that_did_not_return_is_found_and_nothing_else() -> None:
    """Counted a second time without formulas: stretches of FEED_HOLD that last longer than five minutes.

    One that ends in UNAVAILABLE within the five minutes is not known to have lasted.
    """
    kind, folder = with_data(NIST)
    [rows] = judged(kind, folder, ("nist-mazak-integrex",), ("mazak01",)).values()
    holds = next(j for j in rows if j.requirement == "returns-from-feed-hold")
    lines = [*execution_lines("Mazak01"), (2**62, "UNAVAILABLE")]
    expected, times, begun = [], 0, None
    for (time, word), (_, before) in zip(lines[1:], lines, strict=False):
        if word == "FEED_HOLD" and before != "FEED_HOLD":
            times, begun = times + 1, time
        elif word != "FEED_HOLD" and begun is not None:
            if time - begun > 5 * MINUTE:
                expected.append((begun, time - 5 * MINUTE))
            begun = None
    assert len(expected) == 11
    assert holds.violations == tuple(expected)
    assert times == 2230
    # Two of them follow another with nothing known between: for all that is certain they are one.
    assert holds.triggered == times - 2
    assert holds.explanation is not None
    [sample] = holds.explanation.samples
    assert (sample.signal, format_instant(sample.time), sample.value) == (
        "execution",
        "2016-10-07T12:11:30.871Z",
        "FEED_HOLD",
    )
    assert holds.explanation.at == sample.time


def test_a_spindle_fault_that_did_not_stop_the_program_is_explained_by_both_signals() -> None:
    kind, folder = with_data(NIST)
    [rows] = judged(kind, folder, ("nist-mazak-integrex",), ("mazak01",)).values()
    servo = next(j for j in rows if j.requirement == "servo-fault-stops")
    assert servo.explanation is not None
    assert [(s.signal, format_instant(s.time), s.value) for s in servo.explanation.samples] == [
        ("servo_cond", "2017-05-08T11:01:47.969Z", "fault|43"),
        ("execution", "2017-05-08T11:01:38.555Z", "ACTIVE"),
    ]
    begin, end = servo.violations[0]
    assert format_instant(begin) == "2017-05-08T11:01:47.969Z"
    assert format_instant(end) == "2017-05-08T11:02:01.301Z", "two seconds before it was READY"


def test_what_no_sensor_told_is_never_called_kept() -> None:
    """The event files have no spindle speed: a requirement on it is inconclusive each time it is put to the test."""
    kind, folder = with_data(NIST)
    [rows] = judged(kind, folder, ("nist-mazak-integrex",), ("mazak01",)).values()
    spindle = next(j for j in rows if j.requirement == "spindle-stops-when-emergency-stop")
    assert (spindle.triggered, spindle.kept, spindle.unclear) == (47, 0, 47)
    assert min(j.inconclusive for j in rows) > 0.88


def pump() -> list[tuple[RecordedMachine, list[Judged]]]:
    return list(job("skab", shared_data("skab"), ("skab-pump",)).judge())


def test_the_pumps_set_on_labels_that_were_not_used_to_write_it() -> None:
    recording = open_recording("skab", shared_data("skab"))
    total, by_file = np.zeros(4, int), {}
    for machine, rows in pump():
        labels = {
            int(line.time): line.value == "true"
            for line in recording.lines(machine.twin.id)
            if line.signal == "anomaly"
        }
        if not labels:
            assert machine.twin.id == "anomaly-free"
            assert sum(len(j.violations) for j in rows) == 0
            continue
        times = np.array(sorted(labels))
        anomalous = np.array([labels[int(t)] for t in times])
        told = np.zeros(len(times), bool)
        for j in rows:
            for begin, end in j.violations:
                told |= (times >= begin) & (times < end)
        unseen = np.arange(len(times)) >= LEARNT_S
        assert not told[~unseen].any(), "what its author looked at has no violation"
        cells = [told & anomalous, ~told & anomalous, told & ~anomalous, ~told & ~anomalous]
        count = np.array([(c & unseen).sum() for c in cells])
        total += count
        by_file[machine.twin.id] = count.tolist()
    assert by_file == {
        "other-10": [586, 0, 171, 170],
        "other-12": [300, 9, 80, 259],
        "other-14": [302, 0, 32, 171],
        "other-2": [0, 88, 0, 292],
        "other-4": [339, 56, 0, 396],
        "other-6": [387, 15, 34, 311],
        "other-8": [19, 384, 64, 280],
        "valve1-0": [0, 401, 0, 346],
        "valve1-10": [296, 105, 0, 345],
        "valve1-12": [387, 12, 49, 292],
        "valve1-14": [328, 71, 0, 340],
        "valve1-2": [0, 337, 0, 338],
        "valve1-4": [0, 349, 0, 346],
        "valve1-6": [0, 405, 0, 349],
        "valve1-8": [0, 400, 0, 344],
        "valve2-0": [0, 394, 0, 331],
        "valve2-2": [0, 395, 0, 334],
    }
    found, missed, false, right = total.tolist()
    assert round(found / (found + missed), 3) == 0.463
    assert round(false / (false + right), 3) == 0.076


def test_tools_that_were_worn() -> None:
    """What the set says of sharp and of worn tools; ``train.csv`` of the authors says which they were."""
    folder = shared_data("cnc_mill_wear")
    with (folder / "train.csv").open(encoding="utf-8") as stream:
        worn = {f"run-{r['No'].zfill(2)}": r["tool_condition"] == "worn" for r in csv.DictReader(stream)}
    found = judged("cnc-mill-wear", folder, ("cnc-mill-wear",))
    for machine, rows in found.items():
        assert {j.requirement: numbers(j) for j in rows} == KNOWN[machine], machine
    violated = {m: sorted(j.requirement for j in rows if j.violations) for m, rows in found.items()}
    current = "spindle.current-of-a-sharp-tool"
    assert {m: v for m, v in violated.items() if v} == {
        "run-07": ["axes.feed-drive-not-overloaded", current],
        "run-13": [current],
        "run-14": [current],
    }
    assert sum(worn[m] for m in found) == 6
    assert all(worn[m] for m, v in violated.items() if v), "a sharp tool was called worn"
