"""Verdicts over history are those of the definition, instant by instant."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.pieces import NEVER
from servitwin.proof.monitor.trace import Verdict
from tests.unit.monitor.naive import Naive
from tests.unit.monitor.worlds import formula, trace


def check_against_definition(seed: int) -> None:
    random = Random(seed)
    f, world = formula(random, random.choice((1, 2, 3))), trace(random)
    found = evaluate(f, world, robustness=True)
    assert [p.start for p in found.pieces] == [world.start, *(p.end for p in found.pieces[:-1])]
    assert found.pieces[-1].end == world.end
    prefixes = [Naive(world, now) for now in range(world.start - 1, world.end)]
    for piece in found.pieces:
        decisions, bounds = [], []
        for t in range(piece.start, piece.end):
            verdicts = [(n.now, n.verdict(f, t)) for n in prefixes]
            final = verdicts[-1][1]
            bounds.append(prefixes[-1].margin(f, t))
            if final is None:
                assert (piece.verdict, piece.determined) == (Verdict.INCONCLUSIVE, NEVER), (seed, t)
                continue
            assert final == piece.verdict, (seed, t, final)
            assert piece.determined != NEVER, (seed, t)
            decisions.append(max(t, next(now for now, v in verdicts if v is not None)))
        assert piece.determined == min(decisions, default=NEVER), (seed, piece, decisions)
        assert (piece.least, piece.most) == (min(b[0] for b in bounds), min(b[1] for b in bounds)), (seed, piece)
        if piece.determined != NEVER and piece.verdict != Verdict.INCONCLUSIVE:
            assert piece.most >= 0 if piece.verdict == Verdict.TRUE else piece.least <= 0
        assert not math.isnan(piece.least)


@pytest.mark.parametrize("block", range(10))
def test_history_is_the_definition(block):
    for seed in range(block * 60, block * 60 + 60):
        check_against_definition(seed)


@settings(max_examples=100, deadline=None)
@given(st.integers(10_000, 2**40))
def test_history_is_the_definition_for_any_seed(seed):
    check_against_definition(seed)
