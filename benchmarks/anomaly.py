"""Anomalies without labels: SKAB scored as SKAB does, and the speed of learning and scoring.

Run: ``python benchmarks/anomaly.py``. Each recording is learnt from its first 400 rows, as it prescribes, and
judged from there on with the settings below, the same for all. A row is in alarm if a stretch that deviates covers its
bin. ``at once``: a row carries what was said when its last complete bin was judged, as a person at the machine sees it.
F1, FAR and MAR are pooled over recordings (confusion counts are added), in per cent but for F1.

The limits of a recording come from its first rows and from ``chance``, which machines made by a generator give
(``anomaly_calibration.py``), never from labels. But labels of the eight recordings whose number can be divided by four
were looked at while the method was first chosen, smoothing and longest lag among it; those of the other nine only to
fill this table.
"""

from __future__ import annotations

import gzip
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from anomaly_nab import nab

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalyModel, AnomalySettings
from servitwin.domain.anomaly.stretch import Stretches
from servitwin.domain.anomaly.watch import AnomalyWatch
from servitwin.domain.observation import Bools, Floats, Int64s

SECOND = 1_000_000_000
LEARNT = 400
SETTINGS = AnomalySettings(every=5 * SECOND)
FOLDER = Path(
    os.environ.get("SERVITWIN_SHARED_DATA", Path(__file__).resolve().parent.parent.parent / "shared" / "data")
)


@dataclass
class Recording:
    name: str
    signals: tuple[str, ...]
    time: Int64s
    values: Floats
    anomaly: Bools


