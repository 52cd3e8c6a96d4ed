"""Anomalies on the real pump of SKAB: as good as the benchmark page says, and the same as data come in."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import numpy as np
import pytest

from servitwin.domain.anomaly.bins import Binning
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.watch import AnomalyWatch
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
