"""Monitors: a bounded response over history beside rtamt, and 1 000 twins with five requirements each online.

Run: ``python benchmarks/monitor.py [samples]``. One core: numpy's loops used here do not spread over cores.
Samples are counted once, however many requirements read them.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable

import numpy as np

from servitwin.domain.formula.tree import (
    Always,
    And,
    Compare,
    Count,
    Eventually,
    Formula,
    Historically,
    Implies,
    Is,
    Measured,
    Number,
    Once,
    Window,
)
from servitwin.proof.monitor.batch import Batch
from servitwin.proof.monitor.feed import SignalSettings
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.monitor.trace import SignalTrace, Trace

SECOND = 1_000_000_000
HOT = Compare(Measured("request"), ">=", Number(3.0))
SERVED = Compare(Measured("grant"), ">=", Number(3.0))
RESPONSE = Implies(HOT, Eventually(SERVED, Window(0, 5 * SECOND)))
WORDS = ("READY", "ACTIVE", "STOPPED")
FIVE: tuple[Formula, ...] = (
    RESPONSE,
    Compare(Measured("grant"), "<", Number(6.0)),
    Implies(Is("execution", ("ACTIVE",)), Once(Is("execution", ("READY",)), Window(0, 600 * SECOND))),
    Compare(Count(HOT, 600 * SECOND), "<=", Number(20.0)),
    Implies(Historically(HOT, Window(0, 10 * SECOND)), Always(And((SERVED,)), Window(SECOND, 2 * SECOND))),
)


def waves(count: int, seed: int, every: int = SECOND // 10, noise: float = 0.1) -> tuple[np.ndarray, ...]:
    """Times and two signals that cross their limits every few hundred samples, answered a little later."""
    rng = np.random.default_rng(seed)
    phase = np.arange(count) / 500.0
    request = 2.5 + np.sign(np.sin(phase * 6.28)) + noise * rng.standard_normal(count)
    grant = 2.5 + np.sign(np.sin((phase - 0.02) * 6.28)) + noise * rng.standard_normal(count)
    return np.arange(count, dtype=np.int64) * every, request, grant


def best(work: Callable[[], object], repeat: int = 3) -> float:
    """CPU seconds of the fastest of a few runs."""
    found = []
    for _ in range(repeat):
        before = time.process_time()
        work()
        found.append(time.process_time() - before)
    return min(found)


def history(count: int) -> tuple[float, float]:
    times, request, grant = waves(count, 1)
    known = np.ones(count, np.bool_)
    rates = []
    for label, accuracy, robustness in (
        ("verdicts", 0.0, False),
        ("verdicts, accuracy 0.1", 0.1, False),
        ("with robustness", 0.0, True),
    ):
        signals = {
            "request": SignalTrace(times, request, known, accuracy),
            "grant": SignalTrace(times, grant, known, accuracy),
        }
        trace = Trace(0, int(times[-1]) + 1, signals)
        seconds = best(lambda trace=trace, robustness=robustness: evaluate(RESPONSE, trace, robustness=robustness))  # type: ignore[misc]
        pieces = len(evaluate(RESPONSE, trace).pieces)
        rates.append(2 * count / seconds)
        print(
            f"| history, {label} | {2 * count / seconds / 1e6:.1f} M samples/s a core | {pieces} pieces |", flush=True
        )
    return rates[0], rates[-1]


def rtamt_rate(count: int) -> float | None:
    """Samples a second of rtamt's offline monitor in discrete time on the same data; None where it is absent."""
    if importlib.util.find_spec("rtamt") is None:
        return None
    import rtamt

    _, request, grant = waves(count, 1)
    spec = rtamt.StlDiscreteTimeSpecification()
    for name in ("request", "grant"):
        spec.declare_var(name, "float")
    spec.spec = "(request >= 3) implies (eventually[0:50] (grant >= 3))"
    spec.parse()
    data = {"time": list(range(count)), "request": request.tolist(), "grant": grant.tolist()}
    before = time.process_time()
    spec.evaluate(data)
    return 2 * count / (time.process_time() - before)


def online(twins: int, steps: int, width: int) -> float:
    """Steps of ``width`` samples a signal (ten seconds at 10 Hz) through five requirements of each twin."""
    settings = {n: SignalSettings(max_gap=30 * SECOND) for n in ("request", "grant")}
    settings["execution"] = SignalSettings()
    monitors = [[OnlineMonitor(f, settings, 0) for f in FIVE] for _ in range(twins)]
    count = steps * width
    times, request, grant = waves(count, 2)
    known = np.ones(width, np.bool_)
    rng = np.random.default_rng(3)
    samples, pieces, spent = 0, 0, 0.0
    for step in range(steps):
        a = step * width
        batches = []
        for twin in range(twins):
            shift = (twin * 37) % count
            index = (np.arange(a, a + width) + shift) % count
            one = times[a : a + width]
            word = np.array([rng.integers(0, 3)], np.int32)
            batches.append(
                {
                    "request": SignalTrace(one, request[index], known),
                    "grant": SignalTrace(one, grant[index], known),
                    "execution": SignalTrace(one[:1], word, known[:1], 0.0, WORDS),
                }
            )
        samples += twins * (2 * width + 1)
        watermark = int(times[a + width - 1]) + 1
        before = time.process_time()
        for own, samples_of_twin in zip(monitors, batches, strict=True):
            batch = Batch(samples_of_twin)
            for monitor in own:
                pieces += len(monitor.step(batch, watermark))
        spent += time.process_time() - before
    size = max(len(m.snapshot()) for m in monitors[0])
    print(
        f"| online, {twins} twins x {len(FIVE)} requirements, {width} samples a signal and step | "
        f"{samples / spent:,.0f} samples/s a core | {pieces} pieces, largest snapshot {size} bytes |"
    )
    return samples / spent


if __name__ == "__main__":
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    verdicts, margins = history(samples)
    theirs = rtamt_rate(20_000)
    if theirs is None:
        print("| rtamt | not installed | |")
    else:
        slower = f"{verdicts / theirs:,.0f} times slower than verdicts, {margins / theirs:,.0f} than robustness"
        print(f"| rtamt 0.4.10, the same data | {theirs / 1e3:.1f} k samples/s | {slower} |")
    online(1000, 5, 100)
    online(200, 5, 600)
