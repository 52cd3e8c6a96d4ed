"""NAB's score (standard profile) of the anomaly detector on the recordings of NAB that are here.

Score after Lavin and Ahmad 2015 (Evaluating real-time anomaly detection algorithms: the Numenta anomaly benchmark): in
each labelled window the first detection earns ``2 / (1 + exp(5 y)) - 1`` with y from -1 at the window's begin to 0 at
its end; a window without one costs 1; a detection outside costs up to 0.11, less just after a window. 0 is a detector
that says nothing, 100 one that is right at the begin of every window. The first 15 % of a recording (750 rows at most)
are for learning. A detection is the end of the bin in which a stretch begins. NAB sets a detector's threshold on the
labels of its whole corpus; here it is set beforehand.
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import numpy as np

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalySettings
from servitwin.domain.anomaly.stretch import Stretches
from servitwin.domain.anomaly.watch import AnomalyWatch

SECOND = 1_000_000_000
SETTINGS = AnomalySettings(every=300 * SECOND)
FALSE = 0.11


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


def detections(path: Path) -> tuple[list[int], np.ndarray, int]:
    """Indices of rows at which something was said, times of all rows, rows learnt from."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.strip().split(",") for line in file][1:]
    stamps = np.array([ns(r[0]) for r in rows])
    values = np.array([[float(r[1])] for r in rows])
    order = np.argsort(stamps, kind="stable")
    stamps, values = stamps[order], values[order]
    learnt = min(int(0.15 * len(rows)), 750)
    end = int(stamps[-1]) + SETTINGS.every
    bins = Binning(1, SETTINGS.every).take(stamps, values, ["running"] * len(rows), end)
    first = int(np.searchsorted(bins.number, int(stamps[learnt]) // SETTINGS.every))
    model = learn(("value",), bins.first(first), SETTINGS)
    begin = int(np.searchsorted(stamps, int(bins.number[first]) * SETTINGS.every))
    watch, joined = AnomalyWatch(model), Stretches(model)
    scores = watch.take(stamps[begin:], values[begin:], ["running"] * (len(rows) - begin), end)
    found = [s for s in joined.take(scores) if s.kind == "deviates" and s.end is None]
    last = np.searchsorted(stamps, [s.start + SETTINGS.every for s in found]) - 1
    return [int(i) for i in last], stamps, learnt


def nab_score(said: list[int], stamps: np.ndarray, windows: list[tuple[int, int]]) -> tuple[float, int, int]:
    """Raw score, windows found, and false detections."""
    spans = [(int(np.searchsorted(stamps, a)), int(np.searchsorted(stamps, b, side="right")) - 1) for a, b in windows]
    raw, found, false = 0.0, set(), 0
    for at in sorted(said):
        inside = next((k for k, (a, b) in enumerate(spans) if a <= at <= b), None)
        if inside is None:
            before = [(a, b) for a, b in spans if b < at]
            away = (at - before[-1][1]) / max(before[-1][1] - before[-1][0], 1) if before else math.inf
            raw += FALSE * (2 / (1 + math.exp(min(5 * away, 700))) - 1)
            false += 1
        elif inside not in found:
            found.add(inside)
            a, b = spans[inside]
            top = 2 / (1 + math.exp(-5)) - 1
            raw += (2 / (1 + math.exp(5 * ((at - a) / (b - a) - 1))) - 1) / top
    return raw - (len(spans) - len(found)), len(found), false


def nab(folder: Path) -> None:
    print("\n| NAB, standard profile | score | windows found | false detections |\n| --- | --- | --- | --- |")
    total, windows_in_all = 0.0, 0
    for path in sorted(folder.glob("*.csv.gz")):
        labels = json.loads((folder / path.name.replace(".csv.gz", ".labels.json")).read_text("utf-8"))
        windows = [(ns(a), ns(b)) for a, b in labels["windows"]]
        said, stamps, learnt = detections(path)
        windows = [w for w in windows if w[1] >= int(stamps[learnt])]
        raw, found, false = nab_score(said, stamps, windows)
        total, windows_in_all = total + raw, windows_in_all + len(windows)
        score = 100 * (raw + len(windows)) / (2 * len(windows))
        print(f"| {path.name.split('.')[0]} | {score:.1f} | {found} of {len(windows)} | {false} |")
    print(f"| both | {100 * (total + windows_in_all) / (2 * windows_in_all):.1f} | | |")