def recordings(folder: Path) -> list[Recording]:
    """Labelled recordings of SKAB, by name; ``anomaly-free`` among them, without any anomaly."""
    found = []
    for path in sorted(folder.glob("*/*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            head, *lines = [line.rstrip("\n").split(";") for line in file]
        width = head.index("anomaly") if "anomaly" in head else len(head)
        stamps = np.array([row[0] for row in lines], "datetime64[ns]").astype(np.int64)
        values = np.array([[float(v) for v in row[1:width]] for row in lines])
        labels = np.array([float(row[width]) > 0.5 if width < len(head) else False for row in lines])
        name = f"{path.parent.name}-{path.name.split('.')[0]}"
        found.append(Recording(name, tuple(head[1:width]), stamps, values, labels))
    return found


def judged(recording: Recording, settings: AnomalySettings, learnt: int = LEARNT) -> tuple[Bools, Bools]:
    """Alarm of each row after those learnt from: by its own bin, and by the last bin complete when it came."""
    stamps, values = recording.time, recording.values
    count, end = len(stamps), int(stamps[-1]) + settings.every
    whole = Binning(values.shape[1], settings.every).take(stamps, values, [_REGIME] * count, end)
    first = int(np.searchsorted(whole.number, int(stamps[learnt]) // settings.every))
    model = learn(recording.signals, whole.first(first), settings)
    watch = AnomalyWatch(model)
    begin = int(np.searchsorted(stamps, int(whole.number[first]) * settings.every))
    scores = watch.take(stamps[begin:], values[begin:], [_REGIME] * (count - begin), end)
    joined = Stretches(model)
    over = [s for s in joined.take(scores) if s.end is not None]
    told = np.zeros(len(scores.start), np.bool_)
    for stretch in (s for s in over + joined.going_on() if s.kind == "deviates"):
        told |= (scores.start >= stretch.start) & (scores.start < (stretch.end or end))
    at_once, follow = np.zeros(len(told) + 1, np.bool_), Stretches(model)
    for k in range(len(told)):  # what was said when the bin was complete
        follow.take(scores.between(k, k + 1))
        at_once[k + 1] = any(s.kind == "deviates" for s in follow.going_on())
    own = np.searchsorted(scores.start, stamps[learnt:], side="right")
    return told[own - 1], at_once[own - 1]


_REGIME = "running"


def counts(alarm: Bools, label: Bools) -> Floats:
    pairs = ((alarm, label), (alarm, ~label), (~alarm, label), (~alarm, ~label))
    return np.array([float((a & b).sum()) for a, b in pairs])


def row_of(name: str, c: Floats) -> str:
    f1, false, missed = c[0] / (c[0] + (c[1] + c[2]) / 2), c[1] / (c[1] + c[3]), c[2] / max(c[0] + c[2], 1)
    return f"| {name} | {f1:.3f} | {false * 100:.1f} % | {missed * 100:.1f} % |"


def skab(folder: Path) -> None:
    print("| SKAB, rows from 400 on | F1 | false alarms | missed |\n| --- | --- | --- | --- |")
    seen, unseen, at_once, whole = np.zeros(4), np.zeros(4), np.zeros(4), np.zeros(4)
    free: list[float] = []
    lines = []
    for recording in recordings(folder):
        number = recording.name.rsplit("-", 1)[1]
        if not number.isdigit():
            for a in range(0, len(recording.time) - 1150, 400):
                piece = slice(a, a + 1150)
                part = Recording(
                    "", recording.signals, recording.time[piece], recording.values[piece], np.zeros(0, bool)
                )
                free.append(float(judged(part, SETTINGS)[0].mean()))
            continue
        by_bin, by_last = judged(recording, SETTINGS)
        label = recording.anomaly[LEARNT:]
        c = counts(by_bin, label)
        if int(number) % 4:
            unseen += c
        else:
            seen += c
        at_once += counts(by_last, label)
        whole += c + counts(np.zeros(LEARNT, bool), recording.anomaly[:LEARNT])
        lines.append(row_of(recording.name, c))
    print(row_of("all", seen + unseen))
    print(row_of("all, at once", at_once))
    print(row_of("all, first 400 rows of each counted as judged normal", whole))
    print(row_of("the eight whose labels were seen while the method was chosen", seen))
    print(row_of("the other nine", unseen))
    print(f"| anomaly-free, {len(free)} windows of 1 150 rows | - | {np.mean(free) * 100:.1f} % | - |")
    print("\n| recording | F1 | false alarms | missed |\n| --- | --- | --- | --- |", *lines, sep="\n")


def made(count: int, signals: int, seed: int) -> tuple[Int64s, Floats]:
    rng = np.random.default_rng(seed)
    wander = np.cumsum(0.01 * rng.standard_normal((count, signals)), axis=0)
    return np.arange(count, dtype=np.int64) * SECOND, wander + rng.standard_normal((count, signals))


def model_of(stamps: Int64s, values: Floats, settings: AnomalySettings, rows: int) -> AnomalyModel:
    names = tuple(f"s{i}" for i in range(values.shape[1]))
    end = int(stamps[rows])
    bins = Binning(len(names), settings.every).take(stamps[:rows], values[:rows], [_REGIME] * rows, end)
    return learn(names, bins, settings)


def speed() -> None:
    print("\n| work, CPU time of one core | measured |\n| --- | --- |")
    for every, step in ((5, 10_000), (5, 60), (60, 10_000), (1, 10_000)):
        stamps, values = made(120_000, 8, every)
        settings = AnomalySettings(every=every * SECOND)
        model = model_of(stamps, values, settings, 60 * 100 if every == 60 else 2000)
        best = 1e9
        for _ in range(3):
            watch = AnomalyWatch(model)
            before = time.process_time()
            for a in range(0, len(stamps), step):
                part = stamps[a : a + step]
                watch.take(part, values[a : a + step], [_REGIME] * len(part), int(part[-1]) + 1)
            best = min(best, time.process_time() - before)
        rows = len(stamps) / best
        print(
            f"| score 8 signals at 1 Hz in bins of {every} s, {step} rows a step | "
            f"{rows * 8 / 1e6:.2f} M values/s ({rows:,.0f} rows/s) |"
        )
    stamps, values = made(7 * 24 * 60 + 1, 8, 9)
    before = time.process_time()
    model_of(stamps * 60, values, AnomalySettings(every=60 * SECOND), 7 * 24 * 60)
    print(f"| learn a week of 8 signals in bins of a minute | {time.process_time() - before:.2f} s |")


if __name__ == "__main__":
    if (FOLDER / "skab").is_dir():
        skab(FOLDER / "skab")
    else:
        print(f"SKAB is not in {FOLDER.name}/skab: only speed is measured")
    if (FOLDER / "nab").is_dir():
        nab(FOLDER / "nab")
    speed()
