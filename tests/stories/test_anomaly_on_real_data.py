"""Anomalies on the real pump of SKAB, as good as the benchmark page says, and on engines of C-MAPSS that are run in six
conditions which no word names.
"""

from __future__ import annotations

import gzip
import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.watch import AnomalyWatch
from servitwin.domain.instant import MINUTE
from servitwin.domain.observation import Floats, Observation
from servitwin.domain.twin import Twin
from servitwin.sdk.discovery import plugins
from servitwin.sdk.service import Outcome, ServiceBatch, TwinView
from tests.conftest import ROOT, shared_data


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark itself: what is published is what is tested."""
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        spec = importlib.util.spec_from_file_location("benchmark_anomaly", ROOT / "benchmarks" / "anomaly.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))
    return module


def test_most_anomalies_of_the_pump_are_found_with_few_false_alarms(bench: ModuleType) -> None:
    by_bin, at_once = np.zeros(4), np.zeros(4)
    labelled = [r for r in bench.recordings(shared_data("skab")) if r.name.rsplit("-", 1)[1].isdigit()]
    for recording in labelled:
        told, live = bench.judged(recording, bench.SETTINGS)
        label = recording.anomaly[bench.LEARNT :]
        by_bin += bench.counts(told, label)
        at_once += bench.counts(live, label)
    for found, false, missed, quiet in (by_bin, at_once):
        assert found / (found + (false + missed) / 2) >= 0.78
        assert false / (false + quiet) < 0.2


def test_row_by_row_the_pump_gets_the_scores_of_the_whole_recording(bench: ModuleType) -> None:
    recording = next(r for r in bench.recordings(shared_data("skab")) if r.name == "valve1-8")
    stamps, values, d = recording.time, recording.values, len(recording.signals)
    end = int(stamps[-1]) + bench.SETTINGS.every
    bins = Binning(d, bench.SETTINGS.every).take(stamps[:400], values[:400], ["on"] * 400, int(stamps[400]))
    model = learn(recording.signals, bins, bench.SETTINGS)
    whole = AnomalyWatch(model).take(stamps[400:], values[400:], ["on"] * (len(stamps) - 400), end)
    watch = AnomalyWatch(model)
    edges = [*stamps[401:].tolist(), end]
    rows = [watch.take(stamps[i : i + 1], values[i : i + 1], ["on"], edges[i - 400]) for i in range(400, len(stamps))]
    np.testing.assert_array_equal(np.concatenate([r.score for r in rows]), whole.score)
    assert np.nanmax(whole.score) > 1


SETTINGS = ("altitude", "mach", "throttle")
SENSORS = tuple(f"s{i}" for i in range(1, 22))
LEARNT, FRESH = range(1, 81), range(81, 141)


class Stand:
    """A stand on which engine after engine is run, a row a minute: the first thirds of 80 lives, then whole new ones.

    A life is too short to be learnt from alone: 40 bins of each of six conditions are more than most engines live.
    Nothing but settings and sensors is read; how long an engine lives only places what was found.
    """

    def __init__(self, lives: dict[int, Floats], settings: tuple[str, ...]) -> None:
        self._plugin = next(p for p in plugins("service") if p.name == "anomaly").load()
        self._view = TwinView(Twin("019a0000-0000-7000-8000-000000000009", "stand-1", "machine"), None)
        early = np.concatenate([lives[engine][: len(lives[engine]) // 3] for engine in LEARNT])
        self._first = len(early)
        self._parameters = {"signals": SENSORS, "every": "1m", "learn": f"{len(early) - 1}m"}  # begins with the second
        if settings:
            self._parameters["settings"] = settings
        self.learnt, self._snapshot = self._run(early, 0, None)

    def _run(self, rows: Floats, first: int, snapshot: bytes | None) -> tuple[Outcome, bytes]:
        evaluator = self._plugin.open(self._view, self._parameters, snapshot)
        columns = zip((*SETTINGS, *SENSORS), rows.T.tolist(), strict=True)
        batch = {n: [Observation((first + k) * MINUTE, v) for k, v in enumerate(column)] for n, column in columns}
        return evaluator.step(ServiceBatch(batch), (first + len(rows)) * MINUTE), evaluator.snapshot()

    def told(self, life: Floats) -> list[tuple[int, int]]:
        """Rows of a life from and to which something was told."""
        found = self._run(life, self._first, self._snapshot)[0].findings
        ends = {f.start: (f.end or (self._first + len(life)) * MINUTE) for f in found}
        return [(start // MINUTE - self._first, end // MINUTE - self._first) for start, end in ends.items()]


def test_six_conditions_of_engines_are_found_and_late_wear_is_told_while_early_life_is_quiet() -> None:
    with gzip.open(shared_data("cmapss") / "train_FD002.txt.gz", "rt", encoding="utf-8") as file:
        rows = np.loadtxt(file)
    lives = {int(e): rows[rows[:, 0] == e][:, 2:] for e in np.unique(rows[:, 0])}
    stand = Stand(lives, SETTINGS)
    model = stand.learnt.results[-1]["anomaly_model"]
    assert list(model["regimes"]) == [
        "altitude 0, mach 0, throttle 100", "altitude 10, mach 0.25, throttle 100",
        "altitude 20, mach 0.7, throttle 100", "altitude 25, mach 0.62, throttle 60",
        "altitude 35, mach 0.84, throttle 100", "altitude 42, mach 0.84, throttle 100",
    ]  # fmt: skip
    assert model["notes"] == []
    found = {engine: stand.told(lives[engine]) for engine in FRESH}
    early = [engine for engine, told in found.items() if any(a < len(lives[engine]) // 3 for a, _ in told)]
    late = [engine for engine, told in found.items() if any(b > 2 * len(lives[engine]) // 3 for _, b in told)]
    assert len(early) <= 3, early
    assert len(late) >= 50, sorted(set(FRESH) - set(late))
    mixed = Stand(lives, ())  # all six together: wear is lost in what the settings do
    assert sum(bool(mixed.told(lives[engine])) for engine in FRESH) <= 3
