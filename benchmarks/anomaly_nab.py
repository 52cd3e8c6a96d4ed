"""NAB's score (standard profile) of the anomaly detector on the recordings of NAB that are here.

Scored as NAB's own sweeper scores (numenta/NAB, ``nab/sweeper.py``; Lavin and Ahmad 2015, Evaluating real-time anomaly
detection algorithms: the Numenta anomaly benchmark), written anew from its rules, NAB itself is not run:

- each row that is said to be anomalous earns ``S(y) = 2 / (1 + exp(5 y)) - 1``. In a labelled window of w rows
  ``y = -(last - row + 1) / w``, and only the best row counts, by its ``S(y) / S(-1)``; a window without one costs 1.
- outside, ``y = (row - last row of the window before) / (w - 1)``, from 3 on and before any window ``S = -1``; each
  row costs 0.11 times that.
- the first 15 % of a recording, 750 rows at most, are for learning and count for nothing; a window that reaches
  beyond them counts.
- 100 (score - null) / (perfect - null), where null misses every window and perfect is right at the begin of each.

The row that is said to be anomalous is the last of the bin in which a stretch begins, and no other of that stretch:
that is what a person is told. NAB fits a detector's threshold to the labels of its whole corpus; here it is set
beforehand, and labels are read to score alone.
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalySettings
from servitwin.domain.anomaly.stretch import Stretches
from servitwin.domain.anomaly.watch import AnomalyWatch

SECOND = 1_000_000_000
SETTINGS = AnomalySettings(every=300 * SECOND)
FALSE = 0.11  # weight of a false detection in the standard profile; of a window found or missed 1


class Scored(NamedTuple):
    raw: float
    found: int
    false: int
    windows: int


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


def sigmoid(y: float) -> float:
    return -1.0 if y >= 3.0 else 2 / (1 + math.exp(5 * y)) - 1


def nab_score(said: list[int], stamps: np.ndarray, windows: list[tuple[int, int]], learnt: int) -> Scored:
    """Raw score, windows found, false detections, and windows that count."""
    spans = [(int(np.searchsorted(stamps, a)), int(np.searchsorted(stamps, b, side="right")) - 1) for a, b in windows]
    counting = [span for span in spans if span[1] >= learnt]
    best = dict.fromkeys(counting, -1.0)
    raw, false = 0.0, 0
    for row in (r for r in said if r >= learnt):
        inside = next(((a, b) for a, b in counting if a <= row <= b), None)
        if inside is not None:
            a, b = inside
            best[inside] = max(best[inside], sigmoid(-(b - row + 1) / (b - a + 1)) / sigmoid(-1.0))
            continue
        before = [(a, b) for a, b in spans if b < row]
        raw += FALSE * (sigmoid((row - before[-1][1]) / (before[-1][1] - before[-1][0])) if before else -1.0)
        false += 1
    return Scored(raw + sum(best.values()), sum(v > -1 for v in best.values()), false, len(counting))


def nab(folder: Path) -> None:
    print("\n| NAB, standard profile | score | windows found | false detections |\n| --- | --- | --- | --- |")
    total, windows_in_all = 0.0, 0
    for path in sorted(folder.glob("*.csv.gz")):
        labels = json.loads((folder / path.name.replace(".csv.gz", ".labels.json")).read_text("utf-8"))
        said, stamps, learnt = detections(path)
        found = nab_score(said, stamps, [(ns(a), ns(b)) for a, b in labels["windows"]], learnt)
        total, windows_in_all = total + found.raw, windows_in_all + found.windows
        score = 100 * (found.raw + found.windows) / (2 * found.windows)
        name = path.name.split(".")[0]
        print(f"| {name} | {score:.1f} | {found.found} of {found.windows} | {found.false} |")
    print(f"| both | {100 * (total + windows_in_all) / (2 * windows_in_all):.1f} | | |")
