"""The online monitor says what history says, however data are split, with restarts in between."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.formula.tree import Compare, Measured, Number
from servitwin.proof.monitor import online
from servitwin.proof.monitor.batch import Batch
from servitwin.proof.monitor.feed import SignalSettings
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.monitor.pieces import NEVER, merge_pieces
from servitwin.proof.monitor.trace import SignalTrace
from tests.unit.monitor.worlds import formula, trace


def part(signal: SignalTrace, start: int, end: int) -> SignalTrace:
    keep = (signal.times >= start) & (signal.times < end)
    return SignalTrace(signal.times[keep], signal.values[keep], signal.known[keep], 0.0, signal.words)


def watched(f, world, edges, random, gaps=None):
    """Pieces of one run over data that are split at the edges."""
    gaps = gaps or {}
    settings = {n: SignalSettings(s.accuracy, gaps.get(n)) for n, s in world.signals.items()}
    monitor, pieces, before = OnlineMonitor(f, settings, world.start), [], -(1 << 62)
    for edge in edges:
        pieces += monitor.step({n: part(s, before, edge) for n, s in world.signals.items()}, edge)
        before = edge
        if random.random() < 0.3:
            monitor = OnlineMonitor(f, settings, world.start, monitor.snapshot())
    return merge_pieces(pieces), monitor


def stale(signal: SignalTrace, gap: int | None, end: int) -> SignalTrace:
    """The same rule over a whole trace: a value is not known from ``gap`` after its observation on."""
    rows = []
    for i, t in enumerate(signal.times.tolist()):
        rows.append((t, signal.values[i], signal.known[i]))
        after = signal.times[i + 1] if i + 1 < len(signal.times) else end
        if gap is not None and after - t > gap and signal.known[i]:
            rows.append((t + gap, signal.values[i], False))
    times = np.array([r[0] for r in rows], np.int64)
    values = np.array([r[1] for r in rows], signal.values.dtype)
    return SignalTrace(times, values, np.array([r[2] for r in rows], np.bool_), signal.accuracy, signal.words)


def check_splits(seed: int) -> None:
    random = Random(seed)
    f, world = formula(random, random.choice((1, 2, 3))), trace(random)
    gaps = {n: random.choice((None, None, 2, 4)) for n in world.signals}
    aged = {n: stale(s, gaps[n], world.end) for n, s in world.signals.items()}
    wanted = [
        (p.start, p.end, p.verdict, p.determined)
        for p in evaluate(f, type(world)(world.start, world.end, aged)).pieces
        if p.determined != NEVER
    ]
    found = []
    for edges in ([world.end], range(world.start - 5, world.end + 1), random.choices(range(1, world.end), k=3)):
        pieces, _ = watched(f, world, sorted({*edges, world.end}), random, gaps)
        assert [(p.start, p.end, p.verdict, p.determined) for p in pieces] == wanted, (seed, list(edges))
        found.append(pieces)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("block", range(10))
def test_any_split_is_history(block):
    for seed in range(block * 100, block * 100 + 100):
        check_splits(seed)


@pytest.mark.parametrize("block", range(3))
def test_many_runs_are_gone_over_as_arrays(block, monkeypatch):
    monkeypatch.setattr(online, "_FEW", -1)
    for seed in range(5000 + block * 80, 5000 + block * 80 + 80):
        check_splits(seed)


def test_monitors_that_share_a_batch_say_what_each_says_alone():
    for seed in range(60):
        random = Random(seed)
        world = trace(random)
        formulas = [formula(random, random.choice((0, 1, 2))) for _ in range(4)]
        settings = {n: SignalSettings(s.accuracy, random.choice((None, 3))) for n, s in world.signals.items()}
        alone, together = ([OnlineMonitor(f, settings, world.start) for f in formulas] for _ in range(2))
        before = -(1 << 62)
        for edge in sorted({*random.choices(range(1, world.end), k=3), world.end}):
            samples = {n: part(s, before, edge) for n, s in world.signals.items()}
            batch = Batch(samples)
            for one, other in zip(alone, together, strict=True):
                assert one.step(samples, edge) == other.step(batch, edge), seed
            before = edge


def test_a_batch_is_read_as_each_monitor_needs_it():
    """Monitors that began at different times, or take another accuracy, share no more than they have in common."""
    hot = Compare(Measured("x"), ">", Number(1.0))
    sharp, blunt = (OnlineMonitor(hot, {"x": SignalSettings(accuracy)}, 0) for accuracy in (0.0, 1.0))
    batch = Batch({"x": SignalTrace(np.array([0]), np.array([1.5]), np.array([True]))})
    assert [m.step(batch, 5)[0].verdict for m in (sharp, blunt)] == ["true", "inconclusive"]
    late = OnlineMonitor(hot, {"x": SignalSettings(0.0)}, 5)
    assert late.step(batch, 9)[0].verdict == "true"
    with pytest.raises(InvalidInputError):
        sharp.step(batch, 9)
