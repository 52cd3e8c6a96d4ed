"""What is wrong is refused with its place; what is absurd is answered without blowing up."""

from __future__ import annotations

import numpy as np
import pytest

from servitwin.domain.error import InvalidInputError
from servitwin.domain.formula.tree import (
    Always,
    And,
    Arithmetic,
    Compare,
    Count,
    Duration,
    Eventually,
    Historically,
    Is,
    Measured,
    Not,
    Number,
    Once,
    Window,
)
from servitwin.proof.monitor.feed import SignalSettings
from servitwin.proof.monitor.history import evaluate
from servitwin.proof.monitor.online import OnlineMonitor
from servitwin.proof.monitor.pieces import NEVER
from servitwin.proof.monitor.trace import SignalTrace, Trace, Verdict

HIGH = Compare(Measured("x"), ">", Number(5.0))


def signal(times, values, known=None, accuracy=0.0):
    flags = np.ones(len(times), np.bool_) if known is None else np.array(known, np.bool_)
    return SignalTrace(np.array(times, np.int64), np.array(values, np.float64), flags, accuracy)


def world(*, end=10, **signals):
    return Trace(0, end, signals)


def codes(formula, trace) -> list[str]:
    with pytest.raises(InvalidInputError) as caught:
        evaluate(formula, trace)
    return [f.code for f in caught.value.faults]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("relation", ["<", "<=", ">", ">=", "==", "!="])
def test_what_is_no_number_never_decides(value, relation):
    pieces = evaluate(
        Compare(Measured("x"), relation, Number(5.0)), world(x=signal([0], [value])), robustness=True
    ).pieces
    assert [(p.verdict, p.least, p.most) for p in pieces] == [(Verdict.INCONCLUSIVE, -np.inf, np.inf)]
    limit = Compare(Measured("x"), relation, Number(value))
    assert evaluate(limit, world(x=signal([0], [1.0]))).pieces[0].verdict == Verdict.INCONCLUSIVE
    total = Compare(Arithmetic("+", Measured("x"), Measured("y")), relation, Number(5.0))
    both = world(x=signal([0], [value]), y=signal([0], [1.0]))
    assert evaluate(total, both).pieces[0].verdict == Verdict.INCONCLUSIVE


def test_overflow_and_division_by_zero_are_not_known():
    huge = Compare(Arithmetic("*", Measured("x"), Measured("x")), ">", Number(1.0))
    assert evaluate(huge, world(x=signal([0], [1e300]))).pieces[0].verdict == Verdict.INCONCLUSIVE
    ratio = Compare(Arithmetic("/", Number(1.0), Measured("x")), ">", Number(0.0))
    trace = world(x=signal([0, 5], [0.4, 0.6], accuracy=0.5))
    assert [p.verdict for p in evaluate(ratio, trace).pieces] == [Verdict.INCONCLUSIVE, Verdict.TRUE]


def test_no_samples_and_empty_traces():
    assert [p.verdict for p in evaluate(HIGH, world(x=signal([], []))).pieces] == [Verdict.INCONCLUSIVE]
    assert evaluate(HIGH, world(end=0, x=signal([0], [9.0]))).pieces == []
    assert evaluate(HIGH, world(end=-5, x=signal([0], [9.0]))).pieces == []
    assert [p.verdict for p in evaluate(Is("w", ("A",)), world(w=signal([], []))).pieces] == [Verdict.INCONCLUSIVE]


def test_clock_jumps_are_refused():
    assert codes(HIGH, world(x=signal([0, 5, 4], [1, 2, 3]))) == ["trace:times-not-rising"]
    assert codes(HIGH, world(x=signal([0, 5, 5], [1, 2, 3]))) == ["trace:times-not-rising"]
    assert codes(HIGH, world(x=SignalTrace(np.arange(3), np.zeros(2), np.ones(3, np.bool_)))) == [
        "trace:lengths-differ"
    ]
    wild = SignalTrace(np.arange(2), np.array([0, 7], np.int32), np.ones(2, np.bool_), 0.0, ("A", "B"))
    assert codes(Is("w", ("A",)), world(w=wild)) == ["trace:word-unknown"]


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        (Compare(Measured("nobody"), ">", Number(0.0)), "formula:signal-unknown"),
        (Not(Eventually(HIGH, Window(0, None))), "formula:unbounded"),
        (And((HIGH, Always(HIGH, Window()))), "formula:unbounded"),
        (Eventually(HIGH, Window(5, 3)), "formula:window-wrong"),
        (Once(HIGH, Window(-1, 3)), "formula:window-wrong"),
        (Eventually(HIGH, Window(0, 1 << 62)), "formula:window-wrong"),
        (Compare(Number(3.0), ">", Count(HIGH, 5)), "formula:count-not-alone"),
        (Compare(Count(Eventually(HIGH, Window(0, 2)), 5), ">", Number(0.0)), "formula:count-of-future"),
        (Compare(Duration(HIGH, 0), ">", Number(0.0)), "formula:window-wrong"),
    ],
)
def test_formulas_that_no_monitor_can_decide(formula, code):
    assert codes(formula, world(x=signal([0], [1.0]))) == [code]
    with pytest.raises(InvalidInputError) as caught:
        OnlineMonitor(formula, {"x": SignalSettings()}, 0)
    assert caught.value.fault.code == code


