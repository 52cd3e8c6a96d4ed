"""Robustness agrees with rtamt on what both mean the same by: uniform samples, discrete time, at sample instants.

A held value also holds between samples, so ``since`` and ``until`` with a low bound above zero mean something else
where time is finer than samples (the goal may lie inside a sample): they are compared where every instant is one.
Instants whose windows leave the trace are left out,
because rtamt says something about them and servitwin does not.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from servitwin.domain.formula.tree import (
    Always,
    And,
    Compare,
    Eventually,
    Historically,
    Implies,
    Measured,
    Not,
    Number,
    Once,
    Or,
    Since,
    Until,
    Window,
    reach,
)
from servitwin.proof.monitor.history import TraceSource, evaluate
from servitwin.proof.monitor.margin import margins
from servitwin.proof.monitor.trace import SignalTrace, Trace, Verdict
from servitwin.proof.monitor.tracks import truths

rtamt = pytest.importorskip("rtamt", reason="rtamt is a development dependency")
COUNT = 40


OPERATORS = ((Always, "always"), (Eventually, "eventually"), (Historically, "historically"), (Once, "once"))


def random_formula(random: Random, depth: int, period: int):
    """The same formula as a tree and in rtamt's words."""
    if depth == 0 or random.random() < 0.1:
        name, limit = random.choice("xy"), random.randrange(-2, 3)
        relation = random.choice(("<", "<=", ">", ">="))
        return Compare(Measured(name), relation, Number(float(limit))), f"({name} {relation} {limit})"
    low, width = random.randrange(3), random.randrange(1, 4)
    w, text = Window(low * period, (low + width) * period), f"[{low}:{low + width}]"
    a, a_text = random_formula(random, depth - 1, period)
    kind = random.randrange(10)
    if kind == 0:
        return Not(a), f"(not {a_text})"
    if kind in (1, 2, 3, 4):
        operator, word = (
            (Always, "always"),
            (Eventually, "eventually"),
            (Historically, "historically"),
            (Once, "once"),
        )[kind - 1]
        return operator(a, w), f"({word}{text} {a_text})"
    b, b_text = random_formula(random, depth - 1, period)
    if kind in (5, 6):
        if period > 1:
            w, text = Window(0, width * period), f"[0:{width}]"
        operator, word = (Until, "until") if kind == 5 else (Since, "since")
        return operator(a, b, w), f"({a_text} {word}{text} {b_text})"
    if kind == 7:
        return And((a, b)), f"({a_text} and {b_text})"
    if kind == 8:
        return Or((a, b)), f"({a_text} or {b_text})"
    return Implies(a, b), f"({a_text} implies {b_text})"


def specification(text: str):
    spec = rtamt.StlDiscreteTimeSpecification()
    spec.declare_var("x", "float")
    spec.declare_var("y", "float")
    spec.spec = text
    spec.parse()
    return spec


def check_formula_on_traces(seed: int) -> int:
    random, period = Random(seed), (1, 1000)[seed % 2]
    formula, text = random_formula(random, random.choice((1, 2, 3)), period)
    spec = specification(text)
    past, future = reach(formula)
    compared = 0
    for _ in range(4):
        x, y = ([float(random.randrange(-4, 5)) / 2 for _ in range(COUNT)] for _ in range(2))
        theirs = [v for _, v in spec.evaluate({"time": list(range(COUNT)), "x": x, "y": y})]
        times, known = np.arange(COUNT, dtype=np.int64) * period, np.ones(COUNT, np.bool_)
        signals = {n: SignalTrace(times, np.array(v), known) for n, v in (("x", x), ("y", y))}
        trace = Trace(0, COUNT * period, signals)
        source = TraceSource(trace)
        found = margins(formula, source.signals, trace.end, truths(formula, source))
        verdicts = evaluate(formula, trace)
        for k in range(COUNT):
            t = k * period
            if t - (past or 0) < 0 or t + future >= trace.end:
                continue
            i = found.index(np.array([t]))[0]
            assert (found.least[i], found.most[i]) == (theirs[k], theirs[k]), (seed, text, k)
            if theirs[k] != 0:
                piece = verdicts.at(t)
                assert piece is not None and piece.verdict == (Verdict.TRUE if theirs[k] > 0 else Verdict.FALSE)
            compared += 1
    return compared


@pytest.mark.parametrize("block", range(5))
def test_the_common_fragment_agrees_with_rtamt(block):
    assert sum(check_formula_on_traces(seed) for seed in range(block * 100, block * 100 + 100)) > 2000


def test_a_request_that_is_granted_in_time_has_a_margin_of_one():
    """Oracle: G(req >= 3 -> F[0, 5] gnt >= 3), req = 5 at 2, gnt = 4 at 6: robustness +1.0."""
    request = SignalTrace(np.array([0, 2, 3]), np.array([0.0, 5.0, 0.0]), np.ones(3, np.bool_))
    grant = SignalTrace(np.array([0, 6, 7]), np.array([0.0, 4.0, 0.0]), np.ones(3, np.bool_))
    formula = Always(
        Implies(
            Compare(Measured("req"), ">=", Number(3.0)),
            Eventually(Compare(Measured("gnt"), ">=", Number(3.0)), Window(0, 5)),
        ),
        Window(),
    )
    (piece,) = [
        p
        for p in evaluate(formula, Trace(0, 9, {"req": request, "gnt": grant}), robustness=True).pieces
        if p.start <= 2 < p.end
    ]
    assert (piece.verdict, piece.least, piece.most) == (Verdict.TRUE, 1.0, 1.0)
