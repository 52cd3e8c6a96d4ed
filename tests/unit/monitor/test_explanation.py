"""An explanation is enough, and nothing in it can be left out: tried for every sample of small traces."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.formula.tree import And, Compare, Eventually, Historically, Implies, Is, Measured, Number, Window
from servitwin.proof.monitor.explanation import explain, reduced
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.trace import SignalTrace, Trace, Verdict
from tests.unit.monitor.naive import Naive
from tests.unit.monitor.worlds import formula, trace


def check_explanation(seed: int) -> bool:
    random = Random(seed)
    f, world = formula(random, random.choice((1, 2, 3))), trace(random)
    violations = [p for p in evaluate(f, world).pieces if p.verdict == Verdict.FALSE]
    for piece in violations:
        found = explain(f, world, piece.start)
        assert found is not None
        samples = [(s.signal, s.index) for s in found.samples]
        assert verdict_with(f, world, samples, piece.start) == Verdict.FALSE, seed
        for one in samples:
            rest = [s for s in samples if s != one]
            assert verdict_with(f, world, rest, piece.start) in (Verdict.INCONCLUSIVE, None), (seed, one)
        for s in found.samples:
            assert s.time == world.signals[s.signal].times[s.index]
    return bool(violations)


def verdict_with(f, world, samples, time):
    kept: dict[str, list[int]] = {}
    for name, index in samples:
        kept.setdefault(name, []).append(index)
    return Naive(reduced(world, kept), world.end - 1).verdict(f, time)


@pytest.mark.parametrize("block", range(8))
def test_explanations_are_enough_and_minimal(block):
    assert sum(check_explanation(seed) for seed in range(block * 100, block * 100 + 100)) > 10


def steps(*rows: tuple[int, float]) -> SignalTrace:
    return SignalTrace(
        np.array([t for t, _ in rows], np.int64), np.array([v for _, v in rows], float), np.ones(len(rows), np.bool_)
    )


HOT = Implies(
    Compare(Measured("brake"), ">", Number(80.0)),
    Eventually(Compare(Measured("brake"), "<", Number(60.0)), Window(0, 5)),
)


def test_of_an_eventually_all_of_its_window_counts():
    world = Trace(0, 20, {"brake": steps((0, 20.0), (2, 90.0), (4, 85.0), (6, 70.0), (12, 50.0))})
    found = explain(HOT, world, 2)
    assert found is not None
    assert [(s.index, s.time, s.value) for s in found.samples] == [(1, 2, 90.0), (2, 4, 85.0), (3, 6, 70.0)]
    assert [p.kind for p in found.parts] == ["implies", "compare", "eventually", "compare"]
    assert explain(HOT, world, 0) is None
    with pytest.raises(InvalidInputError, match="outside"):
        explain(HOT, world, 20)


def test_the_tie_break_is_leftmost_part_and_earliest_instant():
    cold = Compare(Measured("a"), "<", Number(5.0))
    dry = Compare(Measured("b"), "<", Number(5.0))
    world = Trace(0, 20, {"a": steps((0, 1.0), (4, 9.0), (8, 9.5)), "b": steps((0, 9.0)), "c": steps((0, 0.0))})
    left = explain(And((cold, dry)), world, 5)
    assert left is not None
    assert [(s.signal, s.index) for s in left.samples] == [("a", 1)]
    early = explain(Historically(cold, Window(0, 10)), world, 10)
    assert early is not None
    assert [(s.signal, s.index) for s in early.samples] == [("a", 1)]
    assert explain(Is("c", (False,)), world, 5) is None