def test_huge_windows_and_far_times():
    far = Window(0, 1 << 61)
    trace = world(x=signal([0, 5], [9.0, 1.0]))
    assert [(p.verdict, p.determined) for p in evaluate(Always(HIGH, far), trace).pieces] == [(Verdict.FALSE, 5)]
    waits = evaluate(Eventually(Not(HIGH), far), world(x=signal([0], [9.0]))).pieces
    assert [(p.verdict, p.determined) for p in waits] == [(Verdict.INCONCLUSIVE, NEVER)]
    nested = HIGH
    for _ in range(40):
        nested = Eventually(nested, far)
    assert evaluate(nested, trace, robustness=True).pieces[0].verdict == Verdict.TRUE
    counted = Compare(Duration(HIGH, 1 << 61), ">=", Number(5e-9))
    assert [(p.start, p.verdict) for p in evaluate(counted, trace).pieces] == [
        (0, Verdict.INCONCLUSIVE), (4, Verdict.TRUE),
    ]  # fmt: skip


def test_thousands_of_nested_operators():
    deep, total = HIGH, Measured("x")
    for n in range(3000):
        deep = (Not(deep), Always(deep, Window(0, 1)), Historically(deep, Window(0, 1)))[n % 3]
        total = Arithmetic("+", total, Number(1.0))
    trace = world(end=20_000, x=signal([0, 9_000], [9.0, 1.0]))
    assert evaluate(deep, trace, robustness=True).pieces
    assert evaluate(Compare(total, ">", Number(3005.0)), trace).pieces[0].verdict == Verdict.TRUE
    monitor = OnlineMonitor(deep, {"x": SignalSettings()}, 0)
    assert monitor.step({"x": trace.signals["x"]}, 20_000)


def test_late_and_early_samples_are_refused_online():
    monitor = OnlineMonitor(HIGH, {"x": SignalSettings()}, 0)
    monitor.step({"x": signal([3], [9.0])}, 10)
    for samples, watermark, code in (
        ({"x": signal([9], [1.0])}, 20, "monitor:late"),
        ({"x": signal([20], [1.0])}, 20, "monitor:ahead"),
        ({"x": signal([15, 12], [1.0, 1.0])}, 20, "trace:times-not-rising"),
        ({}, 9, "monitor:late"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            monitor.step(samples, watermark)
        assert caught.value.fault.code == code
    assert monitor.watermark == 10, "what was refused changed nothing"
    assert [p.verdict for p in monitor.step({"x": signal([12], [1.0])}, 20)] == [Verdict.TRUE, Verdict.FALSE]


def test_a_snapshot_of_something_else_is_refused():
    snapshot = OnlineMonitor(HIGH, {"x": SignalSettings()}, 0).snapshot()
    for formula, bytes_, code in (
        (Not(HIGH), snapshot, "monitor:other-formula"),
        (HIGH, b"\xff\x00", "monitor:snapshot-unreadable"),
        (HIGH, snapshot[:-2], "monitor:snapshot-unreadable"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            OnlineMonitor(formula, {"x": SignalSettings()}, 0, bytes_)
        assert caught.value.fault.code == code


def test_memory_stays_bounded_over_an_unbounded_past():
    """A signal that crosses its limit at every sample: only what windows read is kept."""
    formula = And((Once(HIGH, Window(0, None)), Eventually(HIGH, Window(0, 50))))
    monitor, sizes = OnlineMonitor(formula, {"x": SignalSettings()}, 0), []
    for step in range(100):
        times = np.arange(step * 100, step * 100 + 100)
        monitor.step({"x": signal(times, np.where(times % 2 == 0, 9.0, 1.0))}, step * 100 + 100)
        sizes.append(len(monitor.snapshot()))
    assert max(sizes[50:]) <= max(sizes[3:10]) + 200
