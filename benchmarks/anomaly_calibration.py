"""Where the limit of the anomaly detector comes from: machines without any fault, made by a generator of numbers.

Run: ``python benchmarks/anomaly_calibration.py``. Stated first: a machine without fault begins at most one stretch in
10 000 bins, which is one in a month of five-minute bins. ``chance`` is the largest of a grid at which machines with
normal noise keep to that after they were learnt from 80 bins only; longer stretches keep to it the more easily. No
recording and no label is read here. Heavier tails (Student's t with 5 degrees) are shown beside it: from some 600 bins
on, the tail of the stretch learnt from raises the limit (``false_rate``).
"""

from __future__ import annotations

import numpy as np

from servitwin.domain.anomaly.bins import Bins
from servitwin.domain.anomaly.learn import learn
from servitwin.domain.anomaly.model import AnomalySettings
from servitwin.domain.anomaly.stretch import Stretches
from servitwin.domain.anomaly.watch import AnomalyWatch
from servitwin.domain.observation import Floats

STATED = 1e-4  # stretches that begin, a bin
GRID = (3e-5, 1e-5, 3e-6, 1e-6)
MACHINES, JUDGED = 40, 4000
SIGNALS = (1, 3, 8, 15)
MINUTE = 60 * 1_000_000_000


def machine(rng: np.random.Generator, bins: int, signals: int, tails: float | None) -> Floats:
    """Signals that are correlated, scatter, and wander by 0.01 to 30 % of their noise a bin."""
    mix = rng.standard_normal((signals, signals)) / 2 + np.eye(signals)
    scatter = rng.standard_normal((bins, signals))
    if tails is not None:
        scatter = rng.standard_t(tails, (bins, signals)) / np.sqrt(tails / (tails - 2))
    noise = scatter @ mix.T
    drift = 10 ** rng.uniform(-4, -1, signals)
    steps = rng.standard_normal((bins, signals)) * np.sqrt(drift) * noise.std(axis=0)
    made: Floats = noise + np.cumsum(steps, axis=0)
    return made


def binned(values: Floats, first: int) -> Bins:
    count = len(values)
    return Bins(
        np.arange(first, first + count, dtype=np.int64), values, values, np.nextafter(values, np.inf),
        ["on"] * count, np.ones(count, np.int64),
    )  # fmt: skip


def begun(learnt: int, chance: float, tails: float | None) -> float:
    """Stretches that begin a bin, over all machines."""
    rng = np.random.default_rng(20261129)
    found = 0
    for k in range(MACHINES):
        signals = SIGNALS[k % len(SIGNALS)]
        values = machine(rng, learnt + JUDGED, signals, tails)
        settings = AnomalySettings(every=5 * MINUTE, chance=chance)
        model = learn(tuple(f"s{i}" for i in range(signals)), binned(values[:learnt], 0), settings)
        scores = AnomalyWatch(model).judge(binned(values[learnt:], learnt))
        found += len({s.start for s in Stretches(model).take(scores) if s.kind == "deviates"})
    return found / MACHINES / JUDGED


def calibrate() -> None:
    print("| stretches that begin in 10 000 bins | " + " | ".join(f"chance {c:g}" for c in GRID) + " |")
    print("| --- |" + " --- |" * len(GRID))
    for tails, name in ((None, "normal noise"), (5.0, "tails of t(5)")):
        for learnt in (80, 2016):
            rates = [begun(learnt, chance, tails) for chance in GRID]
            print(
                f"| {name}, learnt from {learnt} bins | " + " | ".join(f"{1e4 * r:.2f}" for r in rates) + " |",
                flush=True,
            )
            if tails is None and learnt == 80:
                kept = [c for c, r in zip(GRID, rates, strict=True) if r <= STATED]
                chosen = max(kept) if kept else None
    print(f"\nchance: {chosen}")


if __name__ == "__main__":
    calibrate()
