"""Two programs that share no code implement one page: they say the same of any formula over any trace."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.domain.formula.tree import Compare, Implies, Measured, Number
from servitwin.proof.monitor.trace import SignalTrace, Trace
from servitwin.proof.monitor.trigger import occurrences, trigger_of, triggered
from servitwin.proof.verifier import claim
from tests.unit.monitor.worlds import formula, trace
from tests.unit.proof import vectors
from tests.unit.proof.two_readers import known_of, of_monitor, of_verifier


def test_both_say_what_the_shared_file_says():
    found = vectors.read()
    assert len(found) == vectors.COUNT
    for n, (f, world, rows) in enumerate(found):
        assert of_monitor(f, world) == rows, n
        assert of_verifier(f, world) == rows, n


def check(seed: int) -> None:
    random = Random(seed)
    f, world = formula(random, random.choice((1, 2, 3))), trace(random)
    assert of_monitor(f, world) == of_verifier(f, world), (seed, f)


def check_occurrences(seed: int) -> None:
    random = Random(seed)
    f, world = Implies(formula(random, random.choice((0, 1, 2))), formula(random, 1)), trace(random)
    counted = claim.occurrences(known_of(trigger_of(f), world), world.start, world.end)
    times = triggered(f, world).times
    found = occurrences(f, world)
    assert len(times) == counted, (seed, f)
    assert tuple(o.start for o in found) == times, (seed, f)
    assert all(a.end <= b.start for a, b in pairwise(found))


@pytest.mark.parametrize("block", range(5))
def test_the_same_verdicts_and_margins(block):
    for seed in range(block * 100, block * 100 + 100):
        check(seed)


@settings(max_examples=100, deadline=None)
@given(st.integers(10_000, 2**40))
def test_the_same_verdicts_and_margins_for_any_seed(seed):
    check(seed)


@pytest.mark.parametrize("block", range(4))
def test_the_same_number_of_occurrences(block):
    for seed in range(block * 100, block * 100 + 100):
        check_occurrences(seed)


def test_what_trembles_inside_the_accuracy_does_not_occur_again():
    hot = Compare(Measured("x"), ">", Number(10.0))
    readings = [5.0, 12.0, 10.5, 12.0, 8.0, 12.0, 5.0]
    times = np.arange(7, dtype=np.int64) * 10
    world = Trace(0, 70, {"x": SignalTrace(times, np.array(readings), np.ones(7, np.bool_), 1.0)})
    found = triggered(Implies(hot, hot), world)
    assert (found.times, found.held) == ((10, 50), 30)
    assert claim.occurrences(known_of(hot, world), 0, 70) == 2
    assert [(o.start, o.end, o.verdict) for o in occurrences(Implies(hot, hot), world)] == [
        (10, 40, "inconclusive"),
        (50, 60, "true"),
    ]
